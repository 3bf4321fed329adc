"""Finds lanes with due work that no job will look at, and signs of life."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import DateTime, delete, func, select, text
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.ids import ConversationId
from core.storage.tables import ProcessBeat
from core.storage.wakeups import Lane, LaneKind

_TABLES = {
    LaneKind.TURNS: "turn",
    # A paused account is left alone: nothing of it can be sent before the pause is over.
    LaneKind.DELIVERIES: "(SELECT conversation_id, status, available_at FROM delivery"
    " WHERE NOT EXISTS (SELECT FROM account"
    "  WHERE account.id = delivery.account_id"
    "  AND (account.paused_until > now() OR NOT account.is_enabled)))",
    LaneKind.PEOPLE: "(SELECT look_up_for AS conversation_id, 'due' AS status,"
    " look_up_at AS available_at FROM contact_address WHERE look_up_at IS NOT NULL)",
    LaneKind.FILES: "(SELECT conversation_id, status, available_at FROM attachment"
    " JOIN message ON message.id = attachment.message_id)",
    LaneKind.REACTIONS: "(SELECT conversation_id, 'due' AS status, at AS available_at"
    " FROM ticket_event JOIN ticket ON ticket.id = ticket_event.ticket_id"
    " WHERE reacted_at IS NULL)",
}
_UNDER_WAY = {
    LaneKind.TURNS: ["waiting", "running"],
    LaneKind.DELIVERIES: ["waiting", "sending"],
    LaneKind.PEOPLE: ["due"],
    LaneKind.FILES: ["waiting"],
    LaneKind.REACTIONS: ["due"],
}


async def forgotten_lanes(
    session: AsyncSession, kinds: Collection[LaneKind], before: datetime, limit: int = 500
) -> list[Lane]:
    """Return lanes with an item due since `before` or longer and no job to do it.

    These are items that were put back to be tried again later, and, after a fault, those whose
    job was lost.
    """
    lanes: list[Lane] = []
    for kind in kinds:
        rows = await session.scalars(
            text(
                f"SELECT DISTINCT conversation_id FROM {_TABLES[kind]} AS item"  # noqa: S608
                " WHERE status = ANY(:under_way) AND available_at < :before"
                " AND NOT EXISTS (SELECT FROM procrastinate_jobs"
                "  WHERE queueing_lock = :kind || ':' || item.conversation_id"
                "  AND status = 'todo')"
                " AND NOT EXISTS (SELECT FROM procrastinate_jobs"
                "  WHERE lock = :kind || ':' || item.conversation_id AND status = 'doing')"
                " LIMIT :limit"
            ),
            {
                "under_way": _UNDER_WAY[kind],
                "before": before,
                "kind": str(kind),
                "limit": limit,
            },
        )
        lanes.extend(Lane(kind, ConversationId(row)) for row in rows)
    return lanes


async def beat(session: AsyncSession, kind: str, instance: str) -> None:
    """Note that a process lives."""
    await session.execute(
        upsert(ProcessBeat)
        .values(kind=kind, instance=instance, at=func.now())
        .on_conflict_do_update(index_elements=["kind", "instance"], set_={"at": func.now()})
    )


async def forget_beat(session: AsyncSession, kind: str) -> None:
    """Forget that processes of `kind` were heard of."""
    await session.execute(delete(ProcessBeat).where(ProcessBeat.kind == kind))


async def server_start(session: AsyncSession) -> datetime:
    """Return when the database server began."""
    found = await session.scalars(
        select(func.pg_postmaster_start_time(type_=DateTime(timezone=True)))
    )
    return found.one()


async def forget_beats(session: AsyncSession, age: timedelta) -> None:
    """Forget processes not heard of for `age`."""
    await session.execute(delete(ProcessBeat).where(ProcessBeat.at < func.now() - age))


async def is_alive(session: AsyncSession, kind: str, within: timedelta) -> bool:
    """Say whether a process of `kind` was heard of lately."""
    found = await session.scalar(
        select(ProcessBeat.instance)
        .where(ProcessBeat.kind == kind, ProcessBeat.at > func.now() - within)
        .limit(1)
    )
    return found is not None
