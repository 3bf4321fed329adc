"""The `turns` lane at work: asks the assistant and writes down what it says."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Coroutine, Mapping
from datetime import UTC, datetime

from core.domain.assistant import TurnReply
from core.domain.errors import (
    AssistantFailed,
    AssistantLoading,
    DeliveryError,
    StorageUnavailable,
)
from core.domain.ids import AccountId, ConversationId
from core.ports import Assistant, Channel, LanguageDetector, ShowsTyping
from core.services.turns.composing import Composed, Composing
from core.services.turns.other_languages import reply_in
from core.services.turns.plan import TurnPlan, Wait, with_language
from core.services.turns.turns import MAX_ATTEMPTS, Turns

_LOGGER = logging.getLogger(__name__)
_LEAST_SECONDS = 5.0
_TYPING_SECONDS = 2.0
_TYPING_AGAIN_SECONDS = 4.0  # platforms show it for five
_WOKEN_WITHIN_SECONDS = 10.0
_SETTLE_SECONDS = 1.0  # of the deadline, kept for writing a reply down
_FIRST_SHARE = 0.6  # of the time left; the rest is for the pause and the second attempt


class AssistantGate:
    """Knows whether the assistant answers, and whether it has had time to start.

    `was_up` says that another process saw it answer not long ago, and nobody stopped the desk
    since: then it is not starting but away.
    """

    def __init__(
        self,
        start_seconds: float,
        *,
        was_up: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock = clock
        self._started = clock()
        self._start_seconds = start_seconds
        self._has_been_up = was_up
        self.is_up = False

    async def look(self, assistant: Assistant) -> bool:
        """Look whether the assistant answers; True where it has just come up.

        One that is busy with a message may miss a look: only who misses two in a row is away.
        """
        is_up = await assistant.is_ready()
        return self.observe(is_up or (self.is_up and await assistant.is_ready()))

    def observe(self, is_up: bool) -> bool:
        """Note what a look at the assistant saw; True where it has just come up."""
        came_up = is_up and not self.is_up
        self.is_up = is_up
        self._has_been_up = self._has_been_up or is_up
        return came_up

    @property
    def is_starting(self) -> bool:
        """Whether the assistant may still be loading since this process began."""
        return not self._has_been_up and self._clock() - self._started < self._start_seconds


class TurnsLane:
    """Answers what waits in a conversation, until nothing is due."""

    def __init__(
        self,
        turns: Turns,
        assistant: Assistant,
        detector: LanguageDetector,
        gate: AssistantGate,
        deadline_seconds: float,
        channels: Mapping[AccountId, Channel],
        composing: Composing | None = None,
        typing_again_seconds: float = _TYPING_AGAIN_SECONDS,
    ) -> None:
        self._typing_again_seconds = typing_again_seconds
        self._turns = turns
        self._assistant = assistant
        self._detector = detector
        self._gate = gate
        self._deadline_seconds = deadline_seconds
        self._channels = channels
        self._composing = composing
        self._asides: set[asyncio.Task[None]] = set()

    async def advance(self, conversation: ConversationId) -> None:
        """Do the lane's due items. What must wait is found again by the sweep.

        Only for what is due within moments, an album of which more parts may follow, the lane is
        woken at its time.
        """
        while self._gate.is_up:
            plan = await self._turns.plan_or_wait(conversation)
            if isinstance(plan, Wait):
                self._aside(self._wake_in(plan.seconds, conversation))
                return
            if plan is None or not await self._answer(plan) or plan.is_last:
                return

    def _aside(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._asides.add(task)
        task.add_done_callback(self._asides.discard)

    async def _wake_in(self, seconds: float, conversation: ConversationId) -> None:
        if seconds > _WOKEN_WITHIN_SECONDS:
            return
        await asyncio.sleep(seconds)
        with contextlib.suppress(StorageUnavailable):  # then the sweep does it
            await self._turns.wake(conversation)

    async def _keep_typing(self, channel: ShowsTyping, plan: TurnPlan) -> None:
        """Show, until cancelled, that an answer is being written."""
        while True:
            await self._show_typing(channel, plan)
            await asyncio.sleep(self._typing_again_seconds)

    async def _show_typing(self, channel: ShowsTyping, plan: TurnPlan) -> None:
        try:
            async with asyncio.timeout(_TYPING_SECONDS):
                await channel.show_typing(plan.thread)
        except (DeliveryError, TimeoutError) as error:
            _LOGGER.debug("turn %s: no sign of typing: %s", plan.turn, error)
        except Exception:
            # A courtesy whose fault, whatever it is, must not cost the answer.
            _LOGGER.exception("turn %s: the channel failed to show typing", plan.turn)

    async def _answer(self, plan: TurnPlan) -> bool:
        channel = self._channels.get(plan.account)
        if not isinstance(channel, ShowsTyping):
            return await self._take(plan)
        typing = asyncio.create_task(self._keep_typing(channel, plan))
        try:
            return await self._take(plan)
        finally:
            typing.cancel()

    async def _take(self, plan: TurnPlan) -> bool:
        """Take a turn; False where what follows has to wait."""
        foreign = self._detector.detect_foreign(plan.request.text) if plan.is_in_words else None
        if foreign is not None:
            return await self._settle(plan, reply_in(foreign, plan.request))
        plan = with_language(plan, self._detector.detect(plan.request.text))
        waited = (datetime.now(UTC) - plan.waiting_since).total_seconds()
        remaining = self._deadline_seconds - waited
        if plan.attempt < MAX_ATTEMPTS:
            remaining *= _FIRST_SHARE
        try:
            async with asyncio.timeout(max(remaining, _LEAST_SECONDS)):
                reply = await self._assistant.reply(plan.request)
        except AssistantLoading as error:
            self._gate.observe(is_up=False)
            await self._turns.put_back(plan, str(error), counts=False)
            return False
        except (AssistantFailed, TimeoutError) as error:
            reason = str(error) or "the assistant did not reply in time"
            _LOGGER.warning("turn %s, attempt %d: %s", plan.turn, plan.attempt, reason)
            if plan.attempt >= MAX_ATTEMPTS:
                await self._turns.give_up(plan.conversation, reason)
            else:
                await self._turns.put_back(plan, reason, counts=True)
            return False
        return await self._settle(plan, reply, await self._composed(plan, reply))

    async def _composed(self, plan: TurnPlan, reply: TurnReply) -> Composed | None:
        """Return the answer in a language model's words, where there is one and time for it."""
        if self._composing is None:
            return None
        waited = (datetime.now(UTC) - plan.waiting_since).total_seconds()
        try:
            async with asyncio.timeout(self._deadline_seconds - waited - _SETTLE_SECONDS):
                return await self._composing.composed(plan.conversation, plan.request, reply)
        except TimeoutError:
            _LOGGER.info("turn %s: no time to compose; the article is shown as it is", plan.turn)
            return None

    async def _settle(
        self, plan: TurnPlan, reply: TurnReply, composed: Composed | None = None
    ) -> bool:
        if not await self._turns.settle(plan, reply, composed):
            _LOGGER.info("turn %s: the reply came too late and was dropped", plan.turn)
        return True
