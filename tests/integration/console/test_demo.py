"""The demonstration fills an empty desk, and only an empty one."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import func, select

from core.domain.assistant import HandoffReason
from core.domain.catalogue import Stage
from core.domain.errors import Conflict
from core.domain.figures import Dimension
from core.settings import Settings
from core.storage.queries.requester_records.plans import plans_held
from core.storage.tables import (
    Asset,
    AuditEntry,
    CatalogueItem,
    ItemRequest,
    Satisfaction,
    SlaClock,
    Ticket,
)
from core.wiring.demo.seed import Demo
from core.wiring.figures import report_for
from core.wiring.parts import open_parts


async def test_an_empty_desk_is_filled_once(database_url: str, tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, database_url=database_url)
    async with open_parts(settings, "test") as parts:
        await parts.directory.refresh()
        done = await Demo(parts, lambda _: None, days=10).fill()
        async with parts.sessions() as session:
            counts = {
                table.__tablename__: await session.scalar(select(func.count()).select_from(table))
                for table in (Ticket, Asset, Satisfaction, SlaClock, AuditEntry, CatalogueItem)
            }
            stages = set(await session.scalars(select(ItemRequest.stage)))
            teams = set(await session.scalars(select(Ticket.team_id)))
            held = await plans_held(session)
            called = await session.scalar(
                select(Ticket).where(Ticket.reason == HandoffReason.REGISTERED)
            )
        assert counts["ticket"] == done.tickets > 5
        assert all(counts.values())
        assert stages == {Stage.APPROVAL, Stage.WORK, Stage.REJECTED, Stage.DONE}
        assert len(held) == 2
        assert called is not None
        assert called.team_id is not None
        assert None not in teams  # the rule for everything else takes what fits no other
        assert len(teams) > 1
        found = await report_for(settings, first=None, last=None, by=Dimension.TEAM)
        assert 0 < found.total.alone < found.total.conversations
        assert found.total.kept > found.total.broken
        with pytest.raises(Conflict, match="has tickets already"):
            await Demo(parts, lambda _: None).fill()
