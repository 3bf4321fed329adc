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
        "changed": 0,
        "unchanged": 2,
        "left_out": 0,
        "problems": [],
        "ignored": [],
    }
    agent = await api()
    assert (await agent.get("/api/v1/assets/export.csv")).status_code == 403
    auditor = await api(Role.AUDITOR, "aud@example.org")
    assert (await auditor.get("/api/v1/assets/export.csv")).text == answer.text
    entries = (await auditor.get("/api/v1/audit?action=assets.exported")).json()["items"]
    assert [one["new"] for one in entries] == [{"assets": 2}] * 2


async def test_what_a_table_changes_is_in_the_audit_log_asset_by_asset(
    desk: Desk, api: Api
) -> None:
    await desk.queued(who="ada")
    lead = await api(Role.LEAD, "lea@example.org")
    first = {"tag": "L-1", "model": "T14", "owner": "ada@example.org"}
    assert (await lead.post("/api/v1/assets", json=first)).status_code == 201
    lines = (
        "Tag,Model,Owner",
        "l-1,T15,ADA@example.org",  # capitals are the same, in tags and addresses
        "L-2,T16,",
        "l-2,T17,",  # a second line about it, of the same table
        "L-3,,nobody@example.org",
        "l-2,T17,",
    )
    answer = await lead.post("/api/v1/assets/import", content="\n".join(lines))
    done = answer.json()
    counts = [done[name] for name in ("added", "changed", "unchanged", "left_out")]
    assert counts == [1, 2, 1, 1]
    assert done["problems"] == [
        {"line": 5, "problem": "there is no requester with this e-mail address"}
    ]
    auditor = await api(Role.AUDITOR, "aud@example.org")
    entries = (await auditor.get("/api/v1/audit?action=asset.")).json()["items"]
    told = [(one["action"], one["subject_name"], one["new"]) for one in reversed(entries)][1:]
    assert told[-1] == ("asset.imported", "table", {"added": 1, "changed": 2, "left out": 1})
    assert [(action, name, new.get("model")) for action, name, new in told[:-1]] == [
        ("asset.changed", "l-1", "T15"),
        ("asset.added", "L-2", "T16"),
        ("asset.changed", "l-2", "T17"),
    ]


async def test_a_table_as_long_as_the_one_that_is_given_out_is_taken(api: Api) -> None:
    lead = await api(Role.LEAD, "lea@example.org")
    lines = (f"L-{n},{'the long words that people write ' * 150}" for n in range(300))
    table = "\n".join(["Tag,Notes", *lines])
    assert len(table) > 1024 * 1024
    done = (await lead.post("/api/v1/assets/import", content=table)).json()
    assert (done["added"], done["left_out"]) == (300, 0)


async def test_what_alone_changes_in_an_assets_notes_is_in_the_audit_log(api: Api) -> None:
    lead = await api(Role.LEAD, "lea@example.org")
    asset = {"tag": "L-1", "notes": "In the cupboard"}
    made = (await lead.post("/api/v1/assets", json=asset)).json()
    changed = await lead.put(f"/api/v1/assets/{made['id']}", json=asset | {"notes": "Lent"})
    assert changed.status_code == 200
    auditor = await api(Role.AUDITOR, "aud@example.org")
    entry = (await auditor.get("/api/v1/audit?action=asset.changed")).json()["items"][0]
    assert (entry["old"], entry["new"]) == ({"notes": "In the cupboard"}, {"notes": "Lent"})


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
