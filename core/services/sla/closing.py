"""How tickets end that nobody writes in any more: one reminder, then solved, then closed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from sqlalchemy import select

from core.domain.calendars.arithmetic import BusinessHours
from core.domain.conversation import Speaker
from core.domain.ids import TicketId
from core.domain.setbacks import Chore
from core.domain.sla.clocks import History, Turn
from core.domain.ticket import TicketStatus, TicketTrigger
from core.services.case import Case, open_case
from core.services.delivery.budget import may_speak_at
from core.services.ledger import Accounts, Ledger
from core.services.setbacks import Setbacks
from core.services.sla.moments import day_in_words, known_zone
from core.services.sla.rules import Closing, PromiseBook
from core.storage.engine import Sessions, storage_errors
from core.storage.tables import Contact, SlaTicket, Ticket
from core.texts import text

REMINDER = (
    "We are still waiting for your answer about ticket **#{number}**. "
    "Without one, we will take it as solved on {day}."
)
REMINDER_WITHOUT_END = (
    "We are still waiting for your answer about ticket **#{number}**. Just write it here."
)
SILENCE = "no answer from the requester"
_ACTOR = "timer"
_BATCH = 100


def plan_end(
    row: SlaTicket,
    ticket: Ticket,
    history: History,
    hours: BusinessHours,
    closing: Closing,
    solved_grace: timedelta,
) -> None:
    """Write in `row` when the requester is reminded and when the ticket comes to its end."""
    row.remind_at = row.end_at = None
    if ticket.status == TicketStatus.PENDING:
        since = max(
            (m.at for m in history.moments if m.turn in (Turn.WAITS, Turn.ANSWERED)),
            default=ticket.updated_at,
        )
        if row.reminded_at is not None and row.reminded_at < since:
            row.reminded_at = None
        if closing.solve_after_days is not None:
            row.end_at = hours.days_later(since, closing.solve_after_days)
        if closing.remind_after_days is not None and row.reminded_at is None:
            row.remind_at = hours.days_later(since, closing.remind_after_days)
            if row.end_at is not None and row.end_at <= row.remind_at:
                row.remind_at = None
    elif ticket.status == TicketStatus.SOLVED and ticket.solved_at is not None:
        row.end_at = (
            ticket.solved_at + solved_grace
            if closing.close_after_days is None
            else hours.days_later(ticket.solved_at, closing.close_after_days)
        )
    if ticket.status != TicketStatus.PENDING:
        row.reminded_at = None


class ClosingSweep:
    """Reminds, solves and closes what is due."""

    def __init__(
        self,
        sessions: Sessions,
        accounts: Accounts,
        book: PromiseBook,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._sessions = sessions
        self._accounts = accounts
        self._book = book
        self._now = now
        self._setbacks = Setbacks(sessions, Chore.ENDING, now)

    async def end_due(self) -> int:
        """Do what is due; return with how many tickets."""
        now, free = self._now(), self._setbacks.is_free(SlaTicket.ticket_id)
        async with storage_errors(), self._sessions() as session:
            reminded = await session.scalars(
                select(SlaTicket.ticket_id).where(SlaTicket.remind_at <= now, free).limit(_BATCH)
            )
            ended = await session.scalars(
                select(SlaTicket.ticket_id).where(SlaTicket.end_at <= now, free).limit(_BATCH)
            )
            tickets = list(dict.fromkeys(TicketId(row) for row in [*ended, *reminded]))
        await self._setbacks.each(tickets, self._end)
        return len(tickets)

    async def _end(self, ticket: TicketId) -> None:
        async with storage_errors(), self._sessions.begin() as session:
            ledger = Ledger(self._accounts, self._now())
            case = await open_case(session, ledger, ticket)
            row = await session.get_one(SlaTicket, ticket, populate_existing=True)
            if row.end_at is not None and row.end_at <= ledger.now:
                row.end_at = row.remind_at = None
                _come_to_end(case)
            elif row.remind_at is not None and row.remind_at <= ledger.now:
                # It is not written before it may leave: until then they may have answered.
                can = ledger.can(case.conversation.account_id)
                may_at = await may_speak_at(session, case.conversation, can, ledger.now)
                if may_at > ledger.now:
                    row.remind_at = may_at
                    return
                row.remind_at, row.reminded_at = None, ledger.now
                await self._remind(case, row)
            case.changed()
            await ledger.write(session)

    async def _remind(self, case: Case, row: SlaTicket) -> None:
        conversation, ledger = case.conversation, case.ledger
        if case.ticket.status != TicketStatus.PENDING:
            return
        language = conversation.language
        if row.end_at is None:
            words = text(language, REMINDER_WITHOUT_END, number=case.ticket.number)
        else:
            contact = await case.session.get_one(Contact, case.ticket.contact_id)
            rules = await self._book.current(case.session)
            policy = next((each for each in rules.policies if each.id == row.policy_id), None)
            zone = known_zone(contact.time_zone) or rules.hours_of(policy).calendar.zone
            day = day_in_words(row.end_at, zone, language)
            words = text(language, REMINDER, number=case.ticket.number, day=day)
        ledger.say(conversation, Speaker.SYSTEM, words)
        ledger.record(case.ticket, "reminder", None, "sent", actor=_ACTOR)


def _come_to_end(case: Case) -> None:
    match case.ticket.status:
        case TicketStatus.PENDING:
            case.move(TicketTrigger.SOLVED, actor=_ACTOR, reason=SILENCE)
            case.conclude()
        case TicketStatus.SOLVED:
            case.move(TicketTrigger.GRACE_ENDED, actor=_ACTOR)
