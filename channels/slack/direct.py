"""Direct conversations of people who used a command or a shortcut, which name only the person."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from weakref import WeakValueDictionary

from channels.slack import ids
from channels.slack.membership import LOOK_SECONDS
from channels.slack.web_api import WebApi
from core.domain.errors import DeliveryError
from core.domain.events import Event, MessagePosted
from core.domain.ids import AccountId

_REMEMBERED = 10_000
_LOGGER = logging.getLogger(__name__)


class DirectChannels:
    """Finds one account's direct channels, and keeps what people ask in the order they asked it.

    Looking a channel up takes as long as Slack takes. Without a queue for each person their next
    question, whose channel is known by then, would be stored before the one that is waited for.
    """

    def __init__(self, account: AccountId, api: WebApi) -> None:
        self._account = account
        self._api = api
        self._known: OrderedDict[str, str] = OrderedDict()
        self._queues: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def learn(self, event: Event) -> None:
        """Remember whose channel a direct message came in."""
        if isinstance(event, MessagePosted) and ids.is_direct(event.thread):
            self._remember(event.author.address, event.thread)

    @asynccontextmanager
    async def in_turn(self, person: str | None) -> AsyncIterator[None]:
        """Let the block run after those that came before for `person`; for nobody, at once."""
        if person is None:
            yield
            return
        queue = self._queues.setdefault(person, asyncio.Lock())
        async with queue:  # a lock is given in the order in which it was asked for
            yield

    async def of(self, person: str, since: float) -> str | None:
        """Return the channel, or None where it was not found until shortly after `since`.

        `since` is on the loop's clock.
        """
        if person in self._known:
            return self._known[person]
        try:
            async with asyncio.timeout_at(since + LOOK_SECONDS):
                answer = await self._api.call("conversations.open", users=person)
        except (DeliveryError, TimeoutError) as error:
            # The person stands for the channel: Slack takes either to post to.
            _LOGGER.info("account %s: no direct channel: %s", self._account, error)
            return None
        channel = answer.inner("channel").text("id")
        if not ids.is_channel(channel):
            return None
        self._remember(person, channel)
        return channel

    def _remember(self, person: str, channel: str) -> None:
        self._known[person] = channel
        self._known.move_to_end(person)
        if len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)
