"""The load generator: many chat clients at once, in a process of its own.

`python -m bench.load` reads a plan as one JSON object and prints what came of it as another.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from uuid import uuid4

from bench.chat import open_session
from bench.http import Connection

_WORDS = "My laptop shows a blue screen since this morning and I have a talk at eleven, number"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to send."""

    port: int
    clients: int  # at once, each on a kept-alive connection, each waiting for its acknowledgement
    messages: int  # together
    per_session: int  # messages after which a client goes on in another conversation


@dataclass(slots=True, kw_only=True)
class Outcome:
    """What came of a plan."""

    seconds: float = 0.0  # from the first request to the last acknowledgement
    acknowledged: list[tuple[str, str]] = field(default_factory=list)  # session and message id
    refused: Counter[int] = field(default_factory=Counter)  # by status
    waits: list[float] = field(default_factory=list)  # seconds for each acknowledgement


async def send(plan: Plan) -> Outcome:
    """Carry out `plan`; sessions are opened before the clock starts."""
    outcome = Outcome()
    shares = [
        plan.messages // plan.clients + (client < plan.messages % plan.clients)
        for client in range(plan.clients)
    ]
    go = asyncio.Barrier(plan.clients + 1)
    async with asyncio.TaskGroup() as group:
        for share in shares:
            group.create_task(_client(plan, share, go, outcome))
        await go.wait()
        began = time.perf_counter()
    outcome.seconds = time.perf_counter() - began
    return outcome


async def _client(plan: Plan, share: int, go: asyncio.Barrier, outcome: Outcome) -> None:
    async with Connection(plan.port) as connection:
        sessions = [await open_session(connection) for _ in range(-(-share // plan.per_session))]
        await go.wait()
        for number in range(share):
            session, token = sessions[number // plan.per_session]
            message = {"id": str(uuid4()), "text": f"{_WORDS} {number}"}
            began = time.perf_counter()
            status, _ = await connection.post("/chat/messages", message, token)
            if status == 202:
                outcome.waits.append(time.perf_counter() - began)
                outcome.acknowledged.append((session, message["id"]))
            else:
                outcome.refused[status] += 1


def main() -> None:
    """Carry out the plan on standard input."""
    plan = Plan(**json.load(sys.stdin))
    json.dump(asdict(asyncio.run(send(plan))), sys.stdout)


if __name__ == "__main__":
    main()
