"""The web chat as a channel: people read the desk's own store, so a commit delivers."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from channels.webchat import ids
from channels.webchat.limits import ChatLimits, Limits
from channels.webchat.tokens import SessionTokens
from core.domain.channel import Capabilities, Outbound, Receipt
from core.domain.content import MAX_TEXT_CHARS
from core.domain.ids import AccountId, ThreadKey
from core.ports import Inbox, Transcript

if TYPE_CHECKING:
    from starlette.routing import BaseRoute


def _now() -> datetime:
    return datetime.now(UTC)


class WebChat:
    """Chat on the desk's own pages. Keeps the promises of `Channel` and `HandlesRequests`."""

    capabilities = Capabilities(
        reads_store=True,
        max_text_chars=MAX_TEXT_CHARS,
        max_files=10,
        max_file_bytes=1_000_000_000,  # links bear any size: the desk's own limit decides
    )

    def __init__(
        self,
        account: AccountId,
        key: bytes,
        *,
        default_language: str = "en",
        clock: Callable[[], datetime] = _now,
        limits: Limits = Limits(),  # noqa: B008 - frozen
    ) -> None:
        """Sign the account's session tokens with a key derived from `key`."""
        self.account = account
        self._tokens = SessionTokens(account, key)
        self._default_language = default_language
        self._clock = clock
        self._limits = limits

    async def receive(self, inbox: Inbox) -> None:  # noqa: ARG002 - requests bring everything
        """Return at once: messages come as requests."""
        return

    def is_private(self, thread: ThreadKey) -> bool:  # noqa: ARG002 - a session is one visitor's
        """See `core.ports.KnowsPrivacy.is_private`."""
        return True

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
            default_language=self._default_language,
            clock=self._clock,
        )
        return [*ChatPages(self._default_language).routes(), *endpoints.routes()]
