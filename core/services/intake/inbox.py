"""The inbox: stores what channels received, many callers to a transaction."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256

from sqlalchemy import select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.account import Health
from core.domain.content import Choice
from core.domain.events import Event
from core.domain.group_commit import GroupCommit
from core.domain.ids import AccountId, EventKey, MessageId, RemoteId, ThreadKey, new_id
from core.ports import Acceptance, BlobStore, Cursor, Refusal
from core.services.delivery.outbound import choices_under
from core.services.intake.arrivals import Outcome, apply
from core.services.intake.asides import Asides
from core.services.intake.checks import check, places_in
from core.services.intake.consequences import follow_up
from core.services.intake.loading import load
from core.services.intake.placing import ArrivalRules
from core.services.intake.records import add_conversations
from core.services.ledger import Accounts, Ledger
from core.services.people.contacts import Overtaken
from core.storage.engine import Deadlocked, Sessions, storage_errors
from core.storage.places import is_listed
from core.storage.queries.accounts.accounts import write_health
from core.storage.tables import (
    ChannelCursor,
    Conversation,
    InboundEvent,
    Message,
    Quarantined,
    RemoteMessage,
)

_MAX_BATCH = 64
_RACES_SURVIVED = 2

# Arrays make this one statement whatever the size of a batch: compiled once, prepared once.
_CLAIM = text(
    """
    INSERT INTO inbound_event (account_id, key, kind, message_id, raw_blob)
    SELECT * FROM unnest(CAST(:accounts AS text[]), CAST(:keys AS text[]), CAST(:kinds AS text[]),
                         CAST(:messages AS uuid[]), CAST(:blobs AS text[]))
    ON CONFLICT DO NOTHING
    RETURNING account_id, key
    """
)

Identity = tuple[AccountId, EventKey]


@dataclass(frozen=True, slots=True)
class _Submission:
    events: tuple[Event, ...]
    cursor: Cursor | None


class Intake:
    """Implements `core.ports.Inbox` and `KnowsChoices`."""

    def __init__(
        self,
        sessions: Sessions,
        blobs: BlobStore,
        accounts: Accounts,
        rules: ArrivalRules,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._sessions = sessions
        self._blobs = blobs
        self._accounts = accounts
        self._rules = rules
        self._now = now
        self._asides = Asides(sessions, now)
        self._commits = GroupCommit(self._store, subjects_of=_subjects_of, max_batch=_MAX_BATCH)

    async def accept(self, *events: Event, cursor: Cursor | None = None) -> tuple[Acceptance, ...]:
        """See `core.ports.Inbox.accept`."""
        for event in events:
            check(event)
        return await self._commits.submit(_Submission(events, cursor))

    async def quarantine(self, account: AccountId, raw: bytes, reason: str) -> None:
        """See `core.ports.Inbox.quarantine`."""
        digest = sha256(raw).digest()
        is_there = select(Quarantined.id).where(
            Quarantined.account_id == account,
            Quarantined.digest == digest,
            Quarantined.settled_at.is_(None),
        )
        async with storage_errors(), self._sessions() as session:
            if await session.scalar(is_there) is not None:
                return
        key = f"quarantine/{account}/{digest.hex()}"  # those who come at once write one file
        await self._blobs.put(key, raw)
        aside = upsert(Quarantined).values(
            id=new_id(), account_id=account, raw_blob=key, digest=digest, reason=reason
        )
        async with storage_errors(), self._sessions.begin() as session:
            await session.execute(aside.on_conflict_do_nothing())

    async def cursor(self, account: AccountId, name: str) -> str | None:
        """See `core.ports.Inbox.cursor`."""
        async with storage_errors(), self._sessions() as session:
            row = await session.get(ChannelCursor, (account, name))
            return None if row is None else row.value

    async def threads_of(
        self, account: AccountId, remote_ids: Collection[RemoteId]
    ) -> Mapping[RemoteId, ThreadKey]:
        """See `core.ports.Inbox.threads_of`."""
        if not remote_ids:
            return {}
        async with storage_errors(), self._sessions() as session:
            rows = await session.execute(
                select(RemoteMessage.remote_id, Conversation.thread)
                .join(Message, Message.id == RemoteMessage.message_id)
                .join(Conversation, Conversation.id == Message.conversation_id)
                .where(RemoteMessage.account_id == account, RemoteMessage.remote_id.in_(remote_ids))
            )
            return {RemoteId(name): ThreadKey(thread) for name, thread in rows}

    async def has_thread(self, account: AccountId, thread: ThreadKey) -> bool:
        """See `core.ports.Inbox.has_thread`."""
        async with storage_errors(), self._sessions() as session:
            found = await session.scalar(
                select(Conversation.id)
                .where(Conversation.account_id == account, Conversation.thread == thread)
                .limit(1)
            )
        return found is not None

    async def choices_of(self, account: AccountId, message: MessageId) -> Sequence[Choice]:
        """See `core.ports.KnowsChoices.choices_of`."""
        async with storage_errors(), self._sessions() as session:
            found = await session.scalar(
                select(Message)
                .join(Conversation, Conversation.id == Message.conversation_id)
                .where(Message.id == message, Conversation.account_id == account)
            )
            return () if found is None else await choices_under(session, found)

    async def set_aside(self, account: AccountId, subject: str, key: str, raw: bytes) -> None:
        """See `core.ports.Inbox.set_aside`."""
        await self._asides.keep(account, subject, key, raw)

    async def set_aside_of(self, account: AccountId, subject: str) -> Sequence[bytes]:
        """See `core.ports.Inbox.set_aside_of`."""
        return await self._asides.of(account, subject)

    async def report(self, account: AccountId, health: Health) -> None:
        """See `core.ports.Inbox.report`."""
        async with storage_errors(), self._sessions.begin() as session:
            await write_health(session, account, health, self._now())

    async def _store(self, batch: Sequence[_Submission]) -> list[tuple[Acceptance, ...]]:
        events = [event for submission in batch for event in submission.events]
        raw_blob = await self._keep_raw(events)
        races, overtaken, locks_people = 0, 0, False
        while True:
            try:
                async with storage_errors(), self._sessions.begin() as session:
                    acceptances = await self._apply(session, events, raw_blob, locks_people)
                    cursors = [s.cursor for s in batch if s.cursor]
                    await _move_cursors(session, cursors, self._now())
                break
            except (IntegrityError, Deadlocked):
                # Another process began a conversation in the same thread, which can be seen now,
                # or had the locks that this one needed in another order.
                races += 1
                if races > _RACES_SURVIVED:
                    raise
            except Overtaken:
                # Whoever changes a contact has mostly done so by now. To lock all people of the
                # batch overtakes those who come next, but then nobody overtakes this one any more.
                overtaken += 1
                locks_people = overtaken > 1
        remaining = iter(acceptances)
        return [tuple(next(remaining) for _ in submission.events) for submission in batch]

    async def _keep_raw(self, events: Sequence[Event]) -> str | None:
        """Keep the payloads of a batch in one blob, a line each; return its key."""
        if not any(event.raw for event in events):
            return None
        lines = (
            json.dumps(
                {
                    "account": event.account,
                    "key": event.key,
                    "raw": b64encode(event.raw).decode("ascii"),
                }
            )
            for event in events
        )
        key = f"raw/{self._now():%Y/%m/%d}/{new_id()}.jsonl"
        await self._blobs.put(key, "\n".join(lines).encode())
        return key

    async def _apply(
        self,
        session: AsyncSession,
        events: Sequence[Event],
        raw_blob: str | None,
        locks_people: bool,
    ) -> list[Acceptance]:
        ids = {(event.account, event.key): MessageId(new_id()) for event in events}
        fresh = await _claim(session, events, ids, raw_blob)
        ledger = Ledger(self._accounts, self._now())
        records = await load(session, fresh, ledger, locks_people=locks_people)
        outcomes: dict[Identity, Outcome] = {}
        with session.no_autoflush:
            for event in fresh:
                identity = (event.account, event.key)
                outcomes[identity] = apply(event, ids[identity], records, ledger, self._rules)
        await add_conversations(session, records, has_people_locked=locks_people)
        await ledger.write(session)
        if await follow_up(session, records, ledger):
            await ledger.write(session)
        await _note_refusals(session, outcomes)
        known = await _known_outcomes(session, events, outcomes)
        acceptances = []
        for event in events:
            identity = (event.account, event.key)
            # Only the first of two equal events in one batch is new.
            outcome = outcomes.pop(identity, None)
            is_new = outcome is not None
            if outcome is None:
                outcome = known[identity]
            else:
                known[identity] = outcome
            acceptances.append(
                Acceptance(
                    key=event.key,
                    is_new=is_new,
                    message=outcome.message,
                    seq=outcome.seq,
                    refusal=outcome.refusal,
                )
            )
        return acceptances


def _subjects_of(submission: _Submission) -> set[tuple[AccountId, str]]:
    """Return what else must not be stored before `submission` does where it came later.

    That is what concerns one of its threads, its people or its messages, or moves its cursor.
    """
    subjects = {(event.account, name) for event in submission.events for name in places_in(event)}
    if submission.cursor is not None:
        subjects.add((submission.cursor.account, f"cursor {submission.cursor.name}"))
    return subjects


async def _claim(
    session: AsyncSession,
    events: Sequence[Event],
    ids: Mapping[Identity, MessageId],
    raw_blob: str | None,
) -> list[Event]:
    """Store the events' keys; return, in order, the first event of each key that was not known."""
    if not events:
        return []
    lines = {id(event): number for number, event in enumerate(events)}
    # Sorted, so that two processes that claim the same keys cannot wait for each other.
    ordered = sorted(events, key=lambda event: (event.account, event.key))
    claimed = await session.execute(
        _CLAIM,
        {
            "accounts": [event.account for event in ordered],
            "keys": [event.key for event in ordered],
            "kinds": [type(event).__name__ for event in ordered],
            "messages": [ids[event.account, event.key] for event in ordered],
            "blobs": [f"{raw_blob}#{lines[id(e)]}" if raw_blob else None for e in ordered],
        },
    )
    mine = {(row.account_id, row.key) for row in claimed}
    fresh = []
    for event in events:
        identity = (event.account, event.key)
        if identity in mine:
            mine.remove(identity)
            fresh.append(event)
    return fresh


async def _note_refusals(session: AsyncSession, outcomes: Mapping[Identity, Outcome]) -> None:
    """Write beside each event that changed nothing why, for its redeliveries."""
    refused = [
        {"account_id": account, "key": key, "refusal": outcome.refusal}
        for (account, key), outcome in outcomes.items()
        if outcome.refusal is not None
    ]
    if refused:
        await session.execute(update(InboundEvent), refused)


async def _known_outcomes(
    session: AsyncSession, events: Sequence[Event], outcomes: Mapping[Identity, Outcome]
) -> dict[Identity, Outcome]:
    """Return what redelivered events came to when they were new."""
    redelivered = {(event.account, event.key) for event in events} - outcomes.keys()
    if not redelivered:
        return {}
    rows = await session.execute(
        select(
            InboundEvent.account_id,
            InboundEvent.key,
            InboundEvent.refusal,
            Message.id,
            Message.seq,
        )
        .outerjoin(Message, Message.id == InboundEvent.message_id)
        .where(is_listed(InboundEvent.account_id, InboundEvent.key, redelivered))
    )
    return {
        (AccountId(account), EventKey(key)): Outcome(
            message=None if message is None else MessageId(message),
            seq=seq,
            refusal=None if refusal is None else Refusal(refusal),
        )
        for account, key, refusal, message, seq in rows
    }


async def _move_cursors(session: AsyncSession, cursors: Sequence[Cursor], now: datetime) -> None:
    for cursor in cursors:
        values = {"value": cursor.value, "updated_at": now}
        await session.execute(
            upsert(ChannelCursor)
            .values(account_id=cursor.account, name=cursor.name, **values)
            .on_conflict_do_update(index_elements=["account_id", "name"], set_=values)
        )
