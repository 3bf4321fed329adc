"""How part of a conversation becomes one of its own, because it is about something else."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import ColumnElement, exists, func, not_, select, true, tuple_, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.actor import Agent
from core.domain.assistant import HandoffReason
from core.domain.conversation import Responder, Speaker
from core.domain.errors import Conflict, InvalidInput, NotFound
from core.domain.ids import AccountId, ConversationId, MessageId, TicketId, new_id
from core.domain.ticket import Priority, TicketStatus
from core.services import audit
from core.services.conversations.letters import Letters
from core.services.conversations.rejoining import is_on_its_way
from core.services.ledger import Accounts, Ledger
from core.services.locks import locked
from core.services.people.contacts import keep_contacts
from core.services.tickets.handoff import SUMMARY_CHARS, subject_from
from core.storage.engine import Sessions, storage_errors
from core.storage.feed import FeedKind
from core.storage.queries.conversations.messages import said_since_earlier
from core.storage.tables import (
    ChoiceRow,
    ContactAddress,
    Conversation,
    Delivery,
    Message,
    Participant,
    Ticket,
)
from core.storage.tables.ticket import ticket_number
from core.storage.wakeups import LaneKind
from core.texts import text

TOLD = (
    "We have registered another matter of yours as ticket **#{number}**: {subject}. "
    "We will answer you here about both."
)
_MOST_MESSAGES = 200


class Splitting:
    """Splits tickets. Messages keep their numbers, so that they can be put back.

    Where letters go, what was split off gets a thread of its own. In a chat it stays in the
    thread, as a conversation beside the one it was in: who writes there next is heard in the one
    that `core.services.intake.placing` says.
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

    async def split(
        self,
        ticket_id: TicketId,
        messages: Collection[MessageId],
        agent: Agent,
        *,
        subject: str = "",
        tells: bool = True,
    ) -> TicketId:
        """Make a ticket of its own of some of a ticket's messages; return it.

        It has the given subject, or the first message's words, is the agent's, and is in the same
        team. With `tells` the requester is told its number. The old and the new ticket keep what
        was done: field "split", with the ticket's number on the other side and the first message.

        Raises:
            NotFound: there is no such ticket or message.
            InvalidInput: nothing that the requester said is chosen, or all of it is.
            Conflict: the ticket is closed, its chat has gone on in another one, a message is in
                another ticket (by now) or was said in an earlier one, something chosen or a
                correction of it is being sent, or a letter is what its thread began with.
        """
        async with storage_errors(), self._sessions.begin() as session:
            await _keep_authors(session, messages)
            old, old_ticket = await _opened(session, ticket_id)
            moved = await _chosen(session, old, old_ticket, messages)
            return await self._part(session, old, old_ticket, moved, agent, subject, tells=tells)

    async def split_at(
        self, ticket_id: TicketId, message_id: MessageId, agent: Agent, *, with_later: bool
    ) -> TicketId:
        """Split a requester's message off, and with `with_later` all that was said after it.

        Nobody is told: what they wrote about another matter is answered there.

        Raises:
            NotFound: the ticket's conversation has no such message of the requester's side.
            InvalidInput, Conflict: see `split`.
        """
        async with storage_errors(), self._sessions.begin() as session:
            await _keep_authors(session, [message_id])
            old, old_ticket = await _opened(session, ticket_id)
            moved = await _from(session, old, old_ticket, message_id, with_later=with_later)
            return await self._part(session, old, old_ticket, moved, agent, "", tells=False)

    async def _part(
        self,
        session: AsyncSession,
        old: Conversation,
        old_ticket: Ticket,
        moved: Sequence[Message],
        agent: Agent,
        subject: str,
        *,
        tells: bool,
    ) -> TicketId:
        if await is_on_its_way(session, moved):
            raise Conflict("wait until what is being sent has left")
        first = next(one for one in moved if _is_said(one))
        has_letters = self._letters.are_sent_from(AccountId(old.account_id))
        if not (has_letters or old.is_current or old.is_beside):
            raise Conflict("this chat has gone on in another ticket: it cannot be split here")
        if has_letters and not await _is_said_before(session, old, moved[0], true()):
            raise Conflict("a conversation cannot be split at its beginning")
        ledger = Ledger(self._accounts, self._now())
        contact = await session.scalar(
            select(ContactAddress.contact_id).where(
                ContactAddress.account_id == old.account_id,
                ContactAddress.address == (first.author or old.address),
            )
        )
        new = _conversation(old, moved, first, contact, ledger.now)
        if has_letters:
            new.thread = self._letters.begin_thread(AccountId(old.account_id))
        else:
            _set_beside(old, new)
        session.add(new)
        await session.flush()
        await _copy_participants(session, old, new)
        await _move(session, old, new, moved)
        ticket = await _ticket_for(session, ledger, old_ticket, new, first, agent, subject)
        if tells:
            words = text(new.language, TOLD, number=ticket.number, subject=ticket.subject)
            ledger.say(new, Speaker.SYSTEM, words)
        _note(session, ledger, (old, old_ticket), (new, ticket), first, agent)
        await ledger.write(session)
        return TicketId(ticket.id)


def _note(
    session: AsyncSession,
    ledger: Ledger,
    old: tuple[Conversation, Ticket],
    new: tuple[Conversation, Ticket],
    first: Message,
    agent: Agent,
) -> None:
    """Tell both histories, the audit log and live pages."""
    began = str(first.id)
    for (conversation, ticket), (_, other) in ((old, new), (new, old)):
        ledger.record(ticket, "split", began, str(other.number), actor=agent.actor)
        ledger.changed(conversation, FeedKind.CONVERSATION)
        ledger.changed(conversation, FeedKind.MESSAGE)
        ledger.changed(conversation, FeedKind.TICKET, TicketId(ticket.id))
    ledger.wake(LaneKind.FILES, new[0])
    audit.record(
        session,
        agent.actor,
        "ticket.split",
        ("ticket", old[1].number, old[1].subject),
        new={"into": f"#{new[1].number}"},
    )


def _conversation(
    old: Conversation,
    moved: Sequence[Message],
    first: Message,
    contact: UUID | None,
    now: datetime,
) -> Conversation:
    last_seq = max(message.seq for message in moved)
    return Conversation(
        id=new_id(),
        account_id=old.account_id,
        thread=old.thread,
        is_current=True,
        contact_id=contact or old.contact_id,
        address=first.author or old.address,
        responder=Responder.HUMAN,
        episode=1,
        episode_first_seq=last_seq + 1,
        turned_seq=last_seq,
        language=old.language,
        language_is_chosen=old.language_is_chosen,
        subject=(first.envelope or {}).get("subject") or old.subject,
        first_seq=min(message.seq for message in moved),
        last_seq=last_seq,
        last_order=max((m.order for m in moved if m.order), default=None),
        last_message_at=now,
    )


def _set_beside(old: Conversation, new: Conversation) -> None:
    """Let `new` go on in the thread of `old`; nothing is heard in it before somebody answers."""
    new.is_current, new.is_beside = False, True
    new.counter = old.counter or old
    new.last_seq = old.greatest_seq
    new.episode_first_seq, new.turned_seq = new.last_seq + 1, new.last_seq
    new.talked_seq = 0
    new.unreachable_since, new.reach_known_at = old.unreachable_since, old.reach_known_at
    new.subject = None


async def _keep_authors(session: AsyncSession, messages: Collection[MessageId]) -> None:
    """Keep those as they are of whom one will have the new ticket."""
    authors = await session.execute(
        select(Conversation.contact_id, ContactAddress.contact_id)
        .select_from(Message)
        .join(Conversation, Conversation.id == Message.conversation_id)
        .outerjoin(
            ContactAddress,
            (ContactAddress.account_id == Conversation.account_id)
            & (ContactAddress.address == func.coalesce(Message.author, Conversation.address)),
        )
        .where(Message.id.in_(messages))
    )
    await keep_contacts(session, {one for row in authors for one in row if one is not None})


async def _opened(session: AsyncSession, ticket_id: TicketId) -> tuple[Conversation, Ticket]:
    """Lock a ticket that can be split, and its conversation."""
    ticket = await session.get(Ticket, ticket_id)
    if ticket is None:
        raise NotFound(f"there is no ticket {ticket_id}")
    conversation = await locked(session, ConversationId(ticket.conversation_id))
    await session.refresh(ticket, with_for_update=True)
    if ticket.status == TicketStatus.CLOSED:
        raise Conflict("a closed ticket cannot be split")
    return conversation, ticket


def _is_said(message: Message) -> bool:
    """Say whether a requester said it, and no machine in their name."""
    return message.speaker == Speaker.CUSTOMER and not message.is_automatic


async def _keep_earlier(
    session: AsyncSession, own: ColumnElement[bool], messages: Collection[MessageId]
) -> None:
    """Refuse to take away what an earlier ticket of the conversation was about."""
    is_of_earlier = select(exists().where(Message.id.in_(messages), not_(own)))
    if await session.scalar(is_of_earlier):
        raise Conflict("what was said in an earlier ticket stays there")


async def _chosen(
    session: AsyncSession,
    old: Conversation,
    ticket: Ticket,
    messages: Collection[MessageId],
) -> Sequence[Message]:
    """Return the chosen messages in their order."""
    if not messages:
        raise InvalidInput("choose what the other matter is about")
    if len(messages) > _MOST_MESSAGES:
        raise InvalidInput("200 messages can be split off at once")
    rows = await session.scalars(
        select(Message)
        .where(Message.id.in_(messages))
        .order_by(Message.position, Message.seq)
        .execution_options(populate_existing=True)
    )
    chosen = rows.all()
    if len(chosen) < len(set(messages)):
        raise NotFound("there is no such message")
    if any(message.conversation_id != old.id for message in chosen):
        raise Conflict("some of these messages are in another ticket: look at it again")
    own = await said_since_earlier(session, TicketId(ticket.id))
    await _keep_earlier(session, own, messages)
    if not any(_is_said(message) for message in chosen):
        raise InvalidInput("choose something that the requester said, too")
    stays = await session.scalar(
        select(
            exists().where(
                Message.conversation_id == old.id,
                Message.speaker == Speaker.CUSTOMER,
                Message.is_automatic.is_(False),
                Message.id.not_in(messages),
                own,
            )
        )
    )
    if not stays:
        raise InvalidInput("leave something that the requester said in this ticket")
    return chosen


async def _from(
    session: AsyncSession,
    old: Conversation,
    ticket: Ticket,
    message_id: MessageId,
    *,
    with_later: bool,
) -> Sequence[Message]:
    first = await session.get(Message, message_id, populate_existing=True)
    if first is None or first.conversation_id != old.id or not _is_said(first):
        raise NotFound("there is no such message")
    own = await said_since_earlier(session, TicketId(ticket.id))
    await _keep_earlier(session, own, [message_id])
    if not await _is_said_before(session, old, first, own):
        raise Conflict("a conversation cannot be split at its beginning")
    if not with_later:
        return [first]
    said = await session.scalars(
        select(Message)
        .where(
            Message.conversation_id == old.id,
            tuple_(Message.position, Message.seq) >= (first.position, first.seq),
            own,
        )
        .order_by(Message.position, Message.seq)
    )
    return said.all()


async def _is_said_before(
    session: AsyncSession, old: Conversation, message: Message, which: ColumnElement[bool]
) -> bool:
    """Say whether the requester said something before `message`, of `which` messages."""
    before = await session.scalar(
        select(
            exists().where(
                Message.conversation_id == old.id,
                tuple_(Message.position, Message.seq) < (message.position, message.seq),
                Message.speaker == Speaker.CUSTOMER,
                which,
            )
        )
    )
    return bool(before)


async def _move(
    session: AsyncSession, old: Conversation, new: Conversation, moved: Sequence[Message]
) -> None:
    ids = [message.id for message in moved]
    for table in (ChoiceRow, Delivery):
        await session.execute(
            update(table)
            .where(table.message_id.in_(ids), table.conversation_id == old.id)
            .values(conversation_id=new.id)
        )
    for message in moved:
        message.conversation_id = new.id


async def _copy_participants(session: AsyncSession, old: Conversation, new: Conversation) -> None:
    rows = await session.scalars(
        select(Participant).where(
            Participant.conversation_id == old.id, Participant.left_at.is_(None)
        )
    )
    people = [
        {
            "conversation_id": new.id,
            "address": row.address,
            "name": row.name,
            "joined_at": row.joined_at,
        }
        for row in rows
        if row.address != new.address
    ]
    if old.address is not None and old.address != new.address:
        people.append(
            {
                "conversation_id": new.id,
                "address": old.address,
                "name": None,
                "joined_at": new.last_message_at,
            }
        )
    if people:
        await session.execute(upsert(Participant).on_conflict_do_nothing(), people)


async def _ticket_for(
    session: AsyncSession,
    ledger: Ledger,
    old: Ticket,
    new: Conversation,
    first: Message,
    agent: Agent,
    subject: str,
) -> Ticket:
    ticket = Ticket(
        id=new_id(),
        number=await session.scalar(ticket_number.next_value()),
        conversation_id=new.id,
        contact_id=new.contact_id,
        kind=old.kind,
        status=TicketStatus.OPEN,
        priority=Priority.NORMAL,
        reason=HandoffReason.AGENT_TOOK_OVER,
        subject=subject_from(subject or new.subject or first.text),
        summary=first.text[:SUMMARY_CHARS],
        language=old.language,
        assignee_id=agent.id,
        team_id=old.team_id,  # whoever must not read the old one must not read this one
        level=old.level,
        created_at=ledger.now,
        updated_at=ledger.now,
    )
    new.has_ticket = True
    session.add(ticket)
    await session.flush()
    actor = agent.actor
    ledger.record(ticket, "status", None, TicketStatus.OPEN, actor=actor)
    ledger.record(ticket, "assignee", None, str(agent.id), actor=actor)
    if old.team_id is not None:
        ledger.record(ticket, "team", None, str(old.team_id), actor=actor)
    return ticket
