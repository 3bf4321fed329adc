"""The catalogue's pages: a lead keeps it, an agent asks, decides and works, an approver clicks."""

from __future__ import annotations

import re
from collections.abc import Mapping

from sqlalchemy import select

from core.domain.actor import Role
from core.services.catalogue.links import ApprovalLinks
from core.storage.tables import ApprovalAsk, AuditEntry
from tests.integration.console.browser import Browser, signed_in
from tests.integration.console.world import BASE_URL, Desk

PATH = "/console/admin/catalogue"
LINKS = ApprovalLinks(b"key", BASE_URL)


def item(**more: str) -> Mapping[str, str]:
    """Return the editor's form: a choice and a date, two tasks in another order than typed."""
    return {
        "name": "New laptop",
        "name:es": "Portátil nuevo",
        "icon": "💻",
        "words:en": "notebook",
        "field:0:label": "Model",
        "field:0:label:es": "Modelo",
        "field:0:kind": "choice",
        "field:0:choices": "Light\r\nPowerful",
        "field:0:choices:es": "Ligero\r\nPotente",
        "field:0:required": "yes",
        "field:1:label": "Needed by",
        "field:1:kind": "date",
        "field:2:label": " ",
        "field:2:kind": "text",
        "task:0:title": "Hand it over",
        "task:0:place": "2",
        "task:1:title": "Order it",
        "task:1:place": "1",
        "task:2:title": "",
        **more,
    }


async def made(lead: Browser, **more: str) -> str:
    """Add an item; return its page's address."""
    await lead.see(f"{PATH}/new")
    answer = await lead.send(f"{PATH}/new", form=item(**more))
    assert answer.status_code == 303, answer.text
    return answer.headers["location"].partition("?")[0]


async def a_role(lead: Browser, **people: str) -> str:
    await lead.see(PATH)
    answer = await lead.send(f"{PATH}/roles", form={"name": "IT lead", **people})
    assert answer.status_code == 303, answer.text
    found = re.search(r'id="role-([0-9a-f-]{36})"', await lead.see(PATH))
    assert found is not None
    return found[1]


async def test_a_lead_keeps_items_with_their_form_and_tasks(desk: Desk) -> None:
    lea = await signed_in(desk, "Lea", Role.LEAD, "es")
    place = await made(lea)
    shown = await lea.see(place)
    assert shown.index('value="Order it"') < shown.index('value="Hand it over"')
    assert "Ligero\nPotente" in shown
    fields = re.findall(r'name="field:\d+:id" value="([0-9a-f-]{36})"', shown)
    assert len(fields) == 2
    revision = re.search(r'name="revision" value="(\d+)"', shown)
    assert revision is not None
    change = {
        **item(),
        "revision": revision[1],
        "field:0:id": fields[0],
        "field:1:id": fields[1],
        "field:1:gone": "yes",
    }
    assert (await lea.send(place, form=change)).status_code == 303
    assert "Needed by" not in await lea.see(place)
    late = await lea.send(place, form=change)
    assert (late.status_code, "cambió mientras tanto" in late.text) == (422, True)
    wrong = await lea.send(f"{PATH}/new", form=item())
    assert (wrong.status_code, "Ya hay un elemento con este nombre" in wrong.text) == (422, True)
    assert 'value="Hand it over"' in wrong.text  # what was typed is still there
    assert "Portátil nuevo" in await lea.see(PATH)
    ana = await signed_in(desk, "Ana", Role.AGENT)
    assert (await ana.client.get(PATH)).status_code == 403


async def test_an_agent_asks_another_approves_and_the_tasks_are_done(desk: Desk) -> None:
    await desk.queued("Could I get a laptop?")
    lea = await signed_in(desk, "Lea", Role.LEAD)
    bob = await signed_in(desk, "Bob", Role.AGENT, "es")
    found = re.search(r'name="agent" value="([0-9a-f-]{36})"[^>]*> Bob', await lea.see(PATH))
    assert found is not None
    role = await a_role(lea, agent=found[1])
    place = await made(lea, role=role)
    name = place.rpartition("/")[2]
    ticket = "/console/tickets/1001"
    assert "Ask for an item of the catalogue" in await lea.see(ticket)
    form = await lea.see(f"{ticket}/request?item={name}")
    field = re.search(r'name="field:([0-9a-f-]{36})"', form)
    assert field is not None
    lacking = await lea.send(f"{ticket}/request", item=name)
    assert (lacking.status_code, "The request needs: Model" in lacking.text) == (422, True)
    asked = await lea.send(f"{ticket}/request", form={"item": name, f"field:{field[1]}": "Light"})
    assert asked.status_code == 303
    shown = await lea.see(ticket)
    assert "Waits for approval" in shown
    assert "IT lead decides. Asked: Bob" in shown
    for page, words in (
        (await lea.see("/console/queue"), "waits for IT lead"),
        (await bob.see("/console/queue"), "espera a IT lead"),
    ):
        assert words in page
    refused = await lea.send(f"{ticket}/approval", htmx=True, decision="approve")
    assert refused.status_code == 409
    assert "Only those who were asked may decide" in refused.text
    assert "Portátil nuevo" in await bob.see("/console/approvals")
    panel = await bob.see(ticket)
    assert "Ligero" in panel
    approved = await bob.send(f"{ticket}/approval", htmx=True, decision="approve", reason="vale")
    assert "Bob aprobó la solicitud" in approved.text
    assert "waits for IT lead" not in await lea.see("/console/queue")
    late = await bob.send(f"{ticket}/approval", htmx=True, decision="reject")
    assert (late.status_code, "Esto ya está decidido (Bob): En curso" in late.text) == (409, True)
    for done in ("Order it", "Hand it over"):
        shown = await lea.see(ticket)
        assert f'aria-label="Done: {done}"' in shown
        task = re.search(r'hx-post="[^"]*/tasks/([0-9a-f-]{36})', shown)
        assert task is not None
        await lea.send(f"{ticket}/tasks/{task[1]}", htmx=True)
    shown = await lea.see(ticket)
    assert "The request is done" in shown
    assert "Lea did the task: Hand it over" in shown


async def _token(desk: Desk, email: str) -> str:
    async with desk.sessions() as session:
        ask = await session.scalar(select(ApprovalAsk.id).where(ApprovalAsk.email == email))
    assert ask is not None
    return LINKS.link(ask).removeprefix(BASE_URL)


async def test_an_approver_outside_the_desk_decides_on_a_page_with_a_button(desk: Desk) -> None:
    await desk.queued("Could I get a laptop?")
    lea = await signed_in(desk, "Lea", Role.LEAD)
    role = await a_role(lea, emails="Boss@Example.org")
    place = await made(lea, role=role, **{"field:0:required": ""})
    await lea.see("/console/tickets/1001/request")
    await lea.send("/console/tickets/1001/request", item=place.rpartition("/")[2])
    link = await _token(desk, "boss@example.org")
    async with desk.client() as scanner:
        seen = await scanner.get(f"{link}?decision=reject")
        assert (seen.status_code, "Do you approve this?" in seen.text) == (200, True)
        assert "Waits for approval" in await lea.see("/console/tickets/1001")
        unclear = await scanner.post(link, data={"decision": "perhaps"})
        assert (unclear.status_code, "Approve or reject" in unclear.text) == (422, True)
        kept = await scanner.post(link, data={"decision": "approve", "reason": "fine"})
        assert "Thank you: your decision is kept." in kept.text
        in_spanish = {"Accept-Language": "es"}
        replayed = await scanner.post(link, data={"decision": "reject"}, headers=in_spanish)
        assert (replayed.status_code, "boss@example.org approved it." in replayed.text) == (
            409,
            True,
        )
        assert " de 20" not in replayed.text  # the whole page is in the approver's language
        forged = await scanner.get(link[:-2] + ("AA" if link[-2:] != "AA" else "BB"))
        assert (forged.status_code, "This link was not made here" in forged.text) == (404, True)
    await _is_audited(desk)


async def _is_audited(desk: Desk) -> None:
    async with desk.sessions() as session:
        rows = await session.scalars(
            select(AuditEntry)
            .where(AuditEntry.action == "approval.refused")
            .order_by(AuditEntry.id)
        )
        assert [row.subject_kind for row in rows] == ["ticket", "approval"]
