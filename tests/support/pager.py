"""A kind of channel for tests: pagers, whose payloads are loopback's."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from pydantic import BaseModel, Field, SecretStr, field_validator
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from channels.loopback.parse import parse_event
from core.domain.channel import Capabilities, Outbound, Receipt
from core.domain.errors import Forbidden, IgnoredPayload
from core.domain.events import Event
from core.domain.ids import AccountId, RemoteId
from core.ports import ChannelContext, ChannelKind, Inbox, Transcript


class PagerSettings(BaseModel):
    """What a pager's account needs."""

    token: SecretStr = Field(description="From the operator's page.")
    signing_secret: SecretStr | None = None
    server: str = "pager.example.org"
    port: int = Field(default=2525, ge=1, le=65535)
    mode: Literal["poll", "push"] = "poll"
    beep: bool = True
    topics: tuple[str, ...] = ()
    extra: dict[str, str] = Field(default_factory=dict)

    @field_validator("server")
    @classmethod
    def _no_spaces(cls, value: str) -> str:
        if " " in value:
            raise ValueError("a server's name has no spaces")
        return value


@dataclass
class Pager:
    """Implements `core.ports.Channel` and `HandlesRequests`; counts who receives, for tests."""

    account: AccountId
    settings: PagerSettings
    context: ChannelContext
    receiving: int = 0
    is_closed: bool = False
    began: asyncio.Event = field(default_factory=asyncio.Event)
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.capabilities = Capabilities(polls=self.settings.mode == "poll")

    async def receive(self, inbox: Inbox) -> None:
        """Receive until cancelled, or fail where the server's name says so."""
        self.receiving += 1
        self.began.set()
        try:
            if self.settings.server == "broken.example.org":
                raise RuntimeError("the pager fell into the water")
            await asyncio.Event().wait()
        finally:
            self.receiving -= 1
            self.ended.set()

    async def deliver(self, message: Outbound) -> Receipt:
        return Receipt(remote_ids=(RemoteId(f"sent-{message.message}"),))

    def routes(self, inbox: Inbox, transcript: Transcript) -> Sequence[BaseRoute]:
        async def page(request: Request) -> Response:
            if request.headers.get("x-token") != self.settings.token.get_secret_value():
                raise Forbidden("the token is wrong")
            return PlainTextResponse(f"beep {self.account}")

        return [Route(f"/channels/pager/{self.account}/page", page, methods=["POST"])]

    async def close(self) -> None:
        self.is_closed = True


def _open(account: AccountId, settings: PagerSettings, context: ChannelContext) -> Pager:
    return Pager(account, settings, context)


def _read(account: AccountId, raw: bytes) -> Sequence[Event]:
    if raw == b"beat":
        raise IgnoredPayload("a sign of life")
    if raw == b"crash":
        raise RuntimeError("a fault of the reader")
    return [parse_event(account, raw)] if raw != b"nothing" else []


def _identity(settings: PagerSettings) -> str | None:
    """Return the pager's number, where the token begins with one, as in `7:s3cret`."""
    number, colon, _ = settings.token.get_secret_value().partition(":")
    return number if colon else None


KIND = ChannelKind(
    name="pager",
    settings=PagerSettings,
    open=_open,
    read=_read,
    called_at="/page",
    identity=_identity,
)
