"""Agents: who they are, what they can be given, how much of it, and whether they are there."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol
from uuid import UUID

from sqlalchemy import select
from sqlalchemy import update as sql_update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.access import AccessChange
from core.domain.actor import Agent, Role, Scope, narrowed
from core.domain.audited import Deed
from core.domain.errors import Conflict, Forbidden, InvalidInput, NotFound
from core.domain.ids import AgentId
from core.domain.languages import language_codes
from core.domain.teams import MOST_CAPACITY, Presence
from core.services import audit
from core.services.access.access import clean_email, clean_name
from core.services.access.telling import tell
from core.services.revisions import check_content
from core.storage.engine import Sessions, storage_errors
from core.storage.tables import AgentPresence, AgentRow, ApiToken, TeamMember

_MOST_WORDS = 40
_MAX_WORD_CHARS = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentUpdate:
    """What to set of an agent; what is None stays. Name, address and role are for admins."""

    name: str | None = None
    email: str | None = None  # they sign in with it, and are written to there
    role: Role | None = None
    skills: Sequence[str] | None = None
    languages: Sequence[str] | None = None  # codes of languages they answer in
    capacity: int | None = None  # open tickets they are given at most

    @property
    def is_for_admins(self) -> bool:
        """Whether only admins may set it."""
        return (self.name, self.email, self.role) != (None, None, None)

    @property
    def is_of_abilities(self) -> bool:
        """Whether it says what the agent can be given."""
        return (self.skills, self.languages, self.capacity) != (None, None, None)


class AgentDescription(Protocol):
    """What an update can set, as it stands in a row or in what was read of it."""

    @property
    def name(self) -> str: ...
    @property
    def email(self) -> str: ...
    @property
    def role(self) -> str: ...
    @property
    def skills(self) -> Sequence[str]: ...
    @property
    def languages(self) -> Sequence[str]: ...
    @property
    def capacity(self) -> int: ...


def described(agent: AgentDescription) -> tuple[object, ...]:
    """Return all that an update can set of `agent`; `content_version` of it names this state."""
    words = (tuple(agent.skills), tuple(agent.languages))
    return (agent.name, agent.email, str(agent.role), *words, agent.capacity)


class Crew:
    """Sets what agents are called and can be given, and keeps whether they are there."""

    def __init__(
        self, sessions: Sessions, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._sessions = sessions
        self._now = now

    async def change(
        self, agent: AgentId, update: AgentUpdate, by: Agent, *, version: int | None = None
    ) -> None:
        """Set all that `update` says, or nothing. Sessions, tokens and tickets stay theirs.

        Leads set what agents of teams they lead can be given.

        Raises:
            Forbidden: it is not for `by` to set.
            NotFound: there is no such agent.
            Outdated: what is known of the agent is not at `version` any more.
            InvalidInput: something is empty, too long, too many, or no language.
            Conflict: somebody else has this address, or it is one's own role; so there is always
                an admin.
        """
        if update.is_for_admins and by.role != Role.ADMIN:
            raise Forbidden("only admins may do this")
        try:
            async with storage_errors(), self._sessions.begin() as session:
                row = await session.get(AgentRow, agent, with_for_update=True)
                if row is None:
                    raise NotFound("there is no such agent")
                if update.is_of_abilities:
                    await _check_leads_agent(session, agent, by)
                check_content(described(row), version)
                await _rename(session, row, update, by)
                await _set_role(session, row, update, by)
                _set_abilities(session, row, update, by)
        except IntegrityError:
            raise Conflict("there is an agent with this e-mail address already") from None

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
                sql_update(AgentPresence)
                .where(AgentPresence.agent_id == agent)
                .values(seen_at=None, left_at=self._now())
            )


async def _rename(session: AsyncSession, row: AgentRow, update: AgentUpdate, by: Agent) -> None:
    old = {"name": row.name, "email": row.email}
    if update.name is not None:
        row.name = clean_name(update.name)
        if not row.name:
            raise InvalidInput("an agent needs a name")
    if update.email is not None:
        email = clean_email(update.email)
        if email != row.email:
            await tell(session, row, AccessChange.ADDRESS, email)
        row.email = email
    _note_change(session, row, "agent.renamed", old, {"name": row.name, "email": row.email}, by)


async def _set_role(session: AsyncSession, row: AgentRow, update: AgentUpdate, by: Agent) -> None:
    if update.role is None:
        return
    if update.role == Role.ASSISTANT:
        raise InvalidInput("an agent's role is agent, lead, admin or auditor")
    if row.id == by.id and update.role != by.role:
        raise Conflict("you cannot change your own role")
    old, row.role = {"role": row.role}, str(update.role)
    if old["role"] != row.role:
        await _narrow_tokens(session, row.id, update.role)
    _note_change(session, row, "agent.role_changed", old, {"role": row.role}, by)


async def _narrow_tokens(session: AsyncSession, agent: UUID, to: Role) -> None:
    """Let no token go on doing what its agent may not do any more, and none do more than before."""
    tokens = await session.scalars(
        select(ApiToken).where(ApiToken.agent_id == agent).with_for_update()
    )
    for token in tokens:
        role, scopes = narrowed(Role(token.role), map(Scope, token.scopes), to)
        token.role, token.scopes = str(role), [str(scope) for scope in scopes]


def _set_abilities(session: AsyncSession, row: AgentRow, update: AgentUpdate, by: Agent) -> None:
    old = {"skills": row.skills, "languages": row.languages, "capacity": row.capacity}
    if update.skills is not None:
        row.skills = _words(update.skills)
    # Words that were kept before languages had to be codes are in nobody's way until they change.
    if update.languages is not None and list(update.languages) != row.languages:
        row.languages = language_codes(update.languages)
    if update.capacity is not None:
        if not 0 <= update.capacity <= MOST_CAPACITY:
            raise InvalidInput("an agent's capacity is 0 to 1,000 open tickets")
        row.capacity = update.capacity
    new = {"skills": row.skills, "languages": row.languages, "capacity": row.capacity}
    _note_change(session, row, "agent.abilities_changed", old, new, by)


def _note_change(
    session: AsyncSession,
    row: AgentRow,
    deed: Deed,
    old: Mapping[str, object],
    new: Mapping[str, object],
    by: Agent,
) -> None:
    if new != old:
        audit.record(session, by.actor, deed, ("agent", row.id, row.name), old=old, new=new)


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
