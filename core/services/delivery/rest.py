"""Those of several recipients who took nothing for now: tried again without the others."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from core.domain.channel import (
    DeliveryAction,
    DeliveryState,
    NotTaken,
    Outbound,
    Receipt,
    RecipientOutcome,
)
from core.domain.errors import DeliveryError, Throttled, Unavailable
from core.domain.ids import new_id
from core.services.delivery.backing_off import pause_after
from core.storage.tables import Delivery, Message


def rest_of(
    delivery: Delivery, put_off: Sequence[NotTaken], begun_at: datetime, now: datetime
) -> Delivery:
    """Return what is still to be sent of `delivery`, which the other recipients have.

    That was `begun_at`; so is the rest, and given up when the whole would have been.
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
        created_at=begun_at,
        error="; ".join(dict.fromkeys(one.reason for one in put_off)),
    )


def note(message: Message, delivery: Delivery, outcome: Receipt | DeliveryError) -> None:
    """Keep at `message` what `outcome` says of single recipients (`Message.reported`).

    What was reported of others stays as it is.
    """
    if isinstance(outcome, Receipt):
        forget(message, delivery)
        _keep(message, outcome.put_off, RecipientOutcome.WAITING)
        _keep(message, outcome.refused, RecipientOutcome.REFUSED)
    elif delivery.action == DeliveryAction.REST and delivery.status == DeliveryState.FAILED:
        given_up = [
            NotTaken(address=address, reason=_why(message, address, outcome))
            for address in delivery.only_to or ()
        ]
        _keep(message, given_up, RecipientOutcome.REFUSED)


def forget(message: Message, delivery: Delivery) -> None:
    """Forget that those whom `delivery` is for wait for `message`."""
    if not delivery.only_to:
        return
    message.reported = {
        address: report
        for address, report in message.reported.items()
        if address not in delivery.only_to or report["outcome"] != RecipientOutcome.WAITING
    }


def lost(sent: Outbound, message: Message) -> str | None:
    """Return why one of those that a rest was for and who are of To never gets `message`.

    None where they have it, or it is tried again.
    """
    to = {*_to(sent)}.intersection(sent.only_to)
    reasons = [
        report["detail"]
        for address, report in message.reported.items()
        if address in to and report["outcome"] == RecipientOutcome.REFUSED
    ]
    return "; ".join(dict.fromkeys(reasons)) if reasons else None


def _to(message: Outbound) -> Sequence[str]:
    letter = message.envelope
    if letter is not None and (letter.to or letter.cc or letter.bcc):
        return letter.to or letter.cc or letter.bcc
    return () if message.requester is None else (message.requester,)


def _keep(message: Message, those: Sequence[NotTaken], outcome: RecipientOutcome) -> None:
    if not those:
        return
    said: dict[str, dict[str, str]] = {
        one.address: {"outcome": outcome, "detail": one.reason} for one in those
    }
    message.reported = {**message.reported, **said}


def _why(message: Message, address: str, error: DeliveryError) -> str:
    """Return the server's last word on `address`: it may have another for each."""
    before = message.reported.get(address)
    if isinstance(error, Unavailable | Throttled) and before is not None:
        return str(before["detail"])
    return str(error) or type(error).__name__
