"""A program on loopback that is told of tickets, and a ticket that it is told of."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web
from sqlalchemy import select

from core.domain.assistant import Handoff, HandoffReason
from core.domain.ids import ConversationId
from core.domain.networks import own_hosts
from core.services.automation.webhooks import WebhooksOfTickets
from core.services.reactions import Reactions
from core.storage.tables import WebhookDelivery
from tests.support.desk import Rig

ANYWHERE = own_hosts("0.0.0.0/0,::/0")
"""Hosts of a desk that lets any address be saved."""


class Listener:
    """A server on loopback that keeps what it is told, and answers as it is set to."""

    def __init__(self) -> None:
        self.heard: list[tuple[dict[str, str], bytes]] = []
        self.status = 200
        self.url = ""

    async def listen(self, request: web.Request) -> web.Response:
        self.heard.append((dict(request.headers), await request.read()))
        headers = {"Location": "/elsewhere"} if self.status == 302 else {}
        return web.Response(status=self.status, text="heard", headers=headers)


@asynccontextmanager
async def listening(context: ssl.SSLContext | None = None) -> AsyncIterator[Listener]:
    """Listen for as long as the block runs, over TLS where there is a `context`."""
    found = Listener()
    app = web.Application()
    app.router.add_post("/hook", found.listen)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
    await site.start()
    scheme = "http" if context is None else "https"
    found.url = f"{scheme}://127.0.0.1:{runner.addresses[0][1]}/hook"
    try:
        yield found
    finally:
        await runner.cleanup()


async def opened(rig: Rig) -> ConversationId:
    conversation = await rig.hear("help")
    await rig.reply(conversation, Handoff(reason=HandoffReason.ASKED_FOR_HUMAN))
    await Reactions(rig.sessions, rig.accounts, [WebhooksOfTickets()], rig.clock).advance(
        conversation
    )
    return conversation


async def calls(rig: Rig) -> list[WebhookDelivery]:
    async with rig.sessions() as session:
        return list(await session.scalars(select(WebhookDelivery).order_by(WebhookDelivery.id)))
