"""`python -m bench.assignment`: how soon new tickets find an agent, and whether none goes wrong.

Tickets are opened at an even pace, each in a transaction of its own as a hand-off does it, by a
process of its own, since what takes in is not the worker. The real queue of jobs wakes the real
reactions, those wake the assignment, and the sweep looks once a second, all in this process on a
database of its own. A ticket's time runs from the beginning of
the transaction that opens it to the end of the one that gives it away. With `--every` all reactors
of the product see each change, not only those that find a team and an agent, and every ticket has
a policy with two clocks.
"""

from __future__ import annotations

import argparse
import asyncio
import bisect
import contextlib
import json
import multiprocessing
import random
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncEngine

from bench.cpu import Statements, postgres_seconds
from bench.tickets import ACCOUNTS, conversations, open_ticket
from core.domain.actor import Agent, Role
from core.domain.ids import AgentId, ConversationId, TeamId, new_id
from core.domain.routing import Conditions, Rule
from core.domain.sla.policy import ClockKind, PolicyId
from core.domain.sla.policy import Policy as Promise
from core.domain.teams import Presence, Strategy
from core.domain.ticket import Priority
from core.runtime.database.postgres import embedded_postgres
from core.runtime.worker import open_jobs
from core.services.reactions import Reactions, Reactor
from core.services.requester_records.organisation_of_tickets import OrganisationOfTickets
from core.services.sla.policies import Policies
from core.services.teams.assignment import Assignment
from core.services.teams.crew import AgentUpdate
from core.services.teams.routing import RoutingOfTickets
from core.services.teams.rulebook import Policy
from core.services.teams.staffing import Staffing, staffing_of
from core.services.teams.teams import TeamShape
from core.services.teams.wanting import WantingTickets
from core.settings import Settings
from core.storage.engine import Sessions, open_engine, sessions_of
from core.storage.migrate import migrate
from core.storage.tables import (
    AgentRow,
    TeamMember,
    Ticket,
    TicketEvent,
    TicketRouting,
)
from core.storage.wakeups import LaneKind
from core.wiring.duties import reactors_of
from core.wiring.parts import open_parts

_TEAMS = 8
_PATIENCE_SECONDS = 60.0
_TAKEN_IN_AT_ONCE = 8


class Timed(Assignment):
    """An assignment that remembers when each sharing-out ended."""

    def __init__(self, sessions: Sessions) -> None:
        super().__init__(sessions, ACCOUNTS)
        self.ends: list[datetime] = []

    async def _share(self, *, with_deserted: bool) -> int:
        given = await super()._share(with_deserted=with_deserted)
        if given:
            self.ends.append(datetime.now(UTC))
        return given


@contextlib.asynccontextmanager
async def _reactors(url: str, home: Path, *, every: bool) -> AsyncIterator[Sequence[Reactor]]:
    """Yield what reacts: all that the product has, or only what finds a team and an agent."""
    if not every:
        yield (OrganisationOfTickets(), RoutingOfTickets(), WantingTickets())
        return
    async with open_parts(Settings(home=home, database_url=url), "bench") as parts:
        yield reactors_of(parts)


async def _promise(sessions: Sessions, by: Agent) -> None:
    """Promise every ticket a first answer and a solution."""
    promise = Promise(
        id=PolicyId(new_id()),
        name="Everybody",
        targets={
            ClockKind.FIRST_RESPONSE: timedelta(hours=4),
            ClockKind.RESOLUTION: timedelta(days=2),
        },
    )
    await Policies(sessions).add(promise, by)


async def _people(staffing: Staffing, sessions: Sessions, agents: int, online: int) -> Agent:
    """Make teams, and agents in one or two of them; the first `online` are there.

    Returns the admin who did.
    """
    boss = Agent(id=AgentId(new_id()), email="boss@desk", name="Boss", role=Role.ADMIN)
    async with sessions.begin() as session:
        session.add(AgentRow(id=boss.id, email=boss.email, name="Boss", role="admin"))
    strategies = (Strategy.ROUND_ROBIN, Strategy.LEAST_LOADED)
    teams: list[TeamId] = [
        await staffing.teams.create(TeamShape(name=f"Team {n}", strategy=strategies[n % 2]), boss)
        for n in range(_TEAMS)
    ]
    policy = Policy(default_team=teams[0], offer_again_minutes=None, own_tickets_only=False)
    await staffing.rules.set_policy(policy, boss)
    for n, team in enumerate(teams):
        words = Conditions(words=(f"matter{n}",))
        rule = Rule(id=None, name=f"Matter {n}", conditions=words, team=team)
        await staffing.rules.add(rule, boss)
    for n in range(agents):
        agent = AgentId(new_id())
        async with sessions.begin() as session:
            name = f"Agent {n}"
            session.add(AgentRow(id=agent, email=f"a{n}@desk", name=name, role="agent"))
            await session.flush()
            for team in {teams[n % _TEAMS], teams[(n * 3 + 1) % _TEAMS]}:
                session.add(TeamMember(team_id=team, agent_id=agent))
        languages = ["en", "es"] if n % 3 else ["en"]
        able = AgentUpdate(
            skills=(), languages=languages, capacity=random.Random(n).randint(30, 60)
        )
        await staffing.crew.change(agent, able, boss)
        if n < online:
            await staffing.crew.be(agent, Presence.ONLINE)
    return boss


async def _arrive(
    sessions: Sessions, conversation: ConversationId, n: int, taken_in: asyncio.Semaphore
) -> None:
    async with taken_in:
        await open_ticket(
            sessions,
            conversation,
            subject=f"matter{n % _TEAMS} number {n}",
            priority=list(Priority)[n % 4],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _TakenIn:
    """What it took to open all tickets."""

    seconds: float
    cpu_seconds: float
    statements: int


def _take_in(url: str, conversations: list[ConversationId], seconds: float) -> _TakenIn:
    """Open a ticket in each conversation, evenly over `seconds`."""
    return asyncio.run(_open_all(url, conversations, seconds))


async def _open_all(url: str, conversations: list[ConversationId], seconds: float) -> _TakenIn:
    engine = open_engine(url, pool_size=_TAKEN_IN_AT_ONCE)
    sessions, taken_in = sessions_of(engine), asyncio.Semaphore(_TAKEN_IN_AT_ONCE)
    statements = Statements(engine)
    began, cpu = time.monotonic(), time.process_time()
    async with asyncio.TaskGroup() as arrivals:
        for n, conversation in enumerate(conversations):
            wait = began + n * seconds / len(conversations) - time.monotonic()
            if wait > 0:
                await asyncio.sleep(wait)
            arrivals.create_task(_arrive(sessions, conversation, n, taken_in))
    await engine.dispose()
    return _TakenIn(
        seconds=time.monotonic() - began,
        cpu_seconds=time.process_time() - cpu,
        statements=statements.count,
    )


async def _measure(url: str, home: Path, asked: argparse.Namespace) -> dict[str, float]:
    engine = open_engine(url, pool_size=20)
    await migrate(engine)
    sessions = sessions_of(engine)
    boss = await _people(staffing_of(sessions, ACCOUNTS), sessions, asked.agents, asked.online)
    if asked.every:
        await _promise(sessions, boss)
    async with sessions.begin() as session:
        made = await conversations(session, asked.tickets)
    async with _reactors(url, home, every=asked.every) as reactors:
        figures = await _assigned(engine, url, home, reactors, made, asked.seconds)
    await engine.dispose()
    return figures


async def _assigned(
    engine: AsyncEngine,
    url: str,
    home: Path,
    reactors: Sequence[Reactor],
    made: list[ConversationId],
    seconds: float,
) -> dict[str, float]:
    """Have a ticket opened in each conversation `made`, and everything about it done."""
    sessions, tickets = sessions_of(engine), len(made)
    assignment = Timed(sessions)
    reactions = Reactions(
        sessions, ACCOUNTS, reactors, afterwards=assignment.fill, takes_along=True
    )
    jobs = open_jobs(url, 8)

    @jobs.task(name="advance_reactions", queue=LaneKind.REACTIONS)
    async def advance(conversation: str) -> None:
        await reactions.advance(ConversationId(UUID(conversation)))

    async def sweep() -> None:
        while True:
            await assignment.fill_due()
            await asyncio.sleep(1.0)

    statements = Statements(engine)
    cpu, postgres = time.process_time(), postgres_seconds(home)
    async with jobs.open_async():
        working = asyncio.create_task(
            jobs.run_worker_async(
                queues=[LaneKind.REACTIONS],
                concurrency=8,
                fetch_job_polling_interval=1.0,
                install_signal_handlers=False,
                delete_jobs="always",
            )
        )
        sweeping = asyncio.create_task(sweep())
        with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as outside:
            took = await asyncio.get_running_loop().run_in_executor(
                outside, _take_in, url, made, seconds
            )
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while time.monotonic() < deadline and await _unreacted(sessions):
            await asyncio.sleep(0.2)
        cpu, postgres = time.process_time() - cpu, postgres_seconds(home) - postgres
        asked_for = statements.count
        await asyncio.sleep(2.0)  # two sweeps more: what is left now is left
        for task in (working, sweeping):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
    figures = await _figures(sessions, assignment.ends)
    return {
        "tickets": tickets,
        "arrival_seconds": round(took.seconds, 1),
        **figures,
        "cpu_ms_per_ticket_worker": round(cpu * 1000 / tickets, 1),
        "cpu_ms_per_ticket_taking_in": round(took.cpu_seconds * 1000 / tickets, 1),
        "cpu_ms_per_ticket_postgresql": round(postgres * 1000 / tickets, 1),
        "statements_per_ticket_worker": round(asked_for / tickets, 1),
        "statements_per_ticket_taking_in": round(took.statements / tickets, 1),
    }


async def _unreacted(sessions: Sessions) -> int:
    async with sessions() as session:
        waiting = select(func.count()).where(TicketEvent.reacted_at.is_(None))
        return (await session.scalar(waiting)) or 0


async def _figures(sessions: Sessions, ends: list[datetime]) -> dict[str, float]:
    async with sessions() as session:
        given = (
            await session.execute(
                select(Ticket.id, Ticket.created_at, TicketEvent.at)
                .join(TicketEvent, TicketEvent.ticket_id == Ticket.id)
                .where(TicketEvent.field == "assignee")
            )
        ).all()
        above = await session.scalar(
            text(
                "SELECT count(*) FROM (SELECT a.id FROM agent a JOIN ticket t"
                " ON t.assignee_id = a.id GROUP BY a.id HAVING count(*) > a.capacity) AS full_up"
            )
        )
        left = await session.scalar(
            select(func.count()).where(TicketRouting.wanting_since.is_not(None))
        )
        suitable = await session.scalar(
            text(
                "SELECT count(DISTINCT t.id) FROM ticket t"
                " JOIN ticket_routing r ON r.ticket_id = t.id AND r.wanting_since IS NOT NULL"
                " JOIN team_member m ON m.team_id = t.team_id"
                " JOIN agent_presence p ON p.agent_id = m.agent_id"
                " JOIN agent a ON a.id = m.agent_id"
                " WHERE a.capacity > (SELECT count(*) FROM ticket h WHERE h.assignee_id = a.id)"
            )
        )
    waits = sorted(
        (ends[min(bisect.bisect_left(ends, at), len(ends) - 1)] - opened).total_seconds()
        for _, opened, at in given
    )
    return {
        "assigned": len(waits),
        "assigned_twice": len(given) - len({ticket for ticket, _, _ in given}),
        "agents_above_capacity": above or 0,
        "left": left or 0,
        "left_though_somebody_has_room": suitable or 0,
        "median_seconds": round(statistics.median(waits), 3),
        "p95_seconds": round(waits[int(len(waits) * 0.95)], 3),
        "longest_seconds": round(waits[-1], 3),
    }


async def _main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.assignment", description=__doc__)
    parser.add_argument("--agents", type=int, default=200)
    parser.add_argument("--online", type=int, default=50)
    parser.add_argument("--tickets", type=int, default=2_000)
    parser.add_argument("--seconds", type=float, default=60.0, help="in which they arrive")
    parser.add_argument(
        "--every", action="store_true", help="react with every reactor of the product"
    )
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ventanilla-bench-") as folder:
        home = Path(folder) / "desk"
        async with embedded_postgres(home) as url:
            figures = await _measure(url, home, asked)
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    asyncio.run(_main())
