"""Where agents see the tickets of their teams alone, no route shows or changes another team's."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.routing import APIRoute
from sqlalchemy import func, select

import console
from console import api, pages
from core.domain.ids import new_id
from core.storage.queries.classification.categories import category_tree
from core.storage.queries.classification.similar import suggestions_for
from core.storage.queries.tickets.tickets import ticket_named
from core.storage.tables import (
    Ticket,
    TicketLink,
    TicketVector,
)
from tests.integration.console.hidden import Hidden

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
                answer = await hidden.ask(method, path)
                told = f"{method} {shape}: {answer.status_code} {answer.text[:200]}"
                assert answer.status_code == 403, told
                assert await hidden.refusals() == before + 1, told
                asked += 1
    assert asked > 60


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
