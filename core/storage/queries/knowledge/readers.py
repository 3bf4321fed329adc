"""Knows which organisation's articles may be shown in a conversation."""

from __future__ import annotations

from sqlalchemy import select, union_all
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.conversation import Speaker
from core.domain.ids import ConversationId, OrganisationId
from core.storage.tables import Contact, ContactAddress, Conversation, Message


async def organisation_of(
    session: AsyncSession, conversation: ConversationId
) -> OrganisationId | None:
    """Return the organisation of everybody who has a part in a conversation.

    None where one of them has none or another, or may only claim to be who they say: then articles
    of an organisation are not for all who read the answer.
    """
    requester = (
        select(Contact.organisation_id)
        .join(Conversation, Conversation.contact_id == Contact.id)
        .where(Conversation.id == conversation)
    )
    said = (
        select(Message.author, Message.caution, Conversation.account_id)
        .join(Conversation, Conversation.id == Message.conversation_id)
        .where(
            Message.conversation_id == conversation,
            Message.speaker == Speaker.CUSTOMER,
            Message.author.is_not(None),
            Message.is_automatic.is_(False) | Message.caution.is_not(None),
        )
        .distinct()
        .subquery()
    )
    writers = (
        select(Contact.organisation_id)
        .select_from(said)
        .outerjoin(
            ContactAddress,
            (ContactAddress.account_id == said.c.account_id)
            & (ContactAddress.address == said.c.author)
            & said.c.caution.is_(None),
        )
        .outerjoin(Contact, Contact.id == ContactAddress.contact_id)
    )
    found = set(await session.scalars(union_all(requester, writers)))
    (one,) = found if len(found) == 1 else (None,)
    return None if one is None else OrganisationId(one)
