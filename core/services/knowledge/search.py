"""Search: from a question to the articles that may answer it, and to what follows."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.errors import EmbedderUnavailable
from core.domain.ids import ArticleId, OrganisationId
from core.domain.knowledge import Finding, Hit, Synonyms
from core.ports import Embedder, SecondEncoder
from core.services.knowledge.offering import offer_from
from core.services.knowledge.plaintext import folded
from core.services.knowledge.ranking import Evidence, Policy, model, strength, worth
from core.services.knowledge.reading import Reading, read
from core.services.knowledge.spelling import forms, meant, words_of
from core.storage.engine import Sessions, storage_errors
from core.storage.queries.knowledge import knowledge as queries
from core.storage.queries.knowledge import near_words, own_questions
from core.storage.queries.knowledge.knowledge import (
    Candidate,
    Reader,
    SecondVector,
    WordMatch,
)
from core.storage.queries.knowledge.synonyms import synonyms_for
from core.storage.queries.knowledge.tolerance import tolerance_set
from core.storage.text_search import configuration_of

MAX_QUESTION_CHARS = 500
_BY_WORDS = 30  # articles
_BY_VECTORS = 100  # passages
_COUNTS_LIVE_SECONDS = 1.0
_SYNONYMS_LIVE_SECONDS = 1.0
_TOLERANCE_LIVE_SECONDS = 1.0
_MOST_REMEMBERED = 1000  # organisations whose synonyms are kept
_ANYBODY = Reader()


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A question made ready to be looked up."""

    language: str | None
    reading: Reading
    vector: Sequence[float] | None  # None without an embedder, or while it is away
    second: SecondVector | None  # None too where it does not know the language
    is_whole: bool  # every encoder that there is for it has read it


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Candidates with what speaks for them, in no order; twins are one candidate."""

    candidates: tuple[tuple[Candidate, Evidence], ...]
    words: int  # in the question
    with_vectors: bool
    with_second: bool = False  # and with those of the second encoder


class Search:
    """Looks for articles, by one statement for words and one for vectors."""

    def __init__(
        self,
        sessions: Sessions,
        embedder: Embedder | None,
        policy: Policy,
        clock: Callable[[], float] = time.monotonic,
        *,
        second: SecondEncoder | None = None,
    ) -> None:
        """`policy` counts where no admin has set another."""
        self._second = second
        self._sessions, self._embedder, self._clock = sessions, embedder, clock
        self._policy = self._installed = policy
        self._counts: Mapping[str, int] = {}
        self._counts_until = 0.0
        self._offers_from: Mapping[str, float] = {}
        self._policy_until = 0.0
        self._synonyms: dict[OrganisationId | None, tuple[float, Sequence[Synonyms]]] = {}

    def forget_counts(self) -> None:
        """Read anew at the next search what holds for the whole base.

        That is how many articles there are, which only says how rare a word is, and from how much
        on they are offered.
        """
        self._counts_until = 0.0

    async def find(
        self,
        question: str,
        language: str | None,
        *,
        limit: int,
        reader: Reader,
        exclude: Collection[ArticleId],
    ) -> Finding:
        """Return what `question` finds, best first, and what to do with it."""
        found = await self.gather(question, language, reader=reader, exclude=exclude)
        hits = ranked(found)
        outcome = self._policy.outcome(
            hits,
            with_vectors=found.with_vectors,
            offer_from=offer_from(self._offers_from, language) if found.with_vectors else None,
        )
        return Finding(outcome=outcome, hits=hits[:limit])

    async def gather(
        self,
        question: str,
        language: str | None,
        *,
        reader: Reader = _ANYBODY,
        exclude: Collection[ArticleId] = (),
    ) -> Found:
        """Return what may answer `question`, with the evidence, before any judgement."""
        asked = await self.ask(question, language, reader.organisation)
        if asked is None:
            return Found(candidates=(), words=0, with_vectors=False)
        async with storage_errors(), self._sessions() as session:
            return await self.look_up(session, asked, reader=reader, exclude=exclude)

    async def ask(
        self, question: str, language: str | None, organisation: OrganisationId | None = None
    ) -> Asked | None:
        """Return `question` ready to be looked up; None where it has no letter and no digit."""
        asked = " ".join(folded(question[:MAX_QUESTION_CHARS]).split())
        if not any(char.isalnum() for char in asked):
            return None
        reading = await self._read(asked, language, organisation)
        as_typed = " ".join(question[:MAX_QUESTION_CHARS].split())
        reads = (
            self._second is not None
            and language in self._second.languages
            and not self._second.is_missing
        )
        vector, second = await asyncio.gather(
            _vector(self._embedder, as_typed, reading),
            _vector(self._second if reads else None, as_typed, reading),
        )
        return Asked(
            language=language,
            reading=reading,
            vector=vector,
            second=None
            if self._second is None or second is None
            else SecondVector(
                vector=second, model=self._second.model, languages=self._second.languages
            ),
            is_whole=vector is not None and (second is not None or not reads),
        )

    async def look_up(
        self,
        session: AsyncSession,
        asked: Asked,
        *,
        reader: Reader = _ANYBODY,
        exclude: Collection[ArticleId] = (),
    ) -> Found:
        """Return what the base has for `asked` as `session` sees it; embeds nothing."""
        await queries.prepare_search(session, thoroughness=_BY_VECTORS)
        by_words = await queries.by_words(
            session,
            asked.reading.sure,
            await self._article_counts(session),
            guesses=asked.reading.guesses,
            limit=_BY_WORDS,
        )
        said = [match.article for match in by_words]
        if asked.vector is not None and self._embedder is not None:
            candidates = await queries.by_vectors(
                session,
                asked.vector,
                self._embedder.model,
                also=said,
                language=asked.language,
                reader=reader,
                exclude=exclude,
                limit=_BY_VECTORS,
                second=asked.second,
            )
        else:
            candidates = await queries.visible(
                session, said, language=asked.language, reader=reader, exclude=exclude
            )
        with_second = _is_read(candidates.values(), asked.second)
        merged = _merged(candidates, by_words, asked.language, with_second=with_second)
        return Found(
            candidates=merged,
            words=asked.reading.words,
            with_vectors=any(one.nearness for one in candidates.values()),
            with_second=with_second,
        )

    async def _read(
        self, asked: str, language: str | None, organisation: OrganisationId | None
    ) -> Reading:
        """Look up what the words of a folded question may mean besides what they say."""
        words = words_of(asked)
        async with storage_errors(), self._sessions() as session:
            synonyms = await self._synonyms_for(session, organisation)
            await self._know_policy(session)
            known_in = list(await self._article_counts(session))
            own = configuration_of(language) if language is not None else None
            near = await near_words.near(
                session,
                {word: forms(word) for word in words},
                configurations=[own] if own in known_in else known_in,
                known_in=known_in,
            )
        spelt = {word: meant(word, candidates) for word, candidates in near.items()}
        return read(
            asked, {word: guess for word, guess in spelt.items() if guess is not None}, synonyms
        )

    async def _synonyms_for(
        self, session: AsyncSession, organisation: OrganisationId | None
    ) -> Sequence[Synonyms]:
        until, known = self._synonyms.get(organisation, (0.0, ()))
        if self._clock() >= until:
            known = await synonyms_for(session, organisation)
            if len(self._synonyms) >= _MOST_REMEMBERED:
                self._synonyms.clear()
            self._synonyms[organisation] = (self._clock() + _SYNONYMS_LIVE_SECONDS, known)
        return known

    async def _know_policy(self, session: AsyncSession) -> None:
        if self._clock() >= self._policy_until:
            set_to, _ = await tolerance_set(session)
            self._policy = (
                self._installed if set_to is None else Policy(wrong_answers_per_hundred=set_to)
            )
            self._policy_until = self._clock() + _TOLERANCE_LIVE_SECONDS

    async def _article_counts(self, session: AsyncSession) -> Mapping[str, int]:
        if self._clock() >= self._counts_until:
            self._counts = await queries.article_counts(session)
            self._offers_from = await own_questions.offers_from(session)
            self._counts_until = self._clock() + _COUNTS_LIVE_SECONDS
        return self._counts


async def _vector(
    embedder: Embedder | None, question: str, reading: Reading
) -> Sequence[float] | None:
    """Return the question's vector; with guesses, between it as typed and as meant."""
    if embedder is None:
        return None
    try:
        typed = await embedder.embed_query(question)
        if reading.as_meant is None:
            return typed
        as_meant = await embedder.embed_query(reading.as_meant)
    except EmbedderUnavailable:  # the embedder has logged it
        return None
    middle = [one + 2 * other for one, other in zip(typed, as_meant, strict=True)]
    length = math.hypot(*middle) or 1.0
    return [number / length for number in middle]


def ranked(found: Found) -> tuple[Hit, ...]:
    """Return what was found, best first, with how likely each is to be the answer.

    The likeliest is best, save that an article in the asker's language comes before one in another
    that is hardly likelier: they would rather read it.
    """
    fitted = model(with_vectors=found.with_vectors, with_second=found.with_second)
    chances = fitted.probabilities(
        [evidence for _, evidence in found.candidates], words=found.words
    )
    pairs = sorted(
        zip(chances, found.candidates, strict=True),
        key=lambda pair: (-worth(pair[0], pair[1][1]), pair[1][0].article),
    )
    return tuple(
        Hit(article=ArticleId(candidate.article), title=candidate.title, score=chance)
        for chance, (candidate, _) in pairs
    )


def _is_read(candidates: Collection[Candidate], second: SecondVector | None) -> bool:
    """Say whether the second encoder has read the question and all that it can of `candidates`.

    What it makes of some of them cannot be judged as what it makes of all.
    """
    if second is None:
        return False
    read = [
        one.nearness.second is not None
        for one in candidates
        if one.nearness is not None
        and one.nearness.centre is not None
        and one.language in second.languages
    ]
    return bool(read) and all(read)


def _merged(
    candidates: Mapping[str, Candidate],
    by_words: Sequence[WordMatch],
    language: str | None,
    *,
    with_second: bool = False,
) -> tuple[tuple[Candidate, Evidence], ...]:
    """Bring both kinds of match together; of translations keep the one to show."""
    words = {match.article: match for match in by_words}
    near = [one.nearness for one in candidates.values() if one.nearness]
    highest = max((one.passage for one in near), default=None)

    families: dict[str, list[Candidate]] = {}
    for candidate in candidates.values():
        families.setdefault(candidate.translation_of or candidate.article, []).append(candidate)

    def evidence(candidate: Candidate) -> Evidence:
        said = words.get(candidate.article)
        own = candidate.nearness
        # An article just written has no vectors yet: then let its words decide.
        nearest = own.passage if own else highest
        return Evidence(
            words=said.score if said else 0.0,
            coverage=said.coverage if said else 0.0,
            cosine=nearest,
            cosine_centre=own.centre if own and own.centre is not None else nearest,
            is_same_language=language is None or candidate.language == language,
            has_questions=own is not None and own.has_questions,
            second=own.second if own is not None and with_second else None,
            second_centre=own.second_centre if own is not None and with_second else None,
        )

    return tuple(
        _one_of([(candidate, evidence(candidate)) for candidate in family])
        for family in families.values()
    )


def _one_of(versions: Sequence[tuple[Candidate, Evidence]]) -> tuple[Candidate, Evidence]:
    """Return of an article and its translations which to show, and what speaks for it.

    That is what speaks for the best of them, whichever is shown: they say the same, and a question
    may be asked in words that only one of them has.
    """
    shown = max(
        versions,
        key=lambda version: (
            version[1].is_same_language,
            version[1].cosine or 0.0,
            version[1].words,
        ),
    )
    candidate, own = shown
    best = max((evidence for _, evidence in versions), key=strength)
    return candidate, replace(best, is_same_language=own.is_same_language)
