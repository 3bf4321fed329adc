"""The turn log in the API: what the assistant understood, did, and what came of it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Self
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from pydantic import AwareDatetime, BaseModel

from console.api.principal import ReaderCaller
from console.api.shapes import Cursor, Limit, Page, Text
from console.desk import desk_of
from console.places import place_in, place_of
from console.sight import sight_for
from core.domain.ids import ConversationId
from core.domain.learning import Deed, Upshot
from core.storage.engine import storage_errors
from core.storage.queries.learning.turn_records import (
    TurnFilter,
    TurnView,
    turn_counts,
    turn_records,
)

router = APIRouter(prefix="/assistant/turns", tags=["assistant"])


class GuessOut(BaseModel):
    """An intent that a message may have, and how likely it is."""

    intent: str
    confidence: float


class ShownOut(BaseModel):
    """An article that was shown or offered, with its title as it is now."""

    id: str
    title: str


class TurnOut(BaseModel):
    """One turn of the assistant."""

    id: UUID
    conversation: UUID
    ticket: int | None  # the number of the newest one of the conversation
    at: datetime
    language: str
    text: str  # as the assistant read it
    question: str  # the same, as it stands alone: a follow-up with what it follows
    pressed: bool  # a button was pressed, no words were written
    intent: str | None
    confidence: float | None
    guesses: list[GuessOut]
    mentions: list[dict[str, Any]]  # `kind` and `value` of what is named
    look_ups: list[dict[str, Any]]  # `question`, `outcome`, `hits`: what was searched and found
    deed: Deed
    reason: str | None  # of a hand-off, or why the turn failed
    articles: list[ShownOut]
    upshot: Upshot | None
    missed: bool
    model: str | None

    @classmethod
    def of(cls, turn: TurnView) -> Self:
        """Return what the API tells of `turn`."""
        return cls(
            id=turn.id,
            conversation=turn.conversation,
            ticket=turn.ticket,
            at=turn.at,
            language=turn.language,
            text=turn.text,
            question=turn.question,
            pressed=not turn.is_in_words,
            intent=turn.intent,
            confidence=turn.confidence,
            guesses=[GuessOut(**guess) for guess in turn.guesses],
            mentions=[dict(one) for one in turn.mentions],
            look_ups=[dict(one) for one in turn.look_ups],
            deed=turn.deed,
            reason=turn.reason,
            articles=[ShownOut(id=name, title=title) for name, title in turn.articles.items()],
            upshot=turn.upshot,
            missed=turn.is_missed,
            model=turn.model,
        )


async def _wanted(
    request: Request,
    _: ReaderCaller,
    q: Annotated[
        Text, Query(description="Words of the message, or of its intent.", max_length=200)
    ] = "",
    deed: Deed | None = None,
    upshot: Upshot | None = None,
    language: Annotated[Text | None, Query(max_length=12)] = None,
    since: Annotated[AwareDatetime | None, Query(description="With a time zone.")] = None,
    missed: Annotated[bool, Query(description="Only those that lacked an answer.")] = False,
    conversation: UUID | None = None,
) -> TurnFilter:
    async with storage_errors(), desk_of(request).sessions() as session:
        sight = await sight_for(request, session)
    return TurnFilter(
        deed=deed,
        upshot=upshot,
        language=language,
        since=since,
        words=q,
        only_missed=missed,
        conversation=None if conversation is None else ConversationId(conversation),
        sight=sight,
    )


Wanted = Annotated[TurnFilter, Depends(_wanted)]


@router.get("")
async def list_turns(
    request: Request,
    wanted: Wanted,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[TurnOut]:
    """List turns, the newest first: what was understood, found and done."""
    before = None if cursor is None else place_in(cursor)
    async with storage_errors(), desk_of(request).sessions() as session:
        found = await turn_records(session, wanted, before=before, limit=limit + 1)
    last = found[limit - 1] if len(found) > limit else None
    return Page(
        items=[TurnOut.of(turn) for turn in found[:limit]],
        next=None if last is None else place_of(last.at, last.id),
    )


@router.get("/counts")
async def count_turns(request: Request, wanted: Wanted) -> dict[Deed, int]:
    """Count the turns that fit by what the assistant did in them."""
    async with storage_errors(), desk_of(request).sessions() as session:
        return {Deed(deed): count for deed, count in (await turn_counts(session, wanted)).items()}
