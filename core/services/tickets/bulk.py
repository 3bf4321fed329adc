"""One act on many tickets: each in a transaction of its own, with the checks of a single one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.actor import Agent
from core.domain.classification import checked_tags
from core.domain.errors import DeskError, Forbidden, InvalidInput, StorageUnavailable
from core.domain.ids import AgentId, TeamId, TicketId
from core.domain.ticket import ClosedAs, Priority, TicketStatus
from core.services import audit
from core.services.classification.sorting import Sorting, TicketSorting
from core.services.tickets.spam import SpamFolder
from core.services.tickets.tickets import Holder, Tickets
from core.storage.engine import Sessions, storage_errors
from core.storage.queries.access.sight import sight_of, unseen_ticket
from core.storage.queries.tickets.tickets import TicketView, ticket_view

MOST_AT_ONCE = 200


class Act(StrEnum):
    """What can be done with many tickets."""

    ASSIGN = "assign"  # to an agent by id; none puts it back into the queue
    TEAM = "team"  # by id; none takes it from its team
    STATUS = "status"
    PRIORITY = "priority"
    TAG = "tag"
    UNTAG = "untag"
    SPAM = "spam"  # "spam"; none says that it is no spam
    MACRO = "macro"  # by id: its text is sent, and what goes with it is done


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkAct:
    """An act and what it is done with."""

    act: Act
    value: str | None

    def __post_init__(self) -> None:
        if self.value is None and self.act in _MAY_BE_NONE:
            return
        if not self.value:
            raise InvalidInput("say what is to be set")
        try:
            _CHECKS.get(self.act, str)(self.value)
        except ValueError:
            raise InvalidInput(f"the {self.act} cannot be that") from None

    @classmethod
    def of(cls, act: Act, value: str | None) -> BulkAct:
        """Return an act as somebody asked for it; tags are written as tickets have them.

        Raises:
            InvalidInput: that cannot be set.
        """
        if act in _OPPOSITE and value:
            (value,) = checked_tags([value]) or ("",)
        return cls(act=act, value=value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one ticket."""

    ticket: TicketId
    number: int
    failure: DeskError | None = None
    before: str | None = None  # the value that the act replaced
    is_changed: bool = False
    language: str | None = None  # the ticket's
    said_in: str | None = None  # the language of a macro's text; none: for any, or nothing said

    @property
    def can_be_undone(self) -> bool:
        """Whether anything changed."""
        return self.failure is None and self.is_changed


def _spam(words: str) -> ClosedAs:
    if words != ClosedAs.SPAM:
        raise ValueError(words)
    return ClosedAs.SPAM


_MAY_BE_NONE = frozenset({Act.ASSIGN, Act.TEAM, Act.SPAM})
_CHECKS: Mapping[Act, Callable[[str], object]] = {
    Act.ASSIGN: UUID,
    Act.TEAM: UUID,
    Act.MACRO: UUID,
    Act.STATUS: TicketStatus,
    Act.PRIORITY: Priority,
    Act.SPAM: _spam,
}
_OPPOSITE = {Act.TAG: Act.UNTAG, Act.UNTAG: Act.TAG}
CAN_BE_UNDONE = frozenset({Act.ASSIGN, Act.TEAM, Act.PRIORITY, Act.TAG, Act.UNTAG, Act.SPAM})
"""Acts that nobody outside was told of."""


class BulkActs:
    """Does one thing to many tickets, and says of each what became of it."""

    def __init__(
        self,
        sessions: Sessions,
        tickets: Tickets,
        sorting: TicketSorting,
        spam: SpamFolder,
    ) -> None:
        self._sessions = sessions
        self._tickets = tickets
        self._sorting = sorting
        self._spam = spam

    async def do(
        self,
        act: BulkAct,
        tickets: Sequence[TicketId],
        by: Agent,
        *,
        seen: Mapping[TicketId, Holder] | None = None,
    ) -> Sequence[Outcome]:
        """Do `act` to each ticket in turn; one that refuses does not hold up the others.

        `seen` is who had the tickets when `by` chose them: one that somebody else has taken since
        is not assigned.

        Raises:
            InvalidInput: there are none, or more than `MOST_AT_ONCE`.

        Once the database has gone away, the rest are said to have failed for that.
        """
        outcomes: list[Outcome] = []
        for ticket in _checked(tickets):
            last = outcomes[-1].failure if outcomes else None
            if isinstance(last, StorageUnavailable):
                outcomes.append(Outcome(ticket=ticket, number=0, failure=last))
            else:
                outcomes.append(await self._one(act, ticket, by, seen=(seen or {}).get(ticket)))
        return outcomes

    async def undo(
        self, act: BulkAct, before: Sequence[tuple[TicketId, str | None]], by: Agent
    ) -> Sequence[Outcome]:
        """Give tickets back what `act` took from them; those changed since stay as they are.

        Raises:
            InvalidInput: the act cannot be undone.
        """
        if act.act not in CAN_BE_UNDONE:
            raise InvalidInput("this cannot be undone")
        _checked([ticket for ticket, _ in before])
        found = []
        for ticket, old in before:
            opposite = _OPPOSITE.get(act.act)
            back = (
                BulkAct(act=act.act, value=old)
                if opposite is None
                else BulkAct(act=opposite, value=act.value)
            )
            seen = None
            if act.act is Act.ASSIGN:
                seen = Holder(agent=None if act.value is None else AgentId(UUID(act.value)))
            found.append(await self._one(back, ticket, by, only_if=act, seen=seen))
        return found

    async def _one(
        self,
        act: BulkAct,
        ticket: TicketId,
        by: Agent,
        *,
        only_if: BulkAct | None = None,
        seen: Holder | None = None,
    ) -> Outcome:
        number = 0
        try:
            async with storage_errors(), self._sessions() as session:
                view = await ticket_view(session, ticket)
                number = view.number
                await self._check_sight(session, ticket, by, act)
            before = _value(view, act)
            is_wanted = only_if is None or _value(view, only_if) == only_if.value
            is_changed = is_wanted and before != act.value
            said_in = None
            if is_changed or act.act is Act.MACRO:
                said_in = await self._apply(act, view, by, seen)
        except DeskError as error:
            return Outcome(ticket=ticket, number=number, failure=error)
        return Outcome(
            ticket=ticket,
            number=number,
            before=before,
            is_changed=is_changed,
            language=view.language,
            said_in=said_in,
        )

    async def _check_sight(
        self, session: AsyncSession, ticket: TicketId, by: Agent, act: BulkAct
    ) -> None:
        sight = await sight_of(session, by)
        hidden = None if sight is None else await unseen_ticket(session, sight, ticket)
        if hidden is None:
            return
        async with self._sessions.begin() as apart:
            audit.record(
                apart,
                by.actor,
                "ticket.refused",
                ("ticket", hidden.number, f"#{hidden.number}"),
                new={"request": f"{act.act} of many"},
            )
        raise Forbidden("this ticket belongs to another team")

    async def _apply(
        self, act: BulkAct, view: TicketView, by: Agent, seen: Holder | None
    ) -> str | None:
        """Do `act`; return the language that a macro was said in."""
        ticket, value = view.id, act.value
        match act.act:
            case Act.ASSIGN:
                agent = None if value is None else AgentId(UUID(value))
                await self._tickets.assign(ticket, agent, by, seen=seen)
            case Act.STATUS:
                await self._tickets.set_status(ticket, TicketStatus(value or ""), by)
            case Act.TEAM:
                team = None if value is None else TeamId(UUID(value))
                await self._sorting.sort(ticket, Sorting(team=team), by)
            case Act.PRIORITY:
                await self._sorting.sort(ticket, Sorting(priority=Priority(value or "")), by)
            case Act.TAG:
                await self._sorting.sort(ticket, Sorting(more_tags=[value or ""]), by)
            case Act.UNTAG:
                await self._sorting.sort(ticket, Sorting(fewer_tags=[value or ""]), by)
            case Act.SPAM if value is None:
                await self._spam.clear(ticket, by)
            case Act.SPAM:
                await self._spam.mark(ticket, by, blocks=False)
            case Act.MACRO:
                return await self._tickets.use_macro(ticket, by, UUID(value or ""))
        return None


def _checked(tickets: Sequence[TicketId]) -> Sequence[TicketId]:
    chosen = list(dict.fromkeys(tickets))
    if not chosen:
        raise InvalidInput("choose at least one ticket")
    if len(chosen) > MOST_AT_ONCE:
        raise InvalidInput(f"no more than {MOST_AT_ONCE} tickets at once")
    return chosen


def _value(view: TicketView, act: BulkAct) -> str | None:
    """Return what a ticket has where `act` sets something."""
    match act.act:
        case Act.ASSIGN:
            return None if view.assignee is None else str(view.assignee.id)
        case Act.TEAM:
            return None if view.team is None else str(view.team.id)
        case Act.STATUS:
            return view.status
        case Act.PRIORITY:
            return view.priority
        case Act.TAG:
            return act.value if act.value in view.tags else None
        case Act.UNTAG:
            return None if act.value in view.tags else act.value
        case Act.SPAM:
            return view.closed_as
        case Act.MACRO:
            return None
