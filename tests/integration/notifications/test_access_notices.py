"""Agents are told of what lets somebody in under their name."""

from __future__ import annotations

from datetime import timedelta

from core.adapters.smtp import SmtpPostman
from core.domain.actor import Agent, Role
from core.domain.ids import new_id
from core.runtime.access_notices import AccessMails
from core.services.access.tokens import TokenTerms
from core.services.audit import done_by, done_from
from core.services.teams.crew import AgentUpdate
from tests.integration.console.browser import PASSWORD, Browser
from tests.integration.console.world import Desk
from tests.integration.notifications.post import Post, subject_of, words_of


async def warned(desk: Desk, language: str = "en") -> tuple[Agent, Agent]:
    """Return an agent who has a password and an admin."""
    ana = await desk.agent("ana@example.org", "Ana")
    await desk.access.passwords.set(ana.id, PASSWORD)
    await desk.access.set_language(ana.id, language)
    return ana, await desk.agent("boss@example.org", "Berta", Role.ADMIN)


async def mail(desk: Desk, post: Post) -> list[tuple[str, str, str]]:
    mails = AccessMails(
        desk.access.notices, SmtpPostman(post.url, "desk@example.org"), "https://desk.example"
    )
    await mails.send_due()
    await mails.send_due()  # each is mailed once
    return [(str(one["To"]), subject_of(one), words_of(one)) for one in post.letters]


async def test_what_is_made_for_an_agent_is_mailed_and_shown_to_them(
    desk: Desk, post: Post
) -> None:
    ana, boss = await warned(desk)
    with done_by(boss.actor), done_from("203.0.113.9"):
        await desk.access.sign_in_link(ana.id)
        await desk.access.create_token(ana.email, Role.AGENT, TokenTerms(name="Robot"))
        await desk.staffing.crew.change(ana.id, AgentUpdate(email="ana.new@example.org"), boss)
    sent = await mail(desk, post)
    assert [(to, subject) for to, subject, _ in sent] == [
        ("ana@example.org", "A sign-in link was made for you at the desk"),
        ("ana@example.org", "An API token was issued in your name at the desk"),
        ("ana@example.org", "The address you sign in to the desk with was changed"),
    ]
    assert all("Done by Berta" in words and "203.0.113.9" in words for *_, words in sent)
    assert "Robot" in sent[1][2]
    assert "ana.new@example.org" in sent[2][2]

    browser = await Browser.signed_in(desk, "ana.new@example.org")
    assert ">3<" in await browser.see("/console/notices/count")
    shown = await browser.see("/console/notices")
    assert "An API token was issued in your name: Robot" in shown
    assert "203.0.113.9" in shown
    await browser.send("/console/notices/read")
    assert ">3<" not in await browser.see("/console/notices/count")


async def test_an_agent_who_sets_a_password_is_told_that_it_was_them(
    desk: Desk, post: Post
) -> None:
    ana, _ = await warned(desk, "es")
    with done_by(ana.actor):
        await desk.access.passwords.change(
            ana, "another long password", present=PASSWORD, cookie=None, remote="203.0.113.9"
        )
    ((to, subject, words),) = await mail(desk, post)
    assert (to, subject) == (
        "ana@example.org",
        "Se estableció una contraseña nueva para usted en el servicio",
    )
    assert "Lo hizo usted" in words


async def test_who_comes_for_the_first_time_is_warned_of_nothing(desk: Desk, post: Post) -> None:
    ana = await desk.agent("ana@example.org", "Ana")
    await desk.access.sign_in_link(ana.id)
    await desk.access.passwords.set(ana.id, PASSWORD)
    assert await mail(desk, post) == []


async def test_an_address_that_takes_no_mail_holds_up_no_other(desk: Desk, post: Post) -> None:
    gone = await desk.agent("gone@example.org", "Gone")
    await desk.access.passwords.set(gone.id, PASSWORD)
    ana, _ = await warned(desk)
    for agent in (gone, ana):
        await desk.access.sign_in_link(agent.id)
    assert [to for to, *_ in await mail(desk, post)] == ["ana@example.org"]


async def test_a_letter_that_could_not_be_sent_for_a_day_is_sent_no_more(
    desk: Desk, post: Post
) -> None:
    ana, _ = await warned(desk)
    await desk.access.sign_in_link(ana.id)
    desk.clock.advance(timedelta(hours=25))  # a mail server was set only now
    assert await mail(desk, post) == []
    await desk.access.notices.read_all(ana.id)


async def test_what_was_read_is_mailed_within_the_hour_and_then_no_more(
    desk: Desk, post: Post
) -> None:
    ana, boss = await warned(desk)
    await desk.access.sign_in_link(ana.id)
    await desk.access.notices.read_all(ana.id)  # perhaps by somebody else
    assert len(await mail(desk, post)) == 1
    await desk.access.sign_in_link(ana.id)
    await desk.staffing.crew.change(ana.id, AgentUpdate(email="ana.new@example.org"), boss)
    await desk.access.notices.read_all(ana.id)
    desk.clock.advance(timedelta(hours=2))
    _, *later = await mail(desk, post)
    assert [(to, subject) for to, subject, _ in later] == [
        ("ana@example.org", "The address you sign in to the desk with was changed")
    ]


async def test_a_disabled_agent_is_told_of_another_address_at_the_old_one_and_of_nothing_else(
    desk: Desk, post: Post
) -> None:
    ana, boss = await warned(desk)
    await desk.access.sign_in_link(ana.id)
    await desk.staffing.crew.change(ana.id, AgentUpdate(email="ana.new@example.org"), boss)
    await desk.access.set_disabled(ana.id, disabled=True, by=boss)
    assert [(to, subject) for to, subject, _ in await mail(desk, post)] == [
        ("ana@example.org", "The address you sign in to the desk with was changed")
    ]


async def test_who_is_not_known_is_not_said_to_be_the_agent(desk: Desk, post: Post) -> None:
    ana, _ = await warned(desk)
    with done_by(f"agent:{new_id()}"):
        await desk.access.sign_in_link(ana.id)
    with done_by(ana.actor):
        await desk.access.create_token(ana.email, Role.AGENT, TokenTerms(name="Mine"))
    (*_, unknown), (*_, own) = await mail(desk, post)
    assert "Done by ?," in unknown
    assert "Done by you," in own
    browser = await Browser.signed_in(desk, "ana@example.org")
    shown = await browser.see("/console/notices")
    assert shown.count("by you") == 1
    assert '<span class="quiet">?</span>' in shown
