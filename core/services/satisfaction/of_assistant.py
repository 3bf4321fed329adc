"""Asks how the assistant did, where it finished a conversation alone and the rules want that."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from core import texts
from core.domain.conversation import Responder
from core.domain.ids import ConversationId, new_id
from core.domain.satisfaction import SurveyRules, SurveyStatus
from core.domain.setbacks import Chore
from core.services.ledger import Accounts, Ledger
from core.services.locks import locked
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
from core.storage.engine import Sessions, storage_errors
from core.storage.queries.figures.unaided import UNAIDED
from core.storage.tables import Account, Conversation, Satisfaction

QUESTION = "How did the assistant help you?"

SILENCE = timedelta(minutes=3)
"""How long nobody has said anything before somebody is asked who did not say goodbye."""

_IS_OPEN = text("status IN ('waiting', 'asked')")
_IS_UNAIDED = text(f"SELECT {UNAIDED} FROM conversation c WHERE c.id = :conversation")  # noqa: S608 - ours, a constant


async def plan_survey(session: AsyncSession, ledger: Ledger, conversation: Conversation) -> None:
    """Have the requester of the locked `conversation` asked, once it is over and if it fits then.

    For a requester who said that an article helped, or who said goodbye.
    """
    rules = await survey_rules(session)
    if not _are_wanted(rules):
        return
    contact, now = conversation.contact_id, ledger.now
    if await was_asked_lately(session, contact, rules, now):
        return
    channel = select(Account.channel).where(Account.id == conversation.account_id)
    planned = upsert(Satisfaction).values(
        id=new_id(),
        conversation_id=conversation.id,
        contact_id=contact,
        channel=channel.scalar_subquery(),
        status=SurveyStatus.WAITING,
        due_at=now + rules.delay,
        created_at=now,
    )
    # One that waits for silence since an article helped is looked at again: this may be goodbye.
    await session.execute(
        planned.on_conflict_do_update(
            index_elements=[Satisfaction.conversation_id],
            index_where=_IS_OPEN,
            set_={"due_at": func.least(Satisfaction.due_at, planned.excluded.due_at)},
            where=Satisfaction.status == SurveyStatus.WAITING,
        )
    )


class SurveysOfAssistant:
    """Asks, and lets expire, what is due about the assistant. There is no reminder."""

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
        about = Satisfaction.conversation_id
        due = await due_surveys(self._sessions, about, self._setbacks, self._now())
        surveys = [(survey, ConversationId(what)) for survey, what in due]
        await self._setbacks.each(surveys, self._do, lambda one: one[1])
        return len(due)

    async def _do(self, due: tuple[UUID, ConversationId]) -> None:
        survey, place = due
        async with storage_errors(), self._sessions.begin() as session:
            conversation = await locked(session, place)
            ledger = Ledger(self._accounts, self._now())
            row = await session.get(Satisfaction, survey, with_for_update=True)
            if row is None or row.due_at is None or row.due_at > ledger.now:
                return
            await self._go_on(session, ledger, conversation, row)
            await ledger.write(session)

    async def _go_on(
        self,
        session: AsyncSession,
        ledger: Ledger,
        conversation: Conversation,
        survey: Satisfaction,
    ) -> None:
        now = ledger.now
        if survey.status == SurveyStatus.ASKED:
            survey.status, survey.due_at = SurveyStatus.EXPIRED, None
            return
        is_open = conversation.responder == Responder.BOT
        if is_open and now < conversation.last_message_at + SILENCE:
            survey.due_at = conversation.last_message_at + SILENCE
            return
        rules = await survey_rules(session)
        if await _fits(session, ledger, conversation, rules):
            may_be_asked = await may_be_asked_at(session, ledger, conversation)
            if may_be_asked > now:
                survey.due_at = may_be_asked
                return
            _ask(ledger, conversation, survey, rules, self._links)
        else:
            survey.status, survey.due_at = SurveyStatus.DROPPED, None


def _ask(
    ledger: Ledger,
    conversation: Conversation,
    survey: Satisfaction,
    rules: SurveyRules,
    links: SurveyLinks,
) -> None:
    survey.status, survey.asked_at = SurveyStatus.ASKED, ledger.now
    survey.due_at = survey.expires_at = ledger.now + rules.lasts
    put(ledger, conversation, survey.id, texts.text(conversation.language, QUESTION), links)


def _are_wanted(rules: SurveyRules) -> bool:
    return rules.is_on and rules.asks_of_assistant


async def _fits(
    session: AsyncSession, ledger: Ledger, conversation: Conversation, rules: SurveyRules
) -> bool:
    """Say whether the assistant finished it alone, as figures count that, and they can be asked."""
    if not _are_wanted(rules) or conversation.responder not in {Responder.BOT, Responder.CLOSED}:
        return False
    if await was_asked_lately(session, conversation.contact_id, rules, ledger.now):
        return False
    if not await can_be_asked(session, ledger, conversation):
        return False
    return bool(await session.scalar(_IS_UNAIDED, {"conversation": conversation.id}))
