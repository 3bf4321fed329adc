"""What a workspace shows of a conversation and its ticket, read in one go."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated

from fastapi import Query
from sqlalchemy.ext.asyncio import AsyncSession

from console.times import Times
from core.domain.ids import ContactId, ConversationId, TicketId
from core.storage.queries.agents import AgentView, list_agents
from core.storage.queries.conversations import (
    ConversationView,
    MessageView,
    conversation_view,
    conversations_of,
    messages_before,
)
from core.storage.queries.feed import FeedPosition, feed_end
from core.storage.queries.tickets import (
    Change,
    TicketFilter,
    TicketView,
    history,
    list_tickets,
    ticket_of_conversation,
    ticket_view,
)

MESSAGES_SHOWN = 200
MOST_MESSAGES = 5_000

Shown = Annotated[int, Query(ge=1, le=MOST_MESSAGES)]
"""How many of a conversation's last messages a page shows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    """A conversation with everything an agent looks at while answering in it."""

    position: FeedPosition  # in the feed; what happened after it may be missing here
    conversation: ConversationView
    messages: Sequence[MessageView]  # oldest first
    has_earlier: bool
    shown: int
    ticket: TicketView | None
    history: Sequence[Change]
    agents: Sequence[AgentView]
    other_tickets: Sequence[TicketView]
    other_conversations: Sequence[ConversationView]

    def by_day(self, times: Times) -> Iterator[tuple[date, list[MessageView]]]:
        """Yield the reader's days with what was said on each."""
        day: date | None = None
        said: list[MessageView] = []
        for message in self.messages:
            if (on := times.day_of(message.at)) != day:
                if day is not None:
                    yield day, said
                day, said = on, []
            said.append(message)
        if day is not None:
            yield day, said


async def of_ticket(session: AsyncSession, ticket: TicketId, shown: int) -> Workspace:
    """Return the workspace of a ticket.

    Raises:
        NotFound: there is no such ticket.
    """
    position = await feed_end(session)  # first: what changes while reading is told again
    view = await ticket_view(session, ticket)
    return await _read(session, position, view.conversation, view, shown)


async def of_conversation(
    session: AsyncSession, conversation: ConversationId, shown: int
) -> Workspace:
    """Return the workspace of a conversation, with its newest ticket if it has one.

    Raises:
        NotFound: there is no such conversation.
    """
    position = await feed_end(session)
    ticket = await ticket_of_conversation(session, conversation)
    view = None if ticket is None else await ticket_view(session, ticket)
    return await _read(session, position, conversation, view, shown)


async def _read(
    session: AsyncSession,
    position: FeedPosition,
    conversation_id: ConversationId,
    ticket: TicketView | None,
    shown: int,
) -> Workspace:
    conversation = await conversation_view(session, conversation_id)
    said = await messages_before(session, conversation_id, before=None, limit=shown + 1)
    requester = ContactId(conversation.requester.id)
    tickets = await list_tickets(session, TicketFilter(requester=requester), limit=11)
    return Workspace(
        position=position,
        conversation=conversation,
        messages=said[:shown][::-1],
        has_earlier=len(said) > shown,
        shown=shown,
        ticket=ticket,
        history=() if ticket is None else await history(session, ticket.id),
        agents=await list_agents(session),
        other_tickets=[t for t in tickets if ticket is None or t.id != ticket.id][:10],
        other_conversations=await conversations_of(session, requester, besides=conversation_id),
    )
