"""Links between tickets, in the history of both."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import or_, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.actor import Agent
from core.domain.classification import Kind
from core.domain.errors import Conflict, InvalidInput, NotFound
from core.domain.ids import TicketId, new_id
from core.domain.links import LinkKind
from core.services.case import Case, open_cases
from core.services.ledger import Accounts, Ledger
from core.storage.engine import Sessions, storage_errors
from core.storage.tables import TicketLink

LOCK = text("SELECT pg_advisory_xact_lock(0x6c696e6b)")  # "link": two could close a circle
_ABOVE = text(
    """
    WITH RECURSIVE above AS (
        SELECT CAST(:start AS uuid) AS id
        UNION
        SELECT other_id FROM ticket_link JOIN above ON ticket_id = above.id WHERE kind = :kind
    )
    SELECT EXISTS (SELECT FROM above WHERE id = :sought)
    """
)

_CIRCLES = {
    LinkKind.CHILD: "a ticket cannot be a part of its own part",
    LinkKind.DUPLICATE: "a ticket cannot be a duplicate of its own duplicate",
}
"""Kinds of links that lead upwards, and what is said where they would lead back."""


class TicketLinks:
    """The agents' commands about links."""

    def __init__(
        self,
        sessions: Sessions,
        accounts: Accounts,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._sessions = sessions
        self._accounts = accounts
        self._now = now

    async def link(self, ticket: TicketId, other: TicketId, kind: LinkKind, by: Agent) -> UUID:
        """Make `ticket` the `kind` of `other`; return the link's id.

        Raises:
            NotFound: one of them is not there.
            InvalidInput: it would be its own, or its own parent or original over others, or the
                other one is no problem.
            Conflict: they are linked already.
        """
        if ticket == other:
            raise InvalidInput("a ticket cannot be linked with itself")
        async with storage_errors(), self._sessions.begin() as session:
            await session.execute(LOCK)
            cases = await self._cases(session, ticket, other)
            known = await session.scalar(
                select(TicketLink.id).where(
                    or_(
                        (TicketLink.ticket_id == ticket) & (TicketLink.other_id == other),
                        (TicketLink.ticket_id == other) & (TicketLink.other_id == ticket),
                    )
                )
            )
            if known is not None:
                raise Conflict("these tickets are linked already")
            if kind == LinkKind.INCIDENT and cases[other].ticket.kind != Kind.PROBLEM:
                raise InvalidInput("incidents are linked with a ticket of the type problem")
            if kind in _CIRCLES and await session.scalar(
                _ABOVE, {"start": other, "sought": ticket, "kind": kind}
            ):
                raise InvalidInput(_CIRCLES[kind])
            row = TicketLink(id=new_id(), ticket_id=ticket, other_id=other, kind=kind)
            session.add(row)
            await self._note(session, cases, row, by, is_new=True)
            return row.id

    async def unlink(self, ticket: TicketId, link: UUID, by: Agent) -> None:
        """Take a link of `ticket` away.

        Raises:
            NotFound: it has no such link.
        """
        async with storage_errors(), self._sessions.begin() as session:
            await session.execute(LOCK)
            row = await session.get(TicketLink, link)
            if row is None or ticket not in (row.ticket_id, row.other_id):
                raise NotFound("there is no such link")
            cases = await self._cases(session, TicketId(row.ticket_id), TicketId(row.other_id))
            await session.delete(row)
            await self._note(session, cases, row, by, is_new=False)

    async def _cases(
        self, session: AsyncSession, one: TicketId, two: TicketId
    ) -> dict[TicketId, Case]:
        ledger = Ledger(self._accounts, self._now())
        first, second = await open_cases(session, ledger, one, two)
        return {one: first, two: second}

    async def _note(
        self,
        session: AsyncSession,
        cases: dict[TicketId, Case],
        row: TicketLink,
        by: Agent,
        *,
        is_new: bool,
    ) -> None:
        ticket, other = cases[TicketId(row.ticket_id)], cases[TicketId(row.other_id)]
        note_link(ticket, other, LinkKind(row.kind), by, is_new=is_new)
        await ticket.ledger.write(session)


def note_link(ticket: Case, other: Case, kind: LinkKind, by: Agent, *, is_new: bool = True) -> None:
    """Write in the history of both that `ticket` is the `kind` of `other`, or no more."""
    for case, far, side in ((ticket, other, kind.value), (other, ticket, f"has_{kind}")):
        said = f"{side} {far.ticket.number}"
        old, new = (None, said) if is_new else (said, None)
        case.ledger.record(case.ticket, "link", old, new, actor=by.actor)
        case.changed()
