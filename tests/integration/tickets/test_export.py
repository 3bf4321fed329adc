"""Tickets are saved as a table: a line for each, a column for each custom field."""

from __future__ import annotations

import asyncio
import csv
import io
import re
from typing import Any

import pytest
from httpx import AsyncClient
from sqlalchemy.pool import QueuePool

from console.tables import tickets as tables
from console.tables.tickets import Asked, exported
from core.domain.actor import Role
from core.storage.queries.tickets.filter import TicketFilter
from tests.integration.console.api import Api
from tests.integration.console.browser import signed_in
from tests.integration.console.world import Desk


def lines(table: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(table.removeprefix("\ufeff"), newline="")))


async def a_category(client: AsyncClient, name: str, *fields: dict[str, Any]) -> Any:
    made = (await client.post("/api/v1/categories", json={"name": name})).json()
    for field in fields:
        answer = await client.post(f"/api/v1/categories/{made['id']}/fields", json=field)
        assert answer.status_code == 201, answer.text
        made = answer.json()
    return made


async def filled(desk: Desk, client: AsyncClient) -> None:
    """Four tickets: of two categories that ask for much, of one that asks for nothing, of none."""
    laptop = await a_category(
        client,
        "Laptop",
        {"label": "Serial", "labels": {"es": "Serie"}},
        {"label": "Degrees", "kind": "number"},
        {"label": "=SUM(A1)", "kind": "yes_no"},
        {
            "label": "Model",
            "kind": "choice",
            "choices": ["Thin", "-Thick"],
            "choice_labels": {"es": ["Fino", "Grueso"]},
        },
    )
    phone = await a_category(
        client, "Phone", {"label": "Serial"}, {"label": "Since", "kind": "date"}
    )
    await a_category(client, "Other", {"label": "Never asked"})
    for number, (made, values) in enumerate(
        (
            (laptop, ('=cmd|"/c calc"!A0', -5.5, True, "-Thick")),
            (phone, ("+34", "2024-03-01")),
            (None, ()),
        ),
        1001,
    ):
        await desk.queued(
            "=1+1" if number == 1001 else "Help", thread=str(number), who=f"w{number}"
        )
        if made is not None:
            fields = dict(zip((one["id"] for one in made["fields"]), values, strict=True))
            body = {"category": made["id"], "fields": fields, "tags": ["a", "b"]}
            kept = await client.patch(f"/api/v1/tickets/{number}", json=body)
            assert kept.status_code == 200, kept.text


async def test_an_export_has_a_column_for_each_field_and_no_formula(desk: Desk, api: Api) -> None:
    client = await api(Role.ADMIN, "admin@example.org")
    await filled(desk, client)
    answer = await client.get("/api/v1/tickets/export.csv")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert "attachment" in answer.headers["content-disposition"]
    third, second, first = lines(answer.text)
    assert [one["Number"] for one in (first, second, third)] == ["1001", "1002", "1003"]
    assert list(first)[-6:] == [
        "Serial (Laptop)",
        "Degrees",
        "'=SUM(A1)",
        "Model",
        "Serial (Phone)",
        "Since",
    ]
    assert list(first.values())[-6:] == ['\'=cmd|"/c calc"!A0', "-5.5", "Yes", "'-Thick", "", ""]
    assert list(second.values())[-6:] == ["", "", "", "", "'+34", "2024-03-01"]
    assert list(third.values())[-6:] == [""] * 6
    assert first["Subject"] == "'=1+1"
    assert (first["Category"], first["Tags"], first["Status"]) == ("Laptop", "a, b", "New")
    assert first["Opened"].endswith("+00:00")
    entry = (await client.get("/api/v1/audit")).json()["items"][0]
    assert (entry["action"], entry["new"]) == ("ticket.exported", {"tickets": 3})
    assert (entry["subject_kind"], entry["subject_name"]) == ("tickets", "tickets.csv")


async def test_an_export_is_narrowed_as_the_list_is_and_speaks_spanish(
    desk: Desk, api: Api
) -> None:
    client = await api(Role.ADMIN, "admin@example.org")
    await filled(desk, client)
    asked = {"category": (await client.get("/api/v1/tickets/1001")).json()["category"]["id"]}
    (one,) = lines(
        (await client.get("/api/v1/tickets/export.csv", params=asked | {"lang": "es"})).text
    )
    assert one["Serie"].startswith("'=cmd")
    assert (one["Model"], one["Estado"], one["'=SUM(A1)"]) == ("Grueso", "Nuevo", "Sí")
    assert one["Último cambio"].endswith("+00:00")
    nobody = {"team": "No such team"}
    assert lines((await client.get("/api/v1/tickets/export.csv", params=nobody)).text) == []
    body = {"name": "Phones", "filter": {"words": "help"}}
    view = (await client.post("/api/v1/views", json=body)).json()
    table = (await client.get(f"/api/v1/views/{view['id']}/export.csv")).text
    assert [line["Number"] for line in lines(table)] == ["1003", "1002"]


async def test_a_field_that_is_asked_no_more_keeps_its_column_where_it_is_held(
    desk: Desk, api: Api
) -> None:
    client = await api(Role.ADMIN, "admin@example.org")
    await filled(desk, client)
    place = (await client.get("/api/v1/categories")).json()["items"]
    for category in place:
        for field in category["fields"]:
            await client.delete(f"/api/v1/categories/{category['id']}/fields/{field['id']}")
    *_, first = lines((await client.get("/api/v1/tickets/export.csv")).text)
    assert "Serial (Laptop)" in first
    assert first["Degrees"] == "-5.5"


async def test_agents_do_not_save_tickets_as_a_table_and_leads_do_from_the_queue(
    desk: Desk, api: Api
) -> None:
    client = await api(Role.ADMIN, "admin@example.org")
    await filled(desk, client)
    agents = await api()
    assert (await agents.get("/api/v1/tickets/export.csv")).status_code == 403
    bea = await signed_in(desk, "Bea")
    assert "/console/queue/export.csv" not in await bea.see("/console/queue?tab=all")
    await bea.see("/console/queue/export.csv?tab=all", status=403)
    lea = await signed_in(desk, "Lea", Role.LEAD)
    assert "/console/queue/export.csv?tab=all" in await lea.see("/console/queue?tab=all")
    assert len(lines(await lea.see("/console/queue/export.csv?tab=all"))) == 3
    assert lines(await lea.see("/console/queue/export.csv?tab=solved")) == []
    for gone in ("assistant", "nonsense", "view-01a21ae9-3d33-7441-8afe-b11b92fa65a3"):
        await lea.see(f"/console/queue/export.csv?tab={gone}", status=404)


async def test_the_loop_goes_on_and_no_connection_is_held_while_a_part_is_written(
    desk: Desk, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    await filled(desk, await api(Role.ADMIN, "admin@example.org"))
    monkeypatch.setattr(tables, "_PART", 2)
    loop, pool = asyncio.get_running_loop(), desk.sessions.kw["bind"].pool
    assert isinstance(pool, QueuePool)
    held: list[int] = []

    async def turn() -> int:
        return pool.checkedout()

    def said(words: str, **_: object) -> str:
        # Answered by the loop, and only from beside it: on it, this would wait for itself.
        held.append(asyncio.run_coroutine_threadsafe(turn(), loop).result(timeout=5))
        return words

    everything = Asked(wanted=TicketFilter(), subject=("tab", "all", "all"))
    answer = await exported(desk.sessions, everything, actor="command", t=said, language="en")
    numbers = [one["Number"] for one in lines(bytes(answer.body).decode())]
    assert numbers == ["1003", "1002", "1001"]
    assert set(held) == {0}


async def test_an_export_in_parts_is_the_same_as_at_once_and_ends_at_the_most(
    desk: Desk, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = await api(Role.ADMIN, "admin@example.org")
    await filled(desk, client)
    at_once = (await client.get("/api/v1/tickets/export.csv")).text
    monkeypatch.setattr(tables, "_PART", 1)
    assert (await client.get("/api/v1/tickets/export.csv")).text == at_once
    monkeypatch.setattr(tables, "MOST", 2)
    newest = lines((await client.get("/api/v1/tickets/export.csv")).text)
    assert [one["Number"] for one in newest] == ["1003", "1002"]
    assert "Model" not in newest[0]  # only the third has it


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/tickets/export.csv",
        "/api/v1/views/01a21ae9-3d33-7441-8afe-b11b92fa65a3/export.csv",
        "/api/v1/assets/export.csv",
        "/api/v1/audit/export.csv",
        "/api/v1/reports/export.csv",
        "/api/v1/reports/backlog.csv",
        "/console/queue/export.csv?tab=all",
        "/console/assets/export.csv",
        "/console/admin/audit/export.csv",
        "/console/reports/export",
        "/console/reports/backlog",
    ],
)
async def test_who_only_looks_whether_an_export_is_there_has_exported_nothing(
    desk: Desk, api: Api, path: str
) -> None:
    client = await api(Role.ADMIN, "admin@example.org")
    asked = client if path.startswith("/api") else (await signed_in(desk, "Lea", Role.ADMIN)).client
    answer = await asked.head(path)
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert ".csv" in answer.headers["content-disposition"]
    assert "content-length" not in answer.headers
    done = [one["action"] for one in (await client.get("/api/v1/audit")).json()["items"]]
    assert not [action for action in done if action.endswith("exported")]


async def test_the_audit_log_says_which_tickets_were_exported(desk: Desk, api: Api) -> None:
    client = await api(Role.ADMIN, "admin@example.org")
    await filled(desk, client)
    team = (await client.post("/api/v1/teams", json={"name": "Network"})).json()["id"]
    (serial, *_) = (await client.get("/api/v1/categories")).json()["items"][0]["fields"]
    held = {"field": serial["id"], "comparison": "filled", "value": ""}
    body = {"name": "Laptops", "filter": {"statuses": ["new"], "fields": [held]}}
    view = (await client.post("/api/v1/views", json=body)).json()["id"]
    ana = await signed_in(desk, "Ana", Role.ADMIN, "es")
    asked = {"status": "new", "q": "help", f"field.{serial['id']}.filled": "true"}
    await ana.see("/console/queue/export.csv?tab=mine")
    await ana.see(f"/console/queue/export.csv?tab=team-{team}")
    await ana.see("/console/queue/export.csv?tab=team-" + view, status=404)
    await client.get(f"/api/v1/views/{view}/export.csv")
    await client.get("/api/v1/tickets/export.csv", params=asked)
    listed, viewed, of_team, mine = (await client.get("/api/v1/audit")).json()["items"][:4]
    keys = ("subject_kind", "subject_id", "subject_name")
    assert [mine[key] for key in keys] == ["tab", "mine", "mine"]
    assert [of_team[key] for key in keys] == ["team", team, "Network"]
    assert [viewed[key] for key in keys] == ["view", view, "Laptops"]
    fields = [held | {"field": f"field:{serial['id']}"}]
    assert viewed["new"] == {"tickets": 1, "statuses": ["new"], "fields": fields}
    assert listed["new"] == {"tickets": 0, "statuses": ["new"], "words": "help", "fields": fields}
    page = re.sub(r"<[^>]+>", "", await ana.see("/console/admin/audit"))
    assert "Ana guardó tickets como tabla: Míos" in page
    assert "Ana guardó tickets como tabla: Network" in page


async def test_the_order_and_the_part_of_a_list_are_no_parameters_of_its_export(
    desk: Desk, api: Api
) -> None:
    client = await api(Role.ADMIN, "admin@example.org")
    paths = (await client.get("/api/openapi.json")).json()["paths"]
    taken = {one["name"] for one in paths["/api/v1/tickets/export.csv"]["get"]["parameters"]}
    listed = {one["name"] for one in paths["/api/v1/tickets"]["get"]["parameters"]}
    assert listed - taken == {"sort", "cursor", "limit"}
