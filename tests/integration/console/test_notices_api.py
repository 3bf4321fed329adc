"""Programs read an agent's notices, and say how and where the agent is told."""

from __future__ import annotations

import re

from channels.simulator.slack import SlackPlatform
from channels.slack.channel import open_slack
from channels.slack.settings import SlackSettings
from core.domain.actor import Role
from core.domain.ids import AccountId, AgentId, new_id
from core.domain.notification import Notice
from core.services.access.tokens import TokenTerms
from core.services.audit import done_by, done_from
from core.services.notifications.leaving import Told, leave
from core.storage.queries.access.agents import agent_named
from core.storage.queries.tickets.tickets import ticket_named
from tests.integration.console.api import Api, whole
from tests.integration.console.browser import PASSWORD
from tests.integration.console.world import Desk
from tests.support.slack import channel_context, plain_text

ACME = AccountId("acme")


async def told(desk: Desk, agent: AgentId, number: int, *kinds: Notice) -> None:
    async with desk.sessions.begin() as session:
        ticket = await ticket_named(session, str(number))
        for kind in kinds:
            one = Told(agent=agent, ticket=ticket, notice=kind, by="timer", detail="resolution")
            assert await leave(session, [one], desk.clock()) == 1
            await session.flush()


async def test_notices_are_listed_counted_and_read(desk: Desk, api: Api) -> None:
    await desk.queued("the printer", thread="t1", who="ada")
    await desk.queued("the screen", thread="t2", who="bob")
    client, other = await api(), await api(email="bea@example.org")
    async with desk.sessions() as session:
        ana = await agent_named(session, "ana@example.org")
        bea = await agent_named(session, "bea@example.org")
    await told(desk, ana, 1001, Notice.AT_RISK, Notice.BROKEN)
    await told(desk, ana, 1002, Notice.AT_RISK, Notice.BROKEN, Notice.DUE)
    await told(desk, bea, 1001, Notice.DUE)
    notices = await whole(client, "notices")
    assert [(one["ticket"], one["notice"]) for one in notices] == [
        (1002, "due"),
        (1002, "broken"),
        (1002, "at_risk"),
        (1001, "broken"),
        (1001, "at_risk"),
    ]
    assert notices[0]["subject"]
    assert (await client.get("/api/v1/notices/count")).json() == {"unread": 5, "unread_access": 0}
    foreign = (await whole(other, "notices"))[0]["id"]
    some = {"notices": [notices[0]["id"], foreign, str(new_id())]}
    assert (await client.post("/api/v1/notices/read", json=some)).json() == {
        "unread": 4,
        "unread_access": 0,
    }
    assert (await other.get("/api/v1/notices/count")).json() == {"unread": 1, "unread_access": 0}
    of_ticket = await client.post("/api/v1/notices/read", json={"ticket": "1001"})
    assert of_ticket.json() == {"unread": 2, "unread_access": 0}
    unread = await whole(client, "notices", unread="true")
    assert [one["id"] for one in unread] == [one["id"] for one in notices[1:3]]
    both = some | {"ticket": "1001"}
    assert (await client.post("/api/v1/notices/read", json=both)).status_code == 422
    gone = await client.post("/api/v1/notices/read", json={"ticket": "9999"})
    assert gone.status_code == 422
    assert (await client.post("/api/v1/notices/read", json={})).json() == {
        "unread": 0,
        "unread_access": 0,
    }
    auditor = await api(Role.AUDITOR, "aud@example.org")
    assert (await auditor.post("/api/v1/notices/read", json={})).status_code == 403


async def test_programs_list_what_is_made_for_their_agent_and_read_it_with_all_else(
    desk: Desk, api: Api
) -> None:
    client = await api(Role.AGENT, "ana@example.org")
    async with desk.sessions() as session:
        ana = await agent_named(session, "ana@example.org")
    await desk.access.passwords.set(ana, PASSWORD)
    boss = await desk.agent("boss@example.org", "Berta", Role.ADMIN)
    with done_by(boss.actor), done_from("203.0.113.9"):
        await desk.access.create_token("ana@example.org", Role.AGENT, TokenTerms(name="Robot"))
    (told,) = (await client.get("/api/v1/notices/access")).json()
    assert (told["change"], told["by_name"], told["detail"]) == ("token", "Berta", "Robot")
    assert (told["remote"], told["is_yourself"], told["is_read"]) == ("203.0.113.9", False, False)
    unread = {"unread": 0, "unread_access": 1}
    assert (await client.get("/api/v1/notices/count")).json() == unread
    one = await client.post("/api/v1/notices/read", json={"notices": [told["id"]]})
    assert one.json() == unread
    every = await client.post("/api/v1/notices/read", json={})
    assert every.json() == {"unread": 0, "unread_access": 0}
    assert (await client.get("/api/v1/notices/access")).json()[0]["is_read"] is True


async def test_an_agent_says_what_they_want_to_hear_and_when_not(desk: Desk, api: Api) -> None:
    client, place = await api(), "/api/v1/notices/wishes"
    read = await client.get(place)
    assert read.json()["mail"] == "unread"
    assert read.json()["kinds"]["watched"] == "everywhere"
    wanted = {
        "mail": "urgent",
        "quiet_from": "22:00",
        "quiet_until": "07:30",
        "time_zone": "Europe/Madrid",
        "kinds": {"watched": "here", "queued": "nowhere"},
    }
    tag = {"If-Match": read.headers["ETag"]}
    kept = await client.put(place, json=wanted, headers=tag)
    assert kept.status_code == 200, kept.text
    assert kept.json() == (await client.get(place)).json()
    assert kept.json()["quiet_until"] == "07:30"
    assert kept.json()["kinds"]["queued"] == "nowhere"
    assert kept.json()["kinds"]["assigned"] == "everywhere"
    assert (await client.put(place, json=wanted, headers=tag)).status_code == 412
    for wrong in (
        {"quiet_from": "22:00"},
        {"quiet_from": "22:00", "quiet_until": "22:00"},
        {"quiet_from": "24:00", "quiet_until": "07:00"},
        {"time_zone": "Mars/Olympus"},
        {"mail": "always"},
        {"kinds": {"weather": "here"}},
    ):
        assert (await client.put(place, json=wrong)).status_code == 422, wrong


async def test_an_agent_is_found_in_slack_or_proves_who_they_are_there(
    desk: Desk, api: Api
) -> None:
    client, place = await api(), "/api/v1/notices/chat"
    assert (await client.get(place)).json()["accounts"] == []
    async with SlackPlatform() as slack:
        settings = SlackSettings.model_validate(
            {"bot_token": slack.bot_token, "app_token": slack.app_token, "api_url": slack.url}
        )
        desk.channels[ACME] = channel = open_slack(ACME, settings, channel_context())
        nobody = await client.post(place, json={"account": "acme"})
        assert nobody.status_code == 422
        slack.person("Ana Ruiz", email="ana@example.org")
        found = await client.post(place, json={"account": "acme"})
        assert (found.json()["account"], found.json()["name"]) == ("acme", "Ana Ruiz")
        assert (await client.delete(place)).status_code == 204
        assert (await client.get(place)).json()["account"] is None

        private = slack.person("Ana R.", email="ana@home.example")
        member = {"account": "acme", "member": private.id}
        unknown = await client.post(f"{place}/code", json=member | {"member": "U999"})
        assert unknown.status_code == 422
        asked = await client.post(f"{place}/code", json=member)
        assert (asked.status_code, asked.json()["code_sent_to"]) == (202, "Ana R.")
        (written,) = [plain_text(message) for message in slack.sent(private.direct)]
        code = re.search(r"\b(\d{3}) (\d{3})\b", written)
        assert code is not None
        other = f"{(int(code[1]) + 1) % 1000:03}{code[2]}"
        assert (await client.post(f"{place}/proof", json={"code": other})).status_code == 422
        proved = await client.post(f"{place}/proof", json={"code": code[0]})
        assert (proved.json()["name"], proved.json()["code_sent_to"]) == ("Ana R.", None)
        elsewhere = await client.post(place, json={"account": "loop"})
        assert elsewhere.status_code == 404
        await channel.close()
