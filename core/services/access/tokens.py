"""API tokens: issued, shown to programs once, listed, revoked. Only digests are kept."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select

from core.domain.access import AccessChange
from core.domain.actor import Agent, Role, Scope
from core.domain.errors import InvalidInput, NotFound, Unauthenticated
from core.domain.ids import AgentId, new_id
from core.services import audit
from core.services.access.telling import tell
from core.storage.engine import Sessions, storage_errors
from core.storage.tables import AgentRow, ApiToken

MAX_NAME_CHARS = 80
_MOST_DAYS = 3_650
_NOTE_USE_AFTER = timedelta(minutes=5)
_MAX_TOKEN_CHARS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenTerms:
    """What a token is called, what it may be used for, and for how long."""

    name: str = ""
    scopes: Collection[Scope] = tuple(Scope)
    days: int | None = None  # none: until it is revoked

    def checked(self) -> TokenTerms:
        """Return them tidied up.

        Raises:
            InvalidInput: they make no token that is of use.
        """
        name = " ".join(self.name.split())
        if len(name) > MAX_NAME_CHARS or not name.isprintable():
            raise InvalidInput("a token's name has 80 characters at most")
        if not self.scopes:
            raise InvalidInput("a token is for one thing at least")
        if self.days is not None and not 1 <= self.days <= _MOST_DAYS:
            raise InvalidInput("a token lasts 1 to 3,650 days")
        return replace(self, name=name, scopes=[one for one in Scope if one in self.scopes])


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """Who an API token speaks for, and what it may be used for."""

    role: Role
    agent: Agent | None  # none for the assistant
    scopes: frozenset[Scope] = frozenset(Scope)


class Tokens:
    """Issues, reads and revokes tokens."""

    def __init__(self, sessions: Sessions, now: Callable[[], datetime]) -> None:
        self._sessions = sessions
        self._now = now

    async def issue(self, agent: AgentId, role: Role, terms: TokenTerms) -> tuple[UUID, str]:
        """Return a new token of `agent` with its id; it cannot be read again."""
        terms = terms.checked()
        token, name = secrets.token_urlsafe(32), new_id()
        now = self._now()
        async with storage_errors(), self._sessions.begin() as session:
            row = await session.get(AgentRow, agent)
            if row is None:
                raise NotFound("there is no such agent")
            expires_at = None if terms.days is None else now + timedelta(days=terms.days)
            session.add(
                ApiToken(
                    digest=digest_of(token),
                    id=name,
                    agent_id=agent,
                    role=role,
                    name=terms.name,
                    scopes=[str(scope) for scope in terms.scopes],
                    created_at=now,
                    expires_at=expires_at,
                )
            )
            await tell(session, row, AccessChange.TOKEN, terms.name)
            audit.record(
                session,
                None,
                "token.created",
                ("token", name, terms.name or row.email),
                new={
                    "agent": row.email,
                    "role": str(role),
                    "scopes": [str(scope) for scope in terms.scopes],
                    "expires_at": None if expires_at is None else expires_at.isoformat(),
                },
            )
        return name, token

    async def revoke(self, token: UUID) -> None:
        """Let a token not be valid any more; one that is not is no error.

        Raises:
            NotFound: there is no such token.
        """
        async with storage_errors(), self._sessions.begin() as session:
            row = await session.scalar(
                select(ApiToken).where(ApiToken.id == token).with_for_update()
            )
            if row is None:
                raise NotFound("there is no such token")
            if row.revoked_at is None:
                row.revoked_at = self._now()
                agent = await session.get_one(AgentRow, row.agent_id)
                subject = ("token", token, row.name or agent.email)
                audit.record(session, None, "token.revoked", subject)

    async def bearer(self, token: str) -> Principal:
        """Return who a token speaks for.

        Raises:
            Unauthenticated: nobody, or not any more.
        """
        async with storage_errors(), self._sessions.begin() as session:
            found = await session.execute(
                select(ApiToken, AgentRow)
                .join(AgentRow, AgentRow.id == ApiToken.agent_id)
                .where(ApiToken.digest == digest_of(token), AgentRow.disabled_at.is_(None))
            )
            row = found.one_or_none()
            now = self._now()
            if row is None or row[0].revoked_at is not None:
                raise Unauthenticated("this token is not valid")
            api_token, agent = row
            if api_token.expires_at is not None and api_token.expires_at <= now:
                raise Unauthenticated("this token has expired")
            if api_token.last_used_at is None or now - api_token.last_used_at > _NOTE_USE_AFTER:
                api_token.last_used_at = now
            role = Role(api_token.role)
            return Principal(
                role=role,
                # What a token may do is its own role's, whoever it belongs to.
                agent=Agent(
                    id=AgentId(agent.id),
                    email=agent.email,
                    name=agent.name,
                    role=role,
                    language=agent.language,
                ),
                scopes=frozenset(Scope(one) for one in api_token.scopes if one in list(Scope)),
            )


def digest_of(token: str) -> bytes:
    """Return what is kept of a token."""
    # A fast digest is enough: tokens are 256 random bits, nobody can try them all.
    return hashlib.sha256(token[:_MAX_TOKEN_CHARS].encode(errors="replace")).digest()
