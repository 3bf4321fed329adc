"""Support plans as leads and admins keep them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.actor import Agent
from core.domain.audited import Deed
from core.domain.errors import Conflict, InvalidInput, NotFound
from core.domain.ids import new_id
from core.domain.plans import PlanId
from core.services.audit import record
from core.services.requester_records.contacts import MAX_NAME_CHARS, MAX_NOTES_CHARS
from core.services.revisions import revise
from core.storage.engine import Sessions, storage_errors
from core.storage.tables import SupportPlan

_MOST_CHANNELS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanDraft:
    """A plan as somebody wants it."""

    name: str
    channels: Sequence[str] = ()  # kinds that it covers; none: all of them
    notes: str = ""


class SupportPlans:
    """Changes of plans; each is in the audit log."""

    def __init__(
        self, sessions: Sessions, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._sessions = sessions
        self._now = now

    async def add(self, draft: PlanDraft, by: Agent) -> PlanId:
        """Add a plan.

        Raises:
            InvalidInput: something cannot be kept.
            Conflict: there is one of this name.
        """
        async with storage_errors(), self._sessions.begin() as session:
            row = SupportPlan(id=new_id(), revision=1)
            _fill(row, draft)
            session.add(row)
            await _flush(session)
            record(session, by.actor, "plan.added", _subject(row), new=_said(row))
            return PlanId(row.id)

    async def change(
        self, plan: PlanId, draft: PlanDraft, by: Agent, *, revision: int | None = None
    ) -> None:
        """Replace a plan; whoever has it has it so from now on.

        Raises:
            NotFound: there is none.
            Outdated: it is not at `revision` any more.
            InvalidInput: something cannot be kept.
            Conflict: there is another of this name.
        """
        async with storage_errors(), self._sessions.begin() as session:
            row = await _locked(session, plan)
            revise(row, revision)
            old = _said(row)
            _fill(row, draft)
            await _flush(session)
            record(session, by.actor, "plan.changed", _subject(row), old=old, new=_said(row))

    async def set_archived(self, plan: PlanId, by: Agent, *, archived: bool) -> None:
        """Take a plan out of choices, or put it back; organisations that have it keep it.

        Raises:
            NotFound: there is none.
        """
        async with storage_errors(), self._sessions.begin() as session:
            row = await _locked(session, plan)
            revise(row, None)
            row.archived_at = self._now() if archived else None
            action: Deed = "plan.archived" if archived else "plan.restored"
            record(session, by.actor, action, _subject(row))


async def _locked(session: AsyncSession, plan: PlanId) -> SupportPlan:
    row = await session.get(SupportPlan, plan, with_for_update=True)
    if row is None:
        raise NotFound("there is no such plan")
    return row


def _fill(row: SupportPlan, draft: PlanDraft) -> None:
    name = " ".join(draft.name.split())
    if not name or len(name) > MAX_NAME_CHARS or "\x00" in name:
        raise InvalidInput("a plan needs a name, of 200 characters at most")
    if len(draft.notes) > MAX_NOTES_CHARS or "\x00" in draft.notes:
        raise InvalidInput("notes have 5,000 characters at most")
    channels = sorted(set(draft.channels))
    if len(channels) > _MOST_CHANNELS or any("\x00" in one for one in channels):
        raise InvalidInput("a plan names 20 channels at most")
    row.name, row.channels, row.notes = name, channels, draft.notes.strip()


async def _flush(session: AsyncSession) -> None:
    try:
        await session.flush()
    except IntegrityError:
        raise Conflict("there is a plan of this name already") from None


def _subject(row: SupportPlan) -> tuple[str, object, str]:
    return "plan", row.id, row.name


def _said(row: SupportPlan) -> dict[str, Any]:
    return {"name": row.name, "channels": list(row.channels), "notes": row.notes}
