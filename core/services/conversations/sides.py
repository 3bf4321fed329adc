"""What agents say to third parties beside a requester's conversation, who never see it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.actor import Agent
from core.domain.content import Envelope, check_words
from core.domain.conversation import Responder, Speaker
from core.domain.errors import IllegalTransition, InvalidInput, NotFound
from core.domain.files import FileState, KeptFile
from core.domain.ids import (
    AccountId,
    ContactId,
    ConversationId,
    MessageId,
    TicketId,
    UploadId,
    new_id,
)
from core.domain.ticket import TicketStatus
from core.services.conversations.letters import Letters, bring_in
from core.services.files.uploads import check_fit, handed_in
from core.services.ledger import Accounts, Ledger
from core.services.locks import locked
from core.services.people.contacts import kept_contact_at
from core.services.writing.drafts import DraftKind, forget_draft
from core.storage.engine import Sessions, storage_errors
from core.storage.feed import FeedKind
from core.storage.queries.links.merges import beneath
from core.storage.tables import (
    Attachment,
    ContactAddress,
    Conversation,
    Message,
    Ticket,
)


class Sides:
    """Begins and continues conversations that are held beside another.

    Each is a conversation of the same account in a thread of its own, answered by humans: the
    assistant never speaks in it, and it has no ticket but the one beside which it is held.
    """

    def __init__(
        self,
        sessions: Sessions,
        accounts: Accounts,
        letters: Letters,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._sessions = sessions
        self._accounts = accounts
        self._letters = letters
        self._now = now

    async def begin(
        self,
        ticket_id: TicketId,
        agent: Agent,
        words: str,
        envelope: Envelope,
        *,
        passed_on: Sequence[MessageId] = (),
        files: Sequence[UploadId] = (),
    ) -> ConversationId:
        """Write to somebody else about a ticket; `passed_on` are messages that go along.

        Their words are quoted below the agent's, in their order, and their files enclosed.

        Raises:
            NotFound: there is no such ticket, or it has no such public message.
            IllegalTransition: the ticket is closed.
            InvalidInput: the letter has no words, cannot be addressed so, or goes to the requester.
        """
        if not envelope.to:
            raise InvalidInput("a letter needs somebody to go to")
        async with storage_errors(), self._sessions.begin() as session:
            main_id, account = await _place_of(session, ticket_id)
            letter = self._letters.checked(account, envelope)
            if not letter.to:
                raise InvalidInput("a letter needs somebody to go to")
            contact = await kept_contact_at(session, account, letter.to[0])
            main = await locked(session, main_id)
            ticket = await session.get_one(Ticket, ticket_id, with_for_update=True)
            _check_third_party(main, contact, letter)
            messages = await _public_messages(session, main, passed_on)
            enclosed = [
                *await handed_in(session, agent.id, files),
                *await _files_of(session, messages),
            ]
            said = _with_quotes(words, messages, await _names(session, main, messages))
            _check_open(ticket)
            check_words(said, may_be_empty=bool(enclosed))
            check_fit(enclosed, self._accounts.get(account))
            ledger = Ledger(self._accounts, self._now())
            side = self._side(main, contact, letter, ledger.now)
            session.add(side)
            await session.flush()
            await self._write(session, ledger, side, agent, said, letter, enclosed)
            ledger.record(ticket, "side", None, letter.to[0], actor=agent.actor)
            ledger.changed(side, FeedKind.CONVERSATION)
            ledger.changed(main, FeedKind.TICKET, ticket_id)
            await ledger.write(session)
            return ConversationId(side.id)

    def _side(
        self, main: Conversation, contact: ContactId, letter: Envelope, now: datetime
    ) -> Conversation:
        return Conversation(
            id=new_id(),
            account_id=main.account_id,
            thread=self._letters.begin_thread(AccountId(main.account_id)),
            is_current=True,
            contact_id=contact,
            address=letter.to[0],
            side_of=main.id,
            responder=Responder.HUMAN,
            episode=1,
            language=main.language,
            subject=letter.subject or main.subject,
            last_seq=0,
            last_message_at=now,
        )

    async def say(
        self,
        ticket_id: TicketId,
        side_id: ConversationId,
        agent: Agent,
        words: str,
        envelope: Envelope | None,
        *,
        files: Sequence[UploadId] = (),
        ends_draft: bool = False,
    ) -> MessageId:
        """Write on in a conversation held beside a ticket's own, or beside one merged into it.

        With `ends_draft`, the agent's draft of it is over with the same commit. Returns what was
        said.

        Raises:
            NotFound: there is no such conversation beside the ticket's.
            IllegalTransition: the ticket is closed.
            InvalidInput: the letter has no words, or cannot be addressed so.
        """
        async with storage_errors(), self._sessions.begin() as session:
            main_id, _ = await _place_of(session, ticket_id)
            places = (await beneath(session, [ticket_id]))[ticket_id] | {main_id}
            if await session.get(Conversation, side_id) is None:
                raise NotFound("there is no such conversation")
            side = await locked(session, side_id)
            if side.side_of not in places:
                raise NotFound("there is no such conversation")
            account = AccountId(side.account_id)
            letter = None if envelope is None else self._letters.checked(account, envelope)
            if letter is not None:
                for place in places:
                    requesters = await session.get_one(Conversation, place)
                    _check_third_party(requesters, ContactId(side.contact_id), letter)
            ticket = await session.get_one(Ticket, ticket_id, with_for_update=True)
            _check_open(ticket)
            enclosed = await handed_in(session, agent.id, files)
            check_words(words, may_be_empty=bool(enclosed))
            check_fit(enclosed, self._accounts.get(account))
            ledger = Ledger(self._accounts, self._now())
            said = await self._write(session, ledger, side, agent, words, letter, enclosed)
            if ends_draft:
                await forget_draft(session, agent.id, side_id, DraftKind.REPLY)
            await ledger.write(session)
            return said

    async def _write(
        self,
        session: AsyncSession,
        ledger: Ledger,
        side: Conversation,
        agent: Agent,
        words: str,
        letter: Envelope | None,
        files: Sequence[KeptFile],
    ) -> MessageId:
        said = ledger.say(side, Speaker.AGENT, words.strip(), agent=agent.id, envelope=letter)
        ledger.enclose(said, files)
        if letter is not None:
            await bring_in(session, side, letter, ledger.now)
        return said


async def _place_of(session: AsyncSession, ticket: TicketId) -> tuple[ConversationId, AccountId]:
    row = (
        await session.execute(
            select(Conversation.id, Conversation.account_id)
            .join(Ticket, Ticket.conversation_id == Conversation.id)
            .where(Ticket.id == ticket)
        )
    ).one_or_none()
    if row is None:
        raise NotFound(f"there is no ticket {ticket}")
    return ConversationId(row[0]), AccountId(row[1])


def _check_third_party(main: Conversation, contact: ContactId, letter: Envelope) -> None:
    goes_to = {*letter.to, *letter.cc, *letter.bcc}
    if contact == main.contact_id or main.address in goes_to:
        raise InvalidInput("this is the requester: answer them instead")


def _check_open(ticket: Ticket) -> None:
    if ticket.status == TicketStatus.CLOSED:
        raise IllegalTransition("ticket", ticket.status, "a letter")


async def _public_messages(
    session: AsyncSession, main: Conversation, wanted: Sequence[MessageId]
) -> Sequence[Message]:
    if not wanted:
        return ()
    rows = await session.scalars(
        select(Message)
        .where(
            Message.id.in_(wanted),
            Message.conversation_id == main.id,
            Message.is_internal.is_(False),
            Message.removed_at.is_(None),
        )
        .order_by(Message.position, Message.seq)
    )
    found = rows.all()
    if len(found) < len(set(wanted)):
        raise NotFound("there is no such message")
    return found


async def _files_of(session: AsyncSession, messages: Sequence[Message]) -> list[KeptFile]:
    if not messages:
        return []
    rows = await session.scalars(
        select(Attachment)
        .where(
            Attachment.message_id.in_([message.id for message in messages]),
            Attachment.status == FileState.FETCHED,
            Attachment.removed_at.is_(None),
        )
        .order_by(Attachment.message_id, Attachment.position)
    )
    return [
        KeptFile(
            name=row.name,
            media_type=row.media_type,
            size_bytes=row.size_bytes or 0,
            blob_key=row.blob_key,
        )
        for row in rows
        if row.blob_key is not None
    ]


async def _names(
    session: AsyncSession, main: Conversation, messages: Sequence[Message]
) -> dict[UUID, str]:
    """Return who wrote each of `messages`, by the message's id; the desk's own words by nobody."""
    authors = {message.author for message in messages if message.author}
    if not authors:
        return {}
    rows = await session.execute(
        select(ContactAddress.address, ContactAddress.name).where(
            ContactAddress.account_id == main.account_id, ContactAddress.address.in_(authors)
        )
    )
    names = {row.address: row.name for row in rows}
    return {m.id: names.get(m.author) or m.author for m in messages if m.author}


def _with_quotes(words: str, messages: Sequence[Message], names: dict[UUID, str]) -> str:
    parts = [words.strip()] if words.strip() else []
    for message in messages:
        who = names.get(message.id)
        at = f"{message.at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
        quoted = "\n".join(f"> {line}".rstrip() for line in message.text.splitlines())
        parts.append(f"{who + ', ' if who else ''}{at}:\n\n{quoted}")
    return "\n\n".join(parts)
