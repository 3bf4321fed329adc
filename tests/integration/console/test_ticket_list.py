"""Programs find tickets by what they are, in an order of their choice, part by part."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import httpx
import psycopg
import pytest
from sqlalchemy import event, select, update

from core.domain.actor import Role
from core.domain.ids import new_id
from core.storage.engine import libpq_url
from core.storage.tables import Account, Category, Contact, Organisation, Ticket
from tests.integration.console.api import Api
from tests.integration.console.world import ACCOUNT, Desk


@pytest.fixture
async def client(desk: Desk, api: Api) -> httpx.AsyncClient:
    """A program on a desk with the tickets 1001 to 1004."""
    for who in ("ada", "bob", "cyd", "dan"):
        await desk.queued(f"{who} asks", thread=who, who=who)
    async with desk.sessions.begin() as session:
        session.add(Account(id=ACCOUNT, channel="webchat"))
    return await api(Role.ADMIN, "boss@example.org")


async def numbers(client: httpx.AsyncClient, **params: Any) -> list[int]:
    answer = await client.get("/api/v1/tickets", params=params)
    assert answer.status_code == 200, answer.text
    return [ticket["number"] for ticket in answer.json()["items"]]


async def test_what_is_named_has_to_fit(desk: Desk, client: httpx.AsyncClient) -> None:
    acme, hardware, laptops = new_id(), new_id(), new_id()
    async with desk.sessions.begin() as session:
        session.add_all(
            [Organisation(id=acme, name="Acme"), Category(id=hardware, name="Hardware")]
        )
        await session.flush()
        session.add(Category(id=laptops, name="Laptops", parent_id=hardware))
        await session.execute(
            update(Ticket).where(Ticket.number == 1002).values(organisation_id=acme)
        )
        bob = await session.scalar(select(Contact.id).where(Contact.name == "Bob"))
    for number, change in {
        1001: {"kind": "question", "category": str(hardware)},
        1002: {"category": str(laptops), "priority": "urgent"},
        1003: {"priority": "high", "tags": ["vpn"]},
    }.items():
        answer = await client.patch(f"/api/v1/tickets/{number}", json=change)
        assert answer.status_code == 200, answer.text
    assert await numbers(client, requester=str(bob)) == [1002]
    assert await numbers(client, organisation=str(acme)) == [1002]
    assert await numbers(client, category=str(hardware)) == [1002, 1001]
    assert await numbers(client, category=str(laptops)) == [1002]
    assert await numbers(client, category=str(new_id())) == []
    assert await numbers(client, kind="question") == [1001]
    assert await numbers(client, priority=["high", "urgent"]) == [1003, 1002]
    assert await numbers(client, priority="high", tag="VPN") == [1003]
    assert await numbers(client, priority="urgent", tag="vpn") == []
    assert await numbers(client, channel="webchat", kind="incident") == [1004, 1003, 1002]
    assert await numbers(client, channel="telegram") == []
    await client.post("/api/v1/tickets/1004/take")
    assert await numbers(client, status=["open", "closed"]) == [1004]


async def test_times_bound_a_list(desk: Desk, client: httpx.AsyncClient) -> None:
    seen = (await client.get("/api/v1/tickets/1002")).json()["created_at"]
    assert await numbers(client, created_from=seen) == [1004, 1003, 1002]
    assert await numbers(client, created_before=seen) == [1001]
    since = desk.clock().isoformat()
    await client.post("/api/v1/tickets/1001/replies", json={"text": "Hello"})
    assert await numbers(client, updated_since=since) == [1001]
    without_zone = await client.get("/api/v1/tickets", params={"updated_since": "2030-01-31T09:00"})
    assert without_zone.status_code == 422


@pytest.mark.parametrize(
    ("sort", "order"),
    [
        ("-created", [1004, 1003, 1002, 1001]),
        ("created", [1001, 1002, 1003, 1004]),
        ("-updated", [1002, 1004, 1003, 1001]),
        ("updated", [1001, 1003, 1004, 1002]),
    ],
)
async def test_a_list_is_read_part_by_part_in_its_order(
    client: httpx.AsyncClient, sort: str, order: list[int]
) -> None:
    await client.post("/api/v1/tickets/1002/notes", json={"text": "Seen."})
    found: list[int] = []
    cursor: dict[str, str] = {}
    while True:
        params = {"sort": sort, "limit": "1", **cursor}
        page = (await client.get("/api/v1/tickets", params=params)).json()
        found += [ticket["number"] for ticket in page["items"]]
        if page["next"] is None:
            break
        cursor = {"cursor": page["next"]}
    assert found == order


async def test_tickets_that_change_while_a_part_is_read_take_none_along(
    desk: Desk, client: httpx.AsyncClient, database_url: str
) -> None:
    """Those that a part begins with change as soon as the database has been asked for tickets."""
    changing = [1001, 1002]

    def change(_: object, __: object, statement: str, *___: object) -> None:
        if "FROM ticket" not in statement or not changing:
            return
        with psycopg.connect(libpq_url(database_url)) as other:
            while changing:
                other.execute(
                    "UPDATE ticket SET updated_at = updated_at + interval '1 hour'"
                    " WHERE number = %s",
                    [changing.pop()],
                )

    engine = desk.sessions.kw["bind"].sync_engine
    event.listen(engine, "after_cursor_execute", change)
    params = {"sort": "updated", "limit": "2"}
    first = (await client.get("/api/v1/tickets", params=params)).json()
    event.remove(engine, "after_cursor_execute", change)
    assert changing == []
    assert {1003, 1004} <= {
        *(ticket["number"] for ticket in first["items"]),
        *await numbers(client, sort="updated", cursor=first["next"]),
    }


async def test_tickets_of_one_instant_are_all_listed(desk: Desk, api: Api) -> None:
    for n in range(3):
        await desk.queued(f"matter {n}", thread=f"t{n}")
    async with desk.sessions.begin() as session:
        await session.execute(update(Ticket).values(created_at=desk.clock()))
    client = await api()
    first = (await client.get("/api/v1/tickets", params={"limit": "2"})).json()
    rest = await numbers(client, cursor=first["next"])
    assert [one["number"] for one in first["items"]] + rest == [1003, 1002, 1001]


@pytest.mark.parametrize("cursor", ["", "1002", "1_2", f"{'9' * 17}_{UUID(int=7)}", "x_y"])
async def test_a_cursor_that_no_list_gave_is_refused(
    client: httpx.AsyncClient, cursor: str
) -> None:
    answer = await client.get("/api/v1/tickets", params={"cursor": cursor})
    assert answer.status_code == 422
