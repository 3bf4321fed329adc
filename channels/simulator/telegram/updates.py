"""What the platform has to tell the bot: waiting, given out, and acknowledged."""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict, deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import aiohttp

from channels.simulator.faults import Fault, Faults
from channels.simulator.telegram.answers import Refused

Fields = dict[str, Any]
_FIRST_RETRY_SECONDS = 0.05
_LONGEST_RETRY_SECONDS = 2.0
_DELIVERY_SECONDS = 60.0
REQUEST = "request"
"""What faults of the calls of the webhook are planned for: they are lost, or their answers."""
_DEFAULT_KINDS_WITHOUT = frozenset({"chat_member", "message_reaction", "message_reaction_count"})


class Updates:
    """The bot's updates: given to who asks for them, or brought to its webhook."""

    def __init__(self, faults: Faults, now: Any) -> None:
        self.acknowledged: list[Fields] = []
        """What the bot has confirmed, by a later offset or a 200; redeliveries too."""
        self.on_acknowledged: Callable[[Fields], None] | None = None
        """Called with each update that is put into `acknowledged`."""
        self.webhook: Fields = {}
        self._faults = faults
        self._now = now
        self._next_id = 500_000_000
        self._waiting: deque[Fields] = deque()
        self._held: list[tuple[str, Fields]] = []
        self._news = asyncio.Condition()
        self._poll = 0  # counts requests for updates: the latest ends those before it
        self._allowed: list[str] | None = None
        self._couriers: dict[int, asyncio.Task[None]] = {}
        self._bags: dict[int, deque[Fields]] = defaultdict(deque)
        self._session: aiohttp.ClientSession | None = None
        self.on_answer: Any = None  # called with (method, arguments) that a webhook answers
        self.last_error: tuple[int, str] | None = None

    @property
    def pending(self) -> int:
        """Return how many updates wait to be acknowledged."""
        return len(self._waiting) + sum(len(bag) for bag in self._bags.values())

    async def tell(self, kind: str, content: Fields) -> None:
        """Let the bot know of `content`, with the faults that are planned."""
        match self._faults.for_news():
            case Fault.REORDERED:
                self._held.append((kind, content))
                return
            case Fault.DUPLICATED:
                update = self._numbered(kind, content)
                await self._add(update)
                await self._add(update)
            case _:
                await self._add(self._numbered(kind, content))
        held, self._held = self._held, []
        for other_kind, other in held:
            await self._add(self._numbered(other_kind, other))

    async def tell_raw(self, update: Fields) -> None:
        """Let the bot have `update` with its fields as they are, but for the number."""
        self._next_id += 1
        await self._add({**update, "update_id": self._next_id})

    async def poll(self, offset: int | None, limit: int, seconds: float) -> list[Fields]:
        """Return updates from `offset` on, once there are any; confirm those before it."""
        if self.webhook:
            raise Refused(
                409,
                "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook"
                " to delete the webhook first",
            )
        async with self._news:
            self._poll += 1
            mine = self._poll
            self._news.notify_all()
            while self._waiting and offset is not None and self._waiting[0]["update_id"] < offset:
                self._note(self._waiting.popleft())
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._news.wait_for(lambda: self._waiting or self._poll != mine)
            if self._poll != mine:
                raise Refused(
                    409,
                    "Conflict: terminated by other getUpdates request; make sure that only one bot"
                    " instance is running",
                )
            return list(self._waiting)[:limit]

    def allow(self, kinds: list[str] | None) -> None:
        """Tell the bot of these kinds alone from now on; None changes nothing."""
        if kinds is not None:
            self._allowed = kinds

    async def set_webhook(self, url: str, secret: str | None) -> None:
        """Bring updates to `url`; with an empty one, keep them until somebody asks."""
        self.webhook = {"url": url, "secret": secret} if url else {}
        if url:
            waiting, self._waiting = self._waiting, deque()
            for update in waiting:
                self._carry(update)
        else:
            await self._stop_couriers()

    async def close(self) -> None:
        """Stop bringing updates."""
        await self._stop_couriers()
        if self._session is not None:
            await self._session.close()

    def _note(self, update: Fields) -> None:
        self.acknowledged.append(update)
        if self.on_acknowledged is not None:
            self.on_acknowledged(update)

    def _numbered(self, kind: str, content: Fields) -> Fields:
        self._next_id += 1
        return {"update_id": self._next_id, kind: json.loads(json.dumps(content))}

    async def _add(self, update: Fields) -> None:
        kind = next((name for name in update if name != "update_id"), "")
        if self._allowed is None and kind in _DEFAULT_KINDS_WITHOUT:
            return
        if self._allowed and kind not in self._allowed:
            return
        if self.webhook:
            self._carry(update)
            return
        async with self._news:
            self._waiting.append(update)
            self._news.notify_all()

    def _carry(self, update: Fields) -> None:
        """Bring `update` after what is on its way from the same chat; chats do not wait."""
        chat = _chat_of(update)
        self._bags[chat].append(update)
        courier = self._couriers.get(chat)
        if courier is None or courier.done():
            self._couriers[chat] = asyncio.create_task(self._bring(chat))

    async def _bring(self, chat: int) -> None:
        bag = self._bags[chat]
        pause = _FIRST_RETRY_SECONDS
        while bag and self.webhook:
            if await self._deliver(bag[0]):
                self._note(bag.popleft())
                pause = _FIRST_RETRY_SECONDS
            else:
                await asyncio.sleep(pause)
                pause = min(pause * 2, _LONGEST_RETRY_SECONDS)

    async def _deliver(self, update: Fields) -> bool:
        """Bring one update; say whether it was taken."""
        if self._session is None:
            self._session = aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=_DELIVERY_SECONDS)
            )
        headers = {"Content-Type": "application/json"}
        if secret := self.webhook["secret"]:
            headers["X-Telegram-Bot-Api-Secret-Token"] = secret
        fault = self._faults.for_call(REQUEST, among=(REQUEST,))
        if fault is Fault.CUT_BEFORE:
            return False
        try:
            async with self._session.post(
                self.webhook["url"], data=json.dumps(update).encode(), headers=headers
            ) as response:
                body = await response.read()
        except (aiohttp.ClientError, TimeoutError) as error:
            self.last_error = self._now(), f"Connection failed: {type(error).__name__}"
            return False
        if fault is Fault.CUT_AFTER:
            return False
        if response.status != 200:
            self.last_error = (
                self._now(),
                f"Wrong response from the webhook: {response.status} {response.reason}",
            )
            return False
        if body and response.content_type == "application/json":
            answer = json.loads(body)
            self.on_answer(answer.pop("method"), answer)
        return True

    async def _stop_couriers(self) -> None:
        for courier in self._couriers.values():
            courier.cancel()
        await asyncio.gather(*self._couriers.values(), return_exceptions=True)
        self._couriers.clear()
        for bag in self._bags.values():
            self._waiting.extend(bag)
            bag.clear()
        self._waiting = deque(sorted(self._waiting, key=lambda update: int(update["update_id"])))


def _chat_of(update: Fields) -> int:
    """Return the chat whose updates come in order."""
    content = next((value for name, value in update.items() if name != "update_id"), None)
    if not isinstance(content, dict):
        return 0
    message = content.get("message", content)
    chat = message.get("chat") if isinstance(message, dict) else None
    found = chat.get("id") if isinstance(chat, dict) else None
    return found if isinstance(found, int) else 0
