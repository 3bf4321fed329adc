"""The routing rules in force, kept at hand and read again when something of them has changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.plans import Held
from core.domain.routing import Rule
from core.storage.once import once
from core.storage.queries.requester_records.plans import plans_held
from core.storage.queries.teams.routing import category_parents, routing_stamp, rules_in_force


@dataclass(frozen=True, slots=True, kw_only=True)
class InForce:
    """What tickets are routed by."""

    rules: Sequence[Rule]
    parents: Mapping[UUID, UUID | None]  # of categories
    plans: Mapping[UUID, Held]  # by organisation


class RoutingShelf:
    """Keeps what routing goes by; whether it still holds is asked once in a transaction."""

    def __init__(self) -> None:
        self._stamp: str | None = None
        self._in_force = InForce(rules=(), parents={}, plans={})

    async def current(self, session: AsyncSession) -> InForce:
        """Return what is in force in the session's transaction."""
        return await once(session, self, lambda: self._read(session))

    async def _read(self, session: AsyncSession) -> InForce:
        stamp = await routing_stamp(session)
        if stamp != self._stamp:
            rules = await rules_in_force(session)
            parents = await category_parents(session)
            plans = await plans_held(session)
            self._in_force = InForce(rules=rules, parents=parents, plans=plans)
            self._stamp = stamp
        return self._in_force
