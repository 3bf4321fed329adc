"""The assistant's room: turns, topics, examples and versions, and who may do what there."""

from __future__ import annotations

import pytest
from sqlalchemy import select, text, update

from core.domain.actor import Role
from core.domain.assistant import Answer, Feedback, LookUp, Say, Understanding
from core.domain.ids import ArticleId, new_id
from core.domain.knowledge import Article, Finding, Hit, Outcome
from core.domain.models import Example, ExampleState, Training, TrainingState
from core.domain.topics import TopicKind
from core.services.learning.examples import ExampleBook
from core.services.learning.versions import ModelVersions
from core.storage.tables import (
    Topic,
    TopicItem,
    TrainingExample,
)
from tests.integration.console.browser import signed_in
from tests.integration.console.learning import (
    give_to_another_team,
    knows_intents,
    missed,
    topic_of,
    turn,
)
from tests.integration.console.world import Desk

VPN = ArticleId("vpn")
ROOM = "/console/assistant"


async def test_the_turn_log_shows_what_was_understood_and_what_came_of_it(desk: Desk) -> None:
    await desk.knowledge.create(
        Article(id=VPN, language="en", title="Connect the <VPN>", body="Open it.")
    )
    conversation = await desk.says("how do I get <b>vpn</b>")
    hit = Hit(article=VPN, title="Connect the <VPN>", score=0.61)
    finding = Finding(outcome=Outcome.ANSWER, hits=(hit,))
    told = Understanding(look_ups=(LookUp(question="how do I get vpn", finding=finding),))
    await turn(desk, conversation, told, Answer(article=VPN, score=0.61))
    await desk.says("no")
    await turn(desk, conversation, Understanding(feedback=Feedback.NOT_HELPED), Say(text="Oh."))
    lead = await signed_in(desk, role=Role.LEAD)
    shown = await lead.see(ROOM)
    assert "how do I get &lt;b&gt;vpn&lt;/b&gt;" in shown
    assert "Connect the &lt;VPN&gt;" in shown
    assert "61 %" in shown
    assert "Did not help" in shown
    assert "Nothing was found." in await lead.see(f"{ROOM}?upshot=helped")
    assert "Nothing was found." in await lead.see(f"{ROOM}?language=es&deed=talked&days=1")
    assert "how do I get" in await lead.see(f"{ROOM}?missed=1&q=vpn&upshot=nonsense")
    await lead.see(f"{ROOM}?before=nonsense", 422)


async def test_the_turn_log_goes_on_on_the_next_page(desk: Desk) -> None:
    for place in range(51):
        await missed(desk, f"question number {place} please", f"t{place}")
    lead = await signed_in(desk, role=Role.LEAD)
    shown = await lead.see(ROOM)
    assert shown.count('<li id="turn-') == 50
    older = shown.partition('class="button" href="?')[2].partition('"')[0].replace("&amp;", "&")
    assert (await lead.see(f"{ROOM}?{older}")).count('<li id="turn-') == 1


@pytest.mark.parametrize("path", ["", "/topics", "/examples", "/versions"])
async def test_agents_do_not_see_the_room_and_auditors_change_nothing(
    desk: Desk, path: str
) -> None:
    agent = await signed_in(desk, role=Role.AGENT)
    await agent.see(f"{ROOM}{path}", 403)
    auditor = await signed_in(desk, "Bo", Role.AUDITOR)
    shown = await auditor.see(f"{ROOM}{path}")
    assert 'class="button primary"' not in shown


async def _is_of_one_commit(desk: Desk, *tables: str) -> None:
    """Check that one transaction wrote the only row of each table last."""
    async with desk.sessions() as session:
        writers = [await session.scalar(text(f"SELECT xmin::text FROM {t}")) for t in tables]
    assert None not in writers
    assert len(set(writers)) == 1


async def test_from_a_topic_an_article_is_begun_with_its_questions(desk: Desk) -> None:
    topic = await topic_of(desk, "parrot in the office?", "may my parrot come?")
    admin = await signed_in(desk, role=Role.ADMIN)
    assert "may my parrot come?" in await admin.see(f"{ROOM}/topics")
    await admin.see(f"{ROOM}/topics/{topic}")
    form = await admin.see(f"{ROOM}/topics/{topic}/article")
    assert f'name="topic" value="{topic}"' in form
    assert "parrot in the office?" in form
    filled = {
        **dict.fromkeys(("tags", "translation_of", "valid_from", "valid_until", "id"), ""),
        "title": "Animals",
        "body": "None, please.",
        "language": "en",
        "questions": "may my parrot come?",
        "audience": "public",
        "topic": str(topic),
    }
    answer = await admin.send("/console/knowledge/new", form=filled)
    assert answer.status_code == 303, answer.text
    await _is_of_one_commit(desk, "article", "topic")
    assert "There is no topic" in await admin.see(f"{ROOM}/topics")
    assert "Animals" in await admin.see(f"{ROOM}/topics?settled=1")
    await admin.send(f"{ROOM}/topics/{topic}/reopen")
    assert "parrot" in await admin.see(f"{ROOM}/topics")


async def test_from_a_topic_an_article_gets_another_question(desk: Desk) -> None:
    topic = await topic_of(desk, "parrot in the office?", "may my parrot come?")
    await desk.knowledge.create(Article(id=ArticleId("pets"), language="en", title="Pets", body=""))
    lead = await signed_in(desk, "Leo", Role.LEAD)
    await lead.see(f"{ROOM}/topics/{topic}")
    refused = await lead.send(f"{ROOM}/topics/{topic}/question", article="pets", question="Q?")
    assert refused.status_code == 403
    admin = await signed_in(desk, role=Role.ADMIN)
    await admin.see(f"{ROOM}/topics/{topic}")
    answer = await admin.send(
        f"{ROOM}/topics/{topic}/question", article="pets", question="may my parrot come?"
    )
    assert answer.status_code == 303
    assert (await desk.knowledge.get(ArticleId("pets"))).questions == ("may my parrot come?",)
    again = await admin.send(
        f"{ROOM}/topics/{topic}/question", article="pets", question="may my parrot come?"
    )
    assert again.status_code == 422
    assert "has this question already" in again.text
    gone = await admin.send(f"{ROOM}/topics/{topic}/question", article="no", question="x")
    assert gone.status_code == 422


async def test_leads_propose_examples_and_admins_approve_them(desk: Desk) -> None:
    topic = await topic_of(desk, "ta for the parrot", "thank you parrot")
    await knows_intents(desk)
    lead = await signed_in(desk, "Leo", Role.LEAD)
    assert "thanks" in await lead.see(f"{ROOM}/topics/{topic}")
    proposal = {"text": " ta for the  parrot ", "intent": "thanks", "language": "en"}
    await lead.send(f"{ROOM}/examples", form={**proposal, "topic": str(topic)})
    await _is_of_one_commit(desk, "training_example", "topic")
    assert "There is no topic" in await lead.see(f"{ROOM}/topics")
    async with desk.sessions() as session:
        row = (await session.scalars(select(TrainingExample))).one()
    assert (row.text, row.state) == ("ta for the parrot", "pending")
    twice = await lead.send(f"{ROOM}/examples", form=proposal)
    assert twice.status_code == 422
    assert "example of these words already" in twice.text
    unknown = await lead.send(f"{ROOM}/examples", form={**proposal, "text": "x", "intent": "no"})
    assert unknown.status_code == 422
    assert (await lead.send(f"{ROOM}/examples/{row.id}/approve")).status_code == 403
    admin = await signed_in(desk, role=Role.ADMIN)
    await admin.see(f"{ROOM}/examples")
    await admin.send(f"{ROOM}/examples/{row.id}/intent", intent="ask_question")
    await admin.send(f"{ROOM}/examples/{row.id}/approve")
    shown = await admin.see(f"{ROOM}/examples?state=approved&intent=ask_question&q=parrot")
    assert "ta for the parrot" in shown
    await admin.send(f"{ROOM}/examples/{row.id}/reject")
    assert "ta for the parrot" in await admin.see(f"{ROOM}/examples?state=rejected")
    await admin.send(f"{ROOM}/examples/{row.id}/delete")
    assert (await admin.send(f"{ROOM}/examples/{new_id()}/delete")).status_code == 404


async def test_a_version_is_asked_for_judged_shown_and_gone_back_from(desk: Desk) -> None:
    await knows_intents(desk)
    admin = await signed_in(desk, role=Role.ADMIN)
    ana = await desk.agent("eve@example.org", "Eve", Role.ADMIN)
    await admin.see(f"{ROOM}/versions")
    nothing = await admin.send(f"{ROOM}/versions", goes_live="yes")
    assert nothing.status_code == 422
    book, versions = ExampleBook(desk.sessions), ModelVersions(desk.sessions)
    example = await book.propose(Example(text="ta", intent="thanks", language="en"), ana)
    await book.review(example, ExampleState.APPROVED, ana)
    assert "1 approved examples" in await admin.see(f"{ROOM}/versions")
    assert (await admin.send(f"{ROOM}/versions", goes_live="yes")).status_code == 303
    assert "Waits for the assistant" in await admin.see(f"{ROOM}/versions/state")
    order = await versions.due()
    assert order is not None
    worse = {
        "text": "bye <now>",
        "language": "en",
        "meant": "goodbye",
        "old": "goodbye",
        "new": "thanks",
        "taught": False,
    }
    figures = {"messages": 100, "old": 97, "new": 95}
    report = {
        "passed": False,
        "reasons": ["language:en", "alarm_missed"],
        "languages": {"en": figures},
        "taught": {"messages": 0, "old": 0, "new": 0},
        "better": [],
        "worse": [worse],
        "training_seconds": 61.0,
        "comparing_seconds": 9.0,
    }
    done = Training(state=TrainingState.DONE, passed=False, report=report)
    await versions.note_training(order.number, done)
    shown = await admin.see(f"{ROOM}/versions/{order.number}")
    assert "bye &lt;now&gt;" in shown
    assert "more than one message in a hundred less in English" in shown
    assert "Did not pass" in await admin.see(f"{ROOM}/versions")
    assert (await admin.send(f"{ROOM}/versions/{order.number}/use")).status_code == 303
    assert "the assistant is being brought to it" in await admin.see(f"{ROOM}/versions")
    again = await admin.send(f"{ROOM}/versions/{order.number}/use")
    assert again.status_code == 422
    assert "in another state" in again.text
    assert (await admin.send(f"{ROOM}/versions/0/use")).status_code == 303
    assert "Go back to it" in await admin.see(f"{ROOM}/versions")
    await admin.see(f"{ROOM}/versions/99", 404)


async def test_recurring_topics_stand_on_the_page_of_figures(desk: Desk) -> None:
    topic = await topic_of(desk, "the printer is broken", "printer broken")
    async with desk.sessions.begin() as session:
        await session.execute(update(TopicItem).values(kind=TopicKind.TICKET))
        await session.execute(update(Topic).values(kind=TopicKind.TICKET))
    lead = await signed_in(desk, role=Role.LEAD)
    shown = await lead.see("/console/reports")
    assert "Recurring topics" in shown
    assert f"{ROOM}/topics/{topic}/problem" in shown
    made = await lead.send(f"{ROOM}/topics/{topic}/problem")
    assert made.status_code == 303
    assert "/console/tickets/" in made.headers["location"]
    await lead.see(made.headers["location"])


async def test_what_belongs_to_another_team_is_neither_seen_nor_decided_about(desk: Desk) -> None:
    topic = await topic_of(desk, "parrot in the office?", "may my parrot come?")
    lead = await signed_in(desk, "Leo", Role.LEAD)
    await lead.see(f"{ROOM}/topics/{topic}")
    await give_to_another_team(desk)
    await lead.see(f"{ROOM}/topics/{topic}", 404)
    for act in ("dismiss", "reopen", "problem"):
        assert (await lead.send(f"{ROOM}/topics/{topic}/{act}")).status_code == 404
    assert "parrot" not in await lead.see(f"{ROOM}/topics")
    assert (await lead.see(ROOM)).count('<li id="turn-') == 1


async def test_a_version_under_way_is_given_up(desk: Desk) -> None:
    await knows_intents(desk)
    admin = await signed_in(desk, role=Role.ADMIN)
    eve = await desk.agent("eve@example.org", "Eve", Role.ADMIN)
    book = ExampleBook(desk.sessions)
    example = await book.propose(Example(text="ta", intent="thanks", language="en"), eve)
    await book.review(example, ExampleState.APPROVED, eve)
    await admin.see(f"{ROOM}/versions")
    await admin.send(f"{ROOM}/versions", goes_live="yes")
    assert "/console/assistant/versions/1/give-up" in await admin.see(f"{ROOM}/versions")
    assert (await admin.send(f"{ROOM}/versions/1/give-up")).status_code == 303
    assert "Training failed" in await admin.see(f"{ROOM}/versions")
    assert (await admin.send(f"{ROOM}/versions/1/give-up")).status_code == 422
