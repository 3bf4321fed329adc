"""The JSON of messages and files."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from console.api.shapes import (
    PersonOut,
)
from core.domain.channel import RecipientOutcome
from core.domain.content import Caution, Envelope
from core.domain.files import FileState, plain_name
from core.storage.queries.conversations.messages import MessageView
from core.storage.queries.files import FileView


class ChoiceOut(BaseModel):
    """A button under a message."""

    id: UUID
    label: str
    pressed: bool


class UploadOut(BaseModel):
    """A file that was handed in; its id goes into a reply, within a day."""

    id: UUID
    name: str
    media_type: str  # as its content shows
    size_bytes: int


class FileOut(BaseModel):
    """A file of a message."""

    id: UUID
    name: str
    media_type: str  # as its content shows, once it is fetched
    size_bytes: int | None
    state: FileState
    detail: str | None  # why it waits, was refused or failed

    @classmethod
    def of(cls, file: FileView) -> FileOut:
        """Return what the API tells of `file`."""
        return cls(
            id=file.id,
            name=plain_name(file.name),
            media_type=file.media_type,
            size_bytes=file.size_bytes,
            state=file.state,
            detail=file.detail,
        )


class EnvelopeOut(BaseModel):
    """Between whom a letter went."""

    to: list[str]
    cc: list[str]
    bcc: list[str]
    subject: str | None

    @classmethod
    def of(cls, envelope: Envelope) -> EnvelopeOut:
        """Return what the API tells of `envelope`."""
        return cls(
            to=list(envelope.to),
            cc=list(envelope.cc),
            bcc=list(envelope.bcc),
            subject=envelope.subject,
        )


class RecipientOut(BaseModel):
    """What was heard of a letter for one of those it went to."""

    address: str
    outcome: RecipientOutcome
    detail: str


class RevisionOut(BaseModel):
    """What a message said before an edit."""

    text: str
    replaced_at: datetime


class MessageOut(BaseModel):
    """Something said in a conversation."""

    model_config = ConfigDict(serialize_by_alias=True, validate_by_name=True)

    id: UUID
    conversation: UUID
    seq: int
    speaker: Literal["customer", "bot", "agent", "system"] = Field(alias="from")
    agent: PersonOut | None
    internal: bool  # a note that the requester never sees
    text: str
    quoted: str | None  # what an e-mail repeats of earlier ones
    signature: str | None
    choices: list[ChoiceOut]
    files: list[FileOut]
    unsupported: list[str]  # kinds of content without a text form, such as a poll
    reactions: dict[str, int]  # how many people reacted with what
    revisions: list[RevisionOut]  # oldest first
    envelope: EnvelopeOut | None
    recipients: list[RecipientOut]  # those of whom something was heard
    caution: Caution | None
    automatic: bool  # from a machine
    delivery: str
    delivery_detail: str | None
    at: datetime
    edited_at: datetime | None
    removed_at: datetime | None

    @classmethod
    def of(cls, message: MessageView) -> MessageOut:
        """Return what the API tells of `message`; the words of a removed one are kept back."""
        return cls(
            id=message.id,
            conversation=message.conversation,
            seq=message.seq,
            speaker=message.speaker.value,
            agent=None if message.agent is None else PersonOut.of(message.agent),
            internal=message.is_internal,
            text="" if message.removed_at else message.text,
            choices=[
                ChoiceOut(id=choice.id, label=choice.label, pressed=choice.is_pressed)
                for choice in message.choices
            ],
            quoted=None if message.removed_at else message.quoted,
            signature=None if message.removed_at else message.signature,
            files=[FileOut.of(file) for file in message.files],
            unsupported=list(message.unsupported),
            reactions=dict(message.reactions),
            revisions=[
                RevisionOut(text=revision.text, replaced_at=revision.replaced_at)
                for revision in (() if message.removed_at else message.revisions)
            ],
            envelope=None if message.envelope is None else EnvelopeOut.of(message.envelope),
            recipients=[
                RecipientOut(address=address, outcome=report.outcome, detail=report.detail)
                for address, report in message.reported.items()
            ],
            caution=message.caution,
            automatic=message.is_automatic,
            delivery=message.delivery,
            delivery_detail=message.delivery_detail,
            at=message.at,
            edited_at=message.edited_at,
            removed_at=message.removed_at,
        )
