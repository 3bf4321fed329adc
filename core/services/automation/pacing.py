"""How many reports an incoming webhook takes; its row keeps count, so all processes share it."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from core.services import audit
from core.storage.tables import IncomingHook

REPORTS_PER_MINUTE = 60
_MINUTE = timedelta(minutes=1)
_SHOWN_AGAIN_AFTER = timedelta(minutes=1)
TOO_MANY_REPORTS = "too many reports"


def seconds_to_wait(hook: IncomingHook, per_minute: int, now: datetime) -> float:
    """Count a report to the locked `hook`; return how long it must wait, 0 where it may come now.

    After a quiet minute `per_minute` may come at once, then one each time one more is due. What
    has to wait is not counted: whoever keeps on asking is let in as soon as others.
    """
    # Rounded down: as many as are promised fit into a minute.
    each = timedelta(microseconds=60_000_000 // per_minute)
    filled = max(hook.paced_until or now, now) + each
    if filled - now > _MINUTE:
        return (filled - now - _MINUTE).total_seconds()
    hook.paced_until = filled
    return 0.0


async def note_limit(
    session: AsyncSession, hook: IncomingHook, per_minute: int, now: datetime
) -> None:
    """Keep that the locked `hook` was refused a report, in its row and, once an hour, in the log.

    The row is written once a minute: a flood of reports must not become one of writes.
    """
    if hook.limited_at is not None and now - hook.limited_at < _SHOWN_AGAIN_AFTER:
        return
    hook.limited_at = now
    await audit.record_refusal(
        session,
        f"hook:{hook.id}",
        "incoming_hook.limited",
        ("hook", hook.id, hook.name),
        TOO_MANY_REPORTS,
        about={"per_minute": per_minute},
    )
