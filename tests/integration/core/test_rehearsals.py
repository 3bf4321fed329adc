"""What rehearsals leave: nothing; and agents see none of their tickets meanwhile."""

from __future__ import annotations

from uuid import UUID

import pytest
from sqlalchemy import select, text

from core.domain.account import Origin
from core.domain.assistant import Handoff, HandoffReason
from core.domain.channel import DeliveryState
from core.domain.errors import Conflict, ConversationErased
from core.domain.events import Author, ChoicePressed
from core.domain.ids import AccountId, Address, ChoiceId, EventKey, MessageId, ThreadKey
from core.services.accounts.rehearsals import Rehearsals
from core.services.conversations.letters import Letters
from core.services.conversations.splitting import Splitting
from core.storage.queries.accounts.rehearsal import stored_messages, stored_presses, work_left
from core.storage.queries.tickets.filter import TicketFilter
from core.storage.queries.tickets.queue import count_tickets
from core.storage.queries.tickets.tickets import list_tickets
from core.storage.tables import Account, Conversation, Message
from tests.support.desk import LOOP, WEB, Rig

_EVERYTHING = (
    *("account", "contact", "contact_address", "conversation", "delivery", "feed"),
    *("inbound_event", "message", "remote_message", "ticket", "ticket_event", "turn"),
)


async def _rehearsed(rig: Rig, origin: Origin = Origin.REHEARSAL) -> None:
    """Have two tickets, one of them through an account of `origin`."""
    async with rig.sessions.begin() as session:
        session.add(Account(id=LOOP, channel="loopback", origin=origin))
    for thread, account in (("real", WEB), ("rehearsed", LOOP)):
        conversation = await rig.hear("Is anybody there?", thread=thread, account=account)
        await rig.reply(conversation, Handoff(reason=HandoffReason.ASKED_FOR_HUMAN))


async def _rows(rig: Rig) -> dict[str, int]:
    async with rig.sessions() as session:
        return {
            table: int(await session.scalar(text(f"SELECT count(*) FROM {table}")) or 0)
            for table in _EVERYTHING
        }


async def test_tickets_of_rehearsals_are_in_no_list_and_no_count(rig: Rig) -> None:
    await _rehearsed(rig)
    async with rig.sessions() as session:
        listed = await list_tickets(session, TicketFilter())
        assert [ticket.number for ticket in listed] == [(await rig.ticket("real")).number]
        assert await count_tickets(session, TicketFilter()) == 1


async def test_erasing_a_rehearsal_leaves_what_is_real_and_nothing_else(rig: Rig) -> None:
    conversation = await rig.hear("Is anybody there?", thread="real", account=WEB)
    await rig.reply(conversation, Handoff(reason=HandoffReason.ASKED_FOR_HUMAN))
    before = await _rows(rig)
    async with rig.sessions.begin() as session:
        session.add(Account(id=LOOP, channel="loopback", origin=Origin.REHEARSAL))
    conversation = await rig.hear("Is anybody there?", thread="rehearsed")
    await rig.reply(conversation, Handoff(reason=HandoffReason.ASKED_FOR_HUMAN))
    assert await _rows(rig) != before
    await Rehearsals(rig.sessions).erase(LOOP)
    assert await _rows(rig) == before


async def test_erasing_parted_conversations_takes_the_one_that_counts_last(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    await _rehearsed(rig)
    await rig.hear("And the printer", thread="rehearsed")
    async with rig.sessions() as session:
        said = await session.scalar(select(Message.id).where(Message.text == "And the printer"))
    assert said is not None
    splitting = Splitting(rig.sessions, rig.accounts, Letters({}), rig.clock)
    ticket = await rig.ticket_id("rehearsed")
    await splitting.split(ticket, [MessageId(said)], await rig.agent())
    monkeypatch.setattr("core.services.accounts.rehearsals._CONVERSATIONS_AT_ONCE", 1)
    await Rehearsals(rig.sessions).erase(LOOP)
    async with rig.sessions() as session:
        left = await session.scalars(select(Conversation.thread))
        assert left.all() == ["real"]


async def test_what_is_no_rehearsal_is_not_erased(rig: Rig) -> None:
    await _rehearsed(rig, Origin.CONSOLE)
    before = await _rows(rig)
    with pytest.raises(Conflict):
        await Rehearsals(rig.sessions).erase(LOOP)
    assert await _rows(rig) == before


async def test_erasing_what_is_not_there_does_nothing(rig: Rig) -> None:
    await Rehearsals(rig.sessions).erase(AccountId("rehearsal-nothing"))


async def test_a_message_counts_as_answered_by_the_assistant_or_with_a_human(rig: Rig) -> None:
    async with rig.sessions.begin() as session:
        session.add(Account(id=LOOP, channel="loopback", origin=Origin.REHEARSAL))
    await rig.reply(await rig.hear("hello", thread="answered"))
    handed_over = await rig.hear("human", thread="queued")
    await rig.reply(handed_over, Handoff(reason=HandoffReason.ASKED_FOR_HUMAN))
    await rig.hear("hello?", thread="waiting")
    async with rig.sessions() as session:
        stored = await stored_messages(session, LOOP)
        assert {(one.thread, one.is_answered) for one in stored} == {
            ("answered", True),
            ("queued", True),
            ("waiting", False),
        }
        assert await work_left(session, LOOP) > 0


async def test_what_wanted_to_go_on_with_an_erased_conversation_is_told(rig: Rig) -> None:
    async with rig.sessions.begin() as session:
        session.add(Account(id=LOOP, channel="loopback", origin=Origin.REHEARSAL))
    conversation = await rig.hear("Is anybody there?", thread="rehearsed")
    await Rehearsals(rig.sessions).erase(LOOP)
    with pytest.raises(ConversationErased):
        await rig.turns.give_up(conversation, "away")
    with pytest.raises(ConversationErased):
        await rig.turns.plan(conversation)


async def test_buttons_are_shown_where_none_wait_to_be_pressed_whoever_has_the_word(
    rig: Rig,
) -> None:
    await _rehearsed(rig)
    await rig.hear("And here?", thread="talking")
    rehearsals = Rehearsals(rig.sessions, rig.clock)
    assert await rehearsals.ask(LOOP, 5) == 2
    assert await rehearsals.ask(LOOP, 5) == 0
    assert [one.choices for one in await rig.messages("real") if one.choices] == []
    for thread in ("rehearsed", "talking"):
        shown = (await rig.messages(thread))[-1]
        assert (len(shown.choices), shown.delivery) == (2, DeliveryState.WAITING)
    pressed = await rig.intake.accept(
        ChoicePressed(
            account=LOOP,
            key=EventKey("press:1"),
            thread=ThreadKey("rehearsed"),
            author=Author(address=Address("somebody"), name="Somebody"),
            at=rig.clock(),
            choice=ChoiceId(UUID((await rig.messages("rehearsed"))[-1].choices[0]["id"])),
        )
    )
    assert pressed[0].refusal is None
    assert await rehearsals.ask(LOOP, 5) == 1
    async with rig.sessions() as session:
        presses = await stored_presses(session, LOOP)
    assert sorted(one.times for one in presses) == [0, 0, 0, 0, 0, 1]
    assert len({one.message for one in presses}) == 3


async def test_nothing_is_asked_through_an_account_of_a_real_platform(rig: Rig) -> None:
    await _rehearsed(rig, Origin.CONSOLE)
    with pytest.raises(Conflict):
        await Rehearsals(rig.sessions).ask(LOOP, 5)
