"""The platform as a server: the Bot API over HTTP, on loopback."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from aiohttp import web

from channels.simulator.faults import Fault, Faults
from channels.simulator.telegram.answers import (
    Refused,
    bad_request,
    granted,
    refused,
    too_many_requests,
)
from channels.simulator.telegram.checks import METHODS, SENDS, Arguments, check
from channels.simulator.telegram.methods import Methods
from channels.simulator.telegram.people import Group, Person
from channels.simulator.telegram.updates import Updates
from channels.simulator.telegram.world import Chat, Fields, Posted, World

_MAX_REQUEST_BYTES = 64 * 1024 * 1024
_PIECE_BYTES = 64 * 1024
DOWNLOAD = "file"
"""What cuts of the downloads of files are planned for."""


class TelegramPlatform:
    """A Bot API server with one bot, to be entered with `async with`.

    The desk connects with `api_url=platform.url` and `token=platform.token`; `person` and `group`
    give who talks to it, `posted` has what reached them, and `faults` is what goes wrong.
    """

    def __init__(
        self, port: int = 0, *, username: str = "desk_bot", bot: int = 700_100_200
    ) -> None:
        self.token = f"{bot}:rehearsal-{username}"
        self.faults = Faults()
        fields = {
            "id": bot,
            "is_bot": True,
            "first_name": "Desk",
            "username": username,
            "can_join_groups": True,
            "can_read_all_group_messages": True,
            "supports_inline_queries": False,
        }
        self.updates = Updates(self.faults, _now)
        self.world = World(fields, _now)
        self.methods = Methods(self.world, self.updates)
        self.updates.on_answer = self._answered_by_webhook
        self.calls: list[tuple[str, Arguments]] = []
        """Every call that was granted, in order."""
        self._port = port
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=_MAX_REQUEST_BYTES)
        app.router.add_route("*", "/bot{token}/{method}", self._call)
        app.router.add_get("/file/bot{token}/{path:.+}", self._download)
        # Long polls are cut when the platform ends: nobody waits for them.
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port)
        await site.start()
        self._port = self._runner.addresses[0][1]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.updates.close()
        if self._runner is not None:
            await self._runner.cleanup()

    @property
    def url(self) -> str:
        """Return where the Bot API is."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def posted(self) -> Sequence[Posted]:
        """Return the bot's messages, in order, those deleted later too."""
        return self.world.posted

    @property
    def acknowledged(self) -> Sequence[Fields]:
        """Return the updates that the bot has confirmed, in order."""
        return self.updates.acknowledged

    def person(self, name: str, *, language: str = "en") -> Person:
        """Return somebody new."""
        user = self.world.new_user()
        fields = {"id": user, "is_bot": False, "first_name": name, "language_code": language}
        chat = Chat({"id": user, "type": "private", "first_name": name})
        self.world.chats[user] = chat
        return Person(self.world, self.updates, self.methods, fields, chat)

    def group(self, title: str, *, is_supergroup: bool = True, is_forum: bool = False) -> Group:
        """Return a new group with the bot in it."""
        fields: Fields = {
            "id": self.world.new_group(is_supergroup=is_supergroup),
            "type": "supergroup" if is_supergroup else "group",
            "title": title,
        }
        if is_forum:
            fields["is_forum"] = True
        chat = Chat(fields, has_spoken=True)
        self.world.chats[chat.id] = chat
        return Group(self.world, self.updates, chat)

    def revoke_token(self) -> str:
        """Give the bot another token, as @BotFather does; the old one is refused from now on."""
        self.token += "-new"
        return self.token

    async def _call(self, request: web.Request) -> web.StreamResponse:
        try:
            return await self._answer(request)
        except Refused as error:
            return refused(error)
        except ConnectionResetError:
            return web.Response()  # goes nowhere: the connection has been cut

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info["method"]
        if method not in METHODS:
            raise Refused(404, "Not Found")
        fault = self.faults.for_call(method, among=SENDS)
        if fault is Fault.CUT_BEFORE:
            raise _cut(request)
        given = await _arguments(request)
        if request.match_info["token"] != self.token or fault is Fault.BAD_CREDENTIALS:
            raise Refused(401, "Unauthorized")
        match fault:
            case Fault.THROTTLED:
                raise too_many_requests(self.faults.retry_after_seconds)
            case Fault.BROKEN:
                raise Refused(500, "Internal Server Error")
            case Fault.SLOW:
                await asyncio.sleep(self.faults.delay_seconds)
            case _:
                pass
        arguments = check(method, given)
        for item in arguments.get("media", ()):
            # `attach://name` stands for the file that came under that name.
            item["media"] = given.get(str(item.get("media")).removeprefix("attach://"))
        result = await self.methods.named(method)(arguments)
        self.calls.append((method, arguments))
        if fault is Fault.CUT_AFTER:
            raise _cut(request)
        return granted(result)

    async def _download(self, request: web.Request) -> web.StreamResponse:
        file = self.world.files.get(request.match_info["path"].removeprefix("documents/"))
        if file is None or request.match_info["token"] != self.token:
            return web.Response(status=404)
        if self.faults.for_call(DOWNLOAD, among=(DOWNLOAD,)) is not None:
            _cut(request)
            return web.Response()  # goes nowhere
        response = web.StreamResponse()
        await response.prepare(request)
        for start in range(0, len(file.content), _PIECE_BYTES):
            await response.write(file.content[start : start + _PIECE_BYTES])
        await response.write_eof()
        return response

    def _answered_by_webhook(self, method: str, given: Fields) -> None:
        """Do what the answer to a webhook asks for; Telegram tells nobody what came of it."""
        if method == "answerCallbackQuery":
            self.methods.end_spinner(given)


def _now() -> int:
    return int(time.time())


def _cut(request: web.Request) -> ConnectionError:
    """End the connection without an answer."""
    if request.transport is not None:
        request.transport.abort()
    return ConnectionResetError("cut on purpose")


async def _arguments(request: web.Request) -> Fields:
    """Return the arguments of a call, whichever way they came."""
    given: Fields = dict(request.query)
    if request.method == "POST":
        if request.content_type == "application/json":
            body = await request.json()
            if not isinstance(body, dict):
                raise bad_request("object expected")
            given |= body
        else:
            given |= dict(await request.post())
    return given
