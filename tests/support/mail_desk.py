"""The desk's services around one mail account that is real, with an assistant that says a line."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from pathlib import Path

from sqlalchemy import func, select

from channels.email.channel import EmailChannel
from channels.email.settings import EmailSettings
from core.adapters.blobs import ObjectBlobs
from core.domain.assistant import Say, Step, TurnReply
from core.domain.errors import DeliveryError
from core.domain.ids import AccountId, ConversationId
from core.ports import capabilities_of
from core.runtime.machine.polling import until
from core.services.delivery.outbox import Outbox
from core.services.intake.inbox import Intake
from core.services.intake.placing import ArrivalRules
from core.services.turns.plan import TurnRules
from core.services.turns.turns import Turns
from core.storage.engine import Sessions
from core.storage.tables import Conversation, Message
from tests.unit.email.transport.memory import MemoryBlobs, context

ACCOUNT = AccountId("support")


class MailDesk:
    """The desk's services around one mail account; `work` is what its worker does."""

    def __init__(self, sessions: Sessions, folder: Path, channel: EmailChannel) -> None:
        self.accounts = accounts = {ACCOUNT: capabilities_of(channel)}
        rules = ArrivalRules(reopen_window=timedelta(hours=72), default_language="en")
        turn_rules = TurnRules(
            deadline=timedelta(seconds=20),
            turn_cap=40,
            base_url="http://desk.example",
            default_language="en",
        )
        self.sessions = sessions
        self.channel = channel
        self.intake = Intake(sessions, ObjectBlobs.at(folder.as_uri()), accounts, rules)
        self.turns = Turns(sessions, accounts, turn_rules, {ACCOUNT: channel})
        self.outbox = Outbox(sessions, accounts)
        self.steps: tuple[Step, ...] = (Say(text="I am not sure. Could you say it otherwise?"),)

    async def work(self) -> None:
        """Answer what waits for an answer, and send what waits to be sent."""
        async with self.sessions() as session:
            conversations = (
                await session.scalars(select(Conversation.id).order_by(Conversation.id))
            ).all()
        for name in conversations:
            conversation = ConversationId(name)
            while (turn := await self.turns.plan(conversation)) is not None:
                reply = TurnReply(
                    turn=turn.turn, steps=self.steps, intent=None, confidence=None, model=None
                )
                await self.turns.settle(turn, reply)
            while (sending := await self.outbox.plan(conversation)) is not None:
                try:
                    await self.outbox.settle(sending, await self.channel.deliver(sending.message))
                except DeliveryError as error:
                    await self.outbox.settle(sending, error)

    async def heard(self) -> int:
        async with self.sessions() as session:
            count = select(func.count()).select_from(Message)
            return await session.scalar(count.where(Message.speaker == "customer")) or 0

    @property
    def lmtp_port(self) -> int:
        """Where the desk takes mail."""
        return self.channel.lmtp_port or 0


@asynccontextmanager
async def mail_desk(
    sessions: Sessions, folder: Path, address: str, *, smtp_port: int, lmtp_port: int = 0
) -> AsyncIterator[MailDesk]:
    """Take mail for `address` while the block runs."""
    settings = EmailSettings(
        address=address,
        lmtp_host="127.0.0.1",
        lmtp_port=lmtp_port,
        smtp_host="127.0.0.1",
        smtp_port=smtp_port,
        smtp_security="none",
    )
    channel = EmailChannel(ACCOUNT, settings, context(MemoryBlobs()))
    desk = MailDesk(sessions, folder, channel)
    receiving = asyncio.create_task(channel.receive(desk.intake))

    async def listens() -> bool:
        return channel.lmtp_port is not None

    assert await until(listens, every=0.01, seconds=10)
    try:
        yield desk
    finally:
        receiving.cancel()
        with suppress(asyncio.CancelledError):
            await receiving
        await channel.close()
