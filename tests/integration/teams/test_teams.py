"""Teams, who is in them, what agents can be given, and what of it is audited."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from core.domain.actor import Role
from core.domain.ids import ArticleId
from core.domain.knowledge import Article
from core.domain.teams import SILENCE, Presence, leads_back, level_that_serves
from core.storage.queries.teams.teams import crew
from core.storage.tables import AuditEntry
from tests.integration.console.api import Api
from tests.integration.console.browser import PASSWORD, Browser
from tests.integration.console.world import Desk


async def _audited(desk: Desk) -> list[str]:
    async with desk.sessions() as session:
        return list(await session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)))


async def _presence(desk: Desk) -> dict[str, Presence]:
    async with desk.sessions() as session:
        return {agent.name: agent.presence for agent in await crew(session, desk.clock())}


@pytest.mark.parametrize(
    ("levels", "wanted", "serves"),
    [((1, 2), 1, 1), ((2, 3), 1, 2), ((1, 2), 3, 2), ((), 1, None), ((1, 3), 2, 3)],
)
def test_a_level_that_nobody_has_is_served_by_the_next(
    levels: tuple[int, ...], wanted: int, serves: int | None
) -> None:
    assert level_that_serves(levels, wanted) == serves


def test_a_circle_of_teams_is_seen() -> None:
    assert leads_back({"a": "b", "b": "a"}, "a")
    assert not leads_back({"a": "b", "b": None}, "a")


async def test_a_team_is_set_up_over_the_api_and_every_step_is_audited(
    desk: Desk, api: Api
) -> None:
    boss = await api(Role.ADMIN, "boss@example.org")
    await desk.agent("ana@example.org", "Ana")
    made = await boss.post("/api/v1/teams", json={"name": " Help  desk ", "strategy": "manual"})
    assert made.status_code == 201, made.text
    assert made.json()["name"] == "Help desk"
    assert (await boss.post("/api/v1/teams", json={"name": "Network"})).status_code == 201
    twice = await boss.post("/api/v1/teams", json={"name": "network"})
    assert twice.status_code == 409
    team = {
        "name": "Help desk",
        "strategy": "round_robin",
        "escalates_to": "Network",
        "patience": [{"level": 1, "untouched_minutes": 30}],
    }
    changed = await boss.put("/api/v1/teams/help desk", json=team)
    assert changed.json()["escalates_to"]["name"] == "Network"
    circle = await boss.put(
        "/api/v1/teams/Network", json={"name": "Network", "escalates_to": "Help desk"}
    )
    assert (circle.status_code, circle.json()["detail"]) == (
        422,
        "tickets would go round in a circle",
    )
    put = await boss.put(
        "/api/v1/teams/Help desk/members/ana@example.org", json={"level": 2, "lead": True}
    )
    assert [(m["name"], m["level"], m["lead"]) for m in put.json()["members"]] == [("Ana", 2, True)]
    refused = await boss.post("/api/v1/teams/Network/archive")
    assert refused.status_code == 409  # the help desk still leads there
    gone = await boss.delete("/api/v1/teams/Help desk/members/ana@example.org")
    assert gone.status_code == 204
    assert [action for action in await _audited(desk) if action.startswith("team.")] == [
        "team.created",
        "team.created",
        "team.changed",
        "team.member_added",
        "team.member_removed",
    ]


async def test_leads_change_their_own_teams_only(desk: Desk, api: Api) -> None:
    boss = await api(Role.ADMIN, "boss@example.org")
    lead = await api(Role.LEAD, "lea@example.org")
    agent = await api(Role.AGENT, "ana@example.org")
    await boss.post("/api/v1/teams", json={"name": "Network"})
    assert (await lead.post("/api/v1/teams", json={"name": "Help"})).status_code == 201
    mine = await lead.put("/api/v1/teams/Help/members/ana@example.org", json={})
    other = await lead.put("/api/v1/teams/Network/members/ana@example.org", json={})
    plain = await agent.put("/api/v1/teams/Help/members/ana@example.org", json={})
    assert (mine.status_code, other.status_code, plain.status_code) == (200, 403, 403)
    ana = await lead.patch("/api/v1/agents/ana@example.org", json={"skills": [" VPN ", "vpn"]})
    assert ana.json()["skills"] == ["vpn"]
    herself = await lead.patch("/api/v1/agents/boss@example.org", json={"capacity": 1})
    assert herself.status_code == 403
    for theirs in ({"role": "admin"}, {"name": "Eve"}, {"email": "eve@example.org"}):
        refused = await lead.patch("/api/v1/agents/ana@example.org", json=theirs)
        assert refused.status_code == 403
    renamed = await boss.patch("/api/v1/agents/ana@example.org", json={"name": " Ana  María "})
    assert (renamed.json()["name"], renamed.json()["skills"]) == ("Ana María", ["vpn"])
    assert (await boss.patch("/api/v1/agents/me", json={"email": "x"})).status_code == 422
    assert (await boss.patch("/api/v1/agents/me", json={"name": " "})).status_code == 422


async def test_presence_is_what_one_says_until_the_console_falls_silent(
    desk: Desk, api: Api
) -> None:
    ana = await api(Role.AGENT, "ana@example.org")
    assert await _presence(desk) == {"ana": Presence.OFFLINE}
    said = await ana.put("/api/v1/agents/me/presence", json={"presence": "online"})
    assert said.status_code == 200
    assert await _presence(desk) == {"ana": Presence.ONLINE}
    await ana.put("/api/v1/agents/me/presence", json={"presence": "away"})
    assert await _presence(desk) == {"ana": Presence.AWAY}
    desk.clock.advance(SILENCE + timedelta(seconds=1))
    assert await _presence(desk) == {"ana": Presence.OFFLINE}
    person = await desk.access.bearer(ana.headers["authorization"].removeprefix("Bearer "))
    assert person.agent is not None
    await desk.staffing.crew.seen(person.agent.id)
    assert await _presence(desk) == {"ana": Presence.AWAY}  # as they said before
    await desk.staffing.crew.leave(person.agent.id)
    assert await _presence(desk) == {"ana": Presence.OFFLINE}


async def test_the_pages_set_up_a_team(desk: Desk) -> None:
    boss = await desk.agent("boss@example.org", "Boss", Role.ADMIN)
    ana = await desk.agent("ana@example.org", "Ana")
    await desk.access.passwords.set(boss.id, PASSWORD)
    browser = await Browser.signed_in(desk, "boss@example.org")
    await browser.see("/console/settings/teams")
    made = await browser.send("/console/settings/teams", name="Help desk")
    assert made.status_code == 303
    place = made.headers["location"]
    form = {"name": "Help desk", "strategy": "round_robin", "untouched.1": "x"}
    wrong = await browser.send(place, form=form)
    assert (wrong.status_code, "not a whole number" in wrong.text) == (422, True)
    assert 'name="untouched.1" inputmode="numeric" pattern="[0-9]*" maxlength="6" value="x"' in (
        wrong.text
    )  # what was typed is there to be mended
    saved = await browser.send(place, form={**form, "untouched.1": "15"})
    assert "Saved." in await browser.see(saved.headers["location"])
    added = await browser.send(f"{place}/members", agent=str(ana.id), level="2", lead="yes")
    assert added.status_code == 303
    shown = await browser.see(place)
    assert 'value="15"' in shown
    agent = f"/console/settings/agents/{ana.id}"
    fields = {"skills": "vpn, sap", "languages": "es", "capacity": "4", "role": "lead"}
    wrong = await browser.send(agent, form={**fields, "languages": "español, en"})
    assert "A language is written as a code such as en or es: español" in wrong.text
    assert 'value="español, en"' in wrong.text
    named = {**fields, "name": "Ana María", "email": "Ana.Maria@example.org"}
    taken = await browser.send(agent, form={**named, "email": "boss@example.org"})
    assert (taken.status_code, "with this e-mail address already" in taken.text) == (422, True)
    assert 'value="Ana María"' in taken.text
    assert "Ana María" not in await browser.see(place)  # nothing of it was kept
    assert (await browser.send(agent, form=named)).status_code == 303
    assert "Ana María" in await browser.see(place)
    assert "ana.maria@example.org" in await browser.see("/console/admin/audit?action=agent.renamed")
    assert (await browser.send(agent, form=fields)).status_code == 303
    assert 'value="sap, vpn"' in await browser.see(agent) or "vpn, sap" in await browser.see(agent)
    there = await browser.send("/console/presence", presence="online")
    assert there.status_code == 200
    assert (await _presence(desk))["Boss"] == Presence.ONLINE


async def test_what_admins_do_elsewhere_is_audited_with_who_and_from_where(
    desk: Desk, api: Api
) -> None:
    boss = await api(Role.ADMIN, "boss@example.org")
    await desk.knowledge.create(
        Article(id=ArticleId("vpn"), language="en", title="VPN", body="Restart it.")
    )
    assert (await boss.delete("/api/v1/knowledge/articles/vpn")).status_code == 204
    ana = await desk.agent("ana@example.org", "Ana")
    conversation = await desk.says("hello")
    await desk.tickets.take_over(conversation, ana)
    assert await _audited(desk) == [
        "agent.added",
        "token.created",
        "article.deleted",
        "agent.added",
        "conversation.taken_over",
    ]
    async with desk.sessions() as session:
        deleted = await session.scalar(
            select(AuditEntry).where(AuditEntry.action == "article.deleted")
        )
    assert deleted is not None
    assert (deleted.actor.startswith("agent:"), deleted.remote) == (True, "127.0.0.1")
