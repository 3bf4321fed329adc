"""Searches: takes a question apart, forgives slips, ranks what is found and reads what is shown."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.errors import InvalidInput, NotFound
from core.domain.ids import ConversationId, MessageId, TicketId
from core.domain.search import Question, words_in
from core.services.knowledge.plaintext import folded
from core.services.knowledge.spelling import slip
from core.services.search.two_slips import FEWEST_LETTERS, SLIPS, meant_twice_slipped
from core.storage.queries.access.sight import Sight
from core.storage.queries.conversations.conversations import ConversationView, conversations_named
from core.storage.queries.conversations.transcripts import Words, words_of_messages
from core.storage.queries.requester_records.requesters import RequesterView, requesters_named
from core.storage.queries.search.search import HALF_LIFE, LEAST_RANK, Hit, hits, people_found
from core.storage.queries.search.terms import (
    Term,
    any_of,
    begun_words,
    known_words,
    matched_words,
    near_words,
    read_terms,
    words_like,
)
from core.storage.queries.tickets.filter import TicketFilter
from core.storage.queries.tickets.tickets import TicketView, list_tickets, ticket_named

_EPOCH = datetime.fromisoformat("2020-01-01T00:00:00+00:00")

_RARE = 3  # a word seen less often may be a slip itself
_MUCH_MORE_USUAL = 10  # times as often seen: then it is what was meant
_LOOKED_UP = 250  # places that fit; several may be of one ticket
_MOST_MEANT = 4
_MOST_BEGUN = 12
_FEWEST_BEGUN_LETTERS = 3
_MOST_SLIP = 1.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A ticket, or a conversation without one, with the message in which words were found."""

    ticket: TicketView | None
    conversation: ConversationView | None  # where there is no ticket
    said: Words | None
    score: float
    is_exact: bool = False  # the ticket of the number that was asked for

    @property
    def at(self) -> datetime:
        """When it was begun."""
        if self.ticket is not None:
            return self.ticket.created_at
        assert self.conversation is not None
        return self.conversation.created_at


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """One page of what was found."""

    found: Sequence[Found]
    people: Sequence[RequesterView]
    next: str | None  # where the next page begins
    instead: Mapping[str, Sequence[str]]  # what else was looked for, by the word that was typed
    matched: frozenset[str]  # words of what is shown, as they are written, that were found
    is_too_common: bool = False  # none of the words tells one text from another


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a page ended: the score of the last thing on it, and what that was."""

    score: float
    key: str

    def __str__(self) -> str:
        return f"{self.score:.6f}~{self.key}"

    @classmethod
    def parse(cls, words: str) -> _Place:
        score, _, key = words.partition("~")
        try:
            place = cls(float(score), key)
        except ValueError:
            raise InvalidInput("the cursor is not one that a list gave") from None
        if not math.isfinite(place.score):
            raise InvalidInput("the cursor is not one that a list gave")
        return place


async def find(
    session: AsyncSession,
    question: Question,
    sight: Sight | None,
    *,
    cursor: str | None = None,
    limit: int = 20,
    most_people: int = 5,
) -> Findings:
    """Return what `question` finds, best first: the ticket of that number before all else.

    People come with the first page.

    Raises:
        InvalidInput: `cursor` is not one that this returned.
    """
    place = None if cursor is None else _Place.parse(cursor)
    terms, instead = await terms_of(session, question)
    ranked = _ranked(await hits(session, terms, sight, most=_LOOKED_UP)) if terms else []
    if place is not None:
        ranked = [one for one in ranked if (-one.score, one.key) > (-place.score, place.key)]
    shown = ranked[:limit]
    found = await _read(session, shown, sight)
    people: Sequence[RequesterView] = ()
    if place is None:
        exact = await _numbered(session, question, sight)
        if exact is not None:
            found = [exact, *(one for one in found if _id(one) != _id(exact))]
        if not question.is_empty and most_people:
            ids = await people_found(session, terms, question.address, most_people)
            people = await requesters_named(session, ids)
    matched = await _matched(session, found, people, terms)
    return Findings(
        found=found,
        people=people,
        next=str(_Place(shown[-1].score, shown[-1].key)) if len(ranked) > limit else None,
        instead=_seen(instead, matched),
        matched=matched,
        is_too_common=bool(terms) and not any(term.query for term in terms),
    )


async def tickets_with(
    session: AsyncSession, question: Question, wanted: TicketFilter
) -> Collection[TicketId]:
    """Return the tickets that `question` finds among `wanted`, the latest hundreds of them."""
    sight = wanted.sight
    exact = await _numbered(session, question, sight)
    if exact is not None and exact.ticket is not None:
        return [exact.ticket.id]
    terms, _ = await terms_of(session, question)
    found = await hits(session, terms, sight, wanted) if terms else []
    return {hit.ticket for hit in found if hit.ticket is not None}


async def terms_of(
    session: AsyncSession, question: Question
) -> tuple[Sequence[Term], Mapping[str, Sequence[str]]]:
    """Return what the index is asked for, and which words are looked for beside those typed."""
    if question.is_empty:
        return [], {}
    known = await known_words(session, question.words)
    instead = {
        word: others
        for word, (plain, uses) in known.items()
        if plain.isalpha() and (others := await _meant(session, plain, uses))
    }
    variants = [(word, each) for word in question.words for each in (word, *instead.get(word, ()))]
    asked = await read_terms(session, [each for _, each in variants])
    seen = await known_words(session, {one for words in instead.values() for one in words})
    terms = []
    for word in question.words:
        own = [pair for (typed, _), pair in zip(variants, asked, strict=True) if typed == word]
        beginnings = any_of([names for _, names in own])
        if not beginnings:
            continue  # signs alone
        uses = known[word][1] + sum(seen[one][1] for one in instead.get(word, ()))
        terms.append(
            Term(query=any_of([query for query, _ in own]), beginnings=beginnings, uses=uses)
        )
    return terms, instead


async def _meant(session: AsyncSession, plain: str, uses: int) -> Sequence[str]:
    """Return the words that `plain`, seldom seen or never, may stand for."""
    if uses >= _RARE:
        return ()
    near = await near_words(session, plain) if len(plain) > _FEWEST_BEGUN_LETTERS else {}
    costs = {word: cost for word in near if (cost := slip(plain, word)) is not None}
    meant = [
        word
        for word in sorted(costs, key=lambda word: (costs[word], -near[word]))
        if costs[word] <= _MOST_SLIP and near[word] >= max(1, uses * _MUCH_MORE_USUAL)
    ][:_MOST_MEANT]
    if meant or uses or len(plain) < _FEWEST_BEGUN_LETTERS:
        return meant
    begun = await begun_words(session, plain, _MOST_BEGUN)
    if begun or len(plain) < FEWEST_LETTERS:
        return begun
    return meant_twice_slipped(plain, await words_like(session, plain, SLIPS), _MOST_MEANT)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ranked:
    key: str
    conversation: ConversationId
    ticket: TicketId | None
    message: MessageId | None
    score: float


def _seen(
    instead: Mapping[str, Sequence[str]], matched: frozenset[str]
) -> Mapping[str, Sequence[str]]:
    """Return of `instead` what is shown: words of what nobody may see are not told."""
    shown = {folded(word) for word in matched}
    told = {word: [one for one in others if one in shown] for word, others in instead.items()}
    return {word: others for word, others in told.items() if others}


def _ranked(found: Sequence[Hit]) -> list[_Ranked]:
    """Return each ticket or conversation once, best first."""
    best: dict[str, _Ranked] = {}
    for hit in found:
        score = math.log2(hit.rank + LEAST_RANK) + (hit.at - _EPOCH) / HALF_LIFE
        one = _Ranked(
            key=str(hit.ticket or hit.conversation),
            conversation=hit.conversation,
            ticket=hit.ticket,
            message=hit.message,
            score=round(score, 6),
        )
        known = best.get(one.key)
        if known is None:
            best[one.key] = one
            continue
        # Where the ticket itself fits best, what was said is still worth showing.
        better, other = (one, known) if one.score > known.score else (known, one)
        best[one.key] = replace(better, message=better.message or other.message)
    return sorted(best.values(), key=lambda one: (-one.score, one.key))


async def _read(
    session: AsyncSession, shown: Sequence[_Ranked], sight: Sight | None
) -> list[Found]:
    tickets = [one.ticket for one in shown if one.ticket is not None]
    wanted = TicketFilter(among=tickets, sight=sight)
    by_ticket = {
        view.id: view for view in await list_tickets(session, wanted, limit=len(tickets) or 1)
    }
    without = [one.conversation for one in shown if one.ticket is None]
    by_conversation = await conversations_named(session, without)
    said = await words_of_messages(session, [one.message for one in shown if one.message])
    return [
        Found(
            ticket=None if one.ticket is None else by_ticket[one.ticket],
            conversation=None if one.ticket is not None else by_conversation[one.conversation],
            said=None if one.message is None else said.get(one.message),
            score=one.score,
        )
        for one in shown
        if one.ticket in by_ticket or one.conversation in by_conversation
    ]


async def _numbered(session: AsyncSession, question: Question, sight: Sight | None) -> Found | None:
    if question.number is None:
        return None
    try:
        named = await ticket_named(session, str(question.number))
    except NotFound:
        return None
    rows = await list_tickets(session, TicketFilter(among=[named], sight=sight), limit=1)
    if not rows:
        return None
    return Found(ticket=rows[0], conversation=None, said=None, score=math.inf, is_exact=True)


def _id(one: Found) -> object:
    return one.ticket.id if one.ticket is not None else one.conversation and one.conversation.id


async def _matched(
    session: AsyncSession,
    found: Sequence[Found],
    people: Sequence[RequesterView],
    terms: Sequence[Term],
) -> frozenset[str]:
    """Return which of the words that are shown are those that were looked for."""
    if not terms:
        return frozenset()
    texts: list[str] = [text for one in people for text in (one.name, one.email) if text]
    for one in found:
        if one.said is not None:
            texts.append(one.said.text)
        if one.ticket is not None:
            texts += [one.ticket.subject, one.ticket.requester.name or ""]
        if one.conversation is not None:
            texts += [one.conversation.subject or "", one.conversation.opening]
    asked = any_of([term.query for term in terms] + [term.beginnings for term in terms])
    beginnings = {part[:2] for part in asked.split("'")[1::2]}
    likely = {
        word for text in texts for word in words_in(text) if folded(word[:4])[:2] in beginnings
    }
    return await matched_words(session, likely, terms) if likely else frozenset()
