"""A requester is asked once, answers by a button or a link, and only by will."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from core.domain.assistant import Handoff, HandoffReason
from core.domain.channel import Capabilities
from core.domain.conversation import Speaker
from core.domain.errors import IllegalTransition, InvalidInput, NotFound
from core.domain.events import ChoicePressed
from core.domain.ids import ChoiceId, ConversationId, EventKey, ThreadKey, new_id
from core.domain.satisfaction import SurveyRules, SurveyStatus
from core.domain.ticket import TicketStatus
from core.services import audit
from core.services.links.merging import TicketMerging
from core.services.reactions import Reactions
from core.services.satisfaction.answering import SurveyAnswers
from core.services.satisfaction.asking import SurveysOfTickets, SurveySweep
from core.services.satisfaction.links import SurveyLinks
from core.services.satisfaction.rules import set_survey_rules
from core.services.tickets.spam import SpamFolder
from core.storage.tables import (
    AuditEntry,
    ChoiceRow,
    ContactAddress,
    Message,
    Satisfaction,
    TicketEvent,
)
from tests.support.desk import LOOP, Rig, posted

LINKS = SurveyLinks(b"a key", "http://desk.test")


async def _solved(rig: Rig, thread: str = "t1") -> ConversationId:
    conversation = await rig.hear("my screen is broken", thread=thread)
    await rig.reply(conversation, Handoff(reason=HandoffReason.ASKED_FOR_HUMAN))
    await rig.tickets.set_status(
        await rig.ticket_id(thread), TicketStatus.SOLVED, await rig.agent(f"Ana-{thread}")
    )
    await _react(rig, conversation)
    return conversation


async def _react(rig: Rig, conversation: ConversationId) -> None:
    reactors = [SurveysOfTickets(LINKS)]
    await Reactions(rig.sessions, rig.accounts, reactors, rig.clock).advance(conversation)


async def _sweep(rig: Rig) -> None:
    await SurveySweep(rig.sessions, rig.accounts, LINKS, rig.clock).do_due()


async def _survey(rig: Rig) -> Satisfaction:
    async with rig.sessions() as session:
        found = await session.scalars(select(Satisfaction).order_by(Satisfaction.id.desc()))
        return found.first() or pytest.fail("nobody was asked")


async def _said(rig: Rig, conversation: ConversationId) -> list[str]:
    async with rig.sessions() as session:
        said = await session.scalars(
            select(Message.text)
            .where(Message.conversation_id == conversation, Message.speaker == Speaker.SYSTEM)
            .order_by(Message.seq)
        )
        return list(said)


async def _press(rig: Rig, conversation: ConversationId, label: str, thread: str = "t1") -> None:
    async with rig.sessions() as session:
        found = await session.scalars(
            select(ChoiceRow.id)
            .where(ChoiceRow.conversation_id == conversation, ChoiceRow.label == label)
            .order_by(ChoiceRow.id.desc())
        )
        choice = found.first()
    assert choice is not None
    who = posted("x", thread=thread).author
    await rig.intake.accept(
        ChoicePressed(
            account=LOOP,
            key=EventKey(f"press-{new_id()}"),
            thread=ThreadKey(thread),
            author=who,
            at=rig.clock(),
            choice=ChoiceId(choice),
        )
    )


def answers(rig: Rig) -> SurveyAnswers:
    return SurveyAnswers(rig.sessions, rig.accounts, LINKS, rig.clock)


def token_of(survey: Satisfaction) -> str:
    return LINKS.link(survey.id).rpartition("/")[2]


async def test_a_pressed_score_is_kept_and_opens_nothing_again(rig: Rig) -> None:
    conversation = await _solved(rig)
    await _press(rig, conversation, "Very good")
    survey, ticket = await _survey(rig), await rig.ticket()
    assert (survey.score, survey.status) == (5, SurveyStatus.ANSWERED)
    assert ticket.status == TicketStatus.SOLVED
    assert await rig.turns.plan(conversation) is None
    assert (await _said(rig, conversation))[-1] == "Thank you for telling us."
    async with rig.sessions() as session:
        kept = await session.scalars(
            select(TicketEvent.new).where(TicketEvent.field == "satisfaction")
        )
        assert kept.all() == ["5"]


async def test_a_low_score_leads_to_an_offer_that_opens_the_ticket_again(rig: Rig) -> None:
    conversation = await _solved(rig)
    await _press(rig, conversation, "Bad")
    assert (await rig.ticket()).status == TicketStatus.SOLVED
    for _ in range(2):
        await _press(rig, conversation, "Yes, open it again")
    assert (await rig.ticket()).status == TicketStatus.OPEN
    said = await _said(rig, conversation)
    assert [words.endswith("is open again.") for words in said[-2:]] == [False, True]


async def test_the_button_of_a_ticket_that_is_open_already_says_so(rig: Rig) -> None:
    conversation = await _solved(rig)
    await _press(rig, conversation, "Bad")
    opener = await rig.agent("Opener")
    await rig.tickets.set_status(await rig.ticket_id(), TicketStatus.OPEN, opener)
    await _press(rig, conversation, "Yes, open it again")
    assert (await rig.ticket()).status == TicketStatus.OPEN
    assert (await _said(rig, conversation))[-1] == "Your ticket is open already."


async def test_the_button_of_a_ticket_that_was_closed_meanwhile_says_what_to_do(rig: Rig) -> None:
    conversation = await _solved(rig)
    await _press(rig, conversation, "Bad")
    closer = await rig.agent("Closer")
    await rig.tickets.set_status(await rig.ticket_id(), TicketStatus.CLOSED, closer)
    await _press(rig, conversation, "Yes, open it again")
    assert (await rig.ticket()).status == TicketStatus.CLOSED
    assert (await _said(rig, conversation))[-1].endswith("Write to us here instead.")


async def test_a_letter_has_a_link_for_each_score_and_looking_at_one_answers_nothing(
    rig: Rig,
) -> None:
    rig.accounts[LOOP] = Capabilities(letters=True)
    conversation = await _solved(rig)
    async with rig.sessions() as session:
        shown = await session.scalar(
            select(Message.choices).where(
                Message.choices != [], Message.conversation_id == conversation
            )
        )
    assert shown is not None
    assert [choice["link"].partition("?")[2] for choice in shown] == [
        f"score={score}" for score in range(1, 6)
    ]
    survey = await _survey(rig)
    assert (await answers(rig).view(token_of(survey))).score is None
    assert (await _survey(rig)).status == SurveyStatus.ASKED


async def test_an_answer_by_link_can_be_changed_until_the_survey_ends(rig: Rig) -> None:
    await _solved(rig)
    token = token_of(await _survey(rig))
    await answers(rig).answer(token, 4, "quick")
    await answers(rig).answer(token, 2, "  but wrong ")
    survey = await _survey(rig)
    assert (survey.score, survey.comment) == (2, "but wrong")
    rig.clock.advance(days=15)
    with pytest.raises(IllegalTransition):
        await answers(rig).answer(token, 5, "")


async def test_a_low_score_by_link_leads_to_an_offer_that_opens_the_ticket_again(rig: Rig) -> None:
    await _solved(rig)
    token = token_of(await _survey(rig))
    assert not (await answers(rig).view(token)).may_reopen
    with pytest.raises(IllegalTransition):
        await answers(rig).reopen(token)
    await answers(rig).answer(token, 4, "")
    assert not (await answers(rig).view(token)).may_reopen
    await answers(rig).answer(token, 1, "it is still broken")
    assert (await answers(rig).view(token)).may_reopen
    assert (await rig.ticket()).status == TicketStatus.SOLVED
    for _ in range(2):
        await answers(rig).reopen(token)
    assert (await rig.ticket()).status == TicketStatus.OPEN
    assert not (await answers(rig).view(token)).may_reopen
    said = await _said(rig, await rig.conversation_id())
    assert said[-1].endswith("is open again.")
    async with rig.sessions() as session:
        events = await session.scalars(
            select(TicketEvent.actor).where(TicketEvent.reason == "unsatisfied")
        )
        assert events.all() == ["requester"]


async def test_a_closed_ticket_or_an_old_survey_opens_nothing_again(rig: Rig) -> None:
    await _solved(rig)
    token = token_of(await _survey(rig))
    await answers(rig).answer(token, 1, "")
    await rig.tickets.set_status(
        await rig.ticket_id(), TicketStatus.CLOSED, await rig.agent("Closer")
    )
    assert not (await answers(rig).view(token)).may_reopen
    with pytest.raises(IllegalTransition):
        await answers(rig).reopen(token)
    await _solved(rig, "t2")
    other = token_of(await _survey(rig))
    await answers(rig).answer(other, 1, "")
    rig.clock.advance(days=15)
    with pytest.raises(IllegalTransition):
        await answers(rig).reopen(other)
    assert (await rig.ticket("t2")).status == TicketStatus.SOLVED
    for _ in range(2):
        with pytest.raises(NotFound):
            await answers(rig).reopen("forged")
    async with rig.sessions() as session:
        noted = await session.scalars(select(AuditEntry).order_by(AuditEntry.id))
        kept = [(one.action, one.actor, one.subject_name) for one in noted]
    number = (await rig.ticket()).number
    assert kept == [  # each once an hour
        ("survey.refused", "requester", f"#{number}"),
        ("survey.refused", "requester", audit.MADE_UP_LINK),
    ]


@pytest.mark.parametrize("token", ["", "x", "A" * 43, "é", "=" * 9])
async def test_a_forged_link_leads_nowhere(rig: Rig, token: str) -> None:
    with pytest.raises(NotFound):
        await answers(rig).view(token)


async def test_a_link_whose_survey_is_gone_leads_nowhere_and_is_audited_once(rig: Rig) -> None:
    name = new_id()
    token = LINKS.link(name).rpartition("/")[2]
    for _ in range(2):
        with pytest.raises(NotFound):
            await answers(rig).view(token)
        with pytest.raises(NotFound):
            await answers(rig).answer(token, 5, "")
        with pytest.raises(NotFound):
            await answers(rig).reopen(token)
    async with rig.sessions() as session:
        (entry,) = await session.scalars(select(AuditEntry))
    assert (entry.action, entry.subject_id) == ("survey.refused", str(name))
    assert entry.new == {"why": "there is no such survey"}


async def test_a_link_made_with_another_key_leads_nowhere(rig: Rig) -> None:
    await _solved(rig)
    forged = SurveyLinks(b"another key", "http://desk.test").link((await _survey(rig)).id)
    with pytest.raises(NotFound):
        await answers(rig).answer(forged.rpartition("/")[2], 1, "")


@pytest.mark.parametrize(("score", "comment"), [(0, ""), (6, ""), (3, "x" * 2001), (3, "\x00")])
async def test_what_is_no_answer_is_refused(rig: Rig, score: int, comment: str) -> None:
    await _solved(rig)
    with pytest.raises(InvalidInput):
        await answers(rig).answer(token_of(await _survey(rig)), score, comment)


async def test_there_is_one_reminder_and_then_an_end(rig: Rig) -> None:
    conversation = await _solved(rig)
    before = len(await _said(rig, conversation))
    rig.clock.advance(days=2, minutes=1)
    await _sweep(rig)
    await _sweep(rig)
    rig.clock.advance(days=5)
    await _sweep(rig)
    assert len(await _said(rig, conversation)) == before + 1
    rig.clock.advance(days=8)
    await _sweep(rig)
    assert (await _survey(rig)).status == SurveyStatus.EXPIRED


async def test_who_had_all_machine_made_letters_is_asked_once_they_may_have_another(
    rig: Rig,
) -> None:
    rig.enable(letters=True, answers_per_hour=1)  # which says that the ticket is solved
    conversation = await _solved(rig)
    rig.clock.advance(minutes=55)
    await _sweep(rig)
    assert (await _survey(rig)).status == SurveyStatus.WAITING
    rig.clock.advance(minutes=5)
    await _sweep(rig)
    assert (await _survey(rig)).status == SurveyStatus.ASKED
    assert (await _said(rig, conversation))[-1].startswith("How did we help you")


async def test_whose_letters_come_back_for_good_is_not_asked(rig: Rig) -> None:
    conversation = await rig.hear("my screen is broken")
    await rig.reply(conversation, Handoff(reason=HandoffReason.ASKED_FOR_HUMAN))
    async with rig.sessions.begin() as session:
        await session.execute(update(ContactAddress).values(bounce="hard"))
    await rig.tickets.set_status(await rig.ticket_id(), TicketStatus.SOLVED, await rig.agent())
    await _react(rig, conversation)
    async with rig.sessions() as session:
        assert (await session.scalars(select(Satisfaction))).all() == []


async def test_nobody_is_reminded_of_a_ticket_that_was_opened_again(rig: Rig) -> None:
    conversation = await _solved(rig)
    await rig.hear("it broke again")
    await _react(rig, conversation)
    assert (await _survey(rig)).status == SurveyStatus.DROPPED
    before = len(await _said(rig, conversation))
    rig.clock.advance(days=3)
    await _sweep(rig)
    assert len(await _said(rig, conversation)) == before


async def test_asking_can_wait_be_rare_or_be_off(rig: Rig) -> None:
    ana = await rig.agent("Rule")
    async with rig.sessions.begin() as session:
        await set_survey_rules(session, SurveyRules(delay=timedelta(hours=2)), ana)
    conversation = await _solved(rig)
    assert (await _survey(rig)).status == SurveyStatus.WAITING
    rig.clock.advance(hours=3)
    await _sweep(rig)
    assert (await _survey(rig)).status == SurveyStatus.ASKED
    assert "How did we help you" in (await _said(rig, conversation))[-1]
    async with rig.sessions.begin() as session:
        await set_survey_rules(session, SurveyRules(is_on=False), ana)
    first = (await _survey(rig)).id
    await _solved(rig, "t2")
    assert (await _survey(rig)).id == first


async def test_nobody_is_asked_while_the_assistant_goes_on_with_them(rig: Rig) -> None:
    conversation = await rig.hear("my screen is broken")
    await rig.reply(conversation, Handoff(reason=HandoffReason.ASKED_FOR_HUMAN))
    await rig.tickets.return_to_bot(await rig.ticket_id(), await rig.agent())
    await _react(rig, conversation)
    async with rig.sessions() as session:
        assert (await session.scalars(select(Satisfaction))).all() == []


async def test_a_ticket_that_is_solved_as_before_is_not_asked_about_again(rig: Rig) -> None:
    ana = await rig.agent()
    async with rig.sessions.begin() as session:
        await set_survey_rules(session, SurveyRules(quiet=timedelta()), ana)
    conversation = await _solved(rig)
    first = (await _survey(rig)).id
    other = await rig.hear("another screen", thread="t2")
    await rig.reply(other, Handoff(reason=HandoffReason.ASKED_FOR_HUMAN))
    ticket, kept = await rig.ticket_id(), await rig.ticket_id("t2")
    rig.clock.advance(days=15)
    await _sweep(rig)
    await _sweep(rig)
    assert (await _survey(rig)).status == SurveyStatus.EXPIRED  # else it would not be asked anyway
    merging = TicketMerging(rig.sessions, rig.accounts, rig.clock)
    await merging.merge(kept, ticket, ana)
    await merging.undo(ticket, ana)
    spam = SpamFolder(rig.sessions, rig.accounts, rig.clock)
    await spam.mark(ticket, ana, blocks=False)
    await spam.clear(ticket, ana)
    await _react(rig, conversation)
    assert (await rig.ticket()).status == TicketStatus.SOLVED
    assert (await _survey(rig)).id == first
