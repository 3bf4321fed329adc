"""Approvers decide by a signed link or by a button in chat; whoever else tries is refused."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from sqlalchemy import select, update

from core.domain.catalogue import DecidedAlready, Decision, Stage
from core.domain.errors import Forbidden, NotFound, Rejected, Unavailable
from core.domain.events import Author, ChoicePressed
from core.domain.ids import Address, ChoiceId, EventKey, ThreadKey, TicketId, new_id
from core.domain.setbacks import Chore
from core.runtime.approvals import ApprovalMails
from core.services.catalogue.buttons import ApprovalChats
from core.services.catalogue.letters import ApprovalLetters
from core.services.catalogue.roles import RoleDraft
from core.services.notifications.telling import NoticesOfTickets
from core.services.reactions import Reactions
from core.storage.tables import ChoiceRow, ContactAddress, FormField, Notification, Setback
from tests.integration.catalogue.world import LINKS, Shop, laptop, open_shop
from tests.support.desk import LOOP, Rig, posted

MANAGER = "manager@example.org"


@pytest.fixture
async def shop(rig: Rig) -> Shop:
    return await open_shop(rig)


@pytest.fixture
async def ticket(shop: Shop) -> TicketId:
    """A request for a laptop that Bob and the manager were asked about."""
    item = await shop.items.add(laptop(shop.role), shop.lead)
    return await shop.asked(item, Model="Powerful")


@dataclass(slots=True)
class Postman:
    """Keeps the letters it is given, unless it is to raise `error`."""

    sent: list[tuple[str, str, str]] = field(default_factory=list)
    error: Exception | None = None

    async def send(self, to: str, subject: str, words: str, html: str) -> None:
        if self.error is not None:
            raise self.error
        self.sent.append((to, subject, words))


def mails(shop: Shop, postman: Postman) -> ApprovalMails:
    letters = ApprovalLetters(shop.rig.sessions, LINKS, shop.rig.clock)
    return ApprovalMails(letters, postman)


async def test_each_approver_gets_one_letter_with_links_of_their_own(
    shop: Shop, ticket: TicketId
) -> None:
    postman = Postman()
    await mails(shop, postman).send_due()
    await mails(shop, postman).send_due()
    assert [to for to, _, _ in postman.sent] == ["bob@desk.test", MANAGER]
    _, subject, words = postman.sent[1]
    number = (await shop.rig.ticket()).number
    assert subject == f"Please decide: New laptop for Somebody (#{number})"
    assert "Model: Powerful" in words
    token = await shop.token(MANAGER)
    assert f"http://desk.test/approval/{token}?decision=approve" in words
    assert f"http://desk.test/approval/{token}?decision=reject" in words
    assert await shop.token("bob@desk.test") not in words


async def test_letters_wait_for_a_mail_server_and_an_address_that_takes_none_is_left_alone(
    shop: Shop, ticket: TicketId
) -> None:
    postman = Postman(error=Unavailable("away"))
    await mails(shop, postman).send_due()
    shop.rig.clock.advance(minutes=6)
    postman.error = Rejected("nobody of this name")
    await mails(shop, postman).send_due()
    shop.rig.clock.advance(minutes=6)
    postman.error = None
    await mails(shop, postman).send_due()
    assert postman.sent == []
    assert all(ask.mail_at is None for ask in await shop.asks())


async def test_a_letter_that_cannot_be_put_together_holds_up_no_other(
    shop: Shop, ticket: TicketId
) -> None:
    broken = (await shop.request(ticket)).item.id
    asks_of_broken = {ask.id for ask in await shop.asks()}
    item = await shop.items.add(laptop(shop.role, name="Another laptop"), shop.lead)
    await shop.asked(item, "t2", Model="Powerful")
    async with shop.rig.sessions.begin() as session:
        await session.execute(
            update(FormField).where(FormField.item_id == broken).values(kind="of a later release")
        )
    postman = Postman()
    await mails(shop, postman).send_due()
    assert sorted(to for to, _, _ in postman.sent) == ["bob@desk.test", MANAGER]
    assert all("Another laptop" in subject for _, subject, _ in postman.sent)
    async with shop.rig.sessions() as session:
        aside = (await session.scalars(select(Setback))).all()
    assert {row.chore for row in aside} == {Chore.APPROVAL_MAILS}
    assert {row.item for row in aside} == asks_of_broken


async def test_a_link_decides_once_and_looking_at_it_decides_nothing(
    shop: Shop, ticket: TicketId
) -> None:
    token = await shop.token(MANAGER)
    seen = await shop.approvals.view(token)
    assert (seen.stage, seen.is_approver, seen.is_expired) == (Stage.APPROVAL, True, False)
    assert (await shop.request(ticket)).stage == Stage.APPROVAL
    await shop.approvals.decide_by_link(token, Decision.APPROVE, "fine")
    for _ in range(2):
        with pytest.raises(DecidedAlready):
            await shop.approvals.decide_by_link(token, Decision.REJECT, "")
    request = await shop.request(ticket)
    assert (request.stage, request.decided_name) == (Stage.WORK, MANAGER)
    (entry,) = await shop.audited("approval.refused")  # of two within the hour
    assert entry.actor == f"approver:{MANAGER}"


async def test_an_old_link_is_refused_until_it_is_asked_again(shop: Shop, ticket: TicketId) -> None:
    token = await shop.token(MANAGER)
    shop.rig.clock.advance(days=15)
    assert (await shop.approvals.view(token)).is_expired
    with pytest.raises(Forbidden, match="too long ago"):
        await shop.approvals.decide_by_link(token, Decision.APPROVE, "")
    assert len(await shop.audited("approval.refused")) == 1
    await shop.approvals.ask_again(ticket, shop.lead)
    await shop.approvals.decide_by_link(token, Decision.APPROVE, "")
    assert (await shop.request(ticket)).stage == Stage.WORK


async def test_who_has_left_the_role_decides_nothing(shop: Shop, ticket: TicketId) -> None:
    token = await shop.token(MANAGER)
    await shop.roles.change(shop.role, RoleDraft(name="IT lead", agents=[shop.boss.id]), shop.lead)
    assert not (await shop.approvals.view(token)).is_approver
    with pytest.raises(Forbidden):
        await shop.approvals.decide_by_link(token, Decision.APPROVE, "")
    assert (await shop.request(ticket)).stage == Stage.APPROVAL
    assert len(await shop.audited("approval.refused")) == 1
    await shop.approvals.ask_again(ticket, shop.lead)
    with pytest.raises(NotFound, match="nothing to decide"):
        await shop.approvals.view(token)
    with pytest.raises(NotFound, match="nothing to decide"):
        await shop.approvals.decide_by_link(token, Decision.APPROVE, "")
    assert len(await shop.audited("approval.refused")) == 2


@pytest.mark.parametrize("token", ["", "x", "A" * 43, "é", "=" * 9])
async def test_a_forged_link_leads_nowhere_and_is_audited_once(shop: Shop, token: str) -> None:
    for _ in range(2):
        with pytest.raises(NotFound):
            await shop.approvals.view(token)
    with pytest.raises(NotFound):
        await shop.approvals.decide_by_link(token, Decision.APPROVE, "")
    assert len(await shop.audited("approval.refused")) == 1


async def _writes(shop: Shop, who: str, email: str, thread: str) -> None:
    """Let somebody for whom the platform vouches write to the desk."""
    await shop.rig.intake.accept(posted("hello", thread=thread, who=who))
    async with shop.rig.sessions.begin() as session:
        row = await session.get_one(ContactAddress, (LOOP, who))
        row.verified_email = email


async def _press(shop: Shop, label: str, thread: str, who: str) -> None:
    conversation = await shop.rig.conversation_id(thread)
    async with shop.rig.sessions() as session:
        found = await session.scalars(
            select(ChoiceRow.id)
            .where(ChoiceRow.conversation_id == conversation, ChoiceRow.label == label)
            .order_by(ChoiceRow.id.desc())
        )
        choice = found.first()
    assert choice is not None
    await shop.rig.intake.accept(
        ChoicePressed(
            account=LOOP,
            key=EventKey(f"press-{new_id()}"),
            thread=ThreadKey(thread),
            author=Author(address=Address(who)),
            at=shop.rig.clock(),
            choice=ChoiceId(choice),
        )
    )


def _chats(shop: Shop) -> ApprovalChats:
    rig = shop.rig
    return ApprovalChats(rig.sessions, {LOOP: rig.loopback}, rig.accounts, rig.clock)


async def _asked_in_chat(shop: Shop) -> None:
    await _writes(shop, "max", MANAGER, "their-chat")
    await _chats(shop).ask_due()


async def test_an_approver_who_writes_to_the_desk_decides_by_a_button(
    shop: Shop, ticket: TicketId
) -> None:
    await _asked_in_chat(shop)
    number = (await shop.rig.ticket()).number
    assert await shop.told("their-chat") == [
        (
            f"Somebody asks for **New laptop** (ticket **#{number}**). Do you approve it?\n\n"
            "- **Model**: Powerful"
        )
    ]
    await _press(shop, "Approve", "their-chat", "max")
    request = await shop.request(ticket)
    assert (request.stage, request.decided_name) == (Stage.WORK, MANAGER)
    assert (await shop.told("their-chat"))[-1] == (
        "Thank you: **New laptop** for Somebody is approved."
    )
    assert "is approved" in (await shop.told())[-1]


async def test_somebody_elses_press_decides_nothing(shop: Shop, ticket: TicketId) -> None:
    await _asked_in_chat(shop)
    await _press(shop, "Reject", "their-chat", "eve")
    assert (await shop.request(ticket)).stage == Stage.APPROVAL
    assert (await shop.told("their-chat"))[-1] == "You cannot decide on this (any more)."
    (entry,) = await shop.audited("approval.refused")
    assert entry.actor == "contact:eve"


async def test_a_late_press_hears_who_decided(shop: Shop, ticket: TicketId) -> None:
    await _asked_in_chat(shop)
    await shop.approvals.decide(ticket, Decision.REJECT, "", shop.boss)
    await _press(shop, "Approve", "their-chat", "max")
    assert (await shop.request(ticket)).stage == Stage.REJECTED
    assert (await shop.told("their-chat"))[-1] == "This is decided already: Bob rejected it."


async def test_nobody_is_asked_in_chat_whom_no_platform_vouches_for(
    shop: Shop, ticket: TicketId
) -> None:
    await shop.rig.intake.accept(posted("hello", thread="their-chat", who=MANAGER))
    await _chats(shop).ask_due()
    assert await shop.told("their-chat") == []
    assert all(ask.chat_at is None for ask in await shop.asks())


async def test_nobody_is_asked_where_others_read_along(shop: Shop, ticket: TicketId) -> None:
    await _writes(shop, "max", MANAGER, "#general")
    await _chats(shop).ask_due()
    assert await shop.told("#general") == []


async def test_a_link_that_cannot_decide_any_more_tells_the_outcome_alone(
    shop: Shop, ticket: TicketId
) -> None:
    token = await shop.token(MANAGER)
    assert len((await shop.approvals.view(token)).values) == 1
    await shop.approvals.decide(ticket, Decision.APPROVE, "", shop.boss)
    seen = await shop.approvals.view(token)
    assert (seen.values, seen.requester, seen.decided_name) == ((), None, "Bob")


async def test_a_letter_that_was_refused_is_known_to_be(shop: Shop, ticket: TicketId) -> None:
    await mails(shop, Postman(error=Rejected("nobody of this name"))).send_due()
    assert [ask.mail_problem for ask in (await shop.request(ticket)).asks] == [
        "nobody of this name",
        "nobody of this name",
    ]
    await shop.approvals.ask_again(ticket, shop.lead)
    assert [ask.mail_problem for ask in (await shop.request(ticket)).asks] == [None, None]


async def test_asking_again_leaves_another_notice(shop: Shop, ticket: TicketId) -> None:
    rig, conversation = shop.rig, await shop.rig.conversation_id()
    reactions = Reactions(rig.sessions, rig.accounts, [NoticesOfTickets()], rig.clock)
    await reactions.advance(conversation)
    await shop.approvals.ask_again(ticket, shop.lead)
    await reactions.advance(conversation)
    async with rig.sessions() as session:
        notices = await session.scalars(
            select(Notification.notice).where(Notification.agent_id == shop.boss.id)
        )
        assert notices.all() == ["approval", "approval"]
