"""The use cases that the console and the JSON API offer, put together."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from console.desk import CatalogueDesk, ConsoleDesk
from core.domain.networks import own_hosts
from core.runtime.live import Live
from core.services.automation.incoming import IncomingHooks
from core.services.automation.macros import Macros
from core.services.automation.rulebook import AutomationRules
from core.services.automation.simulating import RuleTrials
from core.services.automation.webhooks import Webhooks
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
from core.services.intake.inbox import Intake
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
from core.wiring.files import vault_of
from core.wiring.parts import Parts


def console_desk(
    parts: Parts,
    live: Live,
    intake: Intake,
    refused: Mapping[str, int],
    readiness: Callable[[], Awaitable[Mapping[str, Any]]],
) -> ConsoleDesk:
    """Return what pages and routes call.

    `refused` counts the calls of platforms that were refused, by account; `readiness` says which
    components are up.
    """
    settings = parts.settings
    vault = vault_of(settings, parts.blobs, parts.sessions)
    letters = Letters(parts.channels)
    registrations = Registrations(parts.sessions, parts.accounts, letters)
    sorting = TicketSorting(parts.sessions, parts.accounts)
    spam = SpamFolder(parts.sessions, parts.accounts)
    return ConsoleDesk(
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
        readiness=readiness,
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
        incoming_hooks=IncomingHooks(
            parts.sessions,
            parts.accounts,
            registrations,
            per_minute=settings.hook_reports_per_minute,
        ),
        rules=AutomationRules(parts.sessions),
        trials=RuleTrials(parts.sessions, parts.accounts, settings.base_url),
        macros=Macros(parts.sessions, parts.accounts, settings.base_url),
        webhooks=Webhooks(
            parts.sessions,
            settings.key,
            own_hosts=own_hosts(settings.webhook_own_hosts or ""),
        ),
        accounts=parts.account_book,
        staffing=parts.staffing,
        refused=refused,
        calendars=Calendars(parts.sessions),
        policies=Policies(parts.sessions),
    )
