"""Handing a conversation to humans: the ticket, its reason and what the requester is told."""

from __future__ import annotations

import re

from sqlalchemy import ARRAY, Text, bindparam, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.assistant import HandoffReason, TicketKind
from core.domain.conversation import Cause, Responder, Speaker, next_responder
from core.domain.ids import ContactId, TicketId, new_id
from core.domain.ticket import ClosedAs, Priority, TicketStatus, TicketTrigger, next_status
from core.services.ledger import Ledger
from core.storage.feed import FeedKind
from core.storage.queries.links.merges import last_in_line
from core.storage.tables import Conversation, Message, Ticket
from core.storage.tables.ticket import ticket_number
from core.texts import text

SUBJECT_CHARS = 120
_MARKS = re.compile(r"[*`]+|^\s*(?:#+|[->])\s", re.MULTILINE)
SUMMARY_CHARS = 1_000

NOTICES = {
    HandoffReason.ASSISTANT_UNAVAILABLE: (
        "Our assistant cannot answer right now, so your message has gone straight to our team. "
        "Your ticket is **#{number}**. Somebody will answer you here."
    ),
    HandoffReason.PROBLEM_REPORTED: (
        "Your problem report is registered as ticket **#{number}**. "
        "Our team has it now and will answer you here; you can add details at any time."
    ),
    HandoffReason.REQUEST_FILED: (
        "Your request is registered as ticket **#{number}**. "
        "Our team has it now and will answer you here; you can add details at any time."
    ),
    HandoffReason.EMERGENCY: (
        "Your message is marked as urgent and our team has it now: ticket **#{number}**. "
        "Somebody will answer you here as soon as possible."
    ),
    HandoffReason.IN_DOUBT: (
        "The last answer may not have reached you. Our team sees to it: your ticket is "
        "**#{number}**. You can go on writing here."
    ),
    HandoffReason.NOT_DELIVERED: (
        "The last answer could not be delivered to you. Our team sees to it: your ticket is "
        "**#{number}**. You can go on writing here."
    ),
    HandoffReason.SECURITY_INCIDENT: (
        "Your message is marked as urgent and our team has it now: ticket **#{number}**. "
        "Somebody will answer you here as soon as possible."
    ),
}
"""What a requester is told, by reason; `USUAL_NOTICE` for all others."""

UNANNOUNCED = frozenset({HandoffReason.UNVERIFIED_AUTHOR})
"""Reasons for which nobody is told: the notice would go to somebody who may not have written."""

USUAL_NOTICE = (
    "I have passed this conversation to our team. Your ticket is **#{number}**. "
    "Somebody will answer you here; you do not need to repeat anything."
)

# What the requester wanted is the longest of this episode's first three messages.
_SAID = (
    select(Message.text, Message.position, Message.seq)
    .where(
        Message.conversation_id == bindparam("conversation"),
        Message.speaker == Speaker.CUSTOMER,
        Message.seq >= bindparam("episode_first_seq"),
        # A pressed button or a command; older rows have the null of JSON there.
        Message.intent["name"].astext.is_(None),
        Message.is_automatic.is_(False),
        Message.removed_at.is_(None),
    )
    .order_by(Message.position, Message.seq)
    .limit(3)
    .subquery()
)
_BEFORE = (
    select(Ticket.id)
    .join(Conversation, Conversation.id == Ticket.conversation_id)
    .where(
        Conversation.account_id == bindparam("account"),
        Conversation.thread == bindparam("thread"),
        Ticket.status == TicketStatus.CLOSED,
        # What was in those stands in another ticket.
        Ticket.closed_as.is_distinct_from(ClosedAs.REJOINED),
    )
    .order_by((Ticket.conversation_id == bindparam("conversation")).desc(), Ticket.id.desc())
    .limit(1)
)
_OPENING = select(
    ticket_number.next_value().label("number"),
    func.array(
        select(_SAID.c.text).order_by(_SAID.c.position, _SAID.c.seq).scalar_subquery(),
        type_=ARRAY(Text()),
    ).label("said"),
    _BEFORE.scalar_subquery().label("follows"),
)
"""What a new ticket begins with, in one question."""


async def hand_off(
    session: AsyncSession,
    ledger: Ledger,
    conversation: Conversation,
    *,
    reason: HandoffReason,
    priority: Priority = Priority.NORMAL,
    summary: str = "",
    subject: str | None = None,
    kind: TicketKind = TicketKind.INCIDENT,
    confidence: float | None = None,
    actor: str = "assistant",
    silent: bool = False,
    requester: ContactId | None = None,
) -> Ticket:
    """Queue the locked `conversation` for a human and tell the requester the ticket's number.

    Nobody is told where it is `silent` or the reason is one of `UNANNOUNCED`. An unclosed ticket
    of the conversation is opened again; else a new one begins, which names the closed one it
    follows. It is that of `requester`, or of whoever the conversation is with.
    """
    conversation.responder = next_responder(Responder(conversation.responder), Cause.HANDED_OFF)
    conversation.closed_at = None
    # Each question would write what has changed in the conversation so far by itself.
    with session.no_autoflush:
        ticket = await session.scalar(
            select(Ticket)
            .where(Ticket.conversation_id == conversation.id, Ticket.status != TicketStatus.CLOSED)
            .with_for_update()
        )
        if ticket is None:
            ticket = await open_ticket(
                session,
                ledger,
                conversation,
                reason=reason,
                priority=priority,
                subject=subject,
                summary=summary,
                kind=kind,
                confidence=confidence,
                actor=actor,
                requester=requester,
            )
        else:
            _reopen(ledger, ticket, reason, priority, actor)
            ticket.confidence = confidence
            if summary:
                ticket.summary = summary[:SUMMARY_CHARS]
    if not silent and reason not in UNANNOUNCED:
        notice = NOTICES.get(reason, USUAL_NOTICE)
        ledger.say(
            conversation,
            Speaker.SYSTEM,
            text(conversation.language, notice, number=ticket.number),
        )
    ledger.changed(conversation, FeedKind.TICKET, TicketId(ticket.id))
    return ticket


async def open_ticket(
    session: AsyncSession,
    ledger: Ledger,
    conversation: Conversation,
    *,
    reason: HandoffReason,
    actor: str,
    priority: Priority = Priority.NORMAL,
    subject: str | None = None,
    summary: str = "",
    kind: TicketKind = TicketKind.INCIDENT,
    confidence: float | None = None,
    requester: ContactId | None = None,
) -> Ticket:
    """Begin a ticket in the locked `conversation`, which has no unclosed one; nobody is told.

    It names the closed one that it follows, if there is one.
    """
    row = (
        await session.execute(
            _OPENING,
            {
                "conversation": conversation.id,
                "episode_first_seq": conversation.episode_first_seq,
                "account": conversation.account_id,
                "thread": conversation.thread,
            },
        )
    ).one()
    opening: str = max(row.said, key=len, default="")
    words = _title(subject, opening, conversation, ledger)
    if not words.strip():  # a command alone, or a picture
        words = text(conversation.language, "Asks for a person")
    follows = row.follows
    if follows is not None:
        follows = await last_in_line(session, TicketId(follows))
    ticket = Ticket(
        id=new_id(),
        number=row.number,
        conversation_id=conversation.id,
        contact_id=requester or ContactId(conversation.contact_id),
        kind=kind,
        status=TicketStatus.NEW,
        priority=priority,
        reason=reason,
        subject=subject_from(words),
        summary=(summary or opening)[:SUMMARY_CHARS],
        language=conversation.language or "en",
        confidence=confidence,
        follows_id=follows,
        fields={},
        created_at=ledger.now,
        updated_at=ledger.now,
    )
    conversation.has_ticket = True
    session.add(ticket)
    await session.flush()
    ledger.record(ticket, "status", None, TicketStatus.NEW, actor=actor, reason=reason)
    return ticket


def _title(subject: str | None, opening: str, conversation: Conversation, ledger: Ledger) -> str:
    """Return what a ticket is about.

    A letter's subject says so itself. In a chat it is what a link carried that led there, which
    says where the matter belongs and not what it is.
    """
    if not ledger.is_chat(conversation.account_id):
        return subject or conversation.subject or opening
    words, led_by = subject or opening, conversation.subject
    if led_by and not words.startswith(led_by):
        return f"{led_by}: {words}" if words else led_by
    return words


def _reopen(
    ledger: Ledger, ticket: Ticket, reason: HandoffReason, priority: Priority, actor: str
) -> None:
    old = TicketStatus(ticket.status)
    new = next_status(old, TicketTrigger.REOPENED)
    if new != old:
        ticket.status, ticket.solved_at = new, None
        ledger.record(ticket, "status", old, new, actor=actor, reason=reason)
    if ticket.assignee_id is not None:
        ledger.record(ticket, "assignee", str(ticket.assignee_id), None, actor=actor)
        ticket.assignee_id = None
    if ticket.priority != priority and not ticket.is_priority_set:
        ledger.record(ticket, "priority", ticket.priority, priority, actor=actor, reason=reason)
        ticket.priority = priority
    ledger.record(ticket, "reason", ticket.reason, reason, actor=actor)
    ticket.reason = reason


def subject_from(words: str) -> str:
    """Return `words` as a ticket's subject: one line, without Markdown's marks, not too long."""
    return " ".join(_MARKS.sub("", words).split())[:SUBJECT_CHARS] or "?"
