"""The JSON of conversations."""

from __future__ import annotations

from datetime import datetime
from typing import Self
from uuid import UUID

from pydantic import BaseModel

from console.api.shapes import PersonOut
from core.domain.conversation import Responder
from core.storage.queries.conversations.conversations import ConversationView, ParticipantView


class ParticipantOut(BaseModel):
    """Somebody in a conversation besides its requester."""

    address: str
    name: str | None
    left_at: datetime | None

    @classmethod
    def of(cls, view: ParticipantView) -> Self:
        """Return what the API tells of `view`."""
        return cls(address=view.address, name=view.name, left_at=view.left_at)


class ConversationOut(BaseModel):
    """A conversation."""

    id: UUID
    account: str
    channel: str | None
    responder: Responder  # who answers next
    requester: PersonOut
    address: str | None  # of the requester, where this one began
    ticket: int | None  # the number of the one it belongs to
    side_of: UUID | None  # the conversation it is held beside
    language: str | None
    subject: str | None
    opening: str  # the requester's first words
    created_at: datetime
    last_message_at: datetime

    @classmethod
    def of(cls, view: ConversationView, ticket: int | None) -> Self:
        """Return what the API tells of `view`."""
        return cls(
            id=view.id,
            account=view.account,
            channel=view.channel,
            responder=view.responder,
            requester=PersonOut.of(view.requester),
            address=view.address,
            ticket=ticket,
            side_of=view.side_of,
            language=view.language,
            subject=view.subject,
            opening=view.opening,
            created_at=view.created_at,
            last_message_at=view.last_message_at,
        )


class WholeConversationOut(ConversationOut):
    """A conversation with who takes part."""

    participants: list[ParticipantOut]  # besides the requester, earliest first
