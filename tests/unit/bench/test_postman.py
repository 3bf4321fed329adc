"""How the measurements through Slack tell a receiver what happened, and what they count."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest
from aiohttp import web
from slack_sdk.web.async_client import AsyncWebClient

from bench.channels import postman
from bench.channels.postman import Postman
from channels.simulator.slack import SlackPlatform


class Receiver:
    """Answers each request with the next of `statuses`, then with 200; keeps the retry numbers."""

    def __init__(self) -> None:
        self.statuses: list[int] = []
        self.numbers: list[str] = []

    async def answer(self, request: web.Request) -> web.Response:
        self.numbers.append(request.headers.get("X-Slack-Retry-Num", "0"))
        return web.Response(status=self.statuses.pop(0) if self.statuses else 200)


@pytest.fixture
async def stack() -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as stack:
        yield stack


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Receiver:
    monkeypatch.setattr(postman, "_FIRST_PAUSE_SECONDS", 0.0)
    monkeypatch.setattr(postman, "_LAST_PAUSE_SECONDS", 0.0)
    return Receiver()


@pytest.fixture
async def carrier(stack: AsyncExitStack, receiver: Receiver) -> Postman:
    platform = await stack.enter_async_context(SlackPlatform())
    app = web.Application()
    app.router.add_post("/", receiver.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port = runner.addresses[0][1]
    return await stack.enter_async_context(Postman(platform, f"http://127.0.0.1:{port}/"))


async def test_what_is_not_acknowledged_is_told_again(carrier: Postman, receiver: Receiver) -> None:
    receiver.statuses = [500, 503]
    _, news = carrier.written("hello")
    await carrier.tell(news)
    assert receiver.numbers == ["0", "1", "2"]
    assert carrier.given_up == 0


async def test_it_gives_up_after_three_repetitions(carrier: Postman, receiver: Receiver) -> None:
    receiver.statuses = [500] * 9
    _, news = carrier.written("hello")
    await carrier.tell(news)
    assert receiver.numbers == ["0", "1", "2", "3"]
    assert carrier.given_up == 1


async def test_at_a_rate_a_refusal_counts_as_the_longest_wait(
    carrier: Postman, receiver: Receiver
) -> None:
    receiver.statuses = [500]
    found = await carrier.tell_at(1_000, [carrier.written("hello")[1] for _ in range(3)])
    assert found.refused == 1
    assert sorted(found.waits)[-1] == postman.ANSWER_SECONDS
    assert sorted(found.waits)[-2] < postman.ANSWER_SECONDS


async def test_a_channel_counts_as_answered_once_the_app_wrote_to_it(carrier: Postman) -> None:
    platform = carrier.platform
    answered, _ = carrier.written("hello")
    unanswered, _ = carrier.written("hello")
    client = AsyncWebClient(platform.bot_token, base_url=platform.url)
    await client.chat_postMessage(channel=answered, text="good morning")
    found = await carrier.answered({answered, unanswered}, patience=0.0)
    assert found.keys() == {answered}


async def test_a_platform_that_is_not_strict_takes_what_slack_takes(carrier: Postman) -> None:
    platform = carrier.platform
    channel, _ = carrier.written("hello")
    button = {"type": "button", "text": {"type": "plain_text", "text": "Yes"}, "value": "yes"}
    given = {
        "channel": channel,
        "text": "well?",
        "type": "mrkdwn",
        "blocks": [{"type": "actions", "elements": [button, button]}],
    }
    client = AsyncWebClient(platform.bot_token, base_url=platform.url)
    platform.server.is_strict = False
    await client.api_call("chat.postMessage", json=given)
    assert [message.text for message in platform.sent(channel)] == ["well?"]
