"""Lists and the search go by an index among 100,000 messages: nothing is read from end to end."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncEngine

from bench.many_tickets import fill, word
from console.api.tickets.listing import Wanted, filter_of
from console.pages.tickets.queue import read_queue
from core.domain.classification import Kind
from core.domain.conversation import Responder
from core.domain.figures import Dimension
from core.domain.ids import AgentId, ContactId, TicketId
from core.domain.search import question_of
from core.domain.ticket import TicketStatus
from core.domain.views import Order, custom_condition
from core.services.access.access import agent_of
from core.services.search.searching import find, terms_of
from core.storage.engine import Sessions, libpq_url, open_engine, sessions_of
from core.storage.queries.audit import AuditFilter, audit_entries
from core.storage.queries.classification import field_conditions
from core.storage.queries.classification.categories import category_tree
from core.storage.queries.classification.field_conditions import field_tests
from core.storage.queries.conversations.conversations import list_conversations, tickets_of
from core.storage.queries.figures.figures import waiting_by
from core.storage.queries.requester_records.assets import assets_of
from core.storage.queries.requester_records.requesters import list_requesters
from core.storage.queries.search import latest
from core.storage.queries.search.search import Hit, hits
from core.storage.queries.tickets.filter import LIVE, TicketFilter
from core.storage.queries.tickets.listing import Place, TicketSort, accounts_of, tickets_in_order
from core.storage.queries.tickets.queue import count_tickets
from core.storage.queries.tickets.queue_order import COLUMNS, QueuePlace
from core.storage.queries.tickets.queue_stretches import places_in_order
from core.storage.queries.tickets.tickets import ticket_named, ticket_view
from core.storage.tables import AgentRow, Ticket
from tests.integration.search.asked import Asked
from tests.support.databases import Databases

_TICKETS, _MESSAGES = 20_000, 5
_LARGE = (*("message", "ticket", "ticket_field", "conversation", "contact_address", "search_word"),)


@pytest.fixture(scope="module")
async def filled(databases: Databases) -> AsyncIterator[AsyncEngine]:
    """An engine on a database with 20,000 tickets and 100,000 messages."""
    async with databases.one() as url:
        async with await psycopg.AsyncConnection.connect(
            libpq_url(url), autocommit=True
        ) as connection:
            await fill(connection, tickets=_TICKETS, messages=_MESSAGES, people=_TICKETS)
            await connection.execute("VACUUM ANALYZE")
        engine = open_engine(url)
        yield engine
        await engine.dispose()


@pytest.mark.parametrize(
    "typed",
    [
        word(3000),  # rare
        word(20),
        f"{word(300)} {word(7)}",
        f"{word(40)} {word(60)} {word(3)}",
        "17x",  # in one ticket alone
        "1017",
        word(2000)[:-1] + "q",  # a slip
        word(12)[:4] + "qq" + word(12)[6:],  # two in a long word
        "person77@example.org",
        f"{word(5)} 4711x",
        "SN-12000-QX",  # in one ticket's field
        f"SN-12000-QX {word(5)}",
    ],
)
async def test_a_search_reads_no_table_from_end_to_end(filled: AsyncEngine, typed: str) -> None:
    sessions: Sessions = sessions_of(filled)
    asked = Asked(filled)
    async with sessions() as session:
        found = await find(session, question_of(typed), None)
    assert found.found or found.people
    assert await asked.scanned(filled, *_LARGE) == []


async def test_a_rare_word_is_not_looked_for_in_all_messages_from_the_latest_on(
    filled: AsyncEngine,
) -> None:
    asked = Asked(filled)
    async with sessions_of(filled)() as session:
        assert (await find(session, question_of("4711x"), None)).found
        assert (await find(session, question_of(f"{word(2000)} 4711x"), None)) is not None
    backwards = [plan for plan in await asked.plans(filled) if "Backward using pk_message" in plan]
    assert backwards == []


async def test_only_of_words_that_are_everywhere_the_latest_places_alone_are_looked_at(
    filled: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(latest, "_COMMON", 1_000)
    monkeypatch.setattr(latest, "_LATEST", 50)
    asked = Asked(filled)
    async with sessions_of(filled)() as session:
        found = await find(session, question_of("17x"), None)  # among the oldest
        assert [one.ticket.number for one in found.found if one.ticket] != []
        plans = await asked.plans(filled)
        assert [plan for plan in plans if "Backward using pk_message" in plan] == []
        await find(session, question_of(word(3)), None)
    assert [plan for plan in await asked.plans(filled) if "Backward using pk_message" in plan]


@pytest.mark.parametrize(
    ("typed", "spared"),
    [(word(40), 3_000), (f"{word(60)} {word(90)}", 2_000)],
)
async def test_of_many_messages_with_a_word_the_latest_alone_are_read(
    filled: AsyncEngine, monkeypatch: pytest.MonkeyPatch, typed: str, spared: int
) -> None:
    async def read() -> tuple[set[Hit], int]:
        asked = Asked(filled)
        async with sessions_of(filled)() as session:
            terms, _ = await terms_of(session, question_of(typed))
            found = await hits(session, terms, None)
        return set(found), max(await asked.rows_read(filled, "message"))

    found, few = await read()
    monkeypatch.setattr(latest, "_MANY", 1_000_000)
    same, all_of_them = await read()
    assert found == same
    assert len(found) > 100
    assert all_of_them - few > spared


@pytest.mark.parametrize("typed", ["qx", f"{word(40)} qx"])  # in the fields of half of them
async def test_of_very_many_fields_with_a_word_a_part_is_read(
    filled: AsyncEngine, typed: str
) -> None:
    async with sessions_of(filled)() as session:
        fields = await session.scalar(text("SELECT count(*) FROM ticket_field"))
        asked = Asked(filled)
        assert (await find(session, question_of(typed), None)).found
    assert max(await asked.rows_read(filled, "ticket_field")) < fields * 2 // 3


async def test_what_is_older_is_read_where_too_few_have_the_word_lately(
    filled: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with sessions_of(filled)() as session:
        terms, _ = await terms_of(session, question_of(word(40)))
        found = await hits(session, terms, None)
        monkeypatch.setattr(latest, "_FIRST", 20)
        assert set(await hits(session, terms, None)) == set(found)


@pytest.mark.parametrize(
    ("dimension", "index"),
    [
        (Dimension.CATEGORY, "ix_ticket_live"),
        (Dimension.PRIORITY, "ix_ticket_live"),
        (Dimension.REASON, "ix_ticket_live"),
        (Dimension.CHANNEL, "ix_ticket_figure_waiting"),
    ],
)
async def test_what_waits_is_counted_from_an_index_alone(
    filled: AsyncEngine, dimension: Dimension, index: str
) -> None:
    asked = Asked(filled)
    async with sessions_of(filled)() as session:
        assert sum((await waiting_by(session, dimension) or {}).values()) > 500
    (plan,) = await asked.plans(filled)
    assert f"Index Only Scan using {index} on" in plan
    assert "Heap Scan" not in plan


@pytest.mark.parametrize("typed", ["Subject 377", "377", "192.0.2.77 377", "Agent 377"])
async def test_entries_of_the_audit_log_with_rare_words_are_found_by_index(
    filled: AsyncEngine, typed: str
) -> None:
    asked = Asked(filled)
    async with sessions_of(filled)() as session:
        assert await audit_entries(session, AuditFilter(words=typed))
    assert [plan for plan in await asked.plans(filled) if "ix_audit_entry_document" in plan]
    assert not await asked.scanned(filled, "audit_entry")


@pytest.mark.parametrize(
    ("tab", "index"),
    [
        ("unassigned", "ix_ticket_unassigned"),
        ("all", "ix_ticket_urgency"),
        ("breaching", "ix_ticket_due"),
    ],
)
async def test_the_queue_is_read_in_its_order(filled: AsyncEngine, tab: str, index: str) -> None:
    async with sessions_of(filled)() as session:
        me = await session.scalar(select(AgentRow.id).where(AgentRow.name == "Agent 7"))
        assert me is not None
        asked = Asked(filled)
        await read_queue(session, AgentId(me), tab, None)
    assert [plan for plan in await asked.plans(filled) if f"Scan using {index} on" in plan]


async def test_people_are_listed_by_index(filled: AsyncEngine) -> None:
    asked = Asked(filled)
    async with sessions_of(filled)() as session:
        assert await list_requesters(session, f"{word(3)} example")
        assert await list_requesters(session, "person77@example.org")
    assert await asked.scanned(filled, "contact", "contact_address") == []


STATUSES = {
    "open": [one for one in TicketStatus if one in LIVE],
    "over": [one for one in TicketStatus if one not in LIVE],
    "of any status": [],
}


@pytest.mark.parametrize("order", Order)
@pytest.mark.parametrize("which", STATUSES)
async def test_an_order_is_read_where_a_part_of_it_begins(
    filled: AsyncEngine, which: str, order: Order
) -> None:
    wanted = TicketFilter(statuses=STATUSES[which])
    async with sessions_of(filled)() as session:
        everything = await places_in_order(session, wanted, order, limit=_TICKETS)
        middle = len(everything) // 2
        asked = Asked(filled)
        first = await places_in_order(session, wanted, order, limit=50)
        others = await places_in_order(session, wanted, order, after=everything[middle], limit=50)
    assert (first, others) == (everything[:50], everything[middle + 1 : middle + 51])
    # Of the live ones, 1,000 here, all those of a rank may be sorted by when they were changed.
    assert max(await asked.rows_read(filled, "ticket")) < 1_500


@pytest.mark.parametrize("few", [2_000, 5])
@pytest.mark.parametrize(
    ("label", "comparison", "value", "most"),
    [
        ("Serial number", "has", "2000-q", 10),
        ("Serial number", "is", "sn-12000-qx", 1),
        ("Floor", "more", "11", 100),
        ("Device", "is", "Laptop", 200),
        ("Device", "is_not", "Laptop", 500),
        ("Device", "empty", "", 500),
    ],
)
async def test_what_a_field_holds_is_found_by_an_index(
    filled: AsyncEngine,
    monkeypatch: pytest.MonkeyPatch,
    label: str,
    comparison: str,
    value: str,
    most: int,
    few: int,
) -> None:
    monkeypatch.setattr(field_conditions, "_FEW", few)
    async with sessions_of(filled)() as session:
        category = await session.scalar(text("SELECT category_id FROM ticket WHERE number = 13000"))
        name = await session.scalar(
            text("SELECT id FROM form_field WHERE category_id = :category AND label = :label"),
            {"category": category, "label": label},
        )
        tree = await category_tree(session)
        asked = Asked(filled)
        condition = custom_condition(name, comparison, value)
        wanted = TicketFilter(fields=await field_tests(session, [condition], tree))
        found = [
            await places_in_order(session, wanted, Order.NEWEST, limit=50),
            await tickets_in_order(session, wanted, TicketSort.CHANGED_LAST, limit=50),
        ]
        count = await count_tickets(session, wanted)
    assert [len(one) for one in found] == [min(count, 50)] * 2
    assert 0 < count <= most
    assert not await asked.scanned(filled, "ticket", "ticket_field")
    assert max(await asked.rows_read(filled, "ticket_field")) < 1_500


@pytest.mark.parametrize("order", Order)
async def test_an_order_has_each_ticket_once_and_in_its_place(
    filled: AsyncEngine, order: Order
) -> None:
    wanted = TicketFilter(tags=["tag7"])
    async with sessions_of(filled)() as session:
        columns = [by.column for by in COLUMNS[order]]
        rows = await session.execute(
            select(Ticket.id, *columns).where(Ticket.tags.contains(["tag7"]))
        )
        places = [
            QueuePlace(order=order, values=tuple(values), ticket=TicketId(named))
            for named, *values in rows
        ]

        def key(place: QueuePlace) -> tuple[Any, ...]:
            parts = zip(COLUMNS[order], place.values, strict=True)
            by_id = -place.ticket.int if order == Order.NEWEST else place.ticket.int
            return (*(by.key(value) for by, value in parts), by_id)

        found: list[QueuePlace] = []
        while part := await places_in_order(
            session, wanted, order, after=found[-1] if found else None, limit=17
        ):
            found += [QueuePlace.read(str(place), order) for place in part]
    assert len(found) > 100
    assert [one.ticket for one in found] == [one.ticket for one in sorted(places, key=key)]


async def test_a_place_in_the_order_of_age_is_good_where_its_ticket_was_deleted(
    filled: AsyncEngine,
) -> None:
    wanted = TicketFilter(statuses=list(LIVE))

    async def after(ticket: int) -> list[TicketId]:
        place = QueuePlace(order=Order.OLDEST, values=(), ticket=TicketId(UUID(int=ticket)))
        async with sessions_of(filled)() as session:
            found = await places_in_order(session, wanted, Order.OLDEST, after=place, limit=50)
            return [one.ticket for one in found]

    first = await after(0)
    assert await after(first[20].int + 1) == await after(first[20].int)
    assert (await after(first[20].int + 1))[:29] == first[21:]


@pytest.mark.parametrize("tab", ["mine", "unassigned", "all", "breaching", "waiting", "solved"])
async def test_the_queue_reads_no_table_from_end_to_end(filled: AsyncEngine, tab: str) -> None:
    async with sessions_of(filled)() as session:
        me = await session.scalar(select(AgentRow.id).where(AgentRow.name == "Agent 7"))
        assert me is not None
        asked = Asked(filled)
        found = await read_queue(session, AgentId(me), tab, None)
    assert found.rows
    assert await asked.scanned(filled, "message", "ticket", "conversation") == []


LISTS: dict[str, dict[str, str]] = {
    "all": {},
    "changed since": {"updated_since": f"{datetime.now(UTC) - timedelta(days=2)}"},
    "of a month": {
        "created_from": f"{datetime.now(UTC) - timedelta(days=200)}",
        "created_before": f"{datetime.now(UTC) - timedelta(days=170)}",
    },
    "of a requester": {"requester": "{contact}"},
    "of a priority": {"priority": "urgent"},
    "of a category": {"category": "{category}"},
    "of a team": {"team": "Team 3", "status": "closed"},
    "of an agent": {"assignee": "agent7@example.org", "status": "open"},
    "of a channel": {"channel": "telegram"},
    "of a tag": {"tag": "tag7"},
    "of an organisation": {"organisation": "{contact}"},  # has none
}


@pytest.mark.parametrize("sort", TicketSort)
@pytest.mark.parametrize("which", LISTS)
async def test_lists_for_programs_read_no_table_from_end_to_end(
    filled: AsyncEngine, which: str, sort: TicketSort
) -> None:
    async with sessions_of(filled)() as session:
        row = await ticket_view(session, await ticket_named(session, "1500"))
        agent = await session.scalar(select(AgentRow).where(AgentRow.name == "Agent 7"))
        assert agent is not None
        assert row.category is not None
        names = {"contact": row.requester.id, "category": row.category.id}
        asked_for = {key: value.format(**names) for key, value in LISTS[which].items()}
        several = {key: [value] for key, value in asked_for.items() if key in SEVERAL}
        wanted = await filter_of(
            session, Wanted.model_validate(asked_for | several), agent_of(agent)
        )
        assert wanted is not None
        asked = Asked(filled)
        found = await tickets_in_order(session, wanted, sort, limit=50)
        if found:
            place = Place.of(found[-1], sort)
            await tickets_in_order(session, wanted, sort, after=place, limit=50)
    assert bool(found) == (which != "of an organisation")
    assert await asked.scanned(filled, "ticket", "conversation", "contact") == []


@pytest.mark.parametrize(
    "which",
    [
        {},
        {"requester": True},
        {"has_ticket": True},
        {"has_ticket": False},
        {"responder": Responder.HUMAN},
    ],
    ids=str,
)
async def test_conversations_for_programs_are_listed_by_index(
    filled: AsyncEngine, which: dict[str, Any]
) -> None:
    async with sessions_of(filled)() as session:
        row = await ticket_view(session, await ticket_named(session, "1500"))
        if "requester" in which:
            which = {"requester": ContactId(row.requester.id)}
        asked = Asked(filled)
        found = await list_conversations(session, sight=None, **which)
        await list_conversations(session, sight=None, before=found[-1].id, **which)
        assert bool(await tickets_of(session, [one.id for one in found])) != (
            which.get("has_ticket") is False
        )
    if which.get("has_ticket") is False:
        # Nearly all have one: those are not even looked at.
        assert max(await asked.rows_read(filled, "conversation")) <= 100
    assert await asked.scanned(filled, "ticket", "conversation", "message") == []


async def test_what_changed_before_a_month_is_not_looked_through_for_what_was_opened_in_it(
    filled: AsyncEngine,
) -> None:
    now = datetime.now(UTC)
    month = TicketFilter(
        created_from=now - timedelta(days=200), created_before=now - timedelta(days=170)
    )
    asked = Asked(filled)
    async with sessions_of(filled)() as session:
        found = await tickets_in_order(session, month, TicketSort.CHANGED_FIRST, limit=50)
    assert len(found) == 50
    assert max(await asked.rows_read(filled, "ticket")) < 2_000  # 1,644 were opened in it


async def test_what_waits_over_a_channel_is_read_in_its_order(filled: AsyncEngine) -> None:
    async with sessions_of(filled)() as session:
        wanted = TicketFilter(
            accounts=await accounts_of(session, ["slack"]),
            statuses=[TicketStatus.PENDING, TicketStatus.ON_HOLD],
        )
        asked = Asked(filled)
        found = await tickets_in_order(session, wanted, TicketSort.CHANGED_FIRST, limit=10)
    assert len(found) == 10
    assert max(await asked.rows_read(filled, "conversation")) < 150  # 300 wait


async def test_problems_are_not_looked_for_among_all_tickets(filled: AsyncEngine) -> None:
    asked = Asked(filled)
    async with sessions_of(filled)() as session:
        await tickets_in_order(
            session, TicketFilter(kinds=[Kind.PROBLEM]), TicketSort.CHANGED_LAST, limit=50
        )
    assert [plan for plan in await asked.plans(filled) if "ix_ticket_problem" in plan]


SEVERAL = frozenset({"status", "priority", "channel", "tag"})


async def test_assets_that_words_name_are_found_by_index(filled: AsyncEngine) -> None:
    async with sessions_of(filled).begin() as session:
        await session.execute(
            text(
                "INSERT INTO asset (id, tag, serial)"
                " SELECT uuidv7(), 'T-' || n, 'S-' || n FROM generate_series(1, 20000) AS n"
            )
        )
        await session.execute(text("ANALYZE asset"))
    asked = Asked(filled)
    async with sessions_of(filled)() as session:
        ticket = await ticket_view(session, await ticket_named(session, "1001"))
        named = replace(ticket, subject="the battery of s-17 is swollen")
        assert [one.tag for one in (await assets_of(session, named)).mentioned] == ["T-17"]
    assert not await asked.scanned(filled, "asset")
