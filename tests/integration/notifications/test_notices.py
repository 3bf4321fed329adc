"""Agents are told what concerns them, once, and by mail only what they did not see."""

from __future__ import annotations

from datetime import time

import pytest
from sqlalchemy import select, update

from core.adapters.smtp import SmtpPostman
from core.domain.actor import Agent, Role
from core.domain.assistant import Handoff, HandoffReason
from core.domain.errors import InvalidInput, NotTakenYet, Rejected, Unavailable
from core.domain.ids import ConversationId, new_id
from core.domain.notification import Notice, Wish
from core.domain.setbacks import Chore
from core.runtime.notices import NoticeMails
from core.services.case import open_case
from core.services.ledger import Ledger
from core.services.notifications.reading import (
    Notices,
    NoticeView,
    Wishes,
    count_unread,
    notices_of,
)
from core.services.notifications.telling import NoticesOfTickets
from core.services.reactions import Reactions
from core.services.teams.teams import Teams, TeamShape
from core.storage.tables import Notification, Setback, Team, TeamMember, Ticket
from tests.integration.notifications.post import Post
from tests.support.desk import Rig


async def opened(rig: Rig) -> ConversationId:
    conversation = await rig.hear("help me")
    await rig.reply(conversation, Handoff(reason=HandoffReason.ASKED_FOR_HUMAN))
    await react(rig, conversation)
    return conversation


async def react(rig: Rig, conversation: ConversationId) -> None:
    await Reactions(rig.sessions, rig.accounts, [NoticesOfTickets()], rig.clock).advance(
        conversation
    )


async def told(rig: Rig, agent: Agent) -> list[NoticeView]:
    async with rig.sessions() as session:
        return list(reversed(await notices_of(session, agent.id)))


async def kinds(rig: Rig, agent: Agent) -> list[Notice]:
    return [notice.notice for notice in await told(rig, agent)]


async def test_an_agent_is_told_of_their_tickets_but_not_of_what_they_did(rig: Rig) -> None:
    ana, bo = await rig.agent("Ana"), await rig.agent("Bo")
    conversation, ticket = await opened(rig), await rig.ticket_id()
    await rig.tickets.take(ticket, ana)
    await rig.tickets.assign(ticket, bo.id, ana)
    await rig.hear("and one more thing")
    await rig.hear("and another")
    await react(rig, conversation)
    assert await kinds(rig, ana) == []
    assert await kinds(rig, bo) == [Notice.ASSIGNED, Notice.ANSWERED]
    async with rig.sessions() as session:
        assert await count_unread(session, bo.id) == 2
    await Notices(rig.sessions, rig.clock).read_of(bo.id, ticket)
    async with rig.sessions() as session:
        assert await count_unread(session, bo.id) == 0


async def test_a_note_tells_whom_it_mentions(rig: Rig) -> None:
    ana, bo = await rig.agent("Ana"), await rig.agent("Bo")
    conversation = await opened(rig)
    await rig.tickets.note(await rig.ticket_id(), ana, "@bo can you help? Not @cy. I am @ana")
    await react(rig, conversation)
    (notice,) = await told(rig, bo)
    assert (notice.notice, notice.by_name) == (Notice.MENTIONED, "Ana")
    assert await told(rig, ana) == []


async def test_a_note_tells_the_team_that_it_mentions(rig: Rig) -> None:
    ana, bo, cy = [await rig.agent(name) for name in ("Ana", "Bo", "Cy")]
    boss, teams = await rig.agent("Root", Role.ADMIN), Teams(rig.sessions)
    team = await teams.create(TeamShape(name="Service Desk"), boss)
    for agent in (ana, bo):
        await teams.set_member(team, agent.id, 1, boss, is_lead=False)
    conversation = await opened(rig)
    await rig.tickets.note(await rig.ticket_id(), ana, "@servicedesk who knows this printer?")
    await react(rig, conversation)
    assert await kinds(rig, bo) == [Notice.MENTIONED]
    assert await kinds(rig, ana) == await kinds(rig, cy) == []


async def test_a_low_score_alerts_the_lead_of_the_team(rig: Rig) -> None:
    ana, boss = await rig.agent("Ana"), await rig.agent("Boss", Role.LEAD)
    conversation, team = await opened(rig), new_id()
    async with rig.sessions.begin() as session:
        session.add(Team(id=team, name="Help"))
        await session.flush()
        session.add(TeamMember(team_id=team, agent_id=ana.id))
        session.add(TeamMember(team_id=team, agent_id=boss.id, is_lead=True))
        ticket = await session.get_one(Ticket, await rig.ticket_id())
        ticket.team_id = team
    async with rig.sessions.begin() as session:
        case = await open_case(session, Ledger(rig.accounts, rig.clock()), await rig.ticket_id())
        for score in ("5", "2"):
            case.ledger.record(case.ticket, "satisfaction", None, score, actor="requester")
        await case.ledger.write(session)
    await react(rig, conversation)
    assert await kinds(rig, boss) == [Notice.LOW_SCORE]
    assert await kinds(rig, ana) == []


async def test_of_a_score_that_was_changed_the_last_alone_is_told(rig: Rig) -> None:
    boss = await rig.agent("Boss", Role.LEAD)
    conversation = await opened(rig)
    for old, new, unread in ((None, "2", ["2"]), ("2", "1", ["1"]), ("1", "5", [])):
        async with rig.sessions.begin() as session:
            ticket = await rig.ticket_id()
            case = await open_case(session, Ledger(rig.accounts, rig.clock()), ticket)
            case.ledger.record(case.ticket, "satisfaction", old, new, actor="requester")
            await case.ledger.write(session)
        await react(rig, conversation)
        async with rig.sessions() as session:
            told = await notices_of(session, boss.id, only_unread=True)
        assert [one.detail for one in told if one.notice is Notice.LOW_SCORE] == unread


async def test_what_was_not_seen_is_mailed_once(rig: Rig, post: Post) -> None:
    ana, bo = await rig.agent("Ana"), await rig.agent("Bo")
    conversation, ticket = await opened(rig), await rig.ticket_id()
    await rig.tickets.assign(ticket, bo.id, ana)
    await rig.hear("are you there?")
    await react(rig, conversation)
    mails = NoticeMails(
        Notices(rig.sessions, rig.clock), SmtpPostman(post.url, "d@desk.test"), "http://desk.test"
    )
    await mails.send_due()
    assert post.letters == []  # there is time yet to see it in the console
    rig.clock.advance(minutes=4)
    post.after_content = "451 come back later"
    await mails.send_due()
    post.after_content = "250 OK"
    rig.clock.advance(minutes=6)
    await mails.send_due()
    await mails.send_due()
    (letter,) = post.letters
    assert letter["To"] == "bo@desk.test"
    assert letter["Auto-Submitted"] == "auto-generated"
    link = f"http://desk.test/console/tickets/{(await rig.ticket()).number}"
    plain, page = (
        part.get_payload(decode=True) for part in letter.walk() if not part.is_multipart()
    )
    assert isinstance(plain, bytes)
    assert isinstance(page, bytes)
    assert b"was assigned to you" in plain
    assert f"\n{link}".encode() in plain
    assert f'<a href="{link}">#'.encode() in page


async def test_nothing_is_mailed_that_was_read_or_is_not_wanted(rig: Rig, post: Post) -> None:
    ana, bo, cy = [await rig.agent(name) for name in ("Ana", "Bo", "Cy")]
    notices = Notices(rig.sessions, rig.clock)
    await notices.wish(cy.id, Wishes(mail=Wish.URGENT))
    conversation, ticket = await opened(rig), await rig.ticket_id()
    for agent in (bo, cy):
        await rig.tickets.assign(ticket, agent.id, ana)
        await react(rig, conversation)
    await notices.read_all(bo.id)
    rig.clock.advance(hours=1)
    assert await notices.due() == []


async def test_quiet_hours_put_mail_off(rig: Rig) -> None:
    ana, bo = await rig.agent("Ana"), await rig.agent("Bo")
    notices, now = Notices(rig.sessions, rig.clock), rig.clock()
    quiet = Wishes(quiet_from=time(now.hour), quiet_until=time((now.hour + 2) % 24))
    await notices.wish(bo.id, quiet)
    conversation = await opened(rig)
    await rig.tickets.assign(await rig.ticket_id(), bo.id, ana)
    await react(rig, conversation)
    rig.clock.advance(minutes=5)
    assert await notices.due() == []
    rig.clock.advance(hours=2)
    assert len(await notices.due()) == 1


async def test_quiet_hours_count_when_mail_leaves_and_as_they_are_then(rig: Rig) -> None:
    ana, bo = await rig.agent("Ana"), await rig.agent("Bo")
    notices, hour = Notices(rig.sessions, rig.clock), rig.clock().hour
    conversation = await opened(rig)
    await rig.tickets.assign(await rig.ticket_id(), bo.id, ana)
    await react(rig, conversation)
    rig.clock.advance(minutes=5)
    (taken,) = await notices.due()  # and the mail server is away, until Bo has gone to bed
    await notices.wish(
        bo.id, Wishes(quiet_from=time(hour), quiet_until=time((hour + 3) % 24), time_zone="UTC")
    )
    assert await notices.digest(taken) is None
    rig.clock.advance(minutes=30)
    assert await notices.due() == []
    await notices.wish(bo.id, Wishes())
    (taken,) = await notices.due()
    digest = await notices.digest(taken)
    assert digest is not None
    assert [one.notice for one in digest.notices] == [Notice.ASSIGNED]


async def test_what_waits_is_not_mailed_to_who_wants_no_mail_by_now(rig: Rig) -> None:
    ana, bo = await rig.agent("Ana"), await rig.agent("Bo")
    notices = Notices(rig.sessions, rig.clock)
    conversation = await opened(rig)
    await rig.tickets.assign(await rig.ticket_id(), bo.id, ana)
    await react(rig, conversation)
    await notices.wish(bo.id, Wishes(mail=Wish.NEVER))
    rig.clock.advance(minutes=5)
    assert [await notices.digest(taken) for taken in await notices.due()] == [None]
    rig.clock.advance(hours=1)
    assert await notices.due() == []


async def test_a_server_that_is_away_is_unavailable_and_a_wrong_address_is_said() -> None:
    with pytest.raises(Unavailable):
        await SmtpPostman("smtp://127.0.0.1:9", "d@desk.test").send("a@desk.test", "x", "y", "z")
    with pytest.raises(InvalidInput, match="DESK_NOTIFY_SMTP_URL"):
        SmtpPostman("mail.example.org", "d@desk.test")


async def test_an_address_that_takes_no_mail_does_not_hold_up_the_others(
    rig: Rig, post: Post
) -> None:
    ana, gone, bo = [await rig.agent(name) for name in ("Ana", "Gone", "Bo")]
    conversation, ticket = await opened(rig), await rig.ticket_id()
    for agent in (gone, bo):
        await rig.tickets.assign(ticket, agent.id, ana)
        await react(rig, conversation)
    rig.clock.advance(minutes=4)
    notices = Notices(rig.sessions, rig.clock)
    await NoticeMails(notices, SmtpPostman(post.url, "d@desk.test"), "http://desk.test").send_due()
    assert [letter["To"] for letter in post.letters] == ["bo@desk.test"]
    rig.clock.advance(hours=1)
    assert await notices.due() == []


@pytest.mark.parametrize("said", ["450 4.2.0 greylisted", "452 4.2.2 mailbox full"])
async def test_an_address_that_takes_nothing_for_now_is_tried_again_and_holds_up_no_other(
    rig: Rig, post: Post, said: str
) -> None:
    ana, bo, cy = [await rig.agent(name) for name in ("Ana", "Bo", "Cy")]
    conversation, ticket = await opened(rig), await rig.ticket_id()
    for agent in (bo, cy):
        await rig.tickets.assign(ticket, agent.id, ana)
        await react(rig, conversation)
    rig.clock.advance(minutes=4)
    post.put_off["bo@desk.test"] = said
    notices = Notices(rig.sessions, rig.clock)
    mails = NoticeMails(notices, SmtpPostman(post.url, "d@desk.test"), "http://desk.test")
    await mails.send_due()
    assert [letter["To"] for letter in post.letters] == ["cy@desk.test"]
    async with rig.sessions() as session:
        aside = (await session.scalars(select(Setback))).one()
    assert (aside.item, aside.tries) == (bo.id, 1)
    assert said in aside.error
    post.put_off.clear()
    rig.clock.advance(minutes=6)
    await mails.send_due()
    await mails.send_due()
    assert [letter["To"] for letter in post.letters] == ["cy@desk.test", "bo@desk.test"]
    async with rig.sessions() as session:
        assert (await session.scalars(select(Setback))).all() == []


async def test_a_letter_that_is_put_off_or_refused_once_it_was_read_holds_up_no_other(
    post: Post,
) -> None:
    postman = SmtpPostman(post.url, "d@desk.test")
    for said, error in (
        ("451 4.7.1 greylisted", NotTakenYet),
        ("554 5.7.1 looks like spam", Rejected),
        ("421 4.3.2 going down", Unavailable),
    ):
        post.after_content = said
        with pytest.raises(error) as raised:
            await postman.send("bo@desk.test", "x", "y", "z")
        assert raised.type is error


class Fragile:
    """A postman that cannot write to one address, for a reason nobody foresaw, or is away."""

    def __init__(self, breaks_at: str) -> None:
        self.breaks_at = breaks_at
        self.is_away = False
        self.sent: list[str] = []

    async def send(self, to: str, subject: str, words: str, html: str) -> None:
        if self.is_away:
            raise Unavailable("the mail server is away")
        if to == self.breaks_at:
            raise LookupError("no such alphabet")
        self.sent.append(to)


async def test_a_mail_that_raises_is_set_aside_and_holds_up_no_other(rig: Rig) -> None:
    ana, bo, cy = [await rig.agent(name) for name in ("Ana", "Bo", "Cy")]
    conversation, ticket = await opened(rig), await rig.ticket_id()
    for agent in (bo, cy):
        await rig.tickets.assign(ticket, agent.id, ana)
        await react(rig, conversation)
    rig.clock.advance(minutes=4)
    postman = Fragile("bo@desk.test")
    mails = NoticeMails(Notices(rig.sessions, rig.clock), postman, "http://desk.test")
    await mails.send_due()
    assert postman.sent == ["cy@desk.test"]
    async with rig.sessions() as session:
        aside = (await session.scalars(select(Setback))).one()
    assert (aside.chore, aside.item) == (Chore.NOTICE_MAILS, bo.id)
    assert aside.error == "LookupError: no such alphabet"
    postman.breaks_at = ""
    rig.clock.advance(minutes=6)
    await mails.send_due()
    assert postman.sent == ["cy@desk.test", "bo@desk.test"]
    async with rig.sessions() as session:
        assert (await session.scalars(select(Setback))).all() == []


async def test_what_was_set_aside_stays_so_while_the_mail_server_is_away(rig: Rig) -> None:
    ana, bo, cy = [await rig.agent(name) for name in ("Ana", "Bo", "Cy")]
    conversation, ticket = await opened(rig), await rig.ticket_id()
    for agent in (bo, cy):
        await rig.tickets.assign(ticket, agent.id, ana)
        await react(rig, conversation)
    rig.clock.advance(minutes=4)
    postman = Fragile("bo@desk.test")
    mails = NoticeMails(Notices(rig.sessions, rig.clock), postman, "http://desk.test")
    await mails.send_due()
    postman.is_away = True
    rig.clock.advance(minutes=6)
    await mails.send_due()
    async with rig.sessions() as session:
        aside = (await session.scalars(select(Setback))).one()
    assert (aside.item, aside.tries) == (bo.id, 1)
    postman.is_away = False
    rig.clock.advance(minutes=6)
    await mails.send_due()
    async with rig.sessions() as session:
        aside = (await session.scalars(select(Setback))).one()
    assert (aside.item, aside.tries) == (bo.id, 2)
    assert postman.sent == ["cy@desk.test"]


async def test_a_mail_that_cannot_be_put_together_holds_up_no_other(rig: Rig) -> None:
    ana, bo, cy = [await rig.agent(name) for name in ("Ana", "Bo", "Cy")]
    conversation, ticket = await opened(rig), await rig.ticket_id()
    for agent in (bo, cy):
        await rig.tickets.assign(ticket, agent.id, ana)
        await react(rig, conversation)
    of_bo = update(Notification).where(Notification.agent_id == bo.id)
    async with rig.sessions.begin() as session:
        await session.execute(of_bo.values(notice="of a later release"))
    rig.clock.advance(minutes=4)
    postman = Fragile("")
    mails = NoticeMails(Notices(rig.sessions, rig.clock), postman, "http://desk.test")
    await mails.send_due()
    assert postman.sent == ["cy@desk.test"]
    async with rig.sessions.begin() as session:
        assert [row.item for row in await session.scalars(select(Setback))] == [bo.id]
        await session.execute(of_bo.values(notice=Notice.ASSIGNED))
    rig.clock.advance(minutes=6)
    await mails.send_due()
    assert postman.sent == ["cy@desk.test", "bo@desk.test"]
