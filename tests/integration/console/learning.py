"""What the assistant did, for the pages and lists that show it."""

from __future__ import annotations

from sqlalchemy import select, update

from core.domain.assistant import LookUp, Say, TurnReply, Understanding
from core.domain.ids import ConversationId, TopicId, new_id
from core.domain.knowledge import Finding, Outcome
from core.domain.models import ServingModel
from core.domain.topics import TopicKind
from core.services.learning.grouping import group
from core.services.learning.versions import ModelVersions
from core.storage.tables import (
    AssignmentPolicy,
    Conversation,
    Team,
    Ticket,
    Topic,
    TopicItem,
    TurnRecord,
)
from tests.integration.console.world import Desk

MODEL = "axes"


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
