"""Examples that people teach the assistant: proposed by whoever leads, approved by admins."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.actor import Agent
from core.domain.errors import Conflict, InvalidInput, NotFound, TooLarge
from core.domain.ids import ExampleId, new_id
from core.domain.languages import LANGUAGES
from core.domain.models import Example, ExampleState
from core.services import audit
from core.services.knowledge.plaintext import storable
from core.services.revisions import check_content
from core.storage.engine import Sessions, storage_errors
from core.storage.queries.learning.examples import stored_example
from core.storage.tables import ModelVersion, TrainingExample

MAX_EXAMPLES = 10_000
_MAX_CHARS = 500


class ExampleBook:
    """What people do with examples."""

    def __init__(
        self,
        sessions: Sessions,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._sessions = sessions
        self._now = now

    async def propose(self, example: Example, by: Agent) -> ExampleId:
        """Keep an example for review.

        Raises:
            InvalidInput: it is none, or of an intent that the assistant has not.
            Conflict: there is one of these words already.
        """
        async with storage_errors(), self._sessions.begin() as session:
            return await propose(session, example, by, self._now())

    async def review(self, example: ExampleId, state: ExampleState, by: Agent) -> None:
        """Let the assistant learn an example from the next training on, or not.

        Raises:
            NotFound: there is none.
        """
        await self.change(example, by, state=state)

    async def change_intent(self, example: ExampleId, intent: str, by: Agent) -> None:
        """Give an example another meaning; it waits for review again."""
        await self.change(example, by, intent=intent)

    async def change(
        self,
        example: ExampleId,
        by: Agent,
        *,
        intent: str | None = None,
        state: ExampleState | None = None,
        revision: int | None = None,
    ) -> None:
        """Give an example another meaning, a verdict, or both; what is None stays.

        Another meaning alone takes its verdict back.

        Raises:
            NotFound: there is none.
            InvalidInput: the assistant has no such intent.
            Outdated: it does not have the version `revision` any more.
        """
        async with storage_errors(), self._sessions.begin() as session:
            if intent is not None:
                await _check_intent(session, intent)
            row = await _locked(session, example)
            check_content(stored_example(row), revision)
            subject = ("example", example, row.text)
            if intent is not None:
                old, new = {"intent": row.intent}, {"intent": intent}
                audit.record(session, by.actor, "example.changed", subject, old=old, new=new)
                row.intent, row.state = intent, ExampleState.PENDING
                row.reviewed_by = None
            if state is not None:
                verdict = {"state": row.state}, {"state": state}
                audit.record(
                    session, by.actor, "example.reviewed", subject, old=verdict[0], new=verdict[1]
                )
                row.state, row.reviewed_by = state, by.id

    async def remove(self, example: ExampleId, by: Agent, *, revision: int | None = None) -> None:
        """Delete an example.

        Raises:
            NotFound: there is none.
            Outdated: it does not have the version `revision` any more.
        """
        async with storage_errors(), self._sessions.begin() as session:
            row = await _locked(session, example)
            check_content(stored_example(row), revision)
            audit.record(session, by.actor, "example.removed", ("example", example, row.text))
            await session.delete(row)

    async def intents(self) -> Sequence[str]:
        """Return the intents that can be taught, as the assistant said last."""
        async with storage_errors(), self._sessions() as session:
            return await known_intents(session)


async def propose(session: AsyncSession, example: Example, by: Agent, now: datetime) -> ExampleId:
    """Do in the caller's transaction what `ExampleBook.propose` does."""
    tidy = await _checked(session, example)
    made = ExampleId(new_id())
    count = await session.scalar(select(func.count()).select_from(TrainingExample))
    if (count or 0) >= MAX_EXAMPLES:
        raise TooLarge(f"a desk has at most {MAX_EXAMPLES} examples")
    added = await session.scalar(
        insert(TrainingExample)
        .values(
            id=made,
            language=tidy.language,
            intent=tidy.intent,
            text=tidy.text,
            state=ExampleState.PENDING,
            added_by=by.id,
            added_at=now,
        )
        .on_conflict_do_nothing()
        .returning(TrainingExample.id)
    )
    if added is None:
        raise Conflict("there is an example of these words already")
    audit.record(
        session,
        by.actor,
        "example.proposed",
        ("example", made, tidy.text),
        new={"intent": tidy.intent},
    )
    return made


async def _checked(session: AsyncSession, example: Example) -> Example:
    text = " ".join(storable(example.text).split())
    if not text or not any(char.isalnum() for char in text):
        raise InvalidInput("an example has words")
    if len(text) > _MAX_CHARS:
        raise TooLarge(f"an example has at most {_MAX_CHARS} characters")
    if example.language not in LANGUAGES:
        raise InvalidInput("the assistant does not speak this language")
    await _check_intent(session, example.intent)
    return Example(text=text, intent=example.intent, language=example.language)


async def _check_intent(session: AsyncSession, intent: str) -> None:
    known = await known_intents(session)
    if not known:
        raise InvalidInput("the assistant has not said yet which intents it has")
    if intent not in known:
        raise InvalidInput("the assistant has no such intent")


async def known_intents(session: AsyncSession) -> Sequence[str]:
    """Return the intents that the serving model can be taught."""
    found = await session.scalar(select(ModelVersion.intents).where(ModelVersion.state == "live"))
    return [str(name) for name in found or ()]


async def approved(session: AsyncSession) -> Sequence[Example]:
    """Return the examples that the next training learns, those of known intents."""
    known = set(await known_intents(session))
    rows = await session.scalars(
        select(TrainingExample)
        .where(TrainingExample.state == ExampleState.APPROVED)
        .order_by(TrainingExample.id)
    )
    return [
        Example(text=row.text, intent=row.intent, language=row.language)
        for row in rows
        if row.intent in known
    ]


async def _locked(session: AsyncSession, example: ExampleId) -> TrainingExample:
    row = await session.get(TrainingExample, example, with_for_update=True)
    if row is None:
        raise NotFound("there is no such example")
    return row
