"""Of several recipients of a letter, one who takes nothing for now is tried again alone."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text

from channels.email.channel import EmailChannel
from channels.simulator.email import MailPlatform
from core.domain.content import Envelope
from core.domain.conversation import Speaker
from core.domain.ids import Address, ConversationId
from core.runtime.lanes.deliveries import DeliveriesLane
from core.services.conversations.rejoining import is_on_its_way
from core.services.ledger import Ledger
from core.services.locks import locked
from core.storage.queries.lanes import forgotten_lanes
from core.storage.wakeups import LaneKind
from tests.support.desk import LOOP, Rig
from tests.unit.email.transport.builders import ANA, DESK, settings
from tests.unit.email.transport.memory import context

BOB = Address("bob@slow.example")
GREYLISTED = "450 4.2.0 Greylisted"


@pytest.fixture
async def people() -> AsyncIterator[MailPlatform]:
    async with MailPlatform.running(DESK) as platform:
        yield platform


@pytest.fixture
async def lane(rig: Rig, people: MailPlatform) -> AsyncIterator[DeliveriesLane]:
    values = {"smtp_host": "127.0.0.1", "smtp_port": people.smtp_port, "smtp_security": "none"}
    channel = EmailChannel(LOOP, settings(**values), context())
    rig.accounts[LOOP] = channel.capabilities
    yield DeliveriesLane(rig.outbox, {LOOP: channel})
    await channel.close()


async def _write(rig: Rig, home: ConversationId, words: str) -> None:
    async with rig.sessions.begin() as session:
        ledger = Ledger(rig.accounts, rig.clock())
        envelope = Envelope(to=(Address(ANA),), cc=(BOB,))
        conversation = await locked(session, home)
        ledger.say(conversation, Speaker.AGENT, words, envelope=envelope)
        await ledger.write(session)


async def _shown(rig: Rig) -> list[tuple[str, str | None]]:
    messages = await rig.messages()
    return [(one.delivery, one.delivery_detail) for one in messages if one.speaker == "agent"]


async def test_who_is_put_off_gets_it_later_and_holds_up_neither_others_nor_what_comes_next(
    rig: Rig, people: MailPlatform, lane: DeliveriesLane
) -> None:
    home = await rig.hear("no VPN")
    people.server.refused[BOB] = GREYLISTED
    await _write(rig, home, "one")
    await lane.advance(home)
    await lane.advance(home)  # it is not tried again at once
    put_off = f"not taken yet for {BOB}, tried again: {GREYLISTED}"
    assert await _shown(rig) == [("sent", put_off)]
    async with rig.sessions() as session:
        assert not await is_on_its_way(session, await rig.messages())
    people.server.refused.clear()
    await _write(rig, home, "two")
    await lane.advance(home)
    rig.clock.advance(minutes=1)
    await lane.advance(home)
    taken = [(mail.text, mail.recipients) for mail in people.received]
    assert taken == [("one", (ANA,)), ("two", (ANA, BOB)), ("one", (BOB,))]
    assert await _shown(rig) == [("sent", None), ("sent", None)]


async def test_the_sweep_finds_what_is_left_for_the_rest(
    rig: Rig, people: MailPlatform, lane: DeliveriesLane
) -> None:
    home = await rig.hear("no VPN")
    people.server.refused[BOB] = GREYLISTED
    await _write(rig, home, "one")
    await lane.advance(home)
    async with rig.sessions.begin() as session:
        await session.execute(text("DELETE FROM procrastinate_jobs"))
    rig.clock.advance(minutes=1)
    async with rig.sessions() as session:
        found = await forgotten_lanes(session, [LaneKind.DELIVERIES], rig.clock())
    assert [one.conversation for one in found] == [home]


async def test_who_takes_nothing_for_a_day_or_is_refused_then_is_told(
    rig: Rig, people: MailPlatform, lane: DeliveriesLane
) -> None:
    home = await rig.hear("no VPN")
    people.server.refused[BOB] = GREYLISTED
    await _write(rig, home, "one")
    await lane.advance(home)
    for hours in (1, 12, 12):
        rig.clock.advance(hours=hours)
        await lane.advance(home)
    assert await _shown(rig) == [("sent", f"not taken for {BOB}: {GREYLISTED}")]
    await _write(rig, home, "two")
    await lane.advance(home)
    people.server.refused[BOB] = "550 5.1.1 No such user"
    rig.clock.advance(minutes=1)
    await lane.advance(home)
    refused = ("sent", f"not taken for {BOB}: 550 5.1.1 No such user")
    assert (await _shown(rig))[1] == refused
    rig.clock.advance(hours=1)
    await lane.advance(home)
    assert [mail.text for mail in people.received] == ["one", "two"]
