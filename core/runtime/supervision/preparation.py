"""Whether the home's database is known to be prepared for this very release.

Preparing one that needs nothing costs a process with all the desk's imports, seconds of a start
in which no message is taken.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from core.domain.errors import StorageUnavailable
from core.runtime.database.postmaster import Postmaster
from core.runtime.machine.home import Home

_MIGRATIONS = Path(__file__).parents[2] / "storage" / "migrations" / "versions"


class Preparation:
    """A note in the home of which migrations were applied, and what the database said then."""

    def __init__(self, home: Home) -> None:
        self._note = home.root / "prepared.json"

    async def holds(self, server: Postmaster) -> bool:
        """Return whether nothing has changed since `note`: neither the release nor the schema."""
        try:
            noted = json.loads(self._note.read_text())
        except (FileNotFoundError, ValueError):
            return False
        # The database is asked too: it may have been replaced by an older copy.
        found = await _state(server)
        return bool(found["revision"]) and bool(noted == found)

    async def note(self, server: Postmaster) -> None:
        """Remember that the database is prepared."""
        fresh = self._note.with_suffix(".new")
        fresh.write_text(json.dumps(await _state(server)))
        fresh.replace(self._note)


async def _state(server: Postmaster) -> dict[str, str]:
    migrations = hashlib.sha256()
    for path in sorted(_MIGRATIONS.glob("*.py")):
        migrations.update(path.name.encode() + b"\0" + path.read_bytes())
    try:
        revision = await server.query("SELECT version_num FROM alembic_version", database="desk")
    except StorageUnavailable:  # no such table yet
        revision = ""
    return {"migrations": migrations.hexdigest(), "revision": revision.strip()}
