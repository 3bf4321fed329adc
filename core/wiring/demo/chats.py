"""Tells what the demonstration's assistant says, from the knowledge base; some of it is enough."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine, async_sessionmaker

from core.domain.assistant import (
    Answer,
    Feedback,
    Handoff,
    HandoffReason,
    Say,
    Step,
    TurnReply,
    Understanding,
)
from core.domain.content import Body
from core.domain.events import Author, ChoicePressed, MessagePosted
from core.domain.ids import (
    ArticleId,
    ChoiceId,
    ConversationId,
    EventKey,
    ThreadKey,
    new_id,
)
from core.services.figures.facts import count_again
from core.services.intake.inbox import Intake
from core.services.intake.placing import ArrivalRules
from core.services.turns.plan import TurnRules
from core.services.turns.turns import Turns
from core.storage.engine import Sessions, storage_errors
from core.storage.tables import ChoiceRow, Message
from core.wiring.demo.people import REQUESTERS, Requester
from core.wiring.demo.requesters import ACCOUNT, address_of
from core.wiring.parts import Parts

_SAYS_SO = 0.65  # of those whom an article helps


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What a requester asks, and the starter article that answers it."""

    language: str
    article: ArticleId
    said: str


def _english(article: str, said: str) -> Question:
    return Question(language="en", article=ArticleId(article), said=said)


def _spanish(article: str, said: str) -> Question:
    return Question(language="es", article=ArticleId(article), said=said)


QUESTIONS: Sequence[Question] = (
    _english("connect-vpn", "How do I connect to the VPN from home?"),
    _spanish("restablecer-contrasena-olvidada", "Olvidé mi contraseña, ¿cómo pongo otra?"),
    _english("move-mfa-to-new-phone", "I have a new phone, how do I move my sign-in codes to it?"),
    _spanish("conectarse-wifi", "¿Cómo conecto el portátil a la wifi?"),
    _english("share-cloud-file", "How can I share a file with somebody outside?"),
    _spanish("buzon-lleno", "Mi buzón está lleno y no me deja enviar correos."),
    _english("out-of-office", "Where do I switch on the out-of-office reply?"),
    _spanish("agregar-impresora", "¿Cómo agrego una impresora?"),
    _english("book-room", "How do I book a meeting room?"),
    _spanish("solicitar-vacaciones", "¿Dónde pido las vacaciones?"),
    _english("recover-deleted-mail", "I deleted a mail by mistake. Can I get it back?"),
    _spanish("correo-en-el-celular", "Quiero leer el correo en el celular."),
    _english("install-updates", "How do I install the updates of my computer?"),
    _spanish("denunciar-phishing", "Me ha llegado un correo sospechoso, ¿a quién aviso?"),
    _english("external-screen", "How do I connect a second screen?"),
    _spanish("recibo-de-nomina", "¿Dónde veo mi recibo de nómina?"),
)

_GLAD: Mapping[str, str] = {
    "en": "I am glad that helped. Is there anything else I can do for you?",
    "es": "Me alegro de que le haya servido. ¿Puedo ayudarle en algo más?",
}
_SORRY: Mapping[str, str] = {
    "en": "I am sorry that I could not solve this. A colleague will look into it.",
    "es": "Siento no haber podido resolverlo. Lo verá una persona del equipo.",
}
"""What the assistant says when it hears whether an article helped, by language."""


class Chats:
    """What requesters ask the assistant, and what it answers, by the services that do so daily.

    Each is one transaction: the assistant of a desk that runs meanwhile answers nothing of it.
    """

    def __init__(self, parts: Parts, chance: Random) -> None:
        self._parts = parts
        self._chance = chance
        self._deck: list[Question] = []

    async def answer(self, moment: datetime) -> None:
        """Let somebody ask at `moment` what an article answers, and say or not that it helped."""
        chance = self._chance
        if not self._deck:
            self._deck = chance.sample(QUESTIONS, len(QUESTIONS))
        question = self._deck.pop()
        asker = chance.choice([one for one in REQUESTERS if one.language == question.language])
        says_so = chance.random() < _SAYS_SO
        async with storage_errors(), _one_transaction(self._parts.engine) as sessions:
            chat = _Chat(self._parts, sessions, asker, moment)
            await chat.asks(question.said)
            await chat.is_told(Answer(article=question.article))
            if says_so:
                await chat.presses(Feedback.HELPED)
                await chat.is_told(Say(text=_GLAD[question.language]), feedback=Feedback.HELPED)
            async with sessions.begin() as session:
                count_again(session, {moment})

    async def hand_over(
        self, asker: Requester, said: str, article: ArticleId, moment: datetime
    ) -> ConversationId:
        """Let `asker` be shown an article that does not help, and be passed on to people."""
        async with storage_errors(), _one_transaction(self._parts.engine) as sessions:
            chat = _Chat(self._parts, sessions, asker, moment)
            conversation = await chat.asks(said)
            await chat.is_told(Answer(article=article))
            await chat.presses(Feedback.NOT_HELPED)
            await chat.is_told(
                Say(text=_SORRY[asker.language]),
                Handoff(reason=HandoffReason.NOT_HELPED, summary=said),
                feedback=Feedback.NOT_HELPED,
            )
        return conversation


class _Chat:
    """A conversation of a requester with the assistant."""

    def __init__(
        self, parts: Parts, sessions: Sessions, asker: Requester, moment: datetime
    ) -> None:
        settings = parts.settings
        self._sessions = sessions
        self._thread = ThreadKey(str(new_id()))
        self._author = Author(
            address=address_of(asker), name=asker.name, email=asker.email, language=asker.language
        )
        self._at = moment
        self._conversation: ConversationId | None = None
        rules = TurnRules(
            deadline=timedelta(seconds=settings.assistant_deadline_seconds),
            turn_cap=settings.turn_cap,
            base_url=settings.base_url,
            default_language=settings.default_language,
        )
        self._intake = Intake(
            sessions,
            parts.blobs,
            parts.accounts,
            ArrivalRules(
                reopen_window=timedelta(hours=settings.reopen_window_hours),
                default_language=settings.default_language,
            ),
            self._now,
        )
        # A turn is due by the database's clock, whenever the story is told.
        self._due = Turns(sessions, parts.accounts, rules, parts.channels, _soon)
        self._turns = Turns(sessions, parts.accounts, rules, parts.channels, self._now)

    def _now(self) -> datetime:
        return self._at

    async def asks(self, said: str) -> ConversationId:
        posted = MessagePosted(
            account=ACCOUNT,
            key=EventKey(str(new_id())),
            thread=self._thread,
            author=self._author,
            at=self._at,
            body=Body(text=said),
        )
        (accepted,) = await self._intake.accept(posted)
        async with self._sessions() as session:
            message = await session.get_one(Message, accepted.message)
        self._conversation = ConversationId(message.conversation_id)
        return self._conversation

    async def is_told(self, *steps: Step, feedback: Feedback | None = None) -> None:
        """Let the assistant take its turn, two seconds later."""
        assert self._conversation is not None
        self._at += timedelta(seconds=2)
        plan = await self._due.plan(self._conversation)
        assert plan is not None
        reply = TurnReply(
            turn=plan.turn,
            steps=steps,
            intent="ask_question" if feedback is None else feedback.value,
            confidence=None if feedback is None else 1.0,  # nobody has judged a question here
            model=None,
            understanding=Understanding(feedback=feedback),
        )
        assert await self._turns.settle(plan, reply)

    async def presses(self, feedback: Feedback) -> None:
        """Press the button that says so, after a minute of reading."""
        self._at += timedelta(minutes=1)
        async with self._sessions() as session:
            choice = await session.scalar(
                select(ChoiceRow.id)
                .join(Message, Message.id == ChoiceRow.message_id)
                .where(Message.conversation_id == self._conversation, ChoiceRow.intent == feedback)
            )
        assert choice is not None
        pressed = ChoicePressed(
            account=ACCOUNT,
            key=EventKey(str(new_id())),
            thread=self._thread,
            author=self._author,
            at=self._at,
            choice=ChoiceId(choice),
        )
        await self._intake.accept(pressed)


def _soon() -> datetime:
    return datetime.now(UTC) + timedelta(minutes=1)


@asynccontextmanager
async def _one_transaction(engine: AsyncEngine) -> AsyncIterator[Sessions]:
    """Give sessions whose transactions are parts of one, which is committed at the end.

    They send no signals: within a transaction none can leave. Who waits for them looks later.
    """
    async with engine.connect() as connection, connection.begin():
        yield async_sessionmaker(
            connection, expire_on_commit=False, join_transaction_mode="create_savepoint"
        )
