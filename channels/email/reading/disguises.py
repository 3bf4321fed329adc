"""Notices senders that look like somebody else."""

from __future__ import annotations

import re
import unicodedata
from contextlib import suppress

from channels.email.reading.defects import Defects
from channels.email.reading.mail import MailAddress

_ADDRESS = re.compile(r"[\w.+-]{1,64}@([\w-]{1,63}(?:\.[\w-]{1,63}){1,8})")
_TOGETHER = (  # scripts that are written together
    {"HIRAGANA", "KATAKANA", "CJK", "LATIN"},
    {"HANGUL", "CJK", "LATIN"},
    {"BOPOMOFO", "CJK", "LATIN"},
)
# Letters of other scripts that look Latin: a whole label of them passes for a Latin one.
_LOOKS_LATIN = frozenset("аеорсухіјѕһԁԛԝɡɩοανκρτυωбьꞵ")


def note_disguises(author: MailAddress | None, defects: Defects) -> None:
    """Note in `defects` what about the author's name and domain is made to mislead."""
    if author is None:
        return
    domain = author.address.rpartition("@")[2]
    for label in readable_domain(domain).split("."):
        scripts = _scripts(label)
        if len(scripts) > 1 and not any(scripts <= group for group in _TOGETHER):
            defects.note("sender's domain mixes scripts")
        elif (
            scripts
            and "LATIN" not in scripts
            and all(char in _LOOKS_LATIN for char in label if char.isalpha())
        ):
            defects.note("sender's domain looks like a Latin one")
    named = _ADDRESS.search(author.name)
    if named is not None and named.group(1).lower() != domain.lower():
        defects.note("sender's name is another address")
    if any(
        unicodedata.category(char) in {"Cf", "Co"} and char not in "\u200d\u200c"
        for char in author.name
    ):
        defects.note("sender's name has invisible characters")


def readable_domain(domain: str) -> str:
    """Return a domain with its `xn--` labels decoded; those that cannot be stay as they are."""
    labels = []
    for label in domain.split("."):
        if label.startswith("xn--") and len(label) < 64:
            with suppress(UnicodeError, ValueError):
                label = label[4:].encode("ascii").decode("punycode")
        labels.append(label)
    return ".".join(labels)


def _scripts(label: str) -> set[str]:
    return {
        unicodedata.name(char, "UNKNOWN").split(" ")[0].split("-")[0]
        for char in label
        if char.isalpha()
    }
