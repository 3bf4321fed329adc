"""What one transaction adds: rows gathered while deciding, written once, before the commit."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.channel import Capabilities, DeliveryAction, DeliveryState
from core.domain.content import Body, Caution, Choice, Envelope, FileRef
from core.domain.conversation import Speaker
from core.domain.events import ChoicePressed, MessagePosted
from core.domain.files import KeptFile
from core.domain.ids import (
    AccountId,
    AgentId,
    ConversationId,
    MessageId,
    RemoteId,
    ThreadKey,
    TicketId,
    TurnId,
    new_id,
)
from core.services import audit
from core.services import message_rows as rows
from core.services.json_forms import author_json, envelope_json, intent_json
from core.services.learning.forgetting import forget_words
from core.services.turns.wanted import WantedTurns
from core.storage.feed import Change, FeedKind, publish
from core.storage.history import NewEvent, add_events
from core.storage.tables import (
    Attachment,
    ChoiceRow,
    Conversation,
    Delivery,
    Message,
    MessageRevision,
    RemoteMessage,
    Ticket,
)
from core.storage.together import sent_together
from core.storage.wakeups import Lane, LaneKind, wake

Accounts = Mapping[AccountId, Capabilities]
"""What each connected account can do."""


class Ledger:
    """Gathers what a transaction adds and writes it in an order that references allow.

    The caller holds the lock of every conversation it writes about.
    """

    def __init__(self, accounts: Accounts, now: datetime, *, depth: int = 0) -> None:
        """Begin at `now`; `depth` counts the reactions that led here (`services/reactions`)."""
        self._accounts = accounts
        self.now = now
        self._depth = depth
        self._rows: dict[type[Any], list[dict[str, Any]]] = {
            Message: [],
            ChoiceRow: [],
            RemoteMessage: [],
            Attachment: [],
            MessageRevision: [],
            Delivery: [],
        }
        self._recorded: list[NewEvent] = []
        self._turns = WantedTurns()
        self._moved: dict[MessageId, float] = {}
        self._lanes: set[Lane] = set()
        self._changes: list[Change] = []
        self._taken_back: list[MessageId] = []

    def can(self, account: str) -> Capabilities | None:
        """Return what `account` can do; None where it is not connected any more."""
        return self._accounts.get(AccountId(account))

    def is_chat(self, account: str) -> bool:
        """Say whether people write in `account`, and not letters."""
        can = self.can(account)
        return can is not None and not can.letters and not can.unread

    @property
    def can_mail(self) -> bool:
        """Whether some account sends letters."""
        return any(can.letters for can in self._accounts.values())

    def hear(
        self,
        conversation: Conversation,
        event: MessagePosted | ChoicePressed,
        *,
        message: MessageId,
        position: float,
        pressed: Choice | None = None,
        caution: Caution | None = None,
    ) -> int:
        """Add what the requester said; return its number in the conversation.

        `position` says where it stands among the others: its number, unless it came late.
        """
        body = event.body if isinstance(event, MessagePosted) else Body()
        if pressed is not None:
            body = Body(text=pressed.label)
        row = self._message(conversation, Speaker.CUSTOMER, body, message=message, at=event.at)
        row["position"] = position
        row["order"] = event.order or None
        row["author"] = event.author.address
        row["caution"] = caution
        if pressed is not None:
            row["pressed_choice"] = pressed.id
            row["intent"] = intent_json(pressed.intent)
        if isinstance(event, MessagePosted):
            row["intent"] = row["intent"] or intent_json(event.intent)
            row["envelope"] = envelope_json(event.envelope)
            row["forwarded_from"] = author_json(event.forwarded_from)
            row["is_automatic"] = event.is_automatic
            self.name_remotely(conversation, message, event.remote_ids)
            self.attach(conversation, message, body.files)
        if event.order > (conversation.last_order or ""):
            conversation.last_order = event.order
        return conversation.last_seq

    def attach(
        self,
        conversation: Conversation,
        message: MessageId,
        files: Sequence[FileRef],
        *,
        first: int = 0,
    ) -> None:
        """Add files that came with `message`; `first` is the place of the first of them."""
        if files:
            self.wake(LaneKind.FILES, conversation)
        self._rows[Attachment].extend(rows.attached(message, files, first))

    def enclose(self, message: MessageId, files: Sequence[KeptFile]) -> None:
        """Add files of ours to `message`."""
        self._rows[Attachment].extend(rows.enclosed(message, files))

    def put_at(self, positions: Mapping[MessageId, float]) -> None:
        """Give messages other positions, those just added too."""
        self._moved.update(positions)
        for row in self._rows[Message]:
            row["position"] = positions.get(row["id"], row["position"])

    def say(
        self,
        conversation: Conversation,
        speaker: Speaker,
        words: str,
        *,
        choices: Sequence[Choice] = (),
        agent: AgentId | None = None,
        turn: TurnId | None = None,
        envelope: Envelope | None = None,
    ) -> MessageId:
        """Add what the desk says to the requester, and what it takes to deliver it.

        What machines say in one transaction is one message where the channel joins a turn.
        """
        if speaker != Speaker.AGENT and not choices:
            begun = self._begun_letter(conversation)
            if begun is not None:
                begun["text"] += f"\n\n{words}"
                return MessageId(begun["id"])
        message = MessageId(new_id())
        row = self._message(
            conversation, speaker, Body(text=words), message=message, at=self.now, agent=agent
        )
        if speaker == Speaker.AGENT:
            conversation.talked_seq = row["seq"]
        row["turn_id"] = turn
        row["envelope"] = envelope_json(envelope)
        row["choices"] = rows.choices_json(choices)
        self._rows[ChoiceRow].extend(rows.offered(conversation, message, choices))
        capabilities = self.can(conversation.account_id)
        if capabilities is not None and capabilities.reads_store:
            row["delivery"] = DeliveryState.SENT
        else:  # also where the account is gone: what cannot be sent is seen by the outbox
            row["delivery"] = DeliveryState.WAITING
            self.send(conversation, message, DeliveryAction.SEND)
        return message

    def _begun_letter(self, conversation: Conversation) -> dict[str, Any] | None:
        """Return the message of a machine that what it says next belongs to, if there is one."""
        capabilities = self.can(conversation.account_id)
        if capabilities is None or not capabilities.joins_turn:
            return None
        last = next(
            (
                row
                for row in reversed(self._rows[Message])
                if row["conversation_id"] == conversation.id
            ),
            None,
        )
        is_ours = last is not None and last["speaker"] in {Speaker.BOT, Speaker.SYSTEM}
        return last if is_ours else None

    def send(self, conversation: Conversation, message: MessageId, action: DeliveryAction) -> None:
        """Have `action` done with `message` on the platform, after all that waits there."""
        self._rows[Delivery].append(rows.delivery(conversation, message, action))
        self.wake(LaneKind.DELIVERIES, conversation)

    def wake(self, kind: LaneKind, conversation: Conversation) -> None:
        """Have a worker look at a lane of `conversation`."""
        self._lanes.add(Lane(kind, ConversationId(conversation.id)))

    def note(self, conversation: Conversation, agent: AgentId | None, words: str) -> MessageId:
        """Add an internal note, which the requester never sees; without `agent`, of the desk."""
        message = MessageId(new_id())
        row = self._message(
            conversation,
            Speaker.SYSTEM if agent is None else Speaker.AGENT,
            Body(text=words),
            message=message,
            at=self.now,
            agent=agent,
        )
        row["is_internal"] = True
        return message

    def remark(self, conversation: Conversation, speaker: Speaker, words: str) -> MessageId:
        """Add what the desk itself leaves for agents; the requester never sees it."""
        message = MessageId(new_id())
        row = self._message(conversation, speaker, Body(text=words), message=message, at=self.now)
        row["is_internal"] = True
        return message

    def _message(
        self,
        conversation: Conversation,
        speaker: Speaker,
        body: Body,
        *,
        message: MessageId,
        at: datetime,
        agent: AgentId | None = None,
    ) -> dict[str, Any]:
        conversation.last_message_at = self.now
        row = rows.message(
            conversation,
            conversation.next_seq(),
            speaker,
            body,
            name=message,
            agent=agent,
            at=at,
            now=self.now,
        )
        self._rows[Message].append(row)
        self.changed(conversation, FeedKind.MESSAGE)
        return row

    def name_remotely(
        self, conversation: Conversation, message: MessageId, remote_ids: Sequence[RemoteId]
    ) -> None:
        """Remember what the platform calls `message`."""
        self._rows[RemoteMessage].extend(rows.named_remotely(conversation, message, remote_ids))

    def forget(self, message: MessageId) -> None:
        """Let nothing that is kept for learning say what a message said that was taken back."""
        self._taken_back.append(message)

    def keep_revision(self, message: Message, said: Body | None = None) -> None:
        """Keep what `message` said until now, or `said`, where that is older."""
        self._rows[MessageRevision].append(rows.revision(message, said, self.now))

    def want_turn(self, conversation: Conversation, *, more_may_follow: bool = False) -> None:
        """Ask the assistant to answer; joins a turn that has not begun.

        Where `more_may_follow`, as of an album, the turn waits a moment for it.
        """
        self._turns.add(conversation, self.now, more_may_follow=more_may_follow)
        self.wake(LaneKind.TURNS, conversation)

    def record(
        self,
        ticket: Ticket,
        field: str,
        old: str | None,
        new: str | None,
        *,
        actor: str,
        reason: str | None = None,
    ) -> None:
        """Append a change of `ticket` to its history, and have the desk react to it."""
        ticket.updated_at = self.now
        self._lanes.add(Lane(LaneKind.REACTIONS, ConversationId(ticket.conversation_id)))
        self._recorded.append(
            NewEvent(
                ticket=TicketId(ticket.id),
                field=field,
                old=old,
                new=new,
                actor=actor,
                reason=reason,
                at=self.now,
                depth=self._depth,
                by_program=audit.is_by_program(),
            )
        )

    def record_message(self, ticket: Ticket, message: MessageId, who: str, *, actor: str) -> None:
        """Note that something was said in `ticket`: by a "customer", an "agent" or as a "note"."""
        self.record(ticket, "message", None, str(message), actor=actor, reason=who)

    def changed(
        self, conversation: Conversation, kind: FeedKind, ticket: TicketId | None = None
    ) -> None:
        """Tell live pages that something of `conversation` is new."""
        self._changes.append(
            Change(
                kind=kind,
                account=AccountId(conversation.account_id),
                thread=ThreadKey(conversation.thread),
                conversation=ConversationId(conversation.id),
                ticket=ticket,
            )
        )

    @property
    def has_recorded(self) -> bool:
        """Whether changes of tickets are gathered that are not written yet."""
        return bool(self._recorded)

    async def write(
        self, session: AsyncSession, *, but_wake_not: Collection[Lane] = frozenset()
    ) -> None:
        """Write everything gathered; changed records that `session` tracks go first.

        What is gathered afterwards can be written by another call. The lanes
        `but_wake_not` are not woken: the caller is at work there.
        """
        await session.flush()
        if self._taken_back:
            await forget_words(session, self._taken_back)
            self._taken_back = []
        lanes = self._lanes.difference(but_wake_not)
        if any((*self._rows.values(), self._recorded, self._changes, self._turns, lanes)):
            async with sent_together(session):
                await self._add_rows(session)
                await add_events(session, self._recorded)
                await self._turns.write(session)
                await publish(session, self._changes)
                await wake(session, lanes)
        if self._moved:
            await session.execute(
                update(Message),
                [{"id": name, "position": position} for name, position in self._moved.items()],
            )
        self._moved = {}
        self._changes, self._lanes, self._recorded = [], set(), []

    async def _add_rows(self, session: AsyncSession) -> None:
        connection = await session.connection()
        for table, added in self._rows.items():
            if not added:
                continue
            # Of tables, not of records: as records, rows with other columns empty would each be a
            # statement of their own.
            adding = upsert(table.__table__)
            if table is RemoteMessage:
                # Platforms have been seen to use an id twice; the first message keeps it.
                adding = adding.on_conflict_do_nothing()
            await connection.execute(adding, added)
            self._rows[table] = []
