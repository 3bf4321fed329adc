"""Deciding on requests: from the console, by a signed link, or by a button in chat."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.actor import Agent
from core.domain.audited import Deed
from core.domain.catalogue import (
    ASKED_AGAIN,
    EVENT,
    DecidedAlready,
    Decision,
    Occasion,
    Stage,
    checked_text,
    next_stage,
)
from core.domain.classification import FieldSpec
from core.domain.errors import Forbidden, InvalidInput, NotedRefusal, NotFound
from core.domain.ids import ItemId, TicketId
from core.domain.ticket import TicketStatus, TicketTrigger
from core.services import audit
from core.services.case import Case, open_case
from core.services.catalogue.approvers import ask_members, members_for
from core.services.catalogue.links import ApprovalLinks
from core.services.catalogue.tasks import open_next
from core.services.catalogue.telling import NOTE, REASON, tell_requester
from core.services.ledger import Accounts, Ledger
from core.storage.engine import Sessions, storage_errors
from core.storage.queries.catalogue.items import ItemView, item_view
from core.storage.queries.catalogue.requests import values_of
from core.storage.tables import ApprovalAsk, Contact, ItemRequest, Ticket
from core.texts import text

_REFUSED: Deed = "approval.refused"
GONE = "there is nothing to decide behind this link any more"

Subject = tuple[str, object, str]
"""What somebody was not let decide on, as the audit log keeps it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decider:
    """Who decides: how records name them, and how people do."""

    actor: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalView:
    """A request as the page behind a link shows it to whoever was asked."""

    number: int
    item: ItemView
    requester: str | None  # like the values, only as long as they can decide with it
    values: Sequence[tuple[FieldSpec, Any]]
    language: str  # of whoever was asked
    stage: Stage
    decided_name: str | None
    decided_at: datetime | None
    is_expired: bool
    is_approver: bool  # still


class Approvals:
    """Decisions on requests; a decision once taken stays."""

    def __init__(
        self,
        sessions: Sessions,
        accounts: Accounts,
        links: ApprovalLinks,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._sessions = sessions
        self._accounts = accounts
        self._links = links
        self._now = now

    async def decide(self, ticket: TicketId, decision: Decision, reason: str, by: Agent) -> None:
        """Approve or reject what a ticket asks for.

        Raises:
            NotFound: there is no such ticket, or it asks for no item.
            Forbidden: the agent is none of those who may decide; the audit log has it.
            DecidedAlready: somebody has; the error says who.
        """
        said = checked_text(reason)
        async with storage_errors(), self._sessions.begin() as session:
            case = await open_case(session, self._ledger(), ticket)
            number = case.ticket.number
            request = await _request_of(session, ticket)
            members = await members_for(session, request, case.ticket.contact_id)
            if by.id in {member.agent for member in members}:
                await decide(
                    case, request, decision, said, Decider(actor=by.actor, name=by.name or by.email)
                )
                await case.ledger.write(session)
                return
        await self._note(by.actor, about(number), "not an approver")
        raise NotedRefusal("only those who were asked may decide on this request")

    async def ask_again(self, ticket: TicketId, by: Agent) -> None:
        """Ask all who may decide once more; older links last longer with it.

        Raises:
            NotFound: there is no such ticket, or it asks for no item.
            DecidedAlready: there is nothing to decide any more.
        """
        async with storage_errors(), self._sessions.begin() as session:
            case = await open_case(session, self._ledger(), ticket)
            request = await _request_of(session, ticket)
            _check_open(case, request)
            await ask_members(case, request)
            case.ledger.record(case.ticket, "approval", None, ASKED_AGAIN, actor=by.actor)
            case.changed()
            await case.ledger.write(session)

    async def view(self, token: str) -> ApprovalView:
        """Return the request that a link leads to; looking at it decides nothing.

        Raises:
            NotFound: the link was not made here, or what it was for is gone; the audit log has it.
        """
        name = await self._read(token)
        async with storage_errors(), self._sessions() as session:
            ask = await session.get(ApprovalAsk, name)
            if ask is not None:
                return await self._view(session, ask)
        await self._note("approver", gone(name), GONE)
        raise NotFound(GONE)

    async def decide_by_link(self, token: str, decision: Decision, reason: str) -> None:
        """Approve or reject, as the one whom the link was made for.

        Raises:
            NotFound: the link was not made here, or what it was for is gone.
            Forbidden: it is too old, or its holder is no approver any more.
            DecidedAlready: somebody has; the error says who.
            All of them are in the audit log.
        """
        name, said = await self._read(token), checked_text(reason)
        async with storage_errors(), self._sessions() as session:
            found = (
                await session.execute(
                    select(ApprovalAsk.email, Ticket.id, Ticket.number)
                    .join(ItemRequest, ItemRequest.id == ApprovalAsk.request_id)
                    .join(Ticket, Ticket.id == ItemRequest.ticket_id)
                    .where(ApprovalAsk.id == name)
                )
            ).one_or_none()
        if found is None:
            await self._note("approver", gone(name), GONE)
            raise NotFound(GONE)
        email, ticket, number = found
        try:
            async with storage_errors(), self._sessions.begin() as session:
                case = await open_case(session, self._ledger(), TicketId(ticket))
                ask = await session.get(ApprovalAsk, name)
                await decide_as_asked(case, ask, decision, said)
                await case.ledger.write(session)
        except (Forbidden, DecidedAlready) as error:
            await self._note(f"approver:{email}", about(number), str(error))
            raise

    def _ledger(self) -> Ledger:
        return Ledger(self._accounts, self._now())

    async def _read(self, token: str) -> UUID:
        try:
            return self._links.ask(token)
        except NotFound:
            await self._note("approver", ("approval", "forged", audit.MADE_UP_LINK), "forged")
            raise

    async def _view(self, session: AsyncSession, ask: ApprovalAsk) -> ApprovalView:
        request = await session.get_one(ItemRequest, ask.request_id)
        ticket = await session.get_one(Ticket, request.ticket_id)
        contact = await session.get_one(Contact, ticket.contact_id)
        members = await members_for(session, request, contact.id)
        is_approver = ask.email in {member.email for member in members}
        is_expired = ask.expires_at <= self._now()
        # A link may be passed on and kept: whoever cannot decide with it learns the outcome alone.
        is_open = request.stage == Stage.APPROVAL and is_approver and not is_expired
        return ApprovalView(
            number=ticket.number,
            item=await item_view(session, ItemId(request.item_id)),
            requester=(contact.name or contact.email) if is_open else None,
            values=await values_of(session, request) if is_open else (),
            language=ask.language,
            stage=Stage(request.stage),
            decided_name=request.decided_name,
            decided_at=request.decided_at,
            is_expired=is_expired,
            is_approver=is_approver,
        )

    async def _note(self, actor: str, subject: Subject, why: str) -> None:
        async with storage_errors(), self._sessions.begin() as session:
            await note_refusal(session, actor, subject, why)


async def decide_as_asked(
    case: Case, ask: ApprovalAsk | None, decision: Decision, reason: str
) -> None:
    """Decide on the locked case's request as the one who was asked.

    Raises:
        Forbidden: that was too long ago, or they are no approver any more.
        DecidedAlready: somebody has; the error says who.
    """
    request = await _request_of(case.session, TicketId(case.ticket.id))
    _check_open(case, request)
    members = await members_for(case.session, request, case.ticket.contact_id)
    if ask is None or ask.email not in {member.email for member in members}:
        raise Forbidden("you are not asked to approve this any more")
    if ask.expires_at <= case.ledger.now:
        raise Forbidden("this was asked too long ago: ask for a new link")
    actor = f"agent:{ask.agent_id}" if ask.agent_id is not None else f"approver:{ask.email}"
    await decide(case, request, decision, reason, Decider(actor=actor, name=ask.name))


async def decide(
    case: Case, request: ItemRequest, decision: Decision, reason: str, who: Decider
) -> None:
    """Decide on the request of the locked `case`; the requester is told.

    Raises:
        DecidedAlready: somebody has; the error says who.
    """
    _check_open(case, request)
    old = Stage(request.stage)
    request.stage = next_stage(old, EVENT[decision])
    request.decided_by, request.decided_name = who.actor, who.name
    request.decided_at, request.reason = case.ledger.now, reason
    case.ledger.record(case.ticket, "request", old, request.stage, actor=who.actor, reason=who.name)
    item = await item_view(case.session, ItemId(request.item_id))
    language = case.conversation.language
    words = NOTE if decision is Decision.APPROVE else REASON
    why = text(language, words, reason=reason) if reason else ""
    if decision is Decision.APPROVE:
        await tell_requester(case, item, Occasion.APPROVED, why)
        if case.ticket.status == TicketStatus.ON_HOLD:
            case.move(TicketTrigger.REOPENED, actor=who.actor, reason="approved")
        await open_next(case, request)
    else:
        await tell_requester(case, item, Occasion.REJECTED, why)
        case.move(TicketTrigger.SOLVED, actor=who.actor, reason="rejected")
        case.conclude()
    case.changed()


def gone(ask: UUID) -> Subject:
    """Name a request that is gone by the question that was asked about it."""
    return ("approval", ask, "?")


def about(number: int) -> Subject:
    """Name a request by the number of its ticket."""
    return ("ticket", number, f"#{number}")


async def note_refusal(session: AsyncSession, actor: str, subject: Subject, why: str) -> None:
    """Keep in the audit log, once an hour, that somebody was not let decide."""
    await audit.record_refusal(session, actor, _REFUSED, subject, why)


def decision_named(words: str) -> Decision:
    """Return the decision of that name, or raise `InvalidInput`."""
    try:
        return Decision(words)
    except ValueError:
        raise InvalidInput("approve or reject") from None


async def _request_of(session: AsyncSession, ticket: TicketId) -> ItemRequest:
    request = await session.scalar(
        select(ItemRequest)
        .where(ItemRequest.ticket_id == ticket)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if request is None:
        raise NotFound("this ticket asks for nothing of the catalogue")
    return request


def _check_open(case: Case, request: ItemRequest) -> None:
    stage = Stage(request.stage)
    if stage == Stage.APPROVAL and not case.is_done:
        return
    # The ticket may have ended a moment ago: the request follows with the desk's next reaction.
    ended = Stage.WITHDRAWN if stage == Stage.APPROVAL else stage
    raise DecidedAlready(ended, request.decided_name)
