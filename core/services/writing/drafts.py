"""Drafts: what an agent has typed in a conversation, on whatever machine they go on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.content import MAX_TEXT_CHARS, UNSTORABLE, Envelope
from core.domain.errors import InvalidInput, NotFound, TooLarge
from core.domain.files import KeptFile
from core.domain.ids import AgentId, ConversationId, UploadId
from core.services.files.uploads import MOST_FILES
from core.services.json_forms import envelope_from_json, envelope_json
from core.storage.engine import Sessions, storage_errors
from core.storage.tables import Conversation, Draft, Upload

_KEPT = timedelta(days=90)
_MOST_ENVELOPE_CHARS = 20_000


class DraftKind(StrEnum):
    """What is being written."""

    REPLY = "reply"
    NOTE = "note"


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftText:
    """What was typed so far. The envelope is as it was typed: nobody has checked it."""

    text: str = ""
    files: tuple[UploadId, ...] = ()
    envelope: Envelope | None = None
    seen: int | None = None  # the conversation's last message when it was begun

    def __post_init__(self) -> None:
        if len(self.text) > MAX_TEXT_CHARS:
            raise TooLarge(f"the text may have {MAX_TEXT_CHARS:,} characters at most")
        if len(self.files) > MOST_FILES:
            raise InvalidInput(f"a message has {MOST_FILES} files at most")
        addressed = "" if self.envelope is None else "".join(_words(self.envelope))
        if len(addressed) > _MOST_ENVELOPE_CHARS:
            raise TooLarge("this is addressed to too many")
        if UNSTORABLE.search(self.text) or UNSTORABLE.search(addressed):
            raise InvalidInput("text must not hold NUL characters or lone surrogates")

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing worth keeping."""
        return not (self.text.strip() or self.files or self.envelope)


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftView:
    """A draft with what its files are."""

    draft: DraftText
    files: Mapping[UploadId, KeptFile]
    updated_at: datetime


class Drafts:
    """Keeps drafts; the last save counts."""

    def __init__(
        self, sessions: Sessions, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._sessions = sessions
        self._now = now

    async def save(
        self, agent: AgentId, conversation: ConversationId, kind: DraftKind, draft: DraftText
    ) -> None:
        """Keep what `agent` has typed; an empty draft is forgotten.

        Raises:
            NotFound: there is no such conversation.
        """
        async with storage_errors(), self._sessions.begin() as session:
            if await session.get(Conversation, conversation) is None:
                raise NotFound("there is no such conversation")
            await keep_draft(session, agent, conversation, kind, draft, self._now())

    async def forget_old(self) -> None:
        """Forget drafts that nobody went on with for three months."""
        async with storage_errors(), self._sessions.begin() as session:
            await session.execute(delete(Draft).where(Draft.updated_at < self._now() - _KEPT))


async def keep_draft(
    session: AsyncSession,
    agent: AgentId,
    conversation: ConversationId,
    kind: DraftKind,
    draft: DraftText,
    now: datetime,
) -> None:
    """Keep a draft in the caller's transaction; an empty one is forgotten."""
    if draft.is_empty:
        await forget_draft(session, agent, conversation, kind)
        return
    values = {
        "text": draft.text,
        "files": [str(file) for file in draft.files],
        "envelope": envelope_json(draft.envelope),
        "seen_seq": draft.seen,
        "updated_at": now,
    }
    await session.execute(
        upsert(Draft)
        .values(agent_id=agent, conversation_id=conversation, kind=kind, **values)
        .on_conflict_do_update(index_elements=["agent_id", "conversation_id", "kind"], set_=values)
    )


async def forget_draft(
    session: AsyncSession, agent: AgentId, conversation: ConversationId, kind: DraftKind
) -> None:
    """Forget a draft in the caller's transaction: it was sent."""
    await session.execute(
        delete(Draft).where(
            Draft.agent_id == agent, Draft.conversation_id == conversation, Draft.kind == kind
        )
    )


async def drafts_of(
    session: AsyncSession, agent: AgentId, conversation: ConversationId
) -> Mapping[DraftKind, DraftView]:
    """Return what `agent` has typed in a conversation; files that are gone are left out."""
    rows = (
        await session.scalars(
            select(Draft).where(Draft.agent_id == agent, Draft.conversation_id == conversation)
        )
    ).all()
    wanted = [UUID(name) for row in rows for name in row.files]
    files = {}
    if wanted:
        uploads = await session.scalars(
            select(Upload).where(Upload.id.in_(wanted), Upload.agent_id == agent)
        )
        files = {
            UploadId(upload.id): KeptFile(
                name=upload.name,
                media_type=upload.media_type,
                size_bytes=upload.size_bytes,
                blob_key=upload.blob_key,
            )
            for upload in uploads
        }
    return {DraftKind(row.kind): _view(row, files) for row in rows}


def draft_from_row(row: Draft | None) -> DraftText:
    """Return what a row keeps; nothing where there is none."""
    if row is None:
        return DraftText()
    return DraftText(
        text=row.text,
        files=tuple(UploadId(UUID(name)) for name in row.files),
        envelope=envelope_from_json(row.envelope),
        seen=row.seen_seq,
    )


def _view(row: Draft, files: Mapping[UploadId, KeptFile]) -> DraftView:
    draft = draft_from_row(row)
    there = tuple(file for file in draft.files if file in files)
    return DraftView(
        draft=replace(draft, files=there),
        files={file: files[file] for file in there},
        updated_at=row.updated_at,
    )


def _words(envelope: Envelope) -> list[Any]:
    return [*envelope.to, *envelope.cc, *envelope.bcc, envelope.subject or ""]
