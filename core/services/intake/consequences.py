"""What follows from a batch of events once their messages are written: rare, and not for free."""

from __future__ import annotations

import logging

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.assistant import HandoffReason
from core.domain.channel import DeliveryAction, DeliveryState
from core.domain.conversation import Responder
from core.domain.events import DeliveryReported
from core.domain.ids import MessageId
from core.services.delivery.reopening import is_awaited, show_lost, wake_main
from core.services.intake.desk_choices import answer_press
from core.services.intake.early_events import forget, keep
from core.services.intake.loading import attachments_of
from core.services.intake.message_changes import Known, change
from core.services.intake.records import Records
from core.services.json_forms import EarlyOccurrence
from core.services.ledger import Ledger
from core.services.linking.asking import answer_link, lock_codes
from core.services.people.look_ups import want_look_up
from core.services.satisfaction.of_assistant import plan_survey
from core.services.tickets.handoff import hand_off
from core.storage.feed import FeedKind
from core.storage.tables import (
    ContactAddress,
    Conversation,
    Delivery,
    Message,
    Participant,
    TicketMerge,
)

_LOGGER = logging.getLogger(__name__)


async def follow_up(session: AsyncSession, records: Records, ledger: Ledger) -> bool:
    """Do what could not be done before; say whether `ledger` has something to write again."""
    await _add_participants(session, records)
    await _end_merges(session, records, ledger)
    if records.asked_for:
        await want_look_up(session, records.asked_for, ledger.now)
    if records.early:
        await keep(session, records.early)
    session.add_all(records.feedback)
    for place in {one.conversation_id for one in records.feedback if one.helped}:
        await plan_survey(session, ledger, records.by_id[place])
    for report in records.reports:
        await _note_bounce(session, records, report)
        known = records.messages[report.account, report.remote_id]
        if known.conversation.side_of is not None and not report.delivered:
            await wake_main(session, ledger, known.conversation, lost=known.message)
        elif not report.delivered and await is_awaited(session, known.conversation, known.message):
            # Who does not take letters is sent no other.
            await show_lost(session, known.conversation, known.message, ledger, tells=False)
    await _apply_changes(session, records, ledger)
    for conversation in {one.id: one for one in records.beside}.values():
        await wake_main(session, ledger, conversation)
    for conversation in {id(one): one for one in records.unvouched}.values():
        if conversation.responder == Responder.BOT:
            await hand_off(
                session,
                ledger,
                conversation,
                reason=HandoffReason.UNVERIFIED_AUTHOR,
                actor="timer",
            )
    for conversation, intent, author in records.presses:
        await answer_press(session, ledger, conversation, intent, author)
    await _answer_links(session, records, ledger)
    for conversation, reason in records.unreachable:
        await _fail_waiting(session, ledger, conversation, reason)
    return bool(
        records.changes
        or records.kept
        or records.unvouched
        or records.unreachable
        or records.presses
        or records.links
        or records.beside
        or records.reports
    )


async def _add_participants(session: AsyncSession, records: Records) -> None:
    for participant in records.joined:
        await session.merge(participant)
    if records.copied:
        # Somebody who left stays out: an agent may have taken them off.
        await session.execute(
            upsert(Participant).on_conflict_do_nothing(),
            [
                {
                    "conversation_id": one.conversation_id,
                    "address": one.address,
                    "joined_at": one.joined_at,
                }
                for one in records.copied
            ],
        )


async def _end_merges(session: AsyncSession, records: Records, ledger: Ledger) -> None:
    for ended, last_seq in records.lapsed:
        await session.execute(
            update(TicketMerge)
            .where(
                TicketMerge.conversation_id == ended,
                TicketMerge.undone_at.is_(None),
                TicketMerge.ended_at.is_(None),
            )
            .values(ended_at=ledger.now, last_seq=last_seq)
        )


async def _answer_links(session: AsyncSession, records: Records, ledger: Ledger) -> None:
    asked = [
        (one.who, one.intent.entities["email"])
        for one in records.links
        if "email" in one.intent.entities and not one.is_shared
    ]
    if asked:
        await lock_codes(session, asked)
    for one in records.links:
        await answer_link(session, ledger, one)


async def _apply_changes(session: AsyncSession, records: Records, ledger: Ledger) -> None:
    """Apply what was heard of messages before them, or in one batch with them."""
    waiting: dict[MessageId, list[EarlyOccurrence]] = {}
    for message, event in records.changes:
        waiting.setdefault(message, []).append(event)
    applied = {place: kept for place, kept in records.kept.items() if place in records.posted}
    for place, kept in applied.items():
        waiting.setdefault(records.posted[place], []).extend(one.event for one in kept)
    if not waiting:
        return
    rows = await session.scalars(select(Message).where(Message.id.in_(waiting)))
    attachments = await attachments_of(session, list(waiting))
    for row in rows:
        known = Known(
            message=row,
            # It is locked, or began just now: the session has it.
            conversation=await session.get_one(Conversation, row.conversation_id),
            ticket=None,  # none of these moves a ticket
            attachments=attachments.get(row.id, ()),
        )
        events = waiting[MessageId(row.id)]
        # Of one moment in the order of arrival: some platforms date by the second.
        for event in sorted(events, key=lambda event: event.at):
            change(known, event, ledger)
    await forget(session, applied)


async def _note_bounce(session: AsyncSession, records: Records, report: DeliveryReported) -> None:
    """Remember of an address that what is sent to it comes back, or does no more."""
    known = records.messages[report.account, report.remote_id]
    if report.delivered and report.recipient is None:
        return
    address = known.recipient_of(report)
    if address is None:
        _LOGGER.info("a report on message %s is about nobody it went to", known.message.id)
        return
    bounce = None if report.delivered else "hard" if report.is_permanent else "soft"
    await session.execute(
        update(ContactAddress)
        .where(ContactAddress.account_id == report.account, ContactAddress.address == address)
        .values(bounce=bounce, bounced_at=None if bounce is None else report.at)
    )


async def _fail_waiting(
    session: AsyncSession, ledger: Ledger, conversation: Conversation, reason: str
) -> None:
    """Fail what waits to be sent to somebody who cannot be reached."""
    deliveries = await session.scalars(
        select(Delivery).where(
            Delivery.conversation_id == conversation.id, Delivery.status == DeliveryState.WAITING
        )
    )
    for delivery in deliveries.all():
        delivery.status, delivery.error = DeliveryState.FAILED, reason
        delivery.finished_at = ledger.now
        message = await session.get_one(Message, delivery.message_id)
        message.delivery_detail = reason
        if delivery.action == DeliveryAction.SEND:
            message.delivery = DeliveryState.FAILED
            await show_lost(session, conversation, message, ledger, tells=False)
    ledger.changed(conversation, FeedKind.MESSAGE)
