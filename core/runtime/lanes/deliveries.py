"""The `deliveries` lane at work: sends what the outbox holds, verifying what may have left."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import replace

from core.domain.channel import DeliveryAction, HeldBack, InPart, Receipt, UncertainPolicy
from core.domain.errors import (
    BadCredentials,
    CannotSay,
    DeliveryError,
    Moved,
    NotWanted,
    Rejected,
    SentInPart,
    Throttled,
    Unavailable,
    Uncertain,
)
from core.domain.ids import AccountId, ConversationId
from core.ports import Channel, EditsMessages, FindsDeliveries, RemovesMessages
from core.runtime.directory import BrokenChannel
from core.services.delivery.outbox import Outbox, SendPlan

_LOGGER = logging.getLogger(__name__)


class DeliveriesLane:
    """Sends a conversation's messages in order, until nothing is due."""

    def __init__(
        self,
        outbox: Outbox,
        channels: Mapping[AccountId, Channel],
        *,
        longest_seconds: float = 600.0,
    ) -> None:
        """A send that has no end within `longest_seconds` gives its place to others."""
        self._longest_seconds = longest_seconds
        self._outbox = outbox
        self._channels = channels

    async def advance(self, conversation: ConversationId) -> None:
        """Do the lane's due items. What must wait is found again by the sweep."""
        plan = await self._outbox.plan(conversation)
        while plan is not None:
            channel = self._channels.get(plan.message.account)
            if channel is None:
                outcome: Receipt | DeliveryError = Rejected("the account is not connected any more")
            else:
                outcome = await self._send(channel, plan)
            if isinstance(outcome, Receipt) and not plan.is_last:
                plan = await self._outbox.settle_and_plan(plan, outcome)
                continue
            await self._outbox.settle(plan, outcome)
            if isinstance(outcome, Receipt):
                return
            plan = await self._outbox.plan(conversation)

    async def _send(self, channel: Channel, plan: SendPlan) -> Receipt | DeliveryError:
        try:
            return await self._attempt(channel, plan)
        except CannotSay as error:
            return error
        except SentInPart as error:
            return error if plan.action == DeliveryAction.SEND else Rejected(str(error))
        except Uncertain as error:
            if plan.action == DeliveryAction.REST:
                return error  # what a look would find may be what the others got
            if plan.action == DeliveryAction.EDIT:
                # Made again; that this one may have been made is remembered for what it adds.
                return CannotSay(Unavailable(str(error)))
            if plan.action != DeliveryAction.SEND:
                return Unavailable(str(error))  # done twice, it is the same
            return await self._after_doubt(channel, plan, error)
        except DeliveryError as error:
            return _with_doubt(plan, error)
        except Exception:
            # A fault of the channel's own code: what it did before is not known, and trying
            # again at once would do it again.
            _LOGGER.exception("message %s: the channel failed", plan.message.message)
            if plan.action != DeliveryAction.SEND:
                return Rejected("the channel failed; see the worker's log")
            return Uncertain("the channel failed; see the worker's log")

    async def _attempt(self, channel: Channel, plan: SendPlan) -> Receipt:
        if isinstance(channel, BrokenChannel):
            _refuse(channel, plan)
        try:
            async with asyncio.timeout(self._longest_seconds):
                if plan.action == DeliveryAction.REST:
                    if plan.may_have_left:
                        raise Uncertain("an earlier attempt ended without a word")
                    return await channel.deliver(plan.message)
                if plan.action != DeliveryAction.SEND:
                    return await self._change(channel, plan)
                if plan.may_have_left:
                    return await self._verify(channel, plan)
                if plan.is_sent_again:
                    return await self._send_again(channel, plan)
                return await channel.deliver(plan.message)
        except TimeoutError as error:
            raise Uncertain("the platform takes too long to answer") from error

    async def _change(self, channel: Channel, plan: SendPlan) -> Receipt:
        """Change or take back what was sent."""
        if plan.action == DeliveryAction.EDIT:
            if not isinstance(channel, EditsMessages):
                raise Rejected("this channel cannot change what was sent")
            message = replace(plan.message, may_have_left=plan.may_have_left)
            return await channel.edit(message, plan.receipt)
        if not isinstance(channel, RemovesMessages):
            raise Rejected("this channel cannot take back what was sent")
        await channel.remove(plan.message.thread, plan.receipt)
        return plan.receipt

    async def _verify(self, channel: Channel, plan: SendPlan) -> Receipt:
        """Settle an earlier attempt that ended without a word, then send what it had not.

        Where the channel cannot tell, it is sent again if that is the account's policy.
        """
        if not isinstance(channel, FindsDeliveries):
            resends = channel.capabilities.when_uncertain == UncertainPolicy.RESEND
            if not (plan.is_wanted and resends):
                raise Uncertain("an earlier attempt ended without a word")
            try:
                return await channel.deliver(plan.message)
            except (Unavailable, Throttled, BadCredentials) as error:
                raise CannotSay(error) from error  # this attempt failed; the earlier may not have
        found = await _look(channel, plan)
        if isinstance(found, Receipt):
            return found
        if plan.is_wanted:
            return await channel.deliver(plan.message)
        if found is None:
            raise NotWanted
        return Receipt(remote_ids=found.remote_ids, detail=HeldBack.REST)

    async def _send_again(self, channel: Channel, plan: SendPlan) -> Receipt:
        """Send what an agent, asked whether it arrived, wants sent: what of it is not there."""
        if isinstance(channel, FindsDeliveries):
            try:
                found = await _look(channel, plan)
            except CannotSay:
                raise
            except Uncertain as error:
                _LOGGER.warning("message %s: %s", plan.message.message, error)
            else:
                if isinstance(found, Receipt):
                    return found
        return await channel.deliver(plan.message)

    async def _after_doubt(
        self, channel: Channel, plan: SendPlan, error: Uncertain
    ) -> Receipt | DeliveryError:
        _LOGGER.warning("message %s: %s", plan.message.message, error)
        if not isinstance(channel, FindsDeliveries):
            return error
        try:
            found = await _look(channel, plan)
        except Uncertain as doubt:
            return doubt
        if isinstance(found, InPart):
            # It stays in doubt, so that whoever goes on with it looks for these parts first.
            return CannotSay(Unavailable("the connection broke; the message arrived in part"))
        return found or Unavailable("the connection broke; the message did not arrive")


async def _look(channel: FindsDeliveries, plan: SendPlan) -> Receipt | InPart | None:
    """Return what the platform has of a message that may have been sent; None if nothing.

    Raises:
        CannotSay: the platform may say later.
        Uncertain: it never will.
    """
    try:
        return await channel.find_delivery(plan.message)
    except Rejected as error:
        raise Uncertain(str(error)) from error
    except DeliveryError as error:
        raise CannotSay(error) from error


def _with_doubt(plan: SendPlan, error: DeliveryError) -> DeliveryError:
    """Return why an attempt failed; a change that an earlier one may have made stays in doubt."""
    comes_again = isinstance(error, Unavailable | Throttled | BadCredentials | Moved)
    if plan.action == DeliveryAction.EDIT and plan.may_have_left and comes_again:
        return CannotSay(error)
    return error


def _refuse(channel: BrokenChannel, plan: SendPlan) -> None:
    """Raise why nothing can be done with a channel now; what may have left stays in doubt."""
    try:
        channel.refuse()
    except BadCredentials as error:
        if plan.may_have_left and plan.action == DeliveryAction.SEND:
            raise CannotSay(error) from error
        raise
