"""The mapped tables, one module per noun."""

from core.storage.tables.aside import PayloadAside
from core.storage.tables.asset import Asset
from core.storage.tables.assignment import AssignmentPolicy, RoutingRule, TicketRouting
from core.storage.tables.audit import AuditEntry
from core.storage.tables.automation import (
    AutomationRule,
    AutomationRun,
    IncomingAlert,
    IncomingHook,
    Macro,
    Webhook,
    WebhookDelivery,
)
from core.storage.tables.base import Base
from core.storage.tables.catalogue import (
    ApprovalAsk,
    ApprovalRole,
    Approver,
    CatalogueItem,
    CatalogueTask,
    ItemRequest,
    RequestTask,
)
from core.storage.tables.category import Category
from core.storage.tables.classification import (
    FormField,
    PriorityRule,
    Tag,
    TicketField,
    TicketWatcher,
)
from core.storage.tables.contact_merge import ContactMerge
from core.storage.tables.conversation import (
    Attachment,
    ChoiceRow,
    Conversation,
    Message,
    MessageRevision,
    Participant,
    RemoteMessage,
)
from core.storage.tables.figures import FigureChange, FigureSum, FigureZone, TicketFigure
from core.storage.tables.files import LooseBlob, Upload
from core.storage.tables.intake import (
    Account,
    ChannelCursor,
    EarlyEvent,
    InboundEvent,
    Quarantined,
)
from core.storage.tables.knowledge import (
    ArticleFeedback,
    ArticleRow,
    NearWord,
    OfferThreshold,
    Passage,
    Posting,
    SynonymsRow,
)
from core.storage.tables.learning import (
    ModelVersion,
    Topic,
    TopicItem,
    TrainingExample,
    TurnRecord,
)
from core.storage.tables.link_code import LinkCode
from core.storage.tables.notification import (
    AccessNotice,
    ChatCode,
    Notification,
    NotificationWish,
)
from core.storage.tables.organisation import Organisation, SupportPlan
from core.storage.tables.people import (
    AgentRow,
    AgentSession,
    ApiToken,
    Contact,
    ContactAddress,
    SignInFailure,
    SignInLink,
)
from core.storage.tables.reaction import ReactionFailure
from core.storage.tables.satisfaction import Satisfaction, SurveyRule
from core.storage.tables.search import SearchProgress, SearchWord
from core.storage.tables.setback import Setback
from core.storage.tables.similarity import TicketVector
from core.storage.tables.sla import CalendarRow, ClosingRule, SlaClock, SlaPolicy, SlaTicket
from core.storage.tables.team import AgentPresence, Team, TeamEscalation, TeamMember
from core.storage.tables.ticket import RANK_OF_PRIORITY, Ticket, TicketEvent
from core.storage.tables.ticket_link import ProblemUpdate, TicketLink
from core.storage.tables.ticket_merge import TicketMerge
from core.storage.tables.tolerance import AnswerTolerance, OwnFinding
from core.storage.tables.view import SavedView
from core.storage.tables.visit import Visit
from core.storage.tables.work import Delivery, FeedEntry, Milestone, ProcessBeat, Turn
from core.storage.tables.writing import Draft, HeldReply

__all__ = [
    "RANK_OF_PRIORITY",
    "AccessNotice",
    "Account",
    "AgentPresence",
    "AgentRow",
    "AgentSession",
    "AnswerTolerance",
    "ApiToken",
    "ApprovalAsk",
    "ApprovalRole",
    "Approver",
    "ArticleFeedback",
    "ArticleRow",
    "Asset",
    "AssignmentPolicy",
    "Attachment",
    "AuditEntry",
    "AutomationRule",
    "AutomationRun",
    "Base",
    "CalendarRow",
    "CatalogueItem",
    "CatalogueTask",
    "Category",
    "ChannelCursor",
    "ChatCode",
    "ChoiceRow",
    "ClosingRule",
    "Contact",
    "ContactAddress",
    "ContactMerge",
    "Conversation",
    "Delivery",
    "Draft",
    "EarlyEvent",
    "FeedEntry",
    "FigureChange",
    "FigureSum",
    "FigureZone",
    "FormField",
    "HeldReply",
    "InboundEvent",
    "IncomingAlert",
    "IncomingHook",
    "ItemRequest",
    "LinkCode",
    "LooseBlob",
    "Macro",
    "Message",
    "MessageRevision",
    "Milestone",
    "ModelVersion",
    "NearWord",
    "Notification",
    "NotificationWish",
    "OfferThreshold",
    "Organisation",
    "OwnFinding",
    "Participant",
    "Passage",
    "PayloadAside",
    "Posting",
    "PriorityRule",
    "ProblemUpdate",
    "ProcessBeat",
    "Quarantined",
    "ReactionFailure",
    "RemoteMessage",
    "RequestTask",
    "RoutingRule",
    "Satisfaction",
    "SavedView",
    "SearchProgress",
    "SearchWord",
    "Setback",
    "SignInFailure",
    "SignInLink",
    "SlaClock",
    "SlaPolicy",
    "SlaTicket",
    "SupportPlan",
    "SurveyRule",
    "SynonymsRow",
    "Tag",
    "Team",
    "TeamEscalation",
    "TeamMember",
    "Ticket",
    "TicketEvent",
    "TicketField",
    "TicketFigure",
    "TicketLink",
    "TicketMerge",
    "TicketRouting",
    "TicketVector",
    "TicketWatcher",
    "Topic",
    "TopicItem",
    "TrainingExample",
    "Turn",
    "TurnRecord",
    "Upload",
    "Visit",
    "Webhook",
    "WebhookDelivery",
]
