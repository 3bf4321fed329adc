"""Where the rules want it, requesters are asked how the assistant did that helped them alone."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from core.domain.assistant import Answer, Close, Handoff, HandoffReason, Say
from core.domain.conversation import Responder, Speaker
from core.domain.errors import IllegalTransition
from core.domain.events import ChoicePressed
from core.domain.figures import Dimension, Period
from core.domain.ids import ArticleId, ChoiceId, ConversationId, EventKey, ThreadKey, new_id
from core.domain.satisfaction import SurveyRules, SurveyStatus
from core.domain.ticket import TicketStatus
from core.services.figures.counting import Counting, report
from core.services.reactions import Reactions
from core.services.satisfaction.answering import SurveyAnswers
from core.services.satisfaction.asking import SurveysOfTickets, SurveySweep
from core.services.satisfaction.links import SurveyLinks
from core.services.satisfaction.of_assistant import SurveysOfAssistant
from core.services.satisfaction.rules import set_survey_rules
from core.services.sla.rules import PromiseBook
from core.storage.queries.satisfaction import AnswerFilter, answers
from core.storage.tables import ArticleRow, ChoiceRow, Message, Satisfaction
from tests.support.desk import LOOP, Rig, posted

LINKS = SurveyLinks(b"a key", "http://desk.test")
ASKED = "How did the assistant help you?"


@pytest.fixture
async def asking(rig: Rig) -> Rig:
    """A desk that asks about the assistant."""
    lead = await rig.agent("Lea")
    async with rig.sessions.begin() as session:
        await set_survey_rules(session, SurveyRules(asks_of_assistant=True), lead)
    return rig


async def _answered(rig: Rig) -> ConversationId:
    async with rig.sessions.begin() as session:
        session.add(ArticleRow(id="print", language="en", title="Printing", body="Press print."))
    conversation = await rig.hear("how do I print?")
    await rig.reply(conversation, Answer(article=ArticleId("print")))
    return conversation


async def _press(rig: Rig, conversation: ConversationId, intent: str, **entities: str) -> None:
    async with rig.sessions() as session:
        rows = await session.scalars(
            select(ChoiceRow)
            .where(ChoiceRow.conversation_id == conversation, ChoiceRow.intent == intent)
            .order_by(ChoiceRow.id.desc())
        )
        choice = next(one for one in rows if entities.items() <= one.entities.items())
    await rig.intake.accept(
        ChoicePressed(
            account=LOOP,
            key=EventKey(f"press-{new_id()}"),
            thread=ThreadKey("t1"),
            author=posted("x").author,
            at=rig.clock(),
            choice=ChoiceId(choice.id),
        )
    )


async def _helped(rig: Rig) -> ConversationId:
    conversation = await _answered(rig)
    await _press(rig, conversation, "helped")
    await rig.reply(conversation, Say(text="Good. Anything else?"))
    return conversation


async def _sweep(rig: Rig, **later: float) -> None:
    rig.clock.advance(**later)
    await SurveysOfAssistant(rig.sessions, rig.accounts, LINKS, rig.clock).do_due()


async def _last(rig: Rig, conversation: ConversationId) -> str:
    async with rig.sessions() as session:
        return (
            await session.scalars(
                select(Message.text)
                .where(Message.conversation_id == conversation, Message.speaker == Speaker.SYSTEM)
                .order_by(Message.seq.desc())
                .limit(1)
            )
        ).first() or ""


async def _survey(rig: Rig) -> Satisfaction | None:
    async with rig.sessions() as session:
        return (await session.scalars(select(Satisfaction))).one_or_none()


async def test_whoever_was_helped_is_asked_when_all_has_been_silent(asking: Rig) -> None:
    conversation = await _helped(asking)
    await _sweep(asking)
    assert await _last(asking, conversation) == ""
    await _sweep(asking, minutes=4)
    assert (await _last(asking, conversation)).startswith(ASKED)
    await _press(asking, conversation, "desk.rate", score="5")
    survey = await _survey(asking)
    assert survey is not None
    assert (survey.score, survey.conversation_id, survey.ticket_id) == (5, conversation, None)
    assert await asking.turns.plan(conversation) is None
    assert await _last(asking, conversation) == "Thank you for telling us."


async def test_after_a_goodbye_nobody_waits(asking: Rig) -> None:
    conversation = await _answered(asking)
    await asking.hear("thanks, bye")
    await asking.reply(conversation, Say(text="Bye!"), Close(reason="goodbye"))
    await _sweep(asking)
    assert (await _last(asking, conversation)).startswith(ASKED)


async def test_a_goodbye_ends_the_wait_for_silence_since_an_article_helped(asking: Rig) -> None:
    conversation = await _helped(asking)
    await _sweep(asking)  # puts it off until nothing has been said for minutes
    await asking.hear("thanks, bye")
    await asking.reply(conversation, Say(text="Bye!"), Close(reason="goodbye"))
    await _sweep(asking)
    assert (await _last(asking, conversation)).startswith(ASKED)


async def test_nobody_is_asked_unless_the_rules_want_it(rig: Rig) -> None:
    await _helped(rig)
    assert await _survey(rig) is None


async def test_who_was_handed_over_after_all_is_not_asked(asking: Rig) -> None:
    conversation = await _helped(asking)
    await asking.hear("no, a person please")
    await asking.reply(conversation, Handoff(reason=HandoffReason.ASKED_FOR_HUMAN))
    await _sweep(asking, minutes=4)
    survey = await _survey(asking)
    assert survey is not None
    assert survey.status == SurveyStatus.DROPPED


async def test_a_goodbye_without_an_answer_is_nothing_to_ask_about(asking: Rig) -> None:
    conversation = await asking.hear("hi")
    await asking.reply(conversation, Say(text="Bye!"), Close(reason="goodbye"))
    await _sweep(asking)
    assert await _last(asking, conversation) == ""


async def test_a_low_score_offers_a_person(asking: Rig) -> None:
    conversation = await _helped(asking)
    await _sweep(asking, minutes=4)
    await _press(asking, conversation, "desk.rate", score="1")
    assert "Shall a person look at it?" in await _last(asking, conversation)
    await _press(asking, conversation, "ask_human")
    plan = await asking.turns.plan(conversation)
    assert plan is not None
    assert (await asking.conversation()).responder == Responder.BOT


async def test_it_is_answered_on_a_page_too_and_ends(asking: Rig) -> None:
    await _helped(asking)
    await _sweep(asking, minutes=4)
    survey = await _survey(asking)
    assert survey is not None
    token = LINKS.link(survey.id).rpartition("/")[2]
    page = SurveyAnswers(asking.sessions, asking.accounts, LINKS, asking.clock)
    await page.answer(token, 4, "quick")
    view = await page.view(token)
    assert (view.number, view.score, view.may_reopen) == (None, 4, False)
    asking.clock.advance(days=15)
    assert (await page.view(token)).is_over


async def test_one_that_is_not_answered_expires_without_a_reminder(asking: Rig) -> None:
    conversation = await _helped(asking)
    await _sweep(asking, minutes=4)
    await _sweep(asking, days=3)
    await _sweep(asking, days=15)
    survey = await _survey(asking)
    assert survey is not None
    assert survey.status == SurveyStatus.EXPIRED
    async with asking.sessions() as session:
        said = await session.scalars(
            select(Message).where(
                Message.conversation_id == conversation, Message.speaker == Speaker.SYSTEM
            )
        )
        assert len(said.all()) == 1


async def test_it_counts_for_the_assistant_and_not_for_tickets(asking: Rig) -> None:
    conversation = await _helped(asking)
    await _sweep(asking, minutes=4)
    await _press(asking, conversation, "desk.rate", score="4")
    await Counting(asking.sessions, PromiseBook(), asking.clock).count_all()
    today = asking.clock().date()
    async with asking.sessions() as session:
        found = await report(
            session,
            Period(first=today - timedelta(days=1), last=today + timedelta(days=1)),
            Dimension.CHANNEL,
        )
        listed = await answers(session, AnswerFilter(of_assistant=True))
        assert await answers(session, AnswerFilter(of_assistant=False)) == []
    assert (found.total.assistant_score, found.total.score) == (4, None)
    (answer,) = listed
    assert (answer.conversation, answer.ticket, answer.score) == (conversation, None, 4)


async def _rules(rig: Rig, rules: SurveyRules) -> None:
    async with rig.sessions.begin() as session:
        await set_survey_rules(session, rules, await rig.agent("Rule"))


async def _statuses(rig: Rig) -> list[tuple[bool, str]]:
    """Return of each survey whether it is about the assistant, and its status."""
    async with rig.sessions() as session:
        rows = (await session.scalars(select(Satisfaction).order_by(Satisfaction.id))).all()
    return [(one.conversation_id is not None, one.status) for one in rows]


async def test_a_question_about_a_ticket_goes_before_a_planned_one_about_the_assistant(
    asking: Rig,
) -> None:
    await _rules(asking, SurveyRules(asks_of_assistant=True, delay=timedelta(days=1)))
    conversation = await _helped(asking)
    await asking.hear("no, a person please")
    await asking.reply(conversation, Handoff(reason=HandoffReason.ASKED_FOR_HUMAN))
    await asking.tickets.set_status(
        await asking.ticket_id(), TicketStatus.SOLVED, await asking.agent("Ana")
    )
    reactors = [SurveysOfTickets(LINKS)]
    await Reactions(asking.sessions, asking.accounts, reactors, asking.clock).advance(conversation)
    assert await _statuses(asking) == [(True, "waiting"), (False, "waiting")]
    await _sweep(asking, days=1, minutes=1)
    await SurveySweep(asking.sessions, asking.accounts, LINKS, asking.clock).do_due()
    assert await _statuses(asking) == [(True, "dropped"), (False, "asked")]
    assert "with ticket" in await _last(asking, conversation)


@pytest.mark.parametrize(
    "rules", [SurveyRules(is_on=False, asks_of_assistant=True), SurveyRules()], ids=["off", "part"]
)
async def test_what_was_planned_is_not_asked_once_the_rules_do_not_want_it(
    asking: Rig, rules: SurveyRules
) -> None:
    await _helped(asking)
    await _rules(asking, rules)
    await _sweep(asking, minutes=4)
    assert await _statuses(asking) == [(True, "dropped")]


async def test_an_answer_that_is_changed_a_week_later_counts_once(asking: Rig) -> None:
    await _helped(asking)
    await _sweep(asking, minutes=4)
    survey = await _survey(asking)
    assert survey is not None
    token = LINKS.link(survey.id).rpartition("/")[2]
    page = SurveyAnswers(asking.sessions, asking.accounts, LINKS, asking.clock)
    counting = Counting(asking.sessions, PromiseBook(), asking.clock)
    first = asking.clock().date()
    await page.answer(token, 5, "")
    await counting.count_all()
    asking.clock.advance(days=6)
    await page.answer(token, 1, "")
    await counting.count_all()
    period = Period(first=first - timedelta(days=1), last=first + timedelta(days=8))
    async with asking.sessions() as session:
        found = await report(session, period, Dimension.CHANNEL)
    assert found.total.assistant_scores == {1: 1}


async def test_a_survey_about_the_assistant_opens_no_ticket(asking: Rig) -> None:
    await _helped(asking)
    await _sweep(asking, minutes=4)
    survey = await _survey(asking)
    assert survey is not None
    token = LINKS.link(survey.id).rpartition("/")[2]
    page = SurveyAnswers(asking.sessions, asking.accounts, LINKS, asking.clock)
    await page.answer(token, 1, "")
    with pytest.raises(IllegalTransition):
        await page.reopen(token)
