"""What programs report becomes one ticket a matter, which is solved when it is over."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from sqlalchemy import func, select

from channels.unread.channel import Unread
from core.domain.account import PROGRAMS
from core.domain.actor import Role
from core.domain.automation.alerts import HookFormat, ReportMapping
from core.domain.conversation import Responder, Speaker
from core.domain.errors import InvalidInput, NotFound, Outdated, TooManyAttempts
from core.domain.ids import AccountId, ContactId, TicketId, new_id
from core.domain.ticket import Priority, TicketStatus
from core.ports import capabilities_of
from core.services.automation.incoming import HookForm, IncomingHooks
from core.services.conversations.letters import Letters
from core.services.links.merging import TicketMerging
from core.services.requester_records.merging import ContactMerging
from core.services.tickets.registrations import Registrations
from core.storage.tables import (
    AuditEntry,
    Category,
    Contact,
    ContactAddress,
    Conversation,
    FormField,
    IncomingHook,
    Message,
    Team,
    Ticket,
)
from tests.integration.letters.world import Post
from tests.support.desk import Rig


def notification(status: str = "firing", **changes: Any) -> dict[str, Any]:
    """Return a notification as Alertmanager 0.27 sends it."""
    return {
        "version": "4",
        "groupKey": '{}:{alertname="DiskFull"}',
        "truncatedAlerts": 0,
        "status": status,
        "receiver": "desk",
        "groupLabels": {"alertname": "DiskFull"},
        "commonLabels": {"alertname": "DiskFull", "instance": "db1:9100", "severity": "critical"},
        "commonAnnotations": {"summary": "The disk of db1 is full"},
        "externalURL": "http://alerts.example.org",
        "alerts": [
            {
                "status": status,
                "labels": {"alertname": "DiskFull", "instance": "db1:9100", "mount": "/data"},
                "annotations": {"summary": "The disk of db1 is full"},
                "startsAt": "2026-03-10T08:00:00Z",
                "endsAt": "0001-01-01T00:00:00Z",
                "generatorURL": "http://prometheus.example.org",
                "fingerprint": "c0ffee",
            }
        ],
    } | changes


@pytest.fixture
def rig(rig: Rig) -> Rig:
    rig.accounts[PROGRAMS] = Unread.capabilities
    return rig


async def hooks(rig: Rig, form: HookForm | None = None) -> tuple[IncomingHooks, str]:
    registrations = Registrations(rig.sessions, rig.accounts, Letters(rig.channels), rig.clock)
    found = IncomingHooks(rig.sessions, rig.accounts, registrations, rig.clock)
    boss = await rig.agent("Boss")
    _, token = await found.add(form or HookForm(name="Prometheus"), boss)
    return found, token


async def tickets(rig: Rig) -> list[Ticket]:
    async with rig.sessions() as session:
        return list(await session.scalars(select(Ticket).order_by(Ticket.id)))


async def test_an_alert_group_is_one_ticket_that_ends_with_it(rig: Rig) -> None:
    team = new_id()
    async with rig.sessions.begin() as session:
        session.add(Team(id=team, name="Operations"))
    incoming, token = await hooks(rig, HookForm(name="Prometheus", team=team))
    number = await incoming.take(token, notification())
    assert await incoming.take(token, notification()) == number  # told again, as it does
    (ticket,) = await tickets(rig)
    assert (ticket.number, ticket.priority, ticket.team_id) == (number, Priority.URGENT, team)
    assert ticket.subject == "The disk of db1 is full"
    async with rig.sessions() as session:
        assert await session.scalar(select(func.count()).select_from(Message)) == 1
        conversation = (await session.scalars(select(Conversation))).one()
        assert conversation.responder == Responder.QUEUED
    assert await incoming.take(token, notification("resolved")) == number
    (ticket,) = await tickets(rig)
    assert ticket.status == TicketStatus.SOLVED
    async with rig.sessions() as session:
        said = await session.scalars(select(Message.speaker))
        assert Speaker.SYSTEM not in set(said)  # that it is solved: nobody would read it


async def test_what_comes_back_opens_the_ticket_again_and_after_it_closed_a_new_one(
    rig: Rig,
) -> None:
    incoming, token = await hooks(rig)
    number = await incoming.take(token, notification())
    await incoming.take(token, notification("resolved"))
    assert await incoming.take(token, notification()) == number
    (ticket,) = await tickets(rig)
    assert ticket.status == TicketStatus.OPEN
    async with rig.sessions.begin() as session:
        (await session.get_one(Ticket, ticket.id)).status = TicketStatus.CLOSED
    again = await incoming.take(token, notification())
    assert again != number
    assert len(await tickets(rig)) == 2


async def test_reports_of_a_merged_ticket_go_on_in_the_one_it_was_merged_into(rig: Rig) -> None:
    incoming, token = await hooks(rig)
    of_disk: dict[str, Any] = {"groupKey": "disk"}
    of_web: dict[str, Any] = {"groupKey": "web"}
    kept = await incoming.take(token, notification(**of_disk))
    gone = await incoming.take(token, notification(**of_web))
    first, second = await tickets(rig)
    assert (first.number, second.number) == (kept, gone)
    merging = TicketMerging(rig.sessions, rig.accounts, rig.clock)
    boss = await rig.agent("Mia")
    await merging.merge(TicketId(first.id), TicketId(second.id), boss)

    worse: dict[str, Any] = {"commonAnnotations": {"summary": "web1 and web2 are away"}}
    assert await incoming.take(token, notification(**of_web, **worse)) == kept
    assert await incoming.take(token, notification("resolved", **of_web)) == kept
    assert (await tickets(rig))[0].status == TicketStatus.NEW  # the disk is full all the same
    await incoming.take(token, notification("resolved", **of_disk))
    assert (await tickets(rig))[0].status == TicketStatus.SOLVED
    assert await incoming.take(token, notification(**of_web)) == kept
    assert (await tickets(rig))[0].status == TicketStatus.OPEN

    # Parted again, what was reported about it meanwhile is its own.
    await merging.undo(TicketId(second.id), boss)
    assert await incoming.take(token, notification(**of_web)) == gone
    async with rig.sessions() as session:
        own = Message.conversation_id == second.conversation_id
        said = list(await session.scalars(select(Message.text).where(own).order_by(Message.seq)))
    assert any("web1 and web2" in words for words in said)


async def test_many_reports_at_once_make_one_ticket(rig: Rig) -> None:
    incoming, token = await hooks(rig)
    numbers = await asyncio.gather(*(incoming.take(token, notification()) for _ in range(6)))
    assert len(set(numbers)) == 1
    assert len(await tickets(rig)) == 1


async def test_alerts_that_were_left_out_of_a_report_are_counted_in_it(rig: Rig) -> None:
    incoming, token = await hooks(rig)
    await incoming.take(token, notification(truncatedAlerts=7))
    async with rig.sessions() as session:
        assert "… 7 more" in (await session.scalar(select(Message.text)) or "")


async def test_what_is_over_and_was_never_reported_opens_nothing(rig: Rig) -> None:
    incoming, token = await hooks(rig)
    assert await incoming.take(token, notification("resolved")) is None
    assert await tickets(rig) == []


async def test_a_mapping_reads_reports_of_another_form(rig: Rig) -> None:
    mapping = ReportMapping(
        key="incident.id",
        subject="incident.title",
        text="incident.notes.0",
        priority="incident.severity",
        over_path="incident.state",
        over_values=("done",),
    )
    form = HookForm(name="Pager", format=HookFormat.MAPPED, mapping=mapping)
    incoming, token = await hooks(rig, form)
    report = {"incident": {"id": 7, "title": "Down", "notes": ["all of it"], "severity": "high"}}
    number = await incoming.take(token, report)
    report["incident"]["state"] = "done"
    assert await incoming.take(token, report) == number
    (ticket,) = await tickets(rig)
    assert (ticket.priority, ticket.status) == (Priority.HIGH, TicketStatus.SOLVED)
    with pytest.raises(InvalidInput, match=r"nothing at incident\.title"):
        await incoming.take(token, {"incident": {"id": 8}})


async def test_a_mapping_sorts_the_ticket_by_the_names_of_the_report(rig: Rig) -> None:
    team, above, below, floor = new_id(), new_id(), new_id(), new_id()
    async with rig.sessions.begin() as session:
        session.add_all([Team(id=team, name="Networks"), Category(id=above, name="Hardware")])
        await session.flush()
        session.add(Category(id=below, name="Switch", parent_id=above))
        session.add(
            FormField(id=floor, category_id=above, label="Floor", kind="number", position=0)
        )
    mapping = ReportMapping(
        key="id",
        subject="what",
        category="kind",
        team="group",
        tags="labels",
        fields=(("floor", "place.floor"), ("Room", "place.room")),
    )
    found, token = await hooks(
        rig, HookForm(name="Checks", format=HookFormat.MAPPED, mapping=mapping)
    )
    report = {
        "id": 1,
        "what": "Port 3 is down",
        "kind": "hardware /  SWITCH",
        "group": "networks",
        "labels": ["Core", "x" * 60],
        "place": {"floor": "3", "room": "B"},
    }
    await found.take(token, report)
    async with rig.sessions() as session:
        ticket = (await session.scalars(select(Ticket))).one()
        found_notes = await session.scalars(select(Message.text).where(Message.is_internal))
        notes = found_notes.all()
    assert (ticket.category_id, ticket.team_id, ticket.tags) == (below, team, ["core"])
    assert ticket.fields == {str(floor): 3}
    assert notes == [f"The report names what is not here: {'x' * 60}, Room = B"]


async def test_a_mapping_is_changed_and_the_address_stays(rig: Rig) -> None:
    wrong = ReportMapping(key="id", subject="waht")
    found, token = await hooks(
        rig, HookForm(name="Checks", format=HookFormat.MAPPED, mapping=wrong)
    )
    with pytest.raises(InvalidInput):
        await found.take(token, {"id": 1, "what": "Down"})
    async with rig.sessions() as session:
        hook = (await session.scalars(select(IncomingHook))).one()
    right = ReportMapping(key="id", subject="what")
    form = HookForm(name="Checks", format=HookFormat.MAPPED, mapping=right)
    boss = await rig.agent("Root")
    await found.change(hook.id, form, boss, revision=hook.revision)
    assert await found.take(token, {"id": 1, "what": "Down"}) is not None
    with pytest.raises(Outdated):
        await found.change(hook.id, form, boss, revision=hook.revision)
    with pytest.raises(NotFound):
        await found.change(new_id(), form, boss)
    async with rig.sessions() as session:
        entry = await session.scalar(
            select(AuditEntry).where(AuditEntry.action == "incoming_hook.changed")
        )
    assert entry is not None
    assert entry.new is not None
    assert entry.new["mapping"]["subject"] == "what"


@pytest.mark.parametrize(
    "payload",
    [
        None,
        [],
        "x",
        {},
        {"groupKey": "", "status": "firing", "alerts": []},
        {"groupKey": "k", "status": "odd", "alerts": []},
        {"groupKey": "k", "status": "firing", "alerts": [1]},
    ],
)
async def test_what_is_no_report_is_refused_and_nothing_is_kept(rig: Rig, payload: Any) -> None:
    incoming, token = await hooks(rig)
    with pytest.raises(InvalidInput):
        await incoming.take(token, payload)
    assert await tickets(rig) == []


async def test_odd_values_in_a_report_do_no_harm(rig: Rig) -> None:
    incoming, token = await hooks(rig)
    odd = notification(
        groupKey="k\x00" * 5,
        commonLabels={"alertname": ["x"], "severity": None},
        commonAnnotations="none",
        groupLabels=None,
        externalURL=7,
        alerts=[{"labels": None, "annotations": 3, "status": {}}] * 60,
    )
    assert await incoming.take(token, odd) is not None


async def test_more_reports_than_an_address_takes_wait_and_admins_see_it(rig: Rig) -> None:
    rig.clock.stop()
    incoming, token = await hooks(rig)
    registrations = Registrations(rig.sessions, rig.accounts, Letters(rig.channels), rig.clock)
    other = IncomingHooks(rig.sessions, rig.accounts, registrations, rig.clock)  # a second process
    for _ in range(30):
        await incoming.admit(token)
        await other.admit(token)
    for process in (incoming, other, incoming):
        with pytest.raises(TooManyAttempts, match="60 reports a minute") as refused:
            await process.admit(token)
        assert 0 < refused.value.retry_after <= 1
    rig.clock.advance(seconds=1)
    await other.admit(token)
    with pytest.raises(TooManyAttempts):
        await incoming.admit(token)
    async with rig.sessions() as session:
        hook = (await session.scalars(select(IncomingHook))).one()
        query = select(AuditEntry).where(AuditEntry.action == "incoming_hook.limited")
        (entry,) = (await session.scalars(query)).all()
    assert hook.limited_at is not None
    assert (entry.actor, entry.new) == (
        f"hook:{hook.id}",
        {"why": "too many reports", "per_minute": 60},
    )


async def test_reports_at_once_do_not_pass_the_limit_together(rig: Rig) -> None:
    rig.clock.stop()
    incoming, token = await hooks(rig)
    for _ in range(57):
        await incoming.admit(token)
    came = await asyncio.gather(*(incoming.admit(token) for _ in range(6)), return_exceptions=True)
    assert sorted(type(one).__name__ for one in came) == ["NoneType"] * 3 + ["TooManyAttempts"] * 3


@pytest.mark.parametrize("token", ["", "x" * 500, "\ud800", "' OR 1=1"])
async def test_an_unknown_address_takes_nothing(rig: Rig, token: str) -> None:
    incoming, _ = await hooks(rig)
    with pytest.raises(NotFound):
        await incoming.admit(token)
    with pytest.raises(NotFound):
        await incoming.take(token, notification())


@pytest.fixture
def mail(rig: Rig) -> AccountId:
    """An account of letters, beside the others."""
    account = AccountId("support")
    post = Post(account, rig.platform)
    rig.channels[account] = post
    rig.accounts[account] = capabilities_of(post)
    return account


FOR_SOMEBODY = ReportMapping(
    key="id", subject="what", text="words", over_path="state", over_values=("ok",), requester="who"
)


async def theirs(rig: Rig, number: int | None) -> tuple[Ticket, Conversation, Contact]:
    """Return a ticket with its conversation and whose it is."""
    async with rig.sessions() as session:
        ticket = (await session.scalars(select(Ticket).where(Ticket.number == number))).one()
        conversation = await session.get_one(Conversation, ticket.conversation_id)
        return ticket, conversation, await session.get_one(Contact, ticket.contact_id)


async def test_what_is_reported_for_somebody_is_theirs_and_answered_by_mail(
    rig: Rig, mail: AccountId
) -> None:
    form = HookForm(name="Leavers", format=HookFormat.MAPPED, mapping=FOR_SOMEBODY)
    incoming, token = await hooks(rig, form)
    report = {"id": 1, "what": "A new badge", "who": " Ada@People.example "}
    number = await incoming.take(token, report)
    ticket, conversation, ada = await theirs(rig, number)
    assert (conversation.account_id, conversation.address) == (mail, "ada@people.example")
    assert ada.name is None
    assert await incoming.take(token, report | {"words": "It is red"}) == number
    second = await incoming.take(token, report | {"id": 2, "what": "A new key"})
    assert (await theirs(rig, second))[2].id == ada.id
    agent = await rig.agent("Ana")
    await rig.tickets.reply(TicketId(ticket.id), agent, "Come by tomorrow")
    await incoming.take(token, report | {"state": "ok", "words": "It is red"})
    async with rig.sessions() as session:
        rows = await session.scalars(
            select(Message).where(Message.conversation_id == conversation.id).order_by(Message.seq)
        )
        said = [(row.speaker, row.author, row.delivery) for row in rows]
    heard = ("customer", "ada@people.example", "not_sent")
    assert said[:2] == [heard, heard]
    assert [(one[0], one[2]) for one in said[2:4]] == [("agent", "waiting"), ("system", "waiting")]


async def test_somebody_whom_the_desk_knows_is_found_by_their_address(
    rig: Rig, mail: AccountId
) -> None:
    await rig.hear("hello")
    async with rig.sessions.begin() as session:
        known = (await session.scalars(select(Contact))).one()
        known.email = "Ada@People.example"
    form = HookForm(name="Leavers", format=HookFormat.MAPPED, mapping=FOR_SOMEBODY)
    incoming, token = await hooks(rig, form)
    who = {"who": "ada@people.EXAMPLE"}
    number = await incoming.take(token, {"id": 1, "what": "A new badge"} | who)
    _ticket, conversation, contact = await theirs(rig, number)
    assert contact.id == known.id
    assert conversation.account_id == mail


async def test_somebody_who_was_merged_into_another_is_that_one(rig: Rig, mail: AccountId) -> None:
    kept, gone = ContactId(new_id()), ContactId(new_id())
    async with rig.sessions.begin() as session:
        session.add_all(
            Contact(id=one, email=email, created_at=rig.clock())
            for one, email in ((kept, "ada@work.example"), (gone, "ada@people.example"))
        )
    root = await rig.agent("Root", Role.ADMIN)
    await ContactMerging(rig.sessions, rig.accounts, rig.clock).merge(kept, gone, root)
    form = HookForm(name="Leavers", format=HookFormat.MAPPED, mapping=FOR_SOMEBODY)
    incoming, token = await hooks(rig, form)
    number = await incoming.take(token, {"id": 1, "what": "A badge", "who": "ada@people.example"})
    assert (await theirs(rig, number))[2].id == kept


@pytest.mark.parametrize("who", ["nobody", "x" * 400, "ada\x00@people.example", "7"])
async def test_a_report_for_what_is_no_address_stays_the_programs_and_says_so(
    rig: Rig, mail: AccountId, who: str
) -> None:
    form = HookForm(name="Leavers", format=HookFormat.MAPPED, mapping=FOR_SOMEBODY)
    incoming, token = await hooks(rig, form)
    number = await incoming.take(token, {"id": 1, "what": "A new badge", "who": who})
    _, conversation, contact = await theirs(rig, number)
    assert (conversation.account_id, contact.name) == (PROGRAMS, "Leavers")
    async with rig.sessions() as session:
        note = (await session.scalars(select(Message.text).where(Message.is_internal))).one()
    assert note.startswith("The report names what is not here: ")


async def test_many_reports_for_somebody_new_make_one_requester(rig: Rig, mail: AccountId) -> None:
    form = HookForm(name="Leavers", format=HookFormat.MAPPED, mapping=FOR_SOMEBODY)
    incoming, token = await hooks(rig, form)
    report = {"what": "A new badge", "who": "ada@people.example"}
    await asyncio.gather(*(incoming.take(token, report | {"id": n}) for n in range(6)))
    async with rig.sessions() as session:
        addresses = await session.scalar(
            select(func.count()).where(ContactAddress.address == "ada@people.example")
        )
        whose = set(await session.scalars(select(Ticket.contact_id)))
        contacts = await session.scalar(select(func.count()).select_from(Contact))
    assert (addresses, len(whose), contacts) == (1, 1, 1)
