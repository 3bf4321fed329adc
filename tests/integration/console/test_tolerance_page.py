"""The assistant's tolerance: admins set it in words, leads and auditors see what it would mean."""

from __future__ import annotations

from sqlalchemy import insert, select

from core.domain.actor import Role
from core.storage.tables import AuditEntry, OwnFinding
from tests.integration.console.api import Api
from tests.integration.console.browser import signed_in
from tests.integration.console.world import Desk

PAGE = "/console/assistant/tolerance"
API = "/api/v1/assistant/tolerance"


async def questions_were_asked(desk: Desk) -> None:
    """Keep what forty questions of a base found, and what they found without their article."""
    rows = [
        {
            "place": place,
            "language": "en",
            "scores": [0.95, 0.02] if place % 4 else [0.5, 0.3],
            "right_at": None if place >= 40 else 0,
            "is_lost": place >= 40,
        }
        for place in range(80)
    ]
    async with desk.sessions.begin() as session:
        await session.execute(insert(OwnFinding), rows)


async def test_an_admin_sets_it_and_goes_back_to_what_is_installed(desk: Desk) -> None:
    browser = await signed_in(desk, role=Role.ADMIN)
    assert 'value="10"' in await browser.see(PAGE)
    await browser.send(PAGE, wrong_per_hundred="2,5", revision="0")
    shown = await browser.see(PAGE)
    assert 'value="2.5"' in shown
    assert "Back to 10, as installed" in shown
    await browser.send(PAGE, as_installed="yes", revision="1")
    assert 'value="10"' in await browser.see(PAGE)
    async with desk.sessions() as session:
        told = (
            await session.scalars(
                select(AuditEntry.new)
                .where(AuditEntry.action == "assistant.tolerance_changed")
                .order_by(AuditEntry.id)
            )
        ).all()
    assert told == [{"wrong_per_hundred": 2.5}, {"wrong_per_hundred": None}]


async def test_what_is_no_number_of_answers_is_told_and_kept_in_the_form(desk: Desk) -> None:
    browser = await signed_in(desk, role=Role.ADMIN)
    for wrong in ("0", "100", "a few", "nan"):
        answer = await browser.send(PAGE, wrong_per_hundred=wrong)
        assert answer.status_code == 422
        assert "more than 0 and less than 100" in answer.text
        assert f'value="{wrong}"' in answer.text


async def test_what_somebody_else_changed_meanwhile_is_not_overwritten(desk: Desk) -> None:
    browser = await signed_in(desk, role=Role.ADMIN)
    await browser.send(PAGE, wrong_per_hundred="3", revision="0")
    late = await browser.send(PAGE, wrong_per_hundred="4", revision="0")
    assert late.status_code == 412
    assert "changed this meanwhile" in late.text
    assert "<li>Tolerance</li>" in late.text
    assert 'value="4"' in late.text
    assert (await desk.knowledge.tolerance.get()).set_to == 3
    await browser.send(PAGE, wrong_per_hundred="4", revision="1")
    assert (await desk.knowledge.tolerance.get()).set_to == 4


async def test_a_lead_sees_it_and_sets_nothing(desk: Desk) -> None:
    browser = await signed_in(desk, role=Role.LEAD)
    shown = await browser.see(PAGE)
    assert "at most 10 may be wrong" in shown
    assert 'name="wrong_per_hundred"' not in shown
    assert (await browser.send(PAGE, wrong_per_hundred="3")).status_code == 403


async def test_programs_set_it_under_its_tag(desk: Desk, api: Api) -> None:
    client = await api(Role.ADMIN)
    read = await client.get(API)
    assert read.json() == {"wrong_per_hundred": 10.0, "installed": 10.0, "set": False}
    match = {"If-Match": read.headers["etag"]}
    changed = await client.put(API, json={"wrong_per_hundred": 5}, headers=match)
    assert changed.json() == {"wrong_per_hundred": 5.0, "installed": 10.0, "set": True}
    assert (await client.put(API, json={"wrong_per_hundred": 6}, headers=match)).status_code == 412
    assert (await client.put(API, json={"wrong_per_hundred": 100})).status_code == 422
    back = await client.put(API, json={"wrong_per_hundred": None})
    assert back.json()["set"] is False
    lead = await api(Role.LEAD, "leo@example.org")
    assert (await lead.put(API, json={"wrong_per_hundred": 5})).status_code == 403


async def test_the_outlook_has_a_row_for_each_tolerance_and_the_one_that_counts(
    desk: Desk, api: Api
) -> None:
    client = await api(Role.ADMIN)
    assert (await client.get(f"{API}/outlook")).json()["together"] == []
    await questions_were_asked(desk)
    await client.put(API, json={"wrong_per_hundred": 7})
    found = (await client.get(f"{API}/outlook")).json()
    assert [row["wrong_per_hundred"] for row in found["together"]] == [1, 2, 3, 5, 7, 10]
    assert [row["answered_right"] for row in found["together"]] == [0, 0, 0, 0, 30, 30]
    assert found["together"][-1]["lost_answered"] == 30
    assert (found["questions"], found["measurable"]) == (40, False)
