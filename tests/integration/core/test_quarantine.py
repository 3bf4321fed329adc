from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from channels.loopback import Loopback
from core.domain.errors import IgnoredPayload
from core.domain.events import Event
from core.services.intake.quarantine import Quarantine
from core.storage.tables import Quarantined
from tests.support.desk import LOOP, Rig


class Wiser(Loopback):
    """A channel that has learned that the payload says nothing."""

    def read(self, raw: bytes) -> Sequence[Event]:
        raise IgnoredPayload("somebody is typing")


async def test_a_payload_that_turns_out_to_say_nothing_is_settled_as_ignored(rig: Rig) -> None:
    await rig.intake.quarantine(LOOP, b"{}", "an unknown type")
    quarantine = Quarantine(rig.sessions, rig.blobs, rig.intake, {LOOP: Wiser(LOOP)}, rig.clock)
    async with rig.sessions() as session:
        item = (await session.scalars(select(Quarantined.id))).one()
    await quarantine.replay(item)

    async with rig.sessions() as session:
        assert await session.scalar(select(Quarantined.settled_as)) == "ignored"
    assert await rig.messages() == []
