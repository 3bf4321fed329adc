"""What every channel promises the core, tested once and inherited by the channels."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Protocol

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import func, select

from channels.simulator.faults import Fault
from core.adapters.blobs import ObjectBlobs
from core.domain.account import AccountState, Health
from core.domain.channel import Capabilities, Outbound, UncertainPolicy
from core.domain.content import MAX_TEXT_CHARS, Body
from core.domain.conversation import Speaker
from core.domain.errors import BadCredentials, Throttled, Unavailable, Uncertain
from core.domain.ids import AccountId, Address, ConversationId, MessageId, ThreadKey, new_id
from core.ports import Channel, FindsDeliveries, HandlesRequests
from core.runtime.machine.polling import until
from core.services.intake.inbox import Intake
from core.services.intake.placing import ArrivalRules
from core.storage.engine import Sessions, libpq_url
from core.storage.tables import Account, Conversation, InboundEvent, Message, Quarantined

PATIENCE_SECONDS = 15.0
A_MOMENT_SECONDS = 0.3  # in which a channel that acknowledges too early would have done so


class Platform(Protocol):
    """The far side of a channel, as a test moves it."""

    @property
    def channel(self) -> Channel:
        """Return the channel under test."""

    async def post(self, text: str, name: str) -> None:
        """Let somebody say `text`; `name` again is a redelivery. Return once it is on its way."""

    async def acknowledged(self) -> list[str]:
        """Return the names of what the channel has acknowledged, in order, redeliveries too."""

    async def post_malformed(self) -> None:
        """Let the platform send what is no message."""

    async def malformed_was_refused(self) -> bool:
        """Return whether the channel told the sender what is wrong with it."""

    def thread(self) -> ThreadKey:
        """Return where the postings end up."""


class RemotePlatform(Platform, Protocol):
    """The far side of a channel to somewhere else, which can be slow, strict, broken or twofold."""

    def fail_next_send(self, fault: Fault) -> None:
        """Let the next send of the channel meet `fault`."""

    async def sent(self) -> list[str]:
        """Return the plain texts that reached people, in order."""

    async def edit(self, text: str, name: str) -> None:
        """Let the author of `name` change it to `text`, be it posted yet or not."""

    async def post_reversed(self, words: Sequence[str]) -> None:
        """Let somebody say `words` in order; have them delivered the other way round."""

    async def start_another(self) -> None:
        """Let another process receive for the same account."""

    async def lose_credentials(self) -> None:
        """Let the platform take the account's credentials back, in a way the channel can see."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """The desk behind the channel."""

    sessions: Sessions
    intake: Intake
    blobs: ObjectBlobs
    url: str

    async def texts(self) -> list[str]:
        """Return what was said, in order."""
        async with self.sessions() as session:
            found = await session.scalars(
                select(Message.text)
                .join(Conversation, Conversation.id == Message.conversation_id)
                .order_by(Conversation.id, Message.position, Message.seq)
            )
            return list(found)

    async def health(self, account: AccountId) -> Health:
        """Return how the account is doing, as admins see it."""
        async with self.sessions() as session:
            row = await session.get_one(Account, account)
            return Health(
                state=AccountState(row.health), reason=row.health_reason, remedy=row.health_remedy
            )

    async def events(self) -> int:
        async with self.sessions() as session:
            return await session.scalar(select(func.count()).select_from(InboundEvent)) or 0

    async def quarantined(self) -> int:
        async with self.sessions() as session:
            return await session.scalar(select(func.count()).select_from(Quarantined)) or 0

    @asynccontextmanager
    async def held(self) -> AsyncIterator[None]:
        """Let no event be committed while the block runs."""
        async with await psycopg.AsyncConnection.connect(libpq_url(self.url)) as database:
            await database.execute("LOCK TABLE inbound_event IN ACCESS EXCLUSIVE MODE")
            yield

    async def is_waiting(self) -> bool:
        """Say whether something waits to be committed while that is `held`."""
        async with await psycopg.AsyncConnection.connect(libpq_url(self.url)) as database:
            rows = await database.execute(
                "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted"
                " AND relation = 'inbound_event'::regclass)"
            )
            return await rows.fetchone() == (True,)

    @asynccontextmanager
    async def away(self) -> AsyncIterator[None]:
        """Let the database refuse every connection while the block runs."""
        name = conninfo_to_dict(libpq_url(self.url))["dbname"]
        assert isinstance(name, str)
        others = libpq_url(self.url).replace(f"/{name}?", "/postgres?")
        allow = sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}")
        async with await psycopg.AsyncConnection.connect(others, autocommit=True) as admin:
            await admin.execute(allow.format(sql.Identifier(name), sql.SQL("false")))
            await admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name]
            )
            try:
                yield
            finally:
                await admin.execute(allow.format(sql.Identifier(name), sql.SQL("true")))


def store_for(sessions: Sessions, url: str, folder: Path, channel: Channel) -> Store:
    """Return a desk on its own database that has only `channel`."""
    blobs = ObjectBlobs.at(folder.as_uri())
    intake = Intake(
        sessions,
        blobs,
        {channel.account: channel.capabilities},
        ArrivalRules(reopen_window=timedelta(hours=72), default_language="en"),
    )
    return Store(sessions=sessions, intake=intake, blobs=blobs, url=url)


class ChannelConformance:
    """Subclass per channel; provide the fixtures `platform` and `store`."""

    async def test_a_message_arrives_and_is_acknowledged(
        self, platform: Platform, store: Store
    ) -> None:
        await platform.post("hello", "a")
        await _until_acknowledged(platform, ["a"])
        assert await store.texts() == ["hello"]

    async def test_it_acknowledges_only_after_accept_returned(
        self, platform: Platform, store: Store
    ) -> None:
        async with store.held():
            await platform.post("hello", "a")
            await asyncio.sleep(A_MOMENT_SECONDS)
            assert await platform.acknowledged() == []
        await _until_acknowledged(platform, ["a"])
        assert await store.texts() == ["hello"]

    async def test_a_redelivery_changes_nothing_and_is_acknowledged(
        self, platform: Platform, store: Store
    ) -> None:
        await platform.post("hello", "a")
        await _until_acknowledged(platform, ["a"])
        await platform.post("hello", "a")
        await platform.post("hello", "a")
        await _until_acknowledged(platform, ["a", "a", "a"])
        assert await store.texts() == ["hello"]
        assert await store.events() == 1

    async def test_nothing_is_acknowledged_while_the_database_is_away(
        self, platform: Platform, store: Store
    ) -> None:
        async with store.away():
            await platform.post("hello", "a")
            await asyncio.sleep(A_MOMENT_SECONDS)
            assert await platform.acknowledged() == []
        if isinstance(platform.channel, HandlesRequests):
            await platform.post("hello", "a")  # the platform redelivers
        await _until_acknowledged(platform, ["a"])
        assert await store.texts() == ["hello"]

    async def test_order_is_kept(self, platform: Platform, store: Store) -> None:
        words = [f"word {number}" for number in range(20)]
        for word in words:
            await platform.post(word, word)
        await _until_acknowledged(platform, words)
        assert await store.texts() == words

    async def test_what_is_malformed_is_refused_or_kept_aside_and_stops_nothing(
        self, platform: Platform, store: Store
    ) -> None:
        await platform.post("before", "a")
        await platform.post_malformed()
        await platform.post("after", "b")
        await _until_acknowledged(platform, ["a", "b"])
        assert await store.texts() == ["before", "after"]

        async def is_out_of_the_way() -> bool:
            return await platform.malformed_was_refused() or await store.quarantined() == 1

        assert await until(is_out_of_the_way, every=0.02, seconds=PATIENCE_SECONDS)

    async def test_a_delivery_gives_a_receipt_that_names_the_message(
        self, platform: Platform
    ) -> None:
        first, second = outbound(platform), outbound(platform)
        receipts = [await platform.channel.deliver(message) for message in (first, second)]
        names = [name for receipt in receipts for name in receipt.remote_ids]
        assert all(receipt.remote_ids for receipt in receipts)
        assert len(set(names)) == len(names)

    async def test_what_can_be_looked_up_is_found_after_it_was_sent(
        self, platform: Platform
    ) -> None:
        if not isinstance(platform.channel, FindsDeliveries):
            return
        message = outbound(platform)
        assert await platform.channel.find_delivery(message) is None
        receipt = await platform.channel.deliver(message)
        assert await platform.channel.find_delivery(message) == receipt

    def test_its_capabilities_do_not_contradict_each_other(self, platform: Platform) -> None:
        channel = platform.channel
        assert isinstance(channel, Channel)
        can: Capabilities = channel.capabilities
        assert can.max_text_chars is None or can.max_text_chars > 0
        assert (can.max_files > 0) == (can.max_file_bytes > 0)
        assert can.when_uncertain in UncertainPolicy
        if can.reads_store:  # people come to the desk: it cannot go to them
            assert isinstance(channel, HandlesRequests)
        assert channel.account == AccountId(channel.account)


class RemoteChannelConformance(ChannelConformance):
    """What a channel to somewhere else promises besides; `platform` is a `RemotePlatform`.

    A promise that has no meaning on a platform is set to None there, with the reason.
    """

    async def test_where_it_has_to_wait_nothing_was_sent_and_it_says_how_long(
        self, platform: RemotePlatform
    ) -> None:
        message = outbound(platform)
        platform.fail_next_send(Fault.THROTTLED)
        with pytest.raises(Throttled) as raised:
            await platform.channel.deliver(message)
        assert raised.value.retry_after > 0
        assert await platform.sent() == []
        assert (await platform.channel.deliver(message)).remote_ids
        assert await platform.sent() == [message.body.text]

    async def test_a_connection_cut_before_the_request_was_read_loses_and_doubles_nothing(
        self, platform: RemotePlatform
    ) -> None:
        message = outbound(platform)
        platform.fail_next_send(Fault.CUT_BEFORE)
        with pytest.raises((Unavailable, Uncertain)):
            await platform.channel.deliver(message)
        assert await platform.sent() == []
        if isinstance(platform.channel, FindsDeliveries):
            assert await platform.channel.find_delivery(message) is None
        await platform.channel.deliver(message)
        assert await platform.sent() == [message.body.text]

    async def test_a_connection_cut_after_the_request_was_read_is_uncertain(
        self, platform: RemotePlatform
    ) -> None:
        message = outbound(platform)
        platform.fail_next_send(Fault.CUT_AFTER)
        with pytest.raises(Uncertain):
            await platform.channel.deliver(message)
        assert await platform.sent() == [message.body.text]
        if isinstance(platform.channel, FindsDeliveries):
            assert await platform.channel.find_delivery(message) is not None

    async def test_credentials_that_are_refused_come_with_a_remedy(
        self, platform: RemotePlatform
    ) -> None:
        platform.fail_next_send(Fault.BAD_CREDENTIALS)
        with pytest.raises(BadCredentials) as raised:
            await platform.channel.deliver(outbound(platform))
        assert str(raised.value)
        assert raised.value.remedy
        assert await platform.sent() == []

    async def test_lost_credentials_are_reported_with_a_remedy(
        self, platform: RemotePlatform, store: Store
    ) -> None:
        account = platform.channel.account
        async with store.sessions.begin() as session:
            await session.merge(Account(id=account, channel="test"))
        await platform.lose_credentials()

        async def reported() -> bool:
            return (await store.health(account)).state is AccountState.BAD_CREDENTIALS

        assert await until(reported, every=0.02, seconds=PATIENCE_SECONDS)
        health = await store.health(account)
        assert health.reason
        assert health.remedy

    async def test_a_long_text_arrives_whole(self, platform: RemotePlatform) -> None:
        words = [f"word-{number}" for number in range(MAX_TEXT_CHARS // 10)]
        message = outbound(platform, " ".join(words))
        receipt = await platform.channel.deliver(message)
        assert " ".join(await platform.sent()).split() == words
        assert len(set(receipt.remote_ids)) == len(receipt.remote_ids) > 0

    async def test_an_edit_that_comes_before_its_message_counts(
        self, platform: RemotePlatform, store: Store
    ) -> None:
        await platform.edit("after all, goodbye", "a")
        await platform.post("hello", "a")
        await platform.post("that is all", "b")
        wanted = ["after all, goodbye", "that is all"]

        async def settled() -> bool:
            return await store.texts() == wanted

        await until(settled, every=0.02, seconds=PATIENCE_SECONDS)
        assert await store.texts() == wanted

    async def test_what_comes_in_another_order_is_kept_in_the_platforms(
        self, platform: RemotePlatform, store: Store
    ) -> None:
        words = ["one", "two", "three", "four"]
        await platform.post_reversed(words)

        async def all_are() -> bool:
            return len(await store.texts()) == len(words)

        await until(all_are, every=0.02, seconds=PATIENCE_SECONDS)
        assert await store.texts() == words

    async def test_two_processes_store_each_message_once(
        self, platform: RemotePlatform, store: Store
    ) -> None:
        await platform.start_another()
        words = [f"word {number}" for number in range(10)]
        for word in words:
            await platform.post(word, word)

        async def all_are() -> bool:
            return set(words) <= set(await store.texts())

        await until(all_are, every=0.02, seconds=PATIENCE_SECONDS)
        assert await store.texts() == words


def outbound(platform: Platform, text: str = "Good morning") -> Outbound:
    """Return a message to send."""
    return Outbound(
        message=MessageId(new_id()),
        account=platform.channel.account,
        conversation=ConversationId(new_id()),
        thread=platform.thread(),
        speaker=Speaker.AGENT,
        body=Body(text=text),
        requester=Address("somebody@people.example"),
    )


async def _until_acknowledged(platform: Platform, names: list[str]) -> None:
    seen: list[str] = []

    async def all_are() -> bool:
        seen[:] = await platform.acknowledged()
        return seen == names

    if not await until(all_are, every=0.02, seconds=PATIENCE_SECONDS):
        pytest.fail(f"acknowledged {seen}, not {names}")
