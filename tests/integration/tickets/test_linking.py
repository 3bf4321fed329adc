"""A code by mail proves in a chat whose an e-mail address is; then the contacts are one."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, replace

import pytest
from sqlalchemy import func, select, text

from channels.loopback.channel import Platform
from core.domain.actor import Role
from core.domain.assistant import Handoff, HandoffReason
from core.domain.conversation import Responder
from core.domain.errors import InvalidInput, Rejected, TooManyAttempts, Unavailable
from core.domain.ids import AccountId, ContactId
from core.ports import capabilities_of
from core.runtime.link_codes import LinkCodeMails
from core.services.linking import asking
from core.services.linking.asking import lock_codes
from core.services.linking.codes import LinkCodes
from core.services.requester_records.merging import ContactMerging
from core.storage.queries.requester_records.requesters import requester_record
from core.storage.tables import AuditEntry, ContactAddress, LinkCode, Turn
from tests.integration.console.api import Api
from tests.integration.console.browser import signed_in
from tests.integration.console.world import Desk
from tests.integration.letters.world import Post
from tests.support.desk import LOOP, Rig, posted, somebody_waits

MAIL = AccountId("mail")
EMAIL = "ada@example.org"


@dataclass
class Chat:
    """Ada in a chat, and the desk's mail."""

    rig: Rig
    post: Post
    codes: LinkCodes
    mails: LinkCodeMails

    async def says(self, words: str, who: str = "ada-in-chat", thread: str = "t1") -> None:
        await self.rig.intake.accept(posted(words, thread=thread, who=who))

    async def told(self, thread: str = "t1") -> str:
        """Return what the desk said last."""
        return [said for who, said in await self.rig.texts(thread) if who == "system"][-1]

    async def mailed(self) -> str:
        """Let the desk mail; return the code of the last mail."""
        await self.mails.send_due()
        found = re.search(r"\*\*(\d{6})\*\*", self.post.platform.received[-1].body.text)
        assert found is not None
        return found[1]

    async def contact(self, account: AccountId, address: str) -> ContactId:
        async with self.rig.sessions() as session:
            row = await session.get_one(ContactAddress, (account, address))
            return ContactId(row.contact_id)

    async def outcomes(self) -> list[str | None]:
        async with self.rig.sessions() as session:
            rows = await session.scalars(select(LinkCode.outcome).order_by(LinkCode.requested_at))
            return list(rows)


@pytest.fixture
def chat(rig: Rig) -> Chat:
    post = Post(MAIL, Platform())
    rig.accounts[MAIL] = capabilities_of(post)
    codes = LinkCodes(rig.sessions, rig.accounts, rig.channels, rig.clock)
    return Chat(rig, post, codes, LinkCodeMails(codes, {MAIL: post}))


async def test_who_enters_the_code_is_the_owner_of_the_address(chat: Chat) -> None:
    await chat.rig.intake.accept(posted("by mail", thread="m", who=EMAIL, account=MAIL))
    await chat.says(f"/link {EMAIL}")
    assert "six digits to a…@example.org" in await chat.told()
    code = await chat.mailed()
    (mail,) = chat.post.platform.received
    assert (mail.requester, mail.envelope and mail.envelope.to) == (EMAIL, (EMAIL,))
    await chat.says(f"{code[:3]} {code[3:]}")
    await chat.codes.join_due()
    assert "are one person for us now" in await chat.told()
    kept = await chat.contact(MAIL, EMAIL)
    assert await chat.contact(LOOP, "ada-in-chat") == kept
    assert await chat.outcomes() == ["linked"]
    async with chat.rig.sessions() as session:
        (merge,) = (await requester_record(session, kept)).merges
        actions = await session.scalars(
            select(AuditEntry.action).where(AuditEntry.subject_kind == "contact")
        )
        assert set(actions) == {"contact.code_asked", "contact.merged", "contact.linked"}
        assert await session.scalar(select(func.count()).select_from(Turn)) == 1  # of the mail
    merging = ContactMerging(chat.rig.sessions, chat.rig.accounts, chat.rig.clock)
    await merging.undo(merge.id, await chat.rig.agent())
    assert await chat.contact(LOOP, "ada-in-chat") != kept


async def test_all_that_a_code_joins_are_locked_before_the_first_of_their_conversations(
    chat: Chat,
) -> None:
    await chat.rig.intake.accept(posted("by mail", thread="m", who=EMAIL, account=MAIL))
    vouched = posted("hello", thread="t2", who="ada-2")
    await chat.rig.intake.accept(replace(vouched, author=replace(vouched.author, email=EMAIL)))
    await chat.says(f"/link {EMAIL}")
    await chat.says(await chat.mailed())
    last = await chat.contact(LOOP, "ada-in-chat")
    async with chat.rig.sessions.begin() as other:
        await other.execute(text("SELECT FROM contact WHERE id = :id FOR UPDATE"), {"id": last})
        joining = asyncio.create_task(chat.codes.join_due())
        await somebody_waits(chat.rig.sessions)
        free = text("SELECT FROM conversation WHERE contact_id = :id FOR UPDATE NOWAIT")
        await other.execute(free, {"id": await chat.contact(LOOP, "ada-2")})
    await joining
    kept = await chat.contact(MAIL, EMAIL)
    for who in ("ada-2", "ada-in-chat"):
        assert await chat.contact(LOOP, who) == kept


async def test_an_address_that_is_new_to_the_desk_becomes_the_persons(chat: Chat) -> None:
    await chat.says(f"link my e-mail {EMAIL}")
    before = await chat.contact(LOOP, "ada-in-chat")
    await chat.says(await chat.mailed())
    await chat.codes.join_due()
    await chat.rig.intake.accept(posted("by mail", thread="m", who=EMAIL, account=MAIL))
    assert await chat.contact(MAIL, EMAIL) == before


async def test_after_five_wrong_codes_the_right_one_is_worth_nothing(chat: Chat) -> None:
    await chat.says(f"/link {EMAIL}")
    code = await chat.mailed()
    wrong = f"{(int(code) + 1) % 1_000_000:06}"
    for left in (4, 3, 2, 1):
        await chat.says(wrong)
        assert f"Attempts left: {left}" in await chat.told()
    await chat.says(wrong)
    assert "no longer good" in await chat.told()
    await chat.says(code)
    await chat.codes.join_due()
    assert await chat.outcomes() == ["wrong"]


async def test_a_code_is_good_for_a_quarter_of_an_hour_and_once(chat: Chat) -> None:
    await chat.says(f"/link {EMAIL}")
    code = await chat.mailed()
    chat.rig.clock.advance(minutes=16)
    await chat.says(code)
    assert "no longer good" in await chat.told()
    await chat.says(f"/link {EMAIL}")
    code = await chat.mailed()
    await chat.says(code)
    await chat.says(code)  # it waits for the contacts to be joined: this one says nothing of it
    await chat.codes.join_due()
    await chat.codes.join_due()
    assert await chat.outcomes() == ["expired", "linked"]


async def test_another_persons_code_and_digits_without_one_are_plain_words(chat: Chat) -> None:
    await chat.says(f"/link {EMAIL}")
    code = await chat.mailed()
    await chat.says(code, who="mallory", thread="t2")
    await chat.codes.join_due()
    assert await chat.outcomes() == [None]
    assert await chat.rig.turns.plan(await chat.rig.conversation_id("t2")) is not None


async def test_a_second_code_takes_the_first_ones_place_and_three_are_enough(chat: Chat) -> None:
    await chat.says(f"/link {EMAIL}")
    first = await chat.mailed()
    await chat.says(f"/link {EMAIL}")
    second = await chat.mailed()
    if first != second:
        await chat.says(first)
        assert "Attempts left: 4" in await chat.told()
    await chat.says(f"/link {EMAIL}")
    await chat.says(f"/link {EMAIL}")
    assert "Several codes" in await chat.told()
    assert await chat.outcomes() == ["replaced", "replaced", None]


async def test_an_address_gets_three_codes_an_hour_and_six_a_day_whoever_asks(chat: Chat) -> None:
    mails = chat.post.platform.received

    async def ask(who: int) -> str:
        await chat.says(f"/link {EMAIL}", who=f"visitor-{who}", thread=f"t{who}")
        for _ in range(2):
            await chat.mails.send_due()
        return await chat.told(f"t{who}")

    said = {await ask(who) for who in range(5)}
    assert (len(mails), len(said)) == (3, 1)  # nobody hears what others asked for
    await chat.says("123456", who="visitor-4", thread="t4")
    assert "Attempts left: 4" in await chat.told("t4")
    for hour, total in ((1, 6), (2, 6), (24, 9)):
        chat.rig.clock.advance(minutes=61 if hour < 24 else 60 * 24)
        for who in range(5):
            await ask(10 * hour + who)
        assert len(mails) == total


async def test_two_who_ask_at_once_are_counted_one_after_the_other(chat: Chat) -> None:
    async with chat.rig.sessions.begin() as session:
        await lock_codes(session, [((LOOP, "another process"), EMAIL)])
        asking_now = asyncio.create_task(chat.says(f"/link {EMAIL}"))
        waiting = text(
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        )
        async with asyncio.timeout(10):
            while not asking_now.done() and not await session.scalar(waiting):
                await asyncio.sleep(0)
        assert not asking_now.done()
    await asking_now
    assert await chat.outcomes() == [None]


async def test_the_requesters_of_an_account_together_ask_for_so_many_an_hour(
    chat: Chat, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "MOST_OF_ACCOUNT", 2)
    for who in range(4):
        await chat.says(f"/link v{who}@example.org", who=f"visitor-{who}", thread=f"t{who}")
        assert "six digits to v…@example.org" in await chat.told(f"t{who}")
    for _ in range(4):
        await chat.mails.send_due()
    assert len(chat.post.platform.received) == 2


async def test_digits_long_after_a_code_ran_out_are_ordinary_words(chat: Chat) -> None:
    await chat.says(f"/link {EMAIL}")
    await chat.mailed()
    chat.rig.clock.advance(minutes=76)
    await chat.says("204518")  # an order's number
    assert "no longer good" not in await chat.told()
    assert await chat.rig.turns.plan(await chat.rig.conversation_id()) is not None


async def test_a_mail_that_cannot_leave_waits_and_one_that_is_refused_is_told(chat: Chat) -> None:
    await chat.says(f"/link {EMAIL}")
    chat.post.platform.faults.append(Unavailable("away"))
    await chat.mails.send_due()
    chat.rig.clock.advance(seconds=31)
    assert len(await chat.mailed()) == 6
    await chat.says(f"/link {EMAIL}")
    chat.post.platform.faults.append(Rejected("no such mailbox"))
    await chat.mails.send_due()
    assert "No mail could be sent to a…@example.org" in await chat.told()
    assert await chat.outcomes() == ["replaced", "not mailed"]


async def test_without_mail_it_says_so_and_without_an_address_how(chat: Chat) -> None:
    await chat.says("link my e-mail")
    assert "**link** and your e-mail address" in await chat.told()
    del chat.rig.accounts[MAIL]
    await chat.says(f"/link {EMAIL}")
    assert "receives no mail" in await chat.told()
    assert await chat.outcomes() == []


async def test_an_agent_has_a_code_mailed_and_nothing_is_opened_again(chat: Chat) -> None:
    rig, ana = chat.rig, await chat.rig.agent()
    await chat.says("help")
    await rig.reply(await rig.conversation_id(), Handoff(reason=HandoffReason.PROBLEM_REPORTED))
    ticket = await rig.ticket_id()
    with pytest.raises(InvalidInput):
        await chat.codes.ask(ticket, "no address", ana)
    await chat.codes.ask(ticket, EMAIL, ana)
    assert "six digits" in await chat.told()
    await chat.says(await chat.mailed())
    await chat.codes.join_due()
    assert await chat.outcomes() == ["linked"]
    assert (await rig.conversation()).responder == Responder.QUEUED
    for _ in range(2):
        await chat.codes.ask(ticket, EMAIL, ana)
    with pytest.raises(TooManyAttempts):
        await chat.codes.ask(ticket, EMAIL, ana)


async def test_letters_are_no_chat(chat: Chat) -> None:
    await chat.rig.intake.accept(posted(f"/link {EMAIL}", thread="m", who=EMAIL, account=MAIL))
    assert await chat.outcomes() == []
    assert await chat.rig.turns.plan(await chat.rig.conversation_id("m")) is not None


async def test_a_code_is_mailed_from_the_pane_and_over_the_api(desk: Desk, api: Api) -> None:
    await desk.queued("help")
    ana = await signed_in(desk, "Ana", Role.AGENT)
    assert "Link their e-mail address" in await ana.see("/console/tickets/1001")
    place = "/console/tickets/1001/link-codes"
    refused = await ana.send(place, htmx=True, email=EMAIL)
    assert (refused.status_code, "No e-mail account is connected" in refused.text) == (422, True)
    post = Post(MAIL, Platform())
    desk.accounts[MAIL] = capabilities_of(post)
    done = await ana.send(place, htmx=True, email=EMAIL)
    assert "Ana had a code mailed to a…@example.org" in done.text
    client = await api(Role.AGENT, "bea@example.org")
    for status in (202, 202, 429):
        answer = await client.post("/api/v1/tickets/1001/link-codes", json={"email": EMAIL})
        assert answer.status_code == status
