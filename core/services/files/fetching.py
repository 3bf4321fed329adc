"""The files that messages brought along: which is fetched next, and what came of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import exists, select
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.content import Caution, FileRef
from core.domain.conversation import Speaker
from core.domain.errors import (
    BadCredentials,
    ConversationErased,
    DeliveryError,
    Rejected,
    ScannerUnavailable,
    Throttled,
)
from core.domain.files import FileState, Refused
from core.domain.ids import AccountId, ConversationId, MessageId
from core.domain.languages import LANGUAGES
from core.services.delivery.backing_off import pause_after
from core.services.files.vault import Kept
from core.services.files.words import told
from core.services.ledger import Accounts, Ledger
from core.services.locks import locked, locked_with
from core.storage.engine import Sessions, storage_errors
from core.storage.feed import FeedKind
from core.storage.tables import Account, Attachment, Contact, Conversation, Message

_PATIENCE = timedelta(seconds=60)
"""How long what an admin has to mend is left alone between two looks."""

_SCANNER_PAUSE = timedelta(seconds=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchPlan:
    """A file that this worker fetches. `attempt` proves it, as for turns."""

    attachment: UUID
    message: MessageId
    account: AccountId
    attempt: int
    file: FileRef


@dataclass(frozen=True, slots=True, kw_only=True)
class NotConnected:
    """The file's account is not connected now."""


Outcome = Kept | Refused | DeliveryError | ScannerUnavailable | NotConnected
"""What became of an attempt."""


class Fetching:
    """The `files` lane of every conversation."""

    def __init__(
        self,
        sessions: Sessions,
        accounts: Accounts,
        max_age: timedelta = timedelta(hours=24),
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._sessions = sessions
        self._accounts = accounts
        self._max_age = max_age
        self._now = now

    async def plan(self, conversation_id: ConversationId) -> FetchPlan | None:
        """Begin with the next file of a conversation that is due; None where none is."""
        async with storage_errors(), self._sessions.begin() as session:
            conversation = await locked(session, conversation_id)
            attachment = await session.scalar(
                select(Attachment)
                .join(Message, Message.id == Attachment.message_id)
                .where(
                    Message.conversation_id == conversation_id,
                    Attachment.status == FileState.WAITING,
                    Attachment.available_at <= self._now(),
                )
                .order_by(Message.position, Attachment.position)
                .limit(1)
            )
            if attachment is None:
                return None
            account = await session.get(Account, conversation.account_id)
            if account is not None and account.paused_until and account.paused_until > self._now():
                attachment.available_at = account.paused_until
                return None
            attachment.attempts += 1
            # A file that kills whoever looks at it must not do so again at once.
            attachment.available_at = self._now() + pause_after(attachment.attempts)
            return FetchPlan(
                attachment=attachment.id,
                message=MessageId(attachment.message_id),
                account=AccountId(conversation.account_id),
                attempt=attachment.attempts,
                file=FileRef(
                    name=attachment.name,
                    media_type=attachment.media_type,
                    size_bytes=attachment.size_bytes,
                    remote=attachment.remote,
                    content_id=attachment.content_id,
                    is_inline=attachment.is_inline,
                ),
            )

    async def settle(self, plan: FetchPlan, outcome: Outcome) -> None:
        """Write what came of an attempt; a sender whose file was refused is told once."""
        async with storage_errors(), self._sessions.begin() as session:
            # Asked for now: a split may have moved it since the fetch began.
            conversation = await locked_with(session, plan.message)
            if conversation is None:
                raise ConversationErased
            attachment = await session.get_one(Attachment, plan.attachment)
            if attachment.status != FileState.WAITING or attachment.attempts != plan.attempt:
                return
            ledger = Ledger(self._accounts, self._now())
            message = await session.get_one(Message, attachment.message_id)
            match outcome:
                case Kept():
                    attachment.status = FileState.FETCHED
                    attachment.blob_key = outcome.blob_key
                    attachment.media_type = outcome.media_type
                    attachment.size_bytes = outcome.size_bytes
                    attachment.detail = None
                case Refused():
                    attachment.status = FileState.REFUSED
                    attachment.detail = str(outcome)
                    await _tell(session, ledger, conversation, message, attachment, outcome)
                case _:
                    self._later(attachment, message, outcome, ledger.now)
            ledger.changed(conversation, FeedKind.MESSAGE)
            await ledger.write(session)

    def _later(
        self,
        attachment: Attachment,
        message: Message,
        outcome: DeliveryError | ScannerUnavailable | NotConnected,
        now: datetime,
    ) -> None:
        is_old = now - message.created_at > self._max_age
        match outcome:
            case Rejected():
                attachment.status = FileState.FAILED
                attachment.detail = str(outcome) or "the platform does not give this file"
                return
            case Throttled():
                attachment.attempts -= 1
                pause, is_old = timedelta(seconds=outcome.retry_after), False
                attachment.detail = str(outcome)
            case BadCredentials():
                attachment.attempts -= 1
                pause, is_old = _PATIENCE, False
                attachment.detail = str(outcome)
            case NotConnected():
                attachment.attempts -= 1
                pause = _PATIENCE
                attachment.detail = "the account is not connected"
            case ScannerUnavailable():
                pause, is_old = _SCANNER_PAUSE, False
                attachment.detail = "waits for the virus scanner"
            case _:
                pause = pause_after(attachment.attempts)
                attachment.detail = str(outcome) or type(outcome).__name__
        if is_old:
            attachment.status = FileState.FAILED
        else:
            attachment.available_at = now + pause


async def _tell(
    session: AsyncSession,
    ledger: Ledger,
    conversation: Conversation,
    message: Message,
    attachment: Attachment,
    refused: Refused,
) -> None:
    """Say to the sender that their file was not taken in, and why."""
    if message.is_automatic or message.caution == Caution.CLAIMS_AGENT:
        return  # a machine would not read it, and may answer; the other is not who it says
    if not (conversation.is_current or conversation.is_beside):
        # The thread has gone on in another conversation, and counts its messages on from there.
        found = (
            await session.scalars(
                select(Conversation.id).where(
                    Conversation.account_id == conversation.account_id,
                    Conversation.thread == conversation.thread,
                    Conversation.is_current,
                )
            )
        ).one_or_none()
        if found is None:
            return  # the thread moved on under another name
        conversation = await locked(session, ConversationId(found))
    language = await _language(session, conversation)
    words = told(refused.reason, attachment.name, language)
    ledger.say(conversation, Speaker.SYSTEM, words)


async def _language(session: AsyncSession, conversation: Conversation) -> str | None:
    """Return the language to write in: of somebody who has said no word, what is known of them.

    Their conversation began in the desk's own language where nothing told theirs. What a platform
    or an agent said of them since then is better.
    """
    has_spoken = exists().where(
        Message.conversation_id == conversation.id,
        Message.speaker == Speaker.CUSTOMER,
        Message.text != "",
    )
    if conversation.language_is_chosen or await session.scalar(select(has_spoken)):
        return conversation.language
    contact = await session.get_one(Contact, conversation.contact_id)
    return contact.language if contact.language in LANGUAGES else conversation.language
