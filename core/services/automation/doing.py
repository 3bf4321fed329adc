"""Does what rules and macros say, through the ticket's history like anybody else."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from uuid import UUID

from sqlalchemy import select

from core.domain.actor import WORKING, Role
from core.domain.automation.actions import Action, ActionKind, Told
from core.domain.classification import Extent, Kind
from core.domain.conversation import Cause, Responder, Speaker
from core.domain.errors import Conflict, IllegalTransition, InvalidInput
from core.domain.ids import AgentId, CategoryId, TeamId, TicketId
from core.domain.notification import Notice
from core.domain.teams import Onward
from core.domain.ticket import Priority
from core.services.automation.failures import Failure, failure_of
from core.services.automation.templates import Values, fill_in
from core.services.automation.webhooks import call_later
from core.services.case import Case
from core.services.classification.sorting import Sorting, let_watch
from core.services.classification.sorting import apply as sort
from core.services.delivery.budget import may_speak
from core.services.notifications import leaving
from core.services.notifications.colleagues import leads_of
from core.services.teams.escalation import send_on
from core.services.tickets.answering import give_status
from core.services.tickets.spam import mark_as_spam
from core.storage.tables import AgentRow, TeamMember, Webhook


@dataclass(frozen=True, slots=True, kw_only=True)
class Did:
    """What became of one action: done, or left out and why."""

    action: Action
    failure: Failure | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Doer:
    """Who does it: a rule, or an agent with a macro."""

    actor: str  # as in a ticket's history
    name: str  # what the rule or macro is called


@dataclass(frozen=True, slots=True, kw_only=True)
class _Deed:
    """An action about to be done to a locked ticket."""

    case: Case
    action: Action
    values: Values
    by: Doer


async def perform(
    case: Case, actions: Sequence[Action], values: Values, *, by: Doer
) -> Sequence[Did]:
    """Do `actions` to the locked `case`, in order; what does not fit is left out and said so."""
    done = []
    for action in actions:
        try:
            deed = _Deed(case=case, action=action, values=values, by=by)
            await _DEEDS[action.kind](deed)
        except (InvalidInput, IllegalTransition, Conflict) as error:
            done.append(Did(action=action, failure=failure_of(error)))
        else:
            done.append(Did(action=action))
    case.changed()
    return done


async def _sort(deed: _Deed, wanted: Sorting) -> None:
    await sort(deed.case, wanted, actor=deed.by.actor)


async def _set_priority(deed: _Deed) -> None:
    deed.case.rank(Priority(deed.action.value.strip()), actor=deed.by.actor)


async def _set_status(deed: _Deed) -> None:
    case, status = deed.case, deed.action.status
    if case.ticket.status != status:
        await give_status(case, status, actor=deed.by.actor)


async def _set_type(deed: _Deed) -> None:
    await _sort(deed, Sorting(kind=Kind(deed.action.value.strip())))


async def _set_impact(deed: _Deed) -> None:
    await _sort(deed, Sorting(impact=Extent(deed.action.value.strip())))


async def _set_urgency(deed: _Deed) -> None:
    await _sort(deed, Sorting(urgency=Extent(deed.action.value.strip())))


async def _set_team(deed: _Deed) -> None:
    await _sort(deed, Sorting(team=TeamId(_id_of(deed))))


async def _set_level(deed: _Deed) -> None:
    deed.case.put_at(int(deed.action.value), actor=deed.by.actor)


async def _set_category(deed: _Deed) -> None:
    await _sort(deed, Sorting(category=CategoryId(_id_of(deed))))


async def _set_field(deed: _Deed) -> None:
    await _sort(deed, Sorting(fields={str(deed.action.custom): deed.action.value.strip()}))


async def _assign(deed: _Deed) -> None:
    case, actor = deed.case, deed.by.actor
    if deed.action.id is None:
        case.release(actor=actor)
        return
    agent = await _agent(case, deed.action.id)
    case.hand_to(agent, actor=actor)
    if not case.is_done and case.conversation.responder != Responder.HUMAN:
        case.turn_over(Cause.AGENT_TOOK)


async def _escalate(deed: _Deed) -> None:
    value = deed.action.value.strip()
    onward = Onward(value) if value in set(Onward) else TeamId(UUID(value))
    await send_on(deed.case, onward, actor=deed.by.actor, reason=deed.by.name)


async def _notify(deed: _Deed) -> None:
    case = deed.case
    told: set[UUID] = set()
    for name in deed.action.names:
        told |= await _told(case, name)
    told = {agent for agent in told if deed.by.actor != f"agent:{agent}"}
    if not told:
        raise InvalidInput("there is nobody to be told")
    notices = [
        leaving.Told(
            agent=agent,
            ticket=TicketId(case.ticket.id),
            notice=Notice.BY_RULE,
            by=deed.by.actor,
            detail=deed.by.name,
        )
        for agent in sorted(told)
    ]
    await leaving.leave(case.session, notices, case.ledger.now)


async def _told(case: Case, name: str) -> set[UUID]:
    """Return the agents that a name in a rule stands for; none where they are not there."""
    ticket = case.ticket
    match name:
        case Told.ASSIGNEE:
            return set() if ticket.assignee_id is None else {ticket.assignee_id}
        case Told.LEAD:
            return set(await leads_of(case.session, ticket.team_id))
        case Told.TEAM:
            return set() if ticket.team_id is None else await _members(case, ticket.team_id)
        case _:
            agent = await case.session.get(AgentRow, UUID(name))
            if agent is None:
                return await _members(case, UUID(name))
            return set() if agent.disabled_at is not None else {agent.id}


async def _members(case: Case, team: UUID) -> set[UUID]:
    found = await case.session.scalars(
        select(TeamMember.agent_id)
        .join(AgentRow, AgentRow.id == TeamMember.agent_id)
        .where(TeamMember.team_id == team, AgentRow.disabled_at.is_(None))
    )
    return set(found)


async def _add_watcher(deed: _Deed) -> None:
    await let_watch(deed.case, AgentId(_id_of(deed)), actor=deed.by.actor)


async def _add_tag(deed: _Deed) -> None:
    await _sort(deed, Sorting(more_tags=[deed.action.value]))


async def _remove_tag(deed: _Deed) -> None:
    await _sort(deed, Sorting(fewer_tags=[deed.action.value]))


async def _reply(deed: _Deed) -> None:
    case, words = deed.case, fill_in(deed.action.value, deed.values).strip()
    capabilities = case.ledger.can(case.conversation.account_id)
    if not words:
        raise InvalidInput("the reply would be empty")
    if case.conversation.unreachable_since is not None or not await may_speak(
        case.session, case.conversation, capabilities, case.ledger.now
    ):
        raise InvalidInput("the requester gets no more automatic messages for now")
    case.ledger.say(case.conversation, Speaker.SYSTEM, words)


async def _note(deed: _Deed) -> None:
    words = fill_in(deed.action.value, deed.values).strip()
    deed.case.ledger.note(deed.case.conversation, None, words)


async def _call_webhook(deed: _Deed) -> None:
    webhook = await deed.case.session.get(Webhook, deed.action.id)
    if webhook is None or not webhook.is_on:
        raise InvalidInput("the webhook is not there any more, or is off")
    await call_later(deed.case, webhook, "rule")


async def _mark_spam(deed: _Deed) -> None:
    await mark_as_spam(deed.case, actor=deed.by.actor)


async def _agent(case: Case, agent: UUID) -> AgentId:
    row = await case.session.get(AgentRow, agent)
    if row is None or row.disabled_at is not None or Role(row.role) not in WORKING:
        raise InvalidInput("the agent is not there any more")
    return AgentId(row.id)


def _id_of(deed: _Deed) -> UUID:
    return UUID(deed.action.value.strip())


_DEEDS: Mapping[ActionKind, Callable[[_Deed], Awaitable[None]]] = MappingProxyType(
    {
        ActionKind.SET_PRIORITY: _set_priority,
        ActionKind.SET_STATUS: _set_status,
        ActionKind.SET_TYPE: _set_type,
        ActionKind.SET_IMPACT: _set_impact,
        ActionKind.SET_URGENCY: _set_urgency,
        ActionKind.SET_TEAM: _set_team,
        ActionKind.SET_LEVEL: _set_level,
        ActionKind.SET_CATEGORY: _set_category,
        ActionKind.SET_FIELD: _set_field,
        ActionKind.ASSIGN: _assign,
        ActionKind.ESCALATE: _escalate,
        ActionKind.NOTIFY: _notify,
        ActionKind.ADD_WATCHER: _add_watcher,
        ActionKind.ADD_TAG: _add_tag,
        ActionKind.REMOVE_TAG: _remove_tag,
        ActionKind.REPLY: _reply,
        ActionKind.NOTE: _note,
        ActionKind.WEBHOOK: _call_webhook,
        ActionKind.MARK_SPAM: _mark_spam,
    }
)
