"""How the question about satisfaction is put, and to whom it can be."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from uuid import UUID

from sqlalchemy import exists, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.content import Choice, Intent
from core.domain.conversation import Speaker
from core.domain.desk_choices import RATE
from core.domain.ids import ChoiceId, new_id
from core.domain.satisfaction import LABELS, SCORES, SurveyRules, SurveyStatus
from core.services.delivery.budget import may_speak_at
from core.services.ledger import Ledger
from core.services.satisfaction.links import SurveyLinks
from core.storage.tables import ContactAddress, Conversation, Satisfaction, Ticket
from core.texts import text

WITH_LINK = "You can also answer [on a page]({link}), and add a comment there."


def put(
    ledger: Ledger, conversation: Conversation, survey: UUID, said: str, links: SurveyLinks
) -> None:
    """Say the question `said` in the locked `conversation`, with what it is answered by."""
    language = conversation.language
    capabilities = ledger.can(conversation.account_id)
    is_letter = capabilities is not None and capabilities.letters
    if not is_letter:
        said = f"{said}\n\n{text(language, WITH_LINK, link=links.link(survey))}"
    choices = [
        Choice(
            id=ChoiceId(new_id()),
            label=text(language, label),
            intent=Intent(name=RATE, entities={"survey": str(survey), "score": str(score)}),
            # A click leads to a page with a button: programs that open every link must not vote.
            link=links.link(survey, score) if is_letter else None,
        )
        for score, label in zip(SCORES, LABELS, strict=True)
    ]
    ledger.say(conversation, Speaker.SYSTEM, said, choices=choices)


async def was_asked_lately(
    session: AsyncSession, contact: UUID, rules: SurveyRules, now: datetime
) -> bool:
    """Say whether a person was asked about whatever, or is about to be, so that they have rest.

    A question that is planned about the assistant does not count: it gives way to one about a
    ticket, and is left out when it is due if another was asked meanwhile.
    """
    found = await session.scalar(
        select(
            exists().where(
                Satisfaction.contact_id == contact,
                (Satisfaction.asked_at > now - rules.quiet)
                | (
                    (Satisfaction.status == SurveyStatus.WAITING)
                    & Satisfaction.ticket_id.is_not(None)
                ),
            )
        )
    )
    return bool(found)


async def surveys_that_take_answers(
    session: AsyncSession, surveys: Collection[str], now: datetime
) -> Mapping[str, UUID]:
    """Return those of `surveys` that are not over, with the conversations they are about."""
    about = func.coalesce(Satisfaction.conversation_id, Ticket.conversation_id)
    rows = await session.execute(
        select(Satisfaction.id, about)
        .outerjoin(Ticket, Ticket.id == Satisfaction.ticket_id)
        .where(
            Satisfaction.id.in_([UUID(survey) for survey in surveys]),
            Satisfaction.status.in_((SurveyStatus.ASKED, SurveyStatus.ANSWERED)),
            Satisfaction.expires_at > now,
        )
    )
    return {str(survey): conversation for survey, conversation in rows}


async def can_be_asked(session: AsyncSession, ledger: Ledger, conversation: Conversation) -> bool:
    """Say whether a question said in the locked `conversation` reaches its requester."""
    capabilities = ledger.can(conversation.account_id)
    return (
        capabilities is not None
        and not capabilities.unread
        and conversation.unreachable_since is None
        and (conversation.is_current or conversation.is_beside)
        and not await _comes_back(session, conversation)
    )


async def may_be_asked_at(
    session: AsyncSession, ledger: Ledger, conversation: Conversation
) -> datetime:
    """Return when the requester may be asked: now, or once machines have been silent for long."""
    can = ledger.can(conversation.account_id)
    return await may_speak_at(session, conversation, can, ledger.now)


async def _comes_back(session: AsyncSession, conversation: Conversation) -> bool:
    """Say whether what is sent to the requester comes back for good."""
    if conversation.address is None:
        return False
    bounce = await session.scalar(
        select(ContactAddress.bounce).where(
            ContactAddress.account_id == conversation.account_id,
            ContactAddress.address == conversation.address,
        )
    )
    return bounce == "hard"
