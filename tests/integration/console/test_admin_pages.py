"""Admins add agents and shut them out, and read what could not be understood."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from sqlalchemy import select

from channels.loopback.parse import posting
from core.domain.actor import Role
from core.domain.ids import AccountId
from core.storage.tables import Message
from tests.integration.console.browser import signed_in
from tests.integration.console.world import Desk


async def test_admins_add_agents_and_shut_them_out(desk: Desk) -> None:
    browser = await signed_in(desk, "Boss", Role.ADMIN)
    await browser.see("/console/admin/agents")
    added = await browser.send(
        "/console/admin/agents", name="Cy <b>", email="cy@example.org", role="agent"
    )
    link = re.search(r"http://desk.test(/console/sign-in/[\w-]+)", added.text)
    assert link is not None
    assert "Cy &lt;b&gt;" in added.text
    assert (await desk.client().post(link[1])).status_code == 303
    twice = await browser.send(
        "/console/admin/agents", name="Cy", email="cy@example.org", role="agent"
    )
    assert twice.status_code == 422
    assert "There is an agent with this e-mail address already" in twice.text
    agent = re.search(r"/console/admin/agents/([0-9a-f-]{36})/disabled", twice.text)
    assert agent is not None
    path = f"/console/admin/agents/{agent[1]}"
    assert (await browser.send(f"{path}/disabled", disabled="yes")).status_code == 303
    assert "disabled" in await browser.see("/console/admin/agents")
    assert (await browser.send(f"{path}/link")).status_code == 404
    await browser.send(f"{path}/disabled", disabled="no")
    assert "/console/sign-in/" in (await browser.send(f"{path}/link")).text


async def test_admins_read_quarantine_as_text(desk: Desk) -> None:
    browser = await signed_in(desk, "Boss", Role.ADMIN)
    raw = b"\xff<script>x</script>"
    await desk.intake.quarantine(AccountId("webchat"), raw, "odd <b>shape</b>")
    listed = await browser.see("/console/admin/quarantine")
    assert "odd &lt;b&gt;shape" in listed
    item = re.search(r"/console/admin/quarantine/[0-9a-f-]{36}", listed)
    assert item is not None
    shown = await browser.see(item[0])
    assert r"\xff&lt;script&gt;x" in shown
    assert (await browser.send(f"{item[0]}/discard")).status_code == 303
    assert "Everything that came was understood" in await browser.see("/console/admin/quarantine")


async def test_a_quarantined_payload_is_replayed_once_it_is_understood(desk: Desk) -> None:
    browser = await signed_in(desk, "Boss", Role.ADMIN)
    account = AccountId("loop")
    understood = posting(
        remote_id="1", thread="t", who="ann", text="Lost?", language="en", at=datetime.now(UTC)
    )
    await desk.intake.quarantine(account, understood, "a shape of tomorrow")
    await desk.intake.quarantine(account, b"{}", "no shape at all")

    async def items() -> list[str]:
        listed = await browser.see("/console/admin/quarantine")
        return re.findall(r"/console/admin/quarantine/[0-9a-f-]{36}", listed)

    bad, good = await items()
    assert "Read it again" in await browser.see(good)
    for _ in range(2):
        assert (await browser.send(f"{good}/replay")).status_code == 303
    assert (await browser.send(f"{bad}/replay")).status_code == 409
    assert await items() == [bad]
    async with desk.sessions() as session:
        said = (await session.scalars(select(Message.text))).all()
    assert said == ["Lost?"]


async def test_a_channel_without_a_parser_of_payloads_offers_no_replay(desk: Desk) -> None:
    browser = await signed_in(desk, "Boss", Role.ADMIN)
    await desk.intake.quarantine(AccountId("webchat"), b"x", "odd")
    listed = await browser.see("/console/admin/quarantine")
    item = re.search(r"/console/admin/quarantine/[0-9a-f-]{36}", listed)
    assert item is not None
    assert "Read it again" not in await browser.see(item[0])
    assert (await browser.send(f"{item[0]}/replay")).status_code == 409
