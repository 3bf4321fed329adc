"""Calendars, policies and the closing rule, by their pages and by the API."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from core.domain.actor import Role
from core.domain.ids import new_id
from core.domain.ticket import Priority
from core.storage.tables import SlaClock, SlaTicket, Ticket
from tests.integration.console.api import Api, assert_problem
from tests.integration.console.browser import PASSWORD, Browser
from tests.integration.console.world import Desk

WEEK = {f"day{number}": "09:00-17:00" for number in range(5)}
OFFICE: dict[str, Any] = {
    "name": "Office",
    "zone": "Europe/Madrid",
    "week": ["09:00-13:00, 14:00-18:00"] * 5 + ["", ""],
    "country": "ES",
    "region": "MD",
    "own_days": [{"day": "2030-12-24", "hours": "09:00-13:00", "name": "Nochebuena"}],
}


async def _lead(desk: Desk, email: str = "root@example.org", role: Role = Role.ADMIN) -> Browser:
    agent = await desk.agent(email, role=role)
    await desk.access.passwords.set(agent.id, PASSWORD)
    return await Browser.signed_in(desk, email)


async def test_an_admin_makes_a_calendar_and_a_policy_that_counts_by_it(desk: Desk) -> None:
    browser = await _lead(desk)
    await browser.see("/console/admin/calendars/new")
    made = await browser.send(
        "/console/admin/calendars/new",
        form={**WEEK, "own_days": "2030-12-24 09:00-13:00 Nochebuena\n2030-12-31 closed Fin"},
        name="Office",
        zone="Europe/Madrid",
        country="ES",
        region="MD",
    )
    assert made.status_code == 303, made.text
    page = await browser.see("/console/admin/calendars")
    (calendar,) = re.findall(r'calendars/([0-9a-f-]{36})"', page)
    assert "Spain, Madrid" in page
    form = await browser.see(f"/console/admin/calendars/{calendar}")
    assert "2030-12-24 09:00-13:00 Nochebuena\n2030-12-31 Fin" in form
    await browser.see("/console/admin/policies/new")
    answer = await browser.send(
        "/console/admin/policies/new",
        form={"first_response.hours": "1", "resolution.hours": "8", "priorities": "urgent"},
        name="Urgent",
        calendar=calendar,
        warn_percent="75",
    )
    assert answer.status_code == 303, answer.text
    listed = await browser.see("/console/admin/policies")
    assert "Urgent" in listed
    assert "First response: 1 h" in listed


async def test_a_policy_below_one_for_every_ticket_is_said_never_to_be_used(desk: Desk) -> None:
    browser = await _lead(desk)
    await browser.see("/console/admin/policies/new")
    for name, more in (("Usual", {}), ("Urgent", {"priorities": "urgent"})):
        made = await browser.send(
            "/console/admin/policies/new",
            form={"resolution.hours": "8", **more},
            name=name,
            warn_percent="75",
        )
        assert made.status_code == 303, made.text
    never = "Never used: “Usual” above fits every ticket."
    listed = await browser.see("/console/admin/policies")
    assert listed.count(never) == 1
    (last,) = re.findall(r'policies/([0-9a-f-]{36})">Urgent<', listed)
    await browser.send(f"/console/admin/policies/{last}/move", where="up")
    assert never not in await browser.see("/console/admin/policies")


async def test_a_calendar_that_cannot_be_is_shown_again_with_what_is_wrong(desk: Desk) -> None:
    browser = await _lead(desk)
    await browser.see("/console/admin/calendars/new")
    answer = await browser.send(
        "/console/admin/calendars/new", name="Nights", zone="Europe/Madrid", day0="22:00-06:00"
    )
    assert answer.status_code == 422
    assert "split at 24:00" in answer.text
    assert 'value="22:00-06:00"' in answer.text


async def test_a_preview_tells_the_days_ahead_and_when_a_ticket_would_be_due(desk: Desk) -> None:
    browser = await _lead(desk)
    await browser.see("/console/admin/calendars/new")
    days = await browser.send(
        "/console/admin/calendars/preview",
        form={f"day{number}": "00:00-24:00" for number in range(7)},
        htmx=True,
        name="Always",
        zone="UTC",
    )
    assert "Open now" in days.text
    due = await browser.send(
        "/console/admin/policies/preview",
        form={"resolution.hours": "2"},
        htmx=True,
        name="Any",
        warn_percent="80",
    )
    assert "Resolution" in due.text
    assert "<time" in due.text


async def test_the_closing_rule_is_set_on_its_page(desk: Desk) -> None:
    browser = await _lead(desk, "lead@example.org", Role.LEAD)
    await browser.see("/console/admin/closing")
    wrong = await browser.send(
        "/console/admin/closing", remind_after_days="9", solve_after_days="3"
    )
    assert wrong.status_code == 422
    assert "The reminder comes before the end" in wrong.text
    right = await browser.send(
        "/console/admin/closing", remind_after_days="3", solve_after_days="9"
    )
    assert right.status_code == 303
    assert 'value="9"' in await browser.see("/console/admin/closing")


async def test_agents_do_not_set_what_is_promised_and_auditors_only_read_it(desk: Desk) -> None:
    agent = await _lead(desk, "ana@example.org", Role.AGENT)
    await agent.see("/console/admin/policies", 403)
    auditor = await _lead(desk, "eva@example.org", Role.AUDITOR)
    await auditor.see("/console/admin/policies")
    refused = await auditor.send("/console/admin/closing", close_after_days="3")
    assert refused.status_code == 403


async def test_a_calendar_by_the_api_with_its_entity_tag(api: Api) -> None:
    client = await api(Role.LEAD)
    made = await client.post("/api/v1/calendars", json=OFFICE)
    assert made.status_code == 201, made.text
    calendar, tag = made.json(), made.headers["etag"]
    assert calendar["is_default"] is True
    path = f"/api/v1/calendars/{calendar['id']}"
    changed = await client.put(
        path, json=OFFICE | {"name": "Head office"}, headers={"If-Match": tag}
    )
    assert changed.status_code == 200, changed.text
    assert changed.headers["etag"] != tag
    assert_problem(await client.put(path, json=OFFICE, headers={"If-Match": tag}), 412)
    assert_problem(await client.put(path, json=OFFICE, headers={"If-Match": "7"}), 422)
    assert (await client.delete(path)).status_code == 204
    assert_problem(await client.get(path), 404)


@pytest.mark.parametrize(
    "wrong",
    [
        {"zone": "Mars/Olympus"},
        {"week": ["18:00-09:00"] * 7},
        {"week": [""] * 7},
        {"week": ["09:00-17:00"] * 6},
        {"country": "ZZ"},
        {"own_days": [{"day": "2030-02-30"}]},
        {"name": ""},
    ],
)
async def test_impossible_calendars_are_refused_by_the_api(api: Api, wrong: dict[str, Any]) -> None:
    client = await api(Role.LEAD)
    assert_problem(await client.post("/api/v1/calendars", json=OFFICE | wrong), 422)


async def test_policies_by_the_api_in_their_order(api: Api) -> None:
    client = await api(Role.LEAD)
    ids = []
    for name, priorities in (("usual", []), ("urgent", ["urgent"])):
        made = await client.post(
            "/api/v1/sla-policies",
            json={
                "name": name,
                "targets": {"resolution": 480},
                "conditions": {"priorities": priorities},
            },
        )
        assert made.status_code == 201, made.text
        ids.append(made.json()["id"])
    ordered = await client.put("/api/v1/sla-policies/order", json={"order": ids[::-1]})
    assert [each["name"] for each in ordered.json()["items"]] == ["urgent", "usual"]
    gone = await client.delete(f"/api/v1/sla-policies/{ids[0]}")
    assert gone.status_code == 204
    assert_problem(await client.get(f"/api/v1/sla-policies/{ids[0]}"), 404)
    assert_problem(
        await client.post("/api/v1/sla-policies", json={"name": "none", "targets": {}}), 422
    )
    assert_problem(
        await client.post(
            "/api/v1/sla-policies", json={"name": "x", "targets": {"resolution": 10**12}}
        ),
        422,
    )


async def test_agents_read_rules_and_clocks_and_change_none(desk: Desk, api: Api) -> None:
    client = await api(Role.AGENT)
    assert (await client.get("/api/v1/calendars")).json()["items"] == []
    assert_problem(await client.post("/api/v1/calendars", json=OFFICE), 403)
    assert_problem(await client.put("/api/v1/closing-rule", json={}), 403)
    assert (await client.get("/api/v1/closing-rule")).json()["close_after_days"] is None
    await desk.queued("The VPN is broken")
    promised = await client.get("/api/v1/tickets/1001/promises")
    assert promised.json()["clocks"] == []
    assert (await client.get("/api/v1/tickets/1001")).json()["sla_due_at"] is None


async def test_what_is_due_first_stands_first_and_says_how_long_is_left(desk: Desk) -> None:
    browser = await _lead(desk)
    now = desk.clock()
    for number, (left, words) in enumerate(
        ((None, "no promise"), (3 * 3600, "three hours"), (-1800, "too late"))
    ):
        await desk.queued(words, thread=f"t{number}", who=f"u{number}")
        if left is not None:
            async with desk.sessions.begin() as session:
                await session.execute(
                    update(Ticket)
                    .where(Ticket.subject == words)
                    .values(sla_due_at=now + timedelta(seconds=left), sla_due_kind="resolution")
                )
    shown = await browser.see("/console/queue?tab=unassigned")
    order = re.findall(r'class="subject">([^<]+)<', shown)
    assert order == ["too late", "three hours", "no promise"]
    assert "30 min late" in shown
    assert "3 hr left" in shown


async def test_what_a_calendar_comes_to_is_told_beforehand(api: Api) -> None:
    client = await api(Role.LEAD)
    office = OFFICE | {"own_days": [{"day": "2030-03-04", "hours": ""}]}
    made = await client.post("/api/v1/calendars", json=office)
    assert made.status_code == 201, made.text
    path = f"/api/v1/calendars/{made.json()['id']}"
    friday = {"start": "2030-03-01T17:00:00+01:00"}
    shown = await client.get(f"{path}/windows", params=friday | {"days": 5})
    assert shown.status_code == 200, shown.text
    assert shown.json()["windows"] == [  # the Monday is closed
        {"opens": "2030-03-01T16:00:00Z", "closes": "2030-03-01T17:00:00Z"},
        {"opens": "2030-03-05T08:00:00Z", "closes": "2030-03-05T12:00:00Z"},
        {"opens": "2030-03-05T13:00:00Z", "closes": "2030-03-05T17:00:00Z"},
        {"opens": "2030-03-06T08:00:00Z", "closes": "2030-03-06T12:00:00Z"},
        {"opens": "2030-03-06T13:00:00Z", "closes": "2030-03-06T16:00:00Z"},
    ]
    due = await client.get(f"{path}/due", params=friday | {"minutes": 120})
    assert (due.json()["is_open"], due.json()["due_at"]) == (True, "2030-03-05T09:00:00Z")
    for wrong in ({"start": "2030-03-01T17:00"}, {"start": "9999-12-31T23:59:59-14:00"}):
        assert_problem(await client.get(f"{path}/windows", params=wrong), 422)
        assert_problem(await client.get(f"{path}/due", params=wrong | {"minutes": 1}), 422)
    nowhere = f"/api/v1/calendars/{new_id()}"
    assert_problem(await client.get(f"{nowhere}/windows"), 404)


async def test_a_ticket_tells_which_policy_it_falls_under_and_why(desk: Desk, api: Api) -> None:
    client = await api(Role.LEAD)
    await desk.queued(priority=Priority.HIGH)

    async def tried() -> tuple[str | None, list[tuple[str, list[str]]]]:
        trial = (await client.get("/api/v1/tickets/1001/policy")).json()
        looked_at = [(one["name"], one["misfits"]) for one in trial["considered"]]
        return trial["policy"] and looked_at[-1][0], looked_at

    assert await tried() == (None, [])
    wanted = {
        "Urgent letters": {"priorities": ["urgent"], "channels": ["email"]},
        "High": {"priorities": ["high"]},
        "All": {},
    }
    for name, conditions in wanted.items():
        policy = {"name": name, "conditions": conditions, "targets": {"resolution": 60}}
        assert (await client.post("/api/v1/sla-policies", json=policy)).status_code == 201
    refused = ("Urgent letters", ["priorities", "channels"])
    assert await tried() == ("High", [refused, ("High", [])])


async def test_a_promise_that_was_broken_without_an_answer_is_not_said_to_be_kept_late(
    desk: Desk,
) -> None:
    await desk.queued()
    async with desk.sessions.begin() as session:
        ticket = (await session.scalars(select(Ticket))).one()
        await session.merge(SlaTicket(ticket_id=ticket.id, asked_at=ticket.created_at))
        session.add(
            SlaClock(
                ticket_id=ticket.id,
                kind="first_response",
                round=1,
                target_seconds=3_600,
                started_at=ticket.created_at,
                spent_seconds=10_800,
                breached_at=desk.clock(),
                met_at=desk.clock(),
            )
        )
    browser = await _lead(desk)
    page = await browser.see("/console/tickets/1001")
    assert '<span class="due late">ended without an answer</span>' in page
    async with desk.sessions.begin() as session:
        await session.execute(update(Ticket).values(first_response_at=desk.clock()))
    page = await browser.see("/console/tickets/1001")
    assert "ended without an answer" not in page
    assert "late, 3 hr in all" in page
