"""What somebody who searches asks for, and how a passage that was found is shown."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

MAX_QUESTION_CHARS = 200
MAX_WORDS = 8
_MAX_NUMBER = 2**63 - 1
_WORD = re.compile(r"\w+")
_BEFORE_CHARS = 50  # what is shown before the first word that was found


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is searched for."""

    words: tuple[str, ...]  # as they were typed
    number: int | None = None  # of a ticket
    address: str | None = None  # of a person, if the question is one word; in lower case

    @property
    def is_empty(self) -> bool:
        """Whether nothing was asked."""
        return not self.words


@dataclass(frozen=True, slots=True)
class Fragment:
    """A piece of a passage."""

    text: str
    is_found: bool


def question_of(typed: str) -> Question:
    """Return what `typed` asks for."""
    words = tuple(dict.fromkeys(typed.replace("\x00", " ")[:MAX_QUESTION_CHARS].split()))
    number = as_number(words[0]) if len(words) == 1 else None
    address = words[0].lower() if len(words) == 1 else None
    return Question(words=words[:MAX_WORDS], number=number, address=address)


def as_number(words: str) -> int | None:
    """Return the ticket number that `words` name, such as "1007" or "#1007"."""
    digits = words.strip().removeprefix("#")
    if not (digits.isascii() and digits.isdigit()) or len(digits) > len(str(_MAX_NUMBER)):
        return None
    number = int(digits)
    return number if number <= _MAX_NUMBER else None


def words_in(text: str) -> set[str]:
    """Return the words of `text` as they are written."""
    return set(_WORD.findall(text))


def passage(
    text: str, is_found: Callable[[str], bool], *, max_chars: int = 180
) -> Sequence[Fragment]:
    """Return the part of `text` where most different words that were found stand together."""
    line = " ".join(text.split())
    found = [match for match in _WORD.finditer(line) if is_found(match[0])]
    start = _best_start([(match.start(), match[0].lower()) for match in found], max_chars)
    start = 0 if start <= _BEFORE_CHARS else line.rfind(" ", 0, start - _BEFORE_CHARS) + 1
    end = len(line)
    if end - start > max_chars:
        end = max(line.rfind(" ", start, start + max_chars), start + max_chars // 2)
    pieces: list[Fragment] = [] if start == 0 else [Fragment("… ", is_found=False)]
    at = start
    for match in found:
        if match.start() < at or match.end() > end:
            continue
        if match.start() > at:
            pieces.append(Fragment(line[at : match.start()], is_found=False))
        pieces.append(Fragment(match[0], is_found=True))
        at = match.end()
    if at < end:
        pieces.append(Fragment(line[at:end], is_found=False))
    if end < len(line):
        pieces.append(Fragment(" …", is_found=False))
    return pieces


def _best_start(found: Sequence[tuple[int, str]], max_chars: int) -> int:
    """Return where a window begins that has as many different words as can be."""
    best, most = 0, 0
    for at, (start, _) in enumerate(found):
        within = {word for place, word in found[at : at + 50] if place < start + max_chars // 2}
        if len(within) > most:
            best, most = start, len(within)
    return best
