"""Tickets are linked without circles; a problem's update reaches every requester once."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import update

from core.domain.actor import Role
from core.domain.assistant import Handoff, HandoffReason
from core.domain.classification import Kind
from core.domain.errors import Conflict, InvalidInput
from core.domain.ids import TicketId
from core.domain.links import LinkKind
from core.domain.ticket import TicketStatus
from core.services.classification.sorting import Sorting, TicketSorting
from core.services.links.links import TicketLinks
from core.services.links.problems import Problems
from core.storage.queries.links.links import links_of
from core.storage.tables import AssignmentPolicy
from tests.integration.console.api import Api
from tests.integration.console.browser import signed_in
from tests.integration.console.world import Desk
from tests.support.desk import Rig


async def _ticket(rig: Rig, thread: str) -> TicketId:
    conversation = await rig.hear(f"help in {thread}", thread=thread)
    await rig.reply(conversation, Handoff(reason=HandoffReason.PROBLEM_REPORTED))
    return await rig.ticket_id(thread)


async def test_no_ticket_becomes_a_part_of_its_own_part(rig: Rig) -> None:
    ana, links = await rig.agent(), TicketLinks(rig.sessions, rig.accounts, rig.clock)
    a, b, c = [await _ticket(rig, thread) for thread in ("a", "b", "c")]
    await links.link(a, b, LinkKind.CHILD, ana)
    await links.link(b, c, LinkKind.CHILD, ana)
    with pytest.raises(InvalidInput, match="its own part"):
        await links.link(c, a, LinkKind.CHILD, ana)
    with pytest.raises(InvalidInput, match="itself"):
        await links.link(a, a, LinkKind.RELATED, ana)
    with pytest.raises(Conflict):
        await links.link(b, a, LinkKind.DUPLICATE, ana)
    with pytest.raises(InvalidInput, match="problem"):
        await links.link(c, a, LinkKind.INCIDENT, ana)
    results = await asyncio.gather(
        links.link(a, c, LinkKind.RELATED, ana),
        links.link(c, a, LinkKind.RELATED, ana),
        return_exceptions=True,
    )
    assert sum(isinstance(result, Conflict) for result in results) == 1
    async with rig.sessions() as session:
        assert [(one.side) for one in await links_of(session, b)] == ["has_child", "child"]
        first = (await links_of(session, b))[0]
    await links.unlink(b, first.id, ana)
    async with rig.sessions() as session:
        assert [(one.side) for one in await links_of(session, b)] == ["child"]


async def test_one_update_of_a_problem_reaches_each_requester_once_and_solves_all(
    rig: Rig,
) -> None:
    ana, links = await rig.agent(), TicketLinks(rig.sessions, rig.accounts, rig.clock)
    problems = Problems(rig.sessions, rig.accounts, rig.clock)
    problem = await _ticket(rig, "problem")
    sorting = TicketSorting(rig.sessions, rig.accounts, rig.clock)
    with pytest.raises(InvalidInput):
        await problems.update(problem, "news", ana)
    await sorting.sort(problem, Sorting(kind=Kind.PROBLEM), ana)
    for thread in ("one", "two", "done"):
        await links.link(await _ticket(rig, thread), problem, LinkKind.INCIDENT, ana)
    await rig.tickets.set_status(await rig.ticket_id("done"), TicketStatus.SOLVED, ana)
    assert await problems.update(problem, "We found the cause.", ana) == 3
    await asyncio.gather(problems.tell_due(), problems.tell_due())
    for thread, told in (("problem", 1), ("one", 1), ("two", 1), ("done", 0)):
        said = [text for who, text in await rig.texts(thread) if who == "agent"]
        assert said == ["We found the cause."] * told
    await links.link(await _ticket(rig, "late"), problem, LinkKind.INCIDENT, ana)
    assert await problems.update(problem, "It is mended.", ana, solves=True) == 4
    assert await problems.tell_due() == 3
    assert await problems.tell_due() == 0
    solved = [(await rig.ticket(thread)).status for thread in ("problem", "one", "two", "late")]
    assert solved == ["solved"] * 4
    late = [text for who, text in await rig.texts("late") if who == "agent"]
    assert late == ["It is mended."]  # and nothing of what was told before it was linked
    own = [text for who, text in await rig.texts("problem") if who == "agent"]
    assert own == ["We found the cause.", "It is mended."]
    with pytest.raises(InvalidInput, match="open"):
        await problems.update(problem, "More news", ana)


async def test_duplicates_lead_in_no_circle(rig: Rig) -> None:
    ana, links = await rig.agent(), TicketLinks(rig.sessions, rig.accounts, rig.clock)
    a, b, c = [await _ticket(rig, thread) for thread in ("a", "b", "c")]
    await links.link(a, b, LinkKind.DUPLICATE, ana)
    await links.link(b, c, LinkKind.DUPLICATE, ana)
    with pytest.raises(InvalidInput, match="its own duplicate"):
        await links.link(c, a, LinkKind.DUPLICATE, ana)
    await links.link(c, a, LinkKind.CHILD, ana)  # another kind of link is another matter


async def test_a_problem_that_nobody_reported_is_opened_with_its_incidents(
    desk: Desk, api: Api
) -> None:
    await desk.queued("The mail is down")
    client = await api(Role.AGENT, "bea@example.org")
    body = {"subject": "Mail server", "text": "Its disk is full", "incidents": ["1001"]}
    made = await client.post("/api/v1/problems", json=body)
    assert made.status_code == 201, made.text
    assert (made.json()["kind"], made.json()["number"]) == ("problem", 1002)
    (link,) = (await client.get("/api/v1/tickets/1002/links")).json()["items"]
    assert (link["side"], link["number"]) == ("has_incident", 1001)
    for wrong in ({"incidents": ["9"]}, {"incidents": ["1002"]}, {"subject": " "}):
        assert (await client.post("/api/v1/problems", json=body | wrong)).status_code == 422
    told = await client.post("/api/v1/tickets/1002/problem-updates", json={"text": "We know"})
    assert told.json() == {"told": 1}  # nobody reported the problem itself

    ana = await signed_in(desk, "Ana", Role.AGENT)
    page = await ana.see("/console/tickets/1002")
    assert 'id="mode-reply"' not in page  # there is nobody to reply to
    assert page.count("Tell the requesters of all open incidents: 1") == 1
    assert "Opened by" in page
    assert "<h2>Requester</h2>" not in page
    assert "Earlier tickets" not in page  # they would be those of whoever opened it
    assert "Other conversations" not in page
    assert "Earlier tickets" in await ana.see("/console/tickets/1001")
    offered = 'href="/console/tickets/{}/request"'
    assert offered.format(1002) not in page
    assert offered.format(1001) in await ana.see("/console/tickets/1001")
    assert 'id="mode-reply"' in await ana.see("/console/tickets/1001")
    nobody = "no requester reported this problem: there is nobody to reply to"
    answered = await client.post("/api/v1/tickets/1002/replies", json={"text": "We know"})
    assert (answered.status_code, answered.json()["detail"]) == (422, nobody)
    answered = await ana.send("/console/tickets/1002/say", form={"mode": "reply", "text": "Yes"})
    assert answered.status_code == 422
    assert nobody[1:] in answered.text
    view = (await client.get("/api/v1/tickets/1002")).json()
    assert (view["status"], view["assignee"]) == ("new", None)
    await desk.queued("The mail is down too", thread="t2", who="bob")
    offer = "/console/tickets/new/problem?incident=1003"
    assert offer in await ana.see("/console/tickets/1003")
    assert 'value="1003"' in await ana.see(offer)
    form = {"subject": "DNS", "text": "It is gone", "incidents": "#1003"}
    opened = await ana.send("/console/tickets/new/problem", form=form)
    assert opened.headers["location"] == "/console/tickets/1004"
    refused = await ana.send("/console/tickets/new/problem", form=form | {"incidents": "#77"})
    assert refused.status_code == 422

    for status in ("solved", "open"):
        given = await client.post("/api/v1/tickets/1002/status", json={"status": status})
        assert given.json()["status"] == status
    problem = (await client.get("/api/v1/tickets/1002")).json()
    said = await client.get(f"/api/v1/conversations/{problem['conversation_id']}/messages")
    assert "system" not in {one["from"] for one in said.json()["items"]}


async def test_a_problem_that_is_solved_offers_to_solve_its_incidents(desk: Desk, api: Api) -> None:
    for n in range(2):
        await desk.queued(f"The mail is down, {n}", thread=f"t{n}", who=f"u{n}")
    client = await api(Role.AGENT, "bea@example.org")
    body = {"subject": "Mail", "text": "Down", "incidents": ["1001", "1002"]}
    await client.post("/api/v1/problems", json=body)
    ana = await signed_in(desk, "Ana", Role.AGENT)
    assert 'id="incidents-open"' not in await ana.see("/console/tickets/1003")
    solved = await ana.send("/console/tickets/1003/status", htmx=True, status="solved")
    assert "Incidents of it that are still open: 2" in solved.text
    problems = Problems(desk.sessions, desk.accounts, desk.clock)
    await ana.send("/console/tickets/1003/problem", htmx=True, solve="yes", text="")
    assert await problems.tell_due() == 2
    assert (await client.get("/api/v1/tickets/1001")).json()["status"] == "solved"

    for number in ("1001", "1003"):
        await client.post(f"/api/v1/tickets/{number}/status", json={"status": "open"})
    wanted = {"status": "solved", "solve_incidents": True}
    assert (await client.post("/api/v1/tickets/1001/status", json=wanted)).status_code == 422
    assert (await client.post("/api/v1/tickets/1003/status", json=wanted)).status_code == 200
    assert await problems.tell_due() == 1
    assert (await client.get("/api/v1/tickets/1001")).json()["status"] == "solved"


async def test_incidents_of_another_team_are_out_of_sight_with_their_problem(
    desk: Desk, api: Api
) -> None:
    for n in range(2):
        await desk.queued(f"The mail is down, {n}", thread=f"t{n}", who=f"u{n}")
    admin, agent = await api(Role.ADMIN, "root@example.org"), await api(Role.AGENT)
    team = (await admin.post("/api/v1/teams", json={"name": "Others"})).json()["id"]
    await admin.patch("/api/v1/tickets/1001", json={"team": team})
    body = {"subject": "Mail", "text": "Down", "incidents": ["1001"]}
    await admin.post("/api/v1/problems", json=body)
    async with desk.sessions.begin() as session:
        await session.execute(update(AssignmentPolicy).values(own_tickets_only=True))
    wanted = {"status": "solved", "solve_incidents": True}
    solved = await agent.post("/api/v1/tickets/1003/status", json=wanted)
    assert (solved.status_code, solved.json()["status"]) == (200, "solved")
    assert (await admin.get("/api/v1/tickets/1001")).json()["status"] == "new"

    ana = await signed_in(desk, "Ann", Role.AGENT)
    await ana.see("/console/tickets/new/problem")
    form = {"subject": "Kept words", "text": "x", "incidents": "1001"}
    refused = await ana.send("/console/tickets/new/problem", form=form)
    assert refused.status_code == 422
    assert "Kept words" in refused.text
    form = {"subject": "Theirs", "text": "x", "incidents": "", "team": team}
    opened = await ana.send("/console/tickets/new/problem", form=form)
    assert opened.headers["location"] == "/console/tickets/new?opened=1004"


async def test_whoever_ends_a_ticket_with_open_parts_is_asked_first(desk: Desk, api: Api) -> None:
    for n in range(2):
        await desk.queued(f"Number {n}", thread=f"t{n}", who=f"u{n}")
    client = await api(Role.AGENT, "bea@example.org")
    await client.post("/api/v1/tickets/1002/links", json={"kind": "child", "other": "1001"})
    ana = await signed_in(desk, "Ana", Role.AGENT)
    place = "/console/tickets/1001"
    await ana.see(place)
    for asked in (
        await ana.send(f"{place}/status", htmx=True, status="solved"),
        await ana.send(f"{place}/say", htmx=True, text="Done", then="solved", seen="9"),
    ):
        assert asked.status_code == 409
        assert "Parts of this ticket are still open:" in asked.text
    plain = await ana.send(f"{place}/status", status="solved")  # without scripts
    assert plain.status_code == 409
    assert 'name="anyway" value="yes"' in plain.text
    assert (await client.get("/api/v1/tickets/1001")).json()["status"] == "new"
    done = await ana.send(f"{place}/status", htmx=True, status="solved", anyway="yes")
    assert done.status_code == 200
    assert (await client.get("/api/v1/tickets/1001")).json()["status"] == "solved"
    alone = await ana.send("/console/tickets/1002/status", htmx=True, status="solved")
    assert alone.status_code == 200


async def test_tickets_are_linked_in_the_pane_and_over_the_api(desk: Desk, api: Api) -> None:
    for n in range(2):
        await desk.queued(f"The mail is down, {n}", thread=f"t{n}", who=f"u{n}")
    client = await api(Role.AGENT, "bea@example.org")
    await client.patch("/api/v1/tickets/1002", json={"kind": "problem"})
    made = await client.post(
        "/api/v1/tickets/1001/links", json={"kind": "incident", "other": "1002"}
    )
    assert [(one["side"], one["number"]) for one in made.json()["items"]] == [("incident", 1002)]
    ana = await signed_in(desk, "Ana", Role.AGENT)
    shown = await ana.see("/console/tickets/1002")
    assert "Tell the requesters of all open incidents: 1" in shown
    told = await ana.send("/console/tickets/1002/problem", htmx=True, text="News", solve="yes")
    assert "Ana told 1 requesters of its incidents" in told.text
    (link,) = (await client.get("/api/v1/tickets/1002/links")).json()["items"]
    gone = await ana.send("/console/tickets/1002/links", htmx=True, remove=link["id"])
    assert "Ana took away the link: Has the incident #1001" in gone.text
    wrong = await ana.send("/console/tickets/1002/links", htmx=True, kind="child", number="9")
    assert wrong.status_code == 422
    again = await ana.send("/console/tickets/1002/links", htmx=True, kind="child", number="1001")
    assert "Ana linked it: Part of #1001" in again.text
