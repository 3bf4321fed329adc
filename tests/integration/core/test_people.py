"""The same person in several accounts is one contact, where platforms vouch for their e-mail."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import select

from core.domain.assistant import Handoff, HandoffReason
from core.domain.errors import DeliveryError, Rejected, Throttled, Unavailable
from core.domain.events import Author, MessagePosted, ProfileChanged
from core.domain.ids import AccountId, Address, ConversationId, EventKey, ThreadKey, new_id
from core.domain.satisfaction import SurveyStatus
from core.ports import Refusal
from core.runtime.lanes.people import PeopleLane
from core.services.turns.requester_tickets import TicketsOfRequesters
from core.storage.queries.lanes import forgotten_lanes
from core.storage.tables import Asset, Contact, ContactAddress, Conversation, Satisfaction, Ticket
from core.storage.wakeups import Lane, LaneKind
from tests.support.desk import LOOP, Rig, posted, somebody_waits

CHAT = AccountId("chat")


@pytest.fixture
def two(rig: Rig) -> Rig:
    """A desk with a second account."""
    rig.accounts[CHAT] = rig.accounts[LOOP]
    return rig


def said(
    text: str,
    *,
    who: str,
    account: AccountId = LOOP,
    email: str | None = None,
    thread: str | None = None,
) -> MessagePosted:
    event = posted(text, account=account, thread=thread or f"{account}-{who}", who=who)
    return replace(event, author=replace(event.author, email=email))


def profile(who: str, *, account: AccountId = LOOP, **changes: str) -> ProfileChanged:
    return ProfileChanged(
        account=account,
        key=EventKey(f"profile:{who}:{changes}"),
        thread=ThreadKey(""),
        author=Author(address=Address(who), **changes),
        at=posted("").at,
    )


async def contacts(rig: Rig) -> list[tuple[str | None, str | None]]:
    async with rig.sessions() as session:
        rows = await session.execute(select(Contact.name, Contact.email).order_by(Contact.id))
        return [(name, email) for name, email in rows]


async def all_is_theirs(rig: Rig) -> bool:
    """Whether every conversation belongs to the contact whose address it has."""
    async with rig.sessions() as session:
        rows = await session.execute(
            select(ContactAddress.contact_id, Conversation.contact_id).join(
                Conversation,
                (Conversation.account_id == ContactAddress.account_id)
                & (Conversation.address == ContactAddress.address),
            )
        )
        return all(of_address == of_conversation for of_address, of_conversation in rows)


async def test_one_person_in_two_accounts_is_one_contact(two: Rig) -> None:
    await two.intake.accept(said("by mail", who="ana@x.org", email="ana@x.org"))
    await two.intake.accept(said("by chat", who="U1", account=CHAT, email="Ana@X.org"))

    assert await contacts(two) == [("Ana@X.Org", "ana@x.org")]
    assert await all_is_theirs(two)


async def test_one_person_in_two_accounts_of_one_batch_is_one_contact(two: Rig) -> None:
    await two.intake.accept(
        said("by mail", who="ana@x.org", email="ana@x.org"),
        said("by chat", who="U1", account=CHAT, email="Ana@X.org"),
    )
    assert len(await contacts(two)) == 1


async def test_two_processes_that_meet_a_person_at_once_make_one_contact(
    two: Rig, tmp_path: Path
) -> None:
    other = two.another_process(tmp_path)
    other.accounts[CHAT] = other.accounts[LOOP]
    for number in range(5):
        email = f"ana{number}@x.org"
        await asyncio.gather(
            two.intake.accept(said("m", who=f"m{number}", email=email)),
            other.intake.accept(said("c", who=f"c{number}", account=CHAT, email=email)),
        )
    assert len(await contacts(two)) == 5


async def test_without_a_verified_address_people_stay_apart(two: Rig) -> None:
    await two.intake.accept(said("by mail", who="ana@x.org"))
    await two.intake.accept(said("by chat", who="U1", account=CHAT, email="ana@x.org"))
    assert len(await contacts(two)) == 2


async def test_a_profile_that_says_who_somebody_is_joins_them_with_all_they_have(
    two: Rig,
) -> None:
    await two.intake.accept(said("by mail", who="ana@x.org", email="ana@x.org", thread="t1"))
    await two.intake.accept(said("by chat", who="U1", account=CHAT, thread="t2"))
    conversation = await two.conversation_id("t2")
    await two.reply(conversation, Handoff(reason=HandoffReason.ASKED_FOR_HUMAN))
    ticket = await two.ticket("t2")
    await two.intake.accept(profile("U1", account=CHAT, name="Ana Ruiz", email="ana@x.org"))

    assert await contacts(two) == [("Ana Ruiz", "ana@x.org")]
    assert await all_is_theirs(two)
    tickets = TicketsOfRequesters(two.sessions)
    (brief,) = await tickets.tickets_of(LOOP, Address("ana@x.org"))
    assert brief.number == ticket.number


async def test_a_profile_changes_what_is_known_of_its_contact(rig: Rig) -> None:
    await rig.intake.accept(said("hi", who="U1"))
    await rig.intake.accept(profile("U1", name="Ana Ruiz", email="Ana@x.org"))
    assert await contacts(rig) == [("Ana Ruiz", "Ana@x.org")]


async def test_a_profile_of_nobody_known_is_refused(rig: Rig) -> None:
    (refused,) = await rig.intake.accept(profile("U9", name="Nobody"))
    assert refused.refusal is Refusal.UNKNOWN_PERSON
    assert await contacts(rig) == []


KNOWN = Author(address=Address("somebody"), name="Ana Ruiz", email="ana@x.org", language="es")


async def look_up(rig: Rig) -> None:
    await PeopleLane(rig.people, {LOOP: rig.loopback}).advance(await rig.conversation_id())


async def test_a_platform_is_asked_who_somebody_new_is(rig: Rig) -> None:
    rig.enable(looks_up_people=True)
    rig.platform.people["somebody"] = KNOWN
    conversation = await rig.hear("hi")
    rig.clock.advance(seconds=3)
    async with rig.sessions() as session:
        due = await forgotten_lanes(session, [LaneKind.PEOPLE], rig.clock())
    assert due in ([], [Lane(LaneKind.PEOPLE, conversation)])  # its job may wait already
    await look_up(rig)

    assert await contacts(rig) == [("Ana Ruiz", "ana@x.org")]
    assert await rig.people.plan(conversation) is None


async def test_who_is_looked_up_may_be_somebody_known(rig: Rig) -> None:
    rig.enable(looks_up_people=True)
    rig.platform.people["somebody"] = KNOWN
    await rig.intake.accept(said("by mail", who="ana@x.org", email="ana@x.org"))
    await rig.hear("hi")
    await look_up(rig)

    assert len(await contacts(rig)) == 1
    assert await all_is_theirs(rig)


async def test_people_are_asked_about_again_after_a_day_at_the_earliest(rig: Rig) -> None:
    rig.enable(looks_up_people=True)
    conversation = await rig.hear("hi")
    await look_up(rig)
    await rig.hear("hi again")
    assert await rig.people.plan(conversation) is None
    rig.clock.advance(hours=25)
    await rig.hear("and again")
    assert await rig.people.plan(conversation) is not None


@pytest.mark.parametrize(
    ("fault", "waits"),
    [(Unavailable("away"), True), (Throttled(30.0), True), (Rejected("no such user"), False)],
)
async def test_a_look_up_that_fails_waits_its_time(
    rig: Rig, fault: DeliveryError, waits: bool
) -> None:
    rig.enable(looks_up_people=True)
    conversation = await rig.hear("hi")
    rig.platform.faults.append(fault)
    await look_up(rig)
    assert await rig.people.plan(conversation) is None
    rig.clock.advance(minutes=10)
    assert (await rig.people.plan(conversation) is not None) == waits


async def test_whoever_writes_in_a_thread_is_looked_up_and_named(rig: Rig) -> None:
    rig.enable(looks_up_people=True)
    await rig.intake.accept(
        said("hi", who="U1", thread="t1"), said("me too", who="U2", thread="t1")
    )
    rig.platform.people.update(
        U1=Author(address=Address("U1"), name="Ana"), U2=Author(address=Address("U2"), name="Bea")
    )
    await look_up(rig)

    async with rig.sessions() as session:
        names = await session.scalars(select(ContactAddress.name).order_by(ContactAddress.address))
        assert names.all() == ["Ana", "Bea"]
    assert [message.author for message in await rig.messages()] == ["U1", "U2"]


async def _owner(rig: Rig, who: str) -> UUID:
    async with rig.sessions() as session:
        found = await session.scalars(
            select(ContactAddress.contact_id).where(ContactAddress.address == who)
        )
        return found.one()


async def test_who_was_surveyed_and_owns_a_device_is_joined_with_all_of_it(two: Rig) -> None:
    await two.intake.accept(said("a person, please", who="ada"))
    home = (await two.conversation("loop-ada")).id
    ticket = await two.tickets.take_over(ConversationId(home), await two.agent())
    ada = await _owner(two, "ada")
    async with two.sessions.begin() as session:
        of_whom = {"contact_id": ada, "status": SurveyStatus.ANSWERED, "score": 5}
        session.add_all(
            [
                Satisfaction(id=new_id(), ticket_id=ticket, **of_whom),
                Satisfaction(id=new_id(), conversation_id=home, **of_whom),
                Asset(id=new_id(), tag="LT-1", contact_id=ada),
            ]
        )
    await two.intake.accept(said("hello", who="ada.l", account=CHAT, email="ada@example.org"))
    await two.intake.accept(said("it is me", who="ada", email="ada@example.org"))
    kept = await _owner(two, "ada.l")
    async with two.sessions() as session:
        for owned in (Contact.id, Ticket.contact_id, Satisfaction.contact_id, Asset.contact_id):
            assert set(await session.scalars(select(owned))) == {kept}


async def test_who_has_another_address_keeps_their_devices_and_what_they_said_there(
    two: Rig,
) -> None:
    await two.intake.accept(said("hello", who="ada"))
    ada = await _owner(two, "ada")
    async with two.sessions.begin() as session:
        session.add(ContactAddress(account_id=CHAT, address="ada-2", contact_id=ada))
        session.add(Asset(id=new_id(), tag="LT-1", contact_id=ada))
    await two.intake.accept(said("printer", who="ada-2", account=CHAT))
    elsewhere = (await two.conversation("chat-ada-2")).id
    async with two.sessions.begin() as session:
        survey = {"contact_id": ada, "status": SurveyStatus.ASKED}
        session.add(Satisfaction(id=new_id(), conversation_id=elsewhere, **survey))
    await two.intake.accept(said("hello", who="ada.l", account=CHAT, email="ada@example.org"))
    await two.intake.accept(said("it is me", who="ada", email="ada@example.org"))
    assert await _owner(two, "ada") == await _owner(two, "ada.l") != ada
    async with two.sessions() as session:
        for owned in (Satisfaction.contact_id, Asset.contact_id):
            assert set(await session.scalars(select(owned))) == {ada}


async def test_what_becomes_theirs_while_they_are_joined_moves_along(two: Rig) -> None:
    await two.intake.accept(said("hello", who="ada"))
    await two.intake.accept(said("hello", who="ada.l", account=CHAT, email="ada@example.org"))
    ada = await _owner(two, "ada")
    async with two.sessions.begin() as other:
        other.add(Asset(id=new_id(), tag="LT-1", contact_id=ada))
        await other.flush()
        joining = asyncio.create_task(
            two.intake.accept(said("it is me", who="ada", email="ada@example.org"))
        )
        await somebody_waits(two.sessions)
    await joining
    kept = await _owner(two, "ada.l")
    async with two.sessions() as session:
        assert set(await session.scalars(select(Asset.contact_id))) == {kept}
        assert set(await session.scalars(select(Contact.id))) == {kept}
