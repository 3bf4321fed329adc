"""The web process: console, JSON API, public pages and the channels' own routes."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from importlib import metadata
from typing import Any

import uvicorn
from fastapi import FastAPI
from sqlalchemy import text

import console
from console.desk import CatalogueDesk
from core.domain.errors import StorageUnavailable
from core.ports import HandlesRequests
from core.runtime.live import Live, LiveTranscript
from core.runtime.machine.home import Home
from core.runtime.machine.memory import give_back, settle
from core.runtime.supervision.on_demand import tell
from core.runtime.supervision.supervised import exit_with_parent
from core.services.automation.incoming import IncomingHooks
from core.services.automation.macros import Macros
from core.services.automation.rulebook import AutomationRules
from core.services.automation.simulating import RuleTrials
from core.services.automation.webhooks import Webhooks as OutgoingWebhooks
from core.services.catalogue.approving import Approvals
from core.services.catalogue.asking import Asking
from core.services.catalogue.items import CatalogueItems
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
from core.services.files.deposit import Deposit
from core.services.files.uploads import Uploads
from core.services.intake.quarantine import Quarantine
from core.services.knowledge import SynonymBook
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
from core.services.sla.calendars import Calendars
from core.services.sla.policies import Policies
from core.services.tickets.bulk import BulkActs
from core.services.tickets.registrations import Registrations
from core.services.tickets.spam import SpamFolder
from core.services.tickets.views import SavedViews
from core.services.writing.corrections import Corrections
from core.services.writing.drafts import Drafts
from core.services.writing.pictures import AgentPictures
from core.services.writing.visits import Visits
from core.settings import Settings
from core.storage.engine import storage_errors
from core.storage.queries.accounts.accounts import AccountView
from core.storage.queries.lanes import is_alive
from core.wiring.description import Description, written
from core.wiring.files import vault_of
from core.wiring.parts import Parts, build_parts, database_url
from core.wiring.process import begin_log
from core.wiring.webhooks import RefusalCount, Webhooks

_WORKER_SILENCE = timedelta(seconds=10)


async def readiness(parts: Parts) -> dict[str, Any]:
    """Say which components are up, in the form of `/readyz`."""
    components = {"database": "down", "worker": "down", "assistant": "down"}
    accounts = {}
    with contextlib.suppress(StorageUnavailable):
        async with storage_errors(), parts.sessions() as session:
            await session.execute(text("SELECT 1"))
            components["database"] = "up"
            if await is_alive(session, "worker", _WORKER_SILENCE):
                components["worker"] = "up"
        accounts = {account.id: _as_json(account) for account in await parts.account_book.list()}
    if await parts.assistant.is_ready():
        components["assistant"] = "up"
    return {
        "ready": all(state == "up" for state in components.values()),
        "components": components,
        "accounts": accounts,
    }


def _as_json(account: AccountView) -> dict[str, str]:
    health = account.health
    return {
        "kind": account.kind,
        "state": health.state,
        "reason": health.reason,
        "remedy": health.remedy,
    }


def build_app(settings: Settings) -> FastAPI:
    """Return the web application: console, JSON API, public pages and the channels' own routes."""
    parts = build_parts(settings, "desk serve")
    live = Live(database_url(settings), parts.sessions)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        with contextlib.suppress(StorageUnavailable):  # `watch` goes on trying
            await parts.directory.refresh()
        tasks = [
            asyncio.create_task(live.run(), name="live feed"),
            asyncio.create_task(parts.directory.watch(), name="accounts"),
            asyncio.create_task(want_receivers(parts), name="receivers wanted"),
        ]
        give_back()
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await parts.close()

    app = FastAPI(
        title="Ventanilla",
        version=metadata.version("ventanilla"),
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
    )
    console.install_problems(app, settings.max_file_bytes)
    # The channels' routes come before the console's many: routes are tried in order, and looking
    # through the others first took a fifth of the time that storing a message takes.
    intake, transcript = parts.intake(), LiveTranscript(parts.sessions, live, parts.blobs)
    for channel in parts.channels.values():
        if isinstance(channel, HandlesRequests):
            app.router.routes.extend(channel.routes(intake, transcript))
    app.router.routes.append(Webhooks(parts.directory, intake, transcript))
    app.router.routes.append(Description(app, settings).route())
    refused: Counter[str] = Counter()
    app.add_middleware(RefusalCount, directory=parts.directory, counts=refused)
    vault = vault_of(settings, parts.blobs, parts.sessions)
    letters = Letters(parts.channels)
    registrations = Registrations(parts.sessions, parts.accounts, letters)
    sorting = TicketSorting(parts.sessions, parts.accounts)
    spam = SpamFolder(parts.sessions, parts.accounts)
    macros = Macros(parts.sessions, parts.accounts, settings.base_url)
    console.include(
        app,
        console.ConsoleDesk(
            sessions=parts.sessions,
            tickets=parts.tickets,
            held=parts.held,
            drafts=Drafts(parts.sessions),
            visits=Visits(parts.sessions),
            sorting=sorting,
            views=SavedViews(parts.sessions),
            bulk=BulkActs(parts.sessions, parts.tickets, sorting, spam),
            categories=Categories(parts.sessions),
            priorities=Priorities(parts.sessions),
            assets=Assets(parts.sessions),
            links=TicketLinks(parts.sessions, parts.accounts),
            merging=TicketMerging(parts.sessions, parts.accounts, base_url=settings.base_url),
            spam=spam,
            link_codes=LinkCodes(parts.sessions, parts.accounts, parts.channels),
            problems=Problems(parts.sessions, parts.accounts),
            contacts=ContactBook(parts.sessions),
            contact_merging=ContactMerging(parts.sessions, parts.accounts),
            plans=SupportPlans(parts.sessions),
            organisations=Organisations(parts.sessions),
            knowledge=parts.knowledge,
            synonyms=SynonymBook(parts.sessions),
            topics=Topics(parts.sessions, parts.accounts, parts.knowledge),
            examples=ExampleBook(parts.sessions),
            versions=ModelVersions(parts.sessions),
            access=parts.access,
            live=live,
            files=parts.blobs,
            uploads=Uploads(parts.sessions, Deposit(vault, parts.blobs)),
            pictures=AgentPictures(parts.sessions, vault),
            outbox=parts.outbox,
            corrections=Corrections(parts.sessions, parts.accounts),
            letters=letters,
            splitting=Splitting(parts.sessions, parts.accounts, letters),
            rejoining=Rejoining(parts.sessions, parts.accounts),
            requesters=Requesters(parts.sessions, parts.accounts),
            registrations=registrations,
            sides=Sides(parts.sessions, parts.accounts, letters),
            channels=parts.channels,
            quarantine=Quarantine(parts.sessions, parts.blobs, intake, parts.channels),
            base_url=settings.base_url,
            readiness=lambda: readiness(parts),
            survey_answers=SurveyAnswers(parts.sessions, parts.accounts, parts.survey_links),
            catalogue=CatalogueDesk(
                items=CatalogueItems(parts.sessions),
                roles=ApprovalRoles(parts.sessions),
                asking=Asking(parts.sessions, parts.accounts),
                approvals=Approvals(parts.sessions, parts.accounts, parts.approval_links),
                mails=settings.notify_smtp_url is not None,
                tasks=RequestTasks(parts.sessions, parts.accounts),
            ),
            notices=Notices(parts.sessions),
            chat_notices=ChatNotices(parts.sessions),
            chat_codes=ChatCodes(parts.sessions),
            incoming_hooks=IncomingHooks(parts.sessions, parts.accounts, registrations),
            rules=AutomationRules(parts.sessions),
            trials=RuleTrials(parts.sessions, parts.accounts, settings.base_url),
            macros=macros,
            webhooks=OutgoingWebhooks(parts.sessions, settings.key),
            accounts=parts.account_book,
            staffing=parts.staffing,
            refused=refused,
            calendars=Calendars(parts.sessions),
            policies=Policies(parts.sessions),
        ),
    )
    return app


async def want_receivers(parts: Parts) -> None:
    """Let `desk run` know whether some account's platform has to be asked for news."""
    async for _ in parts.directory.changes():
        if not parts.directory.is_known:
            continue  # the database is away: whoever receives goes on
        tell(Home.at(parts.settings.home).receivers_wanted, is_wanted=bool(parts.directory.polling))


def describe(settings: Settings) -> None:
    """Print the description of the API."""
    sys.stdout.buffer.write(written(build_app(settings)))


def serve(settings: Settings) -> None:
    """Serve the web until told to stop."""
    exit_with_parent()
    begin_log(settings)
    app = build_app(settings)
    settle()
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        access_log=False,
        log_config=None,
        ws="none",
        timeout_graceful_shutdown=3,
        server_header=False,
        proxy_headers=True,
        forwarded_allow_ips=settings.forwarded_allow_ips,
    )
    uvicorn.Server(config).run()
