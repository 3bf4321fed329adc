"""Tells requesters who write outside business hours when somebody will be there."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from core.domain.assistant import HandoffReason
from core.domain.content import Caution
from core.domain.conversation import Speaker
from core.domain.sla.clocks import History, Turn
from core.services.case import Case
from core.services.delivery.budget import may_speak
from core.services.reactions import TicketChange
from core.services.sla.histories import WorkedOut
from core.services.sla.moments import day_in_words, known_zone, time_in_words
from core.storage.tables import Contact, Conversation, Message
from core.texts import text

CLOSED_NOW = "Our team is not here right now. Somebody will read this on {day} at {time}."
_FRESH = timedelta(minutes=10)
_AT_WORK = timedelta(hours=1)
_UNTOLD = frozenset(
    {
        HandoffReason.EMERGENCY,  # were told that somebody answers as soon as possible
        HandoffReason.SECURITY_INCIDENT,
        HandoffReason.SELF_HARM,
        HandoffReason.LOOP,  # perhaps a machine
        HandoffReason.ANSWER_LIMIT,
        HandoffReason.UNVERIFIED_AUTHOR,  # it would go to somebody who may not have written
        HandoffReason.AGENT_TOOK_OVER,  # somebody is there
        HandoffReason.REGISTERED,
    }
)
_NOT_TOLD = (Caution.STRANGER, Caution.CLAIMS_AGENT)


async def tell_hours(case: Case, change: TicketChange, worked: WorkedOut) -> None:
    """Tell the requester of `case`, once for each time they wait, where nobody is there now."""
    if not change.is_opening and (change.field, change.reason) != ("message", "customer"):
        return
    if change.is_opening and change.actor.startswith("agent:"):
        return  # somebody is there
    now, row, hours = case.ledger.now, worked.row, worked.hours
    if (worked.policy is not None and not worked.policy.tells_hours) or hours.is_open(now):
        return
    if case.is_done or case.ticket.reason in _UNTOLD or now - change.at > _FRESH:
        return
    answered = _last_answer(worked.history)
    if answered is not None and now - answered < _AT_WORK:
        return
    if row.told_hours_at is not None and (answered is None or answered < row.told_hours_at):
        return
    conversation = await _heard_in(case, change)
    if conversation is None:
        return
    row.told_hours_at = now
    contact = await case.session.get_one(Contact, case.ticket.contact_id)
    own = known_zone(contact.time_zone)
    zone, language = own or hours.calendar.zone, conversation.language
    opening = hours.next_opening(now)
    words = text(
        language,
        CLOSED_NOW,
        day=day_in_words(opening, zone, language),
        time=time_in_words(opening, zone, language, names_zone=own is None),
    )
    case.ledger.say(conversation, Speaker.SYSTEM, words)


def _last_answer(history: History) -> datetime | None:
    answers = (moment.at for moment in history.moments if moment.turn == Turn.ANSWERED)
    return max(answers, default=None)


async def _heard_in(case: Case, change: TicketChange) -> Conversation | None:
    """Return where the requester wrote, if it was they who did and a machine may answer there."""
    conversation = case.conversation
    if change.field == "message" and change.new is not None:
        message = await case.session.get(Message, UUID(change.new))
        if message is None or message.is_automatic or message.caution in _NOT_TOLD:
            return None
        places = {one.id: one for one in case.everywhere}
        conversation = places.get(message.conversation_id, conversation)
    if conversation.unreachable_since is not None:
        return None
    can = case.ledger.can(conversation.account_id)
    may = await may_speak(case.session, conversation, can, case.ledger.now)
    return conversation if may else None
