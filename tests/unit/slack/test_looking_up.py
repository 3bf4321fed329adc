"""What the channel fetches and asks Slack for: files, people, links."""

from __future__ import annotations

import json
from typing import Any

import pytest

from channels.simulator.slack import Person, SlackPlatform
from channels.slack.channel import Slack
from channels.slack.web_api import WebApi
from core.domain.content import FileRef
from core.domain.errors import (
    BadCredentials,
    Rejected,
)
from core.domain.events import Author
from core.domain.ids import (
    Address,
    ThreadKey,
)
from core.runtime.machine.polling import until


async def test_a_file_is_fetched(channel: Slack, slack: SlackPlatform, ana: Person) -> None:
    content = bytes(range(256)) * 1_000
    message = slack.compose(ana, "", files=[("a.bin", "application/octet-stream", content)])
    (event,) = channel.read(_raw(slack, message))
    found = b"".join([piece async for piece in channel.fetch(event.body.files[0])])  # type: ignore[union-attr]
    assert found == content


async def test_the_page_to_sign_in_is_not_taken_for_a_file(
    channel: Slack, slack: SlackPlatform, ana: Person
) -> None:
    message = slack.compose(ana, "", files=[("a.png", "image/png", b"png")])
    remote = message.files[0]["id"]
    slack.server.is_revoked = True
    with pytest.raises(BadCredentials):
        await _fetch(channel, remote)
    slack.server.is_revoked = False
    slack.scopes.remove("files:read")
    with pytest.raises(BadCredentials, match="files:read"):
        await _fetch(channel, remote)


async def test_the_token_is_shown_to_slack_alone() -> None:
    api = WebApi("xoxb-secret", "https://slack.com/api/")
    for address in ("https://evil.example/F1", "http://files.slack.com/F1", "https://xslack.com/"):
        with pytest.raises(Rejected, match="not kept by Slack"):
            await anext(aiter(api.download(address, "image/png")))


async def test_people_are_looked_up_once(channel: Slack, slack: SlackPlatform, ana: Person) -> None:
    for _ in range(2):
        assert await channel.look_up(Address(ana.id)) == Author(
            address=Address(ana.id), name="Ana Gil", email="ana@example.com", language="es"
        )
    assert [method for method, _ in slack.server.calls] == ["users.info"]


async def test_threads_of_channels_have_links_and_direct_ones_have_none(
    channel: Slack, slack: SlackPlatform, ana: Person
) -> None:
    thread = ThreadKey("C1/1355517523.000005")
    assert channel.link(ThreadKey(ana.direct)) is None
    assert channel.link(thread) == "https://slack.com/app_redirect?channel=C1"

    async def known() -> bool:
        return channel.link(thread) != "https://slack.com/app_redirect?channel=C1"

    assert await until(known, every=0.01, seconds=10)
    root = slack.url.removesuffix("api/")
    assert channel.link(thread) == f"{root}archives/C1/p1355517523000005"


async def _fetch(channel: Slack, remote: str) -> bytes:
    reference = FileRef(name="a", media_type="image/png", remote=remote)
    return b"".join([piece async for piece in channel.fetch(reference)])


def _raw(slack: SlackPlatform, message: Any) -> bytes:
    return json.dumps(slack.posting(message).payload).encode()
