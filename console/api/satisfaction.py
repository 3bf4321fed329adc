"""What requesters said about how they were helped."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel

from console.api.principal import AgentCaller
from console.api.shapes import Cursor, Limit, Page
from console.desk import desk_of
from console.sight import sight_for
from core.domain.errors import InvalidInput
from core.storage.engine import storage_errors
from core.storage.queries.satisfaction import AnswerView, answers

router = APIRouter(prefix="/satisfaction", tags=["satisfaction"])


class AnswerOut(BaseModel):
    """One answer to one survey."""

    id: UUID
    ticket: int
    ticket_id: UUID
    score: int
    comment: str
    agent: str | None
    team: str | None
    channel: str | None
    answered_at: datetime

    @classmethod
    def of(cls, answer: AnswerView) -> AnswerOut:
        """Return what the API tells of `answer`."""
        return cls(
            id=answer.id,
            ticket=answer.number,
            ticket_id=answer.ticket,
            score=answer.score,
            comment=answer.comment,
            agent=answer.agent,
            team=answer.team,
            channel=answer.channel,
            answered_at=answer.answered_at,
        )


@router.get("")
async def list_answers(
    request: Request,
    _: AgentCaller,
    cursor: Cursor = None,
    limit: Limit = 50,
    max_score: Annotated[int, Query(ge=1, le=5)] = 5,
) -> Page[AnswerOut]:
    """List what requesters answered, those asked last first."""
    try:
        before = None if cursor is None else UUID(cursor)
    except ValueError:
        raise InvalidInput("the cursor is not one that a list gave") from None
    async with storage_errors(), desk_of(request).sessions() as session:
        found = await answers(
            session,
            before=before,
            max_score=max_score,
            sight=await sight_for(request, session),
            limit=limit + 1,
        )
    more = str(found[limit - 1].id) if len(found) > limit else None
    return Page(items=[AnswerOut.of(answer) for answer in found[:limit]], next=more)
