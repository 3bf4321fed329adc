"""Who comes in, and who does not: passwords, links, sessions, back-off, tokens."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from threading import Barrier
from typing import Literal

import pytest
from argon2 import PasswordHasher
from sqlalchemy import func, select, text

from core.domain.actor import Agent, Role
from core.domain.errors import (
    Conflict,
    InvalidInput,
    NotFound,
    TooManyAttempts,
    Unauthenticated,
)
from core.domain.ids import AgentId, new_id
from core.services.access.access import Access, Arrived
from core.services.access.backoff import FREE_FAILURES, wait_seconds
from core.storage.tables import AgentRow, AgentSession, ApiToken, SignInFailure, SignInLink
from tests.integration.console.browser import PASSWORD, Browser
from tests.integration.console.world import BOT_TOKEN, Desk


async def ana(desk: Desk) -> Agent:
    agent = await desk.agent()
    await desk.access.passwords.set(agent.id, PASSWORD)
    return agent


async def test_a_password_opens_a_session(desk: Desk) -> None:
    agent = await ana(desk)
    cookie = await desk.access.sign_in(" ANA@example.org ", PASSWORD, "1.2.3.4")
    assert (await desk.access.session(cookie)).agent == agent


@pytest.mark.parametrize(
    ("email", "password"),
    [
        ("ana@example.org", "wrong password"),
        ("nobody@example.org", PASSWORD),
        ("ana@example.org", ""),
        ("ana@example.org", PASSWORD + "\x00"),
        ("ana@example.org\x00", "x"),
        ("", ""),
        ("ana@example.org", "x" * 100_000),
        ("ana@example.org", "\ud800"),
    ],
)
async def test_what_does_not_fit_opens_nothing(desk: Desk, email: str, password: str) -> None:
    await ana(desk)
    with pytest.raises(Unauthenticated):
        await desk.access.sign_in(email, password, "1.2.3.4")


class _AtOnce(PasswordHasher):
    """Makes stronger hashes than the desk's; looks at the first two passwords at once."""

    def __init__(self) -> None:
        super().__init__(time_cost=2, memory_cost=16, parallelism=1)
        self._both, self._have_met = Barrier(2), False

    def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:  # noqa: A002
        if not self._have_met:
            self._both.wait(10)
            self._have_met = True
        return super().verify(hash, password)


async def test_both_come_in_who_sign_in_at_once_after_hashes_were_made_stronger(desk: Desk) -> None:
    agent, stronger = await ana(desk), _AtOnce()
    access = Access(desk.sessions, b"key", BOT_TOKEN, desk.clock, stronger)
    cookies = await asyncio.gather(
        *(access.sign_in("ana@example.org", PASSWORD, f"10.0.0.{n}") for n in range(2))
    )
    assert [(await access.session(cookie)).agent for cookie in cookies] == [agent] * 2
    async with desk.sessions() as session:
        kept = await session.scalar(select(AgentRow.password_hash))
    assert kept is not None
    assert not stronger.check_needs_rehash(kept)


async def test_an_agent_without_a_password_cannot_use_one(desk: Desk) -> None:
    await desk.agent()
    with pytest.raises(Unauthenticated):
        await desk.access.sign_in("ana@example.org", "", "1.2.3.4")


async def test_guessing_has_to_wait_longer_and_longer(desk: Desk) -> None:
    desk.clock.stop()
    await ana(desk)
    for _ in range(FREE_FAILURES):
        with pytest.raises(Unauthenticated):
            await desk.access.sign_in("ana@example.org", "wrong", "1.2.3.4")
    with pytest.raises(TooManyAttempts) as refused:
        await desk.access.sign_in("ana@example.org", PASSWORD, "9.9.9.9")
    assert 0 < refused.value.retry_after <= 1
    desk.clock.advance(timedelta(seconds=2))
    await desk.access.sign_in("ana@example.org", PASSWORD, "9.9.9.9")
    with pytest.raises(Unauthenticated):  # being right cleared the count
        await desk.access.sign_in("ana@example.org", "wrong", "9.9.9.9")


async def test_nobody_keeps_an_agent_out_of_a_browser_they_have_used(desk: Desk) -> None:
    desk.clock.stop()
    await ana(desk)
    own = desk.access.known_browser("Ana@example.org")
    for _ in range(FREE_FAILURES):
        with pytest.raises(Unauthenticated):
            await desk.access.sign_in("ana@example.org", "wrong", "6.6.6.6")
    await desk.access.sign_in("ana@example.org", PASSWORD, "6.6.6.6", own)
    for made_up in ("", ".", "x.y", own + "0", desk.access.known_browser("xana@example.org")):
        with pytest.raises(TooManyAttempts):
            await desk.access.sign_in("ana@example.org", PASSWORD, "9.9.9.9", made_up)


async def test_guessing_in_a_known_browser_waits_too(desk: Desk) -> None:
    desk.clock.stop()
    await ana(desk)
    own = desk.access.known_browser("ana@example.org")
    for _ in range(FREE_FAILURES):
        with pytest.raises(Unauthenticated):
            await desk.access.sign_in("ana@example.org", "wrong", "1.2.3.4", own)
    with pytest.raises(TooManyAttempts):
        await desk.access.sign_in("ana@example.org", PASSWORD, "9.9.9.9", own)
    await desk.access.sign_in("ana@example.org", PASSWORD, "9.9.9.9")


async def test_guesses_at_once_are_counted_one_by_one(desk: Desk) -> None:
    desk.clock.stop()
    await ana(desk)
    guesses = await asyncio.gather(
        *(desk.access.sign_in("ana@example.org", "wrong", f"10.0.0.{n}") for n in range(12)),
        return_exceptions=True,
    )
    assert sum(isinstance(guess, Unauthenticated) for guess in guesses) == FREE_FAILURES
    assert sum(isinstance(guess, TooManyAttempts) for guess in guesses) == 12 - FREE_FAILURES


async def test_one_place_cannot_try_many_addresses_for_free(desk: Desk) -> None:
    desk.clock.stop()
    for n in range(20):
        with pytest.raises(Unauthenticated):
            await desk.access.sign_in(f"a{n}@example.org", "wrong", "6.6.6.6")
    with pytest.raises(TooManyAttempts):
        await desk.access.sign_in("another@example.org", "wrong", "6.6.6.6")


def test_waits_double_and_end_somewhere() -> None:
    assert [wait_seconds(n, 4) for n in (0, 3, 4, 5, 6, 12, 13, 10_000)] == [
        0, 0, 1, 2, 4, 256, 300, 300,
    ]  # fmt: skip


async def test_no_address_is_kept_of_failures(desk: Desk) -> None:
    with pytest.raises(Unauthenticated):
        await desk.access.sign_in("ana@example.org", "wrong", "1.2.3.4")
    async with desk.sessions() as session:
        subjects = "".join(await session.scalars(select(SignInFailure.subject)))
    assert "ana" not in subjects
    assert "1.2.3.4" not in subjects


async def test_a_link_signs_in_once(desk: Desk) -> None:
    agent = await desk.agent()
    link = await desk.access.sign_in_link(agent.id)
    taken = await asyncio.gather(
        *(desk.access.redeem_link(link) for _ in range(4)), return_exceptions=True
    )
    (arrived,) = [one for one in taken if isinstance(one, Arrived)]
    assert arrived.agent == agent
    assert (await desk.access.session(arrived.cookie)).agent == agent


async def test_a_link_is_not_used_up_where_the_former_session_cannot_be_ended(desk: Desk) -> None:
    agent = await ana(desk)
    link = await desk.access.sign_in_link(agent.id)
    browser = (await Browser.signed_in(desk, "ana@example.org")).client
    async with desk.sessions.begin() as session:
        await session.execute(
            text(
                "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS"
                " $$ BEGIN RAISE SQLSTATE '57P01'; END $$"
            )
        )
        await session.execute(
            text(
                "CREATE TRIGGER refused BEFORE DELETE ON agent_session"
                " FOR EACH ROW EXECUTE FUNCTION refuse()"
            )
        )
    assert (await browser.post(f"/console/sign-in/{link}")).status_code == 503
    async with desk.sessions.begin() as session:
        await session.execute(text("DROP TRIGGER refused ON agent_session"))
        await session.execute(text("DROP FUNCTION refuse()"))
    assert (await browser.post(f"/console/sign-in/{link}")).status_code == 303
    async with desk.sessions() as session:
        assert await session.scalar(select(func.count()).select_from(AgentSession)) == 1


async def test_a_new_agent_reads_the_console_in_their_browsers_language(desk: Desk) -> None:
    agent = await desk.agent()
    spanish = {"Accept-Language": "es-MX, en;q=0.5"}

    async def come(language: Mapping[str, str]) -> str:
        link, browser = await desk.access.sign_in_link(agent.id), desk.client()
        page = await browser.get(f"/console/sign-in/{link}", headers=language)
        assert page.status_code == 200
        arrived = await browser.post(
            f"/console/sign-in/{link}", headers=language, follow_redirects=True
        )
        return arrived.text

    assert "Elija una contraseña" in await come(spanish)
    await desk.access.passwords.set(agent.id, "a few words make one")
    assert "Elija una contraseña" in await come({"Accept-Language": "en"})  # theirs by now


async def test_a_link_lasts_a_day(desk: Desk) -> None:
    link = await desk.access.sign_in_link((await desk.agent()).id)
    desk.clock.advance(timedelta(hours=24, seconds=1))
    with pytest.raises(Unauthenticated):
        await desk.access.redeem_link(link)


async def test_a_session_lasts_while_it_is_used(desk: Desk) -> None:
    await ana(desk)
    cookie = await desk.access.sign_in("ana@example.org", PASSWORD, "x")
    for _ in range(3):
        desk.clock.advance(timedelta(hours=11))
        await desk.access.session(cookie)
    desk.clock.advance(timedelta(hours=13))
    with pytest.raises(Unauthenticated):
        await desk.access.session(cookie)


async def test_a_session_does_not_last_for_ever(desk: Desk) -> None:
    await ana(desk)
    cookie = await desk.access.sign_in("ana@example.org", PASSWORD, "x")
    for _ in range(31):
        assert await desk.access.still_signed_in(cookie)
        await desk.access.session(cookie)
        desk.clock.advance(timedelta(hours=11))
    with pytest.raises(Unauthenticated):
        await desk.access.session(cookie)


async def test_signing_out_ends_the_session(desk: Desk) -> None:
    await ana(desk)
    cookie = await desk.access.sign_in("ana@example.org", PASSWORD, "x")
    await desk.access.sign_out(cookie)
    assert not await desk.access.still_signed_in(cookie)
    await desk.access.sign_out(None)


async def test_a_new_password_ends_all_sessions_and_begins_a_fresh_one(desk: Desk) -> None:
    agent = await ana(desk)
    mine, other = [await desk.access.sign_in("ana@example.org", PASSWORD, "x") for _ in range(2)]
    fresh = await desk.access.passwords.change(
        agent, "another long password", present=PASSWORD, cookie=mine, remote="x"
    )
    assert await desk.access.still_signed_in(fresh)
    # Whoever has a copy of the cookie in that browser is out with it.
    assert not await desk.access.still_signed_in(mine)
    assert not await desk.access.still_signed_in(other)


@pytest.mark.parametrize("password", ["", "short", "x" * 513])
async def test_a_password_has_a_sensible_length(desk: Desk, password: str) -> None:
    agent = await desk.agent()
    with pytest.raises(InvalidInput):
        await desk.access.passwords.set(agent.id, password)


async def test_disabling_shuts_an_agent_out_at_once(desk: Desk) -> None:
    agent = await ana(desk)
    boss = await desk.agent("boss@example.org", "Boss", Role.ADMIN)
    cookie = await desk.access.sign_in("ana@example.org", PASSWORD, "x")
    link = await desk.access.sign_in_link(agent.id)
    await desk.access.set_disabled(agent.id, disabled=True, by=boss)
    assert not await desk.access.still_signed_in(cookie)
    with pytest.raises(Unauthenticated):
        await desk.access.redeem_link(link)
    with pytest.raises(Unauthenticated):
        await desk.access.sign_in("ana@example.org", PASSWORD, "x")
    await desk.access.set_disabled(agent.id, disabled=False, by=boss)
    await desk.access.sign_in("ana@example.org", PASSWORD, "x")
    with pytest.raises(Conflict):
        await desk.access.set_disabled(boss.id, disabled=True, by=boss)


async def test_an_address_belongs_to_one_agent(desk: Desk) -> None:
    await desk.agent()
    with pytest.raises(Conflict):
        await desk.agent("ANA@example.org")
    for wrong in ("", "ana", "a b@c", "@", "x" * 251 + "@y.z", "a\x00@b.c", "\ud800@b"):
        with pytest.raises(InvalidInput):
            await desk.agent(wrong)


async def test_a_token_speaks_for_its_agent_in_its_role(desk: Desk) -> None:
    token = await desk.access.create_token("New@example.org", Role.ADMIN)
    principal = await desk.access.bearer(token)
    assert principal.role == Role.ADMIN
    assert principal.agent is not None
    assert principal.agent.email == "new@example.org"
    second = await desk.access.bearer(await desk.access.create_token("new@example.org", Role.AGENT))
    assert second.role == Role.AGENT
    assert second.agent is not None
    assert second.agent.id == principal.agent.id


async def test_the_assistants_token_is_the_assistants(desk: Desk) -> None:
    principal = await desk.access.bearer(BOT_TOKEN)
    assert principal.role == Role.ASSISTANT
    assert principal.agent is None
    for wrong in ("", "x", BOT_TOKEN + "x", "\ud800", "é" * 500):
        with pytest.raises(Unauthenticated):
            await desk.access.bearer(wrong)


async def test_no_secret_is_stored_as_it_is(desk: Desk) -> None:
    agent = await ana(desk)
    cookie = await desk.access.sign_in("ana@example.org", PASSWORD, "x")
    link = await desk.access.sign_in_link(agent.id)
    token = await desk.access.create_token("ana@example.org", Role.AGENT)
    async with desk.sessions() as session:
        kept: list[bytes] = []
        for column in (AgentSession.digest, SignInLink.digest, ApiToken.digest):
            kept += list(await session.scalars(select(column)))
    assert len(kept) == 3
    assert all(secret.encode() not in digest for secret in (cookie, link, token) for digest in kept)


async def test_what_is_unknown_is_said_to_be(desk: Desk) -> None:
    nobody = AgentId(new_id())
    with pytest.raises(NotFound):
        await desk.access.sign_in_link(nobody)
    with pytest.raises(NotFound):
        await desk.access.passwords.set(nobody, PASSWORD)


async def test_what_counts_no_more_is_forgotten(desk: Desk) -> None:
    await ana(desk)
    await desk.access.sign_in("ana@example.org", PASSWORD, "x")
    with pytest.raises(Unauthenticated):
        await desk.access.sign_in("b@example.org", "wrong", "x")
    desk.clock.advance(timedelta(days=2))
    await desk.access.forget_expired()
    async with desk.sessions() as session:
        assert (await session.scalars(select(AgentSession.digest))).all() == []
        assert (await session.scalars(select(SignInFailure.subject))).all() == []


async def test_one_subscribers_ipv6_network_is_one_place(desk: Desk) -> None:
    for number in range(20):
        with pytest.raises(Unauthenticated):
            await desk.access.sign_in(f"a{number}@example.org", "wrong", f"2001:db8:1:2::{number}")
    with pytest.raises(TooManyAttempts):
        await desk.access.sign_in("b@example.org", "wrong", "2001:db8:1:2:ffff::9")
    with pytest.raises(Unauthenticated):
        await desk.access.sign_in("b@example.org", "wrong", "2001:db8:1:3::1")
