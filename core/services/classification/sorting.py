"""How a ticket is sorted: its kind, category, priority, fields, tags, due date and watchers."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import Any, Final

from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.actor import WORKING, Agent, Role
from core.domain.classification import (
    Extent,
    FieldsMissing,
    FieldSpec,
    Kind,
    checked_tags,
    missing,
)
from core.domain.due_dates import remind_at
from core.domain.errors import InvalidInput
from core.domain.ids import AgentId, AssetId, CategoryId, TeamId, TicketId
from core.domain.ticket import Priority
from core.services.case import Case, open_case
from core.services.ledger import Accounts, Ledger
from core.services.revisions import check_version
from core.storage.engine import Sessions, storage_errors
from core.storage.queries.classification.categories import (
    CategoryTree,
    category_tree,
    priority_matrix,
)
from core.storage.tables import AgentRow, Asset, Tag, Team, TicketWatcher


class Same(Enum):
    """Stands for what is to stay as it is, where None says that something is taken away."""

    SAME = 0


SAME: Final = Same.SAME


@dataclass(frozen=True, slots=True, kw_only=True)
class Sorting:
    """What is to be different about a ticket; the rest stays."""

    kind: Kind | Same = SAME
    category: CategoryId | Same | None = SAME
    impact: Extent | Same | None = SAME
    urgency: Extent | Same | None = SAME
    priority: Priority | Same | None = SAME  # None: as impact and urgency have it
    fields: Mapping[str, Any] | Same = SAME  # by id; those not named stay
    tags: Sequence[str] | Same = SAME
    more_tags: Sequence[str] = ()
    fewer_tags: Sequence[str] = ()
    due_at: datetime | Same | None = SAME
    team: TeamId | Same | None = SAME
    asset: AssetId | Same | None = SAME


class TicketSorting:
    """The agents' commands about what a ticket is; each change is in its history."""

    def __init__(
        self,
        sessions: Sessions,
        accounts: Accounts,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._sessions = sessions
        self._accounts = accounts
        self._now = now

    async def sort(
        self, ticket: TicketId, wanted: Sorting, by: Agent, *, version: int | None = None
    ) -> None:
        """Make a ticket what `wanted` says, closed ones too: figures are made of them.

        Raises:
            NotFound: there is no such ticket.
            Outdated: it is not at `version` (see `version_of`) any more.
            InvalidInput: a value does not fit, or names what is not there.
        """
        async with storage_errors(), self._sessions.begin() as session:
            case = await open_case(session, Ledger(self._accounts, self._now()), ticket)
            check_version(case.ticket, version)
            await apply(case, wanted, actor=by.actor)
            case.changed()
            await case.ledger.write(session)

    async def watch(self, ticket: TicketId, agent: AgentId, by: Agent) -> None:
        """Let an agent hear of a ticket.

        Raises:
            NotFound: there is no such ticket.
            InvalidInput: there is no such agent.
        """
        async with storage_errors(), self._sessions.begin() as session:
            case = await open_case(session, Ledger(self._accounts, self._now()), ticket)
            await let_watch(case, agent, actor=by.actor)
            await case.ledger.write(session)

    async def unwatch(self, ticket: TicketId, agent: AgentId, by: Agent) -> None:
        """Let an agent hear of a ticket no more.

        Raises:
            NotFound: there is no such ticket.
        """
        async with storage_errors(), self._sessions.begin() as session:
            case = await open_case(session, Ledger(self._accounts, self._now()), ticket)
            gone = await session.scalar(
                delete(TicketWatcher)
                .where(TicketWatcher.ticket_id == ticket, TicketWatcher.agent_id == agent)
                .returning(TicketWatcher.agent_id)
            )
            if gone is not None:
                case.ledger.record(case.ticket, "watcher", str(agent), None, actor=by.actor)
                case.changed()
            await case.ledger.write(session)


async def let_watch(case: Case, agent: AgentId, *, actor: str) -> None:
    """Let an agent hear of the locked ticket of `case`.

    Raises:
        InvalidInput: there is no such agent.
    """
    row = await case.session.get(AgentRow, agent)
    if row is None or row.disabled_at is not None or Role(row.role) not in WORKING:
        raise InvalidInput("there is no such agent")
    added = await case.session.scalar(
        upsert(TicketWatcher)
        .values(ticket_id=case.ticket.id, agent_id=agent)
        .on_conflict_do_nothing()
        .returning(TicketWatcher.agent_id)
    )
    if added is not None:
        case.ledger.record(case.ticket, "watcher", None, str(agent), actor=actor)
        case.changed()


async def apply(case: Case, wanted: Sorting, *, actor: str) -> None:
    """Make the ticket of `case` what `wanted` says, and record what that changes.

    Raises:
        InvalidInput: a value does not fit, or names what is not there.
    """
    if wanted.kind is not SAME:
        _set(case, "kind", wanted.kind, actor)
    if wanted.category is not SAME:
        _set_category(case, await category_tree(case.session), wanted.category, actor)
    if wanted.team is not SAME:
        await _set_team(case, wanted.team, actor)
    if wanted.asset is not SAME:
        await _set_asset(case, wanted.asset, actor)
    await _set_priority(case, wanted, actor)
    if wanted.fields is not SAME:
        tree = await category_tree(case.session)
        _set_fields(case, tree.fields_of(case.ticket.category_id), wanted.fields, actor)
    if wanted.tags is not SAME or wanted.more_tags or wanted.fewer_tags:
        tags = case.ticket.tags if wanted.tags is SAME else wanted.tags
        gone = set(checked_tags(wanted.fewer_tags))
        kept = [tag for tag in checked_tags([*tags, *wanted.more_tags]) if tag not in gone]
        await _set_tags(case, kept, actor)
    if wanted.due_at is not SAME:
        old = case.ticket.due_at
        if old != wanted.due_at:
            case.ticket.due_at = wanted.due_at
            case.ticket.due_remind_at = remind_at(wanted.due_at, case.ledger.now)
            _record(case, "due", _iso(old), _iso(wanted.due_at), actor)


async def check_complete(case: Case) -> None:
    """See that a ticket has what it needs before it is solved.

    Raises:
        FieldsMissing: its category asks for more.
    """
    if case.ticket.category_id is None:
        return
    tree = await category_tree(case.session)
    lacking = missing(tree.fields_of(case.ticket.category_id), case.ticket.fields)
    if lacking:
        raise FieldsMissing(lacking)


def _set(case: Case, field: str, value: str | None, actor: str) -> None:
    old = getattr(case.ticket, field)
    if old != value:
        setattr(case.ticket, field, value)
        _record(case, field, old, value, actor)


def _record(case: Case, field: str, old: str | None, new: str | None, actor: str) -> None:
    case.ledger.record(case.ticket, field, old, new, actor=actor)


def _set_category(case: Case, tree: CategoryTree, category: CategoryId | None, actor: str) -> None:
    old = case.ticket.category_id
    if category is not None and category not in {one.id for one in tree.choosable(old)}:
        raise InvalidInput("there is no such category")
    if old == category:
        return
    case.ticket.category_id = category
    _record(
        case,
        "category",
        None if old is None else str(old),
        None if category is None else str(category),
        actor,
    )


async def _set_team(case: Case, team: TeamId | None, actor: str) -> None:
    if team is not None:
        row = await case.session.get(Team, team)
        if row is None or row.archived_at is not None:
            raise InvalidInput("there is no such team")
    case.pass_to(team, actor=actor)


async def _set_asset(case: Case, asset: AssetId | None, actor: str) -> None:
    old = case.ticket.asset_id
    if old == asset:
        return
    if asset is not None and await case.session.get(Asset, asset) is None:
        raise InvalidInput("there is no such asset")
    case.ticket.asset_id = asset
    _record(
        case,
        "asset",
        None if old is None else str(old),
        None if asset is None else str(asset),
        actor,
    )


async def _set_priority(case: Case, wanted: Sorting, actor: str) -> None:
    ticket = case.ticket
    if wanted.impact is not SAME:
        _set(case, "impact", wanted.impact, actor)
    if wanted.urgency is not SAME:
        _set(case, "urgency", wanted.urgency, actor)
    if wanted.priority is not SAME:
        ticket.is_priority_set = wanted.priority is not None
        if wanted.priority is not None:
            case.rank(wanted.priority, actor=actor)
            return
    elif wanted.impact is SAME and wanted.urgency is SAME:
        return
    if ticket.is_priority_set or ticket.impact is None or ticket.urgency is None:
        return
    matrix = await priority_matrix(case.session)
    case.rank(matrix[Extent(ticket.impact), Extent(ticket.urgency)], actor=actor)


def _set_fields(
    case: Case, specs: Sequence[FieldSpec], given: Mapping[str, Any], actor: str
) -> None:
    by_key = {spec.key: spec for spec in specs}
    if not set(given) <= set(by_key):
        raise InvalidInput("this category asks for no such field")
    values = dict(case.ticket.fields)
    for key, raw in given.items():
        spec = by_key[key]
        old, new = values.get(key), spec.value(raw)
        if old == new and type(old) is type(new):
            continue
        values[key] = new
        if new is None:
            del values[key]
        # The label as it is now: the field may be called otherwise, or be gone, when it is read.
        _record(case, f"field:{spec.label}", _plain(old), _plain(new), actor)
    case.ticket.fields = values


async def _set_tags(case: Case, tags: list[str], actor: str) -> None:
    old = list(case.ticket.tags)
    if old == tags:
        return
    case.ticket.tags = tags
    _record(case, "tags", ", ".join(old) or None, ", ".join(tags) or None, actor)
    fresh = sorted(set(tags) - set(old))
    if fresh:
        await _keep_tags(case.session, fresh, case.ledger.now)


async def _keep_tags(session: AsyncSession, tags: Sequence[str], now: datetime) -> None:
    kept = upsert(Tag).values([{"name": tag, "used_at": now} for tag in tags])
    await session.execute(
        kept.on_conflict_do_update(
            index_elements=[Tag.name], set_={"used_at": kept.excluded.used_at}
        )
    )


def _iso(at: datetime | None) -> str | None:
    return None if at is None else at.astimezone(UTC).isoformat()


def _plain(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value)
