"""Letters that ask for a decision: to whom one is due, and what it has to say."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.catalogue import Decision, Stage
from core.domain.classification import FieldSpec
from core.domain.ids import ItemId
from core.domain.setbacks import Chore
from core.services.catalogue.links import ApprovalLinks
from core.services.setbacks import Setbacks
from core.storage.engine import Sessions, storage_errors
from core.storage.queries.catalogue.items import ItemView, item_view
from core.storage.queries.catalogue.requests import values_of
from core.storage.tables import ApprovalAsk, Contact, ItemRequest, Ticket

_BATCH = 20
_LEASE = timedelta(minutes=5)
_MAX_PROBLEM_CHARS = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalLetter:
    """What one approver is to be written."""

    ask: UUID
    email: str
    name: str
    language: str
    number: int
    requester: str | None
    item: ItemView
    values: Sequence[tuple[FieldSpec, Any]]
    approve: str  # the addresses of a page with a button: opening it decides nothing
    reject: str
    expires_at: datetime


class ApprovalLetters:
    """The letters that are due."""

    def __init__(
        self,
        sessions: Sessions,
        links: ApprovalLinks,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._sessions = sessions
        self._links = links
        self._now = now
        self.setbacks = Setbacks(sessions, Chore.APPROVAL_MAILS, now)

    async def due(self) -> Sequence[UUID]:
        """Take asks whose letters are to be sent; nobody else takes them for five minutes."""
        now = self._now()
        async with storage_errors(), self._sessions.begin() as session:
            asks = (
                await session.scalars(
                    select(ApprovalAsk)
                    .where(ApprovalAsk.mail_at <= now, self.setbacks.is_free(ApprovalAsk.id))
                    .order_by(ApprovalAsk.mail_at)
                    .limit(_BATCH)
                    .with_for_update(skip_locked=True)
                )
            ).all()
            for ask in asks:
                ask.mail_at = now + _LEASE
            return [ask.id for ask in asks]

    async def letter(self, ask: UUID) -> ApprovalLetter | None:
        """Return the letter of an ask that was taken; None where nothing is to be decided now."""
        async with storage_errors(), self._sessions.begin() as session:
            row = await session.get(ApprovalAsk, ask, with_for_update=True)
            if row is None:
                return None
            request = await session.get_one(ItemRequest, row.request_id)
            if request.stage != Stage.APPROVAL:
                row.mail_at = None
                return None
            return await self._letter(session, row, request)

    async def mailed(self, letter: ApprovalLetter) -> None:
        """Keep that a letter has left."""
        await self._set(letter, mail_at=None, mailed_at=self._now())

    async def refused(self, letter: ApprovalLetter, why: str) -> None:
        """Keep that a letter cannot be sent: the address takes none."""
        await self._set(letter, mail_at=None, mail_problem=why[:_MAX_PROBLEM_CHARS])

    async def _set(self, letter: ApprovalLetter, **values: datetime | str | None) -> None:
        async with storage_errors(), self._sessions.begin() as session:
            await session.execute(
                update(ApprovalAsk).where(ApprovalAsk.id == letter.ask).values(**values)
            )

    async def _letter(
        self, session: AsyncSession, ask: ApprovalAsk, request: ItemRequest
    ) -> ApprovalLetter:
        ticket = await session.get_one(Ticket, request.ticket_id)
        contact = await session.get_one(Contact, ticket.contact_id)
        return ApprovalLetter(
            ask=ask.id,
            email=ask.email,
            name=ask.name,
            language=ask.language,
            number=ticket.number,
            requester=contact.name or contact.email,
            item=await item_view(session, ItemId(request.item_id)),
            values=await values_of(session, request),
            approve=self._links.link(ask.id, Decision.APPROVE),
            reject=self._links.link(ask.id, Decision.REJECT),
            expires_at=ask.expires_at,
        )
