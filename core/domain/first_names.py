"""What a person is called by, among the words of a name as they or a directory write it."""

from __future__ import annotations

import re

_TITLES = frozenset(
    {
        *("dr", "dra", "dª", "d.ª", "doña", "frau", "herr", "ing", "lic", "licda", "miss", "mr"),
        *("mrs", "ms", "mx", "prof", "profa", "rev", "sir", "sr", "sra", "srta"),
    }
)
_ABBREVIATED = frozenset({"da", "dn", "dna", "eng", "fr", "mag"})  # titles where a dot follows
_SUFFIXES = frozenset(
    {
        *("jr", "sr", "ii", "iii", "iv", "md", "phd", "dds", "dvm", "mba", "msc", "bsc"),
        *("esq", "cpa", "rn", "pe", "sl", "slu", "sll", "sa", "sau", "sas", "srl", "ag"),
        *("bv", "cv", "corp", "gmbh", "inc", "kg", "llc", "ltd", "nv", "plc", "it", "hr"),
        *("rrhh", "accounting", "administración", "finance", "helpdesk"),
        *("marketing", "sales", "soporte", "support", "ventas"),
    }
)
"""Degrees, forms of companies and departments, without dots: they follow a name."""

_PARTICLES = frozenset(
    {
        *("da", "das", "de", "del", "den", "der", "di", "do", "dos", "du"),
        *("e", "el", "la", "las", "le", "los", "van", "von", "y"),
    }
)
_MOST_FAMILY_NAMES = 2
_INITIALS = re.compile(r"(?:[^\W\d_]\.-?)+|[^\W\d_]")


def first_name(name: str) -> str:
    """Return the first name in `name`, without titles and initials before it; "" for no name.

    Where a comma follows family names, as in "Ibáñez Soler, Carmen", the first name comes after
    that, unless a degree, a company's form or a department does ("Pablo Seco, PhD"). A title or
    an initial alone with a surname ("Dr. Seco") stays whole.
    """
    before, _, after = name.partition(",")
    words = before.split()
    given = _named(after.partition(",")[0].split())
    if given and _are_family_names(words) and not _is_addition(given[0], before):
        return given[0]
    rest = _named(words)
    while len(rest) > 1 and _is_suffix(rest[-1]):
        rest.pop()
    is_surname = len(rest) == 1 and rest[0] != words[0]
    return rest[0] if rest and not is_surname else " ".join(words)


def _named(words: list[str]) -> list[str]:
    """Return `words` without the titles and then the initials that they begin with."""
    rest = [*words]
    while rest and _is_title(rest[0], rest[1:]):
        rest.pop(0)
    while rest and _is_initial(rest[0]):
        rest.pop(0)
    return rest


def _is_title(word: str, following: list[str]) -> bool:
    plain = word.rstrip(".").casefold()
    if plain == "don":  # a first name, too: "Don R. Miller"
        return len(following) > 1 and not _is_initial(following[0])
    return plain in _TITLES or (word.endswith(".") and plain in _ABBREVIATED)


def _is_initial(word: str) -> bool:
    return word[0].isupper() and _INITIALS.fullmatch(word) is not None


def _is_suffix(word: str) -> bool:
    return word.replace(".", "").casefold() in _SUFFIXES or (
        _is_initial(word) and len(word) > 2  # "S.L."; a letter alone may stand for a surname
    )


def _is_addition(word: str, before: str) -> bool:
    """Return whether a word after a comma says something else of whom is named before it."""
    return _is_suffix(word) or (len(word) > 1 and word.isupper() and not before.isupper())


def _are_family_names(words: list[str]) -> bool:
    names = [
        word for word in _named(words) if word.casefold() not in _PARTICLES and not _is_suffix(word)
    ]
    return len(names) <= _MOST_FAMILY_NAMES
