"""Who signs in gets in, in their language; links and other sites do not help who may not."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import select

from core.domain.actor import Role
from core.services.access.backoff import FREE_FAILURES
from core.storage.tables import AuditEntry, SignInFailure
from tests.integration.console.browser import PASSWORD, Browser, signed_in
from tests.integration.console.world import Desk


async def test_a_wrong_password_is_said_to_be_wrong(desk: Desk) -> None:
    await signed_in(desk)
    async with desk.client() as client:
        form = {"email": "ana@example.org", "password": "wrong", "next": "/console"}
        answer = await client.post("/console/sign-in", data=form)
        assert answer.status_code == 401
        assert "The e-mail address or the password is wrong" in answer.text
        spanish = await client.post(
            "/console/sign-in", data=form, headers={"Accept-Language": "es"}
        )
        assert "El correo o la contraseña no son correctos" in spanish.text
        for _ in range(5):
            answer = await client.post("/console/sign-in", data=form)
        assert answer.status_code == 429


ELSEWHERE = [
    "https://evil.example",
    "//evil.example",
    "/\\evil.example",
    "/chat",
    "/console\r\nX: y",
    "",
]


async def test_signing_in_never_leads_to_another_site(
    desk: Desk, subtests: pytest.Subtests
) -> None:
    await signed_in(desk)
    for wanted in ELSEWHERE:
        with subtests.test(wanted=wanted):
            async with desk.client() as client:
                form = {"email": "ana@example.org", "password": PASSWORD, "next": wanted}
                answer = await client.post("/console/sign-in", data=form)
                assert answer.headers["location"] == "/console"


async def test_a_link_leads_to_a_password_of_ones_own(desk: Desk) -> None:
    agent = await desk.agent()
    link = await desk.access.sign_in_link(agent.id)
    browser = Browser(desk.client())
    answer = await browser.client.post(f"/console/sign-in/{link}")
    assert answer.headers["location"] == "/console/password"
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    await browser.see("/console/password")
    differs = await browser.send("/console/password", password=PASSWORD, again="x" * 12)
    assert differs.status_code == 422
    assert "The two passwords are not the same" in differs.text
    short = await browser.send("/console/password", password="short", again="short")
    assert "10 characters" in short.text
    saved = await browser.send("/console/password", password=PASSWORD, again=PASSWORD)
    assert saved.status_code == 303
    await Browser.signed_in(desk, "ana@example.org")
    again = await desk.client().post(f"/console/sign-in/{link}")
    assert again.status_code == 401
    assert "This link has been used or is too old" in again.text


async def test_looking_at_a_link_does_not_use_it_up(desk: Desk) -> None:
    link = await desk.access.sign_in_link((await desk.agent()).id)
    async with desk.client() as scanner:
        for _ in range(2):
            shown = await scanner.get(f"/console/sign-in/{link}")
            assert shown.status_code == 200
            assert '<form method="post">' in shown.text
            assert "set-cookie" not in shown.headers
    async with desk.client() as client:
        assert (await client.post(f"/console/sign-in/{link}")).status_code == 303


@pytest.mark.parametrize(
    "headers", [{"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}]
)
async def test_another_site_cannot_follow_a_link(desk: Desk, headers: dict[str, str]) -> None:
    link = await desk.access.sign_in_link((await desk.agent()).id)
    async with desk.client() as client:
        answer = await client.post(f"/console/sign-in/{link}", headers=headers)
        assert answer.status_code == 403
        assert "set-cookie" not in answer.headers


async def test_unsafe_requests_need_the_pages_token(desk: Desk) -> None:
    await desk.queued()
    browser = await signed_in(desk)
    for token in ("", "wrong", "é"):
        browser.csrf = token
        for htmx in (False, True):
            if htmx and not token.isascii():
                continue
            answer = await browser.send("/console/tickets/1001/take", htmx=htmx)
            assert answer.status_code == 403
    await browser.see("/console/queue")
    for headers in (
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
    ):
        answer = await browser.client.post(
            "/console/tickets/1001/take", data={"csrf": browser.csrf}, headers=headers
        )
        assert answer.status_code == 403
    own = await browser.client.post(
        "/console/tickets/1001/take",
        data={"csrf": browser.csrf},
        headers={"Origin": "http://desk.test", "Sec-Fetch-Site": "same-origin"},
    )
    assert own.status_code == 303


async def test_an_agent_chooses_the_language(desk: Desk) -> None:
    browser = await signed_in(desk)
    answer = await browser.send("/console/language", language="es", next="/console/queue")
    assert answer.headers["location"] == "/console/queue"
    assert "Sin asignar" in await browser.see("/console/queue")
    assert (await browser.send("/console/language", language="xx")).status_code == 422


async def test_a_new_password_takes_the_present_one_and_the_audit_log_has_it(desk: Desk) -> None:
    ana = await signed_in(desk, "Ana", Role.AGENT)
    agent = await desk.access.bearer(await desk.access.create_token("ana@example.org", Role.AGENT))
    assert agent.agent is not None
    link = await desk.access.sign_in_link(agent.agent.id)
    assert "Present password" in await ana.see("/console/password")
    new = "another horse battery"
    for present in ("", "not the right one"):
        form = {"password": new, "again": new, "present": present}
        refused = await ana.send("/console/password", form=form)
        assert refused.status_code == 422
        assert "This is not your present password" in refused.text
    form = {"password": new, "again": new, "present": PASSWORD}
    before = ana.client.cookies["desk_session"]
    assert (await ana.send("/console/password", form=form)).status_code == 303
    assert ana.client.cookies["desk_session"] != before
    assert not await desk.access.still_signed_in(before)
    await ana.see("/console/queue")
    assert await desk.access.sign_in("ana@example.org", new, "1.2.3.4")
    assert (await desk.client().post(f"/console/sign-in/{link}")).status_code == 401
    async with desk.sessions() as session:
        deeds = await session.scalars(
            select(AuditEntry.actor).where(AuditEntry.action == "agent.password_set")
        )
        assert deeds.all() == [agent.agent.actor]


async def test_who_came_by_a_link_long_ago_is_asked_for_the_present_password(desk: Desk) -> None:
    agent = await desk.agent()
    await desk.access.passwords.set(agent.id, PASSWORD)
    browser = Browser(desk.client())
    await browser.client.post(f"/console/sign-in/{await desk.access.sign_in_link(agent.id)}")
    assert "Present password" not in await browser.see("/console/password")
    desk.clock.advance(timedelta(minutes=16))
    assert "Present password" in await browser.see("/console/password")


async def test_a_browser_is_known_after_signing_in_and_out(desk: Desk) -> None:
    agent = await desk.agent()
    await desk.access.passwords.set(agent.id, PASSWORD)
    form = {"email": agent.email, "password": PASSWORD}
    async with desk.client() as client:
        assert (await client.post("/console/sign-in", data=form)).status_code == 303
        client.cookies.delete("desk_session")
        for _ in range(FREE_FAILURES):
            async with desk.client() as other:
                await other.post("/console/sign-in", data=form | {"password": "wrong"})
        async with desk.client() as other:
            assert (await other.post("/console/sign-in", data=form)).status_code == 429
        assert (await client.post("/console/sign-in", data=form)).status_code == 303


async def test_signing_in_again_ends_the_session_that_the_browser_had(desk: Desk) -> None:
    browser = await signed_in(desk)
    before = browser.client.cookies["desk_session"]
    form = {"email": "ana@example.org", "password": PASSWORD}
    assert (await browser.client.post("/console/sign-in", data=form)).status_code == 303
    assert browser.client.cookies["desk_session"] != before
    assert not await desk.access.still_signed_in(before)


async def test_sign_ins_that_find_no_room_are_told_when_to_come_back_and_count_as_none(
    desk: Desk,
) -> None:
    await signed_in(desk)
    async with desk.client() as client:
        answers = await asyncio.gather(
            *(
                client.post(
                    "/console/sign-in", data={"email": f"a{n}@example.org", "password": "wrong"}
                )
                for n in range(18)
            )
        )
    told = [answer for answer in answers if answer.status_code == 429]
    assert told
    assert all(int(answer.headers["retry-after"]) >= 1 for answer in told)
    async with desk.sessions() as session:
        failures = list(await session.scalars(select(SignInFailure.failures)))
    assert max(failures) == len(answers) - len(told)
