"""What a person is called by, among the words of a name as they or a directory write it."""

from __future__ import annotations

_TITLES = frozenset(
    {
        "d",
        "da",
        "dn",
        "dna",
        "doña",
        "don",
        "dr",
        "dra",
        "eng",
        "fr",
        "herr",
        "frau",
        "ing",
        "lic",
        "licda",
        "mag",
        "miss",
        "mr",
        "mrs",
        "ms",
        "mx",
        "prof",
        "profa",
        "rev",
        "sir",
        "sr",
        "sra",
        "srta",
    }
)


def first_name(name: str) -> str:
    """Return the first name in `name`, without titles before it; "" where there is no name.

    Where a comma stands in it, as in "Ibáñez Soler, Carmen", the first name comes after that. A
    title alone with a surname ("Dr. Seco") stays whole.
    """
    family, comma, given = name.partition(",")
    words = (given if comma and given.strip() else family).split()
    rest = [*words]
    while rest and rest[0].rstrip(".").casefold() in _TITLES:
        rest.pop(0)
    if len(rest) == 1 and len(words) > 1:
        return " ".join(words)
    return rest[0] if rest else " ".join(words)
