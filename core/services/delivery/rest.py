"""Those of several recipients who took nothing for now: tried again without the others."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.channel import DeliveryAction, DeliveryState, PutOff, Receipt
from core.domain.errors import DeliveryError, Rejected
from core.domain.ids import new_id
from core.services.delivery.backing_off import pause_after
from core.storage.tables import Delivery


def rest_of(delivery: Delivery, put_off: Sequence[PutOff], now: datetime) -> Delivery:
    """Return what is still to be sent of `delivery`, which the other recipients have.

    It is as old as what it is the rest of, and given up when that would have been.
    """
    is_first = delivery.action == DeliveryAction.SEND
    attempts = 0 if is_first else delivery.attempts
    return Delivery(
        id=new_id(),
        conversation_id=delivery.conversation_id,
        account_id=delivery.account_id,
        message_id=delivery.message_id,
        action=DeliveryAction.REST,
        only_to=[one.address for one in put_off],
        status=DeliveryState.WAITING,
        attempts=attempts,
        available_at=now + pause_after(attempts + 1),
        created_at=delivery.created_at,
        error="; ".join(dict.fromkeys(one.reason for one in put_off)),
    )


async def detail_of(
    session: AsyncSession, delivery: Delivery, outcome: Receipt | DeliveryError
) -> str | None:
    """Return what agents have to know of a message after `outcome` of one of its deliveries."""
    is_rest = delivery.action == DeliveryAction.REST
    has_rest = isinstance(outcome, Receipt) and outcome.put_off
    if not is_rest and not has_rest:
        return delivery.error
    if is_rest and delivery.status == DeliveryState.FAILED and not isinstance(outcome, Rejected):
        delivery.error = f"not taken for {_names(delivery)}: {delivery.error}"  # given up
    parts = await session.scalars(
        select(Delivery)
        .where(
            Delivery.message_id == delivery.message_id,
            Delivery.action.in_((DeliveryAction.SEND, DeliveryAction.REST)),
        )
        .order_by(Delivery.id)
    )
    return "; ".join(filter(None, map(_in_words, parts))) or None


def _in_words(delivery: Delivery) -> str | None:
    is_to_come = delivery.status in (DeliveryState.WAITING, DeliveryState.SENDING)
    if delivery.action == DeliveryAction.REST and is_to_come:
        return f"not taken yet for {_names(delivery)}, tried again: {delivery.error}"
    return delivery.error


def _names(delivery: Delivery) -> str:
    return ", ".join(delivery.only_to or ())
