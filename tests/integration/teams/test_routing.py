"""Rules send tickets to their team, unless a person has chosen; a dry run shows where to."""

from __future__ import annotations

from sqlalchemy import func, select, update

from core.domain.actor import Role
from core.domain.ids import new_id
from core.domain.routing import Conditions, Rule
from core.domain.teams import Strategy
from core.services.case import open_case
from core.services.ledger import Ledger
from core.services.teams.rulebook import Policy
from core.services.teams.shelf import RoutingShelf
from core.storage.queries.teams.routing import CATEGORY_RULE, DEFAULT_RULE
from core.storage.tables import AuditEntry, Category, Team
from tests.integration.console.api import Api
from tests.integration.console.browser import PASSWORD, Browser
from tests.integration.console.world import Desk
from tests.integration.teams.world import Floor


async def test_rules_categories_and_the_default_send_tickets_to_their_teams(desk: Desk) -> None:
    floor = await Floor.of(desk)
    network, sales, rest = [
        await floor.team(name, Strategy.MANUAL) for name in ("Network", "Sales", "Rest")
    ]
    category, below = new_id(), new_id()
    async with desk.sessions.begin() as session:
        session.add(Category(id=category, name="Orders", team_id=sales))
        await session.flush()
        session.add(Category(id=below, name="Returns", parent_id=category))
    vpn = Rule(id=None, name="VPN", conditions=Conditions(words=("vpn",)), team=network, level=2)
    await floor.staffing.rules.add(vpn, floor.boss)
    policy = Policy(default_team=rest, offer_again_minutes=None, own_tickets_only=False)
    await floor.staffing.rules.set_policy(policy, floor.boss)
    by_rule, other = await floor.opened("my VPN is down"), await floor.opened("hello")
    row = await floor.ticket(by_rule)
    assert (row.team_id, row.level) == (network, 2)
    assert (await floor.ticket(other)).team_id == rest

    async def sorted_under(ticket: object) -> None:
        async with desk.sessions.begin() as session:
            case = await open_case(session, Ledger(desk.accounts, desk.clock()), ticket)  # type: ignore[arg-type]
            case.ticket.category_id = below
            case.ledger.record(case.ticket, "category", None, str(below), actor="agent:x")
            await case.ledger.write(session)
        await floor.react_to(ticket)  # type: ignore[arg-type]

    await sorted_under(other)
    assert (await floor.ticket(other)).team_id == sales
    # What a person chose stays.
    third = await floor.opened("good morning")
    await floor.pass_to(third, network)
    await floor.react_to(third)
    await sorted_under(third)
    assert (await floor.ticket(third)).team_id == network


async def test_rules_at_hand_are_read_again_whatever_changes(desk: Desk) -> None:
    floor, shelf = await Floor.of(desk), RoutingShelf()
    network, sales = [await floor.team(name, Strategy.MANUAL) for name in ("Network", "Sales")]
    rules = floor.staffing.rules

    async def names() -> list[tuple[str, object]]:
        async with desk.sessions() as session:
            in_force = await shelf.current(session)
            return [(rule.name, rule.team) for rule in in_force.rules]

    assert await names() == []
    for name, team in (("A", network), ("B", sales)):
        await rules.add(
            Rule(id=None, name=name, conditions=Conditions(words=(name,)), team=team), floor.boss
        )
    assert await names() == [("A", network), ("B", sales)]
    async with desk.sessions() as session:
        first = await shelf.current(session)
    async with desk.sessions() as session:
        assert await shelf.current(session) is first
    (_, second) = first.rules
    assert second.id is not None
    await rules.move(second.id, 0, floor.boss)
    assert await names() == [("B", sales), ("A", network)]
    await rules.enable(second.id, floor.boss, enabled=False)
    assert await names() == [("A", network)]
    await rules.remove(second.id, floor.boss)
    await rules.add(
        Rule(id=None, name="C", conditions=Conditions(words=("c",)), team=sales), floor.boss
    )
    assert await names() == [("A", network), ("C", sales)]
    policy = Policy(default_team=network, offer_again_minutes=None, own_tickets_only=False)
    await rules.set_policy(policy, floor.boss)
    assert (await names())[-1] == (DEFAULT_RULE, network)
    async with desk.sessions.begin() as session:
        session.add(Category(id=new_id(), name="Orders", team_id=sales))
    assert (await names())[2] == (CATEGORY_RULE, sales)
    async with desk.sessions.begin() as session:
        await session.execute(update(Team).where(Team.id == sales).values(archived_at=func.now()))
    assert await names() == [("A", network), (DEFAULT_RULE, network)]


async def test_rules_are_set_over_the_api_in_order_and_tried_on_past_tickets(
    desk: Desk, api: Api
) -> None:
    boss, ana = await api(Role.ADMIN, "boss@example.org"), await api()
    await boss.post("/api/v1/teams", json={"name": "Help"})
    await boss.post("/api/v1/teams", json={"name": "Network"})
    await desk.queued("my VPN is down")
    refused = await ana.post("/api/v1/routing/rules", json={"name": "x", "team": "Help"})
    assert refused.status_code == 403
    unknown = await boss.post("/api/v1/routing/rules", json={"name": "x", "team": "Nobody"})
    assert (unknown.status_code, unknown.json()["detail"]) == (422, "there is no such team")
    first = await boss.post("/api/v1/routing/rules", json={"name": "All", "team": "Help"})
    assert first.status_code == 201, first.text
    foreign = {"name": "x", "team": "Help", "conditions": {"languages": ["english"]}}
    refused = await boss.post("/api/v1/routing/rules", json=foreign)
    assert (refused.status_code, "english" in refused.json()["detail"]) == (422, True)
    asked = {"words": ["vpn"], "languages": ["EN"]}
    second = await boss.post(
        "/api/v1/routing/rules", json={"name": "VPN", "team": "Network", "conditions": asked}
    )
    (tried,) = (await boss.get("/api/v1/routing/dry-run")).json()["items"]
    assert (tried["rule"], tried["team"]) == ("All", None)
    moved = await boss.post(f"/api/v1/routing/rules/{second.json()['id']}/move", json={"place": 1})
    assert moved.status_code == 200
    assert [rule["name"] for rule in (await ana.get("/api/v1/routing/rules")).json()["items"]] == [
        "VPN",
        "All",
    ]
    (tried,) = (await boss.get("/api/v1/routing/dry-run")).json()["items"]
    assert tried["rule"] == "VPN"
    await boss.post(f"/api/v1/routing/rules/{second.json()['id']}/disable")
    (tried,) = (await boss.get("/api/v1/routing/dry-run")).json()["items"]
    assert tried["rule"] == "All"
    gone = await boss.delete(f"/api/v1/routing/rules/{first.json()['id']}")
    assert gone.status_code == 204
    policy = {"default_team": "Help", "offer_again_minutes": 5, "own_tickets_only": False}
    assert (await boss.put("/api/v1/routing/policy", json=policy)).status_code == 200
    async with desk.sessions() as session:
        actions = list(await session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)))
    assert [action for action in actions if action.startswith(("rule", "setting"))] == [
        "rule.added",
        "rule.added",
        "rule.moved",
        "rule.disabled",
        "rule.removed",
        "setting.changed",
    ]


async def test_the_pages_make_a_rule_and_try_it(desk: Desk) -> None:
    floor = await Floor.of(desk)
    team = await floor.team("Network")
    await desk.access.passwords.set(floor.boss.id, PASSWORD)
    browser = await Browser.signed_in(desk, floor.boss.email)
    await desk.queued("my VPN is down")
    await browser.see("/console/settings/routing/new")
    form = {"name": "VPN", "words": "vpn, túnel", "team": str(team), "level": "2"}
    wrong = await browser.send("/console/settings/routing/new", form={**form, "name": " "})
    assert (wrong.status_code, "vpn, túnel" in wrong.text) == (422, True)
    assert (await browser.send("/console/settings/routing/new", form=form)).status_code == 303
    assert "túnel, vpn" in await browser.see("/console/settings/routing")
    assert "<strong>Network</strong>" in await browser.see("/console/settings/routing/dry-run")
    saved = await browser.send(
        "/console/settings/routing/policy", default_team=str(team), own_tickets_only="yes"
    )
    assert saved.status_code == 303
