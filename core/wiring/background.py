"""The processes without a web page: the worker and the receivers."""

from __future__ import annotations

import asyncio

from core.adapters.language import LinguaDetector
from core.runtime.lanes.deliveries import DeliveriesLane
from core.runtime.lanes.turns import AssistantGate, TurnsLane
from core.runtime.supervised import exit_with_parent
from core.runtime.upkeep import Upkeep
from core.runtime.worker import instance_name, open_jobs, register_lanes, run_worker
from core.settings import Settings
from core.wiring.parts import database_url, note_accounts, open_parts
from core.wiring.process import begin_log, until_told


def work(settings: Settings) -> None:
    """Do the lanes' work until told to stop."""
    exit_with_parent()
    begin_log(settings)
    asyncio.run(until_told(_work(settings)))


async def _work(settings: Settings) -> None:
    gate = AssistantGate(settings.assistant_start_seconds)
    jobs = open_jobs(database_url(settings), settings.worker_concurrency)
    async with open_parts(settings, "desk work") as parts, jobs.open_async():
        await note_accounts(parts)
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
    begin_log(settings)
    asyncio.run(until_told(_receive(settings)))


async def _receive(settings: Settings) -> None:
    async with open_parts(settings, "desk receive") as parts, asyncio.TaskGroup() as group:
        intake = parts.intake()
        for channel in parts.channels.values():
            group.create_task(channel.receive(intake), name=f"receive {channel.account}")
        await asyncio.Event().wait()
