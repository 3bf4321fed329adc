"""`kill -9` at random moments: every message accepted is there once, and dealt with once, in order.

Clients do what the chat page does: they send a message again, under its id, until it is
acknowledged, and only then the next one.
"""

from __future__ import annotations

import asyncio
import os
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import httpx
import psycopg
from psycopg.rows import dict_row

from channels.webchat.ids import thread_key
from core.runtime.machine.polling import until
from tests.support.running_desk import Part, RunningDesk

CLIENTS = 25
MESSAGES = 20  # of each client: 500 in all
KILLS = {Part.WEB: 4, Part.WORKER: 4, Part.POSTGRES: 3, Part.ASSISTANT: 3}
# An assistant that loads answers nothing, so it is killed later: there must be answers to double.
EARLIEST = {Part.WEB: 0.02, Part.WORKER: 0.02, Part.POSTGRES: 0.02, Part.ASSISTANT: 0.3}
LONGEST_THOUGHT_SECONDS = 2.0
POSTING_SECONDS = 240.0
SETTLING_SECONDS = 120.0

WORDS = (
    "How do I connect to the VPN?",
    "How do I book a meeting room?",
    "How do I reset my password?",
    "hello",
    "thanks",
    "what can you do?",
    "¿Cómo me conecto a la VPN?",
    "¿Cómo reservo una sala?",
    "gracias",
)


@dataclass
class Client:
    """One person: what they said, and the numbers that were acknowledged."""

    http: httpx.AsyncClient
    chance: random.Random
    session: str = ""
    token: str = ""
    said: list[str] = field(default_factory=list)
    seqs: list[int] = field(default_factory=list)
    repeats: int = 0

    async def _until_taken(self, path: str, body: dict[str, str]) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        while True:
            try:
                response = await self.http.post(path, json=body, headers=headers)
            except httpx.TransportError:
                self.repeats += 1
            else:
                if response.status_code < 500:
                    return response
                assert response.status_code == 503, response.text
                self.repeats += 1
            await asyncio.sleep(self.chance.uniform(0.05, 0.4))

    async def talk(self, progress: Progress) -> None:
        opened = (await self._until_taken("/chat/sessions", {})).json()
        self.session, self.token = opened["session"], opened["token"]
        for _ in range(MESSAGES):
            body = {"id": str(uuid4()), "text": self.chance.choice(WORDS)}
            response = await self._until_taken("/chat/messages", body)
            assert response.status_code in {200, 202}, response.text
            self.said.append(body["text"])
            self.seqs.append(response.json()["seq"])
            progress.add()
            await asyncio.sleep(self.chance.uniform(0, LONGEST_THOUGHT_SECONDS))


@dataclass
class Progress:
    """How many messages have been acknowledged."""

    taken: int = 0
    _changed: asyncio.Condition = field(default_factory=asyncio.Condition)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def add(self) -> None:
        self.taken += 1
        task = asyncio.create_task(self._tell())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _tell(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    async def reaches(self, count: int) -> None:
        async with self._changed:
            await self._changed.wait_for(lambda: self.taken >= count)


async def kill_at_random(desk: RunningDesk, progress: Progress, chance: random.Random) -> None:
    """Kill every part as often as `KILLS` says, at moments spread over the messages."""
    moments = sorted(
        (chance.uniform(EARLIEST[part], 0.95) * CLIENTS * MESSAGES, part)
        for part in Part
        for _ in range(KILLS[part])
    )
    for moment, part in moments:
        await progress.reaches(int(moment))
        await asyncio.sleep(chance.uniform(0, 0.3))  # a random instant between two messages
        pid = await desk.kill(part)
        _tell(f"after {progress.taken} messages: killed {part} ({pid})")


async def test_nothing_is_lost_doubled_or_left_when_processes_are_killed(
    whole_desk: RunningDesk,
) -> None:
    desk = whole_desk
    quarantined = await _quarantined(desk)
    seed = int(os.environ.get("KILL_SEED") or random.SystemRandom().randrange(2**32))
    _tell(f"KILL_SEED={seed}")
    chance = random.Random(seed)
    limits = httpx.Limits(max_connections=CLIENTS, max_keepalive_connections=CLIENTS)
    async with httpx.AsyncClient(
        base_url=desk.url, trust_env=False, timeout=15.0, limits=limits
    ) as http:
        clients = [Client(http, random.Random(chance.random())) for _ in range(CLIENTS)]
        progress = Progress()
        try:
            async with asyncio.timeout(POSTING_SECONDS), asyncio.TaskGroup() as group:
                for client in clients:
                    group.create_task(client.talk(progress))
                group.create_task(kill_at_random(desk, progress, chance))
        finally:
            await desk.until_ready()  # the tests that follow begin on it
    _tell(f"{progress.taken} messages taken, {sum(c.repeats for c in clients)} requests repeated")
    await _settled(desk, clients)
    faults: list[str] = []
    outcomes: Counter[str] = Counter()
    for client in clients:
        record = await _record(desk, client)
        faults += [f"{client.session}: {fault}" for fault in record.faults(client)]
        outcomes[record.conversation["responder"]] += 1
        outcomes["turns"] += len(record.turns)
        outcomes.update(ticket["reason"] for ticket in record.tickets)
    _tell(str(dict(outcomes)))
    faults += _faults_of_all(await _stored(desk, clients))
    assert faults == []
    assert await _quarantined(desk) == quarantined
    assert outcomes["turns"] > CLIENTS  # the assistant had its part in it


def _tell(line: str) -> None:
    """Leave `line` for whoever reads a failure: what was killed when, and how to do it again."""
    print(line)  # noqa: T201


def _threads(clients: Sequence[Client]) -> list[str]:
    return [str(thread_key(UUID(client.session))) for client in clients]


async def _settled(desk: RunningDesk, clients: Sequence[Client]) -> None:
    """Return once no work for `clients` is left; say what is, where that takes too long."""
    left: list[Any] = []

    async def nothing_is_left() -> bool:
        left[:] = await _rows(
            desk,
            "WITH own AS (SELECT id FROM conversation WHERE thread = ANY(%s))"
            " SELECT 'turn' AS what, conversation_id::text AS lane, status::text FROM turn"
            " WHERE status IN ('waiting', 'running') AND conversation_id IN (SELECT id FROM own)"
            " UNION ALL SELECT 'job', queueing_lock, status::text FROM procrastinate_jobs"
            " WHERE status IN ('todo', 'doing')"
            " AND split_part(queueing_lock, ':', 2) IN (SELECT id::text FROM own)",
            _threads(clients),
        )
        return not left

    assert await until(nothing_is_left, every=0.2, seconds=SETTLING_SECONDS), left


@dataclass
class Record:
    """What the database holds of one session."""

    conversation: dict[str, Any]
    messages: list[dict[str, Any]]
    turns: list[dict[str, Any]]
    tickets: list[dict[str, Any]]

    def faults(self, client: Client) -> list[str]:
        """Return what is not as it was promised."""
        return [
            *self._faults_of_intake(client),
            *self._faults_of_turns(),
            *self._faults_of_answers(),
        ]

    def _said_by(self, *speakers: str) -> list[dict[str, Any]]:
        return [message for message in self.messages if message["speaker"] in speakers]

    def _faults_of_intake(self, client: Client) -> list[str]:
        faults = []
        own = self._said_by("customer")
        if [message["text"] for message in own] != client.said:
            faults.append(f"said {client.said}, stored {[m['text'] for m in own]}")
        if [message["seq"] for message in own] != client.seqs:
            faults.append(f"acknowledged {client.seqs}, stored {[m['seq'] for m in own]}")
        if [message["seq"] for message in self.messages] != list(range(1, len(self.messages) + 1)):
            faults.append("the numbers of the messages have gaps")
        return faults

    def _faults_of_turns(self) -> list[str]:
        """A message belongs to one finished turn; what no turn answered, a human has."""
        faults = []
        covered: Counter[int] = Counter()
        ends = 0
        for turn in self.turns:
            if turn["first_seq"] is None:
                continue
            if turn["first_seq"] <= ends:
                faults.append(f"turn {turn['id']} overlaps the one before")
            ends = turn["last_seq"]
            if turn["status"] == "done":
                covered.update(range(turn["first_seq"], turn["last_seq"] + 1))
        left = [m["seq"] for m in self._said_by("customer") if covered[m["seq"]] != 1]
        is_with_humans = self.conversation["responder"] == "queued" and len(self.tickets) == 1
        if left and not is_with_humans:
            faults.append(f"messages {left} were neither answered nor handed over")
        if left and left != [m["seq"] for m in self._said_by("customer") if m["seq"] >= left[0]]:
            faults.append(f"messages {left} were passed over")
        return faults

    def _faults_of_answers(self) -> list[str]:
        faults = []
        said: dict[UUID, list[dict[str, Any]]] = {}
        for message in self._said_by("bot"):
            said.setdefault(message["turn_id"], []).append(message)
        by_id = {turn["id"]: turn for turn in self.turns}
        for name, words in said.items():
            turn = by_id.get(name)
            if turn is None or turn["status"] != "done":
                faults.append(f"an answer to turn {name}, which is not done")
            if len({message["created_at"] for message in words}) != 1:
                faults.append(f"turn {name} was settled twice")
            if len({message["text"] for message in words}) != len(words):
                faults.append(f"turn {name} says something twice")
        faults += [
            f"turn {turn['id']} is done and said nothing"
            for turn in self.turns
            if turn["status"] == "done" and turn["id"] not in said and not self.tickets
        ]
        if list(said) != [turn["id"] for turn in self.turns if turn["id"] in said]:
            faults.append("answers are not in the order of the questions")
        notices = self._said_by("system")
        if len(notices) != len(self.tickets):
            faults.append(f"{len(self.tickets)} tickets, told of {len(notices)}")
        return faults


async def _record(desk: RunningDesk, client: Client) -> Record:
    conversations = await _rows(
        desk,
        "SELECT id, responder FROM conversation WHERE thread = %s",
        thread_key(UUID(client.session)),
    )
    assert len(conversations) == 1, f"{len(conversations)} conversations of {client.session}"
    (conversation,) = conversations
    return Record(
        conversation,
        await _rows(
            desk,
            "SELECT seq, speaker, text, turn_id, created_at FROM message"
            " WHERE conversation_id = %s ORDER BY seq",
            conversation["id"],
        ),
        await _rows(
            desk,
            "SELECT id, status, first_seq, last_seq FROM turn"
            " WHERE conversation_id = %s ORDER BY id",
            conversation["id"],
        ),
        await _rows(
            desk, "SELECT number, reason FROM ticket WHERE conversation_id = %s", conversation["id"]
        ),
    )


async def _stored(desk: RunningDesk, clients: Sequence[Client]) -> dict[str, int]:
    """Return how much of `clients` the desk took in, whatever others do to it meanwhile."""
    (counted,) = await _rows(
        desk,
        "SELECT (SELECT count(*) FROM inbound_event"
        "  WHERE split_part(split_part(key, '/', 1), ':', 2) = ANY(%(own)s)) AS events,"
        " (SELECT count(*) FROM message JOIN conversation ON conversation.id = conversation_id"
        "  WHERE speaker = 'customer' AND thread = ANY(%(own)s)) AS messages",
        own=_threads(clients),
    )
    return counted


def _faults_of_all(stored: dict[str, int]) -> Sequence[str]:
    wanted = {"events": CLIENTS * MESSAGES, "messages": CLIENTS * MESSAGES}
    return [] if stored == wanted else [f"stored {stored}, not {wanted}"]


async def _quarantined(desk: RunningDesk) -> int:
    (counted,) = await _rows(
        desk, "SELECT count(*) AS found FROM quarantine WHERE account_id = 'webchat'"
    )
    found: int = counted["found"]
    return found


async def _rows(
    desk: RunningDesk, query: str, *values: object, **named: object
) -> list[dict[str, Any]]:
    async with await psycopg.AsyncConnection.connect(
        desk.database_url, row_factory=dict_row
    ) as database:
        found = await database.execute(query.encode(), named or values)
        return await found.fetchall()
