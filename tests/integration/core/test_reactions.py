"""Every change of a ticket is shown to each reactor once, in order, whatever fails."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.exc import DBAPIError

from core.domain.assistant import Handoff, HandoffReason
from core.domain.ids import ConversationId, new_id
from core.domain.ticket import Priority, TicketStatus
from core.services.audit import done_from, record
from core.services.case import Case
from core.services.reactions import Reactions, Reactor, TicketChange
from core.services.reactions.reactor import DEEPEST
from core.services.requester_records.organisation_of_tickets import OrganisationOfTickets
from core.storage.tables import (
    Account,
    AuditEntry,
    Contact,
    Organisation,
    ReactionFailure,
    TicketEvent,
)
from tests.support.desk import LOOP, Rig


class Witness:
    name = "witness"

    def __init__(self) -> None:
        self.seen: list[tuple[str, str | None]] = []

    async def react(self, case: Case, change: TicketChange) -> None:
        self.seen.append((change.field, change.reason if change.field == "message" else change.new))


class Faulty:
    name = "faulty"

    async def react(self, case: Case, change: TicketChange) -> None:
        case.rank(Priority.URGENT, actor="reactor:faulty")
        await case.session.execute(text("SELECT 1/0"))


class SelfAnswering:
    name = "self-answering"

    async def react(self, case: Case, change: TicketChange) -> None:
        fresh = Priority.HIGH if case.ticket.priority == Priority.LOW else Priority.LOW
        case.rank(fresh, actor="reactor:self-answering")


async def _with_ticket(rig: Rig) -> ConversationId:
    conversation = await rig.hear("my screen is broken")
    await rig.reply(conversation, Handoff(reason=HandoffReason.ASKED_FOR_HUMAN))
    return conversation


async def _react(rig: Rig, conversation: ConversationId, reactors: Sequence[Reactor]) -> None:
    await Reactions(rig.sessions, rig.accounts, reactors, rig.clock).advance(conversation)


async def _failures(rig: Rig) -> list[str]:
    async with rig.sessions() as session:
        return list(await session.scalars(select(ReactionFailure.reactor)))


async def test_each_change_is_shown_once_and_in_order(rig: Rig) -> None:
    conversation, ana, witness = await _with_ticket(rig), await rig.agent(), Witness()
    ticket = await rig.ticket_id()
    await rig.tickets.reply(ticket, ana, "on my way")
    await rig.hear("thank you")
    await rig.tickets.note(ticket, ana, "check the cable")
    await rig.tickets.set_status(ticket, TicketStatus.SOLVED, ana)
    await _react(rig, conversation, [witness])
    await _react(rig, conversation, [witness])
    assert witness.seen == [
        ("status", "new"),
        ("assignee", str(ana.id)),
        ("status", "open"),
        ("message", "agent"),
        ("message", "customer"),
        ("message", "note"),
        ("status", "solved"),
    ]


async def test_a_reactor_that_fails_changes_nothing_and_the_others_do_their_part(rig: Rig) -> None:
    conversation, witness = await _with_ticket(rig), Witness()
    await _react(rig, conversation, [Faulty(), witness])
    # Shown again when the faulty one was left out: what it saw first was undone with it.
    assert witness.seen == [("status", "new")]
    assert (await rig.ticket()).priority == Priority.NORMAL
    assert await _failures(rig) == ["faulty"]


async def test_what_a_reactor_does_is_shown_too_and_one_level_deeper(rig: Rig) -> None:
    class Once:
        name = "once"

        async def react(self, case: Case, change: TicketChange) -> None:
            if change.is_opening:
                case.rank(Priority.HIGH, actor="reactor:once")

    conversation, witness = await _with_ticket(rig), Witness()
    await _react(rig, conversation, [Once(), witness])
    assert witness.seen == [("status", "new"), ("priority", "high")]
    async with rig.sessions() as session:
        depths = await session.scalars(select(TicketEvent.depth).order_by(TicketEvent.id))
        assert depths.all() == [0, 1]


async def test_what_answers_itself_comes_to_an_end_and_is_kept_as_a_failure(rig: Rig) -> None:
    conversation = await _with_ticket(rig)
    await _react(rig, conversation, [SelfAnswering()])
    async with rig.sessions() as session:
        deepest = await session.scalars(select(TicketEvent.depth).order_by(TicketEvent.id.desc()))
        assert deepest.first() == DEEPEST
    assert await _failures(rig) == ["*"]


async def test_nothing_reacts_to_rehearsals(rig: Rig) -> None:
    conversation, witness = await _with_ticket(rig), Witness()
    async with rig.sessions.begin() as session:
        session.add(Account(id=LOOP, channel="loopback", origin="rehearsal"))
    await _react(rig, conversation, [witness])
    assert witness.seen == []


async def test_a_ticket_keeps_the_organisation_its_requester_had(rig: Rig) -> None:
    await rig.hear("hello")
    organisation = new_id()
    async with rig.sessions.begin() as session:
        session.add(Organisation(id=organisation, name="Acme"))
        await session.flush()
        await session.execute(update(Contact).values(organisation_id=organisation))
    conversation = await rig.conversation_id()
    await rig.reply(conversation, Handoff(reason=HandoffReason.ASKED_FOR_HUMAN))
    await _react(rig, conversation, [OrganisationOfTickets()])
    async with rig.sessions.begin() as session:
        await session.execute(update(Contact).values(organisation_id=None))
    assert (await rig.ticket()).organisation_id == organisation


async def test_the_audit_log_keeps_what_differs_and_where_it_was_done_from(rig: Rig) -> None:
    with done_from("10.1.2.3"):
        async with rig.sessions.begin() as session:
            record(
                session,
                "agent:x",
                "team.changed",
                ("team", "7", "Help"),
                old={"name": "Help", "strategy": "manual"},
                new={"name": "Help", "strategy": "round_robin"},
            )
    async with rig.sessions() as session:
        entry = (await session.scalars(select(AuditEntry))).one()
    assert (entry.remote, entry.subject_id) == ("10.1.2.3", "7")
    assert (entry.old, entry.new) == ({"strategy": "manual"}, {"strategy": "round_robin"})


@pytest.mark.parametrize(
    "statement", ["DELETE FROM audit_entry", "UPDATE audit_entry SET actor=''"]
)
async def test_the_database_refuses_to_change_the_audit_log(rig: Rig, statement: str) -> None:
    with pytest.raises(DBAPIError, match="append-only"):
        async with rig.sessions.begin() as session:
            await session.execute(text(statement))
