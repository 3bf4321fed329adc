"""What a rehearsal has the desk say, and how all that was said through it is taken away."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.account import Origin
from core.domain.channel import Capabilities
from core.domain.content import Choice, Intent
from core.domain.conversation import Speaker
from core.domain.errors import Conflict, ConversationErased
from core.domain.ids import AccountId, ChoiceId, ConversationId, new_id
from core.services.ledger import Ledger
from core.services.locks import locked
from core.storage.engine import Sessions, storage_errors
from core.storage.tables import Account

_CONVERSATIONS_AT_ONCE = 50

_WITHOUT_BUTTONS = text(
    "SELECT id FROM conversation WHERE account_id = :account AND is_current"
    " AND responder <> 'closed' AND NOT EXISTS (SELECT FROM choice"
    "  WHERE choice.conversation_id = conversation.id AND NOT EXISTS (SELECT FROM message"
    "   JOIN choice AS pressed ON pressed.id = message.pressed_choice"
    "   WHERE pressed.message_id = choice.message_id"
    "    AND message.conversation_id = conversation.id))"
    " ORDER BY random() LIMIT :most"
)
_QUESTION = "This is a rehearsal. What would you like to do?"
_BUTTONS = {"Say hello": "greet", "See what you can do": "ask_capabilities"}
"""With the intents behind them: the assistant answers either in a sentence."""

_OF_CONVERSATIONS = """
DELETE FROM ticket_event USING ticket
 WHERE ticket.id = ticket_event.ticket_id AND ticket.conversation_id = ANY(:ids);
UPDATE ticket SET follows_id = NULL
 WHERE follows_id IN (SELECT id FROM ticket WHERE conversation_id = ANY(:ids));
DELETE FROM ticket WHERE conversation_id = ANY(:ids);
DELETE FROM delivery WHERE conversation_id = ANY(:ids);
DELETE FROM turn WHERE conversation_id = ANY(:ids);
DELETE FROM choice WHERE conversation_id = ANY(:ids);
DELETE FROM attachment USING message
 WHERE message.id = attachment.message_id AND message.conversation_id = ANY(:ids);
DELETE FROM message_revision USING message
 WHERE message.id = message_revision.message_id AND message.conversation_id = ANY(:ids);
DELETE FROM remote_message USING message
 WHERE message.id = remote_message.message_id AND message.conversation_id = ANY(:ids);
DELETE FROM message WHERE conversation_id = ANY(:ids);
DELETE FROM participant WHERE conversation_id = ANY(:ids);
DELETE FROM article_feedback WHERE conversation_id = ANY(:ids);
DELETE FROM feed WHERE conversation_id = ANY(:ids);
DELETE FROM conversation WHERE id = ANY(:ids)
"""
"""In an order in which nothing refers to what is gone."""

_OF_ACCOUNT = (
    "DELETE FROM inbound_event WHERE account_id = :account",
    "DELETE FROM early_event WHERE account_id = :account",
    "DELETE FROM payload_aside WHERE account_id = :account",
    "DELETE FROM quarantine WHERE account_id = :account",
    "DELETE FROM channel_cursor WHERE account_id = :account",
)

_PEOPLE = """
WITH gone AS (DELETE FROM contact_address WHERE account_id = :account RETURNING contact_id)
DELETE FROM contact WHERE id IN (SELECT contact_id FROM gone)
AND NOT EXISTS (SELECT FROM contact_address
 WHERE contact_id = contact.id AND account_id <> :account)
AND NOT EXISTS (SELECT FROM conversation WHERE contact_id = contact.id)
AND NOT EXISTS (SELECT FROM ticket WHERE contact_id = contact.id)
"""


class Rehearsals:
    """Has the desk ask something, and erases what is left. Raw payloads stay in the blob store."""

    def __init__(
        self, sessions: Sessions, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._sessions = sessions
        self._now = now

    async def ask(self, account: AccountId, most: int) -> int:
        """Show buttons in up to `most` conversations where none wait to be pressed.

        So there are some whether or not the assistant, which offers most, can be reached. Returns
        in how many it was asked.

        Raises:
            Conflict: the account is no rehearsal's.
        """
        async with storage_errors(), self._sessions() as session:
            await _locked(session, account)
            found = await session.scalars(_WITHOUT_BUTTONS, {"account": account, "most": most})
            chosen = [ConversationId(one) for one in found]
        for conversation in chosen:
            try:
                await self._ask(account, conversation)
            except ConversationErased:
                return 0
        return len(chosen)

    async def _ask(self, account: AccountId, conversation: ConversationId) -> None:
        choices = [
            Choice(id=ChoiceId(new_id()), label=label, intent=Intent(name=intent))
            for label, intent in _BUTTONS.items()
        ]
        async with storage_errors(), self._sessions.begin() as session:
            ledger = Ledger({account: Capabilities()}, self._now())
            row = await locked(session, conversation)
            ledger.say(row, Speaker.SYSTEM, _QUESTION, choices=choices)
            await ledger.write(session)

    async def pause(self, account: AccountId) -> None:
        """Let nothing more in or out through a rehearsal's account.

        Raises:
            Conflict: the account is no rehearsal's.
        """
        async with storage_errors(), self._sessions.begin() as session:
            row = await _locked(session, account)
            if row is not None:
                row.is_enabled = False

    async def erase(self, account: AccountId) -> None:
        """Remove a rehearsal's account and all that came of it. Interrupted, it goes on.

        Raises:
            Conflict: the account is no rehearsal's.
        """
        while await self._erase_some(account):
            pass
        async with storage_errors(), self._sessions.begin() as session:
            row = await _locked(session, account)
            for statement in (*_OF_ACCOUNT, _PEOPLE):
                await session.execute(text(statement), {"account": account})
            if row is not None:
                await session.delete(row)

    async def _erase_some(self, account: AccountId) -> bool:
        """Erase some conversations; say whether there were any."""
        async with storage_errors(), self._sessions.begin() as session:
            await _locked(session, account)
            found = await session.scalars(
                text(
                    # Those that count for others come last: the others refer to them.
                    "SELECT id FROM conversation WHERE id IN ("
                    "SELECT id FROM conversation WHERE account_id = :account"
                    " ORDER BY counted_by IS NULL, id LIMIT :limit) ORDER BY id FOR UPDATE"
                ),
                {"account": account, "limit": _CONVERSATIONS_AT_ONCE},
            )
            ids: list[UUID] = list(found)
            for statement in _OF_CONVERSATIONS.split(";") if ids else ():
                await session.execute(text(statement), {"ids": ids})
            return bool(ids)


async def _locked(session: AsyncSession, account: AccountId) -> Account | None:
    row = await session.get(Account, account)
    if row is not None and row.origin != Origin.REHEARSAL:
        raise Conflict(f"the account {account} is not a rehearsal's")
    return row
