"""The audit log as a table to be saved."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from starlette.responses import Response

from console.desk import ConsoleDesk
from console.tables.files import table
from core.domain.assets import harmless
from core.domain.errors import InvalidInput
from core.services import audit
from core.storage.engine import storage_errors
from core.storage.queries.audit import AuditFilter, AuditView, audit_entries

FILE = "audit.csv"
_MOST = 100_000
_COLUMNS = ("at", "actor", "name", "from", "action", "kind", "id", "subject", "old", "new")


async def exported(desk: ConsoleDesk, wanted: AuditFilter) -> Response:
    """Return the newest entries that fit as a table; that they were exported is an entry itself."""
    async with storage_errors(), desk.sessions.begin() as session:
        entries = await audit_entries(session, wanted, limit=_MOST)
        audit.record(
            session,
            None,
            "audit.exported",
            ("audit", "log", "audit log"),
            new={"entries": len(entries), "search": _search(wanted)},
        )
    return table(as_table(entries), FILE)


def filter_of(
    words: str, actor: str, action: str, first: date | None, last: date | None, zone: ZoneInfo
) -> AuditFilter:
    """Return the filter for whole days of `zone`, both included."""

    def begins(day: date) -> datetime:
        return datetime.combine(day, time(), zone)

    try:
        return AuditFilter(
            words=words.replace("\x00", ""),
            actor=actor.replace("\x00", ""),
            action=action.replace("\x00", ""),
            since=None if first is None else begins(first),
            until=None if last is None else begins(last + timedelta(days=1)),
        )
    except OverflowError:
        raise InvalidInput("a date is written as 2030-12-31") from None


def _search(wanted: AuditFilter) -> str:
    ends = (("from", wanted.since), ("until", wanted.until))
    dates = (f"{name} {at.isoformat()}" for name, at in ends if at is not None)
    return " ".join(filter(None, (wanted.words, wanted.actor, wanted.action, *dates)))


def as_table(entries: Iterable[AuditView]) -> str:
    """Return entries as CSV; no cell of it is a formula."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(_COLUMNS)
    for entry in entries:
        values = ("" if one is None else json.dumps(one) for one in (entry.old, entry.new))
        writer.writerow(
            harmless(cell)
            for cell in (
                entry.at.isoformat(),
                entry.actor,
                entry.actor_name or "",
                entry.remote or "",
                entry.action,
                entry.subject_kind,
                entry.subject_id,
                entry.subject_name,
                *values,
            )
        )
    return out.getvalue()
