"""Knows which organisation the requester of a conversation reads articles of."""

from __future__ import annotations

from sqlalchemy import exists, select
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.conversation import Speaker
from core.domain.ids import ConversationId, OrganisationId
from core.storage.tables import Contact, Conversation, Message


async def organisation_of(
    session: AsyncSession, conversation: ConversationId
) -> OrganisationId | None:
    """Return the organisation of a conversation's requester; None where there is none.

    And where anybody in it may only claim to be the requester: then articles of the organisation
    are not for them.
    """
    found = await session.scalar(
        select(Contact.organisation_id)
        .join(Conversation, Conversation.contact_id == Contact.id)
        .where(
            Conversation.id == conversation,
            ~exists().where(
                Message.conversation_id == Conversation.id,
                Message.speaker == Speaker.CUSTOMER,
                Message.caution.is_not(None),
            ),
        )
    )
    return None if found is None else OrganisationId(found)
