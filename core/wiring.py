"""The composition root: builds the desk's processes from their parts."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from importlib import metadata
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI
from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncEngine

import console
from channels.webchat.channel import WebChat
from core.adapters.blobs import ObjectBlobs
from core.adapters.embeddings import HttpEmbedder
from core.adapters.language import LinguaDetector
from core.adapters.rasa import RasaAssistant
from core.domain.actor import Role
from core.domain.channel import Capabilities
from core.domain.diagnosis import Diagnosis
from core.domain.errors import InvalidInput, StorageUnavailable
from core.domain.ids import AccountId
from core.domain.imports import ImportReport
from core.ports import Channel, HandlesRequests
from core.runtime.lanes.deliveries import DeliveriesLane
from core.runtime.lanes.turns import AssistantGate, TurnsLane
from core.runtime.live import Live, LiveTranscript
from core.runtime.supervised import exit_with_parent
from core.runtime.upkeep import Upkeep
from core.runtime.worker import instance_name, open_jobs, register_lanes, run_worker
from core.services.access import Access
from core.services.arrivals import ArrivalRules
from core.services.intake import Intake
from core.services.knowledge import Knowledge, evaluate
from core.services.outbox import Outbox
from core.services.tickets import Tickets
from core.services.turns import TurnRules, Turns
from core.settings import Settings
from core.storage import migrate as schema
from core.storage.engine import Sessions, open_engine, sessions_of, storage_errors
from core.storage.queries.lanes import is_alive
from core.storage.tables import Account

_LOGGER = logging.getLogger(__name__)
_WORKER_SILENCE = timedelta(seconds=10)
_ADMIN = "admin@localhost"
_STARTER_KNOWLEDGE = Path(__file__).parent.parent / "nlu_data" / "knowledge"


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


async def migrate(settings: Settings) -> None:
    """Bring the schema up to this version."""
    async with open_parts(settings, "desk migrate") as parts, storage_errors():
        await schema.migrate(parts.engine)


async def first_run(settings: Settings) -> str | None:
    """Make the first admin and bring in the starter articles, where nobody is there yet.

    Returns a link that signs the admin in once, or None where there are agents already.
    """
    async with open_parts(settings, "desk first-run") as parts:
        await _note_accounts(parts)
        if await parts.access.has_agents():
            return None
        if _STARTER_KNOWLEDGE.is_dir():
            await parts.knowledge.import_path(_STARTER_KNOWLEDGE)
        return await _sign_in_link(parts, _ADMIN, "Admin", Role.ADMIN)


async def add_user(settings: Settings, *, email: str, name: str, role: str) -> str:
    """Add an agent and return a link that signs them in once."""
    async with open_parts(settings, "desk user add") as parts:
        return await _sign_in_link(parts, email, name, Role(role))


async def create_token(settings: Settings, *, email: str, role: str) -> str:
    """Return a new bearer token for the JSON API."""
    async with open_parts(settings, "desk token create") as parts:
        return await parts.access.create_token(email, Role(role))


async def _sign_in_link(parts: Parts, email: str, name: str, role: Role) -> str:
    agent = await parts.access.add_agent(email, name, role)
    token = await parts.access.sign_in_link(agent.id)
    return f"{parts.settings.base_url}/console/sign-in/{token}"


async def import_knowledge(settings: Settings, path: Path) -> ImportReport:
    """Bring in articles from a folder of Markdown or a JSONL file."""
    async with open_parts(settings, "desk knowledge import") as parts:
        return await parts.knowledge.import_path(path)


async def evaluate_knowledge(
    settings: Settings, *, kb: Path, queries: Path
) -> dict[str, float | int]:
    """Measure retrieval on a knowledge base and queries of one's own; leaves nothing behind."""
    async with open_parts(settings, "desk knowledge evaluate") as parts:
        return await evaluate(
            parts.engine,
            parts.embedder,
            kb,
            queries,
            wrong_answers_per_hundred=settings.wrong_answers_per_hundred,
        )


async def diagnose(settings: Settings) -> list[Diagnosis]:
    """Check what the database holds."""
    found = []
    async with open_parts(settings, "desk doctor") as parts:
        try:
            async with storage_errors():
                behind = await schema.pending(parts.engine)
        except StorageUnavailable as error:
            return [
                Diagnosis(
                    component="database",
                    ok=False,
                    detail=str(error),
                    remedy="start it, or check DATABASE_URL",
                )
            ]
        found.append(
            Diagnosis(
                component="migrations",
                ok=not behind,
                detail="the schema is of another version" if behind else "the schema is up to date",
                remedy="run: desk migrate" if behind else "",
            )
        )
    return found


async def _note_accounts(parts: Parts) -> None:
    async with storage_errors(), parts.sessions.begin() as session:
        for name, channel in parts.channels.items():
            await session.execute(
                upsert(Account)
                .values(id=name, channel=type(channel).__name__.lower())
                .on_conflict_do_nothing()
            )


async def readiness(parts: Parts) -> dict[str, Any]:
    """Say which components are up, in the form of `/readyz`."""
    components = {"database": "down", "worker": "down", "assistant": "down"}
    with contextlib.suppress(StorageUnavailable):
        async with storage_errors(), parts.sessions() as session:
            await session.execute(text("SELECT 1"))
            components["database"] = "up"
            if await is_alive(session, "worker", _WORKER_SILENCE):
                components["worker"] = "up"
    if await parts.assistant.is_ready():
        components["assistant"] = "up"
    return {
        "ready": all(state == "up" for state in components.values()),
        "components": components,
    }


def build_app(settings: Settings) -> FastAPI:
    """Return the web application: console, JSON API, public pages and the channels' own routes."""
    parts = build_parts(settings, "desk serve")
    live = Live(database_url(settings))

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        listening = asyncio.create_task(live.run(), name="live feed")
        try:
            yield
        finally:
            listening.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await listening
            await parts.close()

    app = FastAPI(
        title="Ventanilla",
        version=metadata.version("ventanilla"),
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
    )
    console.install_problems(app)
    console.include(
        app,
        console.ConsoleDesk(
            sessions=parts.sessions,
            tickets=parts.tickets,
            knowledge=parts.knowledge,
            access=parts.access,
            live=live,
            blobs=parts.blobs,
            base_url=settings.base_url,
            readiness=lambda: readiness(parts),
        ),
    )
    intake, transcript = parts.intake(), LiveTranscript(parts.sessions, live)
    for channel in parts.channels.values():
        if isinstance(channel, HandlesRequests):
            app.router.routes.extend(channel.routes(intake, transcript))

    return app


def serve(settings: Settings) -> None:
    """Serve the web until told to stop."""
    exit_with_parent()
    _log(settings)
    config = uvicorn.Config(
        build_app(settings),
        host=settings.host,
        port=settings.port,
        access_log=False,
        log_config=None,
        timeout_graceful_shutdown=3,
        server_header=False,
    )
    uvicorn.Server(config).run()


def work(settings: Settings) -> None:
    """Do the lanes' work until told to stop."""
    exit_with_parent()
    _log(settings)
    asyncio.run(_until_told(_work(settings)))


async def _work(settings: Settings) -> None:
    gate = AssistantGate(settings.assistant_start_seconds)
    jobs = open_jobs(database_url(settings), settings.worker_concurrency)
    async with open_parts(settings, "desk work") as parts, jobs.open_async():
        await _note_accounts(parts)
        register_lanes(
            jobs,
            TurnsLane(
                parts.turns,
                parts.assistant,
                LinguaDetector(),
                gate,
                settings.assistant_deadline_seconds,
            ),
            DeliveriesLane(parts.outbox, parts.channels),
        )
        await run_worker(
            jobs=jobs,
            upkeep=Upkeep(
                sessions=parts.sessions,
                jobs=jobs,
                gate=gate,
                turns=parts.turns,
                tickets=parts.tickets,
                instance=instance_name(),
            ),
            assistant=parts.assistant,
            gate=gate,
            knowledge=parts.knowledge,
            concurrency=settings.worker_concurrency,
        )


def receive(settings: Settings) -> None:
    """Run the channels that fetch what arrives, until told to stop."""
    exit_with_parent()
    _log(settings)
    asyncio.run(_until_told(_receive(settings)))


async def _receive(settings: Settings) -> None:
    async with open_parts(settings, "desk receive") as parts, asyncio.TaskGroup() as group:
        intake = parts.intake()
        for channel in parts.channels.values():
            group.create_task(channel.receive(intake), name=f"receive {channel.account}")
        await asyncio.Event().wait()


async def _until_told(main: Any) -> None:
    """Run `main` until it ends or a signal asks for the end."""
    task = asyncio.ensure_future(main)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, task.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await task


def _log(settings: Settings) -> None:
    logging.basicConfig(
        level=settings.log_level.upper(),
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
    )
    for chatty in ("httpx", "httpcore", "procrastinate", "alembic"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
