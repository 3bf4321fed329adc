"""The audit log in sentences; English, of the catalogue."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType

from markupsafe import Markup, escape

from console.words.changes import who_in_words
from console.words.queue import LABELS
from console.words.states import ROLE
from core.domain.audited import Deed
from core.services import audit as log
from core.storage.queries.audit import AuditView

DONE: Mapping[Deed, str] = MappingProxyType(
    {
        "account.added": "{who} added the account {what}",
        "account.changed": "{who} changed the account {what}",
        "account.paused": "{who} paused the account {what}",
        "account.removed": "{who} removed the account {what}",
        "account.resumed": "{who} let the account {what} go on",
        "agent.abilities_changed": "{who} changed what {what} can do",
        "agent.added": "{who} added the agent {what}",
        "agent.disabled": "{who} disabled the agent {what}",
        "agent.enabled": "{who} enabled the agent {what} again",
        "agent.link_made": "{who} made a sign-in link for {what}",
        "agent.password_set": "{who} set a new password for {what}",
        "agent.presence_set": "{who} set the presence of {what}",
        "agent.renamed": "{who} changed the name or address of {what}",
        "agent.role_changed": "{who} changed the role of {what} to: {role}",
        "approval.refused": "{who} was not let decide on {what}",
        "article.deleted": "{who} deleted the article {what}",
        "article.question_added": "{who} added a question to the article {what}",
        "asset.added": "{who} added the asset {what}",
        "asset.changed": "{who} changed the asset {what}",
        "asset.imported": "{who} imported assets from a table",
        "assets.exported": "{who} saved the assets as a table",
        "assistant.tolerance_changed": "{who} changed how many wrong answers are tolerated",
        "audit.exported": "{who} saved the audit log as a table",
        "calendar.added": "{who} added the calendar {what}",
        "calendar.changed": "{who} changed the calendar {what}",
        "calendar.removed": "{who} removed the calendar {what}",
        "catalogue.item_added": "{who} added {what} to the catalogue",
        "catalogue.item_archived": "{who} archived {what} of the catalogue",
        "catalogue.item_changed": "{who} changed {what} of the catalogue",
        "catalogue.item_restored": "{who} brought {what} of the catalogue back",
        "catalogue.role_added": "{who} added the approvers {what}",
        "catalogue.role_changed": "{who} changed the approvers {what}",
        "catalogue.role_removed": "{who} removed the approvers {what}",
        "category.added": "{who} added the category {what}",
        "category.archived": "{who} archived the category {what}",
        "category.changed": "{who} changed the category {what}",
        "category.field_added": "{who} added a field to the category {what}",
        "category.field_archived": "{who} archived a field of the category {what}",
        "category.field_changed": "{who} changed a field of the category {what}",
        "category.restored": "{who} brought the category {what} back",
        "closing_rule.changed": "{who} changed when inactive tickets are closed",
        "contact.added": "{who} added the requester {what}",
        "contact.changed": "{who} changed the requester {what}",
        "contact.code_asked": "{who} asked for a code for {what}",
        "contact.code_refused": "{who} typed a wrong code for {what}",
        "contact.linked": "{who} proved the address {what}",
        "contact.merged": "{who} merged another requester into {what}",
        "contact.parted": "{who} undid the merge of another requester into {what}",
        "conversation.taken_over": "{who} took the conversation {what} over from the assistant",
        "example.changed": "{who} changed the example “{what}”",
        "example.proposed": "{who} proposed the example “{what}”",
        "example.removed": "{who} removed the example “{what}”",
        "example.reviewed": "{who} decided on the example “{what}”",
        "incoming_hook.added": "{who} added the incoming webhook {what}",
        "incoming_hook.address_renewed": "{who} gave the incoming webhook {what} a new address",
        "incoming_hook.changed": "{who} changed the incoming webhook {what}",
        "incoming_hook.limited": "{who} reported more often than it may: {what}",
        "incoming_hook.removed": "{who} removed the incoming webhook {what}",
        "macro.added": "{who} added the macro {what}",
        "macro.changed": "{who} changed the macro {what}",
        "macro.removed": "{who} removed the macro {what}",
        "model.asked": "{who} had the assistant's model trained: {what}",
        "model.given_up": "{who} gave up training the assistant's model: {what}",
        "model.passed": "{who} let the assistant's model pass: {what}",
        "model.used": "{who} had the assistant use a model: {what}",
        "organisation.added": "{who} added the organisation {what}",
        "organisation.archived": "{who} archived the organisation {what}",
        "organisation.changed": "{who} changed the organisation {what}",
        "organisation.restored": "{who} brought the organisation {what} back",
        "plan.added": "{who} added the support plan {what}",
        "plan.archived": "{who} archived the support plan {what}",
        "plan.changed": "{who} changed the support plan {what}",
        "plan.restored": "{who} brought the support plan {what} back",
        "priorities.changed": "{who} changed how impact and urgency make a priority",
        "report.exported": "{who} took figures out: {what}",
        "request.refused": "{who} was not let do this: {what}",
        "rule.added": "{who} added the rule {what}",
        "rule.changed": "{who} changed the rule {what}",
        "rule.disabled": "{who} switched the rule {what} off",
        "rule.enabled": "{who} switched the rule {what} on",
        "rule.held_back": "{who} applied to a ticket too often and was held back",
        "rule.moved": "{who} moved the rule {what}",
        "rule.removed": "{who} removed the rule {what}",
        "satisfaction.rules_changed": "{who} changed when requesters are asked about satisfaction",
        "setting.changed": "{who} changed how tickets are assigned",
        "sign_in.done": "{who} signed in",
        "sign_in.failed": "{who} could not sign in: {what}",
        "sla_policy.added": "{who} added the policy {what}",
        "sla_policy.changed": "{who} changed the policy {what}",
        "sla_policy.removed": "{who} removed the policy {what}",
        "sla_policy.reordered": "{who} changed the order of the policies",
        "survey.refused": "{who} could not answer a survey or open its ticket again: {what}",
        "team.archived": "{who} archived the team {what}",
        "team.changed": "{who} changed the team {what}",
        "team.created": "{who} created the team {what}",
        "team.member_added": "{who} added a member to a team: {what}",
        "team.member_changed": "{who} changed the part of a member of a team: {what}",
        "team.member_removed": "{who} removed a member from a team: {what}",
        "team.restored": "{who} brought the team {what} back",
        "ticket.exported": "{who} saved tickets as a table: {what}",
        "ticket.marked_spam": "{who} marked ticket {what} as spam",
        "ticket.merge_refused": "{who} could not merge a ticket into {what}",
        "ticket.merge_undone": "{who} undid the merge of tickets: {what}",
        "ticket.merged": "{who} merged tickets: {what}",
        "ticket.not_spam": "{who} said that ticket {what} is no spam",
        "ticket.refused": "{who} was not let act on ticket {what}",
        "ticket.split": "{who} split off a part of ticket {what}",
        "ticket.split_undone": "{who} put back what was split off: {what}",
        "token.created": "{who} created an API token: {what}",
        "token.revoked": "{who} revoked an API token: {what}",
        "topic.decided": "{who} decided on the topic {what}",
        "view.changed": "{who} changed the shared view {what}",
        "view.removed": "{who} removed the shared view {what}",
        "view.shared": "{who} shared the view {what}",
        "webhook.added": "{who} added the webhook {what}",
        "webhook.changed": "{who} changed the webhook {what}",
        "webhook.removed": "{who} removed the webhook {what}",
        "webhook.repeated": "{who} sent a call of the webhook {what} again",
        "webhook.secret_renewed": "{who} gave the webhook {what} a new secret",
    }
)
"""What was done, by whom to what."""

AREA: Mapping[str, str] = MappingProxyType(
    {
        "account": "Accounts",
        "agent": "Agents",
        "approval": "Approvals",
        "article": "Articles",
        "asset": "Assets",
        "assets": "Saved assets",
        "assistant": "Assistant",
        "audit": "Audit log",
        "calendar": "Calendars",
        "catalogue": "Catalogue",
        "category": "Categories",
        "closing_rule": "Closing of inactive tickets",
        "contact": "Requesters",
        "conversation": "Conversations",
        "example": "Examples",
        "incoming_hook": "Incoming webhooks",
        "macro": "Macros",
        "model": "Models",
        "organisation": "Organisations",
        "plan": "Support plans",
        "priorities": "Priorities",
        "report": "Figures",
        "request": "Refusals",
        "rule": "Rules",
        "satisfaction": "Satisfaction",
        "setting": "Assignment",
        "sign_in": "Sign-ins",
        "sla_policy": "Policies",
        "survey": "Surveys",
        "team": "Teams",
        "ticket": "Tickets",
        "token": "API tokens",
        "topic": "Topics",
        "view": "Shared views",
        "webhook": "Webhooks",
    }
)
"""What deeds are about, by the first part of their names."""

_DEEDS: Mapping[str, str] = MappingProxyType({str(deed): said for deed, said in DONE.items()})


def sentence(entry: AuditView, t: Callable[..., str]) -> Markup:
    """Return what an entry says, with who did it and what to marked; its code where it is unknown.

    An entry may be older, or newer, than the words here.
    """
    said = _DEEDS.get(entry.action, "{who}: {deed} {what}")
    parts = {
        "who": Markup("<strong>{}</strong>").format(actor_in_words(entry, t)),
        "what": Markup("<span class=what>{}</span>").format(_subject(entry, t)),
        "role": escape(_role(entry, t)),
        "deed": escape(entry.action),
    }
    return escape(t(said)).format(**parts)


def actor_in_words(entry: AuditView, t: Callable[..., str]) -> str:
    """Return who did what an entry says."""
    return who_in_words(entry.actor, entry.actor_name, t)


def choices_in_words(
    actions: Iterable[str], t: Callable[..., str]
) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return what the log can be searched by, told apart by what it is about.

    Each with its code, what is everything about that first.
    """
    by_area: dict[str, list[str]] = {}
    for action in actions:
        by_area.setdefault(action.partition(".")[0], []).append(action)
    found = []
    for area, codes in by_area.items():
        options = [(f"{area}.", t("all of them"))]
        options += sorted(
            ((code, _alone(code, t)) for code in codes if not code.endswith(".")),
            key=lambda option: option[1],
        )
        found.append((t(AREA.get(area, area)), options))
    return sorted(found)


def _alone(code: str, t: Callable[..., str]) -> str:
    """Return what a deed is called where nobody did it yet."""
    said = t(_DEEDS.get(code, code), who="", what="…", role="…")
    return said.strip().rstrip(" …:")


SUBJECT: Mapping[tuple[str, str], str] = MappingProxyType(
    {
        ("approval", log.MADE_UP_LINK): "a link that was not made here",
        ("sign_in", log.MADE_UP_LINK): "a link that was not made here",
        ("sign_in", log.UNKNOWN_ADDRESS): "an address that nobody has",
        ("survey", log.MADE_UP_LINK): "a link that was not made here",
        ("survey", log.ASSISTANT): "the assistant",
    }
)
"""What subjects that have no name of their own are called, by kind and by what is kept."""


def _subject(entry: AuditView, t: Callable[..., str]) -> str:
    if entry.subject_id == "all" and entry.subject_kind == "ticket":
        return entry.subject_name  # what was exported, before entries said it by key
    if entry.subject_kind == "tab" and entry.subject_id in LABELS:
        return t(LABELS[entry.subject_id])
    for (kind, code), said in SUBJECT.items():
        # Entries cannot be changed: older ones hold the words themselves.
        if entry.subject_kind == kind and entry.subject_name in (code, said):
            return t(said)
    if entry.subject_kind != "ticket" or entry.subject_name.startswith("#"):
        return entry.subject_name
    return f"#{entry.subject_id} {entry.subject_name}"


def _role(entry: AuditView, t: Callable[..., str]) -> str:
    role = (entry.new or {}).get("role", "")
    return t(ROLE[role]).lower() if role in ROLE else str(role)
