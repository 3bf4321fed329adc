"""Which priority follows from impact and urgency, as admins set it."""

from __future__ import annotations

from sqlalchemy import delete, insert

from core.domain.actor import Agent
from core.domain.classification import Extent, Matrix
from core.domain.errors import InvalidInput
from core.services.audit import record
from core.storage.engine import Sessions, storage_errors
from core.storage.queries.categories import priority_matrix
from core.storage.tables import PriorityRule


class Priorities:
    """The desk's matrix."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    async def set(self, matrix: Matrix, by: Agent) -> None:
        """Replace the matrix; tickets follow it when their impact or urgency is next set.

        Raises:
            InvalidInput: a combination is missing.
        """
        if set(matrix) != {(impact, urgency) for impact in Extent for urgency in Extent}:
            raise InvalidInput("each impact and urgency needs a priority")
        async with storage_errors(), self._sessions.begin() as session:
            old = await priority_matrix(session)
            await session.execute(delete(PriorityRule))
            await session.execute(
                insert(PriorityRule),
                [
                    {"impact": impact, "urgency": urgency, "priority": priority}
                    for (impact, urgency), priority in matrix.items()
                ],
            )
            record(
                session,
                by.actor,
                "priorities.changed",
                ("priorities", "matrix", "impact and urgency"),
                old=_said(old),
                new=_said(matrix),
            )


def _said(matrix: Matrix) -> dict[str, str]:
    return {f"{impact}, {urgency}": priority for (impact, urgency), priority in matrix.items()}
