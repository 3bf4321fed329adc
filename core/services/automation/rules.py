"""Rules at work: the reactor that applies them to changes, and the clock that applies the rest."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.account import Origin
from core.domain.automation.actions import IN_WORDS
from core.domain.automation.fields import Field
from core.domain.automation.matching import Test, compiled
from core.domain.automation.rule import Rule, Trigger
from core.domain.errors import InvalidInput
from core.domain.ids import TicketId
from core.domain.setbacks import Chore
from core.domain.ticket import CATEGORY, StatusCategory, TicketStatus
from core.services.automation.doing import Did, Doer, perform
from core.services.automation.facts import About, about, completed, known_of, values_of
from core.services.automation.failures import failure_json
from core.services.automation.forms import rule_of
from core.services.automation.held_back import HeldBack, tell_of
from core.services.case import Case, open_case
from core.services.ledger import Accounts, Ledger
from core.services.reactions.reactor import DEEPEST, TicketChange
from core.services.setbacks import Setbacks
from core.services.sla.clocks import BREACH, WARNING
from core.services.sla.rules import PromiseBook
from core.storage.beforehand import Beforehand
from core.storage.engine import Sessions, storage_errors
from core.storage.once import once
from core.storage.tables import Account, AutomationRule, AutomationRun, Conversation, Ticket

_LOGGER = logging.getLogger(__name__)
_RUNS_AN_HOUR = 10
"""One rule applies to one ticket no more often, whatever happens: two rules may undo each other."""
_BATCH = 200
_ROUND = timedelta(minutes=1)
_UNDONE = [s for s in TicketStatus if CATEGORY[s] != StatusCategory.DONE]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadyRule:
    """A rule with its conditions prepared."""

    id: UUID
    rule: Rule
    test: Test
    fields: frozenset[Field]  # that its conditions look at


class RuleShelf:
    """The rules that are on, read again when one has changed."""

    def __init__(self) -> None:
        self.promises = PromiseBook()  # whose hours conditions look at
        self._stamp: tuple[int, Decimal | int] | None = None
        self._rules: Mapping[Trigger, Sequence[ReadyRule]] = {}

    async def of(self, session: AsyncSession, trigger: Trigger) -> Sequence[ReadyRule]:
        """Return the rules of `trigger`, in their order."""
        stamp = await once(session, "rules", lambda: _stamp(session))
        if stamp != self._stamp:
            rows = await session.scalars(
                select(AutomationRule)
                .where(AutomationRule.is_on)
                .order_by(AutomationRule.position, AutomationRule.id)
            )
            found: dict[Trigger, list[ReadyRule]] = {}
            for row in rows:
                try:
                    rule = rule_of(row)
                except InvalidInput:
                    _LOGGER.exception("rule %s cannot be read and is left out", row.id)
                    continue
                ready = ReadyRule(
                    id=row.id,
                    rule=rule,
                    test=compiled(rule.conditions),
                    fields=rule.conditions.fields,
                )
                found.setdefault(rule.trigger, []).append(ready)
            self._rules, self._stamp = found, stamp
        return self._rules.get(trigger, ())


def looked_at(rules: Sequence[ReadyRule]) -> frozenset[Field]:
    """Return the fields that one rule or another looks at."""
    return frozenset[Field]().union(*(ready.fields for ready in rules))


async def _stamp(session: AsyncSession) -> tuple[int, Decimal | int]:
    """Return what changes with any rule: no two revisions are the same number."""
    found = await session.execute(
        select(func.count(), func.coalesce(func.sum(AutomationRule.revision), 0))
    )
    count, revisions = found.one()
    return count, revisions


class RulesOfTickets:
    """Applies the rules of what happened."""

    name = "rules"

    def __init__(self, shelf: RuleShelf, base_url: str) -> None:
        self._shelf = shelf
        self._base_url = base_url
        self._known = Beforehand(known_of)

    async def prepare(
        self, session: AsyncSession, changes: Sequence[tuple[Case, TicketChange]]
    ) -> None:
        """Read what conditions look at of the tickets that some rule is for."""
        await self._known.read(
            session,
            [
                about(TicketId(case.ticket.id), change)
                for case, change in changes
                if await self._rules(case, change)
            ],
        )

    async def react(self, case: Case, change: TicketChange) -> None:
        """Apply each rule whose trigger this is and whose conditions hold."""
        rules = await self._rules(case, change)
        if not rules:
            return
        now = case.ledger.now
        known = await completed(
            case.session,
            await self._known.take(case.session, about(TicketId(case.ticket.id), change)),
            change,
            looks_at=looked_at(rules),
            book=self._shelf.promises,
        )
        facts = known.facts(now)
        ran: Mapping[UUID, int] | None = None  # each rule comes by once: counted when one fits
        for ready in rules:
            if not ready.test(facts):
                continue
            if ran is None:
                ran = await _ran_of_late(case)
            if ran.get(ready.id, 0) >= _RUNS_AN_HOUR:
                await tell_of(case, ready.id, ready.rule.name, HeldBack.TOO_OFTEN)
                continue
            if change.depth >= DEEPEST - 1:  # nothing will react to what it does now
                await tell_of(case, ready.id, ready.rule.name, HeldBack.ECHO)
            await apply(case, ready, why=change.field, base_url=self._base_url)
            if ready.rule.stops or case.ticket.closed_as is not None:
                return
            facts = known.facts(now)

    async def _rules(self, case: Case, change: TicketChange) -> Sequence[ReadyRule]:
        """Return the rules that a change is for, in their order."""
        trigger = trigger_of(change)
        if trigger is None or case.ticket.closed_as is not None:  # spam, or another ticket's matter
            return ()
        rules = await self._shelf.of(case.session, trigger)
        return [ready for ready in rules if change.actor != _actor(ready.id)]  # not its own echo


class IdleRules:
    """Applies the rules by the clock, once for each time a ticket has been left alone."""

    def __init__(
        self,
        sessions: Sessions,
        accounts: Accounts,
        shelf: RuleShelf,
        base_url: str,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._sessions = sessions
        self._accounts = accounts
        self._shelf = shelf
        self._base_url = base_url
        self._now = now
        self._setbacks = Setbacks(sessions, Chore.IDLE_RULES, now)
        self._looked_at: TicketId | None = None
        self._next_round = now()

    async def apply_due(self) -> None:
        """Look at the next tickets that are not done.

        A round over all of them takes several calls, and begins once a minute at most.
        """
        if self._looked_at is None:
            if self._now() < self._next_round:
                return
            self._next_round = self._now() + _ROUND
        async with storage_errors(), self._sessions() as session:
            rules = await self._shelf.of(session, Trigger.IDLE)
            if not rules:
                return
            query = (
                select(Ticket.id)
                .join(Conversation, Conversation.id == Ticket.conversation_id)
                .outerjoin(Account, Account.id == Conversation.account_id)
                .where(
                    Ticket.status.in_(_UNDONE),
                    self._setbacks.is_free(Ticket.id),
                    Account.origin.is_distinct_from(Origin.REHEARSAL),
                )
                .order_by(Ticket.id)
            )
            if self._looked_at is not None:
                query = query.where(Ticket.id > self._looked_at)
            tickets = [TicketId(one) for one in await session.scalars(query.limit(_BATCH))]
        self._looked_at = tickets[-1] if len(tickets) == _BATCH else None
        fitting: list[TicketId] = []

        async def look(some: Sequence[TicketId]) -> int:
            found = await self._fitting(some, rules)
            fitting.extend(found)
            return len(found)

        await self._setbacks.together(tickets, look)
        await self._setbacks.each(fitting, partial(self._apply, rules=rules))

    async def _fitting(
        self, tickets: Sequence[TicketId], rules: Sequence[ReadyRule]
    ) -> Sequence[TicketId]:
        """Return those of `tickets` to which one of `rules` applies."""
        fitting, fields, book = [], looked_at(rules), self._shelf.promises
        async with storage_errors(), self._sessions() as session:
            all_known = await known_of(session, [About(ticket=ticket) for ticket in tickets])
            for one, found in all_known.items():
                known = await completed(session, found, looks_at=fields, book=book)
                facts, since = known.facts(self._now()), known.ticket.updated_at
                for ready in rules:
                    if ready.test(facts) and not await _has_run_since(
                        session, ready.id, one.ticket, since
                    ):
                        fitting.append(one.ticket)
                        break
        return fitting

    async def forget_old(self, age: timedelta = timedelta(days=90)) -> None:
        """Delete what rules did long ago; the tickets' histories keep it."""
        async with storage_errors(), self._sessions.begin() as session:
            await session.execute(delete(AutomationRun).where(AutomationRun.at < self._now() - age))

    async def _apply(self, ticket: TicketId, rules: Sequence[ReadyRule]) -> None:
        async with storage_errors(), self._sessions.begin() as session:
            case = await open_case(session, Ledger(self._accounts, self._now()), ticket)
            one = About(ticket=ticket)
            known = await completed(
                session,
                (await known_of(session, [one]))[one],
                looks_at=looked_at(rules),
                book=self._shelf.promises,
            )
            facts = known.facts(case.ledger.now)
            since = case.ticket.updated_at
            for ready in rules:
                if not ready.test(facts) or await _has_run_since(session, ready.id, ticket, since):
                    continue
                if (await _ran_of_late(case)).get(ready.id, 0) >= _RUNS_AN_HOUR:
                    await tell_of(case, ready.id, ready.rule.name, HeldBack.TOO_OFTEN)
                    continue
                await apply(case, ready, why="idle", base_url=self._base_url)
                if ready.rule.stops or case.ticket.closed_as is not None:
                    break
                facts = known.facts(case.ledger.now)
            await case.ledger.write(session)


async def apply(case: Case, ready: ReadyRule, *, why: str, base_url: str) -> Sequence[Did]:
    """Do what a rule says to the locked `case`, and keep that it did."""
    ticket = TicketId(case.ticket.id)
    has_words = any(action.kind in IN_WORDS for action in ready.rule.actions)
    values = await values_of(case.session, ticket, base_url) if has_words else {}
    # What changes the ticket moves `updated_at`: an idle rule must not take its own act for news.
    by = Doer(actor=_actor(ready.id), name=ready.rule.name)
    done = await perform(case, ready.rule.actions, values, by=by)
    case.session.add(
        AutomationRun(
            rule_id=ready.id,
            ticket_id=ticket,
            at=case.ledger.now,
            why=why,
            did=[
                {"kind": did.action.key, "value": did.action.value[:200]}
                | failure_json(did.failure)
                for did in done
            ],
        )
    )
    return done


def trigger_of(change: TicketChange) -> Trigger | None:
    """Return what a change is to rules; none where they do not look at it."""
    match change.field, change.reason:
        case "message", "customer":
            return Trigger.REQUESTER_WROTE
        case "message", "agent":
            return Trigger.AGENT_WROTE
        case "message", _:
            return None
        case "satisfaction", _:
            return Trigger.RATED
        case field, _ if field == WARNING:
            return Trigger.PROMISE_AT_RISK
        case field, _ if field == BREACH:
            return Trigger.PROMISE_BROKEN
        case _:
            return Trigger.OPENED if change.is_opening else Trigger.CHANGED


async def _ran_of_late(case: Case) -> Mapping[UUID, int]:
    """Return how often each rule applied to the ticket within an hour."""
    rows = await case.session.execute(
        select(AutomationRun.rule_id, func.count())
        .where(
            AutomationRun.ticket_id == case.ticket.id,
            AutomationRun.at > case.ledger.now - timedelta(hours=1),
        )
        .group_by(AutomationRun.rule_id)
    )
    return dict(iter(rows))


async def _has_run_since(
    session: AsyncSession, rule: UUID, ticket: TicketId, since: datetime | None
) -> bool:
    last = await session.scalar(
        select(func.max(AutomationRun.at)).where(
            AutomationRun.rule_id == rule, AutomationRun.ticket_id == ticket
        )
    )
    return last is not None and (since is None or last >= since)


def _actor(rule: UUID) -> str:
    return f"rule:{rule}"
