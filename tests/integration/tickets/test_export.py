"""Tickets are saved as a table: a line for each, a column for each custom field."""

from __future__ import annotations

import csv
import io
from typing import Any

from httpx import AsyncClient

from core.domain.actor import Role
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
