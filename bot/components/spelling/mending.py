"""Knows what people meant to type: reads slips of the pen as the words they stand for.

A word is read as another where that is likelier: as likely as the other word is where it stands,
times how likely the slip is (a noisy channel). How likely a word is follows from how often people
use it in the language of the words around it, how often the examples have it, and whether the
examples have it beside its neighbours. All are logarithms to the base of ten.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from operator import mul
from typing import Any

from components.folding import plain
from components.spelling.known import accented, known_words
from components.spelling.languages import languages_of
from components.spelling.slips import LIKELIEST, TWO_SLIPS, distance, meant_by

_WORD = re.compile(r"[^\W_]+(?:['\u2019][^\W_]+)*")
# A part of an address, a path or a code is no word.
_APART = re.compile(r"(?<![\w'\u2019@/\\.#-])[^\W\d_]{3,24}(?![\w'\u2019@/\\-]|\.\w)")
_BEGINS = re.compile(r"[.!?:;\n\u00bf\u00a1\"\u201c\u00ab(]")  # between words: a sentence begins
_MOST_CHARS = 2_000  # of a text that are mended: what it is about stands at its beginning
_SLIP = -3.0  # that a word has a slip, and of all slips this one
_JOINED = -3.0  # that two words are run together, or one is torn apart
_SHORT, _OF_SHORT = 3, 0.5  # in short words a slip makes another word more often
_LONG = 8  # letters of a word that may have two slips
_OF_EXAMPLES = 0.3  # how far the examples, rather than the world, say what is written here
_BESIDE = 0.7  # for each neighbour that the examples have beside it
_UNKNOWN = 1e-11  # of any one word that nobody knows
_NAME = 1e-8  # of any one that is written as names are
_NAMES_FIRST = 0.01  # how many words that begin a sentence are names that nobody knows
_LETTERS = 27.0  # of one length there are so many times more such names than of one less
_ABBREVIATION = 5  # letters, at most
_LIKELY = -2.6  # a word that is so likely where it stands is looked at no further
_OTHER_LANGUAGE = 0.015  # of a word of the examples, what counts of it in another language
_EDGE = ""  # stands beside the first and last word


@dataclass(frozen=True)
class Change:
    """The characters from `start` to `end` of a text are read as `text`."""

    start: int
    end: int
    text: str


def applied(text: str, changes: Iterable[Change]) -> str:
    """Return `text` with `changes`, which are in order."""
    parts, at = [], 0
    for change in changes:
        parts += [text[at : change.start], change.text]
        at = change.end
    return "".join([*parts, text[at:]])


def typed_at(place: int, changes: Iterable[Change]) -> tuple[int, int]:
    """Return from where to where that was typed which a text with `changes` has at `place`."""
    longer = 0  # by how much the changed text is, so far
    for change in changes:
        start = change.start + longer
        if place < start:
            break
        if place < start + len(change.text):
            return change.start, change.end
        longer += len(change.text) - (change.end - change.start)
    return place - longer, place - longer + 1


@dataclass(frozen=True)
class Examples:
    """What examples tell of words: how often each is there, which stand side by side, how they
    are written; all folded."""

    counts: Mapping[str, int]
    pairs: frozenset[tuple[str, str]]
    written: Mapping[str, str]

    @classmethod
    def of(cls, texts: Iterable[str]) -> Examples:
        counts: Counter[str] = Counter()
        spellings: Counter[tuple[str, str]] = Counter()
        pairs: set[tuple[str, str]] = set()
        for text in texts:
            words = [found[0] for found in _WORD.finditer(text)]
            folded = [plain(word) for word in words]
            counts.update(folded)
            spellings.update(zip(folded, (word.lower() for word in words), strict=True))
            pairs.update(zip([_EDGE, *folded], [*folded, _EDGE], strict=True))
        written = {folded: word for (folded, word), _ in reversed(spellings.most_common())}
        unlike = {one: word for one, word in written.items() if one != word}
        return cls(counts, frozenset(pairs), unlike)

    def as_json(self) -> dict[str, Any]:
        return {
            "counts": self.counts,
            "pairs": sorted(self.pairs),
            "written": self.written,
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Examples:
        """Return what `as_json` gave."""
        pairs = frozenset((first, second) for first, second in stored["pairs"])
        return cls(stored["counts"], pairs, stored["written"])


@dataclass(frozen=True)
class _Line:
    """A text, and of each of its words where it stands, the word folded, whether it has letters
    alone, whether it may be read as another, and whether it is written as names are, or may be a
    name, as a sentence begins with it."""

    text: str
    spans: Sequence[tuple[int, int]]
    words: Sequence[str]
    is_word: Sequence[bool]
    may_change: Sequence[bool]
    is_name: Sequence[bool]
    may_be_name: Sequence[bool]

    @classmethod
    def of(cls, text: str) -> _Line:
        spans = [found.span() for found in _WORD.finditer(text, 0, _MOST_CHARS)]
        if len(text) > _MOST_CHARS:
            del spans[-1:]  # it may be cut
        apart = {found.span() for found in _APART.finditer(text, 0, _MOST_CHARS)}
        words = [plain(text[start:end]) for start, end in spans]
        is_word = [word.isascii() and word.isalpha() for word in words]
        may_change = [is_one and span in apart for is_one, span in zip(is_word, spans, strict=True)]
        return cls(text, spans, words, is_word, may_change, *_names(text, spans))

    def goes_on(self, place: int) -> bool:
        """Return whether only a space is between the word at `place` and another one."""
        if place + 1 >= len(self.words) or not self.is_word[place + 1]:
            return False
        return self.text[self.spans[place][1] : self.spans[place + 1][0]] == " "


def _names(text: str, spans: Sequence[tuple[int, int]]) -> tuple[list[bool], list[bool]]:
    """Return of which words capitals tell that they are names or abbreviations, and which may be
    names.

    They tell little where a sentence begins, and nothing in a text that has them everywhere.
    """
    written = [text[start:end] for start, end in spans]
    befores = [
        text[end:start] for (_, end), (start, _) in zip([(0, 0), *spans], spans, strict=False)
    ]
    inside = [
        at > 0 and not _BEGINS.search(before) and word[:1].isupper()
        for at, (word, before) in enumerate(zip(written, befores, strict=True))
    ]
    long = [at for at, word in enumerate(written) if at > 0 and len(word) > _SHORT]
    if sum(inside[at] for at in long) * 2 > len(long) > 2 or text.isupper():
        return [False] * len(written), [False] * len(written)
    names = [
        one or (word.isupper() and 1 < len(word) <= _ABBREVIATION)
        for one, word in zip(inside, written, strict=True)
    ]
    return names, [word[:1].isupper() for word in written]


@dataclass(frozen=True)
class _Beside:
    """What is around a word: the words before and after it, how far each language is theirs, and
    how likely any one word is here that nobody knows."""

    before: str
    after: str
    languages: Sequence[float]
    unknown: float = _UNKNOWN


class Mender:
    """Reads texts in some languages with their slips mended; best those like its examples."""

    def __init__(self, examples: Examples, languages: Sequence[str]) -> None:
        self._examples = examples
        self._total = max(1, sum(examples.counts.values()))
        self._known = known_words(tuple(languages))
        self._languages = languages_of(tuple(languages))
        self._accented = [accented(language) for language in languages]
        self._long: dict[str, list[str]] = {}
        for word in examples.counts:
            if len(word) >= _LONG - 1:
                self._long.setdefault(word[0], []).append(word)
        self._near = lru_cache(maxsize=10_000)(self._near_words)

    def mended(self, text: str) -> str:
        """Return `text` with what is misspelt as it was meant."""
        return applied(text, self.changes(text))

    def changes(self, text: str) -> list[Change]:
        """Return what is misspelt in `text`, in order."""
        line = _Line.of(text)
        words = " ".join(line.words)
        if self._is_foreign(line.words) or self._languages.is_another(words):
            return []
        is_doubtful = self._languages.is_one_word_of_another(words)
        return list(self._changes(line, dearest=LIKELIEST if is_doubtful else math.inf))

    def _changes(self, line: _Line, *, dearest: float) -> Iterator[Change]:
        """Yield what is misspelt in `line`, by slips no less likely than `dearest`."""
        told = [self._languages.told(word) for word in line.words]
        every = [sum(one) for one in zip(*told, strict=True)]
        read = [_EDGE, *line.words, _EDGE]  # those before the one that is looked at as meant
        torn = False
        for place, word in enumerate(line.words):
            if torn or not line.is_word[place]:
                torn = False
                continue
            start, end = line.spans[place]
            shares = self._languages.shares(
                [a - b for a, b in zip(every, told[place], strict=True)]
            )
            unknown = _UNKNOWN
            if line.is_name[place]:
                unknown = _NAME
            elif line.may_be_name[place]:
                unknown = min(_NAME, max(_UNKNOWN, _NAMES_FIRST * _LETTERS ** -len(word)))
            beside = _Beside(read[place], read[place + 2], shares, unknown)
            meant = word
            if line.goes_on(place) and self._is_torn(word, read[place + 2 : place + 4], beside):
                torn, end = True, line.spans[place + 1][1]
                meant = word + line.words[place + 1]
                read[place + 2] = meant
            elif line.may_change[place]:
                meant = self._meant(word, beside, dearest)
            if meant != word:
                read[place + 1] = meant.rpartition(" ")[2]
                yield Change(start, end, self._as_written(meant, line.text[start:end], shares))

    def _meant(self, word: str, beside: _Beside, dearest: float) -> str:
        as_it_is = self._chance(word, beside)
        if as_it_is > _LIKELY:
            return word
        likelier = [
            (self._chance(one, beside) + _SLIP - cost, one)
            for one, cost in self._near(word)
            if cost <= dearest
        ]
        if not self._is_known(word):
            likelier += self._apart(word, beside)
        chance, meant = max(likelier, default=(as_it_is, word))
        # What is no likelier than all else together ("fibe": fire, file, five, fine?) stays.
        if 2 * 10**chance <= 10**as_it_is + sum(10**one for one, _ in likelier):
            return word
        return meant

    def _chance(self, word: str, beside: _Beside) -> float:
        pairs = self._examples.pairs
        seen = ((beside.before, word) in pairs) + ((word, beside.after) in pairs)
        return math.log10(self._share(word, beside)) + _BESIDE * seen

    def _apart(self, word: str, beside: _Beside) -> list[tuple[float, str]]:
        """Return two words that `word` may be, run together, of those that examples have so."""
        return [
            (
                self._chance(first, _Beside(beside.before, second, beside.languages))
                + self._chance(second, _Beside(first, beside.after, beside.languages))
                + _JOINED,
                f"{first} {second}",
            )
            for first, second in ((word[:at], word[at:]) for at in range(2, len(word) - 1))
            if (first, second) in self._examples.pairs
        ]

    def _is_torn(self, word: str, follow: Sequence[str], beside: _Beside) -> bool:
        """Return whether `word` and the one that follows are rather one word of the examples."""
        second, after = follow
        whole = word + second
        if whole not in self._examples.counts or (word, second) in self._examples.pairs:
            return False
        both = self._chance(word, beside) + self._chance(
            second, _Beside(word, after, beside.languages)
        )
        as_one = self._chance(whole, _Beside(beside.before, after, beside.languages))
        return as_one + _JOINED > both

    def _share(self, word: str, beside: _Beside) -> float:
        """Return how much of what people write here is `word`."""
        uses = self._languages.uses(word)
        shared: list[float] = list(map(mul, uses, beside.languages))
        here = sum(shared)
        of_examples = self._examples.counts.get(word, 0) / self._total
        if of_examples:
            spoken = len(self._accented)
            total = sum(uses[:spoken])
            own = sum(shared[:spoken])
            fits = own / total if total else sum(beside.languages[:spoken]) / spoken
            of_examples *= max(fits, _OTHER_LANGUAGE)
        return (1 - _OF_EXAMPLES) * here + _OF_EXAMPLES * of_examples + beside.unknown

    def _near_words(self, word: str) -> tuple[tuple[str, float], ...]:
        """Return the words that `word` may be a slip of, with how unlikely the slip is."""
        if any(self._is_known(word[:at] + "'" + word[at:]) for at in range(1, len(word))):
            return ()  # "cant", "dont"
        short = _OF_SHORT if len(word) <= _SHORT else 0.0
        counts, known = self._examples.counts, self._known
        near = {
            one: cost + short
            for one, cost in meant_by(word).items()
            if (one in known or one in counts) and len(one) >= _SHORT < max(len(one), len(word))
        }
        if len(word) >= _LONG and not self._is_known(word):
            for one in self._long.get(word[0], ()):
                if one not in near and distance(word, one, 2) == 2:
                    near[one] = TWO_SLIPS
        return tuple(near.items())

    def _is_known(self, word: str) -> bool:
        return word in self._examples.counts or word in self._known

    def _is_foreign(self, words: Sequence[str]) -> bool:
        """Return whether `words` are rather those of a language that nobody speaks here."""
        unknown = sum(not self._is_known(word) for word in words if word.isalpha())
        return unknown >= 4 and unknown * 2 > len(words)

    def _as_written(self, meant: str, instead_of: str, languages: Sequence[float]) -> str:
        """Return `meant` with its accents, in capitals where what it stands for has them."""
        first = self._languages.uses(meant.partition(" ")[0])
        uses = list(map(mul, first, languages))[: len(self._accented)]
        accents = self._accented[uses.index(max(uses))]
        written = " ".join(
            self._examples.written.get(one, accents.get(one, one)) for one in meant.split()
        )
        if instead_of.isupper():
            return written.upper()
        return written.capitalize() if instead_of[0].isupper() else written
