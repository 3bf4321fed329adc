"""Rules and notices about promises: at risk, and broken."""

from __future__ import annotations

import pytest

from core.domain.actor import Agent, Role
from core.domain.assistant import Handoff, HandoffReason
from core.domain.automation.actions import ActionKind
from core.domain.automation.rule import Trigger
from core.domain.ids import AgentId
from core.domain.notification import Notice
from core.services.automation.rules import RuleShelf, RulesOfTickets
from core.services.notifications.reading import notices_of
from core.services.notifications.telling import NoticesOfTickets
from core.services.reactions import Reactions
from core.services.reactions.reactor import Reactor
from tests.integration.automation.world import BASE, add, do, team
from tests.integration.sla.world import Promised

_BROKEN = (Notice.BROKEN, "resolution")


async def _react(rig: Promised) -> None:
    reactors: list[Reactor] = [*rig.reactors, RulesOfTickets(RuleShelf(), BASE), NoticesOfTickets()]
    await Reactions(rig.sessions, rig.accounts, reactors, rig.clock).advance(
        await rig.conversation_id()
    )


async def _open(rig: Promised) -> None:
    conversation = await rig.hear("my screen is broken")
    await rig.reply(conversation, Handoff(reason=HandoffReason.ASKED_FOR_HUMAN))
    await _react(rig)


async def _told(rig: Promised, agent: Agent) -> list[tuple[Notice, str]]:
    async with rig.sessions() as session:
        found = await notices_of(session, AgentId(agent.id))
        return [(one.notice, one.detail) for one in reversed(found)]


@pytest.mark.parametrize("is_assigned", [True, False])
async def test_a_warning_and_a_breach_are_told_and_set_rules_off(
    promised: Promised, *, is_assigned: bool
) -> None:
    rig = promised
    await rig.promise(resolution=10)
    ana, boss, other = [await rig.agent(name) for name in ("Ana", "Boss", "Other")]
    name = await team(rig, ana, boss, other, lead=boss)
    await add(rig, Trigger.OPENED, do(ActionKind.SET_TEAM, str(name)))
    await add(rig, Trigger.PROMISE_AT_RISK, do(ActionKind.ADD_TAG, "soon"))
    await add(
        rig,
        Trigger.PROMISE_BROKEN,
        do(ActionKind.ADD_TAG, "late"),
        do(ActionKind.ESCALATE, "lead"),
    )
    await _open(rig)
    if is_assigned:
        await rig.tickets.take(await rig.ticket_id(), ana)
        await _react(rig)
    rig.clock.advance(hours=9)
    assert await rig.sweep.note_due() == 1
    await _react(rig)
    assert (await rig.ticket()).tags == ["soon"]
    at_risk = [(Notice.AT_RISK, "resolution")]
    assert await _told(rig, ana) == (at_risk if is_assigned else [])
    assert await _told(rig, boss) == ([] if is_assigned else at_risk)
    rig.clock.advance(hours=2)
    assert await rig.sweep.note_due() == 1
    await _react(rig)
    found = await rig.ticket()
    assert (found.tags, found.assignee_id) == (["soon", "late"], boss.id)
    assert _BROKEN in await _told(rig, boss)
    assert _BROKEN not in await _told(rig, other)


async def test_a_breach_is_told_to_whoever_has_the_ticket_and_to_leads(promised: Promised) -> None:
    rig = promised
    await rig.promise(resolution=10)
    ana, boss, other = [await rig.agent(name) for name in ("Ana", "Boss", "Other")]
    name = await team(rig, ana, boss, other, lead=boss)
    await add(rig, Trigger.OPENED, do(ActionKind.SET_TEAM, str(name)))
    await _open(rig)
    await rig.tickets.take(await rig.ticket_id(), ana)
    rig.clock.advance(hours=11)
    await rig.sweep.note_due()
    await _react(rig)
    assert _BROKEN in await _told(rig, ana)
    assert _BROKEN in await _told(rig, boss)
    assert _BROKEN not in await _told(rig, other)


async def test_a_desk_without_leads_has_its_admins_told(promised: Promised) -> None:
    rig = promised
    await rig.promise(resolution=1)
    root = await rig.admin()
    assert root.role is Role.ADMIN
    await _open(rig)
    rig.clock.advance(hours=2)
    await rig.sweep.note_due()
    await _react(rig)
    assert _BROKEN in await _told(rig, root)
