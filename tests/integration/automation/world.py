"""Rules in the book, tickets they look at, and what became of both."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import func, select

from core.domain.actor import Agent
from core.domain.assistant import Handoff, HandoffReason
from core.domain.automation.actions import Action, ActionKind
from core.domain.automation.conditions import Condition, Conditions
from core.domain.automation.fields import Comparison, Field
from core.domain.automation.rule import Trigger
from core.domain.conversation import Speaker
from core.domain.ids import ConversationId, new_id
from core.services.automation.forms import actions_json, conditions_json
from core.services.automation.rules import RuleShelf, RulesOfTickets
from core.services.reactions import Reactions
from core.storage.tables import (
    AutomationRule,
    AutomationRun,
    Message,
    Team,
    TeamMember,
)
from tests.support.desk import Rig

BASE = "http://desk.test"


def when(
    field: Field, comparison: Comparison, value: str = "", custom: UUID | None = None
) -> Condition:
    return Condition(field=field, comparison=comparison, value=value, custom=custom)


def do(kind: ActionKind, value: str) -> Action:
    return Action(kind=kind, value=value)


async def add(
    rig: Rig,
    trigger: Trigger,
    *actions: Action,
    every: Sequence[Condition] = (),
    some: Sequence[Condition] = (),
    stops: bool = False,
) -> UUID:
    name = new_id()
    async with rig.sessions.begin() as session:
        last = await session.scalar(select(func.count()).select_from(AutomationRule))
        session.add(
            AutomationRule(
                id=name,
                position=last or 0,
                name="a rule",
                trigger=trigger,
                is_on=True,
                stops=stops,
                conditions=conditions_json(Conditions(every=tuple(every), some=tuple(some))),
                actions=actions_json(actions),
            )
        )
    return name


async def ticket(rig: Rig, words: str = "the printer is on fire") -> ConversationId:
    conversation = await rig.hear(words)
    await rig.reply(conversation, Handoff(reason=HandoffReason.ASKED_FOR_HUMAN))
    return conversation


async def react(rig: Rig, conversation: ConversationId) -> None:
    rules = RulesOfTickets(RuleShelf(), BASE)
    await Reactions(rig.sessions, rig.accounts, [rules], rig.clock).advance(conversation)


async def runs(rig: Rig) -> int:
    async with rig.sessions() as session:
        return await session.scalar(select(func.count()).select_from(AutomationRun)) or 0


async def said(rig: Rig, speaker: Speaker) -> list[tuple[str, bool]]:
    async with rig.sessions() as session:
        rows = await session.execute(
            select(Message.text, Message.is_internal)
            .where(Message.speaker == speaker)
            .order_by(Message.seq)
        )
        return [(words, internal) for words, internal in rows]


async def team(rig: Rig, *members: Agent, lead: Agent | None = None, level: int = 1) -> UUID:
    name = new_id()
    async with rig.sessions.begin() as session:
        session.add(Team(id=name, name=f"Team {name}"))
        await session.flush()
        for one in members:
            session.add(TeamMember(team_id=name, agent_id=one.id, level=level, is_lead=one is lead))
    return name
