"""What the console and the JSON API need of the desk, and where requests find it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from starlette.requests import Request

from core.domain.ids import AccountId
from core.ports import Channel, FileStore
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
from core.services.files.uploads import Uploads
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
from core.services.sla.calendars import Calendars
from core.services.sla.policies import Policies
from core.services.teams.staffing import Staffing
from core.services.tickets.bulk import BulkActs
from core.services.tickets.registrations import Registrations
from core.services.tickets.spam import SpamFolder
from core.services.tickets.tickets import Tickets
from core.services.tickets.views import SavedViews
from core.services.writing.corrections import Corrections
from core.services.writing.drafts import Drafts
from core.services.writing.held import HeldReplies
from core.services.writing.pictures import AgentPictures
from core.services.writing.visits import Visits
from core.storage.engine import Sessions


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogueDesk:
    """What is done with the request catalogue over HTTP."""

    items: CatalogueItems
    roles: ApprovalRoles
    asking: Asking
    approvals: Approvals
    mails: bool  # whether letters to those who approve can leave
    tasks: RequestTasks


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsoleDesk:
    """The parts of a running desk that agents and programs reach over HTTP."""

    sessions: Sessions
    tickets: Tickets
    held: HeldReplies
    drafts: Drafts
    visits: Visits
    sorting: TicketSorting
    views: SavedViews
    bulk: BulkActs
    categories: Categories
    priorities: Priorities
    assets: Assets
    links: TicketLinks
    problems: Problems
    merging: TicketMerging
    spam: SpamFolder
    link_codes: LinkCodes
    contacts: ContactBook
    contact_merging: ContactMerging
    organisations: Organisations
    plans: SupportPlans
    knowledge: Knowledge
    synonyms: SynonymBook
    topics: Topics
    examples: ExampleBook
    versions: ModelVersions
    access: Access
    live: Live
    base_url: str
    readiness: Callable[[], Awaitable[Mapping[str, Any]]]  # what /readyz answers
    files: FileStore  # what people sent along; and quarantined payloads
    uploads: Uploads
    pictures: AgentPictures
    outbox: Outbox
    corrections: Corrections
    letters: Letters
    splitting: Splitting
    rejoining: Rejoining
    requesters: Requesters
    registrations: Registrations
    sides: Sides
    channels: Mapping[AccountId, Channel]  # of connected accounts; they come and go
    quarantine: Quarantine
    survey_answers: SurveyAnswers
    catalogue: CatalogueDesk
    rules: AutomationRules
    trials: RuleTrials
    macros: Macros
    notices: Notices
    chat_notices: ChatNotices
    chat_codes: ChatCodes
    webhooks: Webhooks
    incoming_hooks: IncomingHooks
    accounts: AccountBook
    calendars: Calendars
    policies: Policies
    staffing: Staffing
    refused: Mapping[str, int]  # requests to accounts' addresses that this process refused

    @property
    def is_secure(self) -> bool:
        """Whether people reach the desk over https, so that cookies may insist on it."""
        return self.base_url.startswith("https://")


def desk_of(request: Request) -> ConsoleDesk:
    """Return the desk that serves `request`; `console.serve_with` put it there."""
    return cast("ConsoleDesk", request.app.state.console)
