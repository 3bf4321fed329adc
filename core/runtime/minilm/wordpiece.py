"""How BERT's uncased vocabulary takes a text apart (WordPiece): longest known pieces first."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path

_MAX_WORD_CHARS = 100  # longer ones are unknown: the published tokeniser's limit
_UNKNOWN, _BEGIN, _END = "[UNK]", "[CLS]", "[SEP]"
_CHINESE = re.compile(
    "([\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0002a6df\U0002a700-\U0002ceaf"
    "\U0002f800-\U0002fa1f])"
)


class WordPieces:
    """Turns text into the numbers of its pieces."""

    def __init__(self, vocabulary: dict[str, int]) -> None:
        self._vocabulary = vocabulary
        self._begin, self._end = vocabulary[_BEGIN], vocabulary[_END]
        self._unknown = vocabulary[_UNKNOWN]

    @classmethod
    def of_file(cls, file: Path) -> WordPieces:
        """Read a `tokenizer.json`."""
        return cls(json.loads(file.read_bytes())["model"]["vocab"])

    def numbers(self, text: str, *, limit: int) -> list[int]:
        """Return the numbers of the pieces of `text`, at most `limit` with those at both ends."""
        found: list[int] = []
        for word in _words(text):
            found += self._pieces(word)
            if len(found) >= limit - 2:
                break
        return [self._begin, *found[: limit - 2], self._end]

    def _pieces(self, word: str) -> list[int]:
        if len(word) > _MAX_WORD_CHARS:
            return [self._unknown]
        pieces: list[int] = []
        begin = 0
        while begin < len(word):
            for end in range(len(word), begin, -1):
                piece = word[begin:end] if begin == 0 else f"##{word[begin:end]}"
                if (number := self._vocabulary.get(piece)) is not None:
                    pieces.append(number)
                    begin = end
                    break
            else:
                return [self._unknown]
        return pieces


def _words(text: str) -> Iterator[str]:
    """Yield words and marks, in lower case and without accents."""
    shown = "".join(" " if _is_space(char) else char for char in text if not _is_unseen(char))
    for word in _CHINESE.sub(r" \1 ", shown).split():
        plain = unicodedata.normalize("NFD", word.lower())
        plain = "".join(char for char in plain if unicodedata.category(char) != "Mn")
        begin = 0
        for place, char in enumerate(plain):
            if _is_mark(char):
                if begin < place:
                    yield plain[begin:place]
                yield char
                begin = place + 1
        if begin < len(plain):
            yield plain[begin:]


def _is_space(char: str) -> bool:
    return char in " \t\n\r" or unicodedata.category(char) == "Zs"


def _is_unseen(char: str) -> bool:
    if char in "\t\n\r":
        return False
    return char in "\0\ufffd" or unicodedata.category(char) in {"Cc", "Cf", "Cs"}


def _is_mark(char: str) -> bool:
    if char.isascii():
        return char.isprintable() and not char.isalnum() and char != " "
    return unicodedata.category(char).startswith("P")
