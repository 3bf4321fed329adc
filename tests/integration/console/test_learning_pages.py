"""The assistant's room: turns, topics, examples and versions, and who may do what there."""

from __future__ import annotations

import pytest
from sqlalchemy import select, text, update

from core.domain.actor import Role
from core.domain.assistant import Answer, Feedback, LookUp, Say, TurnReply, Understanding
from core.domain.ids import ArticleId, ConversationId, TopicId, new_id
from core.domain.knowledge import Article, Finding, Hit, Outcome
from core.domain.models import Example, ExampleState, ServingModel, Training, TrainingState
from core.domain.topics import TopicKind
from core.services.learning.examples import ExampleBook
from core.services.learning.grouping import group
from core.services.learning.versions import ModelVersions
from core.storage.tables import (
    AssignmentPolicy,
    Conversation,
    Team,
    Ticket,
    Topic,
    TopicItem,
    TrainingExample,
    TurnRecord,
)
from tests.integration.console.browser import PASSWORD, Browser
from tests.integration.console.world import Desk

VPN = ArticleId("vpn")
ROOM = "/console/assistant"
MODEL = "axes"


async def browser_of(desk: Desk, role: Role, name: str = "ana") -> Browser:
    agent = await desk.agent(f"{name}@example.org", name.title(), role=role)
    await desk.access.set_password(agent.id, PASSWORD)
    return await Browser.signed_in(desk, agent.email)


async def turn(
    desk: Desk, conversation: ConversationId, understanding: Understanding, *steps: object
) -> None:
    plan = await desk.turns.plan(conversation)
    assert plan is not None
    reply = TurnReply(
        turn=plan.turn,
        steps=steps,  # type: ignore[arg-type]
        intent="ask_question",
        confidence=0.83,
        model="0123456789abcdef",
        understanding=understanding,
    )
    assert await desk.turns.settle(plan, reply)


async def missed(desk: Desk, words: str, thread: str) -> None:
    """Let a requester ask what nothing answers."""
    conversation = await desk.says(words, thread=thread)
    finding = Finding(outcome=Outcome.HAND_OFF, hits=())
    told = Understanding(look_ups=(LookUp(question=words, finding=finding),))
    await turn(desk, conversation, told, Say(text="I do not know."))


async def topic_of(desk: Desk, *questions: str) -> TopicId:
    """Return a topic of questions that all have one vector."""
    for place, words in enumerate(questions):
        await missed(desk, words, f"m{place}")
    async with desk.sessions.begin() as session:
        for record in (await session.scalars(select(TurnRecord))).all():
            session.add(
                TopicItem(
                    id=record.turn_id,
                    kind=TopicKind.QUESTION,
                    conversation_id=record.conversation_id,
                    text=record.question,
                    language=record.language,
                    at=record.at,
                    vector=[1.0] + [0.0] * 383,
                    vector_model=MODEL,
                )
            )
        await session.flush()
        await group(session, TopicKind.QUESTION, MODEL, 50)
        return TopicId((await session.scalars(select(Topic.id))).one())


async def knows_intents(desk: Desk) -> None:
    serving = ServingModel(model="m", lessons="none", intents=("ask_question", "thanks"))
    await ModelVersions(desk.sessions).note_serving(serving)


async def give_to_another_team(desk: Desk) -> None:
    """Let the ticket of another team hold one of the turns; agents see their own teams' alone."""
    async with desk.sessions.begin() as session:
        await session.execute(update(AssignmentPolicy).values(own_tickets_only=True))
        team = Team(id=new_id(), name="Others")
        session.add(team)
        await session.flush()
        record = (await session.scalars(select(TurnRecord).limit(1))).one()
        conversation = await session.get_one(Conversation, record.conversation_id)
        session.add(
            Ticket(
                id=new_id(),
                conversation_id=conversation.id,
                contact_id=conversation.contact_id,
                status="open",
                priority="normal",
                reason="not_helped",
                subject="parrot",
                language="en",
                team_id=team.id,
                created_at=desk.clock(),
                updated_at=desk.clock(),
            )
        )


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
    lead = await browser_of(desk, Role.LEAD)
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
    lead = await browser_of(desk, Role.LEAD)
    shown = await lead.see(ROOM)
    assert shown.count('<li id="turn-') == 50
    older = shown.partition('class="button" href="?')[2].partition('"')[0].replace("&amp;", "&")
    assert (await lead.see(f"{ROOM}?{older}")).count('<li id="turn-') == 1


@pytest.mark.parametrize("path", ["", "/topics", "/examples", "/versions"])
async def test_agents_do_not_see_the_room_and_auditors_change_nothing(
    desk: Desk, path: str
) -> None:
    agent = await browser_of(desk, Role.AGENT)
    await agent.see(f"{ROOM}{path}", 403)
    auditor = await browser_of(desk, Role.AUDITOR, "bo")
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
    admin = await browser_of(desk, Role.ADMIN)
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
    lead = await browser_of(desk, Role.LEAD, "leo")
    await lead.see(f"{ROOM}/topics/{topic}")
    refused = await lead.send(f"{ROOM}/topics/{topic}/question", article="pets", question="Q?")
    assert refused.status_code == 403
    admin = await browser_of(desk, Role.ADMIN)
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
    lead = await browser_of(desk, Role.LEAD, "leo")
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
    admin = await browser_of(desk, Role.ADMIN)
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
    admin = await browser_of(desk, Role.ADMIN)
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
    lead = await browser_of(desk, Role.LEAD)
    shown = await lead.see("/console/reports")
    assert "Recurring topics" in shown
    assert f"{ROOM}/topics/{topic}/problem" in shown
    made = await lead.send(f"{ROOM}/topics/{topic}/problem")
    assert made.status_code == 303
    assert "/console/tickets/" in made.headers["location"]
    await lead.see(made.headers["location"])


async def test_what_belongs_to_another_team_is_neither_seen_nor_decided_about(desk: Desk) -> None:
    topic = await topic_of(desk, "parrot in the office?", "may my parrot come?")
    lead = await browser_of(desk, Role.LEAD, "leo")
    await lead.see(f"{ROOM}/topics/{topic}")
    await give_to_another_team(desk)
    await lead.see(f"{ROOM}/topics/{topic}", 404)
    for act in ("dismiss", "reopen", "problem"):
        assert (await lead.send(f"{ROOM}/topics/{topic}/{act}")).status_code == 404
    assert "parrot" not in await lead.see(f"{ROOM}/topics")
    assert (await lead.see(ROOM)).count('<li id="turn-') == 1


async def test_a_version_under_way_is_given_up(desk: Desk) -> None:
    await knows_intents(desk)
    admin = await browser_of(desk, Role.ADMIN)
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
