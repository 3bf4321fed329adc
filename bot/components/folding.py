"""Text as patterns read it: without what people write in many ways."""

from __future__ import annotations

import re
import unicodedata

MAX_CHARS = 20_000
_LATIN = re.compile(r"[a-z]")
_LOOK_ALIKES = str.maketrans(
    "\u0430\u0441\u0435\u043e\u0440\u0445\u0443\u0456\u0458\u0455\u0501\u04bb\u051b\u051d"
    "\u03b1\u03bf\u03b9\u03bd\u03c1\u03c5\u03c7",
    "aceopxyijsdhqwaoivpux",
)
"""Cyrillic and Greek letters that look like Latin ones (Unicode TR 39)."""


def plain(text: str) -> str:
    """Return `text` in lower case, without accents, straight quotes, single spaces.

    Characters that show nothing are left out, and letters of another alphabet in a Latin word are
    read as what they look like: "f\u0456re" is "fire".
    """
    folded = unicodedata.normalize("NFKD", text[:MAX_CHARS].lower().replace("\u2019", "'"))
    letters = "".join(
        c for c in folded if not unicodedata.combining(c) and unicodedata.category(c) != "Cf"
    )
    words = letters.replace("\u00a1", "").replace("\u00bf", "").split()
    if not letters.isascii():
        words = [word.translate(_LOOK_ALIKES) if _LATIN.search(word) else word for word in words]
    return " ".join(words)
