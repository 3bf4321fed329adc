"""Where agents see the tickets of their teams alone, no route shows or changes another team's."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from fastapi.routing import APIRoute
from sqlalchemy import func, select, update

import console
from console import api, pages
from core.domain.actor import Role
from core.domain.files import FileState
from core.domain.ids import ConversationId, TicketId, new_id
from core.domain.links import LinkKind
from core.domain.satisfaction import SurveyStatus
from core.domain.teams import Visibility
from core.domain.ticket import TicketStatus
from core.services.links.links import TicketLinks
from core.services.links.merging import TicketMerging
from core.services.requester_records.merging import ContactMerging
from core.services.teams.rulebook import Policy
from core.storage.queries.classification.categories import category_tree
from core.storage.queries.classification.similar import suggestions_for
from core.storage.queries.requester_records.requesters import list_requesters
from core.storage.queries.tickets.tickets import ticket_named
from core.storage.tables import (
    Attachment,
    AuditEntry,
    Conversation,
    Message,
    Satisfaction,
    Ticket,
    TicketLink,
    TicketVector,
)
from tests.integration.console.browser import PASSWORD, Browser
from tests.integration.console.world import Desk
from tests.integration.teams.world import Floor

REFUSED = "this ticket belongs to another team"

CHECKED = ("ticket", "conversation", "message", "attachment")
"""Parts of paths that name a ticket or what belongs to one: `console/sight.py` looks at them."""

HARMLESS = frozenset(
    {
        *("account", "agent", "article", "asset", "calendar", "category", "field", "hook", "kind"),
        *(
            "language",
            "macro",
            "organisation",
            "plan",
            "path",
            "policy",
            "role",
            "rule",
            "synonyms",
            "tag",
            "team",
        ),
        *("token", "key", "version", "webhook", "call"),
        "item",  # of the catalogue, or of the quarantine, which is admins' alone
        "held",  # below a ticket's path; only that ticket's replies are found
        *("example", "verdict", "number"),  # of the assistant's training and its versions
        "view",  # a saved view: what it shows is as far as one sees
        "topic",  # what it shows of tickets is as far as one sees
        "task",  # below a ticket's path; only that ticket's tasks are found
        "contact",  # requesters are everybody's; what they asked is left out of their page
        "merge",  # of contacts
        "link",  # below a ticket's path; only that ticket's links are taken away
    }
)
"""Parts of paths that name nothing of a ticket, and why where that is not plain."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hidden:
    """A ticket of another team, one of the agent's own, and the agent at a browser and the API."""

    desk: Desk
    number: int
    own: int
    named: dict[str, str]  # what paths call it and its parts
    browser: Browser
    api: httpx.AsyncClient

    async def refusals(self) -> int:
        async with self.desk.sessions() as session:
            found = await session.scalar(
                select(func.count()).where(
                    AuditEntry.action == "ticket.refused",
                    AuditEntry.subject_name == f"#{self.number}",
                )
            )
            return found or 0


@pytest.fixture
async def hidden(desk: Desk) -> Hidden:
    return await _hidden(desk, own_tickets_only=True)


@pytest.fixture
async def closed(desk: Desk) -> Hidden:
    """The same where that team alone is closed."""
    return await _hidden(desk, own_tickets_only=False)


async def _hidden(desk: Desk, *, own_tickets_only: bool) -> Hidden:
    floor = await Floor.of(desk)
    shown = Visibility.EVERYBODY if own_tickets_only else Visibility.MEMBERS
    mine, other = await floor.team("Mine"), await floor.team("Other", visibility=shown)
    ana = await floor.agent("Ana", mine, is_lead=True, role=Role.LEAD)
    await desk.access.passwords.set(ana.id, PASSWORD)
    own = await floor.opened("my own matter", who="ada")
    theirs = await floor.opened("the secret matter", who="ada")
    await floor.pass_to(own, mine)
    await floor.pass_to(theirs, other)
    links = TicketLinks(desk.sessions, desk.accounts, desk.clock)
    await links.link(theirs, own, LinkKind.RELATED, floor.boss)
    row = await floor.ticket(theirs)
    async with desk.sessions.begin() as session:
        message = await session.scalar(
            select(Message.id).where(Message.conversation_id == row.conversation_id).limit(1)
        )
        assert message is not None
        attachment = Attachment(
            id=new_id(),
            message_id=message,
            position=0,
            name="secret.txt",
            media_type="text/plain",
            size_bytes=1,
            remote="secret",
            status=FileState.FETCHED,
            blob_key="secret",
        )
        session.add(attachment)
    policy = Policy(default_team=None, offer_again_minutes=None, own_tickets_only=own_tickets_only)
    await floor.staffing.rules.set_policy(policy, floor.boss)
    token = await desk.access.create_token("ana@example.org", Role.LEAD)
    return Hidden(
        desk=desk,
        number=row.number,
        own=(await floor.ticket(own)).number,
        named={
            "ticket": str(row.number),
            "conversation": str(row.conversation_id),
            "message": str(message),
            "attachment": str(attachment.id),
        },
        browser=await Browser.signed_in(desk, "ana@example.org"),
        api=desk.client(Authorization=f"Bearer {token}"),
    )


def routes() -> Iterator[tuple[str, APIRoute, set[str]]]:
    """Yield the routes whose paths have parts, with their paths and the names of these."""
    parts = [("", part) for part in pages._PAGES] + [("/api/v1", part) for part in api._PARTS]
    for prefix, part in parts:
        for route in part.router.routes:
            assert isinstance(route, APIRoute), "a router within a router is not looked into here"
            if route.param_convertors:
                yield f"{prefix}{route.path_format}", route, set(route.param_convertors)


def test_every_part_of_a_path_is_known_to_name_a_ticket_or_not() -> None:
    names = {name for _, _, names in routes() for name in names}
    assert set(CHECKED) <= names
    unknown = names - HARMLESS - set(CHECKED)
    assert unknown == set(), "does it name a ticket? then console/sight.py has to look at it"


async def test_every_route_refuses_what_belongs_to_another_team_and_the_audit_log_has_it(
    hidden: Hidden,
) -> None:
    asked = 0
    for shape, route, names in routes():
        for checked in names & set(CHECKED):
            # One of them alone is hidden: where a path has two, each has to be looked at.
            values = {name: str(new_id()) for name in names} | {
                name: str(hidden.own) for name in names & {"ticket"}
            }
            values[checked] = hidden.named[checked]
            path = shape.format(**values)
            for method in (route.methods or set()) - {"HEAD"}:
                before = await hidden.refusals()
                answer = await _ask(hidden, method, path)
                told = f"{method} {shape}: {answer.status_code} {answer.text[:200]}"
                assert answer.status_code == 403, told
                assert await hidden.refusals() == before + 1, told
                asked += 1
    assert asked > 60


async def _ask(hidden: Hidden, method: str, path: str) -> httpx.Response:
    if path.startswith("/api/"):
        return await hidden.api.request(method, path)
    headers = {"X-CSRF-Token": hidden.browser.csrf}
    return await hidden.browser.client.request(method, path, headers=headers)


IN_BODIES: dict[str, dict[str, Any]] = {
    "POST /api/v1/tickets/{own}/links": {"kind": "related", "other": "{hidden}"},
    "POST /api/v1/tickets/{own}/merges": {"ticket": "{hidden}"},
    "POST /api/v1/notices/read": {"ticket": "{hidden}"},
    "POST /console/tickets/{own}/links": {"kind": "related", "number": "{hidden}"},
    "POST /console/tickets/{own}/merge": {"number": "{hidden}", "into": "this"},
}
"""Requests whose bodies name a ticket."""

TICKETS_IN_BODIES = {"ticket", "tickets", "other", "number", "numbers"}
"""What fields of bodies are called that name tickets; `other` of a contact's merge is a contact."""


@pytest.mark.parametrize("request_line", IN_BODIES)
async def test_a_ticket_in_a_body_is_refused_too(hidden: Hidden, request_line: str) -> None:
    method, path = request_line.format(own=hidden.own).split()
    body = {name: v.format(hidden=hidden.number) for name, v in IN_BODIES[request_line].items()}
    before = await hidden.refusals()
    if path.startswith("/api/"):
        answer = await hidden.api.request(method, path, json=body)
    else:
        answer = await hidden.browser.send(path, form=body)
    assert (answer.status_code, REFUSED in answer.text.lower()) == (403, True), answer.text
    assert await hidden.refusals() == before + 1


async def test_similar_tickets_of_other_teams_are_not_shown(hidden: Hidden) -> None:
    async with hidden.desk.sessions.begin() as session:
        for ticket in await session.scalars(select(Ticket.id)):
            words = func.to_tsvector("matter")
            session.add(TicketVector(ticket_id=ticket, text="matter", words=words))
    async with hidden.desk.sessions() as session:
        own = await ticket_named(session, str(hidden.own))
        found = await suggestions_for(session, own, await category_tree(session))
    assert [one.number for one in found.similar] == [hidden.number]
    place = f"/console/tickets/{hidden.own}"
    assert "secret matter" not in await hidden.browser.see(place)
    assert "secret matter" not in await hidden.browser.see(f"{place}/earlier-answers")
    told = await hidden.api.get(f"/api/v1/tickets/{hidden.own}/suggestions")
    assert (told.status_code, told.json()["similar"]) == (200, [])


async def test_a_link_with_another_teams_ticket_is_not_taken_away(hidden: Hidden) -> None:
    async with hidden.desk.sessions() as session:
        link = await session.scalar(select(TicketLink.id))
    before = await hidden.refusals()
    gone = await hidden.api.delete(f"/api/v1/tickets/{hidden.own}/links/{link}")
    page = await hidden.browser.send(f"/console/tickets/{hidden.own}/links", remove=str(link))
    assert (gone.status_code, page.status_code) == (403, 403)
    assert await hidden.refusals() == before + 2


async def test_of_many_tickets_that_of_another_team_is_refused(hidden: Hidden) -> None:
    wanted = {"tickets": [str(hidden.own), str(hidden.number)], "act": "priority", "value": "high"}
    before = await hidden.refusals()
    answer = await hidden.api.post("/api/v1/bulk/tickets", json=wanted)
    assert [one["status"] for one in answer.json()] == [200, 403], answer.text
    assert await hidden.refusals() == before + 1
    form = {"ticket": str(hidden.number), "do": "priority:high"}
    await hidden.browser.send("/console/queue/bulk", form=form)
    assert await hidden.refusals() == before + 2


async def test_no_body_of_the_api_names_a_ticket_that_is_not_tried_here(hidden: Hidden) -> None:
    document = (await hidden.api.get("/api/openapi.json")).json()
    found = set()
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            content = operation.get("requestBody", {}).get("content", {}).get("application/json")
            name = str(content).partition("#/components/schemas/")[2].partition("'")[0]
            fields = document["components"]["schemas"].get(name, {}).get("properties", {})
            if TICKETS_IN_BODIES & set(fields):
                found.add(f"{method.upper()} {path.replace('{ticket}', '{own}')}")
    found -= {"POST /api/v1/requesters/{contact}/merges", "POST /api/v1/bulk/tickets"}
    assert found == {line for line in IN_BODIES if " /api/" in line}


def test_a_name_of_a_ticket_is_looked_up_in_known_places_alone() -> None:
    """Who looks one up that came in a body must use `ticket_in_sight`."""
    room = Path(console.__file__).parent
    places = set()
    for file in room.glob("**/*.py"):
        if "node_modules" in file.parts:
            continue
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Name) and node.id == "ticket_named":
                places.add(file.relative_to(room).as_posix())
    # What is done with many is refused for each by itself: by the service, see below.
    many = {"api/tickets/bulk.py", "pages/tickets/bulk.py"}
    one = {"sight.py", "api/tickets/tickets.py", "pages/tickets/tickets.py"}
    assert places == one | many


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
        answer = await _ask(closed, method, path)
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
