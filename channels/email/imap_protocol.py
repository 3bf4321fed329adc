"""aioimaplib's protocol, with what it leaves open: lost connections, news, long answers."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable

from aioimaplib.aioimaplib import (
    CRLF,
    AioImapException,
    Command,
    IMAP4ClientProtocol,
    IncompleteRead,
    literal_data_re,
)

_EXISTS = re.compile(rb"^\* \d+ (?:EXISTS|RECENT)\b")


class WatchfulProtocol(IMAP4ClientProtocol):  # type: ignore[misc]  # it has no types
    """Notices what arrives between commands, and when the connection is lost."""

    lost: asyncio.Future[None]  # done when there is no connection any more
    greeted: asyncio.Future[None]  # done when the server has said what it can do
    news: asyncio.Event  # set when the server tells how many mails there are

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Serve one connection on `loop`."""
        self.lost: asyncio.Future[None] = loop.create_future()
        self.greeted: asyncio.Future[None] = loop.create_future()
        self._greeting: asyncio.Task[None] | None = None
        self.news = asyncio.Event()
        super().__init__(loop, self._on_lost)

    def _on_lost(self, _: Exception | None) -> None:
        if not self.lost.done():
            self.lost.set_result(None)
        if self._greeting is not None:
            self._greeting.cancel()

    async def welcome(self, command: bytes) -> None:
        """Take the greeting; a server that will not serve is left."""
        self._greeting = asyncio.current_task()
        try:
            await super().welcome(command)
        except AioImapException:
            self.transport.abort()  # who waits for the greeting learns it by the loss
        else:
            # aioimaplib's own `wait` cannot be cancelled while a greeting is under way: it takes
            # its lock back first, which is held until the server answers, if it ever does.
            if not self.greeted.done():
                self.greeted.set_result(None)

    def _untagged_response(self, line: bytes) -> Command:
        # aioimaplib drops what arrives outside IDLE; a mail that comes during a FETCH would
        # then wait for the next one.
        if _EXISTS.match(line):
            self.news.set()
        return super()._untagged_response(line)

    def _continuation(self, line: bytes) -> None:
        command = self.pending_sync_command
        if command is not None and command.name == "AUTHENTICATE":
            # XOAUTH2: the server explains a refusal and waits for an empty line.
            self.transport.write(CRLF)
        else:
            super()._continuation(line)

    def _handle_responses(
        self,
        data: bytes,
        line_handler: Callable[[bytes, Command], Command | None],
        current_cmd: Command | None = None,
    ) -> None:
        # aioimaplib calls itself once per line: a thousand lines in one piece end it.
        while data:
            if current_cmd is not None and current_cmd.wait_literal_data():
                data = current_cmd.append_literal_data(data)
                if current_cmd.wait_literal_data():
                    raise IncompleteRead(current_cmd)
            line, separator, tail = data.partition(CRLF)
            if not separator:
                raise IncompleteRead(current_cmd, data)
            command = line_handler(line, current_cmd)
            if literal := literal_data_re.match(line):
                command = command or Command("NIL", "unused", loop=self.loop)
                command.begin_literal_data(int(literal.group("size")))
                current_cmd = command
            else:
                current_cmd = command if command is not None and command.wait_data() else None
            data = tail
        if self.pending_sync_command is not None:
            self.pending_sync_command.flush()
        if current_cmd is not None and current_cmd.wait_data():
            raise IncompleteRead(current_cmd)
