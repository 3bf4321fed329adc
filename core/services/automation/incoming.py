"""Reports of programs become tickets: one matter, one ticket, solved when it is over."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.account import PROGRAMS
from core.domain.actor import Agent
from core.domain.assistant import HandoffReason
from core.domain.automation.alerts import (
    Alert,
    HookFormat,
    ReportMapping,
    read_alertmanager,
    read_mapped,
)
from core.domain.conversation import Cause
from core.domain.errors import InvalidInput, NotFound, TooManyAttempts
from core.domain.events import Author
from core.domain.ids import (
    Address,
    ContactId,
    TeamId,
    TicketId,
    new_id,
)
from core.domain.ticket import Priority, TicketStatus, TicketTrigger
from core.services import audit
from core.services.automation.forms import check_team
from core.services.automation.pacing import REPORTS_PER_MINUTE, note_limit, seconds_to_wait
from core.services.automation.reported import sort_as_reported
from core.services.case import Case, open_case
from core.services.ledger import Accounts, Ledger
from core.services.revisions import revise
from core.services.tickets.registering import Matter, register, report
from core.services.tickets.registrations import Place, Registrations
from core.storage.engine import Sessions, storage_errors
from core.storage.queries.links.merges import last_in_line
from core.storage.tables import (
    Contact,
    ContactAddress,
    Conversation,
    IncomingAlert,
    IncomingHook,
    Ticket,
)

_TOKEN_BYTES = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class HookForm:
    """An incoming webhook as an admin describes it."""

    name: str
    format: HookFormat = HookFormat.ALERTMANAGER
    mapping: ReportMapping | None = None
    team: UUID | None = None

    def __post_init__(self) -> None:
        if not 0 < len(self.name.strip()) <= 120 or "\x00" in self.name:
            raise InvalidInput("a name has 1 to 120 characters")
        if (self.format is HookFormat.MAPPED) != (self.mapping is not None):
            raise InvalidInput("a mapping says where the key and the subject are")
        if self.mapping is not None:
            self.mapping.check()


class IncomingHooks:
    """Addresses that programs report to, and what becomes of their reports."""

    def __init__(
        self,
        sessions: Sessions,
        accounts: Accounts,
        registrations: Registrations,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        per_minute: int = REPORTS_PER_MINUTE,
    ) -> None:
        """`per_minute`: how many reports each hook takes."""
        self._sessions = sessions
        self._accounts = accounts
        self._registrations = registrations
        self._now = now
        self._per_minute = per_minute

    async def add(self, form: HookForm, by: Agent) -> tuple[UUID, str]:
        """Add a hook; return its id and the token in its address, which is shown this once."""
        name, token = new_id(), secrets.token_urlsafe(_TOKEN_BYTES)
        async with storage_errors(), self._sessions.begin() as session:
            await check_team(session, form.team)
            row = IncomingHook(
                id=name,
                name=form.name.strip(),
                digest=_digest(token),
                format=form.format,
                mapping=None if form.mapping is None else _mapping_json(form.mapping),
                team_id=form.team,
                created_at=self._now(),
            )
            session.add(row)
            subject = ("hook", name, form.name)
            audit.record(session, by.actor, "incoming_hook.added", subject, new=_said(row))
        return name, token

    async def change(
        self, hook: UUID, form: HookForm, by: Agent, *, revision: int | None = None
    ) -> None:
        """Replace a hook's form; its address and its tickets stay.

        Raises:
            NotFound: there is no such hook.
            Outdated: it is not of revision `revision` any more.
        """
        async with storage_errors(), self._sessions.begin() as session:
            row = await _locked(session, hook)
            revise(row, revision)
            await check_team(session, form.team)
            old = _said(row)
            row.name, row.format, row.team_id = form.name.strip(), form.format, form.team
            row.mapping = None if form.mapping is None else _mapping_json(form.mapping)
            audit.record(
                session,
                by.actor,
                "incoming_hook.changed",
                ("hook", hook, row.name),
                old=old,
                new=_said(row),
            )

    async def renew(self, hook: UUID, by: Agent, *, revision: int | None = None) -> str:
        """Give a hook another address; return the token in it, which is shown this once.

        The old address is not known any more.

        Raises:
            NotFound: there is no such hook.
            Outdated: it is not of revision `revision` any more.
        """
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        async with storage_errors(), self._sessions.begin() as session:
            row = await _locked(session, hook)
            revise(row, revision)
            row.digest = _digest(token)
            audit.record(
                session,
                by.actor,
                "incoming_hook.address_renewed",
                ("hook", hook, row.name),
                new={"address": "changed"},
            )
        return token

    async def remove(self, hook: UUID, by: Agent) -> None:
        """Delete a hook: its address is not known any more. Its tickets stay."""
        async with storage_errors(), self._sessions.begin() as session:
            row = await _locked(session, hook)
            subject = ("hook", hook, row.name)
            audit.record(session, by.actor, "incoming_hook.removed", subject, old=_said(row))
            await session.delete(row)

    async def admit(self, token: str) -> None:
        """Count a report before it is read: what is refused here need not be.

        Raises:
            NotFound: the address is not known.
            TooManyAttempts: it had as many as it takes; admins see that.
        """
        now = self._now()
        async with storage_errors(), self._sessions.begin() as session:
            query = select(IncomingHook).where(IncomingHook.digest == _digest(token))
            hook = await session.scalar(query.with_for_update(key_share=True))
            if hook is None:
                raise NotFound("there is no such webhook")
            wait = seconds_to_wait(hook, self._per_minute, now)
            if wait > 0:
                await note_limit(session, hook, self._per_minute, now)
        if wait > 0:
            why = f"this address takes {self._per_minute} reports a minute"
            raise TooManyAttempts(wait, why)

    async def take(self, token: str, payload: Any) -> int | None:
        """Open, update or solve the ticket of what is reported; return its number.

        None where a matter is over that the desk never heard of.

        Raises:
            NotFound: the address is not known.
            InvalidInput: the report is not of the hook's form; nothing is stored.
        """
        async with storage_errors(), self._sessions.begin() as session:
            hook = await _known(session, token)
            alert = _read(hook, payload)
            ledger = Ledger(self._accounts, self._now())
            hook.reported_at = ledger.now
            # One report about a matter at a time: the second finds the ticket of the first.
            key = f"{hook.id} {alert.key}"
            await session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(key, 0))))
            known = await session.get(IncomingAlert, (hook.id, alert.key))
            number = await self._follow(session, ledger, hook, alert, known)
            await ledger.write(session)
            return number

    async def _follow(
        self,
        session: AsyncSession,
        ledger: Ledger,
        hook: IncomingHook,
        alert: Alert,
        known: IncomingAlert | None,
    ) -> int | None:
        if known is not None and (found := await _where_it_goes_on(session, ledger, known)):
            case, conversation = found
            _go_on(case, conversation, hook, alert, known)
            return case.ticket.number
        if alert.is_over:
            return None
        ticket = await self._open(session, ledger, hook, alert)
        if known is None:
            session.add(
                IncomingAlert(hook_id=hook.id, key=alert.key, ticket_id=ticket.id, said=alert.text)
            )
        else:
            known.ticket_id, known.said = ticket.id, alert.text
        return ticket.number

    async def _open(
        self, session: AsyncSession, ledger: Ledger, hook: IncomingHook, alert: Alert
    ) -> Ticket:
        place, unknown = None, []
        if alert.requester:
            try:
                requester = await self._registrations.whoever_has(session, alert.requester)
            except InvalidInput:
                unknown.append(alert.requester)
            else:
                place = await self._registrations.place_for(session, requester)
        place = place or await _own_place(session, hook, ledger.now)
        case = await register(
            session,
            ledger,
            Matter(
                account=place.account,
                contact=place.contact,
                author=Author(address=place.address, name=place.name),
                subject=alert.subject,
                text=alert.text,
                reason=HandoffReason.ALERT,
                priority=alert.priority or Priority.NORMAL,
                thread=place.thread,
            ),
            actor=_actor(hook),
        )
        place.take_part(case)
        if hook.team_id is not None:
            case.pass_to(TeamId(hook.team_id), actor=_actor(hook))
        await sort_as_reported(case, alert, actor=_actor(hook), unknown=unknown)
        return case.ticket


async def _known(session: AsyncSession, token: str) -> IncomingHook:
    hook = await session.scalar(select(IncomingHook).where(IncomingHook.digest == _digest(token)))
    if hook is None:
        raise NotFound("there is no such webhook")
    return hook


async def _locked(session: AsyncSession, hook: UUID) -> IncomingHook:
    row = await session.get(IncomingHook, hook, with_for_update=True)
    if row is None:
        raise NotFound("there is no such webhook")
    return row


async def _where_it_goes_on(
    session: AsyncSession, ledger: Ledger, known: IncomingAlert
) -> tuple[Case, Conversation] | None:
    """Return the ticket that a matter is dealt with in, and the conversation of its reports.

    It is another than the matter's own where that was merged, over others too. None where it is
    closed.
    """
    while True:
        name = await last_in_line(session, TicketId(known.ticket_id))
        case = await open_case(session, ledger, name)
        if case.ticket.status != TicketStatus.CLOSED:
            break
        if await last_in_line(session, name) == name:
            return None
        # It was merged while this waited for the lock.
    own = (await session.get_one(Ticket, known.ticket_id)).conversation_id
    reports = next((one for one in case.everywhere if one.id == own), None)
    return None if reports is None else (case, reports)


def _go_on(
    case: Case, conversation: Conversation, hook: IncomingHook, alert: Alert, known: IncomingAlert
) -> None:
    actor = _actor(hook)
    is_own = case.ticket.id == known.ticket_id
    if alert.text != known.said:
        known.said = alert.text
        where = Address(conversation.address or f"hook:{hook.id}")
        author = Author(address=where, name=hook.name)
        message = report(case.ledger, conversation, author, alert.text)
        case.ledger.record_message(case.ticket, message, "customer", actor=actor)
    # A ticket that this one was merged into may be about more: people see when that is over.
    if alert.is_over and is_own and not case.is_done:
        case.move(TicketTrigger.SOLVED, actor=actor, reason="the alert is over")
        case.conclude()
    elif not alert.is_over and case.is_done:
        case.move(TicketTrigger.REOPENED, actor=actor, reason="the alert is back")
        case.turn_over(Cause.TICKET_REOPENED)
        if case.ticket.assignee_id is not None:
            case.turn_over(Cause.AGENT_TOOK)
    if alert.priority is not None and is_own and not alert.is_over:
        case.rank(alert.priority, actor=actor)
    case.changed()


async def _own_place(session: AsyncSession, hook: IncomingHook, now: datetime) -> Place:
    """Return where what a program reports for itself goes on: nobody can be written to there."""
    address = Address(f"hook:{hook.id}")
    contact = await session.scalar(
        select(ContactAddress.contact_id).where(
            ContactAddress.account_id == PROGRAMS, ContactAddress.address == address
        )
    )
    if contact is None:
        contact = new_id()
        session.add(Contact(id=contact, name=hook.name, created_at=now))
        await session.flush()
        session.add(
            ContactAddress(account_id=PROGRAMS, address=address, contact_id=contact, name=hook.name)
        )
    return Place(
        contact=ContactId(contact),
        name=hook.name,
        account=PROGRAMS,
        address=address,
        thread=None,
        is_theirs=True,
    )


def _read(hook: IncomingHook, payload: Any) -> Alert:
    if not isinstance(payload, Mapping):
        raise InvalidInput("a report is a JSON object")
    if hook.format == HookFormat.ALERTMANAGER:
        return read_alertmanager(payload)
    return read_mapped(payload, mapping_from_json(hook.mapping or {}))


def _mapping_json(mapping: ReportMapping) -> dict[str, Any]:
    return {
        "key": mapping.key,
        "subject": mapping.subject,
        "text": mapping.text,
        "priority": mapping.priority,
        "over_path": mapping.over_path,
        "over_values": list(mapping.over_values),
        "category": mapping.category,
        "team": mapping.team,
        "requester": mapping.requester,
        "tags": mapping.tags,
        "fields": [list(one) for one in mapping.fields],
    }


def mapping_from_json(stored: Mapping[str, Any]) -> ReportMapping:
    """Return the mapping that a hook keeps; older ones have less in them."""
    several = {
        "over_values": tuple(stored.get("over_values", ())),
        "fields": tuple((label, path) for label, path in stored.get("fields", ())),
    }
    return ReportMapping(**{**stored, **several})


def _said(row: IncomingHook) -> dict[str, Any]:
    """Return what the audit log keeps of a hook."""
    return {
        "name": row.name,
        "format": str(row.format),
        "mapping": row.mapping,
        "team": None if row.team_id is None else str(row.team_id),
    }


def _actor(hook: IncomingHook) -> str:
    return f"hook:{hook.id}"


def _digest(token: str) -> bytes:
    # A fast digest is enough: tokens are 192 random bits, nobody can try them all.
    return hashlib.sha256(token[:200].encode(errors="replace")).digest()
