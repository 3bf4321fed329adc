"""What the channel sends, changes and takes back, against the simulated Slack."""

from __future__ import annotations

from dataclasses import replace

import pytest
from obstore.store import MemoryStore

from channels.simulator.faults import Fault
from channels.simulator.slack import Person, SlackPlatform
from channels.slack import ids
from channels.slack.channel import Slack, open_slack
from channels.slack.settings import SlackSettings
from core.adapters.blobs import ObjectBlobs
from core.domain.channel import InPart
from core.domain.content import Body
from core.domain.errors import (
    CannotSay,
    Rejected,
    SentInPart,
    StorageUnavailable,
    Throttled,
    ThrottleScope,
    Unavailable,
    Uncertain,
)
from core.domain.ids import MessageId, ThreadKey, new_id
from tests.support.slack import channel_context, plain_text
from tests.unit.slack.rig import ACCOUNT, file, outbound


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


async def test_an_upload_that_breaks_is_made_again_and_its_text_is_not_repeated(
    channel: Slack, slack: SlackPlatform, ana: Person, blobs: ObjectBlobs
) -> None:
    message = outbound(ana, "see this", files=(await file(blobs, "a.txt", b"alpha"),))
    slack.faults.plan(Fault.CUT_AFTER, method="upload")
    with pytest.raises(CannotSay):
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
    assert isinstance(await another.find_delivery(message), InPart)
    receipt = await another.deliver(message)
    await another.close()
    assert len(receipt.remote_ids) == len(slack.sent())
    assert " ".join(plain_text(m) for m in slack.sent()).split() == ["word"] * 4_000


@pytest.mark.parametrize("fault", [Fault.THROTTLED, Fault.BROKEN, Fault.BAD_CREDENTIALS])
async def test_what_was_sent_in_part_before_slack_was_away_is_in_doubt(
    channel: Slack, slack: SlackPlatform, ana: Person, fault: Fault
) -> None:
    message = outbound(ana, "word " * 4_000)
    slack.faults.plan(Fault.SLOW, fault, method="chat.postMessage")
    with pytest.raises(Uncertain):
        await channel.deliver(message)
    (post,) = slack.sent()
    there = InPart(remote_ids=(ids.remote_id(ana.direct, post.ts),))
    assert await channel.find_delivery(message) == there
    await channel.deliver(message)
    assert " ".join(plain_text(m) for m in slack.sent()).split() == ["word"] * 4_000


async def test_a_notice_of_several_posts_that_broke_off_is_gone_on_with(
    channel: Slack, slack: SlackPlatform, ana: Person, blobs: ObjectBlobs
) -> None:
    notice, words = MessageId(new_id()), "word " * 4_000
    slack.faults.plan(Fault.SLOW, Fault.CUT_BEFORE, method="chat.postMessage")
    with pytest.raises(Uncertain):
        await channel.tell(ids.address(ana.id), notice, words, may_have_left=False)
    settings = SlackSettings.model_validate(
        {"bot_token": slack.bot_token, "app_token": slack.app_token, "api_url": slack.url}
    )
    another = open_slack(ACCOUNT, settings, channel_context(blobs))
    for _ in range(2):
        await another.tell(ids.address(ana.id), notice, words, may_have_left=True)
    await another.close()
    assert " ".join(plain_text(m) for m in slack.sent()).split() == ["word"] * 4_000


class _AwayBlobs(ObjectBlobs):
    async def get(self, key: str) -> bytes:
        raise StorageUnavailable(key)


async def test_a_file_that_cannot_be_read_now_is_not_sent_and_leaves_its_text_once(
    channel: Slack, slack: SlackPlatform, ana: Person, blobs: ObjectBlobs
) -> None:
    message = outbound(ana, "see this", files=(await file(blobs, "a.txt", b"alpha"),))
    settings = SlackSettings.model_validate(
        {"bot_token": slack.bot_token, "app_token": slack.app_token, "api_url": slack.url}
    )
    without = open_slack(ACCOUNT, settings, channel_context(_AwayBlobs(MemoryStore)))
    with pytest.raises(CannotSay, match=r"a\.txt cannot be read now"):
        await without.deliver(message)
    await without.close()
    assert isinstance(await channel.find_delivery(message), InPart)
    await channel.deliver(message)
    assert [plain_text(sent) for sent in slack.sent()] == ["see this", ""]


async def test_a_rest_that_is_refused_leaves_its_message_sent_in_part(
    channel: Slack, slack: SlackPlatform, ana: Person, blobs: ObjectBlobs
) -> None:
    gone = replace(await file(blobs, "a.txt", b"alpha"), remote="gone.txt")
    message = outbound(ana, "see this", files=(gone,))
    with pytest.raises(SentInPart, match=r"1 of 2 parts were sent, then: the file a\.txt"):
        await channel.deliver(message)
    assert [plain_text(sent) for sent in slack.sent()] == ["see this"]


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
