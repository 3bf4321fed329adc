"""How many statements a batch of messages takes: what decides how many can be taken in a second."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import event, text
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


async def test_the_conversations_of_a_batch_are_found_by_indexes(
    rig: Rig, engine: AsyncEngine
) -> None:
    """However many there are: what is locked is named by its thread, or by another's row."""
    await rig.hear("first")
    async with engine.begin() as connection:
        await connection.execute(
            text(
                "INSERT INTO conversation (id, account_id, thread, contact_id, responder,"
                " last_message_at, is_current, is_beside)"
                " SELECT gen_random_uuid(), account_id, 'many/' || n, contact_id, 'bot', now(),"
                " n % 50 > 0, n % 50 = 0 FROM conversation, generate_series(1, 10000) n"
            )
        )
    async with engine.connect() as connection:
        await (await connection.execution_options(isolation_level="AUTOCOMMIT")).execute(
            text("ANALYZE conversation")
        )
    locking: list[tuple[str, Any]] = []

    def note(*told: Any) -> None:
        if "FOR UPDATE" in told[2] and "FROM conversation" in told[2]:
            locking.append((told[2], told[3]))

    event.listen(engine.sync_engine, "before_cursor_execute", note)
    try:
        await rig.hear("second")
        await rig.turns.plan(await rig.conversation_id())
    finally:
        event.remove(engine.sync_engine, "before_cursor_execute", note)
    assert len(locking) >= 2
    async with engine.connect() as connection:
        for statement, given in locking:
            plan = await connection.exec_driver_sql(f"EXPLAIN {statement}", given)
            lines = [str(line) for (line,) in plan]
            assert not [line for line in lines if "Seq Scan" in line], lines
