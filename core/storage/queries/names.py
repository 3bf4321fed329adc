"""Finds out what things are called, whatever they are, by their ids."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from uuid import UUID

from sqlalchemy import Select, String, cast, literal, select, union_all
from sqlalchemy.ext.asyncio import AsyncSession

from core.storage.queries.classification.categories import category_tree
from core.storage.tables import (
    AgentRow,
    ApprovalRole,
    CalendarRow,
    Contact,
    FormField,
    Organisation,
    SupportPlan,
    Team,
    Ticket,
    Webhook,
)

_NAMED = (
    (AgentRow.id, AgentRow.name),
    (ApprovalRole.id, ApprovalRole.name),
    (CalendarRow.id, CalendarRow.name),
    (Contact.id, Contact.name),
    (FormField.id, FormField.label),
    (Organisation.id, Organisation.name),
    (SupportPlan.id, SupportPlan.name),
    (Team.id, Team.name),
    (Ticket.id, literal("#") + cast(Ticket.number, String)),
    (Webhook.id, Webhook.name),
)


async def names_of(
    session: AsyncSession, ids: Collection[UUID], language: str
) -> Mapping[str, str]:
    """Return names by id, as text; a category is called by its path, in `language` if it can be.

    What is gone, or has no name, is left out.
    """
    if not ids:
        return {}
    asked: list[Select[UUID, str | None]] = [
        select(key, name).where(key.in_(ids)) for key, name in _NAMED
    ]
    rows = await session.execute(union_all(*asked))
    found = {str(key): name for key, name in rows if name}
    left = {str(key) for key in ids} - set(found)
    if left:
        tree = await category_tree(session)
        found |= {
            str(one.id): tree.path(one.id, language) for one in tree.rows if str(one.id) in left
        }
    return found
