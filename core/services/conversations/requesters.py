"""Whose request a conversation is, where a letter was passed on for somebody else."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from enum import StrEnum

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.actor import Agent
from core.domain.conversation import Speaker
from core.domain.errors import IllegalTransition, NotFound
from core.domain.ids import AccountId, Address, ConversationId, MessageId, TicketId
from core.domain.ticket import TicketStatus
from core.services.ledger import Accounts, Ledger
from core.services.locks import locked
from core.services.people.contacts import kept_contact_at
from core.storage.engine import Sessions, storage_errors
from core.storage.feed import FeedKind
from core.storage.tables import ContactAddress, Conversation, Message, Participant, Ticket


class Whose(StrEnum):
    """Of the two behind a letter that was passed on."""

    AUTHOR = "author"  # who wrote it first
    FORWARDER = "forwarder"  # who passed it on


class Requesters:
    """Chooses between the two people behind a letter that was passed on."""

    def __init__(
        self,
        sessions: Sessions,
        accounts: Accounts,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._sessions = sessions
        self._accounts = accounts
        self._now = now

    async def choose(
        self, ticket_id: TicketId, message_id: MessageId, whose: Whose, agent: Agent
    ) -> None:
        """Make the author of a letter that was passed on, or who did that, the requester.

        The other of the two goes on getting copies. Nobody vouches for an author whom only the
        letter names. The ticket keeps what was done: field "requester", with both addresses.
        Where they are the requester already, nothing changes.

        Raises:
            NotFound: the ticket's conversation has no such letter, or it was not passed on.
            IllegalTransition: the ticket is closed.
        """
        async with storage_errors(), self._sessions.begin() as session:
            passed_on, account = await _passed_on(session, ticket_id, message_id)
            address, name = _person(passed_on, whose)
            contact = await kept_contact_at(session, account, address, name)
            conversation = await locked(session, ConversationId(passed_on.conversation_id))
            tickets = await session.scalars(
                select(Ticket)
                .where(Ticket.conversation_id == conversation.id)
                .order_by(Ticket.id)
                .with_for_update()
            )
            ticket = next((one for one in tickets if one.id == ticket_id), None)
            if ticket is None:
                raise NotFound("there is no such message")  # it was split off meanwhile
            if ticket.status == TicketStatus.CLOSED:
                raise IllegalTransition("ticket", ticket.status, "another requester")
            before = conversation.address
            if before == address:
                return
            ledger = Ledger(self._accounts, self._now())
            await _change_places(session, conversation, address, ledger.now)
            conversation.contact_id = contact
            conversation.address = address
            await session.execute(
                update(Ticket)
                .where(Ticket.conversation_id == conversation.id)
                .values(contact_id=contact)
            )
            ledger.record(ticket, "requester", before, address, actor=f"agent:{agent.id}")
            ledger.changed(conversation, FeedKind.CONVERSATION)
            ledger.changed(conversation, FeedKind.TICKET, ticket_id)
            await ledger.write(session)


async def _passed_on(
    session: AsyncSession, ticket: TicketId, message: MessageId
) -> tuple[Message, AccountId]:
    row = (
        await session.execute(
            select(Message, Conversation.account_id)
            .join(Conversation, Conversation.id == Message.conversation_id)
            .join(Ticket, Ticket.conversation_id == Conversation.id)
            .where(
                Ticket.id == ticket,
                Message.id == message,
                Message.speaker == Speaker.CUSTOMER,
                Message.forwarded_from.is_not(None),
                Message.author.is_not(None),
            )
        )
    ).one_or_none()
    if row is None:
        raise NotFound("there is no such message")
    return row[0], AccountId(row[1])


def _person(passed_on: Message, whose: Whose) -> tuple[Address, str | None]:
    if whose is Whose.FORWARDER:
        assert passed_on.author is not None
        return Address(passed_on.author), None
    assert passed_on.forwarded_from is not None
    return Address(passed_on.forwarded_from["address"]), passed_on.forwarded_from["name"]


async def _change_places(
    session: AsyncSession, conversation: Conversation, requester: Address, now: datetime
) -> None:
    """Let who was the requester take part from now on, and the new one no more than as that."""
    await session.execute(
        delete(Participant).where(
            Participant.conversation_id == conversation.id, Participant.address == requester
        )
    )
    if conversation.address is None:
        return
    name = await session.scalar(
        select(ContactAddress.name).where(
            ContactAddress.account_id == conversation.account_id,
            ContactAddress.address == conversation.address,
        )
    )
    await session.execute(
        upsert(Participant)
        .values(
            conversation_id=conversation.id,
            address=conversation.address,
            name=name,
            joined_at=now,
        )
        .on_conflict_do_update(
            index_elements=["conversation_id", "address"], set_={"left_at": None}
        )
    )
