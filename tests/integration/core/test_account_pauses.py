"""An account that its platform refuses or slows down waits as a whole; one message tries it."""

from __future__ import annotations

from core.domain.errors import BadCredentials, Rejected, Throttled, Unavailable
from core.storage.tables import Account
from tests.integration.core.sending import advance, fail_next, received, said, states
from tests.support.desk import LOOP, Rig


async def test_a_throttled_account_pauses_for_all_its_conversations(rig: Rig) -> None:
    async with rig.sessions.begin() as session:
        session.add(Account(id=LOOP, channel="loopback"))
    conversation = await said(rig, "a")
    rig.platform.faults.append(Throttled(60.0))
    await advance(rig, conversation)
    other = await rig.hear("b", thread="t2")
    await rig.reply(other)
    await advance(rig, other)
    assert received(rig) == []
    rig.clock.advance(seconds=61)
    await advance(rig, conversation)
    await advance(rig, other)
    assert len(received(rig)) == 2


async def _account(rig: Rig) -> Account:
    async with rig.sessions() as session:
        return await session.get_one(Account, LOOP)


async def _health(rig: Rig) -> tuple[str, str]:
    account = await _account(rig)
    return account.health, account.health_remedy


async def _connected(rig: Rig) -> None:
    async with rig.sessions.begin() as session:
        session.add(Account(id=LOOP, channel="loopback"))


async def test_bad_credentials_hold_the_account_up_until_they_are_accepted(rig: Rig) -> None:
    await _connected(rig)
    conversation = await said(rig, "a", "b")
    fail_next(rig, BadCredentials("the token was revoked", "enter a new token"))
    await advance(rig, conversation)
    assert await _health(rig) == ("bad_credentials", "enter a new token")
    assert await states(rig) == ["waiting", "waiting"]
    await advance(rig, conversation)
    assert len(rig.platform.faults) == 0  # paused: nothing was tried
    fail_next(rig, BadCredentials("the token was revoked", "enter a new token"))
    rig.clock.advance(seconds=61)
    await advance(rig, conversation)
    assert await states(rig) == ["waiting", "waiting"]
    rig.clock.advance(seconds=61)
    await advance(rig, conversation)
    assert received(rig) == ["You said: a", "You said: b"]
    assert await _health(rig) == ("connected", "")
    assert (await _account(rig)).paused_until is None


async def test_a_platform_that_is_away_says_nothing_of_credentials(rig: Rig) -> None:
    await _connected(rig)
    conversation = await said(rig, "a")
    fail_next(
        rig, BadCredentials("the token was revoked", "enter a new token"), Unavailable("away")
    )
    await advance(rig, conversation)
    rig.clock.advance(seconds=61)
    await advance(rig, conversation)
    assert (await _health(rig))[0] == "bad_credentials"
    rig.clock.advance(seconds=61)
    await advance(rig, conversation)
    assert await states(rig) == ["sent"]
    assert await _health(rig) == ("connected", "")


async def test_bad_credentials_that_nobody_mends_fail_the_message_after_a_day(rig: Rig) -> None:
    await _connected(rig)
    conversation = await said(rig, "a")
    fail_next(rig, BadCredentials("the token was revoked", "enter a new token"))
    rig.clock.advance(hours=25)
    await advance(rig, conversation)
    assert await states(rig) == ["failed"]


async def test_after_a_pause_one_message_is_tried_before_the_others(rig: Rig) -> None:
    await _connected(rig)
    first = await said(rig, "a")
    other = await rig.hear("b", thread="t2")
    await rig.reply(other)
    fail_next(rig, Throttled(60.0))
    await advance(rig, first)
    rig.clock.advance(seconds=61)
    probe = await rig.outbox.plan(first)
    assert probe is not None
    assert probe.is_probe
    assert await rig.outbox.plan(other) is None
    await rig.outbox.settle(probe, Rejected("no such chat"))  # the account itself works
    assert await rig.outbox.plan(other) is not None


async def test_a_probe_that_is_throttled_again_waits_only_as_long_as_it_is_told(rig: Rig) -> None:
    await _connected(rig)
    conversation = await said(rig, "a")
    for pause_seconds in (30, 2):
        fail_next(rig, Throttled(pause_seconds))
        await advance(rig, conversation)
        rig.clock.advance(seconds=pause_seconds + 1)
    await advance(rig, conversation)
    assert await states(rig) == ["sent"]


async def test_a_probe_whose_worker_died_is_followed_by_another(rig: Rig) -> None:
    await _connected(rig)
    first = await said(rig, "a")
    other = await rig.hear("b", thread="t2")
    await rig.reply(other)
    fail_next(rig, Throttled(60.0))
    await advance(rig, first)
    rig.clock.advance(seconds=61)
    assert await rig.outbox.plan(first) is not None
    rig.clock.advance(seconds=61)
    assert await rig.outbox.plan(other) is not None
