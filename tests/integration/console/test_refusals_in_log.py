"""The audit log has who came in, who could not, and what was refused to whom; no flood of it."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from core.domain.actor import Role, Scope
from core.domain.errors import TooManyAttempts, Unauthenticated
from core.services.access.tokens import TokenTerms
from core.storage.tables import AuditEntry
from tests.integration.console.browser import PASSWORD, Browser, signed_in
from tests.integration.console.world import Desk


async def entries(desk: Desk, action: str) -> list[AuditEntry]:
    async with desk.sessions() as session:
        query = select(AuditEntry).where(AuditEntry.action == action).order_by(AuditEntry.id)
        return list(await session.scalars(query))


async def guess(desk: Desk, email: str, place: str, times: int = 1) -> None:
    for _ in range(times):
        with pytest.raises((Unauthenticated, TooManyAttempts)):
            await desk.access.sign_in(email, "a wrong guess", place)


async def test_who_signs_in_is_in_the_log_with_where_from(desk: Desk) -> None:
    ana = await desk.agent()
    link = await desk.access.sign_in_link(ana.id)
    await Browser(desk.client()).client.post(f"/console/sign-in/{link}")
    await desk.access.passwords.set(ana.id, PASSWORD)
    await desk.access.sign_in("ana@example.org", PASSWORD, "192.0.2.7")
    by_link, by_password = await entries(desk, "sign_in.done")
    assert (by_link.actor, by_link.new) == (ana.actor, {"way": "link"})
    assert (by_password.actor, by_password.new) == (ana.actor, {"way": "password"})
    assert by_link.remote is not None
    assert by_password.remote == "192.0.2.7"


async def test_guesses_are_in_the_log_once_an_hour_from_each_place(desk: Desk) -> None:
    ana = await desk.agent()
    await desk.access.passwords.set(ana.id, PASSWORD)
    await guess(desk, "ana@example.org", "192.0.2.1", 3)
    await guess(desk, "ana@example.org", "192.0.2.2", 20)
    found = await entries(desk, "sign_in.failed")
    assert [(one.subject_id, one.remote) for one in found] == [
        (str(ana.id), "192.0.2.1"),
        (str(ana.id), "192.0.2.2"),
    ]
    assert {one.actor for one in found} == {"somebody"}
    assert found[0].new == {"why": "wrong password"}


async def test_made_up_addresses_and_links_are_one_entry_each(desk: Desk) -> None:
    for number in range(10):
        await guess(desk, f"secret{number}@example.org", f"192.0.2.{number}")
        with pytest.raises(Unauthenticated):
            await desk.access.redeem_link(f"made up {number}")
    found = await entries(desk, "sign_in.failed")
    assert [one.subject_name for one in found] == ["unknown_address", "made_up_link"]
    assert "secret" not in str([(one.subject_id, one.new) for one in found])


async def test_a_link_that_is_used_again_names_whose_it_was(desk: Desk) -> None:
    ana = await desk.agent()
    link = await desk.access.sign_in_link(ana.id)
    await desk.access.redeem_link(link)
    with pytest.raises(Unauthenticated):
        await desk.access.redeem_link(link)
    (found,) = await entries(desk, "sign_in.failed")
    assert (found.subject_id, found.new) == (str(ana.id), {"why": "used or too old"})


async def test_a_disabled_agent_who_tries_is_in_the_log(desk: Desk) -> None:
    boss = await desk.agent("boss@example.org", "Boss", Role.ADMIN)
    ana = await desk.agent()
    await desk.access.passwords.set(ana.id, PASSWORD)
    await desk.access.set_disabled(ana.id, disabled=True, by=boss)
    with pytest.raises(Unauthenticated):
        await desk.access.sign_in("ana@example.org", PASSWORD, "192.0.2.1")
    (found,) = await entries(desk, "sign_in.failed")
    assert found.new == {"why": "disabled"}


async def test_what_a_role_may_not_do_is_refused_and_in_the_log_once_an_hour(desk: Desk) -> None:
    browser = await signed_in(desk)
    for _ in range(3):
        await browser.see("/console/admin/webhooks", 403)
    answer = await browser.send("/console/admin/agents", email="eve@example.org")
    assert answer.status_code == 403
    found = await entries(desk, "request.refused")
    assert [(one.subject_id, one.new) for one in found] == [
        ("GET /console/admin/webhooks", {"why": "only admins may do this"}),
        ("POST /console/admin/agents", {"why": "only admins may do this"}),
    ]
    assert {one.remote for one in found} != {None}


async def test_ids_in_a_path_do_not_make_entries_of_their_own(desk: Desk) -> None:
    browser = await signed_in(desk, "Aud", Role.AUDITOR)
    for number in range(5):
        await browser.send(f"/console/tickets/{number}/take")
    (found,) = await entries(desk, "request.refused")
    assert found.subject_name == "POST /console/tickets/0/take"
    assert found.new == {"why": "auditors change nothing"}


async def test_what_a_token_may_not_do_is_in_the_log(desk: Desk) -> None:
    agent = await desk.access.create_token("ana@example.org", Role.AGENT)
    reading = TokenTerms(scopes=frozenset({Scope.READ}))
    reader = await desk.access.create_token("leo@example.org", Role.ADMIN, reading)
    async with desk.client(authorization=f"Bearer {agent}") as client:
        assert (await client.get("/api/v1/audit")).status_code == 403
    async with desk.client(authorization=f"Bearer {reader}") as client:
        made = await client.post("/api/v1/teams", json={"name": "Networks"})
        assert made.status_code == 403
    found = await entries(desk, "request.refused")
    assert [one.subject_id for one in found] == ["GET /api/v1/audit", "POST /api/v1/teams"]
    assert "lacks the scope admin" in str(found[1].new)


async def test_the_log_says_it_in_the_readers_words(desk: Desk) -> None:
    await signed_in(desk)
    await guess(desk, "nobody@example.org", "192.0.2.1")
    auditor = await signed_in(desk, "Aud", Role.AUDITOR)
    await auditor.see("/console/admin/webhooks", 403)
    page = await auditor.see("/console/admin/audit")
    assert "could not sign in" in page
    assert "an address that nobody has" in page
    assert "was not let do this" in page
    spanish = await auditor.client.post(
        "/console/language",
        data={"language": "es", "next": "/console", "csrf": auditor.csrf},
    )
    assert spanish.status_code == 303
    page = await auditor.see("/console/admin/audit")
    assert "no pudo iniciar sesión" in page
    assert "only admins may do this" not in page
