"""Where agents see the tickets of their teams alone, lists and figures leave the others out."""

from __future__ import annotations

from uuid import UUID

import httpx
import pytest
from sqlalchemy import func, select, update

from core.domain.actor import Role
from core.domain.ids import ConversationId, TicketId, new_id
from core.domain.satisfaction import SurveyStatus
from core.domain.ticket import TicketStatus
from core.services.links.merging import TicketMerging
from core.services.requester_records.merging import ContactMerging
from core.storage.queries.requester_records.requesters import list_requesters
from core.storage.tables import (
    Conversation,
    Message,
    Satisfaction,
    Ticket,
)
from tests.integration.console.browser import PASSWORD, Browser
from tests.integration.console.hidden import Hidden
from tests.integration.teams.world import Floor


async def test_lists_leave_out_what_belongs_to_another_team(hidden: Hidden) -> None:
    async with hidden.desk.sessions() as session:
        row = await session.get_one(Message, UUID(hidden.named["message"]))
        conversation = ConversationId(row.conversation_id)
    shown = await hidden.browser.see(f"/console/tickets/{hidden.own}")
    (contact,) = (await hidden.api.get("/api/v1/requesters?q=ada")).json()["items"]
    shown += await hidden.browser.see(f"/console/requesters/{contact['id']}")
    shown += await hidden.browser.see("/console/settings/routing/dry-run")
    for path in (
        f"tickets/{hidden.own}/links",
        f"tickets/{hidden.own}/suggestions",
        "satisfaction",
        "routing/dry-run",
        "tickets",
    ):
        answer = await hidden.api.get(f"/api/v1/{path}")
        assert answer.status_code == 200, answer.text
        shown += answer.text
    assert "my own matter" in shown
    assert "the secret matter" not in shown
    assert str(conversation) not in shown


@pytest.mark.parametrize("through", ["beside", "beside what was merged"])
async def test_what_is_held_beside_another_teams_ticket_is_out_of_sight(
    hidden: Hidden, through: str
) -> None:
    desk = hidden.desk
    side = await desk.says("the secret question", thread="v1", who="vendor")
    host = ConversationId(UUID(hidden.named["conversation"]))
    if through == "beside what was merged":
        merged = await desk.queued("the same again", thread="m1", who="ada")
        async with desk.sessions() as session:
            kept, gone = [
                TicketId(one)
                for place in (host, merged)
                for one in await session.scalars(
                    select(Ticket.id).where(Ticket.conversation_id == place)
                )
            ]
        admin = await desk.agent("adm@example.org", "Adm", Role.ADMIN)
        await TicketMerging(desk.sessions, desk.accounts, desk.clock).merge(kept, gone, admin)
        host = merged
    async with desk.sessions.begin() as session:
        (await session.get_one(Conversation, side)).side_of = host
    await desk.queued("a bill of the vendor's own", thread="v2", who="vendor")
    async with desk.sessions() as session:
        number = await session.scalar(select(func.max(Ticket.number)))
    page = await hidden.browser.see(f"/console/tickets/{number}")
    assert ("the vendor" in page, "the secret question" in page) == (True, False)
    assert (await hidden.api.get(f"/api/v1/conversations/{side}/messages")).status_code == 403
    found = await hidden.browser.see("/console/search?q=secret+question")
    assert "the secret question" not in found


async def test_figures_are_those_of_ones_own_teams(hidden: Hidden) -> None:
    assert "figures of your own teams" in await hidden.browser.see("/console/reports?by=agent")
    refused = await hidden.api.get("/api/v1/reports?by=agent")
    assert refused.status_code == 403
    answer = await hidden.api.get("/api/v1/reports?by=team")
    assert (answer.status_code, answer.json()["waiting_now"]) == (200, 1)


async def test_a_closed_team_is_closed_on_its_own(closed: Hidden) -> None:
    floor = Floor(closed.desk, await closed.desk.agent("root@example.org", "Root", Role.ADMIN))
    third = await floor.team("Third")
    open_to_all = await floor.opened("an open matter", who="ada")
    await floor.pass_to(open_to_all, third)
    number = (await floor.ticket(open_to_all)).number
    assert (await closed.api.get(f"/api/v1/tickets/{number}")).status_code == 200
    before = await closed.refusals()
    for method, path in (
        ("GET", f"/api/v1/tickets/{closed.number}"),
        ("POST", f"/api/v1/tickets/{closed.number}/assign"),
        ("GET", f"/console/tickets/{closed.number}"),
        ("POST", f"/console/tickets/{closed.number}/status"),
    ):
        answer = await closed.ask(method, path)
        assert answer.status_code == 403, f"{method} {path}: {answer.text[:200]}"
    assert await closed.refusals() == before + 4
    listed = (await closed.api.get("/api/v1/tickets")).text
    assert ("an open matter" in listed, "the secret matter" in listed) == (True, False)


async def test_who_sees_a_teams_tickets_is_for_admins_to_say(closed: Hidden) -> None:
    place = "/console/settings/teams"
    team = (await closed.api.get("/api/v1/teams/Mine")).json()
    body = {"name": "Mine", "strategy": team["strategy"]}
    refused = await closed.api.put("/api/v1/teams/Mine", json=body | {"visibility": "members"})
    assert refused.status_code == 403
    kept = await closed.api.put("/api/v1/teams/Mine", json=body | {"description": "Ours."})
    assert (kept.status_code, kept.json()["visibility"]) == (200, "everybody"), kept.text
    floor = Floor(closed.desk, await closed.desk.agent("root@example.org", "Root", Role.ADMIN))
    await closed.desk.access.passwords.set(floor.boss.id, PASSWORD)
    boss = await Browser.signed_in(closed.desk, "root@example.org")
    form = {"name": "Mine", "strategy": team["strategy"], "visibility": "members"}
    await boss.send(f"{place}/{team['id']}", form=form)
    now = (await closed.api.get("/api/v1/teams/Mine")).json()
    assert now["visibility"] == "members"
    assert "only for its agents" in await boss.see(f"{place}/{team['id']}")


async def test_one_closed_team_takes_no_figures_from_the_leads_of_others(closed: Hidden) -> None:
    answer = await closed.api.get("/api/v1/reports?by=channel")
    assert (answer.status_code, answer.json()["waiting_now"]) == (200, 2)


async def test_what_requesters_said_of_another_teams_ticket_is_not_counted(hidden: Hidden) -> None:
    desk = hidden.desk
    async with desk.sessions.begin() as session:
        for number, score in ((hidden.own, 5), (hidden.number, 1)):
            ticket = (await session.scalars(select(Ticket).where(Ticket.number == number))).one()
            session.add(
                Satisfaction(
                    id=new_id(),
                    ticket_id=ticket.id,
                    contact_id=ticket.contact_id,
                    status=SurveyStatus.ANSWERED,
                    answered_at=desk.clock(),
                    score=score,
                )
            )
            contact = ticket.contact_id
    told = (await hidden.api.get(f"/api/v1/requesters/{contact}")).json()
    assert (told["tickets"], told["answers"], told["score"]) == (1, 1, 5.0)


async def test_what_was_said_of_the_assistant_is_seen_with_the_conversation(closed: Hidden) -> None:
    desk = closed.desk
    alone = await desk.says("how do I print?", thread="p1", who="ada")
    async with desk.sessions.begin() as session:
        own = (await session.scalars(select(Ticket).where(Ticket.number == closed.own))).one()
        for of, score, comment in (
            ({"ticket_id": own.id}, 5, "of my own"),
            ({"conversation_id": alone}, 4, "of the assistant alone"),
            ({"conversation_id": UUID(closed.named["conversation"])}, 1, "the secret complaint"),
        ):
            session.add(
                Satisfaction(
                    id=new_id(),
                    **of,
                    contact_id=own.contact_id,
                    status=SurveyStatus.ANSWERED,
                    answered_at=desk.clock(),
                    score=score,
                    comment=comment,
                )
            )
            await session.flush()  # in this order
    admin = await desk.access.create_token("root@example.org", Role.ADMIN)
    boss = desk.client(Authorization=f"Bearer {admin}")

    async def comments(client: httpx.AsyncClient, query: str = "") -> list[str]:
        answer = await client.get(f"/api/v1/satisfaction{query}")
        return [one["comment"] for one in answer.json()["items"]]

    seen = ["of the assistant alone", "of my own"]
    assert await comments(closed.api) == seen
    assert await comments(closed.api, "?assistant=true") == seen[:1]
    assert await comments(closed.api, f"?requester={own.contact_id}&max_score=1") == []
    assert await comments(boss) == ["the secret complaint", *seen]
    told = (await closed.api.get(f"/api/v1/requesters/{own.contact_id}")).json()
    assert (told["answers"], told["score"]) == (1, 5.0)
    page = await closed.browser.see(f"/console/requesters/{own.contact_id}")
    assert "5.0 of 5, from 1 answers" in page
    assert "the secret complaint" not in page


async def test_what_is_held_beside_a_later_ticket_of_another_team_is_not_listed_by_the_one_before(
    closed: Hidden,
) -> None:
    desk = closed.desk
    async with desk.sessions() as session:
        own = (await session.scalars(select(Ticket).where(Ticket.number == closed.own))).one()
        theirs = (await session.scalars(select(Ticket).where(Ticket.number == closed.number))).one()
    side = await desk.says("the secret question", thread="v2", who="vendor")
    listed, page = f"/api/v1/tickets/{closed.own}/sides", f"/console/tickets/{closed.own}"
    async with desk.sessions.begin() as session:
        change = update(Conversation).where(Conversation.id == side)
        await session.execute(change.values(side_of=own.conversation_id))
    assert [one["id"] for one in (await closed.api.get(listed)).json()["items"]] == [str(side)]
    async with desk.sessions.begin() as session:  # it begins where the one before was closed
        closing = update(Ticket).where(Ticket.id == own.id)
        await session.execute(closing.values(status=TicketStatus.CLOSED, closed_at=desk.clock()))
        following = update(Ticket).where(Ticket.id == theirs.id)
        await session.execute(following.values(conversation_id=own.conversation_id))
    assert (await closed.api.get(listed)).json()["items"] == []
    assert str(side) not in await closed.browser.see(page)


async def test_a_token_sees_what_its_role_sees_whoever_it_belongs_to(closed: Hidden) -> None:
    for role, status in ((Role.AGENT, 403), (Role.LEAD, 403), (Role.AUDITOR, 200)):
        token = await closed.desk.access.create_token("boss@example.org", role)
        client = closed.desk.client(Authorization=f"Bearer {token}")
        answer = await client.get(f"/api/v1/tickets/{closed.number}")
        assert answer.status_code == status, role
        listed = (await client.get("/api/v1/tickets")).json()["items"]
        assert (closed.number in {one["number"] for one in listed}) == (status == 200), role


async def test_who_has_a_ticket_out_of_sight_is_neither_merged_nor_parted(closed: Hidden) -> None:
    desk = closed.desk
    await desk.queued("good morning", thread="t9", who="eve")
    async with desk.sessions() as session:
        ada, eve = [
            found.id for words in ("ada", "eve") for found in await list_requesters(session, words)
        ]
    for kept, merged in ((ada, eve), (eve, ada)):
        answer = await closed.api.post(
            f"/api/v1/requesters/{kept}/merges", json={"other": str(merged)}
        )
        assert answer.status_code == 403
        assert "this requester has tickets of another team" in answer.text
    page = await closed.browser.send(f"/console/requesters/{eve}/merge", other=str(ada))
    assert page.status_code == 403
    token = await desk.access.create_token("boss@example.org", Role.ADMIN)
    boss = (await desk.access.bearer(token)).agent
    assert boss is not None
    merging = ContactMerging(desk.sessions, desk.accounts, desk.clock)
    merge = await merging.merge(ada, eve, boss)
    parted = await closed.api.delete(f"/api/v1/requesters/{ada}/merges/{merge}")
    assert parted.status_code == 403
    assert await closed.refusals() == 4
    await merging.undo(merge, boss)


async def test_a_rule_of_a_lead_passes_on_nothing_that_is_out_of_their_sight(
    closed: Hidden,
) -> None:
    teams = (await closed.api.get("/api/v1/teams")).json()["items"]
    mine, other = (next(t["id"] for t in teams if t["name"] == name) for name in ("Mine", "Other"))
    admin = await closed.desk.access.create_token("root@example.org", Role.ADMIN)
    boss = closed.desk.client(Authorization=f"Bearer {admin}")

    def rule(*conditions: tuple[str, str], kind: str = "set_team") -> dict[str, object]:
        every = [{"field": "team", "comparison": one, "value": of} for one, of in conditions]
        value = "low" if kind == "set_priority" else mine
        return {
            "name": "A rule",
            "trigger": "changed",
            "every": every,
            "actions": [{"kind": kind, "value": value}],
        }

    for refused in (rule(), rule(("is", other)), rule(("is", f"{mine}|{other}"))):
        answer = await closed.api.post("/api/v1/rules", json=refused)
        assert (answer.status_code, "teams that you see" in answer.text) == (422, True), answer.text
        assert (await boss.post("/api/v1/rules", json=refused)).status_code == 201
    for taken in (rule(("is", mine)), rule(("empty", "")), rule(kind="set_priority")):
        answer = await closed.api.post("/api/v1/rules", json=taken)
        assert answer.status_code == 201, answer.text
    kept = answer.json()["id"]
    changed = await closed.api.put(f"/api/v1/rules/{kept}", json=rule())
    assert changed.status_code == 422
