"""What the channel does on Slack, seen by the simulated workspace."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from obstore.store import MemoryStore

from channels.simulator.faults import Fault
from channels.simulator.slack import News, Person, SlackPlatform
from channels.simulator.slack.workspace import APP, TEAM
from channels.slack.channel import Slack, open_slack
from channels.slack.settings import SlackSettings
from channels.slack.web_api import WebApi
from core.adapters.blobs import ObjectBlobs
from core.domain.account import AccountState, Health
from core.domain.assistant import TicketBrief
from core.domain.channel import Outbound
from core.domain.content import Body, Choice, FileRef, Intent
from core.domain.conversation import Speaker
from core.domain.errors import (
    BadCredentials,
    Rejected,
    Throttled,
    ThrottleScope,
    Unavailable,
    Uncertain,
)
from core.domain.events import Author, Event
from core.domain.ids import (
    AccountId,
    Address,
    ChoiceId,
    ConversationId,
    MessageId,
    ThreadKey,
    new_id,
)
from core.ports import Acceptance, Cursor
from core.runtime.machine.polling import until
from tests.support.nothing_aside import NothingAside
from tests.support.slack import Shelf, channel_context, plain_text

ACCOUNT = AccountId("acme")


@pytest.fixture
async def slack() -> AsyncIterator[SlackPlatform]:
    async with SlackPlatform() as slack:
        yield slack


@pytest.fixture
def ana(slack: SlackPlatform) -> Person:
    return slack.person("Ana Gil", email="ana@example.com", locale="es-ES")


@pytest.fixture
def blobs() -> ObjectBlobs:
    return ObjectBlobs(MemoryStore)


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture
async def channel(slack: SlackPlatform, blobs: ObjectBlobs, shelf: Shelf) -> AsyncIterator[Slack]:
    settings = SlackSettings.model_validate(
        {"bot_token": slack.bot_token, "app_token": slack.app_token, "api_url": slack.url}
    )
    channel = open_slack(ACCOUNT, settings, channel_context(blobs, shelf))
    yield channel
    await channel.close()


def outbound(person: Person, text: str = "Good morning", **fields: Any) -> Outbound:
    return Outbound(
        message=MessageId(new_id()),
        account=ACCOUNT,
        conversation=ConversationId(new_id()),
        thread=fields.pop("thread", ThreadKey(person.direct)),
        speaker=fields.pop("by", Speaker.AGENT),
        body=Body(text=text, files=fields.pop("files", ())),
        **fields,
    )


async def file(blobs: ObjectBlobs, name: str, content: bytes) -> FileRef:
    await blobs.put(name, content)
    return FileRef(name=name, media_type="text/plain", size_bytes=len(content), remote=name)


async def test_a_persons_id_stands_for_their_direct_channel(
    channel: Slack, slack: SlackPlatform, ana: Person
) -> None:
    receipt = await channel.deliver(outbound(ana, thread=ThreadKey(ana.id)))
    assert receipt.remote_ids == (f"{ana.direct}/{slack.sent()[0].ts}",)


async def test_a_threads_message_goes_into_the_thread(
    channel: Slack, slack: SlackPlatform, ana: Person
) -> None:
    general = slack.workspace.channel("general")
    asked = slack.compose(ana, "help", channel=general)
    await channel.deliver(outbound(ana, thread=ThreadKey(f"{general}/{asked.ts}")))
    assert slack.sent()[0].thread_ts == asked.ts


async def test_an_agent_has_name_and_picture(
    channel: Slack, slack: SlackPlatform, ana: Person
) -> None:
    picture = "https://desk.example/eva.png"
    await channel.deliver(outbound(ana, speaker_name="Eva", speaker_picture=picture))
    assert (slack.sent()[0].username, slack.sent()[0].icon_url) == ("Eva", picture)


async def test_without_the_scope_for_it_an_agent_speaks_as_the_app(
    channel: Slack, slack: SlackPlatform, ana: Person
) -> None:
    slack.scopes.remove("chat:write.customize")
    await channel.deliver(outbound(ana, speaker_name="Eva"))
    assert slack.sent()[0].username is None


async def test_files_come_after_the_text(
    channel: Slack, slack: SlackPlatform, ana: Person, blobs: ObjectBlobs
) -> None:
    files = (await file(blobs, "a.txt", b"alpha"), await file(blobs, "b.txt", b"beta"))
    message = outbound(ana, "see these", files=files)
    receipt = await channel.deliver(message)
    said, shared = slack.sent()
    assert plain_text(said) == "see these"
    stored = [slack.workspace.files[entry["id"]] for entry in shared.files]
    assert [(f.title, f.content) for f in stored] == [("a.txt", b"alpha"), ("b.txt", b"beta")]
    assert receipt.remote_ids == (f"{ana.direct}/{said.ts}", stored[0].id, stored[1].id)
    assert await channel.find_delivery(message) == receipt


async def test_files_alone_can_be_sent(
    channel: Slack, slack: SlackPlatform, ana: Person, blobs: ObjectBlobs
) -> None:
    message = outbound(ana, "", files=(await file(blobs, "a.txt", b"alpha"),))
    receipt = await channel.deliver(message)
    assert len(receipt.remote_ids) == len(slack.sent()) == 1


async def test_an_upload_that_breaks_was_not_sent_and_its_text_is_not_repeated(
    channel: Slack, slack: SlackPlatform, ana: Person, blobs: ObjectBlobs
) -> None:
    message = outbound(ana, "see this", files=(await file(blobs, "a.txt", b"alpha"),))
    slack.faults.plan(Fault.CUT_AFTER, method="upload")
    with pytest.raises(Unavailable):
        await channel.deliver(message)
    receipt = await channel.deliver(message)
    assert len(slack.sent()) == len(receipt.remote_ids) == 2


async def test_an_upload_whose_end_is_unknown_is_found_again(
    channel: Slack, slack: SlackPlatform, ana: Person, blobs: ObjectBlobs
) -> None:
    message = outbound(ana, "see this", files=(await file(blobs, "a.txt", b"alpha"),))
    slack.faults.plan(Fault.CUT_AFTER, method="files.completeUploadExternal")
    with pytest.raises(Uncertain):
        await channel.deliver(message)
    receipt = await channel.find_delivery(message)
    assert receipt is not None
    assert len(receipt.remote_ids) == len(slack.sent()) == 2


async def test_after_a_restart_a_message_sent_in_part_is_gone_on_with(
    channel: Slack, slack: SlackPlatform, ana: Person, blobs: ObjectBlobs
) -> None:
    message = outbound(ana, "word " * 4_000)
    slack.faults.plan(Fault.SLOW, Fault.CUT_BEFORE, method="chat.postMessage")
    with pytest.raises(Uncertain):
        await channel.deliver(message)
    settings = SlackSettings.model_validate(
        {"bot_token": slack.bot_token, "app_token": slack.app_token, "api_url": slack.url}
    )
    another = open_slack(ACCOUNT, settings, channel_context(blobs))
    assert await another.find_delivery(message) is None
    receipt = await another.deliver(message)
    await another.close()
    assert len(receipt.remote_ids) == len(slack.sent())
    assert " ".join(plain_text(m) for m in slack.sent()).split() == ["word"] * 4_000


@pytest.mark.parametrize("content", [b"", b"x" * 101])
async def test_files_that_slack_does_not_take_are_refused_before_anything_is_sent(
    slack: SlackPlatform, ana: Person, blobs: ObjectBlobs, content: bytes
) -> None:
    settings = SlackSettings.model_validate(
        {
            "bot_token": slack.bot_token,
            "app_token": slack.app_token,
            "api_url": slack.url,
            "max_file_bytes": 100,
        }
    )
    channel = open_slack(ACCOUNT, settings, channel_context(blobs))
    with pytest.raises(Rejected):
        await channel.deliver(outbound(ana, files=(await file(blobs, "a.txt", content),)))
    await channel.close()
    assert slack.sent() == []


async def test_an_edit_changes_the_message(
    channel: Slack, slack: SlackPlatform, ana: Person
) -> None:
    message = outbound(ana, "Good mourning")
    receipt = await channel.deliver(message)
    again = await channel.edit(replace(message, body=Body(text="Good morning")), receipt)
    assert again == receipt
    assert [plain_text(m) for m in slack.sent()] == ["Good morning"]


async def test_an_edit_that_is_longer_or_shorter_adds_and_takes_posts(
    channel: Slack, slack: SlackPlatform, ana: Person
) -> None:
    message = outbound(ana, "short")
    long = replace(message, body=Body(text="word " * 4_000))
    receipt = await channel.edit(long, await channel.deliver(message))
    assert len(slack.sent()) == len(receipt.remote_ids) > 1
    receipt = await channel.edit(message, receipt)
    assert [plain_text(m) for m in slack.sent()] == ["short"]
    assert len(receipt.remote_ids) == 1


async def test_an_edit_whose_end_is_unknown_can_be_tried_again(
    channel: Slack, slack: SlackPlatform, ana: Person
) -> None:
    message = outbound(ana, "short")
    receipt = await channel.deliver(message)
    long = replace(message, body=Body(text="word " * 4_000))
    slack.faults.plan(Fault.CUT_AFTER, method="chat.postMessage")
    with pytest.raises(Uncertain):
        await channel.edit(long, receipt)
    again = await channel.edit(long, receipt)
    assert len(again.remote_ids) == len(slack.sent()) > 1
    assert " ".join(plain_text(m) for m in slack.sent()).split() == ["word"] * 4_000


async def test_a_message_is_taken_back_with_its_files_and_that_can_be_repeated(
    channel: Slack, slack: SlackPlatform, ana: Person, blobs: ObjectBlobs
) -> None:
    message = outbound(ana, "oops", files=(await file(blobs, "a.txt", b"alpha"),))
    receipt = await channel.deliver(message)
    for _ in range(2):
        await channel.remove(message.thread, receipt)
    assert slack.workspace.files[receipt.remote_ids[1]].is_deleted
    assert [plain_text(m) for m in slack.sent() if not m.files] == []


async def test_what_slack_refuses_is_said_in_plain_words(channel: Slack, ana: Person) -> None:
    with pytest.raises(Rejected, match="not exist, or the desk was not invited"):
        await channel.deliver(outbound(ana, thread=ThreadKey("C0GONE/1355517523.000005")))


async def test_a_limit_on_posts_holds_up_the_thread_alone(
    channel: Slack, slack: SlackPlatform, ana: Person
) -> None:
    slack.faults.retry_after_seconds = 7
    slack.faults.plan(Fault.THROTTLED)
    with pytest.raises(Throttled) as raised:
        await channel.deliver(outbound(ana))
    assert (raised.value.retry_after, raised.value.scope) == (7.0, ThrottleScope.THREAD)


async def test_nobody_at_the_address_is_certain_non_delivery(
    slack: SlackPlatform, ana: Person
) -> None:
    settings = SlackSettings.model_validate(
        {"bot_token": "xoxb-1", "app_token": "xapp-1", "api_url": "http://127.0.0.1:1/api"}
    )
    channel = open_slack(ACCOUNT, settings, channel_context())
    with pytest.raises(Unavailable):
        await channel.deliver(outbound(ana))
    await channel.close()


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


class Kept(NothingAside):
    """An inbox that keeps what it is given."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.aside: list[str] = []
        self.health: list[Health] = []
        self.threads: set[str] = set()

    async def accept(self, *events: Event, cursor: Cursor | None = None) -> tuple[Acceptance, ...]:
        self.events += events
        return ()

    async def quarantine(self, account: AccountId, raw: bytes, reason: str) -> None:
        self.aside.append(reason)

    async def cursor(self, account: AccountId, name: str) -> str | None:
        return None

    async def threads_of(self, account: AccountId, remote_ids: Any) -> dict[Any, ThreadKey]:
        return {}

    async def has_thread(self, account: AccountId, thread: ThreadKey) -> bool:
        return thread in self.threads

    async def report(self, account: AccountId, health: Health) -> None:
        self.health.append(health)


@pytest.fixture
async def inbox(channel: Slack, slack: SlackPlatform) -> AsyncIterator[Kept]:
    kept = Kept()
    receiving = asyncio.create_task(channel.receive(kept))

    async def connected() -> bool:
        return slack.telling.sockets == 1

    assert await until(connected, every=0.01, seconds=10)
    yield kept
    receiving.cancel()
    with suppress(asyncio.CancelledError):
        await receiving


async def _told(slack: SlackPlatform, count: int = 1) -> None:
    async def told() -> bool:
        return len(slack.telling.acknowledged) >= count

    assert await until(told, every=0.01, seconds=10)


async def test_a_mention_brings_what_was_said_before_it(
    slack: SlackPlatform, ana: Person, inbox: Kept
) -> None:
    bea = slack.person("Bea")
    general = slack.workspace.channel("general")
    root = slack.compose(bea, "the *printer* is on fire", channel=general)
    await slack.mention(ana, "what now?", thread=root, channel=general)
    await _told(slack, 2)
    (event, _) = inbox.events
    assert event.body.quoted == f"@{bea.id}: the **printer** is on fire"  # type: ignore[union-attr]


async def test_a_mention_brings_what_was_said_just_before_it_however_long_the_thread_is(
    slack: SlackPlatform, ana: Person, inbox: Kept
) -> None:
    slack.server.page_limit = 5
    general = slack.workspace.channel("general")
    root = slack.compose(ana, "word 0", channel=general)
    for number in range(1, 23):
        slack.compose(ana, f"word {number}", thread=root, channel=general)
    await slack.mention(ana, "what now?", thread=root, channel=general)
    await _told(slack, 2)
    (event, _) = inbox.events
    words = [f"@{ana.id}: word {number}" for number in range(3, 23)]
    assert event.body.quoted == "\n\n".join(words)  # type: ignore[union-attr]


async def test_a_reply_counts_wherever_in_its_thread_the_desk_was_mentioned(
    slack: SlackPlatform, ana: Person, inbox: Kept
) -> None:
    slack.server.page_limit = 5
    general = slack.workspace.channel("general")
    root = slack.compose(ana, "the printer is on fire", channel=general)
    for number in range(12):
        words = "<@U0SIMBOT> and now?" if number == 11 else f"word {number}"
        slack.compose(ana, words, thread=root, channel=general)
    await slack.write(ana, "it still burns", thread=root)
    await _told(slack)
    (event,) = inbox.events
    assert event.body.text == "it still burns"  # type: ignore[union-attr]


async def test_a_thread_is_looked_at_for_ten_pages(
    slack: SlackPlatform, ana: Person, inbox: Kept
) -> None:
    slack.server.page_limit = 1
    general = slack.workspace.channel("general")
    root = slack.compose(ana, "the printer is on fire", channel=general)
    for number in range(12):
        words = "<@U0SIMBOT> and now?" if number == 11 else f"word {number}"
        slack.compose(ana, words, thread=root, channel=general)
    await slack.write(ana, "it still burns", thread=root)
    await _told(slack)
    assert inbox.events == []


async def test_without_what_was_said_before_a_mention_still_counts(
    slack: SlackPlatform, ana: Person, inbox: Kept
) -> None:
    general = slack.workspace.channel("general")
    root = slack.compose(ana, "the printer is on fire", channel=general)
    slack.faults.plan(Fault.BROKEN, Fault.BROKEN, method="conversations.replies")
    await slack.mention(ana, "what now?", thread=root, channel=general)
    await _told(slack, 2)
    assert {event.body.quoted for event in inbox.events} == {None}  # type: ignore[union-attr]


async def test_the_shortcut_is_answered_where_it_was_used(
    slack: SlackPlatform, ana: Person, inbox: Kept
) -> None:
    message = slack.compose(ana, "how do I print?", channel=slack.workspace.channel("general"))
    await slack.ask_about(ana, message)
    await _told(slack)
    (event,) = inbox.events
    assert event.thread == ana.direct

    async def answered() -> bool:
        return len(slack.server.responses) == 1

    assert await until(answered, every=0.01, seconds=10)
    assert slack.server.responses[0]["response_type"] == "ephemeral"


async def test_hints_are_in_the_language_of_whoever_asked(
    slack: SlackPlatform, inbox: Kept
) -> None:
    luz = slack.person("Luz", locale="es-MX")
    await slack.command(luz, "no puedo imprimir")
    await _told(slack)
    ((_, answer),) = slack.telling.answers
    assert answer["text"].startswith("He recibido su pregunta")


async def test_hints_are_in_the_desks_language_where_slack_does_not_tell_the_persons(
    slack: SlackPlatform, inbox: Kept
) -> None:
    slack.faults.plan(Fault.BROKEN, method="users.info")
    await slack.command(slack.person("Luz", locale="es-MX"), "no puedo imprimir")
    await _told(slack)
    ((_, answer),) = slack.telling.answers
    assert answer["text"].startswith("I have your question")


async def test_a_command_counts_also_where_its_direct_channel_cannot_be_found(
    slack: SlackPlatform, ana: Person, inbox: Kept
) -> None:
    slack.faults.plan(Fault.BROKEN, method="conversations.open")
    await slack.command(ana, "my screen is black")
    await _told(slack)
    assert [event.thread for event in inbox.events] == [ana.id]


async def test_of_commands_sent_at_once_the_first_is_stored_first(
    slack: SlackPlatform, ana: Person, inbox: Kept
) -> None:
    slack.faults.plan(Fault.SLOW, method="conversations.open")
    words = ["my screen is black", "and the keyboard is dead", "are you there?"]
    for text in words:
        await slack.command(ana, text)
    await _told(slack, len(words))
    assert [event.body.text for event in inbox.events] == words  # type: ignore[union-attr]
    assert {event.thread for event in inbox.events} == {ana.direct}
    orders = [event.order for event in inbox.events]
    assert orders == sorted(set(orders))


async def test_a_person_who_wrote_before_need_not_be_looked_for(
    slack: SlackPlatform, ana: Person, inbox: Kept
) -> None:
    slack.faults.plan(Fault.BROKEN, method="conversations.open")
    await slack.write(ana, "hello")
    await _told(slack)
    await slack.command(ana, "my screen is black")
    await _told(slack, 2)
    assert [event.thread for event in inbox.events] == [ana.direct, ana.direct]


async def test_the_home_tab_shows_a_persons_tickets_in_their_language(
    slack: SlackPlatform, ana: Person, inbox: Kept, shelf: Shelf
) -> None:
    at = datetime(2026, 5, 1, tzinfo=UTC)
    shelf.tickets[ana.id] = [
        TicketBrief(
            number=7, status="on_hold", subject="<!here> black", created_at=at, updated_at=at
        )
    ]
    await slack.open_home(ana)

    async def shown() -> bool:
        return ana.id in slack.workspace.homes

    assert await until(shown, every=0.01, seconds=10)
    words = str(slack.workspace.homes[ana.id])
    assert "*#7* &lt;!here&gt; black" in words
    assert "en espera" in words
    assert f"slack://app?team={TEAM}&id={APP}&tab=messages" in words


async def test_a_choice_takes_the_place_of_the_buttons(
    channel: Slack, slack: SlackPlatform, ana: Person, inbox: Kept
) -> None:
    choices = tuple(
        Choice(id=ChoiceId(new_id()), label=label, intent=Intent(name="affirm"))
        for label in ("Yes", "No")
    )
    await channel.deliver(outbound(ana, "Did this help?", choices=choices))
    await slack.press(ana, slack.sent()[0], "Yes")

    async def replaced() -> bool:
        return [block["type"] for block in slack.sent()[0].blocks] == ["rich_text", "context"]

    assert await until(replaced, every=0.01, seconds=10)
    assert [type(event).__name__ for event in inbox.events] == ["ChoicePressed"]


async def test_a_token_that_was_revoked_is_reported(slack: SlackPlatform, inbox: Kept) -> None:
    await slack.revoke()

    async def reported() -> bool:
        return inbox.health[-1].state is AccountState.BAD_CREDENTIALS

    assert await until(reported, every=0.01, seconds=10)
    assert "reinstall" in inbox.health[-1].remedy


async def test_events_that_slack_holds_back_are_reported(slack: SlackPlatform, inbox: Kept) -> None:
    payload = {"type": "app_rate_limited", "team_id": TEAM, "minute_rate_limited": 1518467820}
    await slack.telling.tell(News(id="limited", kind="events_api", payload=payload))
    await _told(slack)
    assert AccountState.DEGRADED in {health.state for health in inbox.health}


async def test_a_persons_own_token_is_none_of_the_accounts(
    slack: SlackPlatform, inbox: Kept
) -> None:
    event = {"type": "tokens_revoked", "tokens": {"oauth": ["U1"], "bot": []}}
    await slack.telling.tell(slack._event(event))
    await _told(slack)
    assert all(health.state is not AccountState.BAD_CREDENTIALS for health in inbox.health)


async def _fetch(channel: Slack, remote: str) -> bytes:
    reference = FileRef(name="a", media_type="image/png", remote=remote)
    return b"".join([piece async for piece in channel.fetch(reference)])


def _raw(slack: SlackPlatform, message: Any) -> bytes:
    return json.dumps(slack.posting(message).payload).encode()
