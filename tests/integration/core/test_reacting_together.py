"""Changes of several tickets are reacted to together, and one that cannot be holds up no other."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from pydantic import SecretStr
from sqlalchemy import event, func, select, text
from sqlalchemy.ext.asyncio import AsyncEngine

from core.domain.actor import Role
from core.domain.assistant import Handoff, HandoffReason
from core.domain.automation.actions import Action, ActionKind
from core.domain.automation.conditions import Condition, Conditions
from core.domain.automation.fields import Comparison, Field
from core.domain.automation.rule import Trigger
from core.domain.ids import ConversationId, new_id
from core.domain.sla.policy import ClockKind, Policy, PolicyId
from core.domain.ticket import Priority
from core.services.automation.forms import actions_json, conditions_json
from core.services.case import Case
from core.services.locks import locked
from core.services.reactions import Reactions, Reactor, TicketChange
from core.services.sla.policies import Policies
from core.settings import Settings
from core.storage.tables import (
    AutomationRule,
    ReactionFailure,
    SlaClock,
    TicketEvent,
    TicketFigure,
)
from core.storage.wakeups import LaneKind, waiting
from core.wiring.duties import reactors_of
from core.wiring.parts import open_parts
from tests.support.desk import Rig


class Witness:
    name = "witness"

    def __init__(self) -> None:
        self.seen: list[tuple[str, str]] = []

    async def react(self, case: Case, change: TicketChange) -> None:
        self.seen.append((case.conversation.thread, change.field))


class FaultyAbout:
    name = "faulty"

    def __init__(self, thread: str) -> None:
        self._thread = thread

    async def react(self, case: Case, change: TicketChange) -> None:
        case.rank(Priority.URGENT, actor="reactor:faulty")
        if case.conversation.thread == self._thread:
            await case.session.execute(text("SELECT 1/0"))


async def _tickets(rig: Rig, count: int, first: int = 0) -> list[ConversationId]:
    conversations = []
    for n in range(first, first + count):
        conversation = await rig.hear("my screen is broken", thread=f"t{n}")
        await rig.reply(conversation, Handoff(reason=HandoffReason.ASKED_FOR_HUMAN))
        conversations.append(conversation)
    return conversations


def _reactions(rig: Rig, reactors: Sequence[Reactor], *, takes_along: bool = False) -> Reactions:
    return Reactions(rig.sessions, rig.accounts, reactors, rig.clock, takes_along=takes_along)


async def _woken(rig: Rig) -> list[ConversationId]:
    async with rig.sessions() as session:
        return await waiting(session, LaneKind.REACTIONS, 100)


async def test_callers_at_the_same_time_share_statements(rig: Rig, engine: AsyncEngine) -> None:
    conversations, witness = await _tickets(rig, 6), Witness()
    asked: list[str] = []

    @event.listens_for(engine.sync_engine, "before_cursor_execute")
    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        asked.append(statement)

    reactions = _reactions(rig, [witness])
    await asyncio.gather(*map(reactions.advance, conversations))
    assert sorted(witness.seen) == [(f"t{n}", "status") for n in range(6)]
    assert len(asked) <= 2 * 8  # the first one alone, then all the others


async def test_no_reactor_of_the_product_asks_more_for_more_tickets(
    rig: Rig, engine: AsyncEngine, database_url: str, tmp_path: Path
) -> None:
    promise = Policy(
        id=PolicyId(UUID(int=0)),
        name="usual",
        targets={ClockKind.FIRST_RESPONSE: timedelta(hours=4)},
    )
    ana = await rig.agent(role=Role.ADMIN)
    await Policies(rig.sessions).add(promise, ana)
    async with rig.sessions.begin() as session:
        urgent = Condition(field=Field.PRIORITY, comparison=Comparison.IS, value="urgent")
        rule = AutomationRule(
            id=new_id(),
            position=1,
            name="urgent",
            trigger=Trigger.REQUESTER_WROTE,
            is_on=True,
            stops=False,
            conditions=conditions_json(Conditions(every=(urgent,))),
            actions=actions_json([Action(kind=ActionKind.ADD_TAG, value="urgent")]),
        )
        session.add(rule)
    asked: list[str] = []

    @event.listens_for(engine.sync_engine, "before_cursor_execute")
    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        asked.append(statement)

    counts = []
    settings = Settings(home=tmp_path, database_url=SecretStr(database_url))
    async with open_parts(settings, "test") as parts:
        reactions = _reactions(rig, reactors_of(parts), takes_along=True)
        for tickets in (range(2), range(2, 10)):
            conversations = await _tickets(rig, len(tickets), tickets.start)
            for n in tickets:
                await rig.tickets.take(await rig.ticket_id(f"t{n}"), ana)
                await rig.hear("and my mouse", thread=f"t{n}")
            asked.clear()
            await reactions.advance(conversations[0])
            counts.append(len(asked))
    assert counts[1] <= counts[0]
    async with rig.sessions() as session:
        assert await session.scalar(select(func.count()).select_from(SlaClock)) == 10
        assert await session.scalar(select(func.count()).select_from(TicketFigure)) == 10


async def test_what_waits_is_taken_along_with_its_wake_up(rig: Rig) -> None:
    conversations, witness = await _tickets(rig, 3), Witness()
    assert await _woken(rig) == conversations
    await _reactions(rig, [witness], takes_along=True).advance(conversations[1])
    assert sorted(witness.seen) == [("t0", "status"), ("t1", "status"), ("t2", "status")]
    assert await _woken(rig) == []


async def test_a_conversation_in_use_is_waited_for_alone(rig: Rig) -> None:
    conversations, witness = await _tickets(rig, 3), Witness()
    reactions = _reactions(rig, [witness], takes_along=True)
    async with rig.sessions.begin() as session:
        await locked(session, conversations[0])
        await reactions.advance(conversations[2])
        assert sorted(witness.seen) == [("t1", "status"), ("t2", "status")]
        assert await _woken(rig) == [conversations[0]]
        held = asyncio.create_task(reactions.advance(conversations[0]))
        # Who waits for it keeps nobody else from going on.
        await reactions.advance(conversations[1])
        assert not held.done()
    await held
    assert ("t0", "status") in witness.seen


async def test_a_fault_about_one_ticket_leaves_the_others_alone(rig: Rig) -> None:
    conversations, witness = await _tickets(rig, 3), Witness()
    reactions = _reactions(rig, [FaultyAbout("t1"), witness])
    await asyncio.gather(*map(reactions.advance, conversations))
    assert [(await rig.ticket(f"t{n}")).priority for n in range(3)] == [
        Priority.URGENT,
        Priority.NORMAL,
        Priority.URGENT,
    ]
    async with rig.sessions() as session:
        assert list(await session.scalars(select(ReactionFailure.reactor))) == ["faulty"]
        left = select(func.count()).where(TicketEvent.reacted_at.is_(None))
        assert await session.scalar(left) == 0


async def test_what_could_not_be_taken_along_is_woken_still(rig: Rig) -> None:
    conversations = await _tickets(rig, 2)
    await _reactions(rig, [FaultyAbout("t1")], takes_along=True).advance(conversations[0])
    assert await _woken(rig) == conversations
    assert (await rig.ticket("t0")).priority == Priority.URGENT
    assert (await rig.ticket("t1")).priority == Priority.NORMAL
