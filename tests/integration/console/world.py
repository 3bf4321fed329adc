"""A desk for tests of the console: real services, and the web application over them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
from argon2 import PasswordHasher
from fastapi import FastAPI
from sqlalchemy import update

import console
from channels.loopback import Loopback
from channels.unread.channel import Unread
from console.desk import CatalogueDesk
from core.adapters.blobs import ObjectBlobs
from core.domain.account import IN_PERSON, PROGRAMS
from core.domain.actor import Agent, Role
from core.domain.assistant import Answer, Handoff, HandoffReason, Say, TurnReply
from core.domain.channel import Capabilities, DeliveryState
from core.domain.content import Body
from core.domain.events import Author, MessagePosted
from core.domain.ids import (
    AccountId,
    Address,
    ArticleId,
    ConversationId,
    EventKey,
    ThreadKey,
    new_id,
)
from core.domain.ticket import Priority
from core.ports import Channel
from core.runtime.lanes.deliveries import DeliveriesLane
from core.runtime.live import Live
from core.services.access.access import Access
from core.services.accounts.accounts import AccountBook
from core.services.automation.incoming import IncomingHooks
from core.services.automation.macros import Macros
from core.services.automation.rulebook import AutomationRules
from core.services.automation.simulating import RuleTrials
from core.services.automation.webhooks import Webhooks
from core.services.catalogue.approving import Approvals
from core.services.catalogue.asking import Asking
from core.services.catalogue.items import CatalogueItems
from core.services.catalogue.links import ApprovalLinks
from core.services.catalogue.roles import ApprovalRoles
from core.services.catalogue.tasks import RequestTasks
from core.services.classification.categories import Categories
from core.services.classification.priorities import Priorities
from core.services.classification.sorting import TicketSorting
from core.services.conversations.letters import Letters
from core.services.conversations.rejoining import Rejoining
from core.services.conversations.requesters import Requesters
from core.services.conversations.sides import Sides
from core.services.conversations.splitting import Splitting
from core.services.delivery.outbox import Outbox
from core.services.files.deposit import Deposit
from core.services.files.inspection import InspectionRules
from core.services.files.loose import LooseBlobs
from core.services.files.uploads import Uploads
from core.services.files.vault import Vault
from core.services.intake.inbox import Intake
from core.services.intake.placing import ArrivalRules
from core.services.intake.quarantine import Quarantine
from core.services.knowledge import Knowledge, SynonymBook
from core.services.learning.examples import ExampleBook
from core.services.learning.topics import Topics
from core.services.learning.versions import ModelVersions
from core.services.linking.codes import LinkCodes
from core.services.links.links import TicketLinks
from core.services.links.merging import TicketMerging
from core.services.links.problems import Problems
from core.services.notifications.chat_codes import ChatCodes
from core.services.notifications.in_chat import ChatNotices
from core.services.notifications.reading import Notices
from core.services.requester_records.assets import Assets
from core.services.requester_records.contacts import ContactBook
from core.services.requester_records.merging import ContactMerging
from core.services.requester_records.organisations import Organisations
from core.services.requester_records.plans import SupportPlans
from core.services.satisfaction.answering import SurveyAnswers
from core.services.satisfaction.links import SurveyLinks
from core.services.sla.calendars import Calendars
from core.services.sla.policies import Policies
from core.services.teams.staffing import Staffing, staffing_of
from core.services.tickets.bulk import BulkActs
from core.services.tickets.registrations import Registrations
from core.services.tickets.spam import SpamFolder
from core.services.tickets.tickets import Tickets
from core.services.tickets.views import SavedViews
from core.services.turns.plan import TurnRules
from core.services.turns.turns import Turns
from core.services.writing.corrections import Corrections
from core.services.writing.drafts import Drafts
from core.services.writing.held import HeldReplies
from core.services.writing.pictures import AgentPictures
from core.services.writing.visits import Visits
from core.storage.engine import Sessions
from core.storage.tables import Delivery, Message
from tests.support import pager

ACCOUNT = AccountId("webchat")
BOT_TOKEN = "the assistant's token"
BASE_URL = "http://desk.test"
RULES = InspectionRules(max_bytes=2_000_000, refused_endings=frozenset({"exe"}))
CHEAP_HASHES = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


@dataclass(slots=True)
class Clock:
    """A clock that tests put forward."""

    ahead: timedelta = timedelta()
    stopped_at: datetime | None = None

    def __call__(self) -> datetime:
        return (self.stopped_at or datetime.now(UTC)) + self.ahead

    def stop(self) -> None:
        self.stopped_at = datetime.now(UTC)

    def advance(self, by: timedelta) -> None:
        self.ahead += by


@dataclass(slots=True, kw_only=True)
class Desk:
    """A desk for tests: its services, its web application, and people to act in it."""

    sessions: Sessions
    clock: Clock
    intake: Intake
    turns: Turns
    tickets: Tickets
    held: HeldReplies
    knowledge: Knowledge
    access: Access
    blobs: ObjectBlobs
    outbox: Outbox
    loopback: Loopback
    accounts: dict[AccountId, Capabilities]
    channels: dict[AccountId, Channel]
    app: FastAPI
    live: Live
    staffing: Staffing

    async def deliver(self, conversation: UUID) -> None:
        """Send what waits in a conversation."""
        lane = DeliveriesLane(self.outbox, self.channels)
        await lane.advance(ConversationId(conversation))

    async def park(self, message: str) -> None:
        """Let it be uncertain whether a message that was sent has arrived."""
        parked = DeliveryState.PARKED
        async with self.sessions.begin() as session:
            await session.execute(
                update(Message).where(Message.id == UUID(message)).values(delivery=parked)
            )
            await session.execute(
                update(Delivery).where(Delivery.message_id == UUID(message)).values(status=parked)
            )

    def lets_send_files(self, most: int) -> None:
        """Let the loopback account take up to `most` files of ours in one message."""
        can = replace(self.loopback.capabilities, max_files=most, max_file_bytes=1_000_000)
        self.loopback.capabilities = self.accounts[self.loopback.account] = can

    async def says(
        self, words: str, *, thread: str = "t1", who: str = "ada", language: str = "en"
    ) -> ConversationId:
        """Let a requester say something; return the conversation."""
        (accepted,) = await self.intake.accept(
            MessagePosted(
                account=ACCOUNT,
                key=EventKey(str(new_id())),
                thread=ThreadKey(thread),
                author=Author(
                    address=Address(who),
                    name=who.title(),
                    email=f"{who}@example.org",
                    language=language,
                ),
                at=self.clock(),
                body=Body(text=words),
            )
        )
        async with self.sessions() as session:
            message = await session.get_one(Message, accepted.message)
        return ConversationId(message.conversation_id)

    async def answers(self, conversation: ConversationId, *steps: Any) -> None:
        """Let the assistant take its turn."""
        plan = await self.turns.plan(conversation)
        assert plan is not None
        assert await self.turns.settle(
            plan,
            TurnReply(turn=plan.turn, steps=steps, intent="ask", confidence=0.83, model="test"),
        )

    async def queued(
        self,
        words: str = "I need a person",
        *,
        thread: str = "t1",
        who: str = "ada",
        priority: Priority = Priority.NORMAL,
        reason: HandoffReason = HandoffReason.ASKED_FOR_HUMAN,
        language: str = "en",
    ) -> ConversationId:
        """Let a requester end up in the queue; return the conversation."""
        conversation = await self.says(words, thread=thread, who=who, language=language)
        await self.answers(
            conversation,
            Say(text="I will get somebody."),
            Handoff(reason=reason, priority=priority, summary=f"{who} says: {words}"),
        )
        return conversation

    async def shown_article(self, conversation: ConversationId, article: ArticleId) -> None:
        """Let the assistant answer with an article."""
        await self.answers(conversation, Answer(article=article))

    async def agent(
        self, email: str = "ana@example.org", name: str = "Ana", role: Role = Role.AGENT
    ) -> Agent:
        """Add an agent."""
        return await self.access.add_agent(email, name, role)

    def client(self, **headers: str) -> httpx.AsyncClient:
        """Return a client of the desk's web application."""
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        return httpx.AsyncClient(transport=transport, base_url=BASE_URL, headers=headers)


@cache
def _application() -> FastAPI:
    """The routes of all desks for tests: they take longer to make than a test takes to run.

    The desk made last answers on them.
    """
    app = FastAPI(openapi_url="/api/openapi.json", docs_url=None, redoc_url=None)
    console.install_problems(app)
    console.include_routes(app)
    return app


def build_desk(
    sessions: Sessions,
    database_url: str,
    folder: Path,
    base_url: str = BASE_URL,
    take_back_seconds: int = 0,
) -> Desk:
    """Return a desk on a database; replies leave at once, unless they can be taken back."""
    clock = Clock()
    loopback = Loopback(AccountId("loop"))
    accounts = {
        ACCOUNT: Capabilities(reads_store=True),
        loopback.account: loopback.capabilities,
        IN_PERSON: Unread.capabilities,
        PROGRAMS: Unread.capabilities,
    }
    channels: dict[AccountId, Channel] = {loopback.account: loopback, IN_PERSON: Unread(IN_PERSON)}
    blobs = ObjectBlobs.at((folder / "blobs").as_uri())
    knowledge = Knowledge(sessions)
    tickets = Tickets(sessions, accounts, clock, base_url=base_url)
    held = HeldReplies(sessions, accounts, base_url, take_back_seconds, clock)
    vault = Vault(blobs, RULES, folder / "incoming", LooseBlobs(sessions, blobs))
    outbox = Outbox(sessions, accounts, now=clock)
    access = Access(sessions, b"key", BOT_TOKEN, clock, CHEAP_HASHES)
    live = Live(database_url, sessions)
    staffing = staffing_of(sessions, accounts, clock)
    letters = Letters(channels)
    registrations = Registrations(sessions, accounts, letters, clock)
    intake = Intake(
        sessions,
        blobs,
        accounts,
        ArrivalRules(reopen_window=timedelta(days=3), default_language="en"),
        clock,
    )
    sorting = TicketSorting(sessions, accounts, clock)
    spam = SpamFolder(sessions, accounts, clock)
    macros = Macros(sessions, accounts, base_url, clock)
    app = _application()

    async def readiness() -> dict[str, Any]:
        return {"ready": True, "components": {"database": "up"}}

    console.serve_with(
        app,
        console.ConsoleDesk(
            sessions=sessions,
            tickets=tickets,
            held=held,
            drafts=Drafts(sessions, clock),
            visits=Visits(sessions, clock),
            sorting=sorting,
            views=SavedViews(sessions),
            bulk=BulkActs(sessions, tickets, sorting, spam),
            categories=Categories(sessions, clock),
            priorities=Priorities(sessions),
            assets=Assets(sessions, clock),
            links=TicketLinks(sessions, accounts, clock),
            problems=Problems(sessions, accounts, clock),
            merging=TicketMerging(sessions, accounts, clock, base_url=base_url),
            spam=spam,
            link_codes=LinkCodes(sessions, accounts, {**channels, ACCOUNT: loopback}, clock),
            contacts=ContactBook(sessions),
            contact_merging=ContactMerging(sessions, accounts, clock),
            plans=SupportPlans(sessions, clock),
            organisations=Organisations(sessions, clock),
            knowledge=knowledge,
            synonyms=SynonymBook(sessions),
            topics=Topics(sessions, accounts, knowledge, clock),
            examples=ExampleBook(sessions, clock),
            versions=ModelVersions(sessions, clock),
            access=access,
            live=live,
            files=blobs,
            uploads=Uploads(sessions, Deposit(vault, blobs), clock),
            pictures=AgentPictures(sessions, vault),
            outbox=outbox,
            corrections=Corrections(sessions, accounts, clock),
            letters=letters,
            splitting=Splitting(sessions, accounts, letters, clock),
            rejoining=Rejoining(sessions, accounts, clock),
            requesters=Requesters(sessions, accounts, clock),
            registrations=registrations,
            sides=Sides(sessions, accounts, letters, clock),
            channels=channels,
            quarantine=Quarantine(sessions, blobs, intake, {loopback.account: loopback}, clock),
            base_url=base_url,
            readiness=readiness,
            catalogue=CatalogueDesk(
                items=CatalogueItems(sessions, clock),
                roles=ApprovalRoles(sessions),
                asking=Asking(sessions, accounts, clock),
                approvals=Approvals(sessions, accounts, ApprovalLinks(b"key", base_url), clock),
                mails=False,
                tasks=RequestTasks(sessions, accounts, clock),
            ),
            notices=Notices(sessions, clock),
            chat_notices=ChatNotices(sessions, clock),
            chat_codes=ChatCodes(sessions, clock),
            incoming_hooks=IncomingHooks(sessions, accounts, registrations, clock),
            rules=AutomationRules(sessions),
            trials=RuleTrials(sessions, accounts, base_url, clock),
            macros=macros,
            webhooks=Webhooks(sessions, b"key", clock),
            survey_answers=SurveyAnswers(sessions, accounts, SurveyLinks(b"key", base_url), clock),
            accounts=AccountBook(sessions, {"pager": pager.KIND}, b"key", now=clock),
            refused={"duty": 3},
            calendars=Calendars(sessions, clock),
            policies=Policies(sessions, clock),
            staffing=staffing,
        ),
    )
    return Desk(
        sessions=sessions,
        clock=clock,
        intake=intake,
        turns=Turns(
            sessions,
            accounts,
            TurnRules(
                deadline=timedelta(seconds=20),
                turn_cap=40,
                base_url=base_url,
                default_language="en",
            ),
            channels,
            clock,
        ),
        tickets=tickets,
        held=held,
        knowledge=knowledge,
        access=access,
        blobs=blobs,
        outbox=outbox,
        loopback=loopback,
        accounts=accounts,
        channels=channels,
        app=app,
        live=live,
        staffing=staffing,
    )
