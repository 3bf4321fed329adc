"""Views that agents keep, and what is done with many tickets at once."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text

from core.domain.actor import Role
from core.domain.ids import AgentId
from core.storage.queries.access.agents import agent_named
from tests.integration.console.api import Api
from tests.integration.console.browser import signed_in
from tests.integration.console.world import Desk


async def a_team(desk: Desk, *members: AgentId) -> str:
    async with desk.sessions.begin() as session:
        team = await session.scalar(
            text("INSERT INTO team (id, name) VALUES (uuidv7(), 'Network') RETURNING id")
        )
        for member in members:
            await session.execute(
                text("INSERT INTO team_member (team_id, agent_id) VALUES (:team, :agent)"),
                {"team": team, "agent": member},
            )
    return str(team)


async def test_a_view_shows_what_it_asks_for(desk: Desk, api: Api) -> None:
    await desk.queued("The printer is jammed", thread="a", who="ada")
    await desk.queued("No funciona", thread="b", who="maria", language="es")
    await desk.queued("VPN down", thread="c", who="bob")
    client = await api()
    await client.post("/api/v1/tickets/1001/take", json={})

    async def shown(**wanted: Any) -> list[int]:
        view = (
            await client.post(
                "/api/v1/views", json={"name": "v", "filter": wanted, "order": "oldest"}
            )
        ).json()
        page = (await client.get(f"/api/v1/views/{view['id']}/tickets")).json()
        if not wanted.get("words"):
            assert view["count"] == len(page["items"])
        await client.delete(f"/api/v1/views/{view['id']}")
        return [ticket["number"] for ticket in page["items"]]

    assert await shown() == [1001, 1002, 1003]
    assert await shown(languages=["es"]) == [1002]
    assert await shown(assignees=["me"]) == [1001]
    assert await shown(assignees=["nobody"]) == [1002, 1003]
    assert await shown(assignees=["me", "nobody"], languages=["en"]) == [1001, 1003]
    assert await shown(statuses=["new"], words="vpn") == [1003]
    assert await shown(promises=["none"], priorities=["normal", "high"]) == [1001, 1002, 1003]
    assert await shown(promises=["late", "soon"]) == []
    assert await shown(tags=["vip"]) == []
    assert await shown(channels=["email"]) == []


async def test_a_view_is_changed_by_who_has_read_it(desk: Desk, api: Api) -> None:
    client = await api()
    made = await client.post("/api/v1/views", json={"name": "Mine"})
    assert made.status_code == 201
    address, tag = f"/api/v1/views/{made.json()['id']}", made.headers["ETag"]
    changed = await client.put(address, json={"name": "Ours"}, headers={"If-Match": tag})
    assert changed.json()["name"] == "Ours"
    late = await client.put(address, json={"name": "Theirs"}, headers={"If-Match": tag})
    assert late.status_code == 412
    for body in (
        {"name": ""},
        {"name": "x", "filter": {"statuses": ["nonsense"]}},
        {"name": "x", "filter": {"teams": ["nonsense"]}},
        {"name": "x", "filter": {"unknown": []}},
        {"name": "x", "columns": ["due", "due"]},
        {"name": "x", "team": "01a21ae9-3d33-7441-8afe-b11b92fa65a3"},
    ):
        assert (await client.put(address, json=body)).status_code == 422, body
    other = await api(email="bea@example.org")
    assert (await other.get(address)).status_code == 404
    assert (await other.put(address, json={"name": "x"})).status_code == 404
    assert (await client.delete(address)).status_code == 204


async def test_a_view_is_shared_with_a_team_of_ones_own(desk: Desk, api: Api) -> None:
    client = await api()
    bea, lea = (
        await desk.agent("bea@example.org"),
        await desk.agent("lea@example.org", role=Role.LEAD),
    )
    team = await a_team(desk, bea.id, lea.id)
    refused = await client.post("/api/v1/views", json={"name": "x", "team": team})
    assert refused.status_code == 403
    beas, leas = await api(email=bea.email), await api(Role.LEAD, lea.email)
    made = await beas.post("/api/v1/views", json={"name": "Ours", "team": team})
    address = f"/api/v1/views/{made.json()['id']}"
    assert [view["name"] for view in (await leas.get("/api/v1/views")).json()["items"]] == ["Ours"]
    assert (await client.get("/api/v1/views")).json()["items"] == []
    assert (await leas.put(address, json={"name": "Better", "team": team})).status_code == 200
    assert (await client.delete(address)).status_code == 404


async def test_an_admin_shares_with_any_team_and_looks_after_what_is_shared(
    desk: Desk, api: Api
) -> None:
    bea = await desk.agent("bea@example.org")
    team = await a_team(desk, bea.id)
    admin, beas = await api(Role.ADMIN, "root@example.org"), await api(email=bea.email)
    made = await admin.post("/api/v1/views", json={"name": "Network", "team": team})
    assert made.status_code == 201
    shared = (await beas.get("/api/v1/views")).json()["items"]
    assert [view["name"] for view in shared] == ["Network"]
    theirs = await beas.post("/api/v1/views", json={"name": "Ours", "team": team})
    address = f"/api/v1/views/{theirs.json()['id']}"
    named = [view["name"] for view in (await admin.get("/api/v1/views")).json()["items"]]
    assert named == ["Network"]  # others' are not in an admin's own list
    assert (await admin.put(address, json={"name": "Better", "team": team})).status_code == 200
    alone = await admin.put(address, json={"name": "Better"})
    assert alone.status_code == 403  # it would be for nobody's eyes but bea's again
    assert (await beas.get(address)).json()["team"]["id"] == team
    assert (await admin.delete(address)).status_code == 204


async def test_leads_share_with_everybody(desk: Desk, api: Api) -> None:
    client = await api()
    lead = await api(Role.LEAD, "lea@example.org")
    everybody = {"name": "Outages", "is_for_all": True}
    assert (await client.post("/api/v1/views", json=everybody)).status_code == 403
    made = await lead.post("/api/v1/views", json=everybody)
    assert made.json()["is_for_all"]
    address = f"/api/v1/views/{made.json()['id']}"
    assert [v["name"] for v in (await client.get("/api/v1/views")).json()["items"]] == ["Outages"]
    assert (await client.delete(address)).status_code == 403
    both = everybody | {"team": await a_team(desk)}
    assert (await lead.put(address, json=both)).status_code == 422
    admin = await api(Role.ADMIN, "root@example.org")
    assert (await admin.delete(address)).status_code == 204


async def test_there_are_twenty_views_for_everybody_at_most(desk: Desk, api: Api) -> None:
    lead = await api(Role.LEAD, "lea@example.org")
    everybody = {"name": "Outages", "is_for_all": True}
    made = [await lead.post("/api/v1/views", json=everybody) for _ in range(20)]
    assert {answer.status_code for answer in made} == {201}
    assert (await lead.post("/api/v1/views", json=everybody)).status_code == 409
    own = f"/api/v1/views/{(await lead.post('/api/v1/views', json={'name': 'Own'})).json()['id']}"
    assert (await lead.put(own, json=everybody)).status_code == 409
    place = f"/api/v1/views/{made[0].json()['id']}"
    assert (await lead.put(place, json=everybody | {"name": "Down"})).status_code == 200


async def test_a_view_is_shared_changed_and_removed_on_pages_that_say_for_whom(
    desk: Desk,
) -> None:
    admin = await signed_in(desk, "Root", Role.ADMIN)
    bea = await signed_in(desk, "Bea")
    async with desk.sessions() as session:
        bea_id = await agent_named(session, "bea@example.org")
    team = await a_team(desk, bea_id)
    form = {"name": "Network", "order": "oldest", "team": team}
    place = (await admin.send("/console/views/new", form=form)).headers["location"]
    edit = place.replace("/console/queue?tab=view-", "/console/views/")
    assert "What you change here changes for all of Network." in await admin.see(edit)
    assert edit in await admin.see(f"/console/settings/teams/{team}")
    assert "<h1>Network</h1>" in await bea.see(place)
    assert (await bea.send(edit, form=form)).status_code == 422
    assert "Only who made a view" in (await bea.send(edit, form=form)).text

    stale = form | {"name": "Late", "revision": "1"}
    assert (await admin.send(edit, form=form | {"revision": "1"})).status_code == 303
    refused = await admin.send(edit, form=stale)
    assert refused.status_code == 412
    assert "Root changed this meanwhile" in refused.text
    assert 'name="revision" value="2"' in refused.text
    assert (await admin.send(edit, form=stale | {"revision": "2"})).status_code == 303

    assert "It is gone for all of Network." in await admin.see(edit)
    assert (await admin.send(f"{edit}/remove")).status_code == 303
    for shown in (place, place.replace("queue?", "queue/table?"), place.replace("?", "/list?")):
        assert "The view that was open here was removed" in await bea.see(shown)
    assert "removed" not in await bea.see("/console/queue?tab=mine")


async def test_an_auditor_is_not_offered_to_change_the_view_they_once_made(desk: Desk) -> None:
    bea = await signed_in(desk, "Bea")
    kept = await bea.send("/console/views/new", form={"name": "Old", "order": "oldest"})
    place = kept.headers["location"]
    assert "Change view" in await bea.see(place)
    async with desk.sessions.begin() as session:
        await session.execute(text("UPDATE agent SET role = 'auditor' WHERE name = 'Bea'"))
    shown = await bea.see(place)
    assert "<h1>Old</h1>" in shown
    assert "Change view" not in shown


async def test_the_queue_page_shows_views_with_their_counts(desk: Desk) -> None:
    await desk.queued("The printer is jammed", thread="a", who="ada")
    browser = await signed_in(desk)
    kept = await browser.send(
        "/console/views/new",
        form={"name": "English <b>", "order": "oldest", "columns": "tags", "languages": "en"},
    )
    assert kept.status_code == 303
    shown = await browser.see(kept.headers["location"])
    assert "English &lt;b&gt;" in shown
    edit = kept.headers["location"].replace("/console/queue?tab=view-", "/console/views/")
    assert (await browser.see(f"{edit}/count")).strip() == "1"
    assert 'class="at-tags"' in shown
    assert 'class="at-status"' not in shown
    assert 'value="English &lt;b&gt;"' in await browser.see(edit)
    wrong = await browser.send(edit, form={"name": "", "order": "oldest"})
    assert wrong.status_code == 422
    assert (await browser.send(f"{edit}/remove")).status_code == 303
    await browser.see(edit, status=404)


async def test_many_tickets_are_changed_and_each_says_what_became_of_it(
    desk: Desk, api: Api
) -> None:
    for n in range(3):
        await desk.queued(f"number {n}", thread=f"t{n}", who=f"u{n}")
    client = await api()
    await client.post("/api/v1/tickets/1002/status", json={"status": "closed"})

    async def act(name: str, value: str | None, *tickets: str) -> list[tuple[str, bool, int]]:
        body = {"act": name, "value": value, "tickets": tickets}
        answer = await client.post("/api/v1/bulk/tickets", json=body)
        assert answer.status_code == 200, answer.text
        return [(one["ticket"], one["done"], one["status"]) for one in answer.json()]

    assert await act("priority", "urgent", "1001", "1003", "9999") == [
        ("1001", True, 200),
        ("1003", True, 200),
        ("9999", False, 404),
    ]
    assert (await act("status", "solved", "1001", "1002"))[1] == ("1002", False, 409)
    await act("tag", " VIP", "1001", "1003")
    await act("tag", "late", "1001")
    await act("untag", "vip", "1003")
    found = (await client.get("/api/v1/tickets", params={"tag": "vip"})).json()["items"]
    assert [ticket["number"] for ticket in found] == [1001]
    for body in (
        {"act": "status", "value": "nonsense", "tickets": ["1001"]},
        {"act": "priority", "value": None, "tickets": ["1001"]},
        {"act": "priority", "value": "high", "tickets": []},
        {"act": "priority", "value": "high", "tickets": ["1"] * 201},
        {"act": "explode", "value": "x", "tickets": ["1001"]},
        {"act": "assign", "value": "", "tickets": ["1001"]},
        {"act": "assign", "value": "x", "tickets": ["1001"]},
        {"act": "spam", "value": "x", "tickets": ["1001"]},
        {"act": "tag", "value": " , ", "tickets": ["1001"]},
    ):
        assert (await client.post("/api/v1/bulk/tickets", json=body)).status_code == 422, body


async def test_nobody_changes_other_teams_tickets_with_many_others(desk: Desk, api: Api) -> None:
    for n in range(2):
        await desk.queued(f"number {n}", thread=f"t{n}", who=f"u{n}")
    team = await a_team(desk)
    async with desk.sessions.begin() as session:
        await session.execute(
            text("UPDATE ticket SET team_id = CAST(:team AS uuid) WHERE number = 1001"),
            {"team": team},
        )
        await session.execute(text("UPDATE assignment_policy SET own_tickets_only = true"))
    client = await api()
    body = {"act": "priority", "value": "urgent", "tickets": ["1001", "1002"]}
    answers = (await client.post("/api/v1/bulk/tickets", json=body)).json()
    assert [one["status"] for one in answers] == [403, 200]


async def test_what_was_done_with_many_is_undone_where_nobody_went_on(desk: Desk) -> None:
    for n in range(3):
        await desk.queued(f"number {n}", thread=f"t{n}", who=f"u{n}")
    browser = await signed_in(desk)
    form = {"do": "priority:urgent", "ticket": ["1001", "1002", "1003"]}
    done = await browser.send("/console/queue/bulk?tab=all", form=form, htmx=True)
    assert "Done: 3" in done.text
    assert "Undo" in done.text
    await browser.send(
        "/console/queue/bulk", form={"do": "priority:low", "ticket": "1002"}, htmx=True
    )
    before = {"act": "priority:urgent", "before": [f"{n}=normal" for n in (1001, 1002, 1003)]}
    undone = (await browser.send("/console/queue/undo", form=before, htmx=True)).text
    assert "Done: 2" in undone
    assert "Changed since and left alone: 1" in undone
    async with desk.sessions() as session:
        rows = await session.scalars(text("SELECT priority FROM ticket ORDER BY number"))
        assert rows.all() == ["normal", "low", "normal"]
    for wrong in ({"do": "explode:1", "ticket": "1001"}, {"do": "status:solved"}):
        refused = await browser.send("/console/queue/bulk", form=wrong, htmx=True)
        assert refused.status_code == 422


async def test_what_somebody_took_since_it_was_chosen_is_not_assigned_to_another(
    desk: Desk, api: Api
) -> None:
    for n in range(2):
        await desk.queued(f"number {n}", thread=f"t{n}", who=f"u{n}")
    client, browser = await api(), await signed_in(desk, "Cleo")
    theirs = await api(email="bea@example.org")
    async with desk.sessions() as session:
        ana = await agent_named(session, "ana@example.org")
        bea = await agent_named(session, "bea@example.org")
    assert 'value="1001="' in await browser.see("/console/queue?tab=all")
    await theirs.post("/api/v1/tickets/1001/take", json={})
    form = {
        "do": f"assign:{ana}",
        "ticket": ["1001", "1002"],
        "holder": ["1001=", "1002="],
    }
    said = (await browser.send("/console/queue/bulk?tab=all", form=form, htmx=True)).text
    assert "Done: 1 · Not done: 1" in said
    assert "#1001</a>: bea has this ticket already." in said
    body = {"act": "assign", "value": str(ana), "tickets": ["1001"], "seen": {"1001": None}}
    (late,) = (await client.post("/api/v1/bulk/tickets", json=body)).json()
    assert (late["status"], late["detail"]) == (409, "bea has this ticket already")
    alone = await browser.send(
        "/console/tickets/1001/assign", form={"agent": str(ana), "holder": ""}, htmx=True
    )
    assert alone.status_code == 409
    assert "bea has this ticket already." in alone.text
    # Who has seen that decides so knowingly.
    body["seen"] = {"1001": str(bea)}
    (done,) = (await client.post("/api/v1/bulk/tickets", json=body)).json()
    assert done["done"]


async def test_a_macro_answers_many(desk: Desk, api: Api) -> None:
    for n in range(2):
        await desk.queued(f"number {n}", thread=f"t{n}", who=f"u{n}")
    async with desk.sessions.begin() as session:
        macro = await session.scalar(
            text(
                "INSERT INTO macro (id, name, text, actions) VALUES (uuidv7(), 'Hello',"
                " 'We are on it, {{ requester.name }}.', '[]') RETURNING id"
            )
        )
    client = await api()
    body = {"act": "macro", "value": str(macro), "tickets": ["1001", "1002"]}
    answers = (await client.post("/api/v1/bulk/tickets", json=body)).json()
    assert [one["done"] for one in answers] == [True, True]
    async with desk.sessions() as session:
        said = await session.scalars(
            text("SELECT text FROM message WHERE speaker = 'agent' ORDER BY text")
        )
        assert said.all() == ["We are on it, U0.", "We are on it, U1."]


@pytest.mark.parametrize("words", ["", "We are on it."])
async def test_a_macro_is_one_commit_with_or_without_words(
    desk: Desk, api: Api, words: str
) -> None:
    await desk.queued()
    async with desk.sessions.begin() as session:
        macro = await session.scalar(
            text(
                "INSERT INTO macro (id, name, text, actions) VALUES (uuidv7(), 'Urgent', :words,"
                """ '[{"kind": "set_priority", "value": "urgent"}]') RETURNING id"""
            ),
            {"words": words},
        )
    body = {"act": "macro", "value": str(macro), "tickets": ["1001"]}
    (answer,) = (await (await api()).post("/api/v1/bulk/tickets", json=body)).json()
    assert answer["done"]
    async with desk.sessions() as session:
        writers = await session.execute(
            text("SELECT priority, ticket.xmin::text = macro.xmin::text, used FROM ticket, macro")
        )
        assert [tuple(row) for row in writers] == [("urgent", True, 1)]
        said = await session.scalar(text("SELECT count(*) FROM message WHERE speaker = 'agent'"))
        assert said == (1 if words else 0)
