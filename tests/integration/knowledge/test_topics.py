"""Topics of what was missed and of tickets, with real sentence vectors."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import func, select, update

from core.adapters.embeddings import HttpEmbedder
from core.domain.actor import Agent, Role
from core.domain.assistant import Handoff, HandoffReason, LookUp, Say, Understanding
from core.domain.errors import Conflict, EmbedderUnavailable, InvalidInput
from core.domain.events import Author, MessageRemoved
from core.domain.ids import Address, EventKey, RemoteId, ThreadKey
from core.domain.knowledge import Finding, Outcome
from core.domain.links import LinkKind
from core.domain.ticket import TicketStatus
from core.domain.topics import TopicKind, TopicState
from core.services.classification.similarity import VectorsOfTickets, WordsOfTickets
from core.services.knowledge import Knowledge
from core.services.learning.forgetting import TurnForgetting
from core.services.learning.gathering import TopicGathering
from core.services.learning.topics import Topics
from core.services.reactions import Reactions
from core.storage.engine import Sessions
from core.storage.queries.learning.topics import TopicView, answers_of, items_of, topic_view, topics
from core.storage.tables import (
    Conversation,
    Message,
    RemoteMessage,
    Ticket,
    TicketLink,
    TicketVector,
    Topic,
    TopicItem,
    TurnRecord,
)
from tests.integration.core.turns import take_turn
from tests.integration.knowledge.world import article
from tests.support.desk import LOOP, Rig

PARROT = (
    "Can I bring my parrot to the office?",
    "am I allowed to bring my parrot to the office",
    "may I take my parrot into the office with me?",
)
INVOICE = ("How do I pay a supplier's invoice?", "how can I pay the invoice of a supplier")


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """A desk whose assistant missed some questions."""

    rig: Rig
    knowledge: Knowledge
    gathering: TopicGathering
    topics: Topics

    async def misses(self, question: str, thread: str) -> None:
        conversation = await self.rig.hear(question, thread=thread)
        finding = Finding(outcome=Outcome.HAND_OFF, hits=())
        told = Understanding(look_ups=(LookUp(question=question, finding=finding),))
        await take_turn(self.rig, conversation, told, Say(text="I do not know."))

    async def gather(self) -> None:
        """Let the duty do all that there is to do."""
        self.rig.clock.advance(minutes=1)  # it may have found nothing, and rest
        while await self.gathering.gather_due() or await self._waiting():
            pass

    async def _waiting(self) -> int:
        async with self.rig.sessions() as session:
            grouped = select(TopicItem.id).where(
                TopicItem.id == TurnRecord.turn_id, TopicItem.topic_id.is_not(None)
            )
            return (
                await session.scalar(
                    select(func.count()).where(TurnRecord.is_missed, ~grouped.exists())
                )
                or 0
            )

    async def found(
        self, kind: TopicKind = TopicKind.QUESTION, *, settled: bool = False
    ) -> list[TopicView]:
        async with self.rig.sessions() as session:
            return list(await topics(session, kind, self.rig.clock(), settled=settled))


@pytest.fixture
def world(sessions: Sessions, embedder: HttpEmbedder, tmp_path: Path) -> World:
    rig = Rig(sessions, tmp_path)
    knowledge = Knowledge(sessions)
    return World(
        rig=rig,
        knowledge=knowledge,
        gathering=TopicGathering(sessions, embedder, rig.clock),
        topics=Topics(sessions, rig.accounts, knowledge, rig.clock),
    )


async def _ask_all(world: World) -> None:
    for place, question in enumerate((*PARROT, *INVOICE, "What is the wifi password?")):
        await world.misses(question, thread=f"t{place}")
    await world.gather()


async def test_questions_about_the_same_become_a_topic_with_a_name_and_words(world: World) -> None:
    await _ask_all(world)
    parrot, invoice = await world.found()
    assert parrot.title in PARROT
    assert parrot.size == 3
    assert "parrot" in parrot.words
    assert "the" not in parrot.words
    assert invoice.title in INVOICE
    assert invoice.size == 2
    assert parrot.trend.this_week == 3
    assert parrot.trend.before == 0
    async with world.rig.sessions() as session:
        items = await items_of(session, parrot.id)
    assert {item.text for item in items} == set(PARROT)
    assert items[0].text == parrot.title


async def test_grouping_again_changes_nothing_and_the_past_is_no_trend(world: World) -> None:
    await _ask_all(world)
    before = await world.found()
    await world.gathering.gather_due()
    assert await world.found() == before
    world.rig.clock.advance(days=8)
    _, parrot = await world.found()
    assert (parrot.trend.this_week, parrot.trend.before) == (0, 3)
    assert parrot.trend.growth == -0.75
    world.rig.clock.advance(days=100)
    await world.gathering.forget_old()
    assert await world.found() == []
    async with world.rig.sessions() as session:
        assert await session.scalar(select(func.count()).select_from(Topic)) == 0


async def test_a_topic_is_settled_by_an_article_and_comes_back_when_it_goes_on(
    world: World,
) -> None:
    await _ask_all(world)
    ana = await world.rig.agent(role=Role.ADMIN)
    (parrot, invoice) = await world.found()
    pets = await world.knowledge.create(article("pets", "Pets at work"))
    changed = await world.topics.add_question(parrot.id, pets.id, f" {PARROT[0]}  ", ana)
    assert changed.questions == (PARROT[0],)
    with pytest.raises(InvalidInput, match="has this question already"):
        await world.topics.add_question(parrot.id, pets.id, PARROT[0].upper(), ana)
    await world.topics.dismiss(invoice.id, ana)
    assert await world.found() == []
    assert {topic.state for topic in await world.found(settled=True)} == {
        TopicState.DONE,
        TopicState.DISMISSED,
    }
    for place, question in enumerate(PARROT):
        await world.misses(f"{question} Please.", thread=f"later{place}")
    await world.gather()
    (back,) = await world.found()
    assert back.is_back
    assert back.article == pets.id
    assert back.size == 6


async def test_what_is_written_for_a_topic_is_found_at_once_though_it_is_the_first_article(
    world: World,
) -> None:
    await _ask_all(world)
    ana = await world.rig.agent(role=Role.ADMIN)
    (parrot, _) = await world.found()
    assert (await world.knowledge.search("parrot", "en")).hits == ()
    await world.topics.write_article(parrot.id, article("parrots", "Parrots at work"), ana)
    (hit,) = (await world.knowledge.search("parrot", "en")).hits
    assert hit.article == "parrots"


async def test_agents_answers_are_what_an_article_begins_with(world: World) -> None:
    conversation = await world.rig.hear(PARROT[0])
    finding = Finding(outcome=Outcome.HAND_OFF, hits=())
    told = Understanding(look_ups=(LookUp(question=PARROT[0], finding=finding),))
    handoff = Handoff(reason=HandoffReason.UNSURE_TWICE, summary="parrot")
    await take_turn(world.rig, conversation, told, Say(text="Hm."), handoff)
    ana = await world.rig.agent()
    ticket = await world.rig.ticket_id()
    await world.rig.tickets.reply(
        ticket, ana, "Birds stay at home, sorry.", then=TicketStatus.SOLVED
    )
    await world.misses(PARROT[1], thread="t2")
    await world.gather()
    (parrot,) = await world.found()
    async with world.rig.sessions() as session:
        (answer,) = await answers_of(session, parrot.id)
    assert answer.words == "Birds stay at home, sorry."
    assert answer.ticket == (await world.rig.ticket()).number


async def test_tickets_about_the_same_become_a_problem_with_its_incidents(
    world: World, embedder: HttpEmbedder
) -> None:
    for place in range(3):
        thread = f"t{place}"
        conversation = await world.rig.hear("The printer on floor 3 is broken", thread=thread)
        summary = "The printer on floor 3 prints nothing"
        await world.rig.reply(
            conversation, Handoff(reason=HandoffReason.ASKED_FOR_HUMAN, summary=summary)
        )
        await Reactions(
            world.rig.sessions, world.rig.accounts, [WordsOfTickets()], world.rig.clock
        ).advance(conversation)
    while await VectorsOfTickets(world.rig.sessions, embedder, world.rig.clock).embed_due():
        pass
    await world.gather()
    (printer,) = await world.found(TopicKind.TICKET)
    assert printer.size == 3
    ana = await world.rig.agent(role=Role.LEAD)
    number = await world.topics.make_problem(printer.id, ana)
    async with world.rig.sessions() as session:
        problem = (await session.scalars(select(Ticket).where(Ticket.number == number))).one()
        kinds = (
            await session.scalars(select(TicketLink.kind).where(TicketLink.other_id == problem.id))
        ).all()
        view = await topic_view(session, printer.id, world.rig.clock())
    assert problem.kind == "problem"
    assert problem.reason == HandoffReason.RECURRING
    assert kinds == [LinkKind.INCIDENT] * 3
    assert (view.problem, view.state) == (number, TopicState.DONE)
    with pytest.raises(Conflict):
        await world.topics.make_problem(printer.id, ana)
    await _with_another_model(world)


async def _with_another_model(world: World) -> None:
    """Tickets follow when their vectors are those of another model."""
    async with world.rig.sessions.begin() as session:
        await session.execute(update(Topic).values(vector_model="a former model"))
        await session.execute(update(TopicItem).values(vector_model="a former model"))
        kept = await session.scalar(select(func.count()).select_from(TicketVector))
    assert (kept or 0) >= 3
    world.rig.clock.advance(minutes=1)
    while await _of_former_model(world):
        await world.gathering.gather_due()
    (still,) = await world.found(TopicKind.TICKET, settled=True)
    assert still.size == 3


async def test_only_tickets_have_a_problem(world: World) -> None:
    await _ask_all(world)
    ana: Agent = await world.rig.agent(role=Role.LEAD)
    with pytest.raises(InvalidInput):
        await world.topics.make_problem((await world.found())[0].id, ana)


async def test_with_vectors_of_another_model_topics_keep_what_was_decided(world: World) -> None:
    await _ask_all(world)
    ana = await world.rig.agent(role=Role.LEAD)
    parrot, invoice = await world.found()
    await world.topics.dismiss(invoice.id, ana)
    async with world.rig.sessions.begin() as session:
        await session.execute(update(Topic).values(vector_model="a former model"))
        await session.execute(update(TopicItem).values(vector_model="a former model"))
    await world.misses("Is a parrot allowed in the office with me?", thread="new")
    world.rig.clock.advance(minutes=1)
    while await _of_former_model(world):
        await world.gathering.gather_due()
    await world.gather()
    (still,) = await world.found()
    assert still.id == parrot.id
    assert [topic.id for topic in await world.found(settled=True)] == [invoice.id]


async def _of_former_model(world: World) -> int:
    async with world.rig.sessions() as session:
        topics = await session.scalar(
            select(func.count()).where(Topic.vector_model == "a former model")
        )
        items = await session.scalar(
            select(func.count()).where(TopicItem.vector_model == "a former model")
        )
    return (topics or 0) + (items or 0)


async def test_what_is_taken_back_leaves_the_log_and_its_topic(world: World) -> None:
    await _ask_all(world)
    parrot = (await world.found())[0]
    async with world.rig.sessions() as session:
        record = (
            await session.scalars(select(TurnRecord).where(TurnRecord.text == parrot.title))
        ).one()
        remote = await session.scalar(
            select(RemoteMessage.remote_id)
            .join(Message, Message.id == RemoteMessage.message_id)
            .where(Message.conversation_id == record.conversation_id, Message.speaker == "customer")
        )
        conversation = await session.get_one(Conversation, record.conversation_id)
    await world.rig.intake.accept(
        MessageRemoved(
            account=LOOP,
            key=EventKey("gone"),
            thread=ThreadKey(conversation.thread),
            author=Author(address=Address("somebody")),
            at=world.rig.clock(),
            remote_id=RemoteId(remote or ""),
        )
    )
    async with world.rig.sessions() as session:
        blank = await session.get_one(TurnRecord, record.turn_id)
        assert (blank.text, blank.question, blank.look_ups) == ("", "", [])
    (left,) = [topic for topic in await world.found() if topic.id == parrot.id]
    assert left.size == 2
    assert left.title != parrot.title
    await world.gather()
    assert {topic.size for topic in await world.found()} == {2}


async def test_the_log_is_forgotten_after_its_time(world: World) -> None:
    await world.misses(PARROT[0], thread="t1")
    forgetting = TurnForgetting(world.rig.sessions, 30, world.rig.clock)
    assert await forgetting.forget_old() == 0
    world.rig.clock.advance(days=31)
    assert await forgetting.forget_old() == 1


async def test_while_the_embedder_is_away_questions_wait(world: World) -> None:
    class Away(HttpEmbedder):
        async def embed_query(self, text: str) -> list[float]:
            raise EmbedderUnavailable("away")

    await world.misses(PARROT[0], thread="t1")
    gathering = TopicGathering(world.rig.sessions, Away("http://127.0.0.1:9", "m"), world.rig.clock)
    assert await gathering.gather_due() == 0
    async with world.rig.sessions() as session:
        assert await session.scalar(select(func.count()).select_from(TopicItem)) == 1
    await world.gather()
    async with world.rig.sessions() as session:
        (topic,) = (await session.scalars(select(Topic.title))).all()
    assert topic == PARROT[0]
