"""What the desk's processes share, built from the settings."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncEngine

from channels.unread.channel import Unread
from channels.webchat.channel import WebChat
from core.adapters.blobs import ObjectBlobs
from core.adapters.embeddings import HttpEmbedder
from core.adapters.kept_vectors import KeptSecondVectors, KeptVectors
from core.adapters.language import LinguaDetector
from core.adapters.language_model import ChatCompletions
from core.adapters.rasa import RasaAssistant
from core.adapters.rasa_models import RasaModels
from core.domain.account import IN_PERSON, PROGRAMS
from core.domain.channel import Capabilities
from core.domain.errors import InvalidInput
from core.domain.ids import AccountId
from core.ports import Channel, ChannelContext
from core.runtime.directory import Directory
from core.runtime.minilm import LANGUAGES
from core.services.access.access import Access
from core.services.accounts.accounts import AccountBook
from core.services.accounts.secrets import derived_key
from core.services.catalogue.links import ApprovalLinks
from core.services.delivery.outbox import Outbox
from core.services.files.deposit import Deposit
from core.services.intake.inbox import Intake
from core.services.intake.placing import ArrivalRules
from core.services.knowledge import Knowledge
from core.services.satisfaction.links import SurveyLinks
from core.services.teams.staffing import Staffing, staffing_of
from core.services.tickets.tickets import Tickets
from core.services.turns.composing import Composing
from core.services.turns.plan import TurnRules
from core.services.turns.requester_tickets import TicketsOfRequesters
from core.services.turns.turns import Turns
from core.services.writing.held import HeldReplies
from core.settings import Settings, environment
from core.storage.engine import Sessions, open_engine, sessions_of
from core.wiring.environment import declared_accounts
from core.wiring.files import vault_of
from core.wiring.kinds import Kinds

STARTER_KNOWLEDGE = Path(__file__).parents[2] / "nlu_data" / "knowledge"
"""The articles that a new desk begins with, and the vectors of their passages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What the desk's processes share."""

    settings: Settings
    engine: AsyncEngine
    sessions: Sessions
    directory: Directory
    account_book: AccountBook
    knowledge: Knowledge
    tickets: Tickets
    held: HeldReplies
    turns: Turns
    outbox: Outbox
    access: Access
    staffing: Staffing
    assistant: RasaAssistant
    detector: LinguaDetector
    models: RasaModels
    embedder: HttpEmbedder | None
    second: HttpEmbedder | None  # another encoder of the same service
    composer: ChatCompletions | None
    blobs: ObjectBlobs
    survey_links: SurveyLinks
    approval_links: ApprovalLinks

    @property
    def channels(self) -> Mapping[AccountId, Channel]:
        """Return the channel of each connected account; accounts come and go."""
        return self.directory.channels

    @property
    def accounts(self) -> Mapping[AccountId, Capabilities]:
        """Return what each connected account can do; accounts come and go."""
        return self.directory.capabilities

    def intake(self) -> Intake:
        """Return an inbox for a process that receives."""
        return Intake(
            self.sessions,
            self.blobs,
            self.accounts,
            ArrivalRules(
                reopen_window=timedelta(hours=self.settings.reopen_window_hours),
                default_language=self.settings.default_language,
            ),
        )

    async def close(self) -> None:
        """Close every connection."""
        await self.directory.close()
        await self.assistant.close()
        await self.models.close()
        for embedder in (self.embedder, self.second):
            if embedder is not None:
                await embedder.close()
        if self.composer is not None:
            await self.composer.close()
        await self.engine.dispose()


def build_parts(settings: Settings, application: str, pool_size: int | None = None) -> Parts:
    """Build the parts; nothing is connected yet.

    `pool_size` is for a process that is to have other than the usual number of connections.
    """
    engine = open_engine(
        database_url(settings),
        pool_size=pool_size or settings.database_pool_size,
        application=application,
    )
    sessions = sessions_of(engine)
    blobs = ObjectBlobs.at(settings.blob_location)
    kinds = Kinds()
    declared = declared_accounts(environment(), kinds)
    book = AccountBook(sessions, kinds, settings.key, [account.id for account in declared])
    directory = Directory(
        sessions,
        book,
        kinds,
        lambda account: _context_of(account, settings, sessions, blobs),
        fixed={
            "webchat": _webchat_of(settings, sessions, blobs),
            "programs": Unread(PROGRAMS),
            "in_person": Unread(IN_PERSON),
        },
        declared=declared,
    )
    accounts = directory.capabilities
    embedder, second = _embedders_of(settings)
    detector = LinguaDetector()
    return Parts(
        settings=settings,
        engine=engine,
        sessions=sessions,
        directory=directory,
        account_book=book,
        knowledge=Knowledge(
            sessions,
            embedder and KeptVectors(embedder, STARTER_KNOWLEDGE / "passages.vectors"),
            second=second and KeptSecondVectors(second, STARTER_KNOWLEDGE / "questions.vectors"),
            wrong_answers_per_hundred=settings.wrong_answers_per_hundred,
        ),
        tickets=Tickets(sessions, accounts, base_url=settings.base_url),
        held=HeldReplies(sessions, accounts, settings.base_url, settings.take_back_seconds),
        turns=Turns(
            sessions,
            accounts,
            TurnRules(
                deadline=timedelta(seconds=settings.assistant_deadline_seconds),
                turn_cap=settings.turn_cap,
                base_url=settings.base_url,
                default_language=settings.default_language,
            ),
            directory.channels,
            detector=detector,
        ),
        outbox=Outbox(sessions, accounts, base_url=settings.base_url),
        staffing=staffing_of(sessions, accounts),
        access=Access(sessions, settings.key, settings.shared_bot_token),
        assistant=RasaAssistant(
            settings.bot_url, settings.shared_bot_token, settings.assistant_deadline_seconds
        ),
        detector=detector,
        models=RasaModels(settings.bot_url, settings.shared_bot_token),
        embedder=embedder,
        second=second,
        composer=_composer_of(settings),
        blobs=blobs,
        survey_links=SurveyLinks(settings.key, settings.base_url),
        approval_links=ApprovalLinks(settings.key, settings.base_url),
    )


def _context_of(
    account: AccountId, settings: Settings, sessions: Sessions, blobs: ObjectBlobs
) -> ChannelContext:
    return ChannelContext(
        blobs=blobs,
        tickets=TicketsOfRequesters(sessions),
        base_url=settings.base_url,
        key=derived_key(settings.key, "channel", account),
        default_language=settings.default_language,
    )


def _webchat_of(settings: Settings, sessions: Sessions, blobs: ObjectBlobs) -> WebChat:
    deposit = Deposit(vault_of(settings, blobs, sessions), blobs)
    return WebChat(
        AccountId("webchat"),
        settings.key,
        default_language=settings.default_language,
        deposit=deposit if settings.webchat_files else None,
    )


def _embedders_of(settings: Settings) -> tuple[HttpEmbedder | None, HttpEmbedder | None]:
    """Return the encoder of passages and questions, and the second one, where they are wanted."""
    if not settings.embedder_url:
        return None, None
    first = HttpEmbedder(settings.embedder_url, settings.embedder_model)
    if not settings.embedder_second_model:
        return first, None
    second = HttpEmbedder(
        settings.embedder_url,
        settings.embedder_second_model,
        languages=LANGUAGES,
        query_seconds=0.5,  # it can be done without
        passages_seconds=30.0,
    )
    return first, second


def _composer_of(settings: Settings) -> ChatCompletions | None:
    if not settings.language_model_url:
        return None
    if not settings.language_model:
        raise InvalidInput("DESK_LANGUAGE_MODEL_URL is set: say which model in DESK_LANGUAGE_MODEL")
    key = settings.language_model_key
    return ChatCompletions(
        settings.language_model_url,
        settings.language_model,
        api_key=key.get_secret_value() if key else None,
        seconds=settings.language_model_seconds,
    )


def composing_of(parts: Parts) -> Composing | None:
    """Return what puts answers into a language model's words, where there is one."""
    if parts.composer is None:
        return None
    return Composing(parts.sessions, parts.knowledge, parts.composer)


@asynccontextmanager
async def open_parts(
    settings: Settings, application: str, pool_size: int | None = None
) -> AsyncIterator[Parts]:
    """Build the parts and close them at the end."""
    parts = build_parts(settings, application, pool_size)
    try:
        yield parts
    finally:
        await parts.close()


def database_url(settings: Settings) -> str:
    """Return the database's address; the `desk` command has resolved the embedded one."""
    if settings.database_url is None:
        raise InvalidInput("DATABASE_URL is not set")
    return settings.database_url.get_secret_value()
