"""The register of assets as a table to be saved."""

from __future__ import annotations

from starlette.responses import Response

from console.desk import ConsoleDesk
from console.tables.files import table
from core.domain.actor import Agent
from core.domain.assets import MAX_LINES, write_table
from core.services.audit import record
from core.storage.engine import storage_errors
from core.storage.queries.requester_records.assets import list_assets

FILE = "assets.csv"


async def exported(desk: ConsoleDesk, by: Agent) -> Response:
    """Return the assets added last as a table; that they were exported is in the audit log."""
    async with storage_errors(), desk.sessions.begin() as session:
        found = await list_assets(session, limit=MAX_LINES)
        record(
            session,
            by.actor,
            "assets.exported",
            ("asset", "all", FILE),
            new={"assets": len(found)},
        )
    return table(write_table([asset.draft() for asset in found]), FILE)
