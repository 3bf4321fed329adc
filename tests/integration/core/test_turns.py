from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from core.domain.assistant import (
    Answer,
    Close,
    Handoff,
    HandoffReason,
    Offer,
    OfferedChoice,
    OpenTicket,
    Say,
    SetLanguage,
    TicketKind,
)
from core.domain.content import Body, Envelope, Intent
from core.domain.conversation import Responder
from core.domain.events import ChoicePressed
from core.domain.ids import ArticleId, ChoiceId, ConversationId, EventKey, new_id
from core.domain.ticket import Priority, TicketStatus
from core.ports import Refusal
from core.services.turns.plan import with_language
from core.storage.engine import Sessions
from core.storage.tables import (
    ArticleFeedback,
    ArticleRow,
    ChoiceRow,
    Conversation,
    Message,
    Ticket,
    Turn,
)
from tests.support.desk import LOOP, WEB, Rig, posted, reply_to


async def _press(rig: Rig, label: str, key: str = "1") -> Refusal | None:
    async with rig.sessions() as session:
        choice = (await session.scalars(select(ChoiceRow).where(ChoiceRow.label == label))).one()
    said = posted("")
    (acceptance,) = await rig.intake.accept(
        ChoicePressed(
            account=LOOP,
            key=EventKey(f"press:{key}"),
            thread=said.thread,
            author=said.author,
            at=said.at,
            choice=ChoiceId(choice.id),
        )
    )
    return acceptance.refusal


async def _article(rig: Rig, name: str) -> ArticleId:
    async with rig.sessions.begin() as session:
        session.add(
            ArticleRow(id=name, language="en", title=f"About {name}", body=f"How to {name}.")
        )
    return ArticleId(name)


async def _turns(rig: Rig) -> list[tuple[str, int]]:
    async with rig.sessions() as session:
        rows = await session.scalars(select(Turn).order_by(Turn.id))
        return [(turn.status, turn.attempts) for turn in rows]


async def test_quick_successions_are_one_turn(rig: Rig) -> None:
    await rig.hear("my printer")
    conversation = await rig.hear("is broken")
    plan = await rig.reply(conversation)

    assert plan.request.text == "my printer\nis broken"
    assert await rig.turns.plan(conversation) is None
    assert (await rig.texts())[-1] == ("bot", "You said: my printer\nis broken")


@pytest.mark.parametrize(
    ("subject", "text", "read"),
    [
        ("Printer", "It is broken", "Printer\nIt is broken"),
        ("The printer is broken", "", "The printer is broken"),
        ("printer", "The Printer is broken", "The Printer is broken"),
        (None, "It is broken", "It is broken"),
    ],
)
async def test_the_subject_of_the_letter_that_begins_belongs_to_it(
    rig: Rig, subject: str | None, text: str, read: str
) -> None:
    rig.enable(joins_turn=True)
    letter = replace(posted(text, key="1"), envelope=Envelope(subject=subject), subject=subject)
    await rig.intake.accept(letter)
    conversation = ConversationId((await rig.conversation()).id)
    plan = await rig.reply(conversation)
    assert (plan.request.text, plan.request.is_by_letter) == (read, True)

    again = replace(letter, key=EventKey("2"), body=Body(text="Still"))
    await rig.intake.accept(again)
    assert (await rig.reply(conversation)).request.text == "Still"


async def test_what_is_said_during_a_turn_is_the_next_turn(rig: Rig) -> None:
    conversation = await rig.hear("one")
    plan = await rig.turns.plan(conversation)
    await rig.hear("two")
    assert plan is not None
    assert await rig.turns.settle(plan, reply_to(plan))
    following = await rig.turns.plan(conversation)

    assert following is not None
    assert following.request.text == "two"


async def test_a_turn_left_by_a_dead_worker_is_run_again_as_the_same_turn(rig: Rig) -> None:
    conversation = await rig.hear("one")
    first = await rig.turns.plan(conversation)
    await rig.hear("two")
    again = await rig.turns.plan(conversation)

    assert first is not None
    assert again is not None
    assert (again.turn, again.request.text) == (first.turn, "one")
    assert not await rig.turns.settle(first, reply_to(first))  # it came back too late
    assert await rig.turns.settle(again, reply_to(again))
    assert [who for who, _ in await rig.texts()] == ["customer", "customer", "bot"]


async def test_a_reply_after_a_human_took_over_is_dropped(rig: Rig) -> None:
    conversation = await rig.hear("hello")
    plan = await rig.turns.plan(conversation)
    assert plan is not None
    await rig.tickets.take_over(conversation, await rig.agent())

    assert not await rig.turns.settle(plan, reply_to(plan))
    assert await rig.texts() == [("customer", "hello")]
    assert await _turns(rig) == [("dropped", 1)]


async def test_an_article_is_shown_with_its_link_and_asked_about(rig: Rig) -> None:
    vpn = await _article(rig, "vpn")
    conversation = await rig.hear("vpn?")
    await rig.reply(conversation, Answer(article=vpn, score=0.9))

    said = (await rig.messages())[-1]
    assert said.text.startswith("**About vpn**\n\nHow to vpn.")
    assert "http://desk.test/help/vpn" in said.text
    assert [choice["label"] for choice in said.choices] == ["Yes", "No"]


async def test_a_pressed_button_is_the_requesters_word_and_an_intent_of_its_own_turn(
    rig: Rig,
) -> None:
    vpn = await _article(rig, "vpn")
    conversation = await rig.hear("vpn?")
    await rig.reply(conversation, Answer(article=vpn))
    await rig.hear("well")
    assert await _press(rig, "Yes") is None
    await rig.hear("thanks")

    before = await rig.reply(conversation)
    pressed = await rig.reply(conversation)
    after = await rig.reply(conversation)
    assert (before.request.text, before.request.intent) == ("well", None)
    assert pressed.request.intent == Intent(name="helped", entities={"article_id": "vpn"})
    assert after.request.text == "thanks"


@pytest.mark.parametrize(("label", "helped"), [("Yes", True), ("No", False)])
async def test_whether_an_article_helped_is_kept_with_the_choice_whoever_answers_next(
    rig: Rig, label: str, helped: bool
) -> None:
    vpn = await _article(rig, "vpn")
    conversation = await rig.hear("vpn?")
    await rig.reply(conversation, Answer(article=vpn))
    await rig.tickets.take_over(conversation, await rig.agent())
    assert await _press(rig, label) is None
    assert await _press(rig, label, "2") is Refusal.ALREADY_CHOSEN
    async with rig.sessions() as session:
        (feedback,) = (await session.scalars(select(ArticleFeedback))).all()
    assert (feedback.article_id, feedback.conversation_id, feedback.helped) == (
        "vpn",
        conversation,
        helped,
    )


async def test_only_one_button_of_a_message_can_be_pressed(rig: Rig) -> None:
    conversation = await rig.hear("hi")
    await rig.reply(
        conversation,
        Say(
            text="A human?",
            choices=(
                OfferedChoice(label="Yes", intent=Intent(name="affirm")),
                OfferedChoice(label="No", intent=Intent(name="deny")),
            ),
        ),
    )
    assert await _press(rig, "Yes", "1") is None
    assert await _press(rig, "No", "2") is Refusal.ALREADY_CHOSEN
    assert await _press(rig, "Yes", "1") is None  # a redelivery says what it said at first


async def test_an_offer_joins_the_sentence_before_it(rig: Rig) -> None:
    articles = (await _article(rig, "a"), await _article(rig, "b"), ArticleId("gone"))
    conversation = await rig.hear("?")
    await rig.reply(conversation, Say(text="One of these?"), Offer(articles=articles))

    *_, said = await rig.messages()
    assert said.text == "One of these?"
    assert [choice["label"] for choice in said.choices] == ["About a", "About b", "None of these"]


async def test_a_hand_off_opens_a_ticket_tells_its_number_and_silences_the_assistant(
    rig: Rig,
) -> None:
    conversation = await rig.hear("I want a human, my screen is black")
    await rig.reply(
        conversation,
        Say(text="Of course."),
        Handoff(reason=HandoffReason.ASKED_FOR_HUMAN, priority=Priority.HIGH, summary="screen"),
    )
    ticket = await rig.ticket()

    assert (ticket.status, ticket.priority, ticket.reason) == ("new", "high", "asked_for_human")
    assert (ticket.confidence, ticket.language, ticket.summary) == (0.9, "en", "screen")
    assert ticket.subject == "I want a human, my screen is black"
    texts = await rig.texts()
    assert texts[1] == ("bot", "Of course.")
    assert texts[2][0] == "system"
    assert f"#{ticket.number}" in texts[2][1]
    await rig.hear("hello?")
    assert await rig.turns.plan(conversation) is None


async def test_a_filed_form_becomes_a_ticket_with_what_it_collected(rig: Rig) -> None:
    conversation = await rig.hear("new laptop please")
    await rig.reply(
        conversation,
        OpenTicket(
            kind=TicketKind.REQUEST,
            subject="New laptop",
            description="Mine is broken",
            urgency=Priority.URGENT,
            since="Monday",
        ),
    )
    ticket = await rig.ticket()
    assert (ticket.kind, ticket.subject, ticket.priority) == ("request", "New laptop", "urgent")
    assert "Mine is broken" in ticket.summary
    assert "Monday" in ticket.summary


async def test_what_a_link_carried_begins_the_subject_of_its_ticket(rig: Rig) -> None:
    await rig.intake.accept(replace(posted("/start printer-3"), subject="printer-3"))
    conversation = await rig.hear("The paper is stuck")
    await rig.reply(conversation)
    await rig.hear("a person, please")
    await rig.reply(conversation, Handoff(reason=HandoffReason.ASKED_FOR_HUMAN))
    assert (await rig.ticket()).subject.startswith("printer-3: ")


async def test_a_chosen_language_is_kept_whatever_the_words_say(rig: Rig) -> None:
    conversation = await rig.hear("en español por favor")
    await rig.reply(conversation, SetLanguage(language="es"), Say(text="¡Claro!"))
    await rig.hear("reset my password")
    plan = await rig.turns.plan(conversation)

    assert plan is not None
    assert with_language(plan, "en").request.language == "es"


async def test_the_language_of_the_words_is_remembered_where_none_was_chosen(rig: Rig) -> None:
    conversation = await rig.hear("no puedo entrar")
    plan = await rig.turns.plan(conversation)
    assert plan is not None
    plan = with_language(plan, "es")
    await rig.turns.settle(plan, reply_to(plan))
    assert (await rig.conversation()).language == "es"


async def test_a_turn_that_is_begun_again_and_again_goes_to_a_human(rig: Rig) -> None:
    conversation = await rig.hear("hello")
    plans = [await rig.turns.plan(conversation) for _ in range(11)]

    assert [plan is not None for plan in plans] == [True] * 10 + [False]
    assert (await rig.conversation()).responder == Responder.QUEUED
    assert (await _turns(rig)) == [("failed", 10)]


async def test_a_turn_put_back_waits_and_counts_only_real_attempts(rig: Rig) -> None:
    conversation = await rig.hear("hi")
    plan = await rig.turns.plan(conversation)
    assert plan is not None
    await rig.turns.put_back(plan, "loading", counts=False)
    assert await rig.turns.plan(conversation) is None
    rig.clock.advance(seconds=2)
    again = await rig.turns.plan(conversation)
    assert again is not None
    assert again.attempt == 1


async def test_an_assistant_that_does_not_answer_leads_to_a_human_and_a_notice(rig: Rig) -> None:
    conversation = await rig.hear("hi")
    plan = await rig.turns.plan(conversation)
    assert plan is not None
    assert await rig.turns.overdue() == []
    rig.clock.advance(seconds=25)
    assert await rig.turns.overdue() == [conversation]
    assert await rig.turns.give_up(conversation, "away")
    assert not await rig.turns.give_up(conversation, "away")
    assert not await rig.turns.settle(plan, reply_to(plan))

    ticket = await rig.ticket()
    assert ticket.reason == "assistant_unavailable"
    assert f"#{ticket.number}" in (await rig.texts())[-1][1]


async def test_what_no_assistant_read_has_the_language_of_its_words_where_that_is_clear(
    rig: Rig,
) -> None:
    spanish = await rig.hear("Quiero hablar con una persona")
    chosen = await rig.hear("Quiero hablar con una persona", thread="t2")
    named = await rig.hear("Visio 2021", thread="t3")
    async with rig.sessions.begin() as session:
        (await session.get_one(Conversation, chosen)).language_is_chosen = True
    rig.clock.advance(seconds=25)
    for conversation in (spanish, chosen, named):
        assert await rig.turns.give_up(conversation, "away")
    async with rig.sessions() as session:
        rows = await session.execute(select(Ticket.conversation_id, Ticket.language))
        languages = {conversation: language for conversation, language in rows}  # noqa: C416
        said = await session.scalars(
            select(Message.text).where(
                Message.conversation_id == spanish, Message.speaker == "system"
            )
        )
        notice = said.one()
    assert languages == {spanish: "es", chosen: "en", named: "en"}
    assert "ticket" in notice
    assert "Our assistant" not in notice


async def test_a_loop_ends_at_the_turn_cap_with_a_human(sessions: Sessions, tmp_path: Path) -> None:
    rig = Rig(sessions, tmp_path, turn_cap=3)
    for number in range(3):
        conversation = await rig.hear(f"ping {number}")
        await rig.reply(conversation)
    await rig.hear("ping again")

    assert await rig.turns.plan(conversation) is None
    assert (await rig.ticket()).reason == "loop"


async def test_goodbye_closes_the_conversation(rig: Rig) -> None:
    conversation = await rig.hear("bye")
    await rig.reply(conversation, Say(text="Bye!"), Close(reason="goodbye"))
    assert (await rig.conversation()).responder == Responder.CLOSED


async def test_a_second_ticket_of_a_thread_names_the_closed_one_it_follows(rig: Rig) -> None:
    agent = await rig.agent()
    conversation = await rig.hear("one")
    await rig.reply(conversation, Handoff(reason=HandoffReason.ASKED_FOR_HUMAN))
    first = await rig.ticket_id()
    await rig.tickets.set_status(first, TicketStatus.CLOSED, agent)
    await rig.hear("two")
    await rig.reply(conversation, Handoff(reason=HandoffReason.ASKED_FOR_HUMAN))

    second = await rig.ticket()
    assert second.id != first
    assert second.follows_id == first


async def test_the_assistant_learns_the_requesters_tickets(rig: Rig) -> None:
    conversation = await rig.hear("one")
    await rig.reply(conversation, Handoff(reason=HandoffReason.ASKED_FOR_HUMAN))
    ticket = await rig.ticket()
    await rig.tickets.return_to_bot(await rig.ticket_id(), await rig.agent())
    await rig.hear("status?")
    plan = await rig.turns.plan(conversation)
    assert plan is not None
    assert [brief.number for brief in plan.request.tickets] == [ticket.number]


@pytest.mark.parametrize("missing", [ArticleId("gone")])
async def test_an_answer_whose_article_is_gone_hands_over(rig: Rig, missing: ArticleId) -> None:
    conversation = await rig.hear("vpn?")
    await rig.reply(conversation, Answer(article=missing))
    assert (await rig.ticket()).reason == "knowledge_unavailable"


async def test_every_message_wakes_the_thread_of_a_pulling_channel(rig: Rig) -> None:
    conversation = await rig.hear("hi", account=WEB)
    await rig.reply(conversation)
    *_, said = await rig.messages()
    assert said.delivery == "sent"
    assert said.created_at - said.at < timedelta(seconds=5)
    assert new_id() > said.id


async def test_after_a_hand_back_and_a_goodbye_the_next_question_is_the_assistants(
    rig: Rig,
) -> None:
    conversation = await rig.hear("human please")
    await rig.reply(conversation, Handoff(reason=HandoffReason.ASKED_FOR_HUMAN))
    await rig.tickets.return_to_bot(await rig.ticket_id(), await rig.agent())
    rig.clock.advance(seconds=5)
    await rig.hear("thanks, bye")
    await rig.reply(conversation, Say(text="Bye!"), Close(reason="goodbye"))
    rig.clock.advance(seconds=5)
    await rig.hear("and the VPN?")

    assert await rig.turns.plan(conversation) is not None
    assert (await rig.ticket()).status == TicketStatus.SOLVED


async def test_a_ticket_says_once_what_its_conversation_is_about(rig: Rig) -> None:
    await rig.intake.accept(replace(posted("printer-3 is out of paper"), subject="printer-3"))
    await rig.reply(await rig.conversation_id(), Handoff(reason=HandoffReason.PROBLEM_REPORTED))
    assert (await rig.ticket()).subject == "printer-3 is out of paper"
