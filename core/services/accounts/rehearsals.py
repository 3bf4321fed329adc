"""Takes a rehearsal away: its account and everything that was said through it."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.account import Origin
from core.domain.errors import Conflict
from core.domain.ids import AccountId
from core.storage.engine import Sessions, storage_errors
from core.storage.tables import Account

_CONVERSATIONS_AT_ONCE = 50

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
    """Erases what rehearsals leave. Raw payloads stay in the blob store."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

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
