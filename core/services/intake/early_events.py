"""What is heard of a message before the message itself: kept, and applied once it is there."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import delete, select, tuple_
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.ids import AccountId, ConversationId, EventKey
from core.domain.setbacks import Chore
from core.services.intake.message_changes import Known, change
from core.services.intake.order import Place
from core.services.json_forms import EarlyOccurrence, early_from_json, early_json
from core.services.ledger import Accounts, Ledger
from core.services.locks import locked
from core.services.setbacks import Setbacks
from core.storage.engine import Sessions, storage_errors
from core.storage.places import is_listed
from core.storage.tables import Attachment, EarlyEvent, Message, RemoteMessage

_KEPT = timedelta(days=7)
_FRESH = timedelta(minutes=10)
_MOST_AT_ONCE = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """An occurrence that waits, under its key."""

    account: AccountId
    key: EventKey
    event: EarlyOccurrence


async def keep(session: AsyncSession, events: Sequence[EarlyOccurrence]) -> None:
    """Keep `events` until their messages come."""
    await session.execute(
        upsert(EarlyEvent).on_conflict_do_nothing(),
        [
            {
                "account_id": event.account,
                "key": event.key,
                "remote_id": event.remote_id,
                "event": early_json(event),
            }
            for event in events
        ],
    )


async def kept_for(session: AsyncSession, names: Collection[Place]) -> dict[Place, list[Kept]]:
    """Return what is kept for the messages with these accounts and remote ids, in order."""
    if not names:
        return {}
    rows = await session.scalars(
        select(EarlyEvent)
        .where(is_listed(EarlyEvent.account_id, EarlyEvent.remote_id, names))
        .order_by(EarlyEvent.received_at)
    )
    kept: dict[Place, list[Kept]] = {}
    for row in rows:
        account = AccountId(row.account_id)
        one = Kept(account=account, key=EventKey(row.key), event=early_from_json(row.event))
        kept.setdefault((account, row.remote_id), []).append(one)
    for waiting in kept.values():
        waiting.sort(key=lambda one: one.event.at)
    return kept


async def forget(session: AsyncSession, applied: Mapping[Place, Sequence[Kept]]) -> None:
    """Delete what has been applied."""
    keys = [(one.account, one.key) for waiting in applied.values() for one in waiting]
    if keys:
        await session.execute(
            delete(EarlyEvent)
            .where(tuple_(EarlyEvent.account_id, EarlyEvent.key).in_(keys))
            .execution_options(synchronize_session=False)
        )


class EarlyEvents:
    """The clock's part: what a message and its edit, stored at the same moment, left undone.

    Two processes can store the first message of a thread and its edit without seeing each other,
    and a reaction to a message of ours may come before the platform's receipt for it.
    """

    def __init__(
        self,
        sessions: Sessions,
        accounts: Accounts,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._sessions = sessions
        self._accounts = accounts
        self._now = now
        self._setbacks = Setbacks(sessions, Chore.EARLY_EVENTS, now)

    async def apply_due(self) -> int:
        """Apply what came lately for messages that are there by now; return how many that was.

        Only what came lately: a platform may tell of many messages that are none of ours, and
        going through a week of that each second is in vain.
        """
        return await self._apply_since(self._now() - _FRESH)

    async def apply_all(self) -> int:
        """Apply everything that is kept for messages that are there by now, however old."""
        applied = 0
        while more := await self._apply_since(self._now() - _KEPT):
            applied += more
        return applied

    async def _apply_since(self, since: datetime) -> int:
        async with storage_errors(), self._sessions() as session:
            found = await session.execute(
                select(EarlyEvent.account_id, EarlyEvent.remote_id, Message.conversation_id)
                .join(
                    RemoteMessage,
                    (RemoteMessage.account_id == EarlyEvent.account_id)
                    & (RemoteMessage.remote_id == EarlyEvent.remote_id),
                )
                .join(Message, Message.id == RemoteMessage.message_id)
                .where(
                    EarlyEvent.received_at > since,
                    self._setbacks.is_free(Message.conversation_id),
                )
                .distinct()
                .limit(_MOST_AT_ONCE)
            )
            due = [
                ((AccountId(account), name), ConversationId(conversation))
                for account, name, conversation in found
            ]
        applied = 0

        async def apply(one: tuple[Place, ConversationId]) -> None:
            nonlocal applied
            applied += await self._apply(*one)

        await self._setbacks.each(due, apply, lambda one: one[1])
        return applied

    async def _apply(self, place: Place, conversation_id: ConversationId) -> int:
        async with storage_errors(), self._sessions.begin() as session:
            conversation = await locked(session, conversation_id)
            kept = await kept_for(session, [place])
            message = await session.scalar(
                select(Message)
                .join(RemoteMessage, RemoteMessage.message_id == Message.id)
                .where(RemoteMessage.account_id == place[0], RemoteMessage.remote_id == place[1])
            )
            if message is None:
                return 0
            attachments = await session.scalars(
                select(Attachment).where(Attachment.message_id == message.id)
            )
            ledger = Ledger(self._accounts, self._now())
            known = Known(
                message=message,
                conversation=conversation,
                ticket=None,  # none of what is kept moves a ticket
                attachments=attachments.all(),
            )
            for one in kept.get(place, ()):
                change(known, one.event, ledger)
            await forget(session, kept)
            await ledger.write(session)
            return len(kept.get(place, ()))

    async def forget_old(self) -> None:
        """Delete what has waited for its message in vain."""
        async with storage_errors(), self._sessions.begin() as session:
            await session.execute(
                delete(EarlyEvent).where(EarlyEvent.received_at < self._now() - _KEPT)
            )
