"""The processes without a web page: the worker and the receivers."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta

import procrastinate

from core.runtime.lanes.deliveries import DeliveriesLane
from core.runtime.lanes.files import FilesLane
from core.runtime.lanes.people import PeopleLane
from core.runtime.lanes.turns import AssistantGate, TurnsLane
from core.runtime.machine.memory import give_back, settle
from core.runtime.receivers import Receivers
from core.runtime.supervision.supervised import exit_with_parent
from core.runtime.upkeep import ASSISTANT, ServerRestarted, Upkeep
from core.runtime.worker import instance_name, open_jobs, register_lanes, run_worker
from core.services.files.fetching import Fetching
from core.services.files.loose import LooseBlobs
from core.services.files.vault import Vault
from core.services.intake.early_events import EarlyEvents
from core.services.people.look_ups import LookUps
from core.services.reactions import Reactions
from core.services.setbacks import WholeDuties
from core.settings import Settings
from core.storage.engine import storage_errors
from core.storage.queries.lanes import is_alive, server_start
from core.wiring.duties import callers_of, duties_of, reactors_of, tidying_of
from core.wiring.files import vault_of
from core.wiring.parts import Parts, composing_of, database_url, open_parts
from core.wiring.process import begin_log, until_told

_LOGGER = logging.getLogger(__name__)


def work(settings: Settings) -> None:
    """Do the lanes' work until told to stop.

    Ends with status 1 where the database server was restarted: whoever supervises starts it anew.
    """
    exit_with_parent()
    begin_log(settings)
    try:
        asyncio.run(until_told(_work(settings)))
    except* ServerRestarted as ended:
        _LOGGER.warning("%s", ended.exceptions[0])
        raise SystemExit(1) from None


async def _work(settings: Settings) -> None:
    jobs = open_jobs(database_url(settings), settings.worker_concurrency)
    pool_size = settings.worker_database_pool_size
    async with open_parts(settings, "desk work", pool_size) as parts, jobs.open_async():
        await parts.directory.refresh()
        async with storage_errors(), parts.sessions() as session:
            started = await server_start(session)
            patience = timedelta(seconds=settings.assistant_start_seconds)
            was_up = await is_alive(session, ASSISTANT, patience)
        settle()
        give_back()
        gate = AssistantGate(settings.assistant_start_seconds, was_up=was_up)
        vault = vault_of(settings, parts.blobs, parts.sessions)
        await asyncio.to_thread(vault.sweep)
        _register_lanes(jobs, parts, gate, vault)
        watching = asyncio.create_task(parts.directory.watch(), name="accounts")
        try:
            await run_worker(
                jobs=jobs,
                upkeep=Upkeep(
                    sessions=parts.sessions,
                    jobs=jobs,
                    gate=gate,
                    turns=parts.turns,
                    early=EarlyEvents(parts.sessions, parts.accounts),
                    duties=duties_of(parts),
                    tidying=tidying_of(parts),
                    access=parts.access,
                    loose=LooseBlobs(parts.sessions, parts.blobs),
                    instance=instance_name(),
                    server_started=started,
                    whole=WholeDuties(parts.sessions),
                ),
                assistant=parts.assistant,
                gate=gate,
                knowledge=parts.knowledge,
                callers=callers_of(parts),
                concurrency=settings.worker_concurrency,
            )
        finally:
            watching.cancel()


def _register_lanes(
    jobs: procrastinate.App, parts: Parts, gate: AssistantGate, vault: Vault
) -> None:
    register_lanes(
        jobs,
        TurnsLane(
            parts.turns,
            parts.assistant,
            parts.detector,
            gate,
            parts.settings.assistant_deadline_seconds,
            parts.channels,
            composing_of(parts),
        ),
        DeliveriesLane(parts.outbox, parts.channels),
        PeopleLane(LookUps(parts.sessions, parts.accounts), parts.channels),
        FilesLane(Fetching(parts.sessions, parts.accounts), parts.channels, vault),
        Reactions(
            parts.sessions,
            parts.accounts,
            reactors_of(parts),
            afterwards=parts.staffing.assignment.fill,
            takes_along=True,
        ),
    )


def receive(settings: Settings) -> None:
    """Run the channels that fetch what arrives, until told to stop."""
    exit_with_parent()
    begin_log(settings)
    asyncio.run(until_told(_receive(settings)))


async def _receive(settings: Settings) -> None:
    async with open_parts(settings, "desk receive") as parts, asyncio.TaskGroup() as group:
        group.create_task(parts.directory.watch(), name="accounts")
        receivers = Receivers(database_url(settings), parts.directory, parts.intake())
        group.create_task(receivers.run(), name="receivers")
