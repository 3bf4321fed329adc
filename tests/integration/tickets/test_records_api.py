"""Programs read a requester's record, part contacts again, and take tables out of the desk."""

from __future__ import annotations

import csv
import io

import httpx
import pytest

from core.domain.actor import Role
from tests.integration.console.api import Api
from tests.integration.console.world import Desk


async def called(client: httpx.AsyncClient, name: str) -> str:
    """Return the id of the one requester of a name."""
    (found,) = (await client.get("/api/v1/requesters", params={"q": name})).json()["items"]
    return str(found["id"])


async def test_a_record_tells_what_it_takes_to_part_contacts_again(desk: Desk, api: Api) -> None:
    await desk.queued(who="ada")
    await desk.queued(thread="t2", who="eve")
    client = await api()
    ada, eve = await called(client, "ada"), await called(client, "eve")
    place = f"/api/v1/requesters/{ada}"
    await client.post(f"{place}/merges", json={"other": eve})
    record = (await client.get(place)).json()
    assert record["tickets"] == 2
    addresses = [(one["address"], one["verified_email"]) for one in record["addresses"]]
    assert addresses == [("ada", "ada@example.org"), ("eve", "eve@example.org")]
    (merge,) = record["merges"]
    assert (merge["other"], merge["name"]) == (eve, "Eve")
    assert (await client.get(f"/api/v1/requesters/{eve}")).json()["merged_into"] == ada
    assert (await client.delete(f"{place}/merges/{merge['id']}")).status_code == 204
    record = (await client.get(place)).json()
    assert (record["tickets"], record["merges"]) == (1, [])
    assert [one["address"] for one in record["addresses"]] == ["ada"]


async def test_assets_are_listed_by_owner_and_given_out_as_a_table(desk: Desk, api: Api) -> None:
    await desk.queued(who="ada")
    lead = await api(Role.LEAD, "lea@example.org")
    for asset in (
        {"tag": "L-1", "model": "=cmd()", "owner": "ada@example.org"},
        {"tag": "L-2"},
    ):
        assert (await lead.post("/api/v1/assets", json=asset)).status_code == 201
    owned = await lead.get("/api/v1/assets", params={"owner": await called(lead, "ada")})
    assert [one["tag"] for one in owned.json()["items"]] == ["L-1"]
    answer = await lead.get("/api/v1/assets/export.csv")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    assert [(row["Tag"], row["Model"]) for row in rows] == [("L-2", ""), ("L-1", "'=cmd()")]
    again = await lead.post("/api/v1/assets/import", content=answer.content)
    assert again.json() == {
        "added": 0,
        "changed": 2,
        "left_out": 0,
        "problems": [],
        "ignored": [],
    }
    agent = await api()
    assert (await agent.get("/api/v1/assets/export.csv")).status_code == 403
    auditor = await api(Role.AUDITOR, "aud@example.org")
    entries = (await auditor.get("/api/v1/audit?action=assets.exported")).json()["items"]
    assert [one["new"] for one in entries] == [{"assets": 2}]


@pytest.mark.parametrize("what", ["organisations", "plans"])
async def test_what_was_archived_is_put_back(desk: Desk, api: Api, what: str) -> None:
    lead, agent = await api(Role.LEAD, "lea@example.org"), await api()
    made = (await lead.post(f"/api/v1/{what}", json={"name": "Acme"})).json()
    place = f"/api/v1/{what}/{made['id']}"
    await lead.delete(place)
    assert (await agent.post(f"{place}/restore")).status_code == 403
    restored = await lead.post(f"{place}/restore")
    assert (restored.status_code, restored.json()["archived"]) == (200, False)
    listed = (await agent.get(f"/api/v1/{what}")).json()
    assert [one["id"] for one in listed["items"]] == [made["id"]]
