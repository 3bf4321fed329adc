"""What one transaction adds: rows gathered while deciding, written once, before the commit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import insert, text
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.channel import Capabilities, DeliveryState
from core.domain.content import Body, Choice, Intent
from core.domain.conversation import Speaker
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
from core.storage.feed import Change, FeedKind, publish
from core.storage.tables import (
    Attachment,
    ChoiceRow,
    Conversation,
    Delivery,
    Message,
    MessageRevision,
    RemoteMessage,
    Ticket,
    TicketEvent,
    Turn,
)
from core.storage.wakeups import Lane, LaneKind, wake

Accounts = Mapping[AccountId, Capabilities]
"""What each connected account can do."""


class Ledger:
    """Gathers what a transaction adds and writes it in an order that references allow.

    The caller holds the lock of every conversation it writes about.
    """

    def __init__(self, accounts: Accounts, now: datetime) -> None:
        self._accounts = accounts
        self.now = now
        self._rows: dict[type[Any], list[dict[str, Any]]] = {
            Message: [],
            ChoiceRow: [],
            RemoteMessage: [],
            Attachment: [],
            MessageRevision: [],
            Delivery: [],
            TicketEvent: [],
        }
        self._turns: dict[ConversationId, dict[str, Any]] = {}
        self._lanes: set[Lane] = set()
        self._changes: list[Change] = []

    def hear(
        self,
        conversation: Conversation,
        body: Body,
        *,
        message: MessageId,
        at: datetime,
        remote_ids: Sequence[RemoteId] = (),
        pressed: Choice | None = None,
    ) -> int:
        """Add what the requester said; return its number in the conversation."""
        row = self._message(conversation, Speaker.CUSTOMER, body, message=message, at=at)
        if pressed is not None:
            row["pressed_choice"] = pressed.id
            row["intent"] = intent_json(pressed.intent)
        self.name_remotely(conversation, message, remote_ids)
        for position, file in enumerate(body.files):
            self._rows[Attachment].append(
                {
                    "id": new_id(),
                    "message_id": message,
                    "position": position,
                    "name": file.name,
                    "media_type": file.media_type,
                    "size_bytes": file.size_bytes,
                    "remote": file.remote,
                }
            )
        return conversation.last_seq

    def say(
        self,
        conversation: Conversation,
        speaker: Speaker,
        words: str,
        *,
        choices: Sequence[Choice] = (),
        agent: AgentId | None = None,
        turn: TurnId | None = None,
    ) -> MessageId:
        """Add what the desk says to the requester, and what it takes to deliver it."""
        message = MessageId(new_id())
        row = self._message(
            conversation, speaker, Body(text=words), message=message, at=self.now, agent=agent
        )
        row["turn_id"] = turn
        row["choices"] = [{"id": str(choice.id), "label": choice.label} for choice in choices]
        self._rows[ChoiceRow].extend(
            {
                "id": choice.id,
                "message_id": message,
                "conversation_id": conversation.id,
                "label": choice.label,
                "intent": choice.intent.name,
                "entities": dict(choice.intent.entities),
            }
            for choice in choices
        )
        account = AccountId(conversation.account_id)
        capabilities = self._accounts.get(account)
        if capabilities is None:
            row["delivery"] = DeliveryState.FAILED
            row["delivery_detail"] = f"the account {account} is not connected any more"
        elif capabilities.reads_store:
            row["delivery"] = DeliveryState.SENT
        else:
            row["delivery"] = DeliveryState.WAITING
            self._rows[Delivery].append(
                {
                    "id": new_id(),
                    "conversation_id": conversation.id,
                    "account_id": account,
                    "message_id": message,
                }
            )
            self._lanes.add(Lane(LaneKind.DELIVERIES, ConversationId(conversation.id)))
        return message

    def note(self, conversation: Conversation, agent: AgentId, words: str) -> MessageId:
        """Add an internal note, which the requester never sees."""
        message = MessageId(new_id())
        row = self._message(
            conversation,
            Speaker.AGENT,
            Body(text=words),
            message=message,
            at=self.now,
            agent=agent,
        )
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
        conversation.last_seq += 1
        conversation.last_message_at = self.now
        row = {
            "id": message,
            "conversation_id": conversation.id,
            "seq": conversation.last_seq,
            "position": conversation.last_seq,
            "speaker": speaker,
            "agent_id": agent,
            "is_internal": False,
            "text": body.text,
            "html": body.html,
            "quoted": body.quoted,
            "signature": body.signature,
            "unsupported": list(body.unsupported),
            "choices": [],
            "pressed_choice": None,
            "intent": None,
            "turn_id": None,
            "language": conversation.language,
            "delivery": DeliveryState.NOT_SENT,
            "delivery_detail": None,
            "at": at,
        }
        self._rows[Message].append(row)
        self.changed(conversation, FeedKind.MESSAGE)
        return row

    def name_remotely(
        self, conversation: Conversation, message: MessageId, remote_ids: Sequence[RemoteId]
    ) -> None:
        """Remember what the platform calls `message`."""
        self._rows[RemoteMessage].extend(
            {
                "account_id": conversation.account_id,
                "remote_id": remote_id,
                "message_id": message,
            }
            for remote_id in remote_ids
        )

    def keep_revision(self, message: Message) -> None:
        """Keep what `message` said until now."""
        self._rows[MessageRevision].append(
            {
                "id": new_id(),
                "message_id": message.id,
                "text": message.text,
                "html": message.html,
                "replaced_at": self.now,
            }
        )

    def want_turn(self, conversation: Conversation) -> None:
        """Ask the assistant to answer; joins a turn that has not begun."""
        self._turns[ConversationId(conversation.id)] = {
            "id": new_id(),
            "conversation_id": conversation.id,
            "episode": conversation.episode,
        }
        self._lanes.add(Lane(LaneKind.TURNS, ConversationId(conversation.id)))

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
        """Append a change of `ticket` to its history."""
        ticket.updated_at = self.now
        self._rows[TicketEvent].append(
            {
                "ticket_id": ticket.id,
                "field": field,
                "old": old,
                "new": new,
                "actor": actor,
                "reason": reason,
            }
        )

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

    async def write(self, session: AsyncSession) -> None:
        """Write everything gathered; changed records that `session` tracks go first."""
        await session.flush()
        for table, rows in self._rows.items():
            if rows and table is RemoteMessage:
                # Platforms have been seen to use an id twice; the first message keeps it.
                await session.execute(upsert(table).on_conflict_do_nothing(), rows)
            elif rows:
                await session.execute(insert(table), rows)
        if self._turns:
            waiting = text("status = 'waiting' AND first_seq IS NULL")
            await session.execute(
                upsert(Turn).on_conflict_do_nothing(
                    index_elements=[Turn.conversation_id], index_where=waiting
                ),
                list(self._turns.values()),
            )
        await publish(session, self._changes)
        await wake(session, self._lanes)


def intent_json(intent: Intent) -> dict[str, Any]:
    """Return `intent` as it is kept in a message."""
    return {"name": intent.name, "entities": dict(intent.entities)}


def intent_from_json(stored: Mapping[str, Any] | None) -> Intent | None:
    """Return what `intent_json` made, or None."""
    if stored is None:
        return None
    return Intent(name=stored["name"], entities=dict(stored["entities"]))
