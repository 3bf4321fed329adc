"""Versions of the assistant's model: which are made, how they were judged, which one serves."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Select, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from core.domain.actor import Agent
from core.domain.errors import Conflict, NotFound
from core.domain.models import (
    CAN_SERVE,
    UNDER_WAY,
    Example,
    Lessons,
    ModelState,
    ModelTrigger,
    ServingModel,
    Training,
    TrainingState,
    next_state,
)
from core.services import audit
from core.services.learning.examples import approved
from core.storage.engine import Sessions, storage_errors
from core.storage.tables import AgentRow, ModelVersion

_LOCK = text("SELECT pg_advisory_xact_lock(0x6d6f64656c)")  # "model": one change at a time


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionView:
    """A version with its figures and who had it made and used."""

    number: int
    lessons: str
    examples: int
    held_back: int
    state: ModelState
    goes_live: bool
    report: Mapping[str, Any] | None
    error: str | None
    asked_by: str | None
    asked_at: datetime
    ended_at: datetime | None
    used_by: str | None
    used_at: datetime | None
    is_served: bool  # the assistant has said so

    @property
    def can_serve(self) -> bool:
        """Whether it may be made live."""
        return self.state in CAN_SERVE


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A version that waits for the assistant."""

    number: int
    lessons: Lessons


class ModelVersions:
    """What people, and the duty that talks with the assistant, do with versions."""

    def __init__(
        self,
        sessions: Sessions,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._sessions = sessions
        self._now = now

    async def ask(self, by: Agent | None, *, goes_live: bool = True) -> int:
        """Have a model made of what is approved now; return its number.

        With `goes_live` it serves as soon as it has passed.

        Raises:
            Conflict: one is being made, or nothing was approved since the one that serves.
        """
        async with storage_errors(), self._sessions.begin() as session:
            await session.execute(_LOCK)
            under_way = await session.scalar(
                select(ModelVersion.number).where(ModelVersion.state.in_(UNDER_WAY))
            )
            if under_way is not None:
                raise Conflict("a model is being made already")
            lessons = Lessons.of(await approved(session))
            live = await _live(session)
            if live.lessons == lessons.name:
                raise Conflict("the model that serves has learned all that is approved")
            row = ModelVersion(
                lessons=lessons.name,
                examples=[_fields(one) for one in lessons.examples],
                held_back=[_fields(one) for one in lessons.held_back],
                state=ModelState.QUEUED,
                goes_live=goes_live,
                asked_by=None if by is None else by.id,
                asked_at=self._now(),
                intents=live.intents,
            )
            session.add(row)
            await session.flush()
            audit.record(
                session,
                None if by is None else by.actor,
                "model.asked",
                ("model", row.number, f"version {row.number}"),
            )
            return row.number

    async def use(self, number: int, by: Agent | None) -> None:
        """Let a version serve, whatever its figures.

        Raises:
            NotFound: there is none of this number.
            IllegalTransition: it serves already, or nothing came of its training.
        """
        async with storage_errors(), self._sessions.begin() as session:
            await session.execute(_LOCK)
            row = await session.get(ModelVersion, number, with_for_update=True)
            if row is None:
                raise NotFound("there is no such version")
            old = row.state
            await self._make_live(session, row, by)
            audit.record(
                session,
                None if by is None else by.actor,
                "model.used",
                ("model", number, f"version {number}"),
                old={"state": old},
                new={"state": row.state},
            )

    async def give_up(self, number: int, by: Agent | None) -> None:
        """Wait no longer for a version that is being made.

        Raises:
            NotFound: there is none of this number.
            IllegalTransition: it is not being made.
        """
        async with storage_errors(), self._sessions.begin() as session:
            await session.execute(_LOCK)
            row = await session.get(ModelVersion, number, with_for_update=True)
            if row is None:
                raise NotFound("there is no such version")
            row.state = next_state(ModelState(row.state), ModelTrigger.BROKE)
            row.error, row.ended_at = "given up", self._now()
            audit.record(
                session,
                None if by is None else by.actor,
                "model.given_up",
                ("model", number, f"version {number}"),
            )

    async def list(self, limit: int = 50) -> Sequence[VersionView]:
        """Return the newest versions, and the one that serves, the newest first."""
        live_first = (ModelVersion.state == ModelState.LIVE).desc()
        query = _views().order_by(live_first, ModelVersion.number.desc()).limit(limit)
        async with storage_errors(), self._sessions() as session:
            views = [_view(*row) for row in await session.execute(query)]
        return sorted(views, key=lambda view: -view.number)

    async def page(self, before: int | None, limit: int) -> Sequence[VersionView]:
        """Return versions, the newest first, from those before number `before`."""
        query = _views().order_by(ModelVersion.number.desc()).limit(limit)
        if before is not None:
            query = query.where(ModelVersion.number < before)
        async with storage_errors(), self._sessions() as session:
            return [_view(*row) for row in await session.execute(query)]

    async def get(self, number: int) -> VersionView:
        """Return a version.

        Raises:
            NotFound: there is none of this number.
        """
        async with storage_errors(), self._sessions() as session:
            found = (await session.execute(_views().where(ModelVersion.number == number))).first()
        if found is None:
            raise NotFound("there is no such version")
        return _view(*found)

    async def waiting(self) -> int:
        """Return how many examples are approved that the serving model has not learned."""
        async with storage_errors(), self._sessions() as session:
            live = await _live(session)
            learned = {(row["text"], row["intent"]) for row in [*live.examples, *live.held_back]}
            return sum((one.text, one.intent) not in learned for one in await approved(session))

    # -- what the duty that talks with the assistant notes ----------------------------------------

    async def due(self) -> Order | None:
        """Return the version that the assistant is to make, noting that it has begun."""
        async with storage_errors(), self._sessions.begin() as session:
            row = await session.scalar(
                select(ModelVersion)
                .where(ModelVersion.state.in_(UNDER_WAY))
                .order_by(ModelVersion.number)
                .limit(1)
                .with_for_update()
            )
            if row is None:
                return None
            if row.state == ModelState.QUEUED:
                row.state = next_state(ModelState.QUEUED, ModelTrigger.BEGAN)
            return Order(number=row.number, lessons=_lessons(row))

    async def wanted(self) -> Order:
        """Return the version that is to serve."""
        async with storage_errors(), self._sessions() as session:
            row = await _live(session)
            return Order(number=row.number, lessons=_lessons(row))

    async def note_training(self, number: int, training: Training) -> None:
        """Note what came of a version's training; one that has passed may go live with it."""
        if training.state not in (TrainingState.DONE, TrainingState.FAILED):
            return
        async with storage_errors(), self._sessions.begin() as session:
            await session.execute(_LOCK)
            row = await session.get(ModelVersion, number, with_for_update=True)
            if row is None or row.state != ModelState.TRAINING:
                return  # another worker has noted it
            row.ended_at = self._now()
            if training.state == TrainingState.FAILED:
                row.error = training.detail or "training failed"
                row.state = next_state(ModelState.TRAINING, ModelTrigger.BROKE)
                return
            row.report = dict(training.report or {})
            trigger = ModelTrigger.PASSED if training.passed else ModelTrigger.GOT_WORSE
            row.state = next_state(ModelState.TRAINING, trigger)
            if training.passed and row.goes_live:
                await self._make_live(session, row, None)
                audit.record(
                    session,
                    "assistant",
                    "model.passed",
                    ("model", number, f"version {number}"),
                    old={"state": ModelState.PASSED},
                    new={"state": row.state},
                )

    async def note_serving(self, serving: ServingModel) -> None:
        """Note which intents can be taught, and that the wanted version serves, if it does."""
        async with storage_errors(), self._sessions.begin() as session:
            row = await _live(session)
            is_served = row.lessons == serving.lessons
            if list(row.intents) == list(serving.intents) and is_served == bool(row.served_at):
                return
            row = await session.get_one(
                ModelVersion, row.number, with_for_update=True, populate_existing=True
            )
            if row.state == ModelState.LIVE:
                row.intents = list(serving.intents)
                row.served_at = self._now() if row.lessons == serving.lessons else None
                if row.served_at is not None:
                    row.error = None

    async def note_trouble(self, number: int, detail: str) -> None:
        """Note why the version that is to serve cannot be had, for admins to see."""
        async with storage_errors(), self._sessions.begin() as session:
            row = await session.get(ModelVersion, number, with_for_update=True)
            if row is not None and row.state == ModelState.LIVE:
                row.error = detail

    async def _make_live(self, session: AsyncSession, row: ModelVersion, by: Agent | None) -> None:
        state = next_state(ModelState(row.state), ModelTrigger.USED)
        live = await _live(session)
        live.state = next_state(ModelState.LIVE, ModelTrigger.REPLACED)
        live.served_at = None
        await session.flush()  # one at a time may be live
        row.state, row.used_at = state, self._now()
        row.used_by = None if by is None else by.id
        row.intents = live.intents
        await session.flush()


async def _live(session: AsyncSession) -> ModelVersion:
    return (
        await session.scalars(select(ModelVersion).where(ModelVersion.state == ModelState.LIVE))
    ).one()


def _lessons(row: ModelVersion) -> Lessons:
    return Lessons(
        examples=tuple(Example(**one) for one in row.examples),
        held_back=tuple(Example(**one) for one in row.held_back),
    )


def _fields(example: Example) -> dict[str, str]:
    return {"text": example.text, "intent": example.intent, "language": example.language}


def _views() -> Select[ModelVersion, str | None, str | None]:
    asker, user = aliased(AgentRow), aliased(AgentRow)
    return (
        select(ModelVersion, asker.name, user.name)
        .outerjoin(asker, asker.id == ModelVersion.asked_by)
        .outerjoin(user, user.id == ModelVersion.used_by)
    )


def _view(row: ModelVersion, asked_by: str | None, used_by: str | None) -> VersionView:
    return VersionView(
        number=row.number,
        lessons=row.lessons,
        examples=len(row.examples),
        held_back=len(row.held_back),
        state=ModelState(row.state),
        goes_live=row.goes_live,
        report=row.report,
        error=row.error,
        asked_by=asked_by,
        asked_at=row.asked_at,
        ended_at=row.ended_at,
        used_by=used_by,
        used_at=row.used_at,
        is_served=row.served_at is not None,
    )
