"""Codes as work: asked for by agents, mailed, and the contacts joined that they prove to be one."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.actor import Agent
from core.domain.errors import Conflict, InvalidInput
from core.domain.ids import AccountId, Address, ContactId, ConversationId, TicketId
from core.domain.linking import CODE_DIGITS, digest_of, masked, wish_in
from core.domain.setbacks import Chore
from core.ports import Channel
from core.services import audit
from core.services.case import open_case
from core.services.conversations.privacy import is_private
from core.services.ledger import Accounts, Ledger
from core.services.linking.asking import ask_for_code, end, lock_codes, say
from core.services.locks import locked
from core.services.people.contacts import contact_at, lock_contacts
from core.services.requester_records.merging import ContactMerging
from core.services.setbacks import Setbacks
from core.storage.engine import Sessions, storage_errors
from core.storage.tables import ContactAddress, Conversation, LinkCode

LINKED = "Thank you. {email} and you here are one person for us now."
NOT_MAILED = "No mail could be sent to {email}. Check the address and try again."
NOT_LINKED = "The code was right, but the two cannot be linked by themselves. Our team will look."
_AGAIN = timedelta(seconds=30)
_AT_ONCE = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeMail:
    """A code that is to be mailed now."""

    id: UUID
    account: AccountId  # from which
    email: Address
    code: str
    conversation: ConversationId
    language: str
    due: datetime  # proves that nobody else has mailed another one meanwhile


class LinkCodes:
    """The codes of all chats."""

    def __init__(
        self,
        sessions: Sessions,
        accounts: Accounts,
        channels: Mapping[AccountId, Channel],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._sessions = sessions
        self._accounts = accounts
        self._channels = channels
        self._now = now
        self.setbacks = Setbacks(sessions, Chore.LINK_CODES, now)
        self._merging = ContactMerging(sessions, accounts, now)

    async def ask(self, ticket_id: TicketId, email: str, by: Agent) -> None:
        """Have a code mailed that the requester of a ticket is to enter in their chat.

        Raises:
            NotFound: there is no such ticket.
            InvalidInput: that is no e-mail address, the ticket is not of a chat or of one that
                others read, or the desk cannot mail.
            TooManyAttempts: they, or the address, had several codes in the last hour.
        """
        wish = wish_in(f"/link {email.strip()}")
        if wish is None or "email" not in wish.entities:
            raise InvalidInput("this is not an e-mail address")
        async with storage_errors(), self._sessions.begin() as session:
            ledger = Ledger(self._accounts, self._now())
            case = await open_case(session, ledger, ticket_id)
            conversation = case.conversation
            if conversation.address is None or not ledger.is_chat(conversation.account_id):
                raise InvalidInput("codes are entered in a chat: this ticket is of none")
            if not is_private(self._channels, conversation.account_id, conversation.thread):
                raise InvalidInput("others read this chat: codes are entered in private messages")
            if not ledger.can_mail:
                raise InvalidInput("no e-mail account is connected")
            who = (AccountId(conversation.account_id), conversation.address)
            address = wish.entities["email"]
            await lock_codes(session, [(who, address)])
            await ask_for_code(session, ledger, conversation, who, address, by=by.actor)
            ledger.record(case.ticket, "link_code", None, masked(address), actor=by.actor)
            case.changed()
            await ledger.write(session)

    async def to_mail(self) -> CodeMail | None:
        """Return a code to mail, made now; it is kept as a digest alone. None where none is due."""
        async with storage_errors(), self._sessions.begin() as session:
            now = self._now()
            row = await self._due(session, is_proven=False)
            if row is None:
                return None
            conversation = await session.get_one(Conversation, row.conversation_id)
            accounts = sorted(a for a, can in self._accounts.items() if can.letters)
            if row.expires_at <= now or not accounts:
                await self._refuse(session, row, "not mailed", NOT_MAILED)
                return None
            code = f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}}"
            row.digest, row.mailed_from = digest_of(row.salt, code), accounts[0]
            row.due_at = now + _AGAIN
            return CodeMail(
                id=row.id,
                account=accounts[0],
                email=Address(row.email),
                code=code,
                conversation=ConversationId(row.conversation_id),
                language=conversation.language or "en",
                due=row.due_at,
            )

    async def mailed(self, mail: CodeMail) -> None:
        """Write down that a code has left, or may have."""
        async with storage_errors(), self._sessions.begin() as session:
            row = await session.get_one(LinkCode, mail.id, with_for_update=True)
            if row.due_at == mail.due and row.proven_at is None:
                row.due_at = None

    async def not_mailed(self, mail: CodeMail) -> None:
        """Tell who is to enter a code that no mail can be sent to this address."""
        async with storage_errors(), self._sessions.begin() as session:
            row = await session.get_one(LinkCode, mail.id, with_for_update=True)
            if row.ended_at is None:
                await self._refuse(session, row, "not mailed", NOT_MAILED)

    async def join_due(self) -> None:
        """Join the contacts that codes have proven to be one person."""
        is_more = True

        async def join(_: int, drawn: list[UUID]) -> int:
            nonlocal is_more
            async with storage_errors(), self._sessions.begin() as session:
                row = await self._due(session, is_proven=True)
                if row is None:
                    is_more = False
                    return 0
                drawn.append(row.id)
                await self._join(session, row)
                return 1

        for _ in range(_AT_ONCE):
            await self.setbacks.drawn(join, 1)
            if not is_more:
                return

    async def _due(self, session: AsyncSession, *, is_proven: bool) -> LinkCode | None:
        proven = LinkCode.proven_at
        return await session.scalar(
            select(LinkCode)
            .where(
                LinkCode.due_at <= self._now(),
                self.setbacks.is_free(LinkCode.id),
                proven.is_not(None) if is_proven else proven.is_(None),
            )
            .order_by(LinkCode.due_at)
            .limit(1)
            .with_for_update(skip_locked=True)
        )

    async def _join(self, session: AsyncSession, row: LinkCode) -> None:
        # The oldest is kept: it has more behind it, and an address new to the desk no name.
        kept, *others = await self._locked_people(session, row)
        try:
            async with session.begin_nested():
                for other in others:
                    await self._merging.merge_in(session, kept, other, row.by)
        except Conflict:
            await self._refuse(session, row, "not linked", NOT_LINKED)
            return
        ledger = Ledger(self._accounts, self._now())
        end(row, ledger, "linked")
        conversation = await locked(session, ConversationId(row.conversation_id))
        say(ledger, conversation, LINKED, email=masked(row.email))
        audit.record(
            session,
            "requester",
            "contact.linked",
            ("contact", kept, masked(row.email)),
            new={"account": row.account_id, "asked_by": row.by},
        )
        await ledger.write(session)

    async def _locked_people(self, session: AsyncSession, row: LinkCode) -> list[ContactId]:
        """Lock all contacts that a code has proven to be one, the oldest first."""
        are_locked: set[ContactId] = set()
        while True:
            mail = await contact_at(session, AccountId(row.mailed_from or ""), Address(row.email))
            chat = await contact_at(session, AccountId(row.account_id), Address(row.address))
            known = await session.scalars(
                select(ContactAddress.contact_id)
                .where(
                    or_(
                        ContactAddress.verified_email == row.email,
                        (ContactAddress.address == row.email)
                        & ContactAddress.account_id.in_(self._mail_accounts()),
                    )
                )
                .distinct()
            )
            found = {ContactId(one) for one in known} | {mail, chat}
            if found <= are_locked:
                return sorted(found)
            await lock_contacts(session, found)
            are_locked = found  # a merge that this had to wait for may have changed whose they are

    async def _refuse(self, session: AsyncSession, row: LinkCode, outcome: str, words: str) -> None:
        ledger = Ledger(self._accounts, self._now())
        end(row, ledger, outcome)
        conversation = await locked(session, ConversationId(row.conversation_id))
        say(ledger, conversation, words, email=masked(row.email))
        await ledger.write(session)

    def _mail_accounts(self) -> Collection[AccountId]:
        return [account for account, can in self._accounts.items() if can.letters]
