"""The assistant is brought to the version that is wanted, and candidates are judged."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import select, update

from core.adapters.rasa_models import RasaModels
from core.domain.actor import Agent, Role
from core.domain.errors import (
    AssistantFailed,
    AssistantLoading,
    Conflict,
    Forbidden,
    IllegalTransition,
    InvalidInput,
    NotFound,
)
from core.domain.models import Example, ExampleState, Lessons, ModelState
from core.runtime.model_keeping import ModelKeeping
from core.services.learning.examples import ExampleBook
from core.services.learning.versions import ModelVersions
from core.settings import Settings
from core.storage.queries.lanes import beat
from core.storage.tables import AuditEntry, ModelVersion
from core.wiring import model_commands
from core.wiring.model_commands import as_lines, has_passed
from tests.support.desk import Rig
from tests.support.teachable import TOKEN, TeachableDouble, report, teachable

THANKS = Example(text="ta very much", intent="thanks", language="en")


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """A desk with an assistant that can be taught."""

    rig: Rig
    assistant: TeachableDouble
    models: RasaModels
    versions: ModelVersions
    keeping: ModelKeeping
    ana: Agent

    async def teach(self, example: Example = THANKS) -> None:
        book = ExampleBook(self.rig.sessions)
        name = await book.propose(example, self.ana)
        await book.review(name, ExampleState.APPROVED, self.ana)

    async def states(self) -> dict[int, ModelState]:
        return {one.number: one.state for one in await self.versions.list()}


@pytest.fixture
async def world(rig: Rig) -> AsyncIterator[World]:
    async with teachable() as assistant:
        models = RasaModels(assistant.url, TOKEN)
        versions = ModelVersions(rig.sessions, rig.clock)
        keeping = ModelKeeping(versions, models, rig.clock)
        await keeping.keep()  # the desk knows the intents from now on
        ana = await rig.agent(role=Role.ADMIN)
        yield World(
            rig=rig,
            assistant=assistant,
            models=models,
            versions=versions,
            keeping=keeping,
            ana=ana,
        )
        await models.close()


async def test_a_candidate_that_passes_takes_the_place_and_can_be_gone_back_from(
    world: World,
) -> None:
    await world.teach()
    number = await world.versions.ask(world.ana)
    assert await world.states() == {number: ModelState.QUEUED, 0: ModelState.LIVE}
    await world.keeping.keep()
    assert await world.states() == {number: ModelState.LIVE, 0: ModelState.RETIRED}
    (order,) = world.assistant.ordered.values()
    assert order["examples"] == [{"text": "ta very much", "intent": "thanks", "language": "en"}]
    assert world.assistant.serves == "none"
    await world.keeping.keep()
    assert world.assistant.serves == order["lessons"]
    version = await world.versions.get(number)
    assert (version.is_served, version.used_by, version.asked_by) == (True, None, "Ana")
    assert await world.versions.waiting() == 0

    await world.versions.use(0, world.ana)
    await world.keeping.keep()
    assert world.assistant.serves == "none"
    assert await world.states() == {number: ModelState.RETIRED, 0: ModelState.LIVE}
    async with world.rig.sessions() as session:
        actions = (await session.scalars(select(AuditEntry.action).order_by(AuditEntry.id))).all()
    assert actions[-3:] == ["model.asked", "model.passed", "model.used"]


async def test_a_candidate_that_gets_worse_waits_for_an_admin(world: World) -> None:
    await world.teach()
    number = await world.versions.ask(world.ana)
    running = {"state": "running", "report": None, "detail": ""}
    world.assistant.answer = running
    await world.keeping.keep()
    assert (await world.states())[number] == ModelState.TRAINING
    with pytest.raises(Conflict):
        await world.versions.ask(world.ana)
    world.assistant.answer = {"state": "done", "report": report(passed=False), "detail": ""}
    await world.keeping.keep()
    await world.keeping.keep()
    assert await world.states() == {number: ModelState.WORSE, 0: ModelState.LIVE}
    assert world.assistant.serves == "none"
    version = await world.versions.get(number)
    assert not has_passed(version)
    (line, reason) = as_lines([version])
    assert "en 96 -> 90 of 100" in line
    assert reason.endswith("language:en")
    world.assistant.trained.add(version.lessons)
    await world.versions.use(number, world.ana)
    await world.keeping.keep()
    assert world.assistant.serves == version.lessons
    assert (await world.versions.get(number)).used_by == "Ana"


async def test_a_candidate_that_is_only_to_be_judged_does_not_go_live(world: World) -> None:
    await world.teach()
    number = await world.versions.ask(world.ana, goes_live=False)
    await world.keeping.keep()
    assert await world.states() == {number: ModelState.PASSED, 0: ModelState.LIVE}


async def test_a_training_that_fails_says_why(world: World) -> None:
    await world.teach()
    number = await world.versions.ask(world.ana)
    world.assistant.answer = {"state": "failed", "report": None, "detail": "no room on the disk"}
    await world.keeping.keep()
    version = await world.versions.get(number)
    assert (version.state, version.error) == (ModelState.BROKEN, "no room on the disk")
    with pytest.raises(IllegalTransition):
        await world.versions.use(number, world.ana)
    assert as_lines([version])[1].strip() == "no room on the disk"
    world.assistant.answer = None
    assert await world.versions.ask(world.ana) == number + 1  # it may be tried again


@pytest.mark.parametrize(
    ("status", "reason"), [(413, "more examples than"), (404, "earlier release"), (400, "examples")]
)
async def test_an_order_that_will_never_be_carried_out_ends_the_version(
    world: World, status: int, reason: str
) -> None:
    await world.teach()
    number = await world.versions.ask(world.ana)
    world.assistant.training_status = status
    await world.keeping.keep()
    version = await world.versions.get(number)
    assert version.state == ModelState.BROKEN
    assert reason in (version.error or "")


async def test_what_takes_too_long_is_given_up_and_what_comes_of_it_later_changes_nothing(
    world: World,
) -> None:
    await world.teach()
    number = await world.versions.ask(world.ana)
    world.assistant.answer = {"state": "running", "report": None, "detail": ""}
    await world.keeping.keep()
    await world.versions.give_up(number, world.ana)
    world.assistant.answer = None
    await world.keeping.keep()
    assert await world.states() == {number: ModelState.BROKEN, 0: ModelState.LIVE}
    with pytest.raises(IllegalTransition):
        await world.versions.give_up(number, world.ana)
    with pytest.raises(NotFound):
        await world.versions.give_up(99, world.ana)


async def test_what_cannot_be_made_again_is_said_and_not_tried_every_few_seconds(
    world: World,
) -> None:
    await world.teach()
    number = await world.versions.ask(world.ana)
    await world.keeping.keep()
    await world.keeping.keep()
    world.assistant.serves, world.assistant.trained = "none", {"none"}
    world.assistant.answer = {"state": "failed", "report": None, "detail": "no room"}
    await world.keeping.keep()
    assert (await world.versions.get(number)).error == "no room"
    world.assistant.ordered.clear()
    world.rig.clock.advance(minutes=30)
    await world.keeping.keep()
    assert not world.assistant.ordered
    world.assistant.answer = None
    world.rig.clock.advance(minutes=31)
    await world.keeping.keep()
    await world.keeping.keep()
    version = await world.versions.get(number)
    assert (version.error, version.is_served) == (None, True)


async def test_an_assistant_that_begins_anew_is_brought_to_what_is_wanted(world: World) -> None:
    await world.teach()
    await world.versions.ask(world.ana)
    await world.keeping.keep()
    await world.keeping.keep()
    wanted = world.assistant.serves
    world.assistant.serves, world.assistant.trained = "none", {"none"}  # another machine
    world.assistant.ordered.clear()
    await world.keeping.keep()
    assert list(world.assistant.ordered) == [wanted]  # it is made there again
    assert not (await world.versions.get(1)).is_served
    await world.keeping.keep()
    assert world.assistant.serves == wanted
    assert (await world.versions.get(1)).is_served


async def test_nothing_new_is_no_reason_to_train(world: World) -> None:
    with pytest.raises(Conflict, match="has learned all"):
        await world.versions.ask(world.ana)
    gone = Example(text="old", intent="a_former_intent", language="en")
    async with world.rig.sessions.begin() as session:
        await session.execute(
            update(ModelVersion).values(intents=["a_former_intent", "ask_question"])
        )
    await world.teach(gone)
    await world.keeping.keep()  # the assistant has no such intent any more
    with pytest.raises(Conflict, match="has learned all"):
        await world.versions.ask(world.ana)


async def test_while_the_assistant_is_away_everything_waits(world: World) -> None:
    await world.teach()
    number = await world.versions.ask(world.ana)
    away = RasaModels("http://127.0.0.1:9", TOKEN)
    with pytest.raises(AssistantLoading):
        await away.serving()
    await ModelKeeping(world.versions, away, world.rig.clock).keep_due()
    await away.close()
    assert (await world.states())[number] == ModelState.QUEUED
    for status, error in ((503, AssistantLoading), (500, AssistantFailed)):
        world.assistant.status = status
        with pytest.raises(error):
            await world.models.train(Lessons(examples=(THANKS,)))
    stranger = RasaModels(world.assistant.url, "another token")
    world.assistant.status = 200
    with pytest.raises(AssistantFailed):
        await stranger.serving()
    await stranger.close()


async def test_the_duty_looks_every_few_seconds(world: World) -> None:
    await world.keeping.keep_due()
    world.assistant.serves = "0" * 16
    await world.keeping.keep_due()  # too soon
    assert world.assistant.serves == "0" * 16
    world.rig.clock.advance(seconds=timedelta(seconds=6).total_seconds())
    await world.keeping.keep_due()
    assert world.assistant.serves == "none"


async def test_the_command_line_asks_a_running_desk_and_lists_what_it_has(
    world: World, database_url: str, tmp_path: Path
) -> None:
    settings = Settings(database_url=SecretStr(database_url), home=tmp_path)
    await world.teach()
    said: list[str] = []

    async def train(by: str | None) -> int:
        made = await model_commands.train(
            settings, by=by, waits=False, goes_live=True, say=said.append
        )
        return made.number

    with pytest.raises(InvalidInput, match="no desk is running"):
        await train(None)
    async with world.rig.sessions.begin() as session:
        await beat(session, "worker", "here")
    bo = await world.rig.agent("Bo", Role.AGENT)
    with pytest.raises(Forbidden):
        await train(bo.email)
    assert await train(world.ana.email) == 1
    assert said == ["version 1 is asked for"]
    await world.keeping.keep()
    first, last = await model_commands.versions(settings)
    assert (first.state, first.asked_by, last.number) == (ModelState.LIVE, "Ana", 0)
    assert await model_commands.use(settings, 0, by=None) == "version 0 serves within seconds"
