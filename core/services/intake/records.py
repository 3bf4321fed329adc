"""The locked records that a batch of inbound events concerns, and what is to follow from them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.content import Intent
from core.domain.events import DeliveryReported
from core.domain.ids import AccountId, Address, ChoiceId, ContactId, MessageId
from core.services.intake.early_events import Kept
from core.services.intake.message_changes import Known
from core.services.intake.order import Place, Tail
from core.services.json_forms import EarlyOccurrence
from core.services.people.contacts import keep_if_unchanged
from core.storage.tables import ArticleFeedback, ChoiceRow, Conversation, Participant, Ticket


@dataclass(frozen=True, slots=True, kw_only=True)
class AboutLinking:
    """What somebody said of linking an e-mail address."""

    conversation: Conversation
    who: Place
    intent: Intent
    is_shared: bool  # others read it, and what is answered


@dataclass(slots=True, kw_only=True)
class Records:
    """The locked records that a batch of events concerns, and what is to follow from them."""

    contacts: Mapping[Place, ContactId]  # by account and address
    made: Collection[ContactId]  # contacts that nobody else knows yet
    by_email: Collection[Place]  # new addresses of contacts known by their e-mail
    languages: Mapping[Place, str]  # of people who were known before
    chosen: Collection[Place]  # people who chose their language
    blocked: Collection[Place]  # people whose messages are spam
    to_look_up: set[Place]  # people whom the platform is to be asked about
    conversations: dict[Place, Conversation]  # current ones, by account and thread
    siblings: dict[Place, list[Conversation]]  # those that go on in a thread beside its current one
    by_id: Mapping[UUID, Conversation]  # all that are locked, current or not
    tickets: Mapping[UUID, Ticket]  # unclosed ones, by conversation
    above: Mapping[UUID, Ticket | None]  # where merged conversations go on; None: no more
    messages: Mapping[Place, Known]  # by account and remote id
    tails: Mapping[Place, Tail]  # of threads in which something comes late
    present: dict[UUID, frozenset[str]]  # participants, by conversation; where letters came
    kept: Mapping[Place, Sequence[Kept]]  # what came before its message, which comes now
    choices: Mapping[ChoiceId, ChoiceRow] = field(default_factory=dict)
    pressed: set[UUID] = field(default_factory=set)  # messages of which a button was pressed
    lapsed: list[tuple[UUID, int]] = field(default_factory=list)  # merges, with the last message
    surveys: Mapping[str, UUID] = field(
        default_factory=dict
    )  # that take answers: where they were put
    taken_threads: set[Place] = field(default_factory=set)
    started: list[Conversation] = field(default_factory=list)
    joined: list[Participant] = field(default_factory=list)
    agents: set[str] = field(default_factory=set)  # addresses in letters that nobody vouches for
    copied: list[Participant] = field(default_factory=list)  # whom a letter also went to
    posted: dict[Place, MessageId] = field(default_factory=dict)  # by account and remote id
    changes: list[tuple[MessageId, EarlyOccurrence]] = field(default_factory=list)
    early: list[EarlyOccurrence] = field(default_factory=list)  # to be kept for their message
    unvouched: list[Conversation] = field(default_factory=list)  # to be given to a human
    beside: list[Conversation] = field(default_factory=list)  # where third parties wrote
    unreachable: list[tuple[Conversation, str]] = field(default_factory=list)  # with the reason
    awaited: Collection[Place] = frozenset()  # people who were sent a code
    links: list[AboutLinking] = field(default_factory=list)  # to be answered
    presses: list[tuple[Conversation, Intent, Address]] = field(  # of our own buttons, and by whom
        default_factory=list
    )
    asked_for: dict[Place, UUID] = field(default_factory=dict)  # with the conversation of each
    reports: list[DeliveryReported] = field(default_factory=list)  # about an address
    feedback: list[ArticleFeedback] = field(default_factory=list)  # on articles, to be added

    def in_thread(self, place: Place) -> Sequence[Conversation]:
        """Return the conversations that go on in a thread, its current one first."""
        current = self.conversations.get(place)
        return () if current is None else (current, *self.siblings.get(place, ()))


async def add_conversations(
    session: AsyncSession, records: Records, *, has_people_locked: bool = False
) -> None:
    """Insert the conversations that began; replaced ones give up their thread first.

    Raises:
        IntegrityError: another process began one in the same thread meanwhile.
        Overtaken: one of those for whom they began, or who got a new address, is being changed or
            was merged meanwhile; not where the caller `has_people_locked`.
    """
    written_for = {place: records.contacts[place] for place in records.by_email}
    for one in records.started:
        written_for[AccountId(one.account_id), str(one.address)] = ContactId(one.contact_id)
    known = {place: name for place, name in written_for.items() if name not in records.made}
    if known and not has_people_locked:
        await keep_if_unchanged(session, known, records.by_email)
    if not records.started:
        return
    await session.flush()
    session.add_all(records.started)
    await session.flush()
