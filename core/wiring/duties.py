"""What the desk does by itself: about each change of a ticket, and by the clock.

The order of reactors is the order in which they see a change: first what sorts a ticket, then
what counts its time and finds somebody for it, last what tells others about it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from core.adapters.smtp import SmtpPostman
from core.domain.networks import own_hosts
from core.runtime.access_notices import AccessMails
from core.runtime.approvals import ApprovalMails
from core.runtime.chat_notices import ChatMessages
from core.runtime.link_codes import LinkCodeMails
from core.runtime.model_keeping import ModelKeeping
from core.runtime.notices import NoticeMails
from core.runtime.upkeep import Duty
from core.runtime.webhooks import WebhookCalls
from core.services.access.telling import AccessNotices
from core.services.automation.rules import IdleRules, RuleShelf, RulesOfTickets
from core.services.automation.webhooks import Webhooks, WebhooksOfTickets
from core.services.catalogue.buttons import ApprovalChats
from core.services.catalogue.letters import ApprovalLetters
from core.services.catalogue.tasks import RequestsOfTickets
from core.services.classification.similarity import VectorsOfTickets, WordsOfTickets
from core.services.figures.counting import Counting
from core.services.figures.facts import FiguresOfTickets
from core.services.intake.asides import Asides
from core.services.learning.forgetting import TurnForgetting
from core.services.learning.gathering import TopicGathering
from core.services.learning.offers import Offers
from core.services.learning.versions import ModelVersions
from core.services.linking.codes import LinkCodes
from core.services.links.problems import Problems
from core.services.notifications.in_chat import ChatNotices
from core.services.notifications.queues import QueueNotices
from core.services.notifications.reading import Notices
from core.services.notifications.telling import NoticesOfTickets
from core.services.reactions import Reactor
from core.services.requester_records.organisation_of_tickets import OrganisationOfTickets
from core.services.satisfaction.asking import SurveysOfTickets, SurveySweep
from core.services.satisfaction.of_assistant import SurveysOfAssistant
from core.services.search.vocabulary import Vocabulary
from core.services.sla.clocks import ClocksOfTickets, ClockSweep
from core.services.sla.closing import ClosingSweep
from core.services.sla.rules import PromiseBook
from core.services.teams.routing import RoutingOfTickets
from core.services.teams.wanting import WantingTickets
from core.services.tickets.due_dates import DueDateSweep
from core.services.writing.drafts import Drafts
from core.services.writing.visits import Visits
from core.wiring.parts import Parts


def reactors_of(parts: Parts) -> Sequence[Reactor]:
    """Return what reacts to changes of tickets, in order."""
    return (
        OrganisationOfTickets(),
        RoutingOfTickets(),
        RulesOfTickets(RuleShelf(), parts.settings.base_url),
        WantingTickets(),
        WordsOfTickets(),
        _clocks(parts, PromiseBook()),
        RequestsOfTickets(),
        SurveysOfTickets(parts.survey_links),
        NoticesOfTickets(),
        WebhooksOfTickets(),
        FiguresOfTickets(),
    )


def duties_of(parts: Parts) -> Sequence[Duty]:
    """Return what is looked at once a second."""
    book = PromiseBook()
    clocks = ClockSweep(parts.sessions, parts.accounts, _clocks(parts, book))
    closing = ClosingSweep(parts.sessions, parts.accounts, book)
    surveys = SurveySweep(parts.sessions, parts.accounts, parts.survey_links)
    surveys_of_assistant = SurveysOfAssistant(parts.sessions, parts.accounts, parts.survey_links)
    idle = IdleRules(parts.sessions, parts.accounts, RuleShelf(), parts.settings.base_url)
    figures = Counting(parts.sessions, book)
    return (
        parts.held.send_due,
        parts.staffing.escalations.escalate_due,
        parts.staffing.returning.return_due,
        parts.staffing.assignment.fill_due,
        QueueNotices(parts.sessions).tell_due,
        clocks.note_due,
        clocks.apply_new_rules,
        closing.end_due,
        DueDateSweep(parts.sessions, parts.accounts).remind_due,
        surveys.do_due,
        surveys_of_assistant.do_due,
        ApprovalChats(parts.sessions, parts.channels, parts.accounts).ask_due,
        idle.apply_due,
        figures.count_due,
        Problems(parts.sessions, parts.accounts).tell_due,
        LinkCodes(parts.sessions, parts.accounts, parts.channels).join_due,
        Vocabulary(parts.sessions).learn,
        Offers(parts.sessions).pass_over_due,
        Asides(parts.sessions).forget_due,
    )


def tidying_of(parts: Parts) -> Sequence[Duty]:
    """Return what is forgotten, looked at once an hour."""
    webhooks = Webhooks(parts.sessions, parts.settings.key)
    idle = IdleRules(parts.sessions, parts.accounts, RuleShelf(), parts.settings.base_url)
    topics = TopicGathering(parts.sessions, parts.embedder)
    return (
        webhooks.forget_old,
        AccessNotices(parts.sessions).forget_old,
        Notices(parts.sessions).forget_old,
        idle.forget_old,
        topics.forget_old,
        TurnForgetting(parts.sessions, parts.settings.turn_log_days).forget_old,
        Drafts(parts.sessions).forget_old,
        Visits(parts.sessions).forget_old,
    )


def callers_of(parts: Parts) -> Sequence[Duty]:
    """Return what calls others over the network; each is looked at by itself, once a second."""
    settings = parts.settings
    vectors = VectorsOfTickets(parts.sessions, parts.embedder)
    proxy = settings.webhook_proxy
    calls = WebhookCalls(
        Webhooks(parts.sessions, settings.key),
        own_hosts(settings.webhook_own_hosts or ""),
        proxy=None if proxy is None else proxy.get_secret_value(),
    )
    chat = ChatMessages(ChatNotices(parts.sessions), parts.channels, settings.base_url)
    topics = TopicGathering(parts.sessions, parts.embedder)
    models = ModelKeeping(ModelVersions(parts.sessions), parts.models)
    codes = LinkCodeMails(LinkCodes(parts.sessions, parts.accounts, parts.channels), parts.channels)
    usual = (
        calls.make_due,
        vectors.embed_due,
        topics.gather_due,
        models.keep_due,
        chat.write_due,
        codes.send_due,
    )
    if settings.notify_smtp_url is None:
        return usual
    postman = SmtpPostman(settings.notify_smtp_url.get_secret_value(), settings.notify_from)
    mails = NoticeMails(Notices(parts.sessions), postman, settings.base_url)
    access = AccessMails(AccessNotices(parts.sessions), postman, settings.base_url)
    approvals = ApprovalMails(ApprovalLetters(parts.sessions, parts.approval_links), postman)
    return (*usual, mails.send_due, approvals.send_due, access.send_due)


def _clocks(parts: Parts, book: PromiseBook) -> ClocksOfTickets:
    return ClocksOfTickets(timedelta(hours=parts.settings.solved_grace_hours), book)
