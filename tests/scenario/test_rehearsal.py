"""`desk channel simulate`: people on a simulated platform, trouble on the way, nothing left."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from core.runtime.supervision.crashes import Part, SupervisedDesk
from tests.support.running_desk import START_SECONDS, RunningDesk, desk_command, free_port

_MESSAGES = 60
_TROUBLES = "duplicate,reorder,429,cut"
_TABLES = (
    *("account", "contact_address", "conversation", "inbound_event", "channel_cursor"),
    *("quarantine", "early_event"),
)
_COLUMNS = {"account": "id"}


async def rehearse(desk: RunningDesk, kind: str, troubles: str, **options: object) -> Any:
    """Rehearse and return the figures; fail where the command does."""
    said = {"messages": _MESSAGES, "conversations": 8, "rate": 20, "seed": 1, **options}
    words = [word for name, value in said.items() for word in (f"--{name}", str(value))]
    code, output, errors = await desk_command(
        desk.home,
        desk.port,
        *("channel", "simulate", "--account", kind, "--faults", troubles, "--json", *words),
    )
    assert code == 0, f"{output}\n{errors}"
    return json.loads(output)


def promises(figures: Any) -> dict[str, int]:
    """Return the figures that the desk promises."""
    names = ("messages", "accepted", "answered", "lost", "doubled", "out_of_order", "unfinished")
    return {name: figures[name] for name in names}


KINDS = {
    "slack": {"direct", "thread", "file", "edit", "deletion", "press", "stale", "aside"},
    "telegram": {"direct", "group", "topic", "file", "album", "edit", "press", "stale", "aside"},
    "email": {"direct"},
}


def check_kinds(figures: Any, kind: str) -> None:
    """Fail where something that people do on a platform was left out, or the desk did not take.

    The trouble between them and the desk must have come, too.
    """
    assert set(figures["kinds"]) == KINDS[kind]
    assert set(figures["troubles"]) == set(_TROUBLES.split(","))
    for of in figures["kinds"].values():
        assert (of["accepted"], of["answered"] in {None, of["done"]}) == (of["done"], True)
    assert figures["overheard"] == 0


KEPT = {
    "messages": _MESSAGES,
    "accepted": _MESSAGES,
    "answered": _MESSAGES,
    "lost": 0,
    "doubled": 0,
    "out_of_order": 0,
    "unfinished": 0,
}


async def left_of(desk: RunningDesk, account: str) -> dict[str, int]:
    """Return how many rows of each table still belong to `account`."""
    async with await psycopg.AsyncConnection.connect(desk.database_url) as connection:
        left = {}
        for table in _TABLES:
            column = _COLUMNS.get(table, "account_id")
            found = await connection.execute(
                f"SELECT count(*) FROM {table} WHERE {column} = %s", (account,)
            )
            row = await found.fetchone()
            assert row is not None
            left[table] = row[0]
    return left


@pytest.mark.parametrize(
    ("kind", "troubles"),
    [
        ("slack", _TROUBLES),
        ("telegram", _TROUBLES),
        ("email", f"{_TROUBLES},greylist,loop"),
    ],
)
async def test_nothing_is_lost_doubled_or_out_of_order_and_nothing_stays(
    whole_desk: RunningDesk, kind: str, troubles: str
) -> None:
    figures = await rehearse(whole_desk, kind, troubles)
    assert promises(figures) == KEPT
    check_kinds(figures, kind)
    assert figures["to_machine"] <= 5
    assert set((await left_of(whole_desk, f"rehearsal-{kind}")).values()) == {0}


@pytest.mark.parametrize(("kind", "inlet"), [("slack", "events"), ("telegram", "webhook")])
async def test_platforms_that_call_the_desk_are_rehearsed_too(
    whole_desk: RunningDesk, kind: str, inlet: str
) -> None:
    figures = await rehearse(whole_desk, kind, _TROUBLES, inlet=inlet)
    assert promises(figures) == KEPT
    check_kinds(figures, kind)


async def test_what_there_is_not_is_refused_in_words(whole_desk: RunningDesk) -> None:
    for arguments, words in (
        (("--account", "pigeon"), "no account and no kind of channel called pigeon"),
        (("--account", "slack", "--faults", "meteor"), "no such fault: meteor"),
        (("--account", "slack", "--inlet", "polling"), "slack has no inlet polling"),
        (("--account", "slack", "--faults", "loop"), "slack knows no fault loop"),
    ):
        code, _, errors = await desk_command(
            *(whole_desk.home, whole_desk.port, "channel", "simulate", "--messages", "1"),
            *arguments,
        )
        assert code == 1
        assert words in errors


async def test_without_a_running_desk_there_is_no_rehearsal(tmp_path: Path) -> None:
    code, _, errors = await desk_command(
        *(tmp_path / "home", free_port(), "channel", "simulate"),
        *("--account", "slack", "--messages", "1"),
    )
    assert code == 1
    assert "no desk runs in" in errors
    assert not (tmp_path / "home" / "postgres").exists()


@pytest.fixture
async def shaken_desk(whole_desk: RunningDesk) -> AsyncIterator[RunningDesk]:
    """The desk for a test that kills its processes; the tests that follow find it back."""
    yield whole_desk
    otherwise = "the desk did not come back after its processes were killed"
    await whole_desk.wait_until(whole_desk.is_ready, otherwise, START_SECONDS)


async def test_processes_that_are_killed_meanwhile_lose_and_double_nothing(
    shaken_desk: RunningDesk,
) -> None:
    figures = await rehearse(shaken_desk, "slack", f"{_TROUBLES},crash", rate=5)
    assert promises(figures) == KEPT
    check_kinds(figures, "slack")
    assert sum(figures["killed"].values()) > 0


async def test_the_parts_of_a_running_desk_are_told_apart(whole_desk: RunningDesk) -> None:
    from core.runtime.machine.home import Home

    desk = SupervisedDesk.of(Home.at(whole_desk.home))
    assert desk is not None
    pids = {part: desk.pid(part) for part in Part if part is not Part.RECEIVER}
    assert None not in pids.values()
    assert len(set(pids.values())) == len(pids)
