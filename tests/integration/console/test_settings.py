"""Settings, roles, the audit log, and the requester's survey page."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from core.domain.actor import Role
from core.domain.ids import new_id
from core.domain.satisfaction import SurveyStatus
from core.services.satisfaction.links import SurveyLinks
from core.storage.tables import Satisfaction, Ticket
from tests.integration.console.browser import signed_in
from tests.integration.console.world import Desk

RULES = "/console/admin/satisfaction"


@pytest.mark.parametrize(
    ("role", "sees"),
    [
        (Role.LEAD, {RULES: 200, "/console/admin/audit": 403, "/console/admin/agents": 403}),
        (Role.AUDITOR, {RULES: 403, "/console/admin/audit": 200, "/console/admin/agents": 403}),
        (Role.ADMIN, {RULES: 200, "/console/admin/audit": 200, "/console/admin/agents": 200}),
    ],
)
async def test_each_role_sees_the_settings_that_are_its_own(
    desk: Desk, role: Role, sees: dict[str, int]
) -> None:
    browser = await signed_in(desk, role.title(), role)
    front = await browser.see("/console/settings")
    for path, status in sees.items():
        await browser.see(path, status)
        assert (f'href="{path}"' in front) == (status == 200)


async def test_agents_have_no_settings(desk: Desk) -> None:
    browser = await signed_in(desk, "Agent", Role.AGENT)
    assert "/console/settings" not in await browser.see("/console/queue")
    await browser.see("/console/settings", 403)


async def test_auditors_change_nothing_but_their_own(desk: Desk) -> None:
    browser = await signed_in(desk, "Auditor", Role.AUDITOR)
    assert (await browser.send("/console/tickets/1/take")).status_code == 403
    assert (await browser.send("/console/language", language="es")).status_code == 303


async def test_a_change_of_rules_is_in_the_audit_log(desk: Desk) -> None:
    browser = await signed_in(desk, "Admin", Role.ADMIN)
    await browser.see(RULES)
    wrong = await browser.send(RULES, lasts="24", remind_after="48", low_score="2")
    assert wrong.status_code == 422
    assert "The reminder comes before the survey ends" in wrong.text
    kept = await browser.send(RULES, is_on="yes", lasts="240", remind_after="", low_score="3")
    assert kept.status_code == 303
    listed = await browser.see("/console/admin/audit")
    assert "satisfaction.rules_changed" in listed
    assert "10 days" in listed  # of 240 hours
    assert "Nothing was found" in await browser.see("/console/admin/audit?q=nobody+did+this")


async def _survey(desk: Desk) -> str:
    """Have a requester asked; return the path of the survey's page."""
    await desk.queued("my screen is broken")
    name = new_id()
    async with desk.sessions.begin() as session:
        ticket = (await session.scalars(select(Ticket))).one()
        session.add(
            Satisfaction(
                id=name,
                ticket_id=ticket.id,
                contact_id=ticket.contact_id,
                status=SurveyStatus.ASKED,
                asked_at=desk.clock(),
                expires_at=desk.clock() + timedelta(days=14),
            )
        )
    return SurveyLinks(b"key", "").link(name)


async def test_a_program_that_follows_every_link_does_not_vote(desk: Desk) -> None:
    path = await _survey(desk)
    async with desk.client() as client:
        for score in ("1", "5", "6", "x", ""):
            assert (await client.get(f"{path}?score={score}")).status_code == 200
        assert (await client.get("/survey/forged")).status_code == 404
    async with desk.sessions() as session:
        assert (await session.scalars(select(Satisfaction.score))).all() == [None]


async def test_a_requester_answers_on_the_page_and_agents_read_it(desk: Desk) -> None:
    path, spoken = await _survey(desk), "<b>slow</b> but kind"
    async with desk.client() as client:
        assert (await client.post(path, data={"comment": "no score"})).status_code == 422
        kept = await client.post(path, data={"score": "2", "comment": spoken})
        assert "Thank you" in kept.text
        assert spoken not in kept.text
    browser = await signed_in(desk, "Agent", Role.AGENT)
    shown = await browser.see("/console/tickets/1001")
    assert "The requester gave 2 of 5" in shown
    assert "&lt;b&gt;slow&lt;/b&gt; but kind" in shown
    token = await desk.access.create_token("agent@example.org", Role.AGENT)
    async with desk.client(authorization=f"Bearer {token}") as client:
        listed = (await client.get("/api/v1/satisfaction")).json()
    assert [(a["ticket"], a["score"], a["comment"]) for a in listed["items"]] == [(1001, 2, spoken)]
