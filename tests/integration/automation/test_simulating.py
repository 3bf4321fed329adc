"""What a rule's actions would do is told beforehand, and nothing of it stays."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import func, select, text

from core.domain.assistant import Handoff, HandoffReason
from core.domain.automation.actions import ActionKind
from core.domain.automation.conditions import Conditions
from core.domain.automation.rule import Rule, Trigger
from core.domain.conversation import Speaker
from core.domain.ids import new_id
from core.services.automation.doing import Doer
from core.services.automation.simulating import RuleTrials, WouldDo
from core.storage.tables import (
    Delivery,
    FeedEntry,
    Message,
    Notification,
    TicketEvent,
    TicketWatcher,
    Webhook,
    WebhookDelivery,
)
from tests.integration.automation.world import BASE, add, do, react, said, team, ticket
from tests.support.desk import Rig

COUNTED = (
    TicketEvent, Message, Delivery, Notification, WebhookDelivery, TicketWatcher, FeedEntry
)  # fmt: skip


async def rows(rig: Rig) -> list[int]:
    async with rig.sessions() as session:
        counts = [await session.scalar(select(func.count()).select_from(one)) for one in COUNTED]
        jobs = await session.scalar(text("SELECT count(*) FROM procrastinate_jobs"))
    return [count or 0 for count in (*counts, jobs)]


def changed(would: WouldDo) -> list[tuple[str, str | None, str | None]]:
    return [(one.field, one.old_name or one.old, one.new_name or one.new) for one in would.changes]


async def test_each_action_is_told_after_those_before_it_and_nothing_stays(rig: Rig) -> None:
    ana = await rig.agent("Ana")
    name = await team(rig, ana)
    hook = new_id()
    async with rig.sessions.begin() as session:
        session.add(Webhook(id=hook, name="x", url="http://x", secret=b"x", events=[], is_on=True))
    await ticket(rig)
    actions = (
        do(ActionKind.NOTIFY, "team"),
        do(ActionKind.SET_TEAM, str(name)),
        do(ActionKind.NOTIFY, "team"),
        do(ActionKind.ADD_TAG, "fire"),
        do(ActionKind.ADD_TAG, "fire"),
        do(ActionKind.REPLY, "{{ requester.name }}, hold on"),
        do(ActionKind.NOTE, "Ticket {{ ticket.number }}"),
        do(ActionKind.ADD_WATCHER, str(ana.id)),
        do(ActionKind.SET_STATUS, "solved"),
        do(ActionKind.WEBHOOK, str(hook)),
        do(ActionKind.MARK_SPAM, ""),
    )
    rule = Rule(name="Fire", trigger=Trigger.OPENED, conditions=Conditions(), actions=actions)
    before, was = await rows(rig), await rig.ticket()
    trials = RuleTrials(rig.sessions, rig.accounts, BASE, rig.clock)
    trial = await trials.of_rule(rule)
    assert (trial.looked_at, trial.next) == (1, None)
    (tried,) = trial.tried
    assert tried.would_apply.times == 1
    does = tried.does
    assert [one.action for one in does] == list(actions)
    no_team, put, telling, tag, again, reply, note, watch, solve, call, spam = does
    assert no_team.failure is not None
    assert no_team.failure.sentence == "there is nobody to be told"
    assert [field for field, _, _ in changed(put)] == ["team"]
    assert put.changes[0].new_name == f"Team {name}"
    assert telling.tells == ["Ana"]
    assert changed(tag)[0][0] == "tags"
    assert (changed(again), again.failure) == ([], None)
    assert [one.endswith(", hold on") for one in reply.says] == [True]
    assert note.notes == [f"Ticket {was.number}"]
    assert changed(watch) == [("watcher", None, "Ana")]
    assert changed(solve) == [("status", "new", "solved")]
    assert "is solved" in solve.says[0]
    assert (call.failure, changed(call)) == (None, [])
    assert spam.failure is None
    assert await rows(rig) == before
    now = await rig.ticket()
    assert (now.status, now.team_id, now.tags) == (was.status, was.team_id, was.tags)


async def test_what_is_told_beforehand_is_what_the_rule_does(rig: Rig) -> None:
    name = await team(rig, await rig.agent("Ana"))
    actions = (
        do(ActionKind.SET_TEAM, str(name)),
        do(ActionKind.SET_STATUS, "pending"),
        do(ActionKind.REPLY, "Hold on"),
        do(ActionKind.ESCALATE, "next"),
    )
    conversation = await ticket(rig)
    trials = RuleTrials(rig.sessions, rig.accounts, BASE, rig.clock)
    found = await trials.of_actions(
        await rig.ticket_id(), actions, Doer(actor="rule:x", name="a rule")
    )
    rule: UUID = await add(rig, Trigger.OPENED, *actions)
    await react(rig, conversation)
    async with rig.sessions() as session:
        events = await session.scalars(
            select(TicketEvent)
            .where(TicketEvent.actor == f"rule:{rule}", TicketEvent.field != "message")
            .order_by(TicketEvent.id)
        )
        done = [(one.field, one.old, one.new) for one in events]
    told = [(one.field, one.old, one.new) for did in found for one in did.changes]
    assert told == done
    assert ("Hold on", False) in await said(rig, Speaker.SYSTEM)


async def test_older_tickets_are_tried_next(rig: Rig) -> None:
    for words in ("one", "two", "three"):
        conversation = await rig.hear(words, thread=words)
        await rig.reply(conversation, Handoff(reason=HandoffReason.ASKED_FOR_HUMAN))
    rule = Rule(
        name="x",
        trigger=Trigger.OPENED,
        conditions=Conditions(),
        actions=(do(ActionKind.ADD_TAG, "x"),),
    )
    trials = RuleTrials(rig.sessions, rig.accounts, BASE, rig.clock)
    first = await trials.of_rule(rule, tickets=2, simulated=1)
    assert (first.looked_at, len(first.found), len(first.tried)) == (2, 2, 1)
    assert first.next == await rig.ticket_id("two")
    rest = await trials.of_rule(rule, before=first.next, tickets=2)
    assert [one.would_apply.ticket for one in rest.tried] == [await rig.ticket_id("one")]
    assert rest.next is None
