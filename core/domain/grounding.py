"""Whether a composed answer says only what its passages say.

A check by rules, so that it gives the same verdict each time and its reasons can be read: every
paragraph names its passages; numbers, addresses and code stand in them letter by letter; nearly all
telling words of each sentence are theirs; and a sentence denies what the nearest of theirs denies.
It turns down good answers in other words rather than let through one that adds something: the
passage itself is then shown.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from core.domain.ids import ArticleId

MOST_CHARS = 3000
"""Of a composed answer; a longer one is no help in a chat."""

_LEAST_COVERED = 0.75  # of the telling words of a sentence
_STEM_CHARS = 5  # words that begin alike are taken for forms of one word
_LEAST_WORD_CHARS = 4

_CITATION = re.compile(r"\[(\d{1,2}(?:\s*,\s*\d{1,2})*)\](?!\()")
_PARAGRAPHS = re.compile(r"\n\s*\n")
_SENTENCES = re.compile(r"(?<=[.!?…])\s+|\n+")
_WORDS = re.compile(r"[^\W\d_]+")
_NUMBERS = re.compile(r"\d+(?:[.,:]\d+)*")
_ADDRESSES = re.compile(
    r"(?:https?://|www\.)[^\s)>\]]+|[\w.+-]+@[\w-]+(?:\.[\w-]+)+", re.IGNORECASE
)
_LINKS = re.compile(r"\]\(\s*<?([^\s)>]*)")
_CODE = re.compile(r"`+([^`\n]+)`+")
_MARKUP = re.compile(r"<[a-z/!][^>]*>|!\[", re.IGNORECASE)
_LIST_NUMBER = re.compile(r"^\s*\d{1,2}[.)]\s", re.MULTILINE)
_TRAILING = ".,;:!?"

_NEGATIONS = frozenset(
    """
    not no never none cannot without nor neither nunca jamas sin ni ningun ninguna ninguno
    tampoco nada
    """.split()  # noqa: SIM905
)
_NEGATED = re.compile(r"n['’]t\b", re.IGNORECASE)  # noqa: RUF001
_COMMON = frozenset(
    """
    about after again also because been before being both could does doing each following from
    have here into just like make more most much must need once only other over please same
    should some such than that their them then there these they this those through under until
    very want well were what when where which while will with would your yours ademas ahora algo
    antes aqui cada como cuando debe debera desde despues donde durante ella ellos entonces
    entre esta estas este esto estos hacia hasta luego mientras mismo mucho para pero porque
    puede pueda puedes quien segun sera sobre solo suyo tambien tiene tienes todo todos unas
    unos usted ustedes vuelva
    """.split()  # noqa: SIM905
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """What an answer may be composed from."""

    article: ArticleId
    title: str
    text: str  # Markdown


def cited(answer: str) -> list[int]:
    """Return the numbers of the passages that `answer` names, each once, in order of their first
    appearance."""
    numbers = (
        int(number) for group in _CITATION.findall(answer) for number in re.split(r"\s*,\s*", group)
    )
    return list(dict.fromkeys(numbers))


def faults(answer: str, passages: Sequence[Passage]) -> list[str]:
    """Return why `answer` may say more than `passages` do; empty where it is grounded in them."""
    if not answer.strip():
        return ["it is empty"]
    if len(answer) > MOST_CHARS:
        return [f"it is longer than {MOST_CHARS} characters"]
    found = ["it holds markup"] if _MARKUP.search(answer) else []
    if answer.count("```") % 2:
        found.append("a block of code does not end")
    if not cited(answer):
        found.append("it names no passage")
    for paragraph in _PARAGRAPHS.split(answer.strip()):
        found += _faults_of(paragraph, passages)
    return found


def _faults_of(paragraph: str, passages: Sequence[Passage]) -> list[str]:
    numbers = cited(paragraph)
    unknown = [number for number in numbers if not 1 <= number <= len(passages)]
    if unknown:
        return [f"there is no passage {number}" for number in unknown]
    words = _CITATION.sub("", paragraph)
    if not numbers:
        says_something = any(char.isalnum() for char in words)
        return ["a paragraph names no passage"] if says_something else []
    sources = [passages[number - 1] for number in numbers]
    source = _folded("\n".join(f"{passage.title}\n{passage.text}" for passage in sources))
    sentences = [sentence for sentence in _SENTENCES.split(_folded(words)) if sentence.strip()]
    return [
        *_missing_literals(words, source),
        *_uncovered(sentences, source),
        *_turned_round(sentences, source),
    ]


def _missing_literals(words: str, source: str) -> list[str]:
    """Return the numbers, addresses and code that do not stand in `source`."""
    literals = [address.rstrip(_TRAILING) for address in _ADDRESSES.findall(words)]
    literals += [target for target in _LINKS.findall(words) if target]
    literals += [code.strip() for code in _CODE.findall(words)]
    known = set(_NUMBERS.findall(source))
    numbers = [
        number for number in _NUMBERS.findall(_LIST_NUMBER.sub("", words)) if number not in known
    ]
    missing = [literal for literal in literals if _folded(literal) not in source]
    return [f"{item!r} is not in the passage" for item in dict.fromkeys([*missing, *numbers])]


def _uncovered(sentences: Sequence[str], source: str) -> list[str]:
    known = {_stem(word) for word in _WORDS.findall(source)}
    found = []
    for sentence in sentences:
        telling = _telling(sentence)
        covered = sum(_stem(word) in known for word in telling)
        if covered < _LEAST_COVERED * len(telling):
            found.append(f"{len(telling) - covered} of {len(telling)} words are not the passage's")
    return found


def _turned_round(sentences: Sequence[str], source: str) -> list[str]:
    """Return a fault for each sentence that denies what its nearest one does not, or the reverse.

    Where several are as near, one of the same kind is enough.
    """
    kept = [
        ({_stem(word) for word in _telling(sentence)}, _negates(sentence))
        for sentence in _SENTENCES.split(source)
    ]
    found = []
    for sentence in sentences:
        stems = {_stem(word) for word in _telling(sentence)}
        most = max((len(stems & theirs) for theirs, _ in kept), default=0)
        nearest = {negates for theirs, negates in kept if len(stems & theirs) == most}
        if stems and _negates(sentence) not in nearest:
            found.append("it denies what the passage does not, or the reverse")
    return found


def _telling(sentence: str) -> list[str]:
    return [
        word
        for word in _WORDS.findall(sentence)
        if len(word) >= _LEAST_WORD_CHARS and word not in _COMMON and word not in _NEGATIONS
    ]


def _negates(folded: str) -> bool:
    return bool(_NEGATED.search(folded)) or not _NEGATIONS.isdisjoint(_WORDS.findall(folded))


def _stem(word: str) -> str:
    return word[:_STEM_CHARS]


def _folded(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(char for char in decomposed if not unicodedata.combining(char)).casefold()
