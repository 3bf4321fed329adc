"""A duty: has the assistant make the models that are asked for, and serve the one that is wanted.

What is wanted stands in the database; the assistant is asked again and again until it is so. An
assistant that was started anew, or on another machine, is brought to it the same way.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from core.domain.errors import AssistantError
from core.domain.models import TrainingState
from core.ports import TeachableAssistant
from core.services.learning.versions import ModelVersions, Order

_LOGGER = logging.getLogger(__name__)
_PAUSE = timedelta(seconds=5)
_AFTER_FAILURE = timedelta(hours=1)


class ModelKeeping:
    """Talks with the assistant about its models. Several workers may do it at once."""

    def __init__(
        self,
        versions: ModelVersions,
        assistant: TeachableAssistant,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._versions = versions
        self._assistant = assistant
        self._now = now
        self._not_before: datetime | None = None
        self._not_again: datetime | None = None  # make the version that is to serve

    async def keep_due(self) -> None:
        """Look once, where it is time."""
        if self._not_before is not None and self._now() < self._not_before:
            return
        try:
            await self.keep()
            self._not_before = self._now() + _PAUSE
        except AssistantError as error:
            _LOGGER.debug("nothing can be done about models: %s", error)
            self._not_before = self._now() + _PAUSE

    async def _make_again(self, wanted: Order) -> None:
        if self._not_again is not None and self._now() < self._not_again:
            return
        training = await self._assistant.train(wanted.lessons)
        if training.state == TrainingState.FAILED:
            _LOGGER.warning("version %d cannot be made again: %s", wanted.number, training.detail)
            self._not_again = self._now() + _AFTER_FAILURE
            await self._versions.note_trouble(wanted.number, training.detail)

    async def keep(self) -> None:
        """Bring the assistant nearer to what is wanted.

        Raises:
            AssistantError: it is away or broken; the next look goes on.
        """
        wanted = await self._versions.wanted()
        serving = await self._assistant.serving()
        if serving.model is not None and serving.lessons != wanted.lessons.name:
            used = await self._assistant.use(wanted.lessons.name)
            if used is None:
                # It was made elsewhere, or is of an earlier release: its examples make it again.
                await self._make_again(wanted)
            else:
                serving = used
                _LOGGER.info("version %d of the assistant's model serves", wanted.number)
        await self._versions.note_serving(serving)
        order = await self._versions.due()
        if order is not None:
            training = await self._assistant.train(order.lessons)
            await self._versions.note_training(order.number, training)
            if training.state == TrainingState.DONE:
                _LOGGER.info("version %d: passed %s", order.number, training.passed)
