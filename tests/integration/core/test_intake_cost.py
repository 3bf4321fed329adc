"""How many statements a batch of messages takes: what decides how many can be taken in a second."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine

from core.domain.events import MessagePosted
from tests.support.desk import Rig, posted

BATCH = 20


@contextmanager
def statements(engine: AsyncEngine) -> Iterator[list[str]]:
    """Collect what is sent to the database while the block runs, one entry a round trip."""
    sent: list[str] = []

    def note(*told: object) -> None:
        sent.append(str(told[2]))

    event.listen(engine.sync_engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(engine.sync_engine, "before_cursor_execute", note)


@pytest.mark.parametrize(("has_names", "most"), [(False, 9), (True, 11)])
async def test_a_batch_takes_a_few_statements_however_many_its_messages(
    rig: Rig, engine: AsyncEngine, has_names: bool, most: int
) -> None:
    """Names of the platform's cost two: to note them, and to look for what came before them."""

    def batch(turn: int) -> list[MessagePosted]:
        said = [posted(f"m{turn}", thread=f"t{n}", who=f"p{n}") for n in range(BATCH)]
        if has_names:
            return [replace(one, order=f"{turn}") for one in said]
        return [replace(one, remote_ids=()) for one in said]

    await rig.intake.accept(*batch(1))
    with statements(engine) as sent:
        await rig.intake.accept(*batch(2))
    assert len(sent) <= most, sent


async def test_messages_that_come_late_take_one_statement_more_however_many_they_are(
    rig: Rig, engine: AsyncEngine
) -> None:
    def batch(turn: int) -> list[MessagePosted]:
        said = [posted(f"m{turn}", thread=f"t{n}", who=f"p{n}") for n in range(BATCH)]
        return [replace(one, order=f"{turn}") for one in said]

    await rig.intake.accept(*batch(3))
    with statements(engine) as sent:
        await rig.intake.accept(*batch(4))
    with statements(engine) as sent_late:
        await rig.intake.accept(*batch(2))
    assert len(sent_late) == len(sent) + 1, sent_late


async def test_the_statements_are_the_same_for_any_number_of_messages(
    rig: Rig, engine: AsyncEngine
) -> None:
    """Else each number of them would be prepared by the server by itself."""

    def batch(turn: int, size: int) -> list[MessagePosted]:
        said = [posted(f"m{turn}", thread=f"t{n}", who=f"p{n}") for n in range(size)]
        return [replace(one, order=f"{turn}") for one in said]

    await rig.intake.accept(*batch(1, BATCH))
    with statements(engine) as few:
        await rig.intake.accept(*batch(2, 3))
    with statements(engine) as many:
        await rig.intake.accept(*batch(3, BATCH))
    assert few == many
