"""Tickets are sorted: each change is checked, kept and in the history."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from core.domain.actor import Agent, Role
from core.domain.assistant import Handoff, HandoffReason
from core.domain.classification import USUAL_MATRIX, Extent, FieldsMissing, Kind
from core.domain.errors import Conflict, InvalidInput, NotFound, Outdated
from core.domain.ids import CategoryId, FormFieldId, TicketId
from core.domain.ticket import Priority, TicketStatus
from core.services.classification.categories import Categories, CategoryDraft
from core.services.classification.fields import FieldDraft
from core.services.classification.priorities import Priorities
from core.services.classification.sorting import Sorting, TicketSorting
from core.services.revisions import version_of
from core.storage.queries.classification.categories import category_tree, tags_like, watchers_of
from core.storage.queries.tickets.filter import TicketFilter
from core.storage.queries.tickets.tickets import history, list_tickets
from core.storage.tables import AuditEntry
from tests.support.desk import Rig


@pytest.fixture
def sorting(rig: Rig) -> TicketSorting:
    return TicketSorting(rig.sessions, rig.accounts, rig.clock)


@pytest.fixture
def categories(rig: Rig) -> Categories:
    return Categories(rig.sessions, rig.clock)


@pytest.fixture
async def ana(rig: Rig) -> Agent:
    return await rig.agent("Ana", Role.LEAD)


@pytest.fixture
async def ticket(rig: Rig) -> TicketId:
    conversation = await rig.hear("the laptop does not start")
    await rig.reply(conversation, Handoff(reason=HandoffReason.PROBLEM_REPORTED))
    return await rig.ticket_id()


async def _laptops(categories: Categories, by: Agent) -> tuple[CategoryId, FormFieldId]:
    hardware = await categories.add(CategoryDraft(name="Hardware", names={"es": "Equipos"}), by)
    serial = await categories.add_field(
        hardware, FieldDraft(label="Serial number", is_required=True), by
    )
    laptop = await categories.add(CategoryDraft(name="Laptop", parent=hardware), by)
    return laptop, serial


async def test_each_change_is_in_the_history_by_name(
    rig: Rig, sorting: TicketSorting, categories: Categories, ana: Agent, ticket: TicketId
) -> None:
    laptop, serial = await _laptops(categories, ana)
    due = datetime(2030, 1, 31, 12, tzinfo=UTC)
    await sorting.sort(
        ticket,
        Sorting(
            kind=Kind.QUESTION,
            category=laptop,
            impact=Extent.HIGH,
            urgency=Extent.HIGH,
            fields={str(serial): "A-1"},
            tags=["VIP", "boot"],
            due_at=due,
        ),
        ana,
    )
    await sorting.watch(ticket, ana.id, ana)
    await sorting.watch(ticket, ana.id, ana)
    async with rig.sessions() as session:
        said = [(c.field, c.new_name or c.new) for c in await history(session, ticket)][1:]
        assert [person.name for person in await watchers_of(session, ticket)] == ["Ana"]
        assert await tags_like(session, "bo") == ["boot"]
        (found,) = await list_tickets(session, TicketFilter(tags=["vip"]))
        assert await list_tickets(session, TicketFilter(tags=["v"])) == []
        assert (await category_tree(session)).path(laptop, "es") == "Equipos / Laptop"
    assert said == [
        ("kind", "question"),
        ("category", "Laptop"),
        ("impact", "high"),
        ("urgency", "high"),
        ("priority", "urgent"),
        ("field:Serial number", "A-1"),
        ("tags", "vip, boot"),
        ("due", due.isoformat()),
        ("watcher", "Ana"),
    ]
    assert (found.kind, found.priority, found.due_at) == ("question", Priority.URGENT, due)
    await sorting.unwatch(ticket, ana.id, ana)
    async with rig.sessions() as session:
        assert await watchers_of(session, ticket) == []


async def test_what_stays_the_same_is_no_change(
    rig: Rig, sorting: TicketSorting, ana: Agent, ticket: TicketId
) -> None:
    await sorting.sort(ticket, Sorting(kind=Kind.INCIDENT, impact=None, tags=[], due_at=None), ana)
    async with rig.sessions() as session:
        assert [change.field for change in await history(session, ticket)] == ["status"]


async def test_a_priority_set_by_hand_wins_until_it_is_cleared(
    rig: Rig, sorting: TicketSorting, ana: Agent, ticket: TicketId
) -> None:
    async def priority(wanted: Sorting) -> str:
        await sorting.sort(ticket, wanted, ana)
        return (await rig.ticket()).priority

    assert await priority(Sorting(impact=Extent.LOW)) == "normal"
    assert await priority(Sorting(urgency=Extent.LOW)) == "low"
    assert await priority(Sorting(priority=Priority.HIGH)) == "high"
    assert await priority(Sorting(impact=Extent.HIGH)) == "high"
    assert await priority(Sorting(priority=None)) == "normal"
    matrix = {**USUAL_MATRIX, (Extent.HIGH, Extent.LOW): Priority.URGENT}
    await Priorities(rig.sessions).set(matrix, ana)
    assert await priority(Sorting(impact=Extent.HIGH, urgency=Extent.LOW)) == "urgent"


async def test_a_ticket_is_not_solved_before_its_required_fields_are_there(
    rig: Rig, sorting: TicketSorting, categories: Categories, ana: Agent, ticket: TicketId
) -> None:
    laptop, serial = await _laptops(categories, ana)
    await sorting.sort(ticket, Sorting(category=laptop), ana)
    with pytest.raises(FieldsMissing, match="Serial number"):
        await rig.tickets.set_status(ticket, TicketStatus.SOLVED, ana)
    with pytest.raises(FieldsMissing):
        await rig.tickets.reply(ticket, ana, "done", then=TicketStatus.SOLVED)
    assert [text for who, text in await rig.texts() if who == "agent"] == []
    await sorting.sort(ticket, Sorting(fields={str(serial): "A-1"}), ana)
    await rig.tickets.set_status(ticket, TicketStatus.SOLVED, ana)
    assert (await rig.ticket()).status == "solved"


async def test_what_was_read_before_it_changed_is_not_overwritten(
    rig: Rig, sorting: TicketSorting, categories: Categories, ana: Agent, ticket: TicketId
) -> None:
    version = version_of((await rig.ticket()).updated_at)
    await sorting.sort(ticket, Sorting(kind=Kind.REQUEST), ana, version=version)
    with pytest.raises(Outdated):
        await sorting.sort(ticket, Sorting(kind=Kind.QUESTION), ana, version=version)
    network = await categories.add(CategoryDraft(name="Network"), ana)
    await categories.change(network, CategoryDraft(name="Networks"), ana, revision=1)
    with pytest.raises(Outdated):
        await categories.change(network, CategoryDraft(name="Net"), ana, revision=1)


async def test_the_tree_has_no_circles_and_no_namesakes(
    rig: Rig, categories: Categories, ana: Agent
) -> None:
    laptop, _ = await _laptops(categories, ana)
    async with rig.sessions() as session:
        hardware = (await category_tree(session)).lineage(laptop)[0].id
    with pytest.raises(InvalidInput, match="below itself"):
        await categories.change(hardware, CategoryDraft(name="Hardware", parent=laptop), ana)
    with pytest.raises(Conflict):
        await categories.add(CategoryDraft(name="laptop", parent=hardware), ana)
    one, two = [await categories.add(CategoryDraft(name=name), ana) for name in ("One", "Two")]
    results = await asyncio.gather(
        categories.change(one, CategoryDraft(name="One", parent=two), ana),
        categories.change(two, CategoryDraft(name="Two", parent=one), ana),
        return_exceptions=True,
    )
    assert sorted(type(result).__name__ for result in results) == ["InvalidInput", "NoneType"]


async def test_an_archived_category_stays_where_it_is_and_is_chosen_no_more(
    rig: Rig, sorting: TicketSorting, categories: Categories, ana: Agent, ticket: TicketId
) -> None:
    laptop, _ = await _laptops(categories, ana)
    async with rig.sessions() as session:
        hardware = (await category_tree(session)).lineage(laptop)[0].id
    await sorting.sort(ticket, Sorting(category=laptop), ana)
    await categories.set_archived(hardware, ana, archived=True)
    async with rig.sessions() as session:
        tree = await category_tree(session)
        actions = await session.scalars(select(AuditEntry.action).order_by(AuditEntry.id))
        assert actions.all()[-1] == "category.archived"
    assert tree.choosable() == []
    assert [one.id for one in tree.choosable(laptop)] == [laptop]
    with pytest.raises(InvalidInput):
        await sorting.sort(ticket, Sorting(category=hardware), ana)
    with pytest.raises(InvalidInput):
        await sorting.sort(ticket, Sorting(fields={"nonsense": "x"}), ana)
    with pytest.raises(NotFound):
        await categories.set_archived(CategoryId(ticket), ana, archived=True)
