"""The turn log: what the assistant understood, did, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TypeVar
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import Response

from console.desk import desk_of
from console.pages.session import Readers
from console.pages.view import page
from console.words import learning as learning_words
from core.domain.errors import InvalidInput
from core.domain.languages import LANGUAGES
from core.domain.learning import Deed, Upshot
from core.storage.engine import storage_errors
from core.storage.queries.access.sight import sight_of
from core.storage.queries.feed import feed_end
from core.storage.queries.learning.turn_records import (
    TurnFilter,
    TurnView,
    turn_counts,
    turn_records,
)

router = APIRouter(prefix="/console/assistant")

_PAGE = 50
_DAYS = (1, 7, 30, 90)
_USUAL_DAYS = 30

Choice = TypeVar("Choice", bound=StrEnum)


@router.get("")
async def show_turns(
    request: Request,
    signed_in: Readers,
    q: str = "",
    deed: str = "",
    upshot: str = "",
    language: str = "",
    days: int = _USUAL_DAYS,
    missed: bool = False,
    before: str = "",
) -> Response:
    """List turns, the newest first."""
    words = q.replace("\x00", "")[:200].strip()
    days = days if days in _DAYS else _USUAL_DAYS
    async with storage_errors(), desk_of(request).sessions() as session:
        position = await feed_end(session)
        wanted = TurnFilter(
            deed=_one_of(Deed, deed),
            upshot=_one_of(Upshot, upshot),
            language=language if language in LANGUAGES else None,
            since=datetime.now(UTC) - timedelta(days=days),
            words=words,
            only_missed=missed,
            sight=await sight_of(session, signed_in.agent),
        )
        turns = await turn_records(session, wanted, before=_position(before), limit=_PAGE + 1)
        counts = await turn_counts(session, wanted)
    filters = {
        "q": words,
        "deed": wanted.deed or "",
        "upshot": wanted.upshot or "",
        "language": wanted.language or "",
        "days": days,
        "missed": "1" if missed else "",
    }
    more = _cursor(turns[_PAGE - 1]) if len(turns) > _PAGE else None
    return page(
        request,
        "assistant/turns.html",
        position=position,
        turns=turns[:_PAGE],
        counts=counts,
        filters=filters,
        choices=_DAYS,
        next=None if more is None else urlencode(_set({**filters, "before": more})),
        said=learning_words,
    )


def _one_of(values: type[Choice], word: str) -> Choice | None:
    return values(word) if word in set(values) else None


def _set(filters: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in filters.items() if value != ""}


def _cursor(turn: TurnView) -> str:
    return f"{turn.at.isoformat()} {turn.id}"


def _position(cursor: str) -> tuple[datetime, UUID] | None:
    if not cursor:
        return None
    at, _, turn = cursor.partition(" ")
    try:
        return datetime.fromisoformat(at), UUID(turn)
    except ValueError:
        raise InvalidInput("this page is too old: load it again") from None
