"""Agents as they are given work: what they can do, how much of it, and whether they are there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.actor import Agent, Role
from core.domain.errors import Conflict, Forbidden, InvalidInput, NotFound
from core.domain.ids import AgentId
from core.domain.languages import language_codes
from core.domain.teams import MOST_CAPACITY, Presence
from core.services import audit
from core.storage.engine import Sessions, storage_errors
from core.storage.tables import AgentPresence, AgentRow, ApiToken, TeamMember

_MOST_WORDS = 40
_MAX_WORD_CHARS = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Abilities:
    """What an agent can be given."""

    skills: Sequence[str]
    languages: Sequence[str]  # codes of languages they answer in
    capacity: int  # open tickets they are given at most

    def checked(self) -> Abilities:
        """Return it with its words tidied up: small letters, each once, in order.

        Raises:
            InvalidInput: something is too long, too many, or no language.
        """
        if not 0 <= self.capacity <= MOST_CAPACITY:
            raise InvalidInput("an agent's capacity is 0 to 1,000 open tickets")
        return Abilities(
            skills=_words(self.skills),
            languages=language_codes(self.languages),
            capacity=self.capacity,
        )


class Crew:
    """Sets what agents can be given, and keeps whether they are there."""

    def __init__(
        self, sessions: Sessions, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._sessions = sessions
        self._now = now

    async def set_abilities(self, agent: AgentId, abilities: Abilities, by: Agent) -> None:
        """Set what an agent can be given. Leads may do so for agents of teams they lead.

        Raises:
            NotFound: there is no such agent.
        """
        wanted = abilities.checked()
        async with storage_errors(), self._sessions.begin() as session:
            row = await session.get(AgentRow, agent, with_for_update=True)
            if row is None:
                raise NotFound("there is no such agent")
            await _check_leads_agent(session, agent, by)
            old = {"skills": row.skills, "languages": row.languages, "capacity": row.capacity}
            row.skills, row.languages = list(wanted.skills), list(wanted.languages)
            row.capacity = wanted.capacity
            new = {"skills": row.skills, "languages": row.languages, "capacity": row.capacity}
            if new != old:
                audit.record(
                    session,
                    by.actor,
                    "agent.abilities_changed",
                    ("agent", agent, row.name),
                    old=old,
                    new=new,
                )

    async def set_role(self, agent: AgentId, role: Role, by: Agent) -> None:
        """Let an agent be something else.

        Raises:
            NotFound: there is no such agent.
            Conflict: it is oneself; so there is always an admin.
        """
        if by.role != Role.ADMIN:
            raise Forbidden("only admins may do this")
        if role == Role.ASSISTANT:
            raise InvalidInput("an agent's role is agent, lead, admin or auditor")
        if agent == by.id and role != by.role:
            raise Conflict("you cannot change your own role")
        async with storage_errors(), self._sessions.begin() as session:
            row = await session.get(AgentRow, agent, with_for_update=True)
            if row is None:
                raise NotFound("there is no such agent")
            old, row.role = row.role, role
            if old != role:
                # No token goes on doing what its agent may not do any more.
                await session.execute(
                    update(ApiToken).where(ApiToken.agent_id == agent).values(role=role)
                )
                audit.record(
                    session,
                    by.actor,
                    "agent.role_changed",
                    ("agent", agent, row.name),
                    old={"role": old},
                    new={"role": str(role)},
                )

    async def be(self, agent: AgentId, presence: Presence, *, said_by: Agent | None = None) -> None:
        """Let an agent be online, away or offline, as they say themselves; counts as a sign.

        Where somebody else says so for them, `said_by`, the audit log has it.
        """
        if said_by is not None and said_by.id != agent:
            async with storage_errors(), self._sessions.begin() as session:
                row = await session.get_one(AgentRow, agent)
                audit.record(
                    session,
                    said_by.actor,
                    "agent.presence_set",
                    ("agent", agent, row.name),
                    new={"presence": str(presence)},
                )
        await self._note(agent, {"chosen": presence})

    async def seen(self, agent: AgentId) -> None:
        """Note that an agent's console, or program, was heard of."""
        await self._note(agent, {})

    async def _note(self, agent: AgentId, chosen: dict[str, str]) -> None:
        told = {"seen_at": self._now(), **chosen}
        async with storage_errors(), self._sessions.begin() as session:
            await session.execute(
                upsert(AgentPresence)
                .values(agent_id=agent, **told)
                .on_conflict_do_update(index_elements=["agent_id"], set_=told)
            )

    async def leave(self, agent: AgentId) -> None:
        """Let an agent be offline at once: they signed out."""
        async with storage_errors(), self._sessions.begin() as session:
            await session.execute(
                update(AgentPresence)
                .where(AgentPresence.agent_id == agent)
                .values(seen_at=None, left_at=self._now())
            )


async def _check_leads_agent(session: AsyncSession, agent: AgentId, by: Agent) -> None:
    if by.role == Role.ADMIN:
        return
    theirs = select(TeamMember.team_id).where(TeamMember.agent_id == by.id, TeamMember.is_lead)
    led = await session.scalar(
        select(TeamMember.team_id)
        .where(TeamMember.agent_id == agent, TeamMember.team_id.in_(theirs))
        .limit(1)
    )
    if by.role != Role.LEAD or led is None:
        raise Forbidden("only the leads of this team and admins may do this")


def _words(words: Sequence[str]) -> list[str]:
    tidy = dict.fromkeys(" ".join(word.split()).lower() for word in words)
    found = [word for word in tidy if word]
    if len(found) > _MOST_WORDS:
        raise InvalidInput("these are 40 at most")
    if any(len(word) > _MAX_WORD_CHARS or not word.isprintable() for word in found):
        raise InvalidInput("a skill has 40 characters at most")
    return found
