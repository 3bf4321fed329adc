"""A desk for tests: real services on a real database, with a loopback account."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select, text

from channels.loopback import Loopback
from channels.loopback.channel import Platform
from core.adapters.blobs import ObjectBlobs
from core.adapters.language import LinguaDetector
from core.domain.actor import Agent, Role
from core.domain.assistant import Say, Step, TurnReply
from core.domain.channel import Capabilities, UncertainPolicy
from core.domain.content import Body
from core.domain.events import Author, MessagePosted
from core.domain.ids import (
    AccountId,
    Address,
    AgentId,
    ConversationId,
    EventKey,
    RemoteId,
    ThreadKey,
    TicketId,
    new_id,
)
from core.ports import Channel
from core.services.delivery.outbox import Outbox
from core.services.intake.inbox import Intake
from core.services.intake.placing import ArrivalRules
from core.services.people.look_ups import LookUps
from core.services.tickets.tickets import Tickets
from core.services.turns.plan import TurnPlan, TurnRules
from core.services.turns.turns import Turns
from core.services.writing.corrections import Corrections
from core.storage.engine import Sessions
from core.storage.tables import AgentRow, Conversation, Message, Ticket

LOOP = AccountId("loop")
WEB = AccountId("web")


@dataclass(slots=True)
class Clock:
    """A clock that tests move; it goes on by itself unless it is stopped."""

    ahead: timedelta = field(default_factory=timedelta)
    stopped_at: datetime | None = None

    def __call__(self) -> datetime:
        return (self.stopped_at or datetime.now(UTC)) + self.ahead

    def stop(self) -> None:
        """Go on only when moved: for what is due within seconds, however slow the machine."""
        self.stopped_at = datetime.now(UTC)

    def advance(self, **by: float) -> None:
        self.ahead += timedelta(**by)


class Rig:
    """The core's services, wired as the product wires them."""

    def __init__(
        self,
        sessions: Sessions,
        folder: Path,
        *,
        when_uncertain: UncertainPolicy = UncertainPolicy.PARK,
        turn_cap: int = 40,
    ) -> None:
        self.sessions = sessions
        self.clock = Clock()
        self.platform = Platform()
        self.loopback = Loopback(LOOP, self.platform, when_uncertain)
        self.accounts = accounts = {
            LOOP: self.loopback.capabilities,
            WEB: Capabilities(reads_store=True),
        }
        self.blobs = ObjectBlobs.at(folder.as_uri())
        self.rules = ArrivalRules(reopen_window=timedelta(hours=72), default_language="en")
        self.intake = Intake(sessions, self.blobs, accounts, self.rules, self.clock)
        self.channels: dict[AccountId, Channel] = {LOOP: self.loopback, WEB: self.loopback}
        self.turns = Turns(
            sessions,
            accounts,
            TurnRules(
                deadline=timedelta(seconds=20),
                turn_cap=turn_cap,
                base_url="http://desk.test",
                default_language="en",
            ),
            self.channels,
            self.clock,
            detector=LinguaDetector(),
        )
        self.tickets = Tickets(sessions, accounts, self.clock)
        self.outbox = Outbox(sessions, accounts, timedelta(hours=24), self.clock)
        self.corrections = Corrections(sessions, accounts, self.clock)
        self.people = LookUps(sessions, accounts, self.clock)

    def another_process(self, folder: Path) -> Rig:
        """Return a rig of its own on the same database."""
        return Rig(self.sessions, folder)

    async def hear(
        self, text: str, *, thread: str = "t1", key: str | None = None, account: AccountId = LOOP
    ) -> ConversationId:
        """Let a requester say `text`."""
        await self.intake.accept(posted(text, thread=thread, key=key, account=account))
        return ConversationId((await self.conversation(thread)).id)

    async def reply(self, conversation: ConversationId, *steps: Step) -> TurnPlan:
        """Let the assistant take its turn with `steps`."""
        plan = await self.turns.plan(conversation)
        assert plan is not None
        assert await self.turns.settle(plan, reply_to(plan, *steps))
        return plan

    async def agent(self, name: str = "Ana", role: Role = Role.AGENT) -> Agent:
        """Add an agent."""
        agent = Agent(id=AgentId(new_id()), email=f"{name.lower()}@desk.test", name=name, role=role)
        async with self.sessions.begin() as session:
            session.add(AgentRow(id=agent.id, email=agent.email, name=name, role=role))
        return agent

    async def conversation(self, thread: str = "t1") -> Conversation:
        """Return the thread's current conversation."""
        async with self.sessions() as session:
            found = await session.scalars(
                select(Conversation).where(Conversation.thread == thread, Conversation.is_current)
            )
            return found.one()

    async def conversation_id(self, thread: str = "t1") -> ConversationId:
        """Return the id of the thread's current conversation."""
        return ConversationId((await self.conversation(thread)).id)

    async def ticket(self, thread: str = "t1") -> Ticket:
        """Return the thread's newest ticket."""
        async with self.sessions() as session:
            found = await session.scalars(
                select(Ticket)
                .join(Conversation, Conversation.id == Ticket.conversation_id)
                .where(Conversation.thread == thread)
                .order_by(Ticket.id.desc())
                .limit(1)
            )
            return found.one()

    async def turn_text(self) -> str | None:
        """Begin the turn that is due in the one conversation there is; return what it asks."""
        plan = await self.turns.plan(await self.conversation_id())
        return None if plan is None else plan.request.text

    async def reasons(self) -> list[str]:
        """Return why the tickets there are were opened."""
        async with self.sessions() as session:
            return list(await session.scalars(select(Ticket.reason)))

    async def ticket_id(self, thread: str = "t1") -> TicketId:
        """Return the id of the thread's newest ticket."""
        return TicketId((await self.ticket(thread)).id)

    def enable(self, account: AccountId = LOOP, **abilities: Any) -> None:
        """Let an account's channel do more than it does by itself."""
        self.accounts[account] = replace(self.accounts[account], **abilities)

    async def messages(self, thread: str = "t1") -> Sequence[Message]:
        """Return everything in the thread, in order."""
        async with self.sessions() as session:
            found = await session.scalars(
                select(Message)
                .join(Conversation, Conversation.id == Message.conversation_id)
                .where(Conversation.thread == thread)
                .order_by(Message.seq)
            )
            return found.all()

    async def texts(self, thread: str = "t1") -> list[tuple[str, str]]:
        """Return who said what in the thread, in order."""
        return [(message.speaker, message.text) for message in await self.messages(thread)]


def posted(
    text: str,
    *,
    thread: str = "t1",
    key: str | None = None,
    account: AccountId = LOOP,
    who: str = "somebody",
) -> MessagePosted:
    """Return an event in which somebody says `text`."""
    name = key or new_id().hex
    return MessagePosted(
        account=account,
        key=EventKey(f"post:{name}"),
        thread=ThreadKey(thread),
        author=Author(address=Address(who), name=who.title()),
        at=datetime.now(UTC),
        body=Body(text=text),
        remote_ids=(RemoteId(name),),
        raw=text.encode("utf-8", "replace"),
    )


def reply_to(plan: TurnPlan, *steps: Step) -> TurnReply:
    """Return a reply to `plan` that consists of `steps`, or of a plain sentence."""
    return TurnReply(
        turn=plan.turn,
        steps=steps or (Say(text=f"You said: {plan.request.text}"),),
        intent="ask_question",
        confidence=0.9,
        model="test",
    )


async def somebody_waits(sessions: Sessions, *, together: int = 1) -> None:
    """Return once so many transactions of the database wait for a lock of another."""
    waiting = text(
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    async with asyncio.timeout(10):
        while True:
            async with sessions() as session:
                if await session.scalar(waiting) >= together:
                    return
            await asyncio.sleep(0.02)
