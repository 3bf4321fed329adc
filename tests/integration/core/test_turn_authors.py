"""In a thread that several people write in, each acts in their own name."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import nullcontext
from dataclasses import dataclass, replace

import pytest
from pydantic import SecretStr
from sqlalchemy import select, update

from channels.slack.channel import Slack, open_slack
from channels.slack.settings import SlackSettings
from channels.telegram.channel import PollingTelegram
from channels.telegram.parse import read_any
from channels.telegram.settings import TelegramSettings
from core.domain.assistant import (
    AddToTicket,
    Handoff,
    HandoffReason,
    OpenTicket,
    Say,
    TicketKind,
)
from core.domain.channel import Capabilities
from core.domain.content import Envelope, Intent
from core.domain.errors import InvalidInput
from core.domain.events import Author, MessagePosted
from core.domain.ids import AccountId, Address, ConversationId, EventKey, new_id
from core.ports import Channel
from core.services.linking.codes import LinkCodes
from core.storage.queries.knowledge.readers import organisation_of
from core.storage.tables import Contact, ContactAddress, LinkCode, Organisation, Ticket
from tests.support.desk import LOOP, Rig, posted
from tests.support.slack import channel_context
from tests.unit.slack import slack_payloads
from tests.unit.telegram import memory

SECRET = SecretStr("1:secret")
MAIL = AccountId("mail")


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """A place that several people read, on one platform."""

    channel: Channel
    say: Callable[[str, str], MessagePosted]  # who, what
    whisper: Callable[[str, str], MessagePosted]  # the same in private


def _on_slack(channel: Channel) -> Room:
    people = {"Ana": "U2147483697", "Bob": "U2147483698"}
    count = iter(range(100))

    def read(who: str, text: str, **fields: str) -> MessagePosted:
        ts = f"1355517523.0001{next(count):02}"
        said = slack_payloads.message(text, user=people[who], ts=ts, event_ts=ts) | fields
        (event,) = slack_payloads.read(said).events
        assert isinstance(event, MessagePosted)
        return replace(event, account=LOOP, author=replace(event.author, name=who))

    def say(who: str, text: str) -> MessagePosted:
        return read(who, text, channel="C024BE91L", thread_ts="1355517523.000005")

    return Room(
        channel=channel,
        say=say,
        whisper=lambda who, text: read(who, text, channel=f"D024BE9{who.upper()}"),
    )


def _on_telegram(channel: Channel) -> Room:
    people = {"Ana": 11, "Bob": 12}
    count = iter(range(6, 100))

    def read(who: str, text: str, chat: object) -> MessagePosted:
        user = {"id": people[who], "is_bot": False, "first_name": who, "language_code": "en"}
        message = memory.update(text=text, chat=chat, message_id=next(count), **{"from": user})
        if text.startswith("/"):
            command = {"type": "bot_command", "offset": 0, "length": len(text)}
            message["message"]["entities"] = [command]
        (event,) = read_any(LOOP, memory.raw(message))
        assert isinstance(event, MessagePosted)
        return event

    return Room(
        channel=channel,
        say=lambda who, text: read(who, text, memory.GROUP),
        whisper=lambda who, text: read(who, text, {"id": people[who], "type": "private"}),
    )


@pytest.fixture(params=["slack", "telegram"])
async def room(request: pytest.FixtureRequest, rig: Rig) -> AsyncIterator[Room]:
    """A Slack thread, then a Telegram group, as the channels read and know them."""
    context = channel_context()
    if request.param == "slack":
        settings = SlackSettings(bot_token=SecretStr("xoxb-1"), app_token=SecretStr("xapp-1"))
        slack = open_slack(LOOP, settings, context)
        assert isinstance(slack, Slack)
        rig.channels[LOOP] = slack
        yield _on_slack(slack)
        await slack.close()
    else:
        telegram = PollingTelegram(LOOP, TelegramSettings(token=SECRET), context)
        rig.channels[LOOP] = telegram
        yield _on_telegram(telegram)
        await telegram.close()


async def _said(rig: Rig, *events: MessagePosted) -> ConversationId:
    for event in events:
        await rig.intake.accept(event)
    return await rig.conversation_id(events[-1].thread)


async def _private_ticket(rig: Rig, room: Room, who: str, what: str) -> int:
    conversation = await _said(rig, room.whisper(who, what))
    await rig.reply(conversation, Handoff(reason=HandoffReason.ASKED_FOR_HUMAN))
    async with rig.sessions() as session:
        query = select(Ticket.number).where(Ticket.conversation_id == conversation)
        return (await session.scalars(query)).one()


async def _requesters(rig: Rig) -> list[str | None]:
    async with rig.sessions() as session:
        query = select(Contact.name).join(Ticket, Ticket.contact_id == Contact.id)
        return list(await session.scalars(query))


async def _notes(rig: Rig, thread: str) -> list[str]:
    return [one.text for one in await rig.messages(thread) if one.is_internal]


async def test_nobody_hears_of_anybodys_tickets_where_others_read(rig: Rig, room: Room) -> None:
    anas = await _private_ticket(rig, room, "Ana", "My salary is wrong")
    await _private_ticket(rig, room, "Bob", "My chair is broken")
    conversation = await _said(rig, room.say("Ana", "hello"))
    assert (await rig.reply(conversation)).request.tickets == ()

    for who in ("Bob", "Ana"):
        await _said(rig, room.say(who, f"how is ticket {anas}?"))
        request = (await rig.reply(conversation)).request
        assert (request.tickets, request.is_shared, request.requester_name) == ((), True, who)


async def test_who_asks_in_private_hears_of_their_own_tickets(rig: Rig, room: Room) -> None:
    anas = await _private_ticket(rig, room, "Ana", "My salary is wrong")
    bobs = await _private_ticket(rig, room, "Bob", "My chair is broken")
    for who, theirs in (("Ana", anas), ("Bob", bobs)):
        event = room.whisper(who, "how is it?")
        await rig.tickets.return_to_bot(await rig.ticket_id(event.thread), await rig.agent(who))
        request = (await rig.reply(await _said(rig, event))).request
        assert [ticket.number for ticket in request.tickets] == [theirs]
        assert not request.is_shared


async def test_nothing_is_added_to_anothers_ticket_whatever_the_assistant_says(
    rig: Rig, room: Room
) -> None:
    anas = await _private_ticket(rig, room, "Ana", "My salary is wrong")
    private = room.whisper("Ana", "").thread
    conversation = await _said(rig, room.say("Ana", "hello"), room.say("Bob", f"add to {anas}: x"))
    await rig.reply(conversation)
    step = AddToTicket(number=anas, text="x")
    assert (await rig.reply(conversation, step, Say(text="Added"))).request.tickets == ()
    assert await _notes(rig, private) == []


async def test_quick_successions_are_each_persons_own_turn(rig: Rig, room: Room) -> None:
    conversation = await _said(
        rig, room.say("Ana", "one"), room.say("Ana", "two"), room.say("Bob", "three")
    )
    first = await rig.reply(conversation)
    second = await rig.reply(conversation)
    assert [plan.request.text for plan in (first, second)] == ["one\ntwo", "three"]
    assert [plan.request.requester_name for plan in (first, second)] == ["Ana", "Bob"]
    # What one is in the middle of is nothing that the other's words go on with.
    assert second.request.sender == f"{first.request.sender}:{second.requester}"


async def test_what_somebody_files_in_anothers_thread_is_theirs(rig: Rig, room: Room) -> None:
    conversation = await _said(rig, room.say("Ana", "hello"))
    await rig.reply(conversation)
    await _said(rig, room.say("Bob", "I want a laptop"))
    filed = OpenTicket(kind=TicketKind.REQUEST, subject="Laptop", description="please")
    await rig.reply(conversation, filed)
    assert await _requesters(rig) == ["Bob"]


async def test_what_the_assistant_does_not_answer_is_a_ticket_of_whoever_asked(
    rig: Rig, room: Room
) -> None:
    conversation = await _said(rig, room.say("Ana", "hello"))
    await rig.reply(conversation)
    await _said(rig, room.say("Bob", "my chair is broken"))
    assert await rig.turns.give_up(conversation, "no answer")
    assert await _requesters(rig) == ["Bob"]


async def test_a_turn_that_was_begun_is_given_up_in_the_name_of_whom_it_would_answer(
    rig: Rig, room: Room
) -> None:
    conversation = await _said(rig, room.say("Ana", "hello"))
    await rig.reply(conversation)
    await _said(rig, room.say("Bob", "my chair is broken"))
    assert await rig.turns.plan(conversation) is not None
    await _said(rig, room.say("Ana", "mine too"))
    assert await rig.turns.give_up(conversation, "no answer")
    assert await _requesters(rig) == ["Bob"]


async def test_a_conversation_that_goes_in_circles_is_a_ticket_of_whoever_wrote_last(
    rig: Rig, room: Room
) -> None:
    conversation = await _said(rig, room.say("Ana", "hello"))
    for number in range(40):
        await rig.reply(conversation)
        await _said(rig, room.say("Bob", f"once more: {number}"))
    assert await rig.turns.plan(conversation) is None
    assert await _requesters(rig) == ["Bob"]


async def test_linking_an_address_is_begun_in_private_alone(rig: Rig, room: Room) -> None:
    rig.accounts[MAIL] = Capabilities(letters=True)
    asked = room.say("Bob", "link bob@example.org")
    await _said(rig, asked)
    *_, said = await rig.texts(asked.thread)
    assert said[0] == "system"
    assert "in a private message" in said[1]
    assert "bob@" not in said[1]
    async with rig.sessions() as session:
        assert (await session.scalars(select(LinkCode))).all() == []

    asked = room.whisper("Bob", "link bob@example.org")
    await _said(rig, asked)
    *_, said = await rig.texts(asked.thread)
    assert "six digits" in said[1]


async def test_agents_ask_for_no_code_where_others_read(rig: Rig, room: Room) -> None:
    rig.accounts[MAIL] = Capabilities(letters=True)
    codes = LinkCodes(rig.sessions, rig.accounts, rig.channels, rig.clock)
    agent = await rig.agent()
    for say, is_refused in ((room.say, True), (room.whisper, False)):
        event = say("Ana", "hello")
        await rig.reply(await _said(rig, event), Handoff(reason=HandoffReason.ASKED_FOR_HUMAN))
        ticket = await rig.ticket_id(event.thread)
        with pytest.raises(InvalidInput, match="others read") if is_refused else nullcontext():
            await codes.ask(ticket, "ana@example.org", agent)


async def test_articles_of_an_organisation_are_shown_where_all_who_write_belong_to_it(
    rig: Rig, room: Room
) -> None:
    conversation = await _said(rig, room.say("Ana", "hello"))
    async with rig.sessions.begin() as session:
        acme = new_id()
        session.add(Organisation(id=acme, name="Acme"))
        await session.flush()
        await session.execute(update(Contact).values(organisation_id=acme))
    async with rig.sessions() as session:
        assert await organisation_of(session, conversation) == acme
    await _said(rig, room.say("Bob", "me too"))
    async with rig.sessions() as session:
        assert await organisation_of(session, conversation) is None


async def test_a_command_in_a_telegram_group_is_that_of_whoever_wrote_it(rig: Rig) -> None:
    telegram = PollingTelegram(LOOP, TelegramSettings(token=SECRET), channel_context())
    rig.channels[LOOP] = telegram
    group = _on_telegram(telegram)
    anas = await _private_ticket(rig, group, "Ana", "My salary is wrong")
    conversation = await _said(rig, group.say("Ana", "hello"))
    await rig.reply(conversation)
    await _said(rig, group.say("Bob", "/status"))
    request = (await rig.reply(conversation)).request
    assert (request.intent, request.tickets) == (Intent(name="ticket_status"), ())
    assert anas
    await telegram.close()


async def test_the_ticket_of_a_thread_may_be_spoken_of_in_it(rig: Rig, room: Room) -> None:
    conversation = await _said(rig, room.say("Ana", "hello"))
    await rig.reply(conversation, Handoff(reason=HandoffReason.ASKED_FOR_HUMAN))
    question = room.say("Bob", "how is the ticket?")
    await rig.tickets.return_to_bot(await rig.ticket_id(question.thread), await rig.agent())
    await _said(rig, question)
    request = (await rig.reply(conversation)).request
    assert len(request.tickets) == 1
    assert request.is_shared


async def test_letters_are_shared_with_whom_they_went_to_as_well(rig: Rig) -> None:
    rig.enable(joins_turn=True)
    letter = replace(posted("hi"), envelope=Envelope(cc=(Address("bob@example.org"),)))
    await rig.intake.accept(letter)
    assert (await rig.reply(await rig.conversation_id())).request.is_shared


async def test_a_contacts_tickets_in_anothers_thread_go_where_the_contact_goes(
    rig: Rig, room: Room
) -> None:
    conversation = await _said(rig, room.say("Ana", "hello"), room.say("Bob", "a laptop, please"))
    await rig.reply(conversation)
    filed = OpenTicket(kind=TicketKind.REQUEST, subject="Laptop", description="please")
    await rig.reply(conversation, filed)
    other = Author(address=Address("desk-bob"), name="Robert", email="bob@example.org")
    await rig.intake.accept(replace(posted("hi", thread="elsewhere"), author=other))

    bob = room.say("Bob", "it is me")
    known = replace(bob, author=replace(bob.author, email="bob@example.org"))
    await rig.intake.accept(replace(known, key=EventKey("again")))
    async with rig.sessions() as session:
        addresses = select(ContactAddress.address).join(
            Ticket, Ticket.contact_id == ContactAddress.contact_id
        )
        assert "desk-bob" in (await session.scalars(addresses)).all()
