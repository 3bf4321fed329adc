"""What actions would do to tickets: done in a transaction of its own each, which is undone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import Select, select

from core.domain.automation.actions import IN_WORDS, Action
from core.domain.automation.rule import Rule
from core.domain.errors import NotFound
from core.domain.ids import ConversationId, TicketId, new_id
from core.services.automation.doing import Doer, perform
from core.services.automation.facts import values_of
from core.services.automation.failures import Failure
from core.services.automation.trying import WouldApply, dry_run, latest_tickets
from core.services.case import Case, open_case
from core.services.ledger import Accounts, Ledger
from core.storage.engine import Sessions, storage_errors
from core.storage.queries.access.sight import Sight
from core.storage.queries.tickets.tickets import Change, history
from core.storage.tables import AgentRow, Message, Notification, TicketEvent
from core.storage.wakeups import Lane, LaneKind


@dataclass(frozen=True, slots=True, kw_only=True)
class WouldDo:
    """What one action would do to a ticket as it is now, after the actions before it."""

    action: Action
    failure: Failure | None  # why it would be left out
    changes: Sequence[Change] = ()  # as the ticket's history would have them
    says: Sequence[str] = ()  # to the requester
    notes: Sequence[str] = ()
    tells: Sequence[str] = ()  # agents by name


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """A past ticket that a rule would have applied to, and what its actions would do to it now."""

    would_apply: WouldApply
    does: Sequence[WouldDo]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What came of trying a rule."""

    looked_at: int
    found: Sequence[WouldApply]
    tried: Sequence[Tried]  # the first of those that were found
    next: TicketId | None  # the last ticket that was looked at, where there are older ones


class RuleTrials:
    """Tries rules and actions on tickets; nothing of it stays."""

    def __init__(
        self,
        sessions: Sessions,
        accounts: Accounts,
        base_url: str,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._sessions = sessions
        self._accounts = accounts
        self._base_url = base_url
        self._now = now

    async def of_rule(
        self,
        rule: Rule,
        *,
        sight: Sight | None = None,
        before: TicketId | None = None,
        tickets: int = 200,
        simulated: int = 200,
    ) -> Trial:
        """Try `rule` on the latest `tickets` that `sight` holds, of those older than `before`.

        Its actions are tried on the first `simulated` of those that it would have applied to.
        """
        async with storage_errors(), self._sessions() as session:
            names = await latest_tickets(session, sight=sight, before=before, limit=tickets + 1)
            looked_at = names[:tickets]
            found = await dry_run(session, rule, self._now(), looked_at)
        by, tried = Doer(actor=f"rule:{new_id()}", name=rule.name), []
        for one in found[:simulated]:
            try:
                does = await self.of_actions(one.ticket, rule.actions, by)
            except NotFound:
                continue  # erased since
            tried.append(Tried(would_apply=one, does=does))
        return Trial(
            looked_at=len(looked_at),
            found=found,
            tried=tried,
            next=looked_at[-1] if len(names) > tickets else None,
        )

    async def of_actions(
        self, ticket: TicketId, actions: Sequence[Action], by: Doer, agent: UUID | None = None
    ) -> Sequence[WouldDo]:
        """Return what `actions`, done one after the other, would do to a ticket as it is now.

        `agent` is who would do it, where templates may name them.

        Raises:
            NotFound: there is no such ticket.
        """
        async with storage_errors(), self._sessions() as session:
            case = await open_case(session, Ledger(self._accounts, self._now()), ticket)
            who = None if agent is None else await session.get(AgentRow, agent)
            has_words = any(action.kind in IN_WORDS for action in actions)
            values = await values_of(session, ticket, self._base_url, who) if has_words else {}
            found = []
            for action in actions:
                reached = await _reached(case)
                (did,) = await perform(case, [action], values, by=by)
                await case.ledger.write(session, but_wake_not=_lanes(case))
                found.append(await _seen(case, action, did.failure, reached))
            await session.rollback()
            return found


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reached:
    """How far a ticket had come before an action."""

    event: int
    said: int
    told: frozenset[UUID]


async def _reached(case: Case) -> _Reached:
    last = await case.session.scalar(
        select(TicketEvent.id)
        .where(TicketEvent.ticket_id == case.ticket.id)
        .order_by(TicketEvent.id.desc())
        .limit(1)
    )
    told = await case.session.scalars(_told_now(case))
    return _Reached(event=last or 0, said=len(await _said_now(case)), told=frozenset(told))


async def _seen(case: Case, action: Action, failure: Failure | None, reached: _Reached) -> WouldDo:
    """Return what became of the ticket since it had come as far as `reached`."""
    said = (await _said_now(case))[reached.said :]
    told = await case.session.scalars(_told_now(case))
    agents = await case.session.scalars(
        select(AgentRow.name)
        .join(Notification, Notification.agent_id == AgentRow.id)
        .where(Notification.id.in_(set(told) - reached.told))
        .order_by(AgentRow.name)
    )
    return WouldDo(
        action=action,
        failure=failure,
        changes=await history(case.session, TicketId(case.ticket.id), after=reached.event),
        says=[row.text for row in said if not row.is_internal],
        notes=[row.text for row in said if row.is_internal],
        tells=agents.all(),
    )


async def _said_now(case: Case) -> Sequence[Message]:
    """Return what was said by this transaction, in whichever of the ticket's conversations."""
    rows = await case.session.scalars(
        select(Message)
        .where(
            Message.conversation_id.in_([one.id for one in case.everywhere]),
            Message.created_at == case.ledger.now,
        )
        .order_by(Message.seq, Message.id)
    )
    return rows.all()


def _told_now(case: Case) -> Select[UUID]:
    return select(Notification.id).where(
        Notification.ticket_id == case.ticket.id, Notification.created_at == case.ledger.now
    )


def _lanes(case: Case) -> list[Lane]:
    """Return the lanes of the ticket's conversations: no worker is to be woken for nothing."""
    return [Lane(kind, ConversationId(one.id)) for one in case.everywhere for kind in LaneKind]
