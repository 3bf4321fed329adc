"""What admins accept in wrong answers counts in every process, before what was installed."""

from __future__ import annotations

import time

import pytest

from core.adapters.embeddings import HttpEmbedder
from core.domain.actor import Agent, Role
from core.domain.errors import InvalidInput, Outdated
from core.domain.ids import AgentId, new_id
from core.domain.knowledge import Outcome
from core.services.knowledge import Knowledge
from core.storage.engine import Sessions

ADMIN = Agent(id=AgentId(new_id()), name="Ana", email="ana@example.org", role=Role.ADMIN)
QUESTION = "How do I reset my password?"


async def outcome_becomes(knowledge: Knowledge, wanted: Outcome) -> bool:
    """Wait until searches of a process that was told nothing have `wanted`."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if (await knowledge.search(QUESTION, "en")).outcome is wanted:
            return True
    return False


async def test_a_change_counts_in_other_processes_without_a_restart(
    knowledge: Knowledge, embedder: HttpEmbedder, sessions: Sessions
) -> None:
    other = Knowledge(sessions, embedder, wrong_answers_per_hundred=10)
    assert (await other.search(QUESTION, "en")).outcome is Outcome.ANSWER
    await knowledge.tolerance.set(0.0001, ADMIN)
    assert await outcome_becomes(other, Outcome.OFFER)
    await knowledge.tolerance.set(None, ADMIN)
    assert await outcome_becomes(other, Outcome.ANSWER)


async def test_what_is_installed_counts_until_something_is_set(sessions: Sessions) -> None:
    tolerance = Knowledge(sessions, wrong_answers_per_hundred=7).tolerance
    assert ((await tolerance.get()).wrong_per_hundred, await tolerance.counting()) == (7, 7)
    await tolerance.set(3, ADMIN)
    assert (await tolerance.get()).set_to == await tolerance.counting() == 3


async def test_who_did_not_see_the_last_change_is_refused(sessions: Sessions) -> None:
    tolerance = Knowledge(sessions).tolerance
    await tolerance.set(3, ADMIN, revision=0)
    with pytest.raises(Outdated):
        await tolerance.set(4, ADMIN, revision=0)
    await tolerance.set(None, ADMIN, revision=1)
    with pytest.raises(Outdated):
        await tolerance.set(4, ADMIN, revision=1)
    assert (await tolerance.get()).set_to is None


@pytest.mark.parametrize("wrong", [0, -1, 100, float("nan"), float("inf")])
async def test_what_is_no_share_of_a_hundred_is_refused(sessions: Sessions, wrong: float) -> None:
    with pytest.raises(InvalidInput):
        await Knowledge(sessions).tolerance.set(wrong, ADMIN)


async def test_the_outlook_says_where_there_is_too_little_to_measure(knowledge: Knowledge) -> None:
    before = await knowledge.tolerance.outlook()
    assert (before.questions, before.is_current, before.by_language) == (0, False, {})
    await knowledge.learn_offers()
    found = await knowledge.tolerance.outlook()
    assert found.is_current
    assert found.can_be_measured
    assert 0 < found.questions < 30
    assert found.by_language == {}
