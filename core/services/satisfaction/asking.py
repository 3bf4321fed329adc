"""When a requester is asked how they were helped, and how."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import exists, select
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.assistant import HandoffReason
from core.domain.conversation import Responder
from core.domain.ids import TicketId, new_id
from core.domain.satisfaction import SurveyRules, SurveyStatus
from core.domain.setbacks import Chore
from core.domain.ticket import TicketStatus
from core.services.case import Case, open_case
from core.services.ledger import Accounts, Ledger
from core.services.reactions.reactor import TicketChange
from core.services.satisfaction.due import due_surveys
from core.services.satisfaction.links import SurveyLinks
from core.services.satisfaction.questions import (
    can_be_asked,
    may_be_asked_at,
    put,
    was_asked_lately,
)
from core.services.satisfaction.rules import survey_rules
from core.services.setbacks import Setbacks
from core.services.tickets.reviving import RESTORED
from core.storage.beforehand import Beforehand
from core.storage.engine import Sessions, storage_errors
from core.storage.tables import Account, Satisfaction
from core.texts import text

QUESTION = "How did we help you with ticket **#{number}**?"
REMINDER = "One short question if you have time: how did we help you with ticket **#{number}**?"

_OPEN = (SurveyStatus.WAITING, SurveyStatus.ASKED)


class SurveysOfTickets:
    """Asks when a ticket is solved; what was not answered is dropped when it is opened again."""

    name = "satisfaction"

    def __init__(self, links: SurveyLinks) -> None:
        self._links = links
        self._surveys = Beforehand(_open_surveys)

    async def prepare(
        self, session: AsyncSession, changes: Sequence[tuple[Case, TicketChange]]
    ) -> None:
        """Lock what has not been answered of tickets that are open again."""
        opened = {
            TicketId(case.ticket.id)
            for case, change in changes
            if change.field == "status" and not change.is_opening and not case.is_done
        }
        await self._surveys.read(session, opened)

    async def react(self, case: Case, change: TicketChange) -> None:
        """Look at changes of the status."""
        if change.field != "status":
            return
        if change.reason in RESTORED and case.is_done:
            return  # they were asked, or were not, when it was solved
        if change.new == TicketStatus.SOLVED and case.ticket.status == TicketStatus.SOLVED:
            # With the assistant again, the requester is not through with their matter.
            if case.conversation.responder != Responder.BOT:
                await self._plan(case)
        elif not case.is_done and not change.is_opening:
            _drop(await self._surveys.take(case.session, TicketId(case.ticket.id)))

    async def _plan(self, case: Case) -> None:
        rules = await survey_rules(case.session)
        if not rules.is_on or not await _may_be_asked(case, rules):
            return
        now = case.ledger.now
        survey = Satisfaction(
            id=new_id(),
            ticket_id=case.ticket.id,
            contact_id=case.ticket.contact_id,
            agent_id=case.ticket.assignee_id,
            team_id=case.ticket.team_id,
            category_id=case.ticket.category_id,
            channel=await case.session.scalar(
                select(Account.channel).where(Account.id == case.conversation.account_id)
            ),
            status=SurveyStatus.WAITING,
            due_at=now + rules.delay,
            created_at=now,
        )
        case.session.add(survey)
        if not rules.delay and await _is_time(case, survey):
            ask(case, survey, rules, self._links)


class SurveySweep:
    """Asks, reminds and lets expire what is due."""

    def __init__(
        self,
        sessions: Sessions,
        accounts: Accounts,
        links: SurveyLinks,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._sessions = sessions
        self._accounts = accounts
        self._links = links
        self._now = now
        self._setbacks = Setbacks(sessions, Chore.SURVEYS, now)

    async def do_due(self) -> int:
        """Do what is due, a bounded part of it; return how many surveys were looked at."""
        about = Satisfaction.ticket_id
        due = await due_surveys(self._sessions, about, self._setbacks, self._now())
        surveys = [(survey, TicketId(what)) for survey, what in due]
        await self._setbacks.each(surveys, self._do, lambda one: one[1])
        return len(due)

    async def _do(self, due: tuple[UUID, TicketId]) -> None:
        survey, ticket = due
        async with storage_errors(), self._sessions.begin() as session:
            ledger = Ledger(self._accounts, self._now())
            case = await open_case(session, ledger, ticket)
            row = await session.get_one(Satisfaction, survey, with_for_update=True)
            if row.due_at is not None and row.due_at <= ledger.now:
                await self._go_on(case, row)
            await ledger.write(session)

    async def _go_on(self, case: Case, survey: Satisfaction) -> None:
        now = case.ledger.now
        rules = await survey_rules(case.session)
        if survey.expires_at is not None and survey.expires_at <= now:
            survey.due_at = None
            if survey.status == SurveyStatus.ASKED:
                survey.status = SurveyStatus.EXPIRED
        elif not case.is_done:
            ticket = TicketId(case.ticket.id)
            _drop((await _open_surveys(case.session, [ticket]))[ticket])
        elif survey.status == SurveyStatus.WAITING:
            if rules.is_on and await _can_be_told(case):
                if await _is_time(case, survey):
                    ask(case, survey, rules, self._links)
            else:
                survey.status, survey.due_at = SurveyStatus.DROPPED, None
        elif survey.status == SurveyStatus.ASKED and survey.reminded_at is None:
            is_solved = case.ticket.status == TicketStatus.SOLVED
            is_wanted = rules.is_on and is_solved and await _can_be_told(case)
            if is_wanted and not await _is_time(case, survey):
                return
            survey.reminded_at = now
            survey.due_at = survey.expires_at
            if is_wanted:
                _say(case, survey, REMINDER, self._links)
        else:
            survey.due_at = survey.expires_at


def ask(case: Case, survey: Satisfaction, rules: SurveyRules, links: SurveyLinks) -> None:
    """Put the question to the requester of the locked `case`."""
    now = case.ledger.now
    survey.status = SurveyStatus.ASKED
    survey.asked_at = now
    survey.expires_at = now + rules.lasts
    survey.due_at = survey.expires_at if rules.remind_after is None else now + rules.remind_after
    _say(case, survey, QUESTION, links)


def _say(case: Case, survey: Satisfaction, key: str, links: SurveyLinks) -> None:
    said = text(case.conversation.language, key, number=case.ticket.number)
    put(case.ledger, case.conversation, survey.id, said, links)


async def _is_time(case: Case, survey: Satisfaction) -> bool:
    """Say whether a machine may write to the requester now; else `survey` is due when it may."""
    at = await may_be_asked_at(case.session, case.ledger, case.conversation)
    if at <= case.ledger.now:
        return True
    survey.due_at = at if survey.expires_at is None else min(at, survey.expires_at)
    return False


async def _may_be_asked(case: Case, rules: SurveyRules) -> bool:
    if case.ticket.reason == HandoffReason.UNVERIFIED_AUTHOR or not await _can_be_told(case):
        return False
    asked_lately = await was_asked_lately(
        case.session, case.ticket.contact_id, rules, case.ledger.now
    )
    return not asked_lately and not await _is_open(case)


async def _is_open(case: Case) -> bool:
    found = await case.session.scalar(
        select(
            exists().where(Satisfaction.ticket_id == case.ticket.id, Satisfaction.status.in_(_OPEN))
        )
    )
    return bool(found)


async def _can_be_told(case: Case) -> bool:
    return case.ticket.closed_as is None and await can_be_asked(
        case.session, case.ledger, case.conversation
    )


async def _open_surveys(
    session: AsyncSession, tickets: Collection[TicketId]
) -> Mapping[TicketId, Sequence[Satisfaction]]:
    rows = await session.scalars(
        select(Satisfaction)
        .where(Satisfaction.ticket_id.in_(tickets), Satisfaction.status.in_(_OPEN))
        .order_by(Satisfaction.id)
        .with_for_update()
    )
    found: dict[TicketId, list[Satisfaction]] = {ticket: [] for ticket in tickets}
    for row in rows:
        assert row.ticket_id is not None
        found[TicketId(row.ticket_id)].append(row)
    return found


def _drop(surveys: Sequence[Satisfaction]) -> None:
    for survey in surveys:
        survey.status, survey.due_at = SurveyStatus.DROPPED, None
