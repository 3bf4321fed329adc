"""What an agent looks at while answering in a conversation."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import groupby
from operator import itemgetter
from typing import Annotated
from uuid import UUID

from fastapi import Query

from console.times import Times
from core.domain.channel import RecipientOutcome
from core.domain.ids import (
    ConversationId,
    MessageId,
)
from core.domain.ticket import TicketStatus
from core.services.conversations.letters import Addressing
from core.services.tickets.answering import is_unasked
from core.storage.queries.catalogue.requests import RequestView
from core.storage.queries.classification.categories import (
    CategoryTree,
)
from core.storage.queries.classification.similar import Suggestions
from core.storage.queries.conversations.conversations import (
    ConversationView,
    ParticipantView,
)
from core.storage.queries.conversations.letters import SplitOff
from core.storage.queries.conversations.messages import MessageView
from core.storage.queries.feed import FeedPosition
from core.storage.queries.links.links import LinkView
from core.storage.queries.links.merges import (
    MergedInto,
    MergedTicket,
)
from core.storage.queries.requester_records.assets import AssetsOfTicket
from core.storage.queries.requester_records.requesters import (
    OrganisationView,
    RequesterView,
)
from core.storage.queries.satisfaction import AnswerView
from core.storage.queries.sla import PromiseView
from core.storage.queries.teams.teams import CrewView
from core.storage.queries.tickets.tickets import (
    Change,
    Named,
    Person,
    TicketView,
)
from core.storage.queries.writing import HeldView

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
    is_read: bool  # by those who are answered in it


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    """A conversation with everything an agent looks at while answering in it."""

    position: FeedPosition  # in the feed; what happened after it may be missing here
    conversation: ConversationView
    place: Place
    participants: Sequence[ParticipantView]
    messages: Sequence[MessageView]  # oldest first; those of merged tickets among them
    held: Sequence[HeldView]  # replies that have not left, first what leaves first
    has_earlier: bool
    shown: int
    ticket: TicketView | None
    satisfaction: AnswerView | None  # what the requester said about it
    promise: PromiseView | None
    request: RequestView | None  # what it asks for of the catalogue
    mails_approvers: bool  # whether letters to those who approve can leave
    history: Sequence[Change]
    agents: Sequence[CrewView]
    assignees: Sequence[CrewView]  # whom the ticket can be given to: its team first
    tree: CategoryTree
    teams: Sequence[Named]
    watchers: Sequence[Person]
    assets: AssetsOfTicket | None
    person: RequesterView  # whom the conversation is shown with
    organisation: OrganisationView | None  # theirs
    suggestions: Suggestions | None
    links: Sequence[LinkView]
    other_tickets: Sequence[TicketView]
    other_conversations: Sequence[ConversationView]
    addressing: Addressing | None  # how the next answer may be addressed, where letters go
    bounces: Mapping[str, RecipientOutcome]  # whose letters came back, among those it goes to
    new_subjects: Mapping[MessageId, str]  # of letters that turn to something else
    sourced: Collection[UUID]  # messages whose payload was kept
    main: ConversationView  # the requester's: `conversation`, unless that is held beside it
    sides: Sequence[ConversationView]  # held beside it with others, latest word first
    split_off: SplitOff | None  # from another ticket
    merged: Mapping[ConversationId, MergedTicket]  # into this one, by their conversations
    merged_into: MergedInto | None  # where this one goes on
    answers_in: ConversationId  # where the next answer goes unless something else is chosen
    places: Mapping[ConversationId, Place]  # of all conversations that are shown

    def said(self) -> Iterator[str]:
        """Yield whatever is shown of what people wrote: text, quotations, earlier text."""
        for message in self.messages:
            yield message.text
            yield message.quoted or ""
            yield message.signature or ""
            yield from (revision.text for revision in message.revisions)

    @property
    def can_answer_in(self) -> Sequence[MergedTicket]:
        """The merged tickets whose requesters can be answered besides the ticket's own."""
        return [one for one in self.merged.values() if one.goes_on]

    @property
    def can_be_parted(self) -> bool:
        """Whether the ticket was merged and that can still be undone."""
        return self.merged_into is not None and self.merged_into.can_be_undone(datetime.now(UTC))

    @property
    def live_conversations(self) -> Sequence[ConversationId]:
        """The conversations whose changes show here."""
        return list({self.main.id: None, self.conversation.id: None, **dict.fromkeys(self.merged)})

    @property
    def last_seq(self) -> int:
        """Return the number of the last message shown."""
        return max(
            (one.seq for one in self.messages if one.conversation == self.conversation.id),
            default=0,
        )

    @property
    def is_unasked(self) -> bool:
        """Whether it is a problem that no requester reported: there is nobody to reply to."""
        return (
            self.ticket is not None
            and not self.is_side
            and is_unasked(self.ticket.kind, self.conversation.account)
        )

    @property
    def is_ended(self) -> bool:
        """Whether the ticket shown is closed: only notes can be left in it."""
        return (
            self.ticket is not None
            and not self.is_side
            and self.ticket.status == TicketStatus.CLOSED
        )

    @property
    def takes_notes_only(self) -> bool:
        """Whether nobody can be answered here."""
        return self.is_unasked or self.is_ended

    @property
    def is_side(self) -> bool:
        """Whether this is shown with somebody else than the ticket's requester."""
        return self.conversation.id != self.main.id

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
