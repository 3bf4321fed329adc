"""Which threads of channels the desk takes part in, and what was said in them before."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any, TypeVar

from channels.slack import ids
from channels.slack.fields import Fields
from channels.slack.messages import read_body
from channels.slack.names import mentioned_in
from channels.slack.reading import Desk
from channels.slack.web_api import WebApi
from core.domain.errors import DeliveryError, NotKnownYet, Rejected, Throttled
from core.domain.ids import AccountId, ThreadKey
from core.ports import Inbox

_T = TypeVar("_T")

LOOK_SECONDS = 1.5  # Slack waits 3 s for an acknowledgement
_REMEMBERED = 10_000
_ABSENCE_SECONDS = 60.0
_PAGE = 200  # what Slack recommends at most
_MAX_PAGES = 10
_QUOTED_MESSAGES = 20
_QUOTED_CHARS = 6_000
_LOGGER = logging.getLogger(__name__)


class Membership:
    """Answers for one account whether a reply is for the desk.

    The desk takes part in a thread once somebody mentioned it there. Replies can overtake the
    mention, so where the desk knows nothing of a thread Slack is asked what was said in it. While
    Slack does not say, a reply is neither stored nor acknowledged: it comes again, and by then the
    mention may have come too.
    """

    def __init__(
        self, account: AccountId, api: WebApi, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._account = account
        self._api = api
        self._clock = clock
        self._present: OrderedDict[ThreadKey, None] = OrderedDict()
        self._absent: OrderedDict[ThreadKey, float] = OrderedDict()
        self._asked_again_at = float("-inf")  # Slack wants no question before

    def joined(self, thread: ThreadKey) -> None:
        """Remember that the desk takes part in `thread`."""
        self._present[thread] = None
        self._absent.pop(thread, None)
        if len(self._present) > _REMEMBERED:
            self._present.popitem(last=False)

    async def is_part_of(self, inbox: Inbox, thread: ThreadKey, desk: Desk) -> bool:
        """Say whether what is said in `thread` is for the desk.

        Raises:
            StorageUnavailable: the desk cannot know.
            NotKnownYet: Slack, which has to be asked, does not say.
        """
        if thread in self._present:
            return True
        if await inbox.has_thread(self._account, thread):
            self.joined(thread)
            return True
        if self._clock() - self._absent.get(thread, float("-inf")) < _ABSENCE_SECONDS:
            return False
        if await self._was_mentioned(thread, desk):
            self.joined(thread)
            return True
        self._absent[thread] = self._clock()
        self._absent.move_to_end(thread)
        if len(self._absent) > _REMEMBERED:
            self._absent.popitem(last=False)
        return False

    async def said_before(
        self, thread: ThreadKey, ts: str, desk: Desk
    ) -> tuple[str | None, set[str]]:
        """Return what was said in `thread` before `ts`, and who said it or is mentioned there.

        The words are None where they cannot be had soon.
        """
        try:
            messages = await self._soon(self._all_of(thread, ts))
        except (Rejected, NotKnownYet) as error:
            _LOGGER.info("account %s: no look into a thread: %s", self._account, error)
            return None, set()
        earlier = [message for message in messages if message.text("ts") < ts]
        lines, people = [], set[str]()
        for message in earlier[-_QUOTED_MESSAGES:]:
            who = message.text("user") or message.text("username") or message.text("bot_id")
            people.update((who, *mentioned_in(message.values)))
            words = read_body(message, desk)
            named = [words.text, *(f"[{file.name}]" for file in words.files)]
            lines.append(f"@{who}: {' '.join(part for part in named if part)}")
        return "\n\n".join(lines)[-_QUOTED_CHARS:] or None, people

    async def _was_mentioned(self, thread: ThreadKey, desk: Desk) -> bool:
        try:
            return await self._soon(self._mentions(thread, desk))
        except Rejected as error:  # there is no such thread, or none that the desk may read
            _LOGGER.info("account %s: no look into a thread: %s", self._account, error)
            return False

    async def _mentions(self, thread: ThreadKey, desk: Desk) -> bool:
        if desk.bot_user is None:
            desk = Desk(bot_user=(await self._api.identity()).bot_user)
        async for message in self._messages(thread):
            if desk.is_mentioned_in(message.text("text")):
                return True
        return False

    async def _all_of(self, thread: ThreadKey, until: str) -> list[Fields]:
        return [message async for message in self._messages(thread, until)]

    async def _messages(self, thread: ThreadKey, until: str | None = None) -> AsyncIterator[Fields]:
        """Yield what was said in `thread`, the earliest first; at most ten pages of it.

        Slack may put fewer on a page than it is asked for.

        Raises:
            DeliveryError: Slack says no, or nothing, or the thread goes on after that.
        """
        place = ids.place_of(thread)
        cursor: str | None = None
        for _ in range(_MAX_PAGES):
            answer = await self._api.call(
                "conversations.replies",
                channel=place.channel,
                ts=place.thread_ts,
                latest=until,
                limit=_PAGE,
                cursor=cursor,
            )
            for message in answer.each("messages"):
                yield message
            cursor = answer.inner("response_metadata").text("next_cursor") or None
            if cursor is None:
                return
        raise Rejected("the thread is longer than is looked at")

    async def _soon(self, call: Coroutine[Any, Any, _T]) -> _T:
        """Return what `call` does, while Slack still waits for an acknowledgement."""
        if self._clock() < self._asked_again_at:
            call.close()
            raise NotKnownYet("Slack wants no more questions now")
        try:
            async with asyncio.timeout(LOOK_SECONDS):
                return await call
        except Throttled as error:
            self._asked_again_at = self._clock() + error.retry_after
            raise NotKnownYet("Slack wants no more questions now") from error
        except Rejected:
            raise
        except (DeliveryError, TimeoutError) as error:
            raise NotKnownYet("Slack does not say what was said in a thread") from error
