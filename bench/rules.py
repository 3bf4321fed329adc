"""How long a change of a ticket takes with very many rules, of which few apply."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from sqlalchemy import select

from bench.report import Figure, at_most
from bench.stored import Server
from bench.tickets import ACCOUNTS, conversations, open_ticket
from bench.timings import median, percentile
from core.domain.automation.actions import Action, ActionKind
from core.domain.automation.conditions import Condition, Conditions
from core.domain.automation.fields import Comparison, Field
from core.domain.automation.rule import Trigger
from core.domain.ids import ConversationId, TicketId, new_id
from core.services.automation.forms import actions_json, conditions_json
from core.services.automation.rules import RuleShelf, RulesOfTickets
from core.services.case import open_case
from core.services.ledger import Ledger
from core.services.reactions.reactor import TicketChange
from core.storage.engine import Sessions, open_engine, sessions_of
from core.storage.tables import AutomationRule, TicketEvent

_DATABASE = "bench_rules"
_RULES = 1000
_APPLYING = 5
_CHANGES = 200
_TARGET_MS = 50.0


async def measure(server: Server) -> list[Figure]:
    """Apply a thousand rules to new tickets; five of them fit each."""
    await server.create(_DATABASE, messages=0)
    engine = open_engine(server.url_of(_DATABASE))
    try:
        sessions = sessions_of(engine)
        async with sessions.begin() as session:
            session.add_all(_rule(number) for number in range(_RULES))
            made = await conversations(session, _CHANGES)
        waits = await _applied(sessions, made)
    finally:
        await engine.dispose()
        await server.drop(_DATABASE)
    what = f"{_RULES:,} rules evaluated for a new ticket, {_APPLYING} of them applied, p95"
    note = f" (p50 {median(waits) * 1000:.0f} ms, {len(waits)} tickets)"
    return [at_most(what, percentile(waits, 95) * 1000, _TARGET_MS, "ms", note=note)]


def _rule(number: int) -> AutomationRule:
    """Return a rule of three conditions; of each two hundred one fits the tickets opened here."""
    word = "printer" if number % (_RULES // _APPLYING) == 0 else f"word{number}"
    every = (
        Condition(field=Field.SUBJECT, comparison=Comparison.HAS, value=word),
        Condition(field=Field.STATUS, comparison=Comparison.IS_NOT, value="closed"),
    )
    some = (Condition(field=Field.PRIORITY, comparison=Comparison.IS, value="normal"),)
    return AutomationRule(
        id=new_id(),
        position=number,
        name=f"Rule {number}",
        trigger=Trigger.OPENED,
        is_on=True,
        stops=False,
        conditions=conditions_json(Conditions(every=every, some=some)),
        actions=actions_json([Action(kind=ActionKind.ADD_TAG, value=f"t{number}")]),
    )


async def _applied(sessions: Sessions, made: list[ConversationId]) -> list[float]:
    rules = RulesOfTickets(RuleShelf(), "http://127.0.0.1")
    waits: list[float] = []
    for conversation in made:
        ticket = await open_ticket(sessions, conversation, subject="The printer jams")
        waits.append(await _one(sessions, rules, ticket))
    return waits[1:]  # the first also reads the rules


async def _one(sessions: Sessions, rules: RulesOfTickets, ticket: TicketId) -> float:
    async with sessions.begin() as session:
        event = (
            await session.scalars(
                select(TicketEvent).where(
                    TicketEvent.ticket_id == ticket,
                    TicketEvent.field == "status",
                    TicketEvent.old.is_(None),
                )
            )
        ).one()
        case = await open_case(session, Ledger(ACCOUNTS, datetime.now(UTC)), ticket)
        change = TicketChange(
            id=event.id,
            field=event.field,
            old=event.old,
            new=event.new,
            actor=event.actor,
            reason=event.reason,
            at=event.at,
            depth=event.depth,
        )
        began = time.perf_counter()
        await rules.react(case, change)
        await case.ledger.write(session)
        took = time.perf_counter() - began
        assert len(case.ticket.tags) == _APPLYING
        return took
