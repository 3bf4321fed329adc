"""Agents' notices in chat: who they are on a platform, and what is due to be written to them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.ids import AccountId, Address, AgentId, MessageId, new_id
from core.domain.notification import Wish
from core.domain.setbacks import Chore
from core.ports import Colleague
from core.services.notifications.leaving import chat_at
from core.services.notifications.reading import NoticeView, views_of_notices, zone_of
from core.services.setbacks import Setbacks
from core.storage.engine import Sessions, storage_errors
from core.storage.tables import AgentRow, Notification, NotificationWish

_MOST_IN_A_MESSAGE = 20
_AGENTS_AT_ONCE = 20
_LEASE = timedelta(minutes=5)
_MAX_AGE = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatPlace:
    """Where an agent is written to."""

    account: AccountId
    address: Address
    name: str
    problem: str | None  # why what was last due did not arrive


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenForChat:
    """Notices of one agent that were taken, to be written together."""

    agent: AgentId
    notices: Sequence[UUID]
    message: MessageId  # its name: the same in every attempt, for the same notices
    may_have_left: bool  # an earlier attempt ended without a word


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatDigest:
    """What is to be written to one agent, as one message."""

    agent: AgentId
    language: str
    zone: ZoneInfo  # whose clock the agent reads
    account: AccountId
    address: Address
    message: MessageId
    notices: Sequence[NoticeView]
    may_have_left: bool


class ChatNotices:
    """What is known of agents on platforms, and which notices are due there."""

    def __init__(
        self, sessions: Sessions, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._sessions = sessions
        self._now = now
        self.setbacks = Setbacks(sessions, Chore.NOTICE_CHATS, now)

    async def connect(self, agent: AgentId, account: AccountId, colleague: Colleague) -> None:
        """Write to `agent` there from now on: what they did not see, unless they chose already."""
        async with storage_errors(), self._sessions.begin() as session:
            await connect(session, agent, account, colleague)

    async def disconnect(self, agent: AgentId) -> None:
        """Write nothing to `agent` any more."""
        async with storage_errors(), self._sessions.begin() as session:
            row = await session.get(NotificationWish, agent)
            if row is not None:
                row.chat, row.chat_problem = Wish.NEVER, None
                row.chat_account_id = row.chat_address = row.chat_name = None
            await session.execute(
                update(Notification).where(Notification.agent_id == agent).values(chat_at=None)
            )

    async def place_of(self, agent: AgentId) -> ChatPlace | None:
        """Return where `agent` is written to; None where they are not."""
        async with storage_errors(), self._sessions() as session:
            return _place(await session.get(NotificationWish, agent))

    async def due(self) -> Sequence[TakenForChat]:
        """Take the notices that are due; nobody else takes them for five minutes."""
        now = self._now()
        taken = []
        async with storage_errors(), self._sessions.begin() as session:
            rows = await session.scalars(
                select(Notification)
                .where(
                    Notification.chat_at <= now,
                    Notification.read_at.is_(None),
                    self.setbacks.is_free(Notification.agent_id),
                )
                .order_by(Notification.chat_at, Notification.id)
                .limit(_MOST_IN_A_MESSAGE * _AGENTS_AT_ONCE)
                .with_for_update(skip_locked=True)
            )
            # What was tried together is tried again together, under its name, and nothing with it:
            # where that arrived after all, what came later would pass for written.
            batches: dict[tuple[UUID, UUID | None], list[Notification]] = {}
            for row in rows:
                batches.setdefault((row.agent_id, row.chat_batch), []).append(row)
            for (agent, batch), theirs in batches.items():
                chosen = theirs[:_MOST_IN_A_MESSAGE]
                name = batch or new_id()
                for row in chosen:
                    row.chat_at, row.chat_batch = now + _LEASE, name
                taken.append(
                    TakenForChat(
                        agent=AgentId(agent),
                        notices=[row.id for row in chosen],
                        message=MessageId(name),
                        may_have_left=batch is not None,
                    )
                )
        return taken

    async def digest(self, taken: TakenForChat) -> ChatDigest | None:
        """Return what is to be written of what was taken; None where that is nothing any more.

        What is not to be written, because its agent cannot be reached, has read it, may not see
        its ticket or wants none of it by now, is not due again. In quiet hours, which may have
        begun since it was due, it waits for their end.
        """
        async with storage_errors(), self._sessions.begin() as session:
            who = await session.get_one(AgentRow, taken.agent)
            place = _place(await session.get(NotificationWish, taken.agent))
            if place is None or who.disabled_at is not None:
                await _write_at(session, taken.notices, None)
                return None
            seen = await views_of_notices(
                session,
                Notification.id.in_(taken.notices) & Notification.read_at.is_(None),
                len(taken.notices),
            )
            wish, now = await session.get(NotificationWish, taken.agent), self._now()
            times = {notice.id: chat_at(notice.notice, wish, now) for notice in seen}
            # What was tried together stays so: it is one message, by one name.
            later = max((at for at in times.values() if at is not None), default=now)
            wanted = [one for one, at in times.items() if at is not None]
            await _write_at(session, set(taken.notices) - set(wanted), None)
            if later > now:
                await _write_at(session, wanted, later)
            seen = [notice for notice in seen if notice.id in wanted]
            if not seen or later > now:
                return None
            return ChatDigest(
                agent=taken.agent,
                language=who.language,
                zone=zone_of(wish),
                account=place.account,
                address=place.address,
                message=taken.message,
                notices=seen,
                may_have_left=taken.may_have_left,
            )

    async def arrived(self, digest: ChatDigest) -> None:
        """Keep that a digest was written; it is not written again."""
        await self._settle(digest, None, {"chat_at": None})

    async def waits(self, digest: ChatDigest, problem: str, again_in: timedelta) -> None:
        """Keep why a digest could not be written now; it is tried again, for a day at most."""
        now = self._now()
        oldest = min(notice.at for notice in digest.notices)
        is_over = now - oldest > _MAX_AGE
        await self._settle(digest, problem, {"chat_at": None if is_over else now + again_in})

    async def refused(self, digest: ChatDigest, problem: str) -> None:
        """Keep why a digest will never be written; its agent sees it under their notices."""
        await self._settle(digest, problem, {"chat_at": None})

    async def _settle(
        self, digest: ChatDigest, problem: str | None, values: dict[str, datetime | None]
    ) -> None:
        async with storage_errors(), self._sessions.begin() as session:
            await session.execute(
                update(Notification)
                .where(
                    Notification.id.in_([notice.id for notice in digest.notices]),
                    Notification.chat_at.is_not(None),
                )
                .values(**values)
            )
            await session.execute(
                update(NotificationWish)
                .where(NotificationWish.agent_id == digest.agent)
                .values(chat_problem=problem)
            )


async def connect(
    session: AsyncSession, agent: AgentId, account: AccountId, colleague: Colleague
) -> None:
    """Do in the caller's transaction what `ChatNotices.connect` does."""
    row = await session.get(NotificationWish, agent)
    chat = Wish.UNREAD if row is None or row.chat_address is None else row.chat
    values = {
        "chat_account_id": account,
        "chat_address": colleague.address,
        "chat_name": colleague.name,
        "chat_problem": None,
        "chat": chat,
    }
    await session.execute(
        upsert(NotificationWish)
        .values(agent_id=agent, **values)
        .on_conflict_do_update(index_elements=["agent_id"], set_=values)
    )


async def _write_at(session: AsyncSession, notices: Collection[UUID], at: datetime | None) -> None:
    await session.execute(
        update(Notification).where(Notification.id.in_(notices)).values(chat_at=at)
    )


def _place(row: NotificationWish | None) -> ChatPlace | None:
    if row is None or row.chat_account_id is None or row.chat_address is None:
        return None
    return ChatPlace(
        account=AccountId(row.chat_account_id),
        address=Address(row.chat_address),
        name=row.chat_name or row.chat_address,
        problem=row.chat_problem,
    )
