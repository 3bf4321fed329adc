"""What people do about topics."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.actor import Agent
from core.domain.assistant import HandoffReason
from core.domain.classification import Kind
from core.domain.errors import Conflict, InvalidInput, NotFound
from core.domain.ids import (
    ArticleId,
    ExampleId,
    TicketId,
    TopicId,
    new_id,
)
from core.domain.knowledge import Article
from core.domain.links import LinkKind
from core.domain.models import Example
from core.domain.ticket import CATEGORY, StatusCategory, TicketStatus
from core.domain.topics import TopicKind, TopicState
from core.services import audit
from core.services.case import Case, open_case
from core.services.knowledge.articles import MAX_QUESTIONS, change, create
from core.services.knowledge.knowledge import Knowledge
from core.services.learning.examples import propose
from core.services.ledger import Accounts, Ledger
from core.services.links.links import LOCK, note_link
from core.services.links.opening import open_problem
from core.storage.engine import Sessions, storage_errors
from core.storage.queries.knowledge.articles import articles_by_id
from core.storage.tables import Ticket, TicketLink, Topic, TopicItem

_MOST_INCIDENTS = 200
_UNDER_WAY = [s for s in TicketStatus if CATEGORY[s] != StatusCategory.DONE]


class Topics:
    """Decisions about topics; each is kept with who made it."""

    def __init__(
        self,
        sessions: Sessions,
        accounts: Accounts,
        knowledge: Knowledge,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._sessions = sessions
        self._accounts = accounts
        self._knowledge = knowledge
        self._now = now

    async def dismiss(self, topic: TopicId, by: Agent) -> None:
        """Let a topic rest: nothing is to be done about it."""
        async with storage_errors(), self._sessions.begin() as session:
            self._decide(session, await _locked(session, topic), TopicState.DISMISSED, by)

    async def reopen(self, topic: TopicId, by: Agent) -> None:
        """Let a topic wait for somebody again."""
        async with storage_errors(), self._sessions.begin() as session:
            self._decide(session, await _locked(session, topic), TopicState.OPEN, by)

    async def settle(self, topic: TopicId, by: Agent) -> None:
        """Note that something was done about a topic."""
        async with storage_errors(), self._sessions.begin() as session:
            self._decide(session, await _locked(session, topic), TopicState.DONE, by)

    async def propose_example(self, topic: TopicId, example: Example, by: Agent) -> ExampleId:
        """Keep an example for review that settles the topic.

        Raises:
            NotFound: there is no such topic; nothing is kept.
            InvalidInput: it is none, or of an intent that the assistant has not.
            Conflict: there is one of these words already.
        """
        async with storage_errors(), self._sessions.begin() as session:
            row = await _locked(session, topic)
            made = await propose(session, example, by, self._now())
            self._decide(session, row, TopicState.DONE, by)
            return made

    async def write_article(self, topic: TopicId, article: Article, by: Agent) -> Article:
        """Store a new article that settles the topic.

        Raises:
            NotFound: there is no such topic; nothing is stored.
            Conflict: its id is taken.
            InvalidInput: it cannot be an article.
        """
        async with storage_errors(), self._sessions.begin() as session:
            row = await _locked(session, topic)
            created = await create(session, article)
            row.article_id = created.id
            self._decide(session, row, TopicState.DONE, by)
        self._knowledge.forget_counts()
        return created

    async def add_question(
        self, topic: TopicId, article: ArticleId, question: str, by: Agent
    ) -> Article:
        """Let an article answer `question` too, and the topic be settled by it.

        Raises:
            NotFound: there is no such topic or article.
            InvalidInput: the article has as many questions as it may, or has this one.
        """
        async with storage_errors(), self._sessions.begin() as session:
            row = await _locked(session, topic)
            found = (await articles_by_id(session, [article])).get(article)
            if found is None:
                raise NotFound("there is no such article")
            if len(found.questions) >= MAX_QUESTIONS:
                raise InvalidInput("this article has as many questions as it may have")
            words = " ".join(question.split())
            if words.casefold() in {one.casefold() for one in found.questions}:
                raise InvalidInput("this article has this question already")
            changed = await change(session, _with_question(found, words))
            row.article_id = article
            self._decide(session, row, TopicState.DONE, by)
            audit.record(
                session,
                by.actor,
                "article.question_added",
                ("article", article, found.title),
                new={"question": words},
            )
        self._knowledge.forget_counts()
        return changed

    async def make_problem(self, topic: TopicId, by: Agent) -> int:
        """Open a problem for a topic of tickets and link its unfinished ones; return its number.

        Raises:
            NotFound: there is no such topic.
            InvalidInput: it is no topic of tickets.
            Conflict: it has a problem already.
        """
        async with storage_errors(), self._sessions.begin() as session:
            await session.execute(LOCK)
            row = await _locked(session, topic)
            if row.kind != TopicKind.TICKET:
                raise InvalidInput("only tickets have a problem in common")
            if row.problem_id is not None:
                raise Conflict("this topic has a problem already")
            ledger = Ledger(self._accounts, self._now())
            incidents = await _incidents(session, ledger, topic)
            problem = await self._problem(session, ledger, row, incidents, by)
            for incident in incidents:
                session.add(
                    TicketLink(
                        id=new_id(),
                        ticket_id=incident.ticket.id,
                        other_id=problem.ticket.id,
                        kind=LinkKind.INCIDENT,
                    )
                )
                note_link(incident, problem, LinkKind.INCIDENT, by)
            await ledger.write(session)
            row.problem_id = problem.ticket.id
            self._decide(session, row, TopicState.DONE, by)
            return problem.ticket.number

    async def _problem(
        self,
        session: AsyncSession,
        ledger: Ledger,
        topic: Topic,
        incidents: Sequence[Case],
        by: Agent,
    ) -> Case:
        numbers = [f"#{incident.ticket.number}" for incident in incidents]
        text = "\n".join([topic.title, *numbers])
        return await open_problem(session, ledger, topic.title, text, by, HandoffReason.RECURRING)

    def _decide(self, session: AsyncSession, row: Topic, state: TopicState, by: Agent) -> None:
        old, row.state = row.state, state
        row.decided_at, row.decided_by = self._now(), by.id
        audit.record(
            session,
            by.actor,
            "topic.decided",
            ("topic", row.id, row.title),
            old={"state": old},
            new={"state": state, "article": row.article_id, "problem": str(row.problem_id or "")},
        )


def _with_question(article: Article, question: str) -> Article:
    return replace(article, questions=(*article.questions, question))


async def _locked(session: AsyncSession, topic: TopicId) -> Topic:
    row = await session.get(Topic, topic, with_for_update=True)
    if row is None:
        raise NotFound("there is no such topic")
    return row


async def _incidents(session: AsyncSession, ledger: Ledger, topic: TopicId) -> Sequence[Case]:
    """Lock the topic's unfinished tickets, their conversations first, in an order that all keep."""
    rows = await session.scalars(
        select(Ticket.id)
        .join(TopicItem, TopicItem.id == Ticket.id)
        .where(
            TopicItem.topic_id == topic,
            Ticket.status.in_(_UNDER_WAY),
            Ticket.kind != Kind.PROBLEM,
        )
        .order_by(Ticket.conversation_id, Ticket.id)
        .limit(_MOST_INCIDENTS)
    )
    cases = [await open_case(session, ledger, TicketId(ticket)) for ticket in rows.all()]
    return [case for case in cases if not case.is_done]  # somebody may have been faster
