"""How a conversation that was split off goes back to where it came from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from sqlalchemy import exists, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.actor import Agent
from core.domain.channel import DeliveryState
from core.domain.conversation import Cause, Responder, Speaker
from core.domain.errors import Conflict, IllegalTransition, NotFound
from core.domain.ids import TicketId
from core.domain.ticket import CATEGORY, ClosedAs, StatusCategory, TicketStatus, TicketTrigger
from core.domain.undoing import UNDONE_WITHIN
from core.services import audit
from core.services.case import Case, open_cases
from core.services.ledger import Accounts, Ledger
from core.storage.engine import Sessions, storage_errors
from core.storage.feed import FeedKind
from core.storage.queries.conversations.letters import SplitOff, split_off
from core.storage.tables import ChoiceRow, Conversation, Delivery, HeldReply, Message, Ticket
from core.storage.wakeups import LaneKind

_ON_ITS_WAY = (DeliveryState.WAITING, DeliveryState.SENDING, DeliveryState.PARKED)


class Rejoining:
    """Undoes splits, as long as nothing that came after would be lost by that.

    In a chat what was said since goes back too: its numbers are the thread's. Letters that were
    exchanged since name a thread of their own, in which they go on.
    """

    def __init__(
        self,
        sessions: Sessions,
        accounts: Accounts,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._sessions = sessions
        self._accounts = accounts
        self._now = now

    async def rejoin(self, ticket_id: TicketId, agent: Agent) -> TicketId:
        """Put what was split off back where it came from; return the ticket it is in again.

        Messages have kept their numbers, so they stand where they stood, and answers to them
        arrive there. The ticket of the split is closed; the other one is open where its requester
        wrote meanwhile. Both keep what was done: field "rejoined", with the message it began at
        and the other's number.

        Raises:
            NotFound: there is no such ticket, or it was not split off another.
            IllegalTransition: it is closed.
            Conflict: it was split off too long ago; something was begun in it since, or said by
                letter; the ticket it came from is closed; something of it is being sent.
        """
        async with storage_errors(), self._sessions.begin() as session:
            found = await split_off(session, ticket_id)
            if found is None:
                raise NotFound("this ticket was not split off another one")
            ledger = Ledger(self._accounts, self._now())
            split, origin = await open_cases(session, ledger, ticket_id, found.of)
            part, whole = split.conversation, origin.conversation
            ticket, other = split.ticket, origin.ticket
            if ticket.status == TicketStatus.CLOSED:
                raise IllegalTransition("ticket", ticket.status, "a way back")
            if self._now() - found.at > UNDONE_WITHIN:
                raise Conflict("it was split off more than 30 days ago")
            if other.status == TicketStatus.CLOSED:
                raise Conflict("the ticket it was split off from is closed")
            if split.joined:
                raise Conflict("another ticket was merged into it: part them first")
            moved = await _moved(session, ticket_id, part)
            await _move_back(session, part, whole, moved)
            if any(_is_news(message, found.at) for message in moved):
                _reopen(origin, agent)
            _end(ledger, part, whole, ticket, other, found, agent)
            audit.record(
                session,
                agent.actor,
                "ticket.split_undone",
                ("ticket", other.number, other.subject),
                new={"from": f"#{ticket.number}"},
            )
            await ledger.write(session)
            return found.of


async def is_on_its_way(session: AsyncSession, messages: Sequence[Message]) -> bool:
    """Say whether one of `messages`, or what corrects it, must not change its conversation now.

    Also what waits for the rest of its recipients, a day at most: a letter's name, subject and
    thread are its conversation's, and all are to get the same.
    """
    found = await session.scalar(
        select(
            exists().where(
                Delivery.message_id.in_([message.id for message in messages]),
                Delivery.status.in_(_ON_ITS_WAY),
            )
        )
    )
    return bool(found)


async def _moved(session: AsyncSession, ticket: TicketId, part: Conversation) -> Sequence[Message]:
    """Return what is to go back: what the split moved, and in a chat what was said since.

    Raises:
        Conflict: something was said since by letter, or something of it is on its way.
    """
    beside = select(Conversation.id).where(Conversation.side_of == part.id).limit(1)
    if await session.scalar(beside) is not None:
        raise Conflict("somebody was written to beside it since: it cannot go back")
    said = await session.scalars(select(Message).where(Message.conversation_id == part.id))
    moved = said.all()
    # The conversation began with an episode that has none of them.
    is_talked_in = part.last_seq >= part.episode_first_seq or part.episode > 1
    if is_talked_in and part.counted_by is None:
        raise Conflict("something was said here since: it cannot go back")
    is_held = await session.scalar(select(exists().where(HeldReply.ticket_id == ticket)))
    if is_held or await is_on_its_way(session, moved):
        raise Conflict("wait until what is being sent has left")
    return moved


async def _move_back(
    session: AsyncSession, part: Conversation, whole: Conversation, moved: Sequence[Message]
) -> None:
    ids = [message.id for message in moved]
    for table in (ChoiceRow, Delivery):
        await session.execute(
            update(table)
            .where(table.message_id.in_(ids), table.conversation_id == part.id)
            .values(conversation_id=whole.id)
        )
    for message in moved:
        message.conversation_id = whole.id
    whole.last_message_at = max(whole.last_message_at, part.last_message_at)
    if part.counted_by is not None:
        whole.last_seq = max(whole.last_seq, part.last_seq)
        whole.talked_seq = max(whole.talked_seq, part.talked_seq)
        whole.last_order = max(whole.last_order or "", part.last_order or "") or None
        part.is_beside = False


def _is_news(message: Message, since: datetime) -> bool:
    """Say whether the requester said `message` after `since`."""
    is_theirs = message.speaker == Speaker.CUSTOMER and not message.is_automatic
    return is_theirs and message.created_at > since


def _reopen(case: Case, agent: Agent) -> None:
    """Open a ticket again that waits or is solved, and let a human answer."""
    if CATEGORY[TicketStatus(case.ticket.status)] != StatusCategory.OPEN:
        case.move(TicketTrigger.REOPENED, actor=agent.actor, reason="rejoined")
    if case.conversation.responder == Responder.CLOSED:
        case.turn_over(Cause.TICKET_REOPENED)
        if case.ticket.assignee_id is not None:
            case.turn_over(Cause.AGENT_TOOK)
        case.conversation.closed_at = None


def _end(
    ledger: Ledger,
    part: Conversation,
    whole: Conversation,
    ticket: Ticket,
    other: Ticket,
    found: SplitOff,
    agent: Agent,
) -> None:
    """Close what is empty now, and tell both histories."""
    actor = agent.actor
    first = str(found.first)
    ledger.record(ticket, "rejoined", first, str(other.number), actor=actor)
    ledger.record(ticket, "status", ticket.status, TicketStatus.CLOSED, actor=actor)
    ledger.record(other, "rejoined", first, str(ticket.number), actor=actor)
    ticket.status = TicketStatus.CLOSED
    ticket.solved_at = ticket.solved_at or ledger.now
    ticket.closed_at = ledger.now
    ticket.closed_as = ClosedAs.REJOINED
    part.responder = Responder.CLOSED
    part.closed_at = ledger.now
    part.first_seq = part.last_seq + 1  # it holds no message any more
    ledger.changed(part, FeedKind.MESSAGE)
    ledger.changed(part, FeedKind.CONVERSATION)
    ledger.changed(part, FeedKind.TICKET, TicketId(ticket.id))
    ledger.changed(whole, FeedKind.MESSAGE)
    ledger.changed(whole, FeedKind.TICKET, TicketId(other.id))
    ledger.wake(LaneKind.FILES, whole)
