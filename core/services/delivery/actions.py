"""In what sending, sending to the rest, changing and taking back differ for the outbox."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.channel import DeliveryAction, DeliveryState, Outbound, Receipt
from core.domain.conversation import Responder, Speaker
from core.domain.errors import DeliveryError
from core.domain.ids import ConversationId, MessageId
from core.services.delivery.outbound import receipt_of
from core.services.delivery.reopening import home_of, reopen_ticket_of, show_lost
from core.services.delivery.rest import lost
from core.services.ledger import Ledger
from core.storage.tables import Conversation, Delivery, Message, RemoteMessage


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A delivery in hand: its conversation is locked, and `ledger` writes what is added."""

    session: AsyncSession
    ledger: Ledger
    conversation: Conversation
    delivery: Delivery
    message: Message

    @property
    def action(self) -> Action:
        """Return how it is treated."""
        return ACTIONS[self.delivery.action]


class Action:
    """What holds of a delivery unless its action says otherwise."""

    holds_up: ClassVar[bool] = True  # while it waits, so does what comes after it
    is_counted: ClassVar[bool] = True  # among what one person may be sent
    in_doubt: ClassVar[DeliveryState | None] = None  # where the channel parks; none: made again
    may_lose_some: ClassVar[bool] = False  # of those it was for, though others got it

    async def subject(self, item: Item) -> Receipt:
        """Return what it is about: what the platform calls a message that was sent."""
        return await receipt_of(item.session, item.message)

    def is_pointless(self, item: Item, subject: Receipt) -> bool:
        """Say whether there is nothing to be done any more."""
        return item.message.removed_at is not None or not subject.remote_ids

    def show(self, message: Message, state: DeliveryState) -> None:
        """Let `message` be in the `state` of the delivery, where the two are one."""

    async def name(self, item: Item, receipt: Receipt) -> None:
        """Remember what the platform calls the message now."""

    async def conclude(self, item: Item, sent: Outbound) -> None:  # noqa: ARG002 - names say
        """Write at the message what came of an attempt, after the delivery has it."""
        item.message.delivery_detail = item.delivery.error


class Send(Action):
    """The message goes to everybody it is for: what becomes of the delivery becomes of it."""

    in_doubt = DeliveryState.PARKED

    async def subject(self, item: Item) -> Receipt:  # noqa: ARG002 - names say
        """Return nothing: it has not been sent."""
        return Receipt(remote_ids=())

    def is_pointless(self, item: Item, subject: Receipt) -> bool:  # noqa: ARG002 - names say
        """Say whether it was taken back, or a human took over from the assistant.

        The assistant must not speak after that, unless it is they who have what was parked sent
        again.
        """
        if item.message.removed_at is not None:
            return True
        is_bots = item.message.speaker == Speaker.BOT
        was_parked = item.delivery.finished_at is not None
        return is_bots and not was_parked and item.conversation.responder == Responder.HUMAN

    def show(self, message: Message, state: DeliveryState) -> None:
        """See `Action.show`."""
        message.delivery = state

    async def name(self, item: Item, receipt: Receipt) -> None:
        """See `Action.name`."""
        message = MessageId(item.message.id)
        item.ledger.name_remotely(item.conversation, message, receipt.remote_ids)

    async def conclude(self, item: Item, sent: Outbound) -> None:
        """See `Action.conclude`; what never arrives, or perhaps not, opens its ticket.

        Whoever is known to take nothing is not told so.
        """
        await super().conclude(item, sent)
        if item.delivery.status in {DeliveryState.FAILED, DeliveryState.PARKED}:
            is_connected = item.ledger.can(item.conversation.account_id) is not None
            tells = is_connected and item.conversation.unreachable_since is None
            await show_lost(item.session, item.conversation, item.message, item.ledger, tells=tells)


class SendToRest(Action):
    """The message goes to those who took nothing when the others got it (see `rest`)."""

    holds_up = False  # what is for others does not wait for those
    is_counted = False  # it counted when the others got it
    in_doubt = DeliveryState.FAILED
    may_lose_some = True

    async def conclude(self, item: Item, sent: Outbound) -> None:
        """Fail the message, and open its ticket, where somebody of To never gets it."""
        message = item.message
        if reason := lost(sent, message):
            if message.delivery != DeliveryState.FAILED:  # else it came back, for another reason
                message.delivery, message.delivery_detail = DeliveryState.FAILED, reason
            await reopen_ticket_of(item.session, item.conversation, message, item.ledger)


class Edit(Action):
    """What was sent is changed on the platform; it may be called otherwise then."""

    async def name(self, item: Item, receipt: Receipt) -> None:
        """See `Action.name`."""
        message = MessageId(item.message.id)
        await item.session.execute(delete(RemoteMessage).where(RemoteMessage.message_id == message))
        item.ledger.name_remotely(item.conversation, message, receipt.remote_ids)


class Remove(Action):
    """What was sent is taken back on the platform."""

    def is_pointless(self, item: Item, subject: Receipt) -> bool:  # noqa: ARG002 - names say
        """Say whether there is nothing to take back."""
        return not subject.remote_ids


ACTIONS: Mapping[str, Action] = MappingProxyType(
    {
        DeliveryAction.SEND: Send(),
        DeliveryAction.REST: SendToRest(),
        DeliveryAction.EDIT: Edit(),
        DeliveryAction.REMOVE: Remove(),
    }
)
"""By `Delivery.action`."""


async def held_while_settling(
    session: AsyncSession,
    action: DeliveryAction,
    conversation: ConversationId,
    outcome: Receipt | DeliveryError,
) -> set[ConversationId]:
    """Return what is locked while `outcome` is settled: also where a ticket may be opened."""
    if isinstance(outcome, Receipt) and not ACTIONS[action].may_lose_some:
        return {conversation}
    return {conversation, *await home_of(session, conversation)}
