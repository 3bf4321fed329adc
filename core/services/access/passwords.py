"""Agents' passwords: set and changed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import delete, exists, select
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.access import AccessChange
from core.domain.actor import Agent
from core.domain.errors import InvalidInput, NotFound
from core.domain.ids import AgentId
from core.services import audit
from core.services.access.backoff import GuessingGuard
from core.services.access.hashing import MAX_PASSWORD_CHARS, Hashes
from core.services.access.sessions import open_session
from core.services.access.telling import tell
from core.services.access.tokens import digest_of
from core.storage.engine import Sessions, storage_errors
from core.storage.tables import AgentRow, AgentSession, SignInLink

MIN_PASSWORD_CHARS = 10
_SETS_FREELY = timedelta(minutes=15)  # a password, after coming in by a link


class Passwords:
    """Sets agents' passwords; whoever else is signed in as the agent then is so no longer."""

    def __init__(
        self, sessions: Sessions, hashes: Hashes, guard: GuessingGuard, now: Callable[[], datetime]
    ) -> None:
        self._sessions = sessions
        self._hashes = hashes
        self._guard = guard
        self._now = now

    async def set(self, agent: AgentId, password: str) -> None:
        """Set an agent's password and end their sessions.

        Raises:
            InvalidInput: it is too short or too long.
            NotFound: there is no such agent.
        """
        hashed = await self._hashes.hash(_checked(password))
        async with storage_errors(), self._sessions.begin() as session:
            await _replace(session, agent, hashed)

    async def asks_for_present(self, agent: AgentId, cookie: str | None) -> bool:
        """Say whether the present password is asked for before a new one is set.

        It is not where there is none, nor right after coming in by a link: who lost it needs one.
        """
        since = self._now() - _SETS_FREELY
        async with storage_errors(), self._sessions() as session:
            row = await session.get_one(AgentRow, agent)
            came_by_link = await session.scalar(
                select(
                    exists().where(
                        SignInLink.agent_id == agent,
                        SignInLink.used_at > since,
                        SignInLink.used_at <= AgentSession.created_at,
                        AgentSession.digest == digest_of(cookie or ""),
                    )
                )
            )
        return row.password_hash is not None and not came_by_link

    async def change(
        self,
        agent: Agent,
        password: str,
        *,
        present: str,
        cookie: str | None,
        remote: str,
        browser: str | None = None,
    ) -> str:
        """Set one's own password: all sessions end, unused links go, the audit log has it.

        Returns the cookie of a new session: whoever has a copy of the present one is out, too.

        Raises:
            InvalidInput: the present password is another, or the new one is too short or long.
            TooManyAttempts: wait before trying again; these count as sign-ins do.
            Busy: more is being hashed than the desk takes on.
        """
        place, is_known = self._guard.place(agent.email, remote, browser)
        with self._hashes.attempt(place, is_known=is_known):
            if await self.asks_for_present(agent.id, cookie):
                await self._guard.count(agent.email, remote, browser)
                async with storage_errors(), self._sessions() as session:
                    row = await session.get_one(AgentRow, agent.id)
                if not await self._hashes.matches(row.password_hash, present, place):
                    raise InvalidInput("this is not your present password")
                await self._guard.forget(agent.email, remote, browser)
            hashed = await self._hashes.hash(_checked(password), place)
        async with storage_errors(), self._sessions.begin() as session:
            await _replace(session, agent.id, hashed)
            await session.execute(
                delete(SignInLink).where(
                    SignInLink.agent_id == agent.id, SignInLink.used_at.is_(None)
                )
            )
            subject = ("agent", agent.id, agent.name)
            audit.record(session, agent.actor, "agent.password_set", subject)
            return open_session(session, agent.id, self._now())


async def _replace(session: AsyncSession, agent: AgentId, hashed: str) -> None:
    row = await session.get(AgentRow, agent, with_for_update=True)
    if row is None:
        raise NotFound("there is no such agent")
    await tell(session, row, AccessChange.PASSWORD)
    row.password_hash = hashed
    await session.execute(delete(AgentSession).where(AgentSession.agent_id == agent))


def _checked(password: str) -> str:
    if len(password) < MIN_PASSWORD_CHARS:
        raise InvalidInput(f"a password has {MIN_PASSWORD_CHARS} characters at least")
    if len(password) > MAX_PASSWORD_CHARS:
        raise InvalidInput(f"a password has {MAX_PASSWORD_CHARS} characters at most")
    return password
