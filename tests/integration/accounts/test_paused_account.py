"""What is written for an account that an admin paused waits, and leaves when it goes on."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from core.domain.ids import AccountId
from core.runtime.lanes.deliveries import DeliveriesLane
from core.services.accounts.accounts import AccountBook
from core.storage.engine import Sessions
from core.storage.queries.lanes import forgotten_lanes
from core.storage.tables import Account
from core.storage.wakeups import LaneKind
from tests.support.desk import LOOP, Rig


async def test_messages_wait_while_their_account_is_paused(
    sessions: Sessions, tmp_path: Path
) -> None:
    rig = Rig(sessions, tmp_path)
    book = AccountBook(sessions, {}, b"key")
    async with sessions.begin() as session:
        session.add(Account(id=LOOP, channel="loopback"))
    conversation = await rig.hear("hello")
    await rig.reply(conversation)
    lane = DeliveriesLane(rig.outbox, {LOOP: rig.loopback})

    await book.set_enabled(AccountId(LOOP), enabled=False)
    await lane.advance(conversation)
    assert rig.platform.received == []
    async with sessions() as session:
        later = rig.clock() + timedelta(hours=1)
        assert await forgotten_lanes(session, [LaneKind.DELIVERIES], later) == []

    await book.set_enabled(AccountId(LOOP), enabled=True)
    await lane.advance(conversation)
    assert [message.body.text for message in rig.platform.received] == ["You said: hello"]
