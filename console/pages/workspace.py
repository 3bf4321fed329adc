"""What a workspace shows of a conversation and its ticket, read in one go."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from operator import itemgetter
from typing import Annotated

from fastapi import Query
from sqlalchemy.ext.asyncio import AsyncSession

from console.desk import ConsoleDesk
from console.times import Times
from core.domain.ids import AccountId, ContactId, ConversationId, ThreadKey, TicketId
from core.ports import LinksThreads, capabilities_of
from core.services.files.uploads import MOST_FILES
from core.storage.queries.agents import AgentView, list_agents
from core.storage.queries.conversations import (
    ConversationView,
    MessageView,
    ParticipantView,
    conversation_view,
    conversations_of,
    messages_before,
    participants_of,
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
class Place:
    """Where a conversation is held, and what can be done there."""

    link: str | None  # opens the thread on the platform
    max_files: int  # in one message; none where the channel takes no files
    max_file_bytes: int
    can_correct: bool
    can_withdraw: bool
    is_connected: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    """A conversation with everything an agent looks at while answering in it."""

    position: FeedPosition  # in the feed; what happened after it may be missing here
    conversation: ConversationView
    place: Place
    participants: Sequence[ParticipantView]
    messages: Sequence[MessageView]  # oldest first
    has_earlier: bool
    shown: int
    ticket: TicketView | None
    history: Sequence[Change]
    agents: Sequence[AgentView]
    other_tickets: Sequence[TicketView]
    other_conversations: Sequence[ConversationView]

    def by_day(self, times: Times) -> Iterator[tuple[date, list[MessageView]]]:
        """Yield the reader's days with what was said on each.

        A message that arrived late stands where it was said, on the day of what follows it.
        """
        days: list[date] = []
        for message in reversed(self.messages):
            on = times.day_of(message.at)
            days.append(min(on, days[-1]) if days else on)
        pairs = zip(reversed(days), self.messages, strict=True)
        for day, said in groupby(pairs, key=itemgetter(0)):
            yield day, [message for _, message in said]


async def of_ticket(
    desk: ConsoleDesk, session: AsyncSession, ticket: TicketId, shown: int
) -> Workspace:
    """Return the workspace of a ticket.

    Raises:
        NotFound: there is no such ticket.
    """
    position = await feed_end(session)  # first: what changes while reading is told again
    view = await ticket_view(session, ticket)
    return await _read(desk, session, position, view.conversation, view, shown)


async def of_conversation(
    desk: ConsoleDesk, session: AsyncSession, conversation: ConversationId, shown: int
) -> Workspace:
    """Return the workspace of a conversation, with its newest ticket if it has one.

    Raises:
        NotFound: there is no such conversation.
    """
    position = await feed_end(session)
    ticket = await ticket_of_conversation(session, conversation)
    view = None if ticket is None else await ticket_view(session, ticket)
    return await _read(desk, session, position, conversation, view, shown)


async def _read(
    desk: ConsoleDesk,
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
        place=_place(desk, conversation),
        participants=await participants_of(session, conversation_id),
        messages=said[:shown][::-1],
        has_earlier=len(said) > shown,
        shown=shown,
        ticket=ticket,
        history=() if ticket is None else await history(session, ticket.id),
        agents=await list_agents(session),
        other_tickets=[t for t in tickets if ticket is None or t.id != ticket.id][:10],
        other_conversations=await conversations_of(session, requester, besides=conversation_id),
    )


def _place(desk: ConsoleDesk, conversation: ConversationView) -> Place:
    channel = desk.channels.get(AccountId(conversation.account))
    if channel is None:
        return Place(
            link=None,
            max_files=0,
            max_file_bytes=0,
            can_correct=False,
            can_withdraw=False,
            is_connected=False,
        )
    can = capabilities_of(channel)
    link = None
    if isinstance(channel, LinksThreads):
        link = channel.link(ThreadKey(conversation.thread))
    return Place(
        link=link if link and link.startswith(("https://", "http://", "tg://")) else None,
        max_files=min(can.max_files, MOST_FILES),
        max_file_bytes=min(can.max_file_bytes or desk.uploads.max_bytes, desk.uploads.max_bytes),
        can_correct=can.edits,
        can_withdraw=can.removes,
        is_connected=True,
    )
