"""Agents' sessions in browsers: opened with a fresh cookie, of which only a digest is kept."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.ids import AgentId
from core.services.access.tokens import digest_of
from core.storage.tables import AgentSession

SESSION_IDLE = timedelta(hours=12)
SESSION_LIFETIME = timedelta(days=14)


def open_session(session: AsyncSession, agent: AgentId, now: datetime) -> str:
    """Sign `agent` in with the transaction of `session`; return the cookie."""
    cookie = secrets.token_urlsafe(32)
    session.add(
        AgentSession(
            digest=digest_of(cookie),
            agent_id=agent,
            csrf_token=secrets.token_urlsafe(32),
            created_at=now,
            expires_at=now + SESSION_IDLE,
        )
    )
    return cookie
