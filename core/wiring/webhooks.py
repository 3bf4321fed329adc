"""Which account's channel answers a request under `/channels/{kind}/{account}/…`."""

from __future__ import annotations

import logging
import re
import time
from collections import Counter
from collections.abc import Callable, Mapping
from http import HTTPStatus

from starlette.routing import BaseRoute, Match, Router
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.domain.errors import NotFound, StorageUnavailable
from core.domain.ids import AccountId
from core.ports import Channel, HandlesRequests, Inbox, Transcript
from core.runtime.directory import Directory

_LOGGER = logging.getLogger(__name__)
_PREFIX = "/channels/"
_PATH = re.compile(r"/channels/([^/]+)/([^/]+)(?:/.*)?")
_REFUSED = frozenset(
    {
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        HTTPStatus.UNPROCESSABLE_ENTITY,
    }
)
_LOG_SECONDS = 60.0


class Webhooks(BaseRoute):
    """One route for all accounts, those that are yet to come too."""

    def __init__(self, directory: Directory, inbox: Inbox, transcript: Transcript) -> None:
        self._directory = directory
        self._inbox = inbox
        self._transcript = transcript
        self._routers: dict[AccountId, tuple[Channel, Router]] = {}

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """See Starlette's `BaseRoute`."""
        is_ours = scope["type"] == "http" and scope["path"].startswith(_PREFIX)
        return (Match.FULL if is_ours else Match.NONE), {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the account's channel answer.

        Raises:
            NotFound: there is no such account, or it takes no requests.
            StorageUnavailable: not now; the platform sends it again.
        """
        router = self._router(scope["path"])
        await router(scope, receive, send)

    def _router(self, path: str) -> Router:
        found = _PATH.fullmatch(path)
        account = AccountId(found[2]) if found else AccountId("")
        connection = self._directory.get(account)
        if connection is None and not self._directory.is_known:
            raise StorageUnavailable("which accounts there are is not known yet")
        if found is None or connection is None or connection.kind != found[1]:
            raise NotFound("there is no such account")
        if connection.is_broken or connection.is_news or not connection.is_enabled:
            raise StorageUnavailable(f"the account {account} is not connected now")
        channel = connection.channel
        known, router = self._routers.get(account, (None, None))
        if router is None or known is not channel:
            if not isinstance(channel, HandlesRequests):
                raise NotFound("the account takes no requests")
            router = Router(channel.routes(self._inbox, self._transcript))
            self._routers[account] = channel, router
        return router


class RefusalCount:
    """Counts, per account, requests that were refused: middleware around the whole application.

    Outermost, because bodies that are too large are refused before any route is looked for. The
    counts are of this process, since its start.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        directory: Directory,
        counts: Counter[str],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._app = app
        self._directory = directory
        self._counts = counts
        self._clock = clock
        self._told: Mapping[str, int] = {}
        self._told_at: float | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and look at the status of its answer."""
        if scope["type"] != "http" or not scope["path"].startswith(_PREFIX):
            await self._app(scope, receive, send)
            return

        async def watched(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] in _REFUSED:
                self._count(scope["path"])
            await send(message)

        await self._app(scope, receive, watched)

    def _count(self, path: str) -> None:
        found = _PATH.fullmatch(path)
        # Only of accounts that exist: anybody can make names up.
        if found is None or (connection := self._directory.get(AccountId(found[2]))) is None:
            return
        if connection.kind != found[1]:
            return
        self._counts[found[2]] += 1
        now = self._clock()
        if self._told_at is None or now - self._told_at >= _LOG_SECONDS:
            fresh = {
                name: count - self._told.get(name, 0)
                for name, count in self._counts.items()
                if count > self._told.get(name, 0)
            }
            _LOGGER.warning("requests refused since the last such line, by account: %s", fresh)
            self._told, self._told_at = dict(self._counts), now
