"""Makes text storable and safe to show: what a database, a header or a terminal would choke on."""

from __future__ import annotations

import re

from core.domain.content import UNSTORABLE

_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\x80-\x84\x86-\x9f\ufffe\uffff]")
_LINE_BREAKS = re.compile(r"\r\n|\r|\u2028|\u2029|\x85|\x0c|\x0b")
_SPACES = re.compile(r"[\s\x00-\x1f\x7f-\x9f]+")


def storable(text: str) -> str:
    """Return `text` with line feeds for all line breaks and without controls and surrogates."""
    return UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", _CONTROLS.sub("", unix_lines(text)))


def unix_lines(text: str) -> str:
    """Return `text` with line feeds for all kinds of line breaks."""
    return _LINE_BREAKS.sub("\n", text)


def single_line(text: str) -> str:
    """Return `text` on one line, with single spaces and without controls and surrogates."""
    return UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", _SPACES.sub(" ", text)).strip()
