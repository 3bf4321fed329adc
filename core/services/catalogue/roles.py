"""Approval roles: named groups of people of whom one decides on requests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.actor import WORKING, Agent, Role
from core.domain.catalogue import MOST_APPROVERS
from core.domain.classification import checked_name
from core.domain.errors import Conflict, InvalidInput, NotFound, WrongAddress
from core.domain.ids import AgentId, ApprovalRoleId, new_id
from core.services.audit import record
from core.services.revisions import revise
from core.storage.engine import Sessions, storage_errors
from core.storage.tables import AgentRow, ApprovalRole, Approver, CatalogueItem, ItemRequest

_MAX_ADDRESS_CHARS = 254


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleDraft:
    """A role as somebody wants it."""

    name: str
    agents: Sequence[AgentId] = ()
    emails: Sequence[str] = ()  # of people outside the desk


class ApprovalRoles:
    """Changes of the roles; each is in the audit log."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    async def add(self, draft: RoleDraft, by: Agent) -> ApprovalRoleId:
        """Add a role.

        Raises:
            InvalidInput: it has no name or nobody in it, or somebody who cannot approve.
            Conflict: there is one of this name.
        """
        async with storage_errors(), self._sessions.begin() as session:
            row = ApprovalRole(id=new_id(), revision=1)
            await _fill(session, row, draft)
            new = await _said(session, row)
            record(session, by.actor, "catalogue.role_added", _subject(row), new=new)
            return ApprovalRoleId(row.id)

    async def change(
        self, role: ApprovalRoleId, draft: RoleDraft, by: Agent, *, revision: int | None = None
    ) -> None:
        """Replace a role; who is not in it any more decides nothing, asked already or not.

        Raises:
            NotFound: there is none.
            Outdated: it is not at `revision` any more.
            InvalidInput: it has no name or nobody in it, or somebody who cannot approve.
            Conflict: there is another of this name.
        """
        async with storage_errors(), self._sessions.begin() as session:
            row = await _locked(session, role)
            revise(row, revision)
            old = await _said(session, row)
            await _fill(session, row, draft)
            new = await _said(session, row)
            record(session, by.actor, "catalogue.role_changed", _subject(row), old=old, new=new)

    async def remove(self, role: ApprovalRoleId, by: Agent) -> None:
        """Delete a role that nothing names.

        Raises:
            NotFound: there is none.
            Conflict: an item has it, or a request had.
        """
        async with storage_errors(), self._sessions.begin() as session:
            row = await _locked(session, role)
            named = await session.scalar(
                select(
                    or_(
                        select(CatalogueItem.id)
                        .where(CatalogueItem.approval_role_id == role)
                        .exists(),
                        select(ItemRequest.id).where(ItemRequest.role_id == role).exists(),
                    )
                )
            )
            if named:
                raise Conflict("this role is needed: items or requests have it")
            record(session, by.actor, "catalogue.role_removed", _subject(row))
            await session.delete(row)


async def _locked(session: AsyncSession, role: ApprovalRoleId) -> ApprovalRole:
    row = await session.get(ApprovalRole, role, with_for_update=True)
    if row is None:
        raise NotFound("there is no such approval role")
    return row


async def _fill(session: AsyncSession, row: ApprovalRole, draft: RoleDraft) -> None:
    name = checked_name(draft.name)
    namesake = await session.scalar(
        select(ApprovalRole.id).where(
            func.lower(ApprovalRole.name) == name.lower(), ApprovalRole.id != row.id
        )
    )
    if namesake is not None:
        raise Conflict("there is a role of this name already")
    agents = list(dict.fromkeys(draft.agents))
    emails = list(dict.fromkeys(_checked_address(one) for one in draft.emails if one.strip()))
    if not agents and not emails:
        raise InvalidInput("a role needs somebody who approves")
    if len(agents) + len(emails) > MOST_APPROVERS:
        raise InvalidInput("a role has 50 people at most")
    found = await session.execute(
        select(AgentRow.id, AgentRow.role).where(
            AgentRow.id.in_(agents), AgentRow.disabled_at.is_(None)
        )
    )
    if {one.id for one in found if Role(one.role) in WORKING} != set(agents):
        raise InvalidInput("there is no such agent")
    row.name = name
    session.add(row)
    await session.flush()
    await session.execute(delete(Approver).where(Approver.role_id == row.id))
    session.add_all(
        [
            *(Approver(id=new_id(), role_id=row.id, agent_id=agent) for agent in agents),
            *(Approver(id=new_id(), role_id=row.id, email=email) for email in emails),
        ]
    )
    await session.flush()


def _checked_address(words: str) -> str:
    address = words.strip().lower()
    name, at, domain = address.rpartition("@")
    if not (name and at and domain) or len(address) > _MAX_ADDRESS_CHARS:
        raise WrongAddress(words.strip())
    if not address.isprintable() or any(sign in address for sign in ' ,;<>"\x00'):
        raise WrongAddress(words.strip())
    return address


def _subject(row: ApprovalRole) -> tuple[str, object, str]:
    return "approval_role", row.id, row.name


async def _said(session: AsyncSession, row: ApprovalRole) -> dict[str, Any]:
    people = await session.execute(
        select(func.coalesce(Approver.email, AgentRow.email))
        .outerjoin(AgentRow, AgentRow.id == Approver.agent_id)
        .where(Approver.role_id == row.id)
    )
    return {"name": row.name, "approvers": sorted(people.scalars())}
