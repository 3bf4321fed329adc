"""HEAD is answered wherever GET is, as programs ask that look at links without opening them."""

from __future__ import annotations

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_LOOKED = "desk.head"


def is_head(request: Request) -> bool:
    """Return whether the body of the answer is thrown away: who makes a large one need not."""
    return bool(request.scope.get(_LOOKED))


class Heads:
    """Answers HEAD as GET, without the body (RFC 9110, 9.3.2).

    Mail gateways ask so before they let a link through, monitors whether the desk is up.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; of the answer to HEAD only what comes before the body."""
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return

        async def send_head(message: Message) -> None:
            if message["type"] == "http.response.start":
                await send(message)
                # At once, so that a stream without an end ends here.
                await send({"type": "http.response.body", "body": b"", "more_body": False})

        await self._app({**scope, "method": "GET", _LOOKED: True}, receive, send_head)
