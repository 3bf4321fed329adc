"""Agents at a ticket's page who write, and what is kept of that before it leaves."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import select

from core.domain.actor import Agent
from core.domain.conversation import Speaker
from core.domain.ids import ConversationId, ThreadKey, TicketId
from core.storage.queries.conversations.transcripts import thread_since
from core.storage.queries.tickets.tickets import ticket_of_conversation
from core.storage.tables import (
    HeldReply,
)
from tests.integration.console.browser import PASSWORD, Browser
from tests.integration.console.world import ACCOUNT, Desk

TICKET = "/console/tickets/1001"
TEN_SECONDS = timedelta(seconds=10)


async def agent_called(desk: Desk, name: str) -> Agent:
    agent = await desk.agent(f"{name.lower()}@example.org", name)
    await desk.access.passwords.set(agent.id, PASSWORD)
    return agent


async def signed_in(desk: Desk, name: str = "Ana") -> Browser:
    agent = await agent_called(desk, name)
    return await Browser.signed_in(desk, agent.email)


async def answers_seen(desk: Desk) -> list[str]:
    """Return what the requester has read of agents."""
    async with desk.sessions() as session:
        said = await thread_since(session, ACCOUNT, ThreadKey("t1"), 0, 100)
    return [entry.text for entry in said if entry.speaker == Speaker.AGENT]


async def held(desk: Desk) -> Sequence[HeldReply]:
    async with desk.sessions() as session:
        return (await session.scalars(select(HeldReply).order_by(HeldReply.due_at))).all()


async def ticket_in(desk: Desk, conversation: ConversationId) -> TicketId:
    async with desk.sessions() as session:
        ticket = await ticket_of_conversation(session, conversation)
    assert ticket is not None
    return ticket


async def drafts(browser: Browser, conversation: ConversationId) -> Any:
    answer = await browser.client.get(f"/console/conversations/{conversation}/drafts")
    assert answer.status_code == 200
    return answer.json()


async def typed(browser: Browser, conversation: ConversationId, kind: str, **draft: Any) -> int:
    answer = await browser.client.put(
        f"/console/conversations/{conversation}/drafts/{kind}",
        json=draft,
        headers={"X-CSRF-Token": browser.csrf},
    )
    return answer.status_code
