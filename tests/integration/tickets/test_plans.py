"""Support plans: kept, given to organisations for a time, and asked for by policies and routing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from core.domain.actor import Role
from core.domain.plans import PlanId, Term
from core.domain.routing import Conditions, RoutingFacts
from core.services.reactions import Reactions
from core.services.requester_records.organisation_of_tickets import OrganisationOfTickets
from core.services.sla.clocks import ClocksOfTickets
from core.services.teams.routing import RoutingOfTickets
from core.storage.migrate import migrate
from tests.integration.console.api import Api
from tests.integration.console.browser import signed_in
from tests.integration.console.world import Desk
from tests.support.migrations import upgrade

TODAY = datetime.now(UTC).date()
DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("term", "holds"),
    [
        (Term(), True),
        (Term(starts=TODAY, ends=TODAY), True),
        (Term(starts=TODAY + DAY), False),
        (Term(ends=TODAY - DAY), False),
        (Term(starts=TODAY - DAY, ends=TODAY + DAY), True),
    ],
)
def test_a_plan_is_in_force_from_its_first_day_to_its_last(term: Term, holds: bool) -> None:
    assert term.holds_on(TODAY) is holds


def test_a_routing_rule_asks_for_a_plan() -> None:
    gold = PlanId(UUID(int=1))
    asked = Conditions(plans=frozenset({gold}))
    assert Conditions.from_json(asked.as_json()) == asked
    assert asked.fit(RoutingFacts(plan=gold))
    assert not asked.fit(RoutingFacts())


async def test_plans_are_kept_and_given_for_a_time(desk: Desk, api: Api) -> None:
    lead, agent = await api(Role.LEAD), await api(Role.AGENT, "bea@example.org")
    body = {"name": "Gold", "channels": ["slack"], "notes": "by phone too"}
    made = await lead.post("/api/v1/plans", json=body)
    assert made.status_code == 201, made.text
    assert (await agent.post("/api/v1/plans", json=body)).status_code == 403
    assert (await lead.post("/api/v1/plans", json=body | {"name": "gold "})).status_code == 409
    assert (await lead.post("/api/v1/plans", json=body | {"name": " "})).status_code == 422
    place = f"/api/v1/plans/{made.json()['id']}"
    assert (await lead.put(place, json=body, headers={"If-Match": '"7"'})).status_code == 412

    acme = {"name": "Acme", "plan": "gold", "plan_until": (TODAY + DAY).isoformat()}
    organisation = await lead.post("/api/v1/organisations", json=acme)
    assert organisation.status_code == 201, organisation.text
    shown = organisation.json()
    assert (shown["plan"]["name"], shown["plan_in_force"], shown["channels"]) == (
        "Gold",
        True,
        ["slack"],
    )
    home = f"/api/v1/organisations/{shown['id']}"
    over = acme | {"plan_until": (TODAY - DAY).isoformat()}
    assert (await lead.put(home, json=over)).json()["plan_in_force"] is False
    wrong = acme | {"plan_from": (TODAY + 2 * DAY).isoformat()}
    assert (await lead.put(home, json=wrong)).status_code == 422
    assert (await lead.put(home, json=acme | {"plan": "Silver"})).status_code == 422
    assert (await agent.get("/api/v1/plans")).json()["items"][0]["organisations"] == 1

    assert (await lead.delete(place)).status_code == 204
    assert (await agent.get("/api/v1/plans")).json()["items"] == []
    assert (await lead.put(home, json=acme)).json()["plan"]["name"] == "Gold"  # they keep it
    other = {"name": "Other", "plan": "Gold"}
    assert (await lead.post("/api/v1/organisations", json=other)).status_code == 422


async def test_policies_and_routing_go_by_the_plan_while_it_is_in_force(
    desk: Desk, api: Api
) -> None:
    lead = await api(Role.LEAD)
    gold = (await lead.post("/api/v1/plans", json={"name": "Gold"})).json()["id"]
    acme = {"name": "Acme", "domains": ["example.org"], "plan": "Gold"}
    home = (await lead.post("/api/v1/organisations", json=acme)).json()["id"]
    for name, plans, minutes in (("Golden", [gold], 30), ("Usual", [], 600)):
        policy = {
            "name": name,
            "conditions": {"plans": plans},
            "targets": {"first_response": minutes},
        }
        made = await lead.post("/api/v1/sla-policies", json=policy)
        assert made.status_code == 201, made.text
    await lead.post("/api/v1/teams", json={"name": "Key accounts"})
    rule = {"name": "Gold first", "conditions": {"plans": [gold]}, "team": "Key accounts"}
    routed = await lead.post("/api/v1/routing/rules", json=rule)
    assert routed.status_code == 201, routed.text
    unknown = rule | {"conditions": {"plans": ["019a0000-0000-7000-8000-000000000000"]}}
    assert (await lead.post("/api/v1/routing/rules", json=unknown)).status_code == 422

    reactions = Reactions(
        desk.sessions,
        desk.accounts,
        [OrganisationOfTickets(), RoutingOfTickets(), ClocksOfTickets(timedelta(hours=1))],
    )

    async def promised(number: int) -> tuple[str | None, str | None]:
        ticket = (await lead.get(f"/api/v1/tickets/{number}")).json()
        promises = (await lead.get(f"/api/v1/tickets/{number}/promises")).json()
        return promises["policy"], ticket["team"] and ticket["team"]["name"]

    await reactions.advance(await desk.queued())
    assert await promised(1001) == ("Golden", "Key accounts")
    ended = acme | {"plan_until": (TODAY - DAY).isoformat()}
    assert (await lead.put(f"/api/v1/organisations/{home}", json=ended)).status_code == 200
    await reactions.advance(await desk.queued(thread="t2", who="bob"))
    assert await promised(1002) == ("Usual", None)

    lea = await signed_in(desk, "Lea", Role.LEAD)
    assert "Their support plan is not in force." in await lea.see("/console/tickets/1001")
    page = await lea.see(f"/console/organisations/{home}")
    assert "Usual" in page
    assert "Golden" not in page
    await lead.put(f"/api/v1/organisations/{home}", json=acme)
    assert "Golden" in await lea.see(f"/console/organisations/{home}")
    assert "Golden" in await lea.see(f"/console/admin/plans/{gold}")


async def test_a_lead_keeps_plans_in_the_settings(desk: Desk) -> None:
    lea = await signed_in(desk, "Lea", Role.LEAD, "es")
    assert "Aún no hay planes." in await lea.see("/console/admin/plans")
    made = await lea.send("/console/admin/plans", name="Oro", channels="slack")
    assert made.status_code == 303
    assert "Oro" in await lea.see("/console/admin/plans")
    twice = await lea.send("/console/admin/plans", name="oro", notes="what was typed")
    assert "Ya hay un plan con este nombre" in twice.text
    assert "what was typed" in twice.text
    async with desk.sessions() as session:
        plan = await session.scalar(text("SELECT id FROM support_plan"))
    place = f"/console/admin/plans/{plan}"
    await lea.see(place)
    assert (await lea.send(place, name="Oro", notes="x", revision="1")).status_code == 303
    await lea.see("/console/organisations")
    added = await lea.send(
        "/console/organisations", name="Acme", plan=str(plan), plan_until="2001-01-01"
    )
    assert "no vigente" in await lea.see(added.headers["location"])
    for place in ("/console/organisations", added.headers["location"]):
        wrong = await lea.send(place, name="B", notes="what was typed", plan_from="tomorrow")
        assert wrong.status_code == 422
        assert "what was typed" in wrong.text


async def test_plans_in_words_become_rows(unmigrated: AsyncEngine) -> None:
    async with unmigrated.begin() as connection:
        await connection.run_sync(upgrade, "0049")
        for name, plan, channels in (
            ("A", "Gold", '["slack"]'),
            ("B", "gold", '["slack"]'),
            ("C", "Gold", "[]"),
            ("D", "", '["email"]'),
            ("E", "", "[]"),
        ):
            await connection.execute(
                text(
                    "INSERT INTO organisation (id, name, plan, channels)"
                    " VALUES (uuidv7(), :name, :plan, CAST(:channels AS jsonb))"
                ),
                {"name": name, "plan": plan, "channels": channels},
            )
    await migrate(unmigrated)
    async with unmigrated.begin() as connection:
        rows = await connection.execute(
            text(
                "SELECT organisation.name, support_plan.name, support_plan.channels"
                " FROM organisation LEFT JOIN support_plan ON support_plan.id = plan_id"
                " ORDER BY organisation.name"
            )
        )
        assert [tuple(row) for row in rows] == [
            ("A", "Gold", ["slack"]),
            ("B", "Gold", ["slack"]),
            ("C", "Gold (2)", []),
            ("D", "D", ["email"]),
            ("E", None, None),
        ]
