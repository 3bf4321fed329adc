"""A chat about two matters, of which one was split off."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import select

from core.domain.actor import Agent
from core.domain.assistant import Handoff, HandoffReason
from core.domain.events import MessagePosted
from core.domain.ids import (
    AccountId,
    ConversationId,
    MessageId,
    TicketId,
)
from core.runtime.lanes.deliveries import DeliveriesLane
from core.services.conversations.letters import Letters
from core.services.conversations.rejoining import Rejoining
from core.services.conversations.splitting import Splitting
from core.storage.tables import (
    Conversation,
    Message,
    Ticket,
)
from tests.support.desk import LOOP, Rig, posted

Said = list[str]


class Parted:
    """A thread in which the printer was split off from the VPN."""

    def __init__(self, rig: Rig, ana: Agent, vpn: TicketId, account: AccountId) -> None:
        self.rig, self.ana, self.vpn, self.account = rig, ana, vpn, account
        self.splitting = Splitting(rig.sessions, rig.accounts, Letters({}), rig.clock)
        self.rejoining = Rejoining(rig.sessions, rig.accounts, rig.clock)
        self.printer: TicketId

    async def split(self, *words: str, tells: bool = True) -> TicketId:
        named = [MessageId((await self.message(one)).id) for one in words]
        self.printer = await self.splitting.split(self.vpn, named, self.ana, tells=tells)
        return self.printer

    async def message(self, words: str) -> Message:
        async with self.rig.sessions() as session:
            return (await session.scalars(select(Message).where(Message.text == words))).one()

    async def hear(self, words: str, **changes: object) -> None:
        said = replace(posted(words, account=self.account), **changes)  # type: ignore[arg-type]
        await self.rig.intake.accept(said)

    async def said_in(self, ticket: TicketId) -> Said:
        """What people said in a ticket's conversation, in order."""
        async with self.rig.sessions() as session:
            home = (await session.get_one(Ticket, ticket)).conversation_id
            rows = await session.execute(
                select(Message.text, Message.speaker)
                .where(Message.conversation_id == home)
                .order_by(Message.position, Message.seq)
            )
            return [words for words, speaker in rows if speaker != "system"]

    async def ticket(self, ticket: TicketId) -> Ticket:
        async with self.rig.sessions() as session:
            return await session.get_one(Ticket, ticket)

    async def conversation(self, ticket: TicketId) -> Conversation:
        async with self.rig.sessions() as session:
            home = (await session.get_one(Ticket, ticket)).conversation_id
            return await session.get_one(Conversation, home)

    async def deliver(self, ticket: TicketId) -> None:
        lane = DeliveriesLane(self.rig.outbox, self.rig.channels)
        await lane.advance(ConversationId((await self.conversation(ticket)).id))

    async def numbers(self) -> Sequence[int]:
        """The numbers of all messages of the thread."""
        async with self.rig.sessions() as session:
            return (await session.scalars(select(Message.seq).order_by(Message.id))).all()


async def a_chat(rig: Rig, account: AccountId = LOOP) -> Parted:
    conversation = await rig.hear("no VPN", account=account)
    await rig.reply(conversation, Handoff(reason=HandoffReason.PROBLEM_REPORTED))
    ana = await rig.agent()
    parted = Parted(rig, ana, await rig.ticket_id(), account)
    await rig.tickets.take(parted.vpn, ana)
    await parted.hear("and the printer is jammed")
    await parted.hear("the VPN on my laptop, that is")
    return parted


async def a_parted_chat(rig: Rig, account: AccountId = LOOP) -> Parted:
    parted = await a_chat(rig, account)
    await parted.split("and the printer is jammed")
    return parted


def late(order: str, words: str) -> MessagePosted:
    """Return a message that stands at `order` in its thread, whenever it comes."""
    return replace(posted(words), order=order)
