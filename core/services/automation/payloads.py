"""What webhooks are told of a ticket, in JSON."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import select

from core.services.case import Case
from core.services.reactions.reactor import TicketChange
from core.storage.tables import Contact, FormField, Message, Organisation


async def payload_of(case: Case, event: str, change: TicketChange | None = None) -> dict[str, Any]:
    """Return what is told of the locked `case`, and of what changed, to be kept until it is sent.

    A ticket's own text, internal notes too, is told with `ticket.message` alone.
    """
    ticket = case.ticket
    said = change.new if change is not None and change.field == "message" else None
    return {
        "event": event,
        "at": case.ledger.now.isoformat(),
        "ticket": {
            "id": str(ticket.id),
            "number": ticket.number,
            "status": ticket.status,
            "priority": ticket.priority,
            "type": ticket.kind,
            "impact": ticket.impact,
            "urgency": ticket.urgency,
            "level": ticket.level,
            "subject": ticket.subject,
            "reason": ticket.reason,
            "language": ticket.language,
            "team_id": _text(ticket.team_id),
            "assignee_id": _text(ticket.assignee_id),
            "category_id": _text(ticket.category_id),
            "fields": await _fields(case),
            "tags": list(ticket.tags),
            "conversation_id": str(ticket.conversation_id),
            "created_at": ticket.created_at.isoformat(),
        },
        "requester": await _requester(case),
        "message": None if said is None else await _message(case, UUID(said)),
        "change": None
        if change is None
        else {
            "field": change.field,
            "old": change.old,
            "new": change.new,
            "actor": change.actor,
            "reason": change.reason,
            "at": change.at.isoformat(),
        },
    }


async def _requester(case: Case) -> dict[str, Any]:
    row = (
        await case.session.execute(
            select(Contact, Organisation.name)
            .outerjoin(Organisation, Organisation.id == case.ticket.organisation_id)
            .where(Contact.id == case.ticket.contact_id)
        )
    ).one()
    contact, organisation = row
    return {
        "id": str(contact.id),
        "name": contact.name,
        "email": contact.email,
        "is_vip": contact.is_vip,
        "organisation_id": _text(case.ticket.organisation_id),
        "organisation": organisation,
    }


async def _fields(case: Case) -> list[dict[str, Any]]:
    """Return what the category's form asked for, with the labels as they are now."""
    kept = case.ticket.fields
    if not kept:
        return []
    rows = await case.session.execute(
        select(FormField.id, FormField.label)
        .where(FormField.id.in_([UUID(key) for key in kept]))
        .order_by(FormField.position, FormField.id)
    )
    return [
        {"id": str(name), "label": label, "value": kept[str(name)]} for name, label in rows.all()
    ]


async def _message(case: Case, name: UUID) -> dict[str, Any] | None:
    message = await case.session.get(Message, name)
    if message is None:
        return None
    return {
        "id": str(message.id),
        "speaker": message.speaker,
        "is_internal": message.is_internal,
        "agent_id": _text(message.agent_id),
        "text": message.text,
        "at": message.at.isoformat(),
    }


def _text(value: UUID | None) -> str | None:
    return None if value is None else str(value)
