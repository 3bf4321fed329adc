"""What agents do to words of theirs that are said already: correct them, take them back."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.actor import Agent, Role
from core.domain.channel import DeliveryAction, DeliveryState
from core.domain.content import check_words
from core.domain.conversation import Speaker
from core.domain.errors import Conflict, Forbidden, NotFound
from core.domain.ids import AccountId, MessageId
from core.services.ledger import Accounts, Ledger
from core.services.locks import locked_with
from core.services.revisions import check_content
from core.storage.engine import Sessions, storage_errors
from core.storage.feed import FeedKind
from core.storage.tables import Conversation, Delivery, Message


@dataclass(slots=True)
class _Desk:
    """A message at work, in its locked conversation."""

    session: AsyncSession
    ledger: Ledger
    conversation: Conversation
    message: Message

    async def waiting(self, action: DeliveryAction) -> Delivery | None:
        """Return what waits to be done with the message."""
        found: Delivery | None = await self.session.scalar(
            select(Delivery).where(
                Delivery.message_id == self.message.id,
                Delivery.action == action,
                Delivery.status == DeliveryState.WAITING,
            )
        )
        return found


class Corrections:
    """Changes what agents said, here and, where it has left already, on the platform."""

    def __init__(
        self,
        sessions: Sessions,
        accounts: Accounts,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._sessions = sessions
        self._accounts = accounts
        self._now = now

    async def correct(
        self, message_id: MessageId, agent: Agent, words: str, *, version: int | None = None
    ) -> None:
        """Let a message say `words`; what it said stays in its history.

        `version` is the `content_version` of what the agent believes it to say.

        Raises:
            NotFound: there is no such message.
            Forbidden: it is not `agent`'s own, and they are no admin.
            Conflict: it was taken back, never reached anybody, or the channel cannot change it.
            InvalidInput: the words are empty, too many, or hold what cannot be stored.
            Outdated: it says something else than at `version`.
        """
        check_words(words)
        async with self._at_work(message_id, agent, version) as desk:
            message = desk.message
            if message.text == words.strip():
                return
            if not message.is_internal and await desk.waiting(DeliveryAction.SEND) is None:
                self._must_have_left(desk, "change")
                if await desk.waiting(DeliveryAction.EDIT) is None:
                    desk.ledger.send(desk.conversation, message_id, DeliveryAction.EDIT)
            desk.ledger.keep_revision(message)
            message.text, message.html = words.strip(), None
            message.edited_at = desk.ledger.now

    async def withdraw(
        self, message_id: MessageId, agent: Agent, *, version: int | None = None
    ) -> None:
        """Take a message back; it stays in the record, marked.

        Raises:
            NotFound: there is no such message.
            Forbidden: it is not `agent`'s own, and they are no admin.
            Conflict: it was taken back before, or the channel cannot take it back.
            Outdated: it says something else than at `version`.
        """
        async with self._at_work(message_id, agent, version) as desk:
            message = desk.message
            unsent = await desk.waiting(DeliveryAction.SEND)
            if unsent is not None:
                unsent.status = message.delivery = DeliveryState.DROPPED
                unsent.finished_at = desk.ledger.now
            elif not message.is_internal and message.delivery not in _REACHED_NOBODY:
                self._must_have_left(desk, "take back")
                desk.ledger.send(desk.conversation, message_id, DeliveryAction.REMOVE)
            message.removed_at = desk.ledger.now

    @asynccontextmanager
    async def _at_work(
        self, message_id: MessageId, agent: Agent, version: int | None
    ) -> AsyncIterator[_Desk]:
        async with storage_errors(), self._sessions.begin() as session:
            conversation = await locked_with(session, message_id)
            if conversation is None:
                raise NotFound("there is no such message")
            message = await session.get_one(Message, message_id)
            if message.speaker != Speaker.AGENT:
                raise Forbidden("only what agents said can be changed")
            if message.agent_id != agent.id and agent.role != Role.ADMIN:
                raise Forbidden("another agent said this")
            if message.removed_at is not None:
                raise Conflict("this message was taken back already")
            check_content(message.text, version)
            desk = _Desk(session, Ledger(self._accounts, self._now()), conversation, message)
            yield desk
            desk.ledger.changed(conversation, FeedKind.MESSAGE)
            await desk.ledger.write(session)

    def _must_have_left(self, desk: _Desk, deed: str) -> None:
        if desk.message.delivery in _REACHED_NOBODY:
            raise Conflict("this message reached nobody: write a new one")
        if desk.message.delivery == DeliveryState.PARKED:
            raise Conflict("say first whether this message arrived")
        capabilities = self._accounts.get(AccountId(desk.conversation.account_id))
        can = capabilities is not None and (
            capabilities.edits if deed == "change" else capabilities.removes
        )
        if not can:
            raise Conflict(f"this channel cannot {deed} what was sent")


_REACHED_NOBODY = (DeliveryState.FAILED, DeliveryState.DROPPED)
