"""The web chat as a channel: people read the desk's own store, so a commit delivers."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from channels.webchat import ids
from channels.webchat.limits import ChatLimits, Limits
from channels.webchat.parse import MAX_FILES
from channels.webchat.tokens import SessionTokens
from core.domain.channel import Capabilities, Outbound, Receipt
from core.domain.content import MAX_TEXT_CHARS, FileRef
from core.domain.errors import NotFound, Rejected
from core.domain.ids import AccountId, ThreadKey
from core.ports import FileDeposit, Inbox, Transcript

if TYPE_CHECKING:
    from starlette.routing import BaseRoute


def _now() -> datetime:
    return datetime.now(UTC)


class WebChat:
    """Chat on the desk's own pages. Keeps `Channel`, `HandlesRequests` and `FetchesFiles`."""

    capabilities = Capabilities(
        reads_store=True,
        max_text_chars=MAX_TEXT_CHARS,
        max_files=MAX_FILES,
        max_file_bytes=1_000_000_000,  # links bear any size: the desk's own limit decides
    )

    def __init__(
        self,
        account: AccountId,
        key: bytes,
        *,
        deposit: FileDeposit | None = None,
        default_language: str = "en",
        clock: Callable[[], datetime] = _now,
        limits: Limits = Limits(),  # noqa: B008 - frozen
    ) -> None:
        """Sign the account's session tokens with a key derived from `key`.

        Without a `deposit` visitors cannot send files.
        """
        self.account = account
        self._tokens = SessionTokens(account, key)
        self._deposit = deposit
        self._default_language = default_language
        self._clock = clock
        self._limits = limits

    async def receive(self, inbox: Inbox) -> None:  # noqa: ARG002 - requests bring everything
        """Return at once: messages come as requests."""
        return

    def is_private(self, thread: ThreadKey) -> bool:  # noqa: ARG002 - a session is one visitor's
        """See `core.ports.KnowsPrivacy.is_private`."""
        return True

    async def fetch(self, file: FileRef) -> AsyncIterator[bytes]:
        """See `core.ports.FetchesFiles.fetch`; visitors left the file before their message."""
        if self._deposit is None:
            raise Rejected("the web chat takes no files any more")
        try:
            async for piece in self._deposit.stream(file.remote):
                yield piece
        except NotFound:
            raise Rejected("the file is not there any more") from None

    async def deliver(self, message: Outbound) -> Receipt:
        """Confirm what the commit has done: open pages read the store and are woken by it."""
        return Receipt(remote_ids=(ids.delivered_id(message.message),))

    def routes(self, inbox: Inbox, transcript: Transcript) -> Sequence[BaseRoute]:
        """Return the routes of the page, the widget and their interface."""
        # Imported here: the worker, which serves no pages, does without the web framework.
        from channels.webchat.endpoints import ChatEndpoints
        from channels.webchat.pages import ChatPages

        endpoints = ChatEndpoints(
            self.account,
            self._tokens,
            inbox,
            transcript,
            ChatLimits(self._limits, time.monotonic),
            deposit=self._deposit,
            default_language=self._default_language,
            clock=self._clock,
        )
        max_file_bytes = self._deposit.max_bytes if self._deposit is not None else None
        return [*ChatPages(self._default_language, max_file_bytes).routes(), *endpoints.routes()]
