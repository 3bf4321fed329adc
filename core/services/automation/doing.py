"""Does what rules and macros say, through the ticket's history like anybody else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.domain.automation.actions import Action, ActionKind
from core.domain.conversation import Cause, Responder, Speaker
from core.domain.errors import IllegalTransition, InvalidInput
from core.domain.ids import AgentId, TeamId
from core.domain.ticket import Priority, TicketStatus
from core.services.answering import give_status
from core.services.automation.templates import Values, fill_in
from core.services.automation.webhooks import call_later
from core.services.budget import may_speak
from core.services.case import Case
from core.storage.tables import AgentRow, Category, Team, Webhook

_MAX_TAGS = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Did:
    """What became of one action: done, or left out and why."""

    action: Action
    failure: str = ""


async def perform(
    case: Case, actions: Sequence[Action], values: Values, *, actor: str
) -> Sequence[Did]:
    """Do `actions` to the locked `case`, in order; what does not fit is left out and said so."""
    done = []
    for action in actions:
        try:
            await _do(case, action, values, actor)
        except (InvalidInput, IllegalTransition) as error:
            done.append(Did(action=action, failure=str(error)))
        else:
            done.append(Did(action=action))
    case.changed()
    return done


async def _do(case: Case, action: Action, values: Values, actor: str) -> None:
    match action.kind:
        case ActionKind.SET_PRIORITY:
            case.rank(Priority(action.value.strip()), actor=actor)
        case ActionKind.SET_STATUS:
            await _set_status(case, action.status, actor)
        case ActionKind.SET_TEAM:
            team = await case.session.get(Team, action.id)
            if team is None or team.archived_at is not None:
                raise InvalidInput("the team is not there any more")
            case.pass_to(TeamId(team.id), actor=actor)
        case ActionKind.SET_CATEGORY:
            await _set_category(case, action, actor)
        case ActionKind.ASSIGN:
            await _assign(case, action, actor)
        case ActionKind.ADD_TAG | ActionKind.REMOVE_TAG:
            _tag(case, action, actor)
        case ActionKind.REPLY:
            await _reply(case, fill_in(action.value, values))
        case ActionKind.NOTE:
            case.ledger.note(case.conversation, None, fill_in(action.value, values).strip())
        case ActionKind.WEBHOOK:
            webhook = await case.session.get(Webhook, action.id)
            if webhook is None or not webhook.is_on:
                raise InvalidInput("the webhook is not there any more, or is off")
            await call_later(case, webhook, "rule")


async def _set_status(case: Case, status: TicketStatus, actor: str) -> None:
    if case.ticket.status == TicketStatus.CLOSED:
        raise InvalidInput("the ticket is closed")
    if case.ticket.status != status:
        await give_status(case, status, actor=actor)


async def _set_category(case: Case, action: Action, actor: str) -> None:
    category = await case.session.get(Category, action.id)
    if category is None or category.archived_at is not None:
        raise InvalidInput("the category is not there any more")
    old = case.ticket.category_id
    if old != category.id:
        case.ticket.category_id = category.id
        case.ledger.record(
            case.ticket,
            "category",
            None if old is None else str(old),
            str(category.id),
            actor=actor,
        )


async def _assign(case: Case, action: Action, actor: str) -> None:
    if action.id is None:
        case.hand_to(None, actor=actor)
        if case.conversation.responder == Responder.HUMAN:
            case.turn_over(Cause.RELEASED)
        return
    agent = await case.session.get(AgentRow, action.id)
    if agent is None or agent.disabled_at is not None:
        raise InvalidInput("the agent is not there any more")
    case.hand_to(AgentId(agent.id), actor=actor)
    if not case.is_done and case.conversation.responder != Responder.HUMAN:
        case.turn_over(Cause.AGENT_TOOK)


def _tag(case: Case, action: Action, actor: str) -> None:
    tag, old = action.value.strip(), list(map(str, case.ticket.tags))
    if action.kind is ActionKind.ADD_TAG:
        new = old if tag in old else [*old, tag]
        if len(new) > _MAX_TAGS:
            raise InvalidInput(f"a ticket has {_MAX_TAGS} tags at most")
    else:
        new = [one for one in old if one != tag]
    if new != old:
        case.ticket.tags = new
        case.ledger.record(
            case.ticket, "tags", ", ".join(old) or None, ", ".join(new) or None, actor=actor
        )


async def _reply(case: Case, words: str) -> None:
    capabilities = case.ledger.can(case.conversation.account_id)
    if not words.strip():
        raise InvalidInput("the reply would be empty")
    if case.conversation.unreachable_since is not None or not await may_speak(
        case.session, case.conversation, capabilities, case.ledger.now
    ):
        raise InvalidInput("the requester gets no more automatic messages for now")
    case.ledger.say(case.conversation, Speaker.SYSTEM, words.strip())
