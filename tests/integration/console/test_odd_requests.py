"""Pages answer what no form of theirs sends with an error that says so, and never break over it."""

from __future__ import annotations

import pytest

from core.domain.actor import Role
from tests.integration.console.api import Api
from tests.integration.console.browser import signed_in
from tests.integration.console.world import Desk

ID = "00000000-0000-0000-0000-000000000001"

ADDRESSES = [
    ("/console/assistant/versions/999999999999999999999999999999", 422),
    ("/console/admin/channels/%00", 404),
    ("/console/admin/guides/%00", 404),
    (f"/console/admin/guides/{'a' * 5_000}", 404),
    ("/console/admin/guides/%2e%2e/README.md", 404),
    (f"/console/admin/audit?before={'9' * 30}", 422),
    ("/console/reports?to=9999-12-31", 422),
    ("/console/reports/export?to=9999-12-31", 422),
]


async def test_addresses_that_no_page_leads_to(desk: Desk, subtests: pytest.Subtests) -> None:
    browser = await signed_in(desk, role=Role.ADMIN)
    for path, status in ADDRESSES:
        with subtests.test(path=path[:60]):
            assert (await browser.client.get(path)).status_code == status


async def test_a_browser_in_a_zone_that_is_not_known_reads_times_in_utc(desk: Desk) -> None:
    browser = await signed_in(desk)
    browser.client.cookies.set("desk_zone", "Etc/Unknown")
    await browser.see("/console/queue")


FORMS = [
    f"/console/assets/{ID}",
    f"/console/admin/categories/{ID}",
    f"/console/admin/calendars/{ID}",
    "/console/admin/calendars/preview",
    f"/console/admin/policies/{ID}",
    f"/console/admin/plans/{ID}",
]


@pytest.mark.parametrize("revision", ["9" * 5_000, "\u00b2", "-1"])
async def test_a_revision_that_is_none(
    desk: Desk, revision: str, subtests: pytest.Subtests
) -> None:
    browser = await signed_in(desk, role=Role.ADMIN)
    for path in FORMS:
        with subtests.test(path=path):
            assert (await browser.send(path, revision=revision)).status_code < 500


async def test_a_file_that_comes_as_a_form_is_refused(desk: Desk) -> None:
    browser = await signed_in(desk)
    assert (await browser.send("/console/files", file="words")).status_code == 403


@pytest.mark.parametrize("number", [10**400, -(10**400)], ids=["large", "small"])
async def test_a_number_that_no_field_holds_is_refused(desk: Desk, api: Api, number: int) -> None:
    client = await api(role=Role.ADMIN, email="admin@example.org")
    made = (await client.post("/api/v1/categories", json={"name": "Laptop"})).json()
    place = f"/api/v1/categories/{made['id']}/fields"
    made = (await client.post(place, json={"label": "Floor", "kind": "number"})).json()
    await desk.queued("Matter")
    body = {"category": made["id"], "fields": {made["fields"][0]["id"]: number}}
    answer = await client.patch("/api/v1/tickets/1001", json=body)
    assert answer.status_code == 422
    assert "Floor" in answer.text
