"""Slack keeps what every channel promises, over sockets and over HTTP, against a server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlencode

import httpx
import pytest

from channels.simulator.faults import Fault
from channels.simulator.slack import SlackPlatform, payloads
from channels.slack.channel import open_slack
from channels.slack.kind import KIND
from channels.slack.settings import SlackSettings
from core.domain.account import AccountState
from core.domain.assistant import OfferedChoice, Say
from core.domain.content import MAX_TEXT_CHARS, Intent
from core.ports import ChannelContext, FindsDeliveries, capabilities_of
from core.runtime.lanes.deliveries import DeliveriesLane
from core.runtime.machine.polling import until
from core.storage.engine import Sessions
from tests.contract.buttons_conformance import ButtonsConformance
from tests.contract.channel_conformance import (
    PATIENCE_SECONDS,
    RemoteChannelConformance,
    Store,
    outbound,
    store_for,
)
from tests.contract.slack_workspace import ACCOUNT, Workspace, workspace_of
from tests.support.desk import Rig
from tests.support.slack import channel_context, plain_text


@pytest.fixture
async def slack() -> AsyncIterator[SlackPlatform]:
    async with SlackPlatform() as slack:
        yield slack


@pytest.fixture
def context() -> ChannelContext:
    return channel_context()


@pytest.fixture
def store(sessions: Sessions, database_url: str, tmp_path: Path) -> Store:
    settings = SlackSettings.model_validate({"bot_token": "xoxb-1", "signing_secret": "secret"})
    channel = open_slack(ACCOUNT, settings, channel_context())
    return store_for(sessions, database_url, tmp_path, channel)


class SlackConformance(ButtonsConformance, RemoteChannelConformance):
    """What is the same whichever way Slack tells."""

    async def test_a_mention_and_its_message_are_one(
        self, platform: Workspace, store: Store
    ) -> None:
        await platform.slack.mention(platform.ana, "my screen is black")
        await _until_told(platform, 2)
        assert await store.texts() == ["my screen is black"]

    async def test_replies_in_a_thread_need_no_mention_and_others_threads_are_not_read(
        self, platform: Workspace, store: Store
    ) -> None:
        slack, ana = platform.slack, platform.ana
        general = slack.workspace.channel("general")
        asked = await slack.mention(ana, "my screen is black")
        elsewhere = await slack.write(ana, "lunch?", channel=general)
        await slack.write(ana, "still black", thread=asked)
        await slack.write(ana, "yes, pizza", thread=elsewhere)
        await _until_told(platform, 5)
        assert await store.texts() == ["my screen is black", "still black"]

    async def test_a_reply_that_overtakes_the_mention_is_not_lost(
        self, platform: Workspace, store: Store
    ) -> None:
        slack, ana = platform.slack, platform.ana
        general = slack.workspace.channel("general")
        asked = slack.compose(ana, "<@U0SIMBOT> my screen is black", channel=general)
        await slack.write(ana, "still black", thread=asked)
        await slack.telling.tell(slack.posting(asked))
        await _until_told(platform, 2)
        assert await store.texts() == ["my screen is black", "still black"]

    @pytest.mark.parametrize("fault", [Fault.THROTTLED, Fault.CUT_BEFORE, Fault.BROKEN])
    async def test_a_reply_that_overtakes_the_mention_waits_while_slack_does_not_say(
        self, platform: Workspace, store: Store, fault: Fault
    ) -> None:
        slack, ana = platform.slack, platform.ana
        general = slack.workspace.channel("general")
        asked = slack.compose(ana, "<@U0SIMBOT> my screen is black", channel=general)
        slack.telling.retry_seconds, slack.telling.gives_up = (0.2,), False
        slack.faults.plan(*[fault] * 3, method="conversations.replies")
        await slack.write(ana, "still black", thread=asked)
        await slack.telling.tell(slack.posting(asked))
        await _until_told(platform, 2)
        assert await store.texts() == ["my screen is black", "still black"]

    async def test_a_command_ends_up_in_the_direct_conversation(
        self, platform: Workspace, store: Store
    ) -> None:
        general = platform.slack.workspace.channel("general")
        await platform.slack.command(platform.ana, "the payload is too large", channel=general)
        await _until_told(platform, 1)  # a command has no time stamp but that of its arrival
        await platform.slack.write(platform.ana, "hello?")
        await _until_told(platform, 2)
        assert await store.texts() == ["the payload is too large", "hello?"]
        ((_, answer),) = platform.slack.telling.answers
        assert answer["response_type"] == "ephemeral"

    async def test_a_part_that_was_sent_is_not_sent_again(self, platform: Workspace) -> None:
        message = outbound(platform, "word " * (MAX_TEXT_CHARS // 5))
        platform.slack.faults.plan(Fault.SLOW, Fault.BROKEN, method="chat.postMessage")
        with pytest.raises(Exception, match="no proper answer"):
            await platform.channel.deliver(message)
        assert len(await platform.sent()) == 1
        receipt = await platform.channel.deliver(message)
        assert len(receipt.remote_ids) == len(await platform.sent()) > 1
        assert isinstance(platform.channel, FindsDeliveries)
        assert await platform.channel.find_delivery(message) == receipt

    async def test_a_question_in_a_thread_is_answered_there_corrected_and_taken_back(
        self, platform: Workspace, store: Store, tmp_path: Path
    ) -> None:
        slack, rig = platform.slack, Rig(store.sessions, tmp_path)
        rig.accounts[ACCOUNT] = capabilities_of(platform.channel)
        deliveries = DeliveriesLane(rig.outbox, {ACCOUNT: platform.channel})
        asked = await slack.mention(platform.ana, "my screen is black")
        await _until_told(platform, 2)
        conversation = await rig.conversation_id(f"{asked.channel}/{asked.ts}")
        yes = OfferedChoice(label="Yes", intent=Intent(name="affirm"))
        await rig.reply(conversation, Say(text="Is it **plugged in**?", choices=(yes,)))
        await deliveries.advance(conversation)
        (answer,) = slack.sent()
        assert answer.thread_ts == asked.ts
        assert plain_text(answer) == "Is it plugged in?"
        await slack.press(platform.ana, answer, "Yes")
        await _until_told(platform, 3)
        eva = await rig.agent("Eva")
        ticket = await rig.tickets.take_over(conversation, eva)
        said = await rig.tickets.reply(ticket, eva, "Then I come by.")
        await deliveries.advance(conversation)
        assert (slack.sent()[-1].username, plain_text(slack.sent()[-1])) == (
            "Eva",
            "Then I come by.",
        )
        await rig.corrections.correct(said, eva, "Then I come by at ten.")
        await deliveries.advance(conversation)
        assert plain_text(slack.sent()[-1]) == "Then I come by at ten."
        await rig.corrections.withdraw(said, eva)
        await deliveries.advance(conversation)
        assert [plain_text(message) for message in slack.sent()][1:] == []


async def _until_told(platform: Workspace, count: int) -> None:
    async def told() -> bool:
        return len(platform.slack.telling.acknowledged) >= count

    assert await until(told, every=0.02, seconds=PATIENCE_SECONDS)


class TestSlackOverSocket(SlackConformance):
    @pytest.fixture
    async def platform(self, slack: SlackPlatform, store: Store) -> AsyncIterator[Workspace]:
        async with workspace_of(slack, store) as platform:
            yield platform

    async def test_what_was_not_acknowledged_comes_over_the_next_connection(
        self, platform: Workspace, store: Store
    ) -> None:
        async with store.held():
            await platform.post("hello", "a")
            await platform.slack.telling.hang_up()
        await _until_told(platform, 1)
        assert await store.texts() == ["hello"]

    async def test_a_renewed_connection_leaves_no_gap(
        self, platform: Workspace, store: Store
    ) -> None:
        words = [f"word {number}" for number in range(20)]
        for number, word in enumerate(words):
            if number % 5 == 2:
                await platform.slack.telling.ask_to_renew()
            await platform.post(word, word)
        await _until_told(platform, len(words))
        assert await store.texts() == words

    async def test_a_refused_app_token_is_reported_with_a_remedy(
        self, platform: Workspace, store: Store
    ) -> None:
        platform.slack.faults.plan(Fault.BAD_CREDENTIALS, method="apps.connections.open")
        await _register(store)
        await platform.slack.telling.hang_up()

        async def reported() -> bool:
            return (await store.health(ACCOUNT)).state is AccountState.BAD_CREDENTIALS

        assert await until(reported, every=0.02, seconds=PATIENCE_SECONDS)
        assert "connections:write" in (await store.health(ACCOUNT)).remedy


class TestSlackOverHttp(SlackConformance):
    @pytest.fixture
    async def platform(self, slack: SlackPlatform, store: Store) -> AsyncIterator[Workspace]:
        slack.deliver_to("to be known when it is served")
        slack.telling.retry_seconds = ()  # redeliveries are the tests' own
        async with workspace_of(slack, store) as platform:
            yield platform

    async def test_slack_redelivers_what_was_answered_with_503(
        self, platform: Workspace, store: Store
    ) -> None:
        platform.slack.telling.retry_seconds = (1.0, 1.0, 1.0)
        async with store.away():
            await platform.post("hello", "a")
            assert await until(self._refused(platform, 1), every=0.02, seconds=PATIENCE_SECONDS)
        await _until_told(platform, 1)
        assert await store.texts() == ["hello"]
        assert {refusal.status for refusal in platform.slack.telling.refusals} == {503}

    @staticmethod
    def _refused(platform: Workspace, count: int):  # type: ignore[no-untyped-def]
        async def refused() -> bool:
            return len(platform.slack.telling.refusals) >= count

        return refused

    @pytest.mark.parametrize(
        ("change", "status"),
        [
            ({"X-Slack-Signature": "v0=" + "0" * 64}, 401),
            ({"X-Slack-Request-Timestamp": "1500000000"}, 401),
            ({"X-Slack-Request-Timestamp": "soon"}, 401),
            ({"X-Slack-Signature": ""}, 401),
            ({"Content-Type": "text/plain"}, 415),
        ],
    )
    async def test_what_slack_did_not_sign_is_refused(
        self, platform: Workspace, store: Store, change: dict[str, str], status: int
    ) -> None:
        news = platform.slack.posting(platform.slack.compose(platform.ana, "hello"))
        body, headers = platform.slack.telling.signed(news)
        assert await _answer(platform, body, headers | change) == status
        assert await store.events() == 0
        assert await store.quarantined() == 0

    async def test_an_old_request_is_refused_though_its_signature_is_right(
        self, platform: Workspace, store: Store
    ) -> None:
        body = b"{}"
        headers = platform.slack.telling.signature(body, at=1_500_000_000)
        headers["Content-Type"] = "application/json"
        assert await _answer(platform, body, headers) == 401

    async def test_a_command_is_of_the_second_in_which_slack_signed_it(
        self, platform: Workspace, store: Store
    ) -> None:
        """The desk's clock may be wrong, and people's other messages have Slack's time."""
        slack, ana = platform.slack, platform.ana
        said = slack.compose(ana, "hello?")
        fields = payloads.command(ana, "my screen is black", ana.direct, "", "1.2.simulated")
        body = urlencode(fields).encode()
        headers = slack.telling.signature(body, at=float(said.ts) - 60)
        headers["Content-Type"] = "application/x-www-form-urlencoded"
        await slack.telling.tell(slack.posting(said))
        await _until_told(platform, 1)
        assert await _answer(platform, body, headers) == 200
        assert await store.texts() == ["my screen is black", "hello?"]

    @pytest.mark.parametrize(
        ("body", "status"),
        [
            (b"[" * 100_000, 400),
            (b'{"a":' * 50_000, 400),
            (b"\xff\xfe", 400),
            (b"not json", 400),
            (b"[]", 400),
            (b" " * 10_000_000, 413),
        ],
    )
    async def test_bodies_that_are_no_payload_are_refused(
        self, platform: Workspace, store: Store, body: bytes, status: int
    ) -> None:
        headers = platform.slack.telling.signature(body) | {"Content-Type": "application/json"}
        assert await _answer(platform, body, headers) == status
        assert await store.events() == 0
        assert await store.quarantined() == 0

    @pytest.mark.parametrize("odd", [b'{"event":[]}', b'{"team":1}', b'{"authorizations":[1]}'])
    async def test_what_slack_signed_and_nobody_understands_is_kept_aside(
        self, platform: Workspace, store: Store, odd: bytes
    ) -> None:
        body = odd.replace(b"{", b'{"type":"event_callback",', 1)
        headers = platform.slack.telling.signature(body) | {"Content-Type": "application/json"}
        assert await _answer(platform, body, headers) == 200
        assert await store.quarantined() == 1

    async def test_slacks_question_for_the_address_is_answered(self, platform: Workspace) -> None:
        body = b'{"type":"url_verification","challenge":"3eZbrw1aBm2rZgRNFdxV2595E9CY"}'
        headers = platform.slack.telling.signature(body) | {"Content-Type": "application/json"}
        assert platform.slack.telling.address is not None
        async with httpx.AsyncClient(trust_env=False) as http:
            response = await http.post(
                platform.slack.telling.address, content=body, headers=headers
            )
        assert response.json() == {"challenge": "3eZbrw1aBm2rZgRNFdxV2595E9CY"}


async def _answer(platform: Workspace, body: bytes, headers: dict[str, str]) -> int:
    assert platform.slack.telling.address is not None
    async with httpx.AsyncClient(trust_env=False, timeout=20.0) as http:
        response = await http.post(platform.slack.telling.address, content=body, headers=headers)
    return response.status_code


async def _register(store: Store) -> None:
    from core.storage.tables import Account

    async with store.sessions.begin() as session:
        await session.merge(Account(id=ACCOUNT, channel=KIND.name))
