"""The tasks of a request: one after the other, and when the last is done, so is the request."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.actor import Agent, Role
from core.domain.catalogue import Event, Occasion, Stage, TaskState, next_stage
from core.domain.conversation import Cause, Responder
from core.domain.errors import Conflict, NotFound
from core.domain.ids import AgentId, ItemId, RequestTaskId, TeamId, TicketId
from core.domain.ticket import CATEGORY, StatusCategory, TicketStatus, TicketTrigger
from core.services.case import Case, open_case
from core.services.catalogue.approvers import ask_members
from core.services.catalogue.telling import tell_requester
from core.services.classification.sorting import check_complete
from core.services.ledger import Accounts, Ledger
from core.services.reactions.reactor import TicketChange
from core.storage.beforehand import Beforehand
from core.storage.engine import Sessions, storage_errors
from core.storage.queries.catalogue.items import item_view
from core.storage.tables import AgentRow, ItemRequest, RequestTask, Team

ACTOR = "reactor:catalogue"


class RequestTasks:
    """What agents do with the tasks of a request."""

    def __init__(
        self,
        sessions: Sessions,
        accounts: Accounts,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._sessions = sessions
        self._accounts = accounts
        self._now = now

    async def finish(self, ticket: TicketId, task: RequestTaskId, by: Agent) -> None:
        """Count a task as done: the next one opens; after the last, the ticket is solved.

        Raises:
            NotFound: the ticket has no such task.
            Conflict: it is done already, a task before it is open, or the request waits.
            FieldsMissing: the ticket's category asks for more before it is solved.
        """
        async with storage_errors(), self._sessions.begin() as session:
            case = await open_case(session, Ledger(self._accounts, self._now()), ticket)
            row = await session.get(RequestTask, task, with_for_update=True)
            request = None if row is None else await session.get(ItemRequest, row.request_id)
            if row is None or request is None or request.ticket_id != ticket:
                raise NotFound("there is no such task")
            _check_open(request, row)
            row.state = TaskState.DONE
            row.done_at, row.done_by = case.ledger.now, by.actor
            case.ledger.record(
                case.ticket,
                "task",
                TaskState.OPEN,
                TaskState.DONE,
                actor=by.actor,
                reason=row.title,
            )
            if not await open_next(case, request):
                await _complete(case, request, by.actor)
            case.changed()
            await case.ledger.write(session)


class RequestsOfTickets:
    """Lets a request end with its ticket, whoever ended that, and wait again with it."""

    name = "catalogue"

    def __init__(self) -> None:
        self._requests = Beforehand(_requests)

    async def prepare(
        self, session: AsyncSession, changes: Sequence[tuple[Case, TicketChange]]
    ) -> None:
        """Lock the requests of tickets whose status has changed."""
        moved = {TicketId(case.ticket.id) for case, change in changes if _moves(change)}
        await self._requests.read(session, moved)

    async def react(self, case: Case, change: TicketChange) -> None:
        """Look at tickets that come to their end, or back from it."""
        if not _moves(change):
            return
        request = await self._requests.take(case.session, TicketId(case.ticket.id))
        if request is None:
            return
        match request.stage:
            case Stage.WITHDRAWN if not case.is_done:
                _move(case, request, Event.REOPENED, ACTOR)
                await ask_members(case, request)
            case Stage.APPROVAL if case.is_done:
                _move(case, request, Event.ENDED, ACTOR)
            case Stage.WORK if case.is_done:
                _move(case, request, Event.DONE, ACTOR)
                item = await item_view(case.session, ItemId(request.item_id))
                if item.answer(Occasion.DONE, case.conversation.language) is not None:
                    await tell_requester(case, item, Occasion.DONE)
            case _:
                return
        case.changed()


def _moves(change: TicketChange) -> bool:
    return change.field == "status" and not change.is_opening


async def _requests(
    session: AsyncSession, tickets: Collection[TicketId]
) -> Mapping[TicketId, ItemRequest | None]:
    rows = await session.scalars(
        select(ItemRequest)
        .where(ItemRequest.ticket_id.in_(tickets))
        .order_by(ItemRequest.id)
        .with_for_update()
    )
    found: dict[TicketId, ItemRequest | None] = dict.fromkeys(tickets)
    found.update((TicketId(row.ticket_id), row) for row in rows)
    return found


async def open_next(case: Case, request: ItemRequest) -> bool:
    """Open the first task that waits, and give the ticket to whoever does it; False for none."""
    task = await case.session.scalar(
        select(RequestTask)
        .where(RequestTask.request_id == request.id, RequestTask.state == TaskState.WAITING)
        .order_by(RequestTask.position)
        .limit(1)
        .with_for_update()
    )
    if task is None:
        return False
    task.state, task.opened_at = TaskState.OPEN, case.ledger.now
    _record(case, task, TaskState.WAITING, ACTOR)
    await _give(case, task)
    return True


def _record(case: Case, task: RequestTask, old: TaskState, actor: str) -> None:
    case.ledger.record(case.ticket, "task", old, task.state, actor=actor, reason=task.title)


def _check_open(request: ItemRequest, task: RequestTask) -> None:
    if request.stage != Stage.WORK:
        raise Conflict("this request is not being worked on")
    if task.state == TaskState.DONE:
        raise Conflict("this task is done already")
    if task.state == TaskState.WAITING:
        raise Conflict("a task before this one is still open")


async def _give(case: Case, task: RequestTask) -> None:
    """Bring the ticket to whoever the task is for, as far as they can still have it."""
    if task.team_id is not None and task.team_id != case.ticket.team_id:
        team = await case.session.get(Team, task.team_id)
        if team is not None and team.archived_at is None:
            case.release(actor=ACTOR)
            case.pass_to(TeamId(team.id), actor=ACTOR)
    if task.agent_id is None or task.agent_id == case.ticket.assignee_id:
        return
    agent = await case.session.get(AgentRow, task.agent_id)
    if agent is None or agent.disabled_at is not None or Role(agent.role) is Role.AUDITOR:
        return
    case.hand_to(AgentId(agent.id), actor=ACTOR)
    if case.ticket.status == TicketStatus.NEW:
        case.move(TicketTrigger.AGENT_TOOK, actor=ACTOR)
    if case.conversation.responder == Responder.QUEUED:
        case.turn_over(Cause.AGENT_TOOK)


async def _complete(case: Case, request: ItemRequest, actor: str) -> None:
    _move(case, request, Event.DONE, actor)
    item = await item_view(case.session, ItemId(request.item_id))
    is_done = CATEGORY[TicketStatus(case.ticket.status)] == StatusCategory.DONE
    if not is_done:
        await check_complete(case)
    await tell_requester(case, item, Occasion.DONE)
    if not is_done:
        case.move(TicketTrigger.SOLVED, actor=actor, reason="request")
        case.conclude()


def _move(case: Case, request: ItemRequest, event: Event, actor: str) -> None:
    old = Stage(request.stage)
    request.stage = next_stage(old, event)
    case.ledger.record(case.ticket, "request", old, request.stage, actor=actor)
