"""Codes in chat that prove that an agent is the one whom they say they are on a platform."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import UTC, datetime

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.errors import InvalidInput, TooManyAttempts
from core.domain.ids import AccountId, Address, AgentId, new_id
from core.domain.linking import (
    CODE_DIGITS,
    LASTS,
    MOST_ATTEMPTS,
    MOST_CODES,
    WITHIN,
    code_in,
    digest_of,
    is_code,
)
from core.ports import Colleague
from core.services.notifications.in_chat import connect
from core.storage.engine import Sessions, storage_errors
from core.storage.tables import AgentRow, ChatCode


class ChatCodes:
    """The codes that agents were sent; each has one that is good, at most."""

    def __init__(
        self, sessions: Sessions, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._sessions = sessions
        self._now = now

    async def make(self, agent: AgentId, account: AccountId, colleague: Colleague) -> str:
        """Return a code to write to `colleague`, which is kept as a digest; ends earlier ones.

        Raises:
            TooManyAttempts: the agent had several in the last hour.
        """
        now = self._now()
        code = f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}}"
        salt = secrets.token_bytes(16)
        async with storage_errors(), self._sessions.begin() as session:
            await session.get_one(AgentRow, agent, with_for_update=True)  # one at a time
            asked = await session.scalar(
                select(func.count()).where(
                    ChatCode.agent_id == agent, ChatCode.requested_at > now - WITHIN
                )
            )
            if (asked or 0) >= MOST_CODES:
                raise TooManyAttempts(retry_after=WITHIN.total_seconds())
            await session.execute(
                update(ChatCode)
                .where(ChatCode.agent_id == agent, ChatCode.ended_at.is_(None))
                .values(ended_at=now)
            )
            session.add(
                ChatCode(
                    id=new_id(),
                    agent_id=agent,
                    account_id=account,
                    address=colleague.address,
                    name=colleague.name,
                    salt=salt,
                    digest=digest_of(salt, code),
                    requested_at=now,
                    expires_at=now + LASTS,
                )
            )
        return code

    async def awaited_from(self, agent: AgentId) -> str | None:
        """Return the name of who was written a code that `agent` has not entered yet, if any."""
        async with storage_errors(), self._sessions() as session:
            row = await self._good(session, agent)
            return None if row is None else row.name

    async def enter(self, agent: AgentId, words: str) -> None:
        """Write to the agent where their code was written to, if `words` are it.

        Raises:
            InvalidInput: they are not, or it is no longer good.
        """
        code = code_in(words)
        async with storage_errors(), self._sessions.begin() as session:
            row = await self._good(session, agent, locked=True)
            is_right = row is not None and code is not None and is_code(row.digest, row.salt, code)
            if row is not None and is_right:
                row.ended_at = self._now()
                whom = Colleague(address=Address(row.address), name=row.name)
                await connect(session, agent, AccountId(row.account_id), whom)
            elif row is not None:
                row.wrong += 1
                if row.wrong >= MOST_ATTEMPTS:
                    row.ended_at = self._now()
        if not is_right:
            raise InvalidInput("this is not the code, or it is no longer good")

    async def _good(
        self, session: AsyncSession, agent: AgentId, *, locked: bool = False
    ) -> ChatCode | None:
        query = select(ChatCode).where(
            ChatCode.agent_id == agent,
            ChatCode.ended_at.is_(None),
            ChatCode.expires_at > self._now(),
        )
        return await session.scalar(query.with_for_update() if locked else query)
