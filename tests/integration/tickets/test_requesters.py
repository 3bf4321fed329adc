"""Requesters and organisations: written down, joined by verified mail, merged and parted."""

from __future__ import annotations

from datetime import timedelta

import httpx
import pytest
from sqlalchemy import select, update

from core.domain.actor import Role
from core.domain.errors import Conflict, InvalidInput
from core.domain.ids import ContactId
from core.services.reactions import Reactions
from core.services.requester_records.merging import ContactMerging
from core.services.requester_records.organisation_of_tickets import OrganisationOfTickets
from core.storage.queries.requester_records.requesters import list_requesters, requester_record
from core.storage.queries.tickets.filter import TicketFilter
from core.storage.queries.tickets.tickets import list_tickets
from core.storage.tables import ContactAddress, Organisation
from tests.integration.console.api import Api
from tests.integration.console.browser import signed_in
from tests.integration.console.world import Desk


async def _contact(desk: Desk, words: str) -> ContactId:
    async with desk.sessions() as session:
        (found,) = await list_requesters(session, words)
    return found.id


async def test_who_has_a_verified_address_of_its_domain_joins_an_organisation(
    desk: Desk, api: Api
) -> None:
    await desk.queued(who="ada")
    client = await api(Role.LEAD)
    await client.post("/api/v1/plans", json={"name": "Gold", "channels": ["slack"]})
    body = {"name": "Acme", "domains": ["@Example.org"], "plan": "Gold"}
    made = await client.post("/api/v1/organisations", json=body)
    assert (made.status_code, made.json()["members"]) == (201, 1)
    place = f"/api/v1/organisations/{made.json()['id']}"
    clash = {"name": "Other", "domains": ["example.org"]}
    assert (await client.post("/api/v1/organisations", json=clash)).status_code == 409
    assert (await client.post("/api/v1/organisations", json={"name": "acme "})).status_code == 201
    wrong = {"name": "X", "domains": ["nonsense"]}
    assert (await client.post("/api/v1/organisations", json=wrong)).status_code == 422

    later = await desk.queued(thread="t2", who="bob")
    await Reactions(desk.sessions, desk.accounts, [OrganisationOfTickets()]).advance(later)
    assert (await client.get(place)).json()["members"] == 2
    ticket = (await client.get("/api/v1/tickets/1002")).json()
    assert ticket["organisation"]["name"] == "Acme"
    lea = await signed_in(desk, "Lea", Role.LEAD)
    shown = await lea.see("/console/tickets/1002")
    assert "Their support plan does not cover this channel." in shown
    stale = {"If-Match": '"7"'}
    assert (await client.put(place, json=body, headers=stale)).status_code == 412


async def test_a_public_mail_providers_domain_is_no_organisations(desk: Desk, api: Api) -> None:
    client = await api(Role.LEAD)
    acme = {"name": "Acme", "domains": ["acme.example", "@Gmail.com"]}
    for answer in (
        await client.post("/api/v1/organisations", json=acme),
        await client.put(await _organisation(client), json=acme),
    ):
        assert answer.status_code == 422
        assert "anybody can have an address at gmail.com" in answer.text
    lea = await signed_in(desk, "Lea", Role.LEAD, "es")
    page = await lea.send("/console/organisations", name="Sur", domains="sur.example hotmail.es")
    assert page.status_code == 422
    assert "Cualquiera puede tener una dirección en hotmail.es" in page.text


async def test_nobody_joins_by_a_providers_domain_of_an_earlier_release(
    desk: Desk, api: Api
) -> None:
    client = await api(Role.LEAD)
    place = await _organisation(client)
    async with desk.sessions.begin() as session:
        row = (await session.scalars(select(Organisation))).one()
        row.domains = ["gmail.com", "example.org"]
    ada = await desk.queued(who="ada")
    eve = await desk.queued(thread="t2", who="eve")
    async with desk.sessions.begin() as session:
        await session.execute(
            update(ContactAddress)
            .where(ContactAddress.verified_email == "eve@example.org")
            .values(verified_email="eve@gmail.com")
        )
    for conversation in (ada, eve):
        await Reactions(desk.sessions, desk.accounts, [OrganisationOfTickets()]).advance(
            conversation
        )
    assert (await client.get(place)).json()["members"] == 1


async def _organisation(client: httpx.AsyncClient) -> str:
    made = await client.post("/api/v1/organisations", json={"name": "Norte"})
    return f"/api/v1/organisations/{made.json()['id']}"


async def test_an_agent_writes_down_what_a_requester_needs(desk: Desk, api: Api) -> None:
    await desk.queued(who="ada")
    contact = await _contact(desk, "ADA@exam")
    ana = await signed_in(desk, "Ana", Role.AGENT, "es")
    place = f"/console/requesters/{contact}"
    assert "ada@example.org" in await ana.see("/console/requesters?q=ada")
    assert "I need a person" in await ana.see(place)
    form = {"name": "Ada L.", "time_zone": "Europe/Madrid", "language": "es", "vip": "yes"}
    assert (await ana.send(place, form=form)).status_code == 303
    refused = await ana.send(place, form=form | {"time_zone": "Mars/Olympus"})
    assert refused.status_code == 422
    french = await ana.send(place, form=form | {"language": "fr"})
    assert french.status_code == 303, french.text
    assert '<option value="fr" selected>Francés</option>' in await ana.see(place)
    assert (await ana.send(place, form=form | {"language": "xx"})).status_code == 422
    assert "VIP" in await ana.see("/console/tickets/1001")
    client = await api(Role.AGENT, "bea@example.org")
    read = await client.get(f"/api/v1/requesters/{contact}")
    assert (read.json()["time_zone"], read.json()["vip"]) == ("Europe/Madrid", True)
    for path in ("/console/organisations", "/console/requesters?q=nobody"):
        await ana.see(path)


async def test_that_mail_to_an_address_comes_back_is_shown_with_when(desk: Desk, api: Api) -> None:
    await desk.queued(who="ada")
    contact = await _contact(desk, "ada")
    at = desk.clock() - timedelta(days=2)
    async with desk.sessions.begin() as session:
        await session.execute(update(ContactAddress).values(bounce="hard", bounced_at=at))
    ana = await signed_in(desk, "Ana", Role.AGENT)
    page = await ana.see(f"/console/requesters/{contact}")
    assert f'mail comes back</span> <span class="quiet"><time datetime="{at.isoformat()}"' in page
    client = await api(Role.AGENT, "bea@example.org")
    (address,) = (await client.get(f"/api/v1/requesters/{contact}")).json()["addresses"]
    assert (address["bounce"], address["bounced_at"][:10]) == ("hard", f"{at:%Y-%m-%d}")


async def test_contacts_that_were_made_one_are_parted_again(desk: Desk) -> None:
    await desk.queued(who="ada")
    await desk.queued(thread="t2", who="eve")
    ana = await desk.agent()
    merging = ContactMerging(desk.sessions, desk.accounts, desk.clock)
    ada, eve = await _contact(desk, "ada"), await _contact(desk, "eve")
    merge = await merging.merge(ada, eve, ana)

    async def tickets() -> list[int]:
        async with desk.sessions() as session:
            found = await list_tickets(session, TicketFilter(requester=ada))
            return sorted(ticket.number for ticket in found)

    assert await tickets() == [1001, 1002]
    await desk.says("me again", thread="t2", who="eve")
    await desk.queued(thread="t3", who="eve")
    assert await tickets() == [1001, 1002, 1003]
    async with desk.sessions() as session:
        record = await requester_record(session, ada)
        assert [one.name for one in record.merges] == ["Eve"]
        assert [one.id for one in await list_requesters(session)] == [ada]
    with pytest.raises(InvalidInput):
        await merging.merge(ada, ada, ana)
    with pytest.raises(Conflict):
        await merging.merge(ada, eve, ana)
    await merging.undo(merge, ana)
    assert await tickets() == [1001, 1003]
    with pytest.raises(Conflict):
        await merging.undo(merge, ana)
    merge = await merging.merge(ada, eve, ana)
    desk.clock.advance(timedelta(days=31))
    with pytest.raises(Conflict):
        await merging.undo(merge, ana)
