"""Agents register tickets for those who ask on the phone: found, written down, answered by mail."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import select

from core.domain.account import IN_PERSON
from core.domain.actor import Role
from core.domain.classification import Extent, Kind
from core.domain.errors import Conflict, InvalidInput, WrongAddress
from core.domain.ids import AccountId, ContactId
from core.domain.ticket import CameBy, TicketStatus
from core.ports import capabilities_of
from core.services.classification.sorting import Sorting
from core.services.conversations.letters import Letters
from core.services.requester_records.contacts import ContactDraft
from core.services.tickets.registrations import Registration, Registrations
from core.storage.tables import AuditEntry, Contact, ContactAddress, Conversation, Message, Ticket
from tests.integration.console.api import Api
from tests.integration.console.browser import signed_in
from tests.integration.console.world import Desk
from tests.integration.letters.world import Post

EMAIL = "ada@people.example"


@pytest.fixture
def post(desk: Desk) -> Post:
    """An account of letters."""
    post = Post(desk.loopback.account, desk.loopback.platform)
    desk.channels[post.account] = post
    desk.accounts[post.account] = capabilities_of(post)
    return post


@pytest.fixture
def front(desk: Desk) -> Registrations:
    return Registrations(desk.sessions, desk.accounts, Letters(desk.channels), desk.clock)


async def _the_ticket(desk: Desk) -> tuple[Ticket, Conversation, list[Message]]:
    async with desk.sessions() as session:
        (ticket,) = (await session.scalars(select(Ticket))).all()
        conversation = await session.get_one(Conversation, ticket.conversation_id)
        messages = await session.scalars(select(Message).order_by(Message.seq))
        return ticket, conversation, list(messages)


async def test_who_called_is_mailed_the_number_and_every_answer(
    desk: Desk, post: Post, front: Registrations
) -> None:
    ana = await desk.agent()
    ada = await front.meet(ContactDraft(name=" Ada  Low ", language="es"), EMAIL.upper(), ana)
    sorting = Sorting(kind=Kind.REQUEST, impact=Extent.HIGH, more_tags=["phone"])
    ticket = await front.open(
        Registration(requester=ada, subject="VPN", text="It is broken", sorting=sorting), ana
    )
    row, conversation, (heard, told) = await _the_ticket(desk)
    assert (row.kind, row.impact, row.tags, row.came_by) == (
        "request",
        "high",
        ["phone"],
        CameBy.PHONE,
    )
    assert (conversation.account_id, conversation.address) == (post.account, EMAIL)
    assert (heard.speaker, heard.text, heard.author) == ("customer", "It is broken", EMAIL)
    assert told.text.startswith("Hemos registrado lo que nos pidió como ticket **#1001**: VPN.")
    await desk.tickets.reply(ticket, ana, "Try again now")
    await desk.deliver(conversation.id)
    sent = post.platform.received
    assert [one.requester for one in sent] == [EMAIL, EMAIL]
    assert sent[1].body.text == "Try again now"
    async with desk.sessions() as session:
        contact = await session.get_one(Contact, ada)
        actions = list(await session.scalars(select(AuditEntry.action)))
    assert contact.name == "Ada Low"
    assert "contact.added" in actions


async def test_who_cannot_be_mailed_is_told_by_the_agent_and_that_is_kept(
    desk: Desk, post: Post, front: Registrations
) -> None:
    ana = await desk.agent()
    ada = await front.meet(ContactDraft(name="Ada"), "", ana)
    ticket = await front.open(
        Registration(requester=ada, subject="Badge", text="Lost it", came_by=CameBy.WALK_IN), ana
    )
    _, conversation, messages = await _the_ticket(desk)
    assert conversation.account_id == IN_PERSON
    assert [one.text for one in messages] == ["Lost it"]
    await desk.tickets.reply(ticket, ana, "A new one is at the desk", then=TicketStatus.SOLVED)
    row, _, messages = await _the_ticket(desk)
    assert row.first_response_at is not None
    assert [one.delivery for one in messages[1:]] == ["sent", "sent"]
    assert not post.platform.received


async def test_a_vouched_for_address_of_a_chat_is_mailed_too(
    desk: Desk, post: Post, front: Registrations
) -> None:
    ana = await desk.agent()
    await desk.says("hello", who="ada")
    async with desk.sessions() as session:
        ada = ContactId((await session.scalars(select(Contact.id))).one())
    await front.open(Registration(requester=ada, subject="VPN", text="Broken"), ana)
    async with desk.sessions() as session:
        found = await session.scalars(
            select(ContactAddress.address).where(ContactAddress.account_id == post.account)
        )
        conversation = (
            await session.scalars(
                select(Conversation).where(Conversation.account_id == post.account)
            )
        ).one()
    assert found.all() == [conversation.address] == ["ada@example.org"]


async def test_a_registered_ticket_goes_the_way_of_all_others_unless_somebody_is_chosen(
    desk: Desk, front: Registrations
) -> None:
    ana = await desk.agent()
    ada = await front.meet(ContactDraft(name="Ada"), "", ana)
    ticket = await front.open(
        Registration(requester=ada, subject="VPN", text="Broken", assignee=ana.id), ana
    )
    row, conversation, _ = await _the_ticket(desk)
    assert (row.id, row.assignee_id, row.status, conversation.responder) == (
        ticket,
        ana.id,
        TicketStatus.OPEN,
        "human",
    )


async def test_what_does_not_fit_is_refused_and_nothing_is_stored(
    desk: Desk, post: Post, front: Registrations
) -> None:
    ana = await desk.agent()
    ada = await front.meet(ContactDraft(name="Ada"), EMAIL, ana)
    with pytest.raises(Conflict, match="another requester's"):
        await front.meet(ContactDraft(name="Eve"), EMAIL, ana)
    with pytest.raises(WrongAddress):
        await front.meet(ContactDraft(name="Eve"), "nonsense", ana)
    with pytest.raises(InvalidInput, match="needs a name"):
        await front.meet(ContactDraft(name=" "), "", ana)
    with pytest.raises(InvalidInput, match="subject"):
        Registration(requester=ada, subject=" ", text="Broken")
    usual = Registration(requester=ada, subject="VPN", text="Broken")
    with pytest.raises(InvalidInput, match="no letters"):
        await front.open(replace(usual, account=AccountId("webchat")), ana)
    with pytest.raises(InvalidInput, match="no such field"):
        await front.open(replace(usual, sorting=Sorting(fields={"x": "1"})), ana)
    async with desk.sessions() as session:
        assert (await session.scalars(select(Ticket))).all() == []
        assert len((await session.scalars(select(Contact))).all()) == 1


async def test_an_address_that_somebody_has_anywhere_is_nobody_elses(
    desk: Desk, post: Post, front: Registrations
) -> None:
    ana = await desk.agent()
    await desk.says("hello", who="ada")  # a chat that vouches for ada@example.org
    second = AccountId("second")
    desk.accounts[second] = desk.accounts[post.account]
    bob = await front.meet(ContactDraft(name="Bob"), "", ana)
    async with desk.sessions.begin() as session:
        session.add(ContactAddress(account_id=second, address="Bob@people.example", contact_id=bob))
    for taken in ("ADA@example.org", "bob@people.example"):
        with pytest.raises(Conflict):
            await front.meet(ContactDraft(name="Eve"), taken, ana)


async def test_a_program_registers_a_requester_and_a_ticket(desk: Desk, api: Api) -> None:
    client = await api()
    made = await client.post("/api/v1/requesters", json={"name": "Ada", "email": EMAIL})
    assert made.status_code == 201, made.text
    again = await client.post("/api/v1/requesters", json={"name": "Ada", "email": EMAIL})
    assert again.status_code == 409
    body = {
        "requester": made.json()["id"],
        "subject": "No network",
        "text": "Since this morning",
        "came_by": "walk_in",
        "kind": "incident",
        "tags": ["network"],
        "priority": "high",
        "assignee": "ana@example.org",
    }
    answer = await client.post("/api/v1/tickets", json=body)
    assert answer.status_code == 201, answer.text
    ticket = answer.json()
    assert (ticket["number"], ticket["came_by"], ticket["priority"], ticket["tags"]) == (
        1001,
        "walk_in",
        "high",
        ["network"],
    )
    assert ticket["assignee"]["email"] == "ana@example.org"
    for wrong in ({"came_by": "smoke"}, {"assignee": "nobody@x.example"}, {"subject": ""}):
        refused = await client.post("/api/v1/tickets", json=body | wrong)
        assert refused.status_code == 422, refused.text
    unknown = body | {"requester": "019a0000-0000-7000-8000-000000000000"}
    assert (await client.post("/api/v1/tickets", json=unknown)).status_code == 404


async def test_an_agent_registers_a_call_in_the_console(desk: Desk, post: Post) -> None:
    ana = await signed_in(desk, "Ana", Role.AGENT)
    await ana.see("/console/tickets/new")
    met = await ana.send("/console/tickets/new/people", name="Ada", email=EMAIL)
    assert met.status_code == 303, met.text
    assert f"Your answers go by mail to {EMAIL}." in await ana.see(met.headers["location"])
    assert EMAIL in await ana.see("/console/tickets/new/people?q=Ada")
    twice = await ana.send("/console/tickets/new/people", name="Ada", email=EMAIL)
    assert twice.status_code == 422
    assert "This address is another requester" in twice.text
    requester = met.headers["location"].partition("requester=")[2]
    form = {"requester": requester, "subject": "VPN", "kind": "incident", "came_by": "phone"}
    missing = await ana.send("/console/tickets/new", form=form | {"text": " "})
    assert missing.status_code == 422
    assert 'value="VPN"' in missing.text
    more = {"text": "It is broken", "tags": "vpn, home", "language": "en"}
    done = await ana.send("/console/tickets/new", form=form | more)
    assert (done.status_code, done.headers["location"]) == (303, "/console/tickets/1001")
    shown = await ana.see("/console/tickets/1001")
    assert "It is broken" in shown
    assert "Registered by an agent" in shown
    assert "Nobody can be written to here" not in shown


async def test_the_console_says_where_nobody_can_be_written_to(desk: Desk) -> None:
    ana = await signed_in(desk, "Ana", Role.AGENT, "es")
    await ana.see("/console/tickets/new")
    met = await ana.send("/console/tickets/new/people", name="Ada")
    form = await ana.see(met.headers["location"])
    assert "No se les puede escribir: no hay ninguna cuenta de correo conectada." in form
    requester = met.headers["location"].partition("requester=")[2]
    fields = {"requester": requester, "subject": "VPN", "kind": "question", "came_by": "phone"}
    done = await ana.send("/console/tickets/new", form=fields | {"text": "¿Cómo?"})
    assert "Aquí no se puede escribir a nadie" in await ana.see(done.headers["location"])


async def test_a_ticket_is_registered_for_no_auditor(desk: Desk, front: Registrations) -> None:
    ana = await desk.agent()
    nora = await desk.agent("nora@example.org", "Nora", Role.AUDITOR)
    ada = await front.meet(ContactDraft(name="Ada"), "", ana)
    with pytest.raises(InvalidInput, match="there is no such agent"):
        await front.open(
            Registration(requester=ada, subject="VPN", text="Broken", assignee=nora.id), ana
        )
