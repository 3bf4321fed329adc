"""What the desk's processes share, built from the settings."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncEngine

from channels.webchat.channel import WebChat
from core.adapters.blobs import ObjectBlobs
from core.adapters.embeddings import HttpEmbedder
from core.adapters.rasa import RasaAssistant
from core.domain.channel import Capabilities
from core.domain.errors import InvalidInput
from core.domain.ids import AccountId
from core.ports import Channel
from core.services.access import Access
from core.services.arrivals import ArrivalRules
from core.services.intake import Intake
from core.services.knowledge import Knowledge
from core.services.outbox import Outbox
from core.services.tickets import Tickets
from core.services.turns import TurnRules, Turns
from core.settings import Settings
from core.storage.engine import Sessions, open_engine, sessions_of, storage_errors
from core.storage.tables import Account


def channels_of(settings: Settings) -> dict[AccountId, Channel]:
    """Return the channel of each connected account."""
    webchat = WebChat(
        AccountId("webchat"), settings.key, default_language=settings.default_language
    )
    return {webchat.account: webchat}


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What the desk's processes share."""

    settings: Settings
    engine: AsyncEngine
    sessions: Sessions
    channels: Mapping[AccountId, Channel]
    knowledge: Knowledge
    tickets: Tickets
    turns: Turns
    outbox: Outbox
    access: Access
    assistant: RasaAssistant
    embedder: HttpEmbedder | None
    blobs: ObjectBlobs

    @property
    def accounts(self) -> dict[AccountId, Capabilities]:
        """Return what each account can do."""
        return {name: channel.capabilities for name, channel in self.channels.items()}

    def intake(self) -> Intake:
        """Return an inbox for a process that receives."""
        return Intake(
            self.sessions,
            self.blobs,
            self.accounts,
            ArrivalRules(
                reopen_window=timedelta(hours=self.settings.reopen_window_hours),
                default_language=self.settings.default_language,
            ),
        )

    async def close(self) -> None:
        """Close every connection."""
        await self.assistant.close()
        if self.embedder is not None:
            await self.embedder.close()
        await self.engine.dispose()


def build_parts(settings: Settings, application: str) -> Parts:
    """Build the parts; nothing is connected yet."""
    engine = open_engine(
        database_url(settings), pool_size=settings.database_pool_size, application=application
    )
    sessions = sessions_of(engine)
    channels = channels_of(settings)
    accounts = {name: channel.capabilities for name, channel in channels.items()}
    embedder = (
        HttpEmbedder(settings.embedder_url, settings.embedder_model)
        if settings.embedder_url
        else None
    )
    return Parts(
        settings=settings,
        engine=engine,
        sessions=sessions,
        channels=channels,
        knowledge=Knowledge(
            sessions, embedder, wrong_answers_per_hundred=settings.wrong_answers_per_hundred
        ),
        tickets=Tickets(sessions, accounts, timedelta(hours=settings.solved_grace_hours)),
        turns=Turns(
            sessions,
            accounts,
            TurnRules(
                deadline=timedelta(seconds=settings.assistant_deadline_seconds),
                turn_cap=settings.turn_cap,
                base_url=settings.base_url,
                default_language=settings.default_language,
            ),
        ),
        outbox=Outbox(sessions, accounts),
        access=Access(sessions, settings.key, settings.shared_bot_token),
        assistant=RasaAssistant(
            settings.bot_url, settings.shared_bot_token, settings.assistant_deadline_seconds
        ),
        embedder=embedder,
        blobs=ObjectBlobs.at(settings.blob_location),
    )


@asynccontextmanager
async def open_parts(settings: Settings, application: str) -> AsyncIterator[Parts]:
    """Build the parts and close them at the end."""
    parts = build_parts(settings, application)
    try:
        yield parts
    finally:
        await parts.close()


def database_url(settings: Settings) -> str:
    """Return the database's address; the `desk` command has resolved the embedded one."""
    if settings.database_url is None:
        raise InvalidInput("DATABASE_URL is not set")
    return settings.database_url.get_secret_value()


async def note_accounts(parts: Parts) -> None:
    """Give each connected account the row that its processes share."""
    async with storage_errors(), parts.sessions.begin() as session:
        for name, channel in parts.channels.items():
            await session.execute(
                upsert(Account)
                .values(id=name, channel=type(channel).__name__.lower())
                .on_conflict_do_nothing()
            )
