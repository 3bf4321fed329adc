"""Asking for an item: its form is checked, its ticket made, and those who decide are asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.actor import Agent
from core.domain.assistant import HandoffReason, TicketKind
from core.domain.catalogue import AnswersMissing, Occasion, Stage, TaskState
from core.domain.classification import Kind, missing
from core.domain.conversation import Cause, Responder, next_responder
from core.domain.errors import Conflict, Forbidden, IllegalTransition, InvalidInput, NotFound
from core.domain.ids import CategoryId, ContactId, ConversationId, ItemId, TeamId, TicketId, new_id
from core.domain.ticket import CATEGORY, Priority, StatusCategory, TicketStatus, TicketTrigger
from core.services.case import Case, open_case
from core.services.catalogue.approvers import ask_members
from core.services.catalogue.tasks import open_next
from core.services.catalogue.telling import WAITS, filled_in, in_words, tell_requester
from core.services.classification.sorting import SAME, Sorting, apply
from core.services.ledger import Accounts, Ledger
from core.services.locks import locked
from core.services.tickets.handoff import hand_off
from core.storage.engine import Sessions, storage_errors
from core.storage.queries.access.sight import sight_of, unseen_conversation
from core.storage.queries.catalogue.items import ItemView, item_view
from core.storage.queries.classification.categories import category_tree, open_teams
from core.storage.tables import (
    CatalogueTask,
    Contact,
    Conversation,
    ItemRequest,
    RequestTask,
    Ticket,
)
from core.texts import text

_OVER = frozenset({Stage.REJECTED, Stage.WITHDRAWN})


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What somebody asks for: an item, and its form filled in."""

    item: ItemId
    values: Mapping[str, Any]  # by the fields' ids
    priority: Priority = Priority.NORMAL
    confidence: float | None = None  # the assistant's, in what it understood


class Asking:
    """What agents and programs ask for in a requester's name."""

    def __init__(
        self,
        sessions: Sessions,
        accounts: Accounts,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._sessions = sessions
        self._accounts = accounts
        self._now = now

    async def ask_for(self, contact: ContactId, wish: Wish, by: Agent) -> TicketId:
        """Ask for an item in the requester's latest conversation; return the new ticket.

        Raises:
            NotFound: there is no such requester, or no such item.
            InvalidInput: the form is not filled in rightly, or they have never written.
            Forbidden: that conversation is about another team's ticket.
            Conflict: that conversation is about a ticket that is still open.
        """
        async with storage_errors(), self._sessions.begin() as session:
            if await session.get(Contact, contact) is None:
                raise NotFound("there is no such requester")
            latest = await session.scalar(
                select(Conversation.id)
                .where(
                    Conversation.contact_id == contact,
                    Conversation.is_current,
                    Conversation.side_of.is_(None),
                )
                .order_by(Conversation.last_message_at.desc())
                .limit(1)
            )
            if latest is None:
                raise InvalidInput("this requester has never written: nobody could be told")
            sight = await sight_of(session, by)
            if sight is not None and await unseen_conversation(session, sight, latest) is not None:
                raise Forbidden("this ticket belongs to another team")
            ledger = Ledger(self._accounts, self._now())
            conversation = await locked(session, ConversationId(latest))
            case = await ask_in(session, ledger, conversation, wish, actor=by.actor)
            await ledger.write(session)
            return TicketId(case.ticket.id)

    async def ask_with(self, ticket: TicketId, wish: Wish, by: Agent) -> None:
        """Make a ticket that is open already the request for an item.

        Raises:
            NotFound: there is no such ticket, or no such item.
            InvalidInput: the form is not filled in rightly.
            Conflict: it is a request for an item already.
            IllegalTransition: it is solved or closed.
        """
        async with storage_errors(), self._sessions.begin() as session:
            case = await open_case(session, Ledger(self._accounts, self._now()), ticket)
            if case.is_done:
                raise IllegalTransition("ticket", case.ticket.status, "a request")
            item, values = await _checked(session, wish)
            await begin(case, item, values, actor=by.actor)
            case.changed()
            await case.ledger.write(session)


async def ask_in(
    session: AsyncSession,
    ledger: Ledger,
    conversation: Conversation,
    wish: Wish,
    *,
    actor: str,
    requester: ContactId | None = None,
) -> Case:
    """Ask for an item in the locked `conversation`, with a ticket of its own.

    It is that of `requester`, or of whoever began the conversation. The caller writes `ledger`.

    Raises:
        NotFound: there is no such item.
        InvalidInput: the form is not filled in rightly.
        Conflict: the conversation is about a ticket that is still open.
    """
    item, values = await _checked(session, wish)
    await _make_room(session, ledger, conversation, actor)
    language = conversation.language
    shown = [
        f"{spec.named(language)}: {in_words(spec, values[spec.key], language)}"
        for spec in item.fields
        if spec.key in values
    ]
    ticket = await hand_off(
        session,
        ledger,
        conversation,
        reason=HandoffReason.REQUEST_FILED,
        priority=wish.priority,
        summary="\n".join([item.named(language), *shown]),
        subject=item.named(language),
        kind=TicketKind.REQUEST,
        confidence=wish.confidence,
        actor=actor,
        silent=True,
        requester=requester,
    )
    case = Case(session, ledger, conversation, ticket)
    await begin(case, item, values, actor=actor)
    return case


async def begin(case: Case, item: ItemView, values: Mapping[str, Any], *, actor: str) -> None:
    """Let the ticket of the locked `case` ask for `item`; the requester is told.

    Until it is decided, the ticket is on hold: the promises' clocks stand still and nobody is
    looked for who would do it. The stage is kept apart from the status all the same, because a
    requester's word opens a ticket that is on hold, and that is no approval.

    Raises:
        Conflict: it is a request for an item already.
    """
    session, ticket = case.session, case.ticket
    known = await session.scalar(
        select(ItemRequest).where(ItemRequest.ticket_id == ticket.id).with_for_update()
    )
    if known is not None and known.stage not in _OVER:
        raise Conflict("this ticket is a request for an item already")
    if known is not None:  # what became of it stays in the ticket's history
        await session.delete(known)
        await session.flush()
    ticket.fields = {**ticket.fields, **values}
    await apply(case, await _sorting(session, item), actor=actor)
    request = ItemRequest(
        id=new_id(),
        ticket_id=ticket.id,
        item_id=item.id,
        role_id=None if item.role is None else item.role.id,
        stage=Stage.WORK if item.role is None else Stage.APPROVAL,
        reason="",
        created_at=case.ledger.now,
    )
    session.add(request)
    await session.flush()
    await _copy_tasks(session, request)
    case.ledger.record(ticket, "request", None, request.stage, actor=actor, reason=item.name)
    language = case.conversation.language
    told = [(spec, values[spec.key]) for spec in item.fields if spec.key in values]
    more = [filled_in(told, language)]
    if request.stage == Stage.APPROVAL:
        case.move(TicketTrigger.SET_ON_HOLD, actor=actor, reason="approval")
        more.append(text(language, WAITS))
        await ask_members(case, request)
    else:
        await open_next(case, request)
    await tell_requester(case, item, Occasion.RECEIVED, *more)
    case.changed()


async def _checked(session: AsyncSession, wish: Wish) -> tuple[ItemView, dict[str, Any]]:
    item = await item_view(session, wish.item)
    if item.is_archived:
        raise InvalidInput("this item cannot be asked for any more")
    by_key = {spec.key: spec for spec in item.fields}
    if not set(wish.values) <= set(by_key):
        raise InvalidInput("this item asks for no such field")
    read = {key: by_key[key].value(given) for key, given in wish.values.items()}
    values = {key: value for key, value in read.items() if value is not None}
    lacking = missing(item.fields, values)
    if lacking:
        raise AnswersMissing(lacking)
    return item, values


async def _make_room(
    session: AsyncSession, ledger: Ledger, conversation: Conversation, actor: str
) -> None:
    """See that a ticket of its own can begin in the locked `conversation`."""
    ticket = await session.scalar(
        select(Ticket)
        .where(Ticket.conversation_id == conversation.id, Ticket.status != TicketStatus.CLOSED)
        .with_for_update()
    )
    if ticket is not None:
        if CATEGORY[TicketStatus(ticket.status)] != StatusCategory.DONE:
            raise Conflict("the latest conversation with this requester has an open ticket")
        Case(session, ledger, conversation, ticket).move(TicketTrigger.CLOSED, actor=actor)
        await session.flush()
    if conversation.responder == Responder.CLOSED:
        conversation.responder = next_responder(Responder.CLOSED, Cause.CUSTOMER_RETURNED)
        conversation.closed_at = None


async def _sorting(session: AsyncSession, item: ItemView) -> Sorting:
    """Return how a request for `item` is sorted, as far as that can still be chosen."""
    categories = {one.id for one in (await category_tree(session)).choosable()}
    teams = {one.id for one in await open_teams(session)}
    category, team = item.category, item.team
    return Sorting(
        kind=Kind.REQUEST,
        category=CategoryId(category.id) if category and category.id in categories else SAME,
        team=TeamId(team.id) if team and team.id in teams else SAME,
    )


async def _copy_tasks(session: AsyncSession, request: ItemRequest) -> None:
    tasks = await session.scalars(
        select(CatalogueTask)
        .where(CatalogueTask.item_id == request.item_id)
        .order_by(CatalogueTask.position)
    )
    session.add_all(
        RequestTask(
            id=new_id(),
            request_id=request.id,
            position=task.position,
            title=task.title,
            team_id=task.team_id,
            agent_id=task.agent_id,
            state=TaskState.WAITING,
        )
        for task in tasks
    )
    await session.flush()
