"""Which priority follows from impact and urgency, as admins set it."""

from __future__ import annotations

from sqlalchemy import delete, insert, text

from core.domain.actor import Agent
from core.domain.classification import Extent, Matrix
from core.domain.errors import InvalidInput
from core.services.audit import record
from core.services.revisions import check_content, content_version
from core.storage.engine import Sessions, storage_errors
from core.storage.queries.classification.categories import priority_matrix
from core.storage.tables import PriorityRule

_LOCK = text("SELECT pg_advisory_xact_lock(0x6d617478)")  # "matx": its rows are all replaced


class Priorities:
    """The desk's matrix."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    async def set(self, matrix: Matrix, by: Agent, *, revision: int | None = None) -> None:
        """Replace the matrix; tickets follow it when their impact or urgency is next set.

        Raises:
            Outdated: it does not have the version `revision` any more.
            InvalidInput: a combination is missing.
        """
        if set(matrix) != {(impact, urgency) for impact in Extent for urgency in Extent}:
            raise InvalidInput("each impact and urgency needs a priority")
        async with storage_errors(), self._sessions.begin() as session:
            await session.execute(_LOCK)
            old = await priority_matrix(session)
            check_content(_ordered(old), revision)
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


def version_of_matrix(matrix: Matrix) -> int:
    """Return the version of a matrix, for conditional requests."""
    return content_version(_ordered(matrix))


def _ordered(matrix: Matrix) -> list[tuple[str, str]]:
    return sorted(_said(matrix).items())


def _said(matrix: Matrix) -> dict[str, str]:
    return {f"{impact}, {urgency}": priority for (impact, urgency), priority in matrix.items()}
