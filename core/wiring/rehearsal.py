"""How a rehearsal is held: the running desk, a simulated platform, and what came of it.

The platform is one on loopback that this process runs, so no real one is ever written to. It is
connected by an account of its own, which goes afterwards with everything that came through it.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random
from typing import TypeVar

from sqlalchemy.ext.asyncio import AsyncSession

from channels.simulator.rehearsal.drive import Drive, Trouble
from channels.simulator.rehearsal.email import EmailStage
from channels.simulator.rehearsal.stage import Presses, Stage
from channels.simulator.rehearsal.stages import inlets, open_stage
from core.domain.account import ACCOUNT_NAME, REHEARSAL_PREFIX, AccountState, Origin
from core.domain.errors import Conflict, InvalidInput, NotFound, StorageUnavailable
from core.domain.ids import AccountId
from core.runtime.machine.addresses import local_url
from core.runtime.machine.filelock import FileLock
from core.runtime.machine.home import Home
from core.runtime.machine.polling import until
from core.runtime.supervision.crashes import Part, SupervisedDesk
from core.services.accounts.rehearsals import Rehearsals
from core.settings import Settings
from core.storage.engine import storage_errors
from core.storage.queries.accounts.rehearsal import (
    sent_messages,
    some_questions,
    stored_messages,
    stored_presses,
    work_left,
)
from core.storage.queries.lanes import is_alive
from core.wiring.parts import Parts, open_parts
from core.wiring.rehearsal_report import Report, report_of

T = TypeVar("T")

_WORKER_SILENCE = timedelta(seconds=15)
_WORKER_BEAT = timedelta(seconds=5)
_CONNECTED_WITHIN_SECONDS = 60.0
_STORAGE_BACK_WITHIN_SECONDS = 90.0
_WORKER_BACK_WITHIN_SECONDS = 30.0
_STALLED_SECONDS = 180.0
"""Longer where the desk waits longer for its assistant: only then humans get what is left."""
_SAY_EVERY_SECONDS = 5.0
_ASKED_EVERY_SECONDS = 2.0
_ASKED_AT_ONCE = 0.02
"""In which share of the conversations the desk then shows buttons."""
_CRASH_EVERY_SECONDS = (2.0, 6.0)
_KILLED = {Part.WEB: 6, Part.WORKER: 6, Part.RECEIVER: 6, Part.POSTGRES: 2, Part.ASSISTANT: 1}
"""How often each is killed, in proportion; an assistant takes long to load."""

_SPARED_SECONDS = 20.0
"""How long a process is spared after it was killed: one that is always starting does nothing.

On a busy machine it takes longer than that, so it is also spared until it works again.
"""

_QUESTIONS = 200
_KNOWN_SECONDS = 2.0  # until every process has noticed that the account is paused


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is to be rehearsed."""

    account: str  # one of the desk's, or just a kind of channel
    messages: int
    conversations: int = 200
    troubles: frozenset[Trouble] = frozenset()
    inlet: str | None = None
    per_second: float = 25.0
    seed: int | None = None


def check(settings: Settings, plan: Plan) -> None:
    """Refuse what cannot be rehearsed, before anything is begun.

    Raises:
        Conflict: no desk runs here.
        InvalidInput: the plan asks for something that there is not.
    """
    supervised = SupervisedDesk.of(Home.at(settings.home))
    if supervised is None and settings.database_url is None:
        raise Conflict(f"no desk runs in {settings.home}: start it with `desk run`")
    if Trouble.CRASH in plan.troubles and supervised is None:
        raise InvalidInput("crash kills processes of a desk that `desk run` runs on this machine")
    if not 0 < plan.conversations <= plan.messages:
        raise InvalidInput("there must be at least one message for each conversation")


async def rehearse(settings: Settings, plan: Plan, say: Callable[[str], None]) -> Report:
    """Hold a rehearsal and return what came of it; `say` gets a line every few seconds.

    Raises:
        Conflict: no desk runs, or another rehearsal does.
        InvalidInput, NotFound: the plan asks for something that there is not.
        StorageUnavailable: the database is away for longer than a crash explains.
    """
    home = Home.at(settings.home)
    lock = FileLock(home.root / "rehearsal.lock")
    if not lock.take():
        raise Conflict("a rehearsal is under way in this home already")
    try:
        async with open_parts(settings, "desk channel simulate") as parts:
            supervised = SupervisedDesk.of(home)
            return await _Rehearsal(parts, plan, supervised, say).hold()
    finally:
        lock.release()


@dataclass(slots=True)
class _Rehearsal:
    parts: Parts
    plan: Plan
    supervised: SupervisedDesk | None
    say: Callable[[str], None]
    killed: Counter[str] = field(default_factory=Counter)

    async def hold(self) -> Report:
        await self._check_desk()
        kind, account = await self._what()
        inlet = self._inlet(kind)
        stage = open_stage(kind, inlet)
        self._check_troubles(kind, stage)
        questions = await self._read(lambda session: some_questions(session, _QUESTIONS))
        chance = Random(self.plan.seed)  # noqa: S311
        drive = Drive(
            stage,
            conversations=self.plan.conversations,
            messages=self.plan.messages,
            questions=questions,
            troubles=self.plan.troubles,
            per_second=self.plan.per_second,
            chance=chance,
        )
        async with stage.running(self.plan.conversations), self._account(account, kind, stage):
            began = time.monotonic()
            await self._drive(account, drive, stage, chance)
            left = await self._settle(account)
            seconds = time.monotonic() - began
            return report_of(
                account=account,
                kind=kind,
                inlet=inlet,
                drive=drive,
                heard=stage.heard(),
                stored=await self._read(lambda session: stored_messages(session, account)),
                presses=await self._read(lambda session: stored_presses(session, account)),
                sent=await self._read(lambda session: sent_messages(session, account)),
                unfinished=left,
                killed=dict(self.killed),
                seconds=seconds,
                to_machine=stage.to_machine if isinstance(stage, EmailStage) else 0,
            )

    @property
    def _patience_seconds(self) -> float:
        """How long nothing may move before the rehearsal gives up."""
        return max(_STALLED_SECONDS, self.parts.settings.assistant_start_seconds + 60.0)

    # -- before ----------------------------------------------------------------------------------

    async def _check_desk(self) -> None:
        async def works() -> bool:
            return await self._read(lambda session: is_alive(session, "worker", _WORKER_SILENCE))

        # A worker may just be starting, as it does after the last rehearsal has killed it.
        if not await until(works, every=0.5, seconds=_WORKER_BACK_WITHIN_SECONDS):
            raise Conflict("no desk runs on this database: nothing was heard of a worker")

    async def _what(self) -> tuple[str, AccountId]:
        """Return the kind to rehearse and the name of the account for it."""
        name = self.plan.account
        known = {account.id: account.kind for account in await self.parts.account_book.list()}
        kind = known.get(AccountId(name), name)
        if not inlets(kind):
            raise NotFound(f"there is no account and no kind of channel called {name}")
        account = f"{REHEARSAL_PREFIX}{name}"[:40]
        assert ACCOUNT_NAME.fullmatch(account)
        return kind, AccountId(account)

    def _inlet(self, kind: str) -> str:
        usual, *others = inlets(kind)
        if self.plan.inlet is None:
            return usual
        if self.plan.inlet not in (usual, *others):
            raise InvalidInput(f"{kind} has no inlet {self.plan.inlet}: {', '.join(inlets(kind))}")
        return self.plan.inlet

    def _check_troubles(self, kind: str, stage: Stage) -> None:
        of_mail = self.plan.troubles & {Trouble.GREYLIST, Trouble.LOOP}
        if of_mail and not isinstance(stage, EmailStage):
            raise InvalidInput(f"{kind} knows no fault {', '.join(sorted(of_mail))}")

    @asynccontextmanager
    async def _account(self, account: AccountId, kind: str, stage: Stage) -> AsyncIterator[None]:
        """Have an account that leads to the stage, and leave nothing of it behind."""
        rehearsals = Rehearsals(self.parts.sessions)
        await self._patiently(lambda: rehearsals.erase(account))  # what an interrupted one left
        await self.parts.account_book.add(
            account, kind, dict(stage.settings()), origin=Origin.REHEARSAL
        )
        try:
            await self._connected(account)
            base = self.supervised.address if self.supervised else self._own_address()
            stage.serve(f"{base}/channels/{kind}/{account}")
            self.say(f"account {account} is connected by {stage.inlet}; people begin")
            yield
        finally:
            self.say("taking the rehearsal's account and messages away")
            await self._patiently(lambda: rehearsals.pause(account))
            await asyncio.sleep(_KNOWN_SECONDS)
            await self._patiently(lambda: rehearsals.erase(account))

    def _own_address(self) -> str:
        return local_url(self.parts.settings.host, self.parts.settings.port)

    async def _connected(self, account: AccountId) -> None:
        health = ""

        async def is_connected() -> bool:
            nonlocal health
            for known in await self._patiently(self.parts.account_book.list):
                if known.id == account:
                    health = " ".join((known.health.state, known.health.reason)).strip()
                    return known.health.state is AccountState.CONNECTED
            return False

        if not await until(is_connected, every=0.25, seconds=_CONNECTED_WITHIN_SECONDS):
            raise Conflict(f"the desk did not connect the account within a minute ({health})")

    # -- meanwhile -------------------------------------------------------------------------------

    async def _drive(self, account: AccountId, drive: Drive, stage: Stage, chance: Random) -> None:
        """Let people write until all is said and delivered, or nothing moves any more."""
        tasks = {asyncio.create_task(drive.run(), name="people")}
        if isinstance(stage, EmailStage):
            if Trouble.GREYLIST in self.plan.troubles:
                stage.greylist()
            if Trouble.LOOP in self.plan.troubles:
                tasks.add(asyncio.create_task(stage.answer_by_machine(), name="machine"))
        besides = [asyncio.create_task(self._crash(drive, chance), name="crashes")]
        if isinstance(stage, Presses):
            besides.append(asyncio.create_task(self._ask(account), name="questions"))
        try:
            await self._watch(drive, tasks)
        finally:
            for task in (*besides, *tasks):
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            for ended in await asyncio.gather(*besides, return_exceptions=True):
                if isinstance(ended, Exception):
                    raise ended

    async def _ask(self, account: AccountId) -> None:
        """Have the desk show buttons now and then until cancelled."""
        rehearsals = Rehearsals(self.parts.sessions)
        most = max(1, round(self.plan.conversations * _ASKED_AT_ONCE))
        while True:
            await asyncio.sleep(_ASKED_EVERY_SECONDS)
            await self._patiently(lambda: rehearsals.ask(account, most))

    async def _watch(self, drive: Drive, tasks: set[asyncio.Task[None]]) -> None:
        last, moved = -1, time.monotonic()
        while tasks:
            done, _ = await asyncio.wait(tasks, timeout=_SAY_EVERY_SECONDS)
            for task in done:
                await task
            tasks -= done
            if (accepted := drive.accepted.total()) != last:
                last, moved = accepted, time.monotonic()
            elif time.monotonic() - moved > self._patience_seconds:
                self.say(f"nothing was delivered for {self._patience_seconds:g} s: giving up")
                return
            self.say(f"{drive.spoken} said, {drive.delivered} accepted{self._crashes_in_words()}")

    def _crashes_in_words(self) -> str:
        killed = ", ".join(f"{part} {count}" for part, count in sorted(self.killed.items()))
        return f", killed: {killed}" if killed else ""

    async def _crash(self, drive: Drive, chance: Random) -> None:
        """Kill a process every few seconds until cancelled, where that was asked for."""
        spared_until = dict.fromkeys(_KILLED, 0.0)
        accepted_before = -1
        while Trouble.CRASH in self.plan.troubles and self.supervised is not None:
            await asyncio.sleep(chance.uniform(*_CRASH_EVERY_SECONDS))
            (part,) = chance.choices(list(_KILLED), weights=list(_KILLED.values()))
            now = time.monotonic()
            accepted = drive.accepted.total()
            if now < spared_until[part] or not await self._works(part):
                continue
            if part is Part.RECEIVER and accepted == accepted_before:
                continue  # nothing else shows that it has come back
            if await asyncio.to_thread(self.supervised.kill, part) is not None:
                self.killed[part] += 1
                spared_until[part] = now + _SPARED_SECONDS
                if part is Part.RECEIVER:
                    accepted_before = accepted

    async def _works(self, part: Part) -> bool:
        """Say whether `part` has come back since it was killed, where that shows."""
        match part:
            case Part.WEB if self.supervised is not None:
                return await self.supervised.serves()
            case Part.WORKER | Part.POSTGRES:
                try:
                    async with storage_errors(), self.parts.sessions() as session:
                        is_beating = await is_alive(session, "worker", _WORKER_BEAT)
                except StorageUnavailable:
                    return False
                return is_beating or part is Part.POSTGRES
            case _:
                return True

    async def _settle(self, account: AccountId) -> int:
        """Wait until every message is dealt with; return how much is left if that stalls."""
        last, moved, told = -1, time.monotonic(), 0.0
        while left := await self._read(lambda session: work_left(session, account)):
            now = time.monotonic()
            if left != last:
                last, moved = left, now
            elif now - moved > self._patience_seconds:
                return left
            if now - told > _SAY_EVERY_SECONDS:
                told = now
                self.say(f"everything is said; {left} turns, deliveries and files are left")
            await asyncio.sleep(0.5)
        return 0

    # -- the database, which may be one of the processes that are killed -------------------------

    async def _read(self, query: Callable[[AsyncSession], Awaitable[T]]) -> T:
        async def once() -> T:
            async with storage_errors(), self.parts.sessions() as session:
                return await query(session)

        return await self._patiently(once)

    async def _patiently(self, act: Callable[[], Awaitable[T]]) -> T:
        end = time.monotonic() + _STORAGE_BACK_WITHIN_SECONDS
        while True:
            try:
                return await act()
            except StorageUnavailable:
                if time.monotonic() > end:
                    raise
            await asyncio.sleep(0.5)
