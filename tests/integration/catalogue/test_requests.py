"""A request goes its way: form, approval, tasks, done; the requester is told at each step."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from sqlalchemy import select

from core.domain.assistant import Handoff, HandoffReason, OpenTicket, TicketKind
from core.domain.catalogue import AnswersMissing, DecidedAlready, Decision, Stage, TaskState
from core.domain.classification import WrongField
from core.domain.content import Caution
from core.domain.errors import Conflict, Forbidden, InvalidInput, NotFound
from core.domain.ids import ContactId, ConversationId, ItemId, RequestTaskId, TicketId, new_id
from core.domain.ticket import TicketStatus
from core.services.catalogue.asking import Wish
from core.services.catalogue.roles import RoleDraft
from core.storage.queries.access.sight import sight_of, unseen_ticket
from core.storage.queries.catalogue.items import item_view, items_named
from core.storage.queries.catalogue.requests import tasks_for, waiting_for
from core.storage.tables import (
    AssignmentPolicy,
    Contact,
    ContactAddress,
    Conversation,
    Team,
    Ticket,
)
from tests.integration.catalogue.world import Shop, laptop, open_shop
from tests.support.desk import LOOP, Rig, posted


@pytest.fixture
async def shop(rig: Rig) -> Shop:
    return await open_shop(rig)


async def waits(shop: Shop, thread: str = "t1") -> TicketId:
    """Let a laptop that waits for approval be asked for."""
    item = await shop.items.add(laptop(shop.role), shop.lead)
    return await shop.asked(item, thread, Model="Powerful")


async def approved(shop: Shop) -> TicketId:
    ticket = await waits(shop)
    await shop.approvals.decide(ticket, Decision.APPROVE, "", shop.boss)
    return ticket


async def finish(shop: Shop, ticket: TicketId, place: int) -> None:
    task = (await shop.request(ticket)).tasks[place]
    await shop.tasks.finish(ticket, task.id, shop.lead)


async def test_a_request_waits_on_hold_with_its_values_as_data_and_in_words(shop: Shop) -> None:
    ticket = await waits(shop)
    row, request = await shop.rig.ticket(), await shop.request(ticket)
    assert (row.kind, row.status, row.subject) == ("request", "on_hold", "New laptop")
    assert request.stage == Stage.APPROVAL
    ((spec, value),) = request.values
    assert (spec.label, value, row.fields[spec.key]) == ("Model", "Powerful", "Powerful")
    assert await shop.told() == [
        (
            f"Your request **New laptop** is registered as ticket **#{row.number}**.\n\n"
            "- **Model**: Powerful\n\n"
            "It needs an approval first. You are told here as soon as it is decided."
        )
    ]
    assert [ask.email for ask in await shop.asks()] == ["bob@desk.test", "manager@example.org"]


async def test_an_approved_request_is_worked_on_task_by_task_and_ends_solved(shop: Shop) -> None:
    ticket = await approved(shop)
    assert (await shop.rig.ticket()).status == TicketStatus.OPEN
    assert [task.state for task in (await shop.request(ticket)).tasks] == [
        TaskState.OPEN,
        TaskState.WAITING,
    ]
    with pytest.raises(Conflict):
        await finish(shop, ticket, 1)
    await finish(shop, ticket, 0)
    with pytest.raises(Conflict):
        await finish(shop, ticket, 0)
    await finish(shop, ticket, 1)
    request = await shop.request(ticket)
    assert (request.stage, request.tasks[1].done_by) == (Stage.DONE, "Lea")
    assert (await shop.rig.ticket()).status == TicketStatus.SOLVED
    number = (await shop.rig.ticket()).number
    assert (await shop.told())[1:] == [
        f"Your request **New laptop** (ticket **#{number}**) is approved. We are working on it.",
        "Your laptop is ready, Somebody.",
        (
            f"Your ticket **#{number}** is solved. If something is still not right, "
            "write here and it opens again."
        ),
    ]


async def test_a_rejected_request_ends_with_the_reason_told(shop: Shop) -> None:
    ticket = await waits(shop)
    await shop.approvals.decide(ticket, Decision.REJECT, " No budget. ", shop.boss)
    request = await shop.request(ticket)
    assert (request.stage, request.decided_name, request.reason) == (
        Stage.REJECTED,
        "Bob",
        "No budget.",
    )
    assert (await shop.rig.ticket()).status == TicketStatus.SOLVED
    assert "was not approved.\n\nThe reason: No budget." in (await shop.told())[1]
    assert ("request", "rejected", "Bob") in await shop.history(ticket)


async def test_a_decision_stays_and_the_second_hears_who_took_it(shop: Shop) -> None:
    ticket = await approved(shop)
    with pytest.raises(DecidedAlready) as refused:
        await shop.approvals.decide(ticket, Decision.REJECT, "", shop.boss)
    assert (refused.value.stage, refused.value.who) == (Stage.WORK, "Bob")
    assert (await shop.request(ticket)).stage == Stage.WORK


async def test_of_two_decisions_at_once_one_counts(shop: Shop) -> None:
    ticket = await waits(shop)
    answers = await asyncio.gather(
        shop.approvals.decide(ticket, Decision.APPROVE, "", shop.boss),
        shop.approvals.decide_by_link(await shop.token("manager@example.org"), Decision.REJECT, ""),
        return_exceptions=True,
    )
    assert sorted(type(answer).__name__ for answer in answers) == ["DecidedAlready", "NoneType"]
    decided = [new for field, new, _ in await shop.history(ticket) if field == "request"]
    assert len(decided) == 2


async def test_who_is_no_approver_is_refused_and_audited(shop: Shop) -> None:
    ticket = await waits(shop)
    with pytest.raises(Forbidden):
        await shop.approvals.decide(ticket, Decision.APPROVE, "", shop.lead)
    (entry,) = await shop.audited("approval.refused")
    assert (entry.actor, entry.new) == (shop.lead.actor, {"why": "not an approver"})
    other = await shop.rig.agent("Other")
    for _ in range(2):
        with pytest.raises(Forbidden):
            await shop.approvals.decide(ticket, Decision.APPROVE, "", other)
    actors = [one.actor for one in await shop.audited("approval.refused")]
    assert actors == [shop.lead.actor, other.actor]  # each of them once an hour
    assert (await shop.request(ticket)).stage == Stage.APPROVAL


async def test_nobody_approves_their_own_request(shop: Shop) -> None:
    await shop.rig.hear("hello")
    await shop.rig.reply(await shop.rig.conversation_id())
    contact = ContactId((await shop.rig.conversation()).contact_id)
    await _is_called(shop, contact, "bob@desk.test")
    role = await shop.roles.add(RoleDraft(name="Alone", agents=[shop.boss.id]), shop.lead)
    item = await shop.items.add(laptop(role, name="Phone"), shop.lead)
    ticket = await shop.asked(item, Model="Light")
    assert await shop.asks() == []
    assert any("Nobody can approve this" in note for note in await shop.notes())
    with pytest.raises(Forbidden):
        await shop.approvals.decide(ticket, Decision.APPROVE, "", shop.boss)
    async with shop.rig.sessions() as session:
        assert await waiting_for(session, shop.boss.id) == []


async def test_nobody_approves_their_own_request_from_another_address(shop: Shop) -> None:
    await shop.rig.hear("hello")
    await shop.rig.reply(await shop.rig.conversation_id())
    async with shop.rig.sessions.begin() as session:
        (await session.get_one(ContactAddress, (LOOP, "somebody"))).verified_email = "bob@desk.test"
    item = await shop.items.add(laptop(shop.role), shop.lead)
    ticket = await shop.asked(item, Model="Light")
    assert [ask.email for ask in await shop.asks()] == ["manager@example.org"]
    assert not (await shop.request(ticket)).may_decide(shop.boss.id)
    async with shop.rig.sessions() as session:
        assert await waiting_for(session, shop.boss.id) == []


async def test_in_the_name_of_whom_nobody_vouches_for_nothing_is_asked(shop: Shop) -> None:
    item = await shop.items.add(laptop(shop.role), shop.lead)
    await shop.rig.hear("hello")
    await shop.rig.reply(await shop.rig.conversation_id())
    letter = replace(posted("I need a laptop"), caution=Caution.UNVERIFIED)
    await shop.rig.intake.accept(letter)
    async with shop.rig.sessions() as session:
        (model, _) = (await item_view(session, item)).fields
    await shop.rig.reply(
        await shop.rig.conversation_id(),
        OpenTicket(
            kind=TicketKind.REQUEST,
            subject="New laptop",
            description="New laptop",
            item=str(item),
            values={model.key: "Light"},
        ),
    )
    assert (await shop.rig.ticket()).status == TicketStatus.NEW
    assert await shop.asks() == []


async def _is_called(shop: Shop, contact: ContactId, email: str) -> None:
    async with shop.rig.sessions.begin() as session:
        (await session.get_one(Contact, contact)).email = email


async def test_an_item_without_approval_begins_at_once(shop: Shop) -> None:
    item = await shop.items.add(laptop(), shop.lead)
    ticket = await shop.asked(item, Model="Light")
    request = await shop.request(ticket)
    assert (request.stage, request.tasks[0].state) == (Stage.WORK, TaskState.OPEN)
    assert (await shop.rig.ticket()).status == TicketStatus.NEW


async def test_a_spanish_requester_reads_it_all_in_spanish(shop: Shop) -> None:
    await shop.rig.hear("hola")
    await shop.rig.reply(await shop.rig.conversation_id())
    await _speaks(shop, "es")
    item = await shop.items.add(laptop(shop.role), shop.lead)
    ticket = await shop.asked(item, words="necesito un portátil", Model="Light")
    assert (await shop.rig.ticket()).subject == "Portátil nuevo"
    received = (await shop.told())[0]
    assert received.startswith("Su solicitud **Portátil nuevo** quedó registrada")
    assert "- **Modelo**: Ligero" in received
    await shop.approvals.decide(ticket, Decision.APPROVE, "", shop.boss)
    assert "está aprobada" in (await shop.told())[1]


async def _speaks(shop: Shop, language: str) -> None:
    conversation = await shop.rig.conversation_id()
    async with shop.rig.sessions.begin() as session:
        row = await session.get_one(Conversation, conversation)
        row.language, row.language_is_chosen = language, True


async def test_a_form_that_does_not_fit_becomes_a_request_for_a_human(shop: Shop) -> None:
    item = await shop.items.add(laptop(shop.role), shop.lead)
    await shop.asked(item, Model="A boat")
    row = await shop.rig.ticket()
    assert (row.kind, row.status) == ("request", "new")
    assert "A boat" in row.summary
    assert await shop.asks() == []


async def test_what_is_missing_or_wrong_is_named(shop: Shop) -> None:
    item = await shop.items.add(laptop(shop.role), shop.lead)
    conversation = await shop.rig.hear("hello")
    contact = ContactId((await shop.rig.conversation()).contact_id)
    await shop.rig.reply(conversation)
    async with shop.rig.sessions() as session:
        (found,) = await items_named(session, "I want a laptop")
    model, date = found.fields
    with pytest.raises(AnswersMissing, match="Model"):
        await shop.asking.ask_for(contact, Wish(item=item, values={}), shop.lead)
    for values, wrong in (
        ({model.key: "Light", date.key: "soon"}, WrongField),
        ({str(new_id()): "x", model.key: "Light"}, InvalidInput),
    ):
        with pytest.raises(wrong):
            await shop.asking.ask_for(contact, Wish(item=item, values=values), shop.lead)
    with pytest.raises(NotFound):
        await shop.asking.ask_for(contact, Wish(item=ItemId(new_id()), values={}), shop.lead)
    ticket = await shop.asking.ask_for(
        contact, Wish(item=item, values={model.key: "Light", date.key: "2030-01-31"}), shop.lead
    )
    assert len((await shop.request(ticket)).values) == 2
    with pytest.raises(Conflict):
        await shop.asking.ask_for(contact, Wish(item=item, values={model.key: "Light"}), shop.lead)


async def test_an_open_ticket_becomes_a_request_once(shop: Shop) -> None:
    item = await shop.items.add(laptop(shop.role, fields=()), shop.lead)
    other = await shop.items.add(laptop(None, name="Old laptop", fields=()), shop.lead)
    ticket = await waits_for_human(shop)
    await shop.asking.ask_with(ticket, Wish(item=item, values={}), shop.lead)
    assert (await shop.request(ticket)).stage == Stage.APPROVAL
    with pytest.raises(Conflict):
        await shop.asking.ask_with(ticket, Wish(item=other, values={}), shop.lead)


async def waits_for_human(shop: Shop) -> TicketId:
    conversation = await shop.rig.hear("could I have a laptop?")
    await shop.rig.reply(conversation, Handoff(reason=HandoffReason.ASKED_FOR_HUMAN))
    return await shop.rig.ticket_id()


async def test_a_ticket_solved_by_hand_takes_its_request_along(shop: Shop) -> None:
    ticket = await waits(shop)
    await shop.rig.tickets.set_status(ticket, TicketStatus.SOLVED, shop.lead)
    with pytest.raises(DecidedAlready):
        await shop.approvals.decide(ticket, Decision.APPROVE, "", shop.boss)
    await shop.react(ConversationId((await shop.rig.conversation()).id))
    assert (await shop.request(ticket)).stage == Stage.WITHDRAWN


async def test_a_ticket_opened_again_waits_for_approval_again(shop: Shop) -> None:
    ticket = await waits(shop)
    for status in (TicketStatus.SOLVED, TicketStatus.OPEN):
        await shop.rig.tickets.set_status(ticket, status, shop.lead)
        await shop.react(await shop.rig.conversation_id())
    assert (await shop.request(ticket)).stage == Stage.APPROVAL
    await shop.approvals.decide(ticket, Decision.APPROVE, "", shop.boss)
    assert (await shop.request(ticket)).stage == Stage.WORK


async def test_after_a_rejection_the_ticket_can_ask_for_something_else(shop: Shop) -> None:
    ticket = await waits(shop)
    await shop.approvals.decide(ticket, Decision.REJECT, "", shop.boss)
    await shop.rig.tickets.set_status(ticket, TicketStatus.OPEN, shop.lead)
    other = await shop.items.add(laptop(None, name="Old laptop", fields=()), shop.lead)
    await shop.asking.ask_with(ticket, Wish(item=other, values={}), shop.lead)
    request = await shop.request(ticket)
    assert (request.item.id, request.stage) == (other, Stage.WORK)


async def test_of_another_teams_ticket_nothing_is_asked_by_id(shop: Shop) -> None:
    item = await shop.items.add(laptop(None, fields=()), shop.lead)
    ticket = await waits_for_human(shop)
    contact = ContactId((await shop.rig.conversation()).contact_id)
    await shop.rig.tickets.set_status(ticket, TicketStatus.SOLVED, shop.lead)
    await _own_tickets_only(shop, ticket)
    with pytest.raises(Forbidden):
        await shop.asking.ask_for(contact, Wish(item=item, values={}), shop.boss)
    assert (await shop.rig.ticket()).status == TicketStatus.SOLVED


async def test_whoever_is_asked_to_approve_sees_the_ticket_of_another_team(shop: Shop) -> None:
    ticket = await waits(shop)
    await _own_tickets_only(shop, ticket)
    async with shop.rig.sessions() as session:
        for agent, is_hidden in ((shop.boss, False), (await shop.rig.agent("Eve"), True)):
            sight = await sight_of(session, agent)
            assert sight is not None
            assert (await unseen_ticket(session, sight, ticket) is not None) == is_hidden


async def _own_tickets_only(shop: Shop, ticket: TicketId) -> None:
    """Put a ticket in a team without members, where agents see those of their teams alone."""
    async with shop.rig.sessions.begin() as session:
        team = Team(id=new_id(), name="Others")
        session.add(team)
        await session.flush()
        (await session.get_one(Ticket, ticket)).team_id = team.id
        policy = await session.scalar(select(AssignmentPolicy))
        if policy is None:
            policy = AssignmentPolicy(id=1)
            session.add(policy)
        policy.own_tickets_only = True


async def test_work_that_is_solved_by_hand_is_done_and_told(shop: Shop) -> None:
    ticket = await approved(shop)
    await shop.rig.tickets.set_status(ticket, TicketStatus.SOLVED, shop.lead)
    await shop.react(await shop.rig.conversation_id())
    assert (await shop.request(ticket)).stage == Stage.DONE
    assert (await shop.told())[-1] == "Your laptop is ready, Somebody."
    async with shop.rig.sessions() as session:
        assert await tasks_for(session, shop.lead.id) == []


async def test_a_word_of_the_requester_is_no_approval(shop: Shop) -> None:
    ticket = await waits(shop)
    await shop.rig.hear("any news?")
    assert (await shop.rig.ticket()).status == TicketStatus.OPEN
    assert (await shop.request(ticket)).stage == Stage.APPROVAL


async def test_a_task_that_is_not_the_tickets_is_not_found(shop: Shop) -> None:
    ticket = await approved(shop)
    with pytest.raises(NotFound):
        await shop.tasks.finish(ticket, RequestTaskId(new_id()), shop.lead)


@pytest.mark.parametrize(
    ("words", "is_named"),
    [
        ("I need a new laptop", True),
        ("quisiera pedir unos portatiles", True),
        ("can I get notebooks for the team?", True),
        ("I need a new password", False),
        ("", False),
    ],
)
async def test_words_name_an_item_whatever_their_endings_and_accents(
    shop: Shop, words: str, is_named: bool
) -> None:
    item = await shop.items.add(laptop(), shop.lead)
    async with shop.rig.sessions() as session:
        found = await items_named(session, words)
    assert [one.id for one in found] == ([item] if is_named else [])


async def test_more_words_name_an_item_better(shop: Shop) -> None:
    lent = await shop.items.add(laptop(name="Laptop to borrow", words={"en": "laptop"}), shop.lead)
    fresh = await shop.items.add(laptop(), shop.lead)
    async with shop.rig.sessions() as session:
        found = await items_named(session, "a new laptop please")
    assert [one.id for one in found] == [fresh, lent]
