"""Keeps what a requester says about how they were helped."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.content import Choice, Intent
from core.domain.conversation import Speaker
from core.domain.desk_choices import REOPEN
from core.domain.errors import IllegalTransition, NotFound
from core.domain.ids import Address, ChoiceId, TicketId, new_id
from core.domain.satisfaction import SurveyStatus, checked_comment, checked_score
from core.domain.ticket import TicketStatus
from core.services import audit
from core.services.case import Case, open_case
from core.services.figures.facts import count_again
from core.services.ledger import Accounts, Ledger
from core.services.satisfaction.links import SurveyLinks
from core.services.satisfaction.rules import survey_rules
from core.services.tickets.answering import give_status
from core.storage.engine import Sessions, storage_errors
from core.storage.tables import Conversation, Satisfaction, Ticket
from core.texts import text

THANKS = "Thank you for telling us."
SORRY = "Thank you for telling us, and sorry that it was not better. Shall we look at it again?"
OPEN_AGAIN = "Yes, open it again"
SORRY_OF_ASSISTANT = (
    "Thank you for telling us, and sorry that it was not better. Shall a person look at it?"
)
ASK_A_PERSON = "Yes, ask a person"
IS_OPEN = "Your ticket is open already."
CANNOT_BE_REOPENED = "Your ticket cannot be opened again from here. Write to us here instead."

_GONE = "there is no such survey"
UNSATISFIED = "unsatisfied"
"""Why a ticket is open again that its requester's survey opened, in its history."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SurveyView:
    """A survey as its page shows it."""

    id: UUID
    number: int | None  # of a ticket; none: it is about the assistant
    subject: str
    language: str
    score: int | None
    comment: str
    is_over: bool
    may_reopen: bool  # it was a low score, and the ticket is still solved


class SurveyAnswers:
    """What the survey's page reads and writes."""

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

    async def view(self, token: str) -> SurveyView:
        """Return the survey that a link leads to.

        Raises:
            NotFound: the link was not made here, or its survey is gone; the audit log has it.
        """
        name = await self._read(token)
        async with storage_errors(), self._sessions() as session:
            low = (await survey_rules(session)).low_score
            row = (
                await session.execute(
                    select(
                        Satisfaction,
                        Ticket.number,
                        Ticket.subject,
                        Ticket.status,
                        Conversation.language,
                    )
                    .outerjoin(Ticket, Ticket.id == Satisfaction.ticket_id)
                    .join(
                        Conversation,
                        Conversation.id
                        == func.coalesce(Satisfaction.conversation_id, Ticket.conversation_id),
                    )
                    .where(Satisfaction.id == name)
                )
            ).one_or_none()
        if row is None:
            async with storage_errors(), self._sessions.begin() as session:
                await self._note_gone(session, name)
            raise NotFound(_GONE)
        survey, number, subject, status, language = row
        takes_answers = _takes_answers(survey, self._now())
        was_low = survey.score is not None and survey.score <= low
        return SurveyView(
            id=survey.id,
            number=number,
            subject=subject or "",
            language=language or "en",
            score=survey.score,
            comment=survey.comment,
            is_over=not takes_answers,
            may_reopen=takes_answers and was_low and status == TicketStatus.SOLVED,
        )

    async def answer(self, token: str, score: int, comment: str) -> None:
        """Keep an answer, or change the one that was given.

        Raises:
            NotFound: the link was not made here, or its survey is gone; the audit log has it.
            IllegalTransition: the survey is over; the audit log has it.
            InvalidInput: there is no such score, or the comment is too long.
        """
        name, said = await self._read(token), checked_comment(comment)
        async with self._noted(name, "the survey is over"):
            await self._answer(name, score, said)

    async def _answer(self, name: UUID, score: int, said: str) -> None:
        async with storage_errors(), self._sessions.begin() as session:
            found = await session.get(Satisfaction, name)
            if found is None:
                raise NotFound(_GONE)
            ledger = Ledger(self._accounts, self._now())
            if found.ticket_id is None:
                survey = await session.get_one(
                    Satisfaction, name, with_for_update=True, populate_existing=True
                )
                _keep(session, survey, ledger.now, score, said)
                return
            case = await open_case(session, ledger, TicketId(found.ticket_id))
            survey = await session.get_one(
                Satisfaction, name, with_for_update=True, populate_existing=True
            )
            keep_answer(case, survey, score, said)
            await ledger.write(session)

    async def reopen(self, token: str) -> None:
        """Open the ticket again, because its requester was not content; an open one stays so.

        Raises:
            NotFound: the link was not made here, or its survey is gone.
            IllegalTransition: the survey is over or about the assistant, its score was no low
                one, or the ticket is closed.
            Both are in the audit log.
        """
        name = await self._read(token)
        async with self._noted(name, "its ticket cannot be opened again"):
            await self._reopen(name)

    async def _reopen(self, name: UUID) -> None:
        async with storage_errors(), self._sessions.begin() as session:
            found = await session.get(Satisfaction, name)
            if found is None:
                raise NotFound(_GONE)
            if found.ticket_id is None:
                raise IllegalTransition("survey", found.status, "opening a ticket again")
            ledger = Ledger(self._accounts, self._now())
            case = await open_case(session, ledger, TicketId(found.ticket_id))
            survey = await session.get_one(
                Satisfaction, name, with_for_update=True, populate_existing=True
            )
            low = (await survey_rules(session)).low_score
            is_low = survey.score is not None and survey.score <= low
            if not is_low or not _takes_answers(survey, case.ledger.now):
                raise IllegalTransition("survey", survey.status, "opening its ticket again")
            if not case.is_done:
                return
            if case.ticket.status == TicketStatus.CLOSED:
                raise IllegalTransition("ticket", case.ticket.status, "opening it again")
            await _open_again(case)
            await case.ledger.write(session)

    async def _read(self, token: str) -> UUID:
        try:
            return self._links.survey(token)
        except NotFound:
            subject = ("survey", "forged", audit.MADE_UP_LINK)
            async with storage_errors(), self._sessions.begin() as session:
                await self._note(session, subject, "forged")
            raise

    @asynccontextmanager
    async def _noted(self, survey: UUID, why: str) -> AsyncIterator[None]:
        """Keep that an answer was refused inside the block, and let the refusal go on."""
        try:
            yield
        except IllegalTransition:
            async with storage_errors(), self._sessions.begin() as session:
                number = await session.scalar(
                    select(Ticket.number)
                    .join(Satisfaction, Satisfaction.ticket_id == Ticket.id)
                    .where(Satisfaction.id == survey)
                )
                subject = ("survey", survey, audit.ASSISTANT if number is None else f"#{number}")
                await self._note(session, subject, why)
            raise
        except NotFound:
            async with storage_errors(), self._sessions.begin() as session:
                await self._note_gone(session, survey)
            raise

    async def _note_gone(self, session: AsyncSession, survey: UUID) -> None:
        await self._note(session, ("survey", survey, "?"), _GONE)

    async def _note(
        self, session: AsyncSession, subject: tuple[str, object, str], why: str
    ) -> None:
        await audit.record_refusal(session, "requester", "survey.refused", subject, why)


def keep_answer(case: Case, survey: Satisfaction, score: int, comment: str | None = None) -> None:
    """Keep an answer in the locked `survey` and in the history of its ticket."""
    old = survey.score
    new = _keep(case.session, survey, case.ledger.now, score, comment)
    if old != new:
        case.ledger.record(
            case.ticket,
            "satisfaction",
            None if old is None else str(old),
            str(new),
            actor="requester",
        )
        case.changed()


def _keep(
    session: AsyncSession, survey: Satisfaction, now: datetime, score: int, comment: str | None
) -> int:
    """Keep an answer in the locked `survey`; return its score."""
    if not _takes_answers(survey, now):
        raise IllegalTransition("survey", survey.status, "an answer")
    survey.score = checked_score(score)
    if comment is not None:
        survey.comment = comment
    count_again(session, {survey.answered_at, now})  # a changed answer leaves its old day
    survey.status, survey.answered_at, survey.due_at = SurveyStatus.ANSWERED, now, None
    return survey.score


async def press(
    session: AsyncSession,
    ledger: Ledger,
    conversation: Conversation,
    intent: Intent,
    author: Address,
) -> None:
    """Keep the score that a button stands for, and thank for it."""
    del author  # whoever takes part in the conversation may say how it went
    name = UUID(intent.entities["survey"])
    ticket = await session.scalar(
        select(Ticket)
        .join(Satisfaction, Satisfaction.ticket_id == Ticket.id)
        .where(Satisfaction.id == name, Ticket.conversation_id == conversation.id)
        .with_for_update(of=Ticket)
    )
    survey = await session.get(Satisfaction, name, with_for_update=True)
    if survey is None or not _takes_answers(survey, ledger.now):
        return
    score = int(intent.entities["score"])
    sorry, more = SORRY, OPEN_AGAIN
    wanted = Intent(name=REOPEN, entities={"survey": str(name)})
    if ticket is not None:
        keep_answer(Case(session, ledger, conversation, ticket), survey, score)
    elif survey.conversation_id is not None:
        _keep(session, survey, ledger.now, score, None)
        sorry, more = SORRY_OF_ASSISTANT, ASK_A_PERSON
        wanted = Intent(name="ask_human")
    else:
        return  # it was merged into another conversation: its page still takes the answer
    language = conversation.language
    if score > (await survey_rules(session)).low_score:
        ledger.say(conversation, Speaker.SYSTEM, text(language, THANKS))
        return
    offered = Choice(id=ChoiceId(new_id()), label=text(language, more), intent=wanted)
    ledger.say(conversation, Speaker.SYSTEM, text(language, sorry), choices=[offered])


async def press_reopen(
    session: AsyncSession,
    ledger: Ledger,
    conversation: Conversation,
    intent: Intent,
    author: Address,
) -> None:
    """Open a solved ticket again; an open one stays so, and a closed one is closed. Say which."""
    del author  # as in `press`
    ticket = await session.scalar(
        select(Ticket)
        .join(Satisfaction, Satisfaction.ticket_id == Ticket.id)
        .where(
            Satisfaction.id == UUID(intent.entities["survey"]),
            Ticket.conversation_id == conversation.id,
        )
        .with_for_update(of=Ticket)
    )
    if ticket is None or ticket.status == TicketStatus.CLOSED:
        said = text(conversation.language, CANNOT_BE_REOPENED)
        ledger.say(conversation, Speaker.SYSTEM, said)
    elif ticket.status == TicketStatus.SOLVED:
        await _open_again(Case(session, ledger, conversation, ticket))
    else:
        ledger.say(conversation, Speaker.SYSTEM, text(conversation.language, IS_OPEN))


async def _open_again(case: Case) -> None:
    await give_status(case, TicketStatus.OPEN, actor="requester", reason=UNSATISFIED)
    case.changed()


def _takes_answers(survey: Satisfaction, now: datetime) -> bool:
    return (
        survey.status in {SurveyStatus.ASKED, SurveyStatus.ANSWERED}
        and survey.expires_at is not None
        and now < survey.expires_at
    )
