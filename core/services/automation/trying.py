"""When a rule would have applied to past tickets: their histories are gone through backwards."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from uuid import UUID

from sqlalchemy import select, true
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.automation.conditions import number
from core.domain.automation.fields import Comparison, Field
from core.domain.automation.matching import Changed, Fact, Facts, Test, compiled
from core.domain.automation.rule import Rule, Trigger
from core.domain.conversation import Speaker
from core.domain.ids import TicketId
from core.domain.ticket import CATEGORY, StatusCategory, TicketStatus
from core.services.automation.changes import changed_in, specs_by_label
from core.services.automation.facts import About, Known, completed, hours_between, known_of
from core.services.automation.rules import trigger_of
from core.services.reactions.reactor import TicketChange
from core.services.sla.rules import PromiseBook
from core.storage.queries.access.sight import Sight
from core.storage.tables import Message, Ticket, TicketEvent

_LOOKED_ON = timedelta(days=7)
"""How long a silence is looked at hour by hour, where business hours count."""

_BY_THE_CLOCK = frozenset({Field.HOURS_OPEN, Field.HOURS_IDLE, Field.HOURS_TO_PROMISE})


@dataclass(frozen=True, slots=True, kw_only=True)
class WouldApply:
    """A past ticket that a rule would have applied to, how often, and when last."""

    ticket: TicketId
    number: int
    subject: str
    times: int
    last_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class _Moment:
    """An entry of a ticket's history, and what was known just after it."""

    change: TicketChange
    known: Mapping[str, Fact]
    changed: Changed | None

    def facts(self, past: Known, at: datetime) -> Facts:
        """Return what was known at `at`, before anything else changed."""
        due = past.ticket.sla_due_at
        by_the_clock: dict[str, Fact] = {
            Field.HOURS_OPEN: hours_between(past.ticket.created_at, at),
            Field.HOURS_IDLE: hours_between(self.change.at, at),
            Field.HOURS_TO_PROMISE: None if due is None else hours_between(at, due),
            Field.OUTSIDE_HOURS: None if past.hours is None else not past.hours.is_open(at),
        }
        return Facts({**self.known, **by_the_clock}, self.changed)


async def latest_tickets(
    session: AsyncSession,
    *,
    sight: Sight | None = None,
    before: TicketId | None = None,
    limit: int = 200,
) -> Sequence[TicketId]:
    """Return the latest tickets that rules are tried on: those that `sight` holds."""
    latest = await session.scalars(
        select(Ticket.id)
        .where(
            true() if sight is None else sight.holds(),
            true() if before is None else Ticket.id < before,
            Ticket.closed_as.is_(None),
        )
        .order_by(Ticket.id.desc())
        .limit(limit)
    )
    return [TicketId(name) for name in latest]


async def dry_run(
    session: AsyncSession, rule: Rule, now: datetime, names: Sequence[TicketId]
) -> Sequence[WouldApply]:
    """Return to which of these tickets `rule` would have applied; changes nothing.

    What a ticket's history keeps (status, team, tags, messages, …) is taken as it was at each
    moment; what it does not keep, such as the requester's name or a promise's end, as it is now.
    """
    test, looks_at, book = compiled(rule.conditions), rule.conditions.fields, PromiseBook()
    known = await known_of(session, [About(ticket=name) for name in names])
    histories = await _histories(session, names)
    is_said = Field.MESSAGE in looks_at
    texts = await _texts(session, histories.values()) if is_said else {}
    asked = await _asked(session, names) if is_said else {}
    found = []
    for about, found_now in known.items():
        name = about.ticket
        past = await completed(session, found_now, looks_at=looks_at, book=book)
        said = list(_said(asked.get(name), histories.get(name, ()), texts))
        moments = await _moments(session, past, histories.get(name, ()), said, now)
        times = list(_times(rule, test, past, moments, now))
        if times:
            found.append(
                WouldApply(
                    ticket=name,
                    number=past.ticket.number,
                    subject=past.ticket.subject,
                    times=len(times),
                    last_at=times[-1],
                )
            )
    return found


def _times(
    rule: Rule, test: Test, past: Known, moments: Sequence[_Moment], now: datetime
) -> Iterator[datetime]:
    """Yield when the rule would have applied; `moments` are in the order of the history."""
    if rule.trigger is not Trigger.IDLE:
        for moment in moments:
            at = moment.change.at
            if trigger_of(moment.change) is rule.trigger and test(moment.facts(past, at)):
                yield at
        return
    ends = [*(moment.change.at for moment in moments[1:]), now]
    for moment, end in zip(moments, ends, strict=True):
        status = moment.known[Field.STATUS]
        if CATEGORY[TicketStatus(str(status))] == StatusCategory.DONE:
            continue
        for at in _looks(rule, past, moment.change.at, end):
            if test(moment.facts(past, at)):
                yield at
                break


def _looks(rule: Rule, past: Known, since: datetime, until: datetime) -> Sequence[datetime]:
    """Return when a rule by the clock may begin to hold, in a time of silence."""
    looks = {since, until}
    for condition in (*rule.conditions.every, *rule.conditions.some):
        if condition.field in _BY_THE_CLOCK and condition.comparison is not Comparison.EMPTY:
            span = timedelta(hours=number(condition.value, condition.field))
            due = past.ticket.sla_due_at
            looks.add(since + span)
            looks.add(past.ticket.created_at + span)
            if due is not None:
                looks.add(due - span + timedelta(seconds=1))
    if past.hours is not None:
        hours = range(int(_LOOKED_ON / timedelta(hours=1)))
        looks |= {at + timedelta(hours=one) for at in tuple(looks) for one in hours}
    return sorted(at for at in looks if since <= at <= until)


async def _moments(
    session: AsyncSession,
    past: Known,
    history: Sequence[TicketChange],
    said: Sequence[str | None],
    now: datetime,
) -> Sequence[_Moment]:
    """Return the entries of a ticket's history in their order, with what was known at each."""
    specs = await specs_by_label(session, past.ticket.category_id)
    known, moments = past.at(now), []
    for change, words in zip(reversed(history), reversed(said), strict=True):
        changed = changed_in(
            change.field, change.old, change.new, parents=past.parents, specs=specs
        )
        moments.append(
            _Moment(change=change, known=known | {Field.MESSAGE: words}, changed=changed)
        )
        if changed is not None:
            known = known | {changed.key: changed.old}
    return moments[::-1]


def _said(
    last: str | None, history: Sequence[TicketChange], texts: Mapping[str, str]
) -> Iterator[str | None]:
    """Yield with each change what was said with it, or what the requester had said last."""
    for change in history:
        words = texts.get(change.new or "") if change.field == "message" else None
        if change.reason == "customer" and words is not None:
            last = words
        yield last if words is None else words


async def _histories(
    session: AsyncSession, tickets: Sequence[UUID]
) -> Mapping[UUID, Sequence[TicketChange]]:
    rows = await session.scalars(
        select(TicketEvent)
        .where(TicketEvent.ticket_id.in_(tickets))
        .order_by(TicketEvent.ticket_id, TicketEvent.id)
    )
    return {
        ticket: [
            TicketChange(
                id=row.id,
                field=row.field,
                old=row.old,
                new=row.new,
                actor=row.actor,
                reason=row.reason,
                at=row.at,
                depth=row.depth,
            )
            for row in group
        ]
        for ticket, group in groupby(rows, lambda row: row.ticket_id)
    }


async def _texts(
    session: AsyncSession, histories: Iterable[Sequence[TicketChange]]
) -> Mapping[str, str]:
    """Return what was said in histories, by the message's id."""
    names = [
        UUID(change.new)
        for history in histories
        for change in history
        if change.field == "message" and change.new is not None
    ]
    rows = await session.execute(select(Message.id, Message.text).where(Message.id.in_(names)))
    return {str(name): words for name, words in rows}


async def _asked(session: AsyncSession, tickets: Sequence[UUID]) -> Mapping[UUID, str]:
    """Return what requesters had said last when their tickets were opened."""
    rows = await session.execute(
        select(Ticket.id, Message.text)
        .ext(distinct_on(Ticket.id))
        .join(Message, Message.conversation_id == Ticket.conversation_id)
        .where(
            Ticket.id.in_(tickets),
            Message.speaker == Speaker.CUSTOMER,
            Message.created_at <= Ticket.created_at,
        )
        .order_by(Ticket.id, Message.position.desc(), Message.seq.desc())
    )
    return dict(iter(rows))
