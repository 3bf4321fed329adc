"""Programs read what requesters said of how they were helped, and keep the rules about asking."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import select, update

from core.domain.actor import Role
from core.domain.ids import new_id
from core.domain.satisfaction import SurveyStatus
from core.storage.tables import Category, Satisfaction, Team, Ticket
from tests.integration.console.api import Api, whole
from tests.integration.console.world import Desk

NOON = datetime(2030, 5, 2, 12, tzinfo=UTC)


async def rated(desk: Desk) -> dict[str, str]:
    """Let five tickets be rated, a day apart; return the ids of team, category and the one below.

    Odd ones are Ana's, of the team and about laptops, in Spanish.
    """
    team, hardware, laptop = new_id(), new_id(), new_id()
    ana = await desk.agent()
    async with desk.sessions.begin() as session:
        session.add_all([Team(id=team, name="Help"), Category(id=hardware, name="Hardware")])
        await session.flush()
        session.add(Category(id=laptop, name="Laptop", parent_id=hardware))
    for number in range(5):
        await desk.queued("help", thread=f"t{number}", who=f"who{number}")
    async with desk.sessions.begin() as session:
        tickets = (await session.scalars(select(Ticket).order_by(Ticket.number))).all()
        for number, ticket in enumerate(tickets):
            is_odd = number % 2 == 1
            session.add(
                Satisfaction(
                    id=new_id(),
                    ticket_id=ticket.id,
                    contact_id=ticket.contact_id,
                    agent_id=ana.id if is_odd else None,
                    team_id=team if is_odd else None,
                    category_id=laptop if is_odd else None,
                    channel="webchat",
                    status=SurveyStatus.ANSWERED,
                    score=number + 1,
                    comment=f"comment {number}",
                    answered_at=NOON + timedelta(days=number),
                )
            )
            await session.flush()
        odd = Ticket.number.in_([1002, 1004])
        await session.execute(update(Ticket).where(odd).values(language="es"))
    return {"team": str(team), "hardware": str(hardware), "laptop": str(laptop)}


async def test_answers_are_found_by_whom_they_are_about_and_when(desk: Desk, api: Api) -> None:
    named = await rated(desk)
    client = await api(email="bea@example.org")

    async def scores(**params: str) -> list[int]:
        return [one["score"] for one in await whole(client, "satisfaction", **params)]

    assert await scores() == [5, 4, 3, 2, 1]
    for params in (
        {"agent": "ana@example.org"},
        {"team": "help"},
        {"team": named["team"]},
        {"category": named["hardware"]},
        {"category": named["laptop"]},
        {"language": "es"},
    ):
        assert await scores(**params) == [4, 2], params
    assert await scores(min_score="2", max_score="3") == [3, 2]
    assert await scores(**{"from": "2030-05-03", "to": "2030-05-04"}) == [3, 2]
    (who,) = (await client.get("/api/v1/requesters?q=who3")).json()["items"]
    assert await scores(requester=who["id"]) == [4]
    assert await scores(channel="email") == []
    assert await scores(agent="nobody@example.org") == []
    odd = (await client.get("/api/v1/satisfaction?min_score=4")).json()["items"][1]
    assert odd["agent"]["name"] == "Ana"
    assert (odd["team"]["name"], odd["category"]["name"]) == ("Help", "Laptop")
    assert (odd["language"], odd["comment"]) == ("es", "comment 3")
    for wrong in ("to=9999-12-31", "min_score=0", "from=x", "cursor=x", "category=x"):
        assert (await client.get(f"/api/v1/satisfaction?{wrong}")).status_code == 422, wrong


async def test_leads_keep_the_rules_about_asking(desk: Desk, api: Api) -> None:
    lead, place = await api(Role.LEAD, "lea@example.org"), "/api/v1/survey-rules"
    read = await lead.get(place)
    assert read.json() == {
        "is_on": True,
        "delay": 0.0,
        "remind_after": 48.0,
        "lasts": 336.0,
        "quiet": 24.0,
        "low_score": 2,
        "asks_of_assistant": False,
    }
    wanted = {
        "is_on": True,
        "delay": 1.5,
        "remind_after": None,
        "lasts": 48,
        "low_score": 3,
        "asks_of_assistant": True,
    }
    tag = {"If-Match": read.headers["ETag"]}
    kept = await lead.put(place, json=wanted, headers=tag)
    assert kept.json() == wanted | {"quiet": 24.0}
    assert (await lead.get(place)).headers["ETag"] == kept.headers["ETag"]
    assert (await lead.put(place, json=wanted, headers=tag)).status_code == 412
    for wrong in (
        {"delay": 169},
        {"lasts": 0},
        {"remind_after": 48, "lasts": 24},
        {"low_score": 6},
        {"delay": "soon"},
        {"delay": 1e300},
    ):
        assert (await lead.put(place, json=wrong)).status_code == 422, wrong
    agent = await api(email="bea@example.org")
    assert (await agent.get(place)).status_code == 403
    auditor = await api(Role.AUDITOR, "aud@example.org")
    assert (await auditor.get(place)).status_code == 200
    admin = await api(Role.ADMIN, "boss@example.org")
    (entry,) = (await admin.get("/api/v1/audit?action=satisfaction.")).json()["items"]
    assert entry["new"]["low_score"] == 3
