"""Slack's payloads to events."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from core.domain.content import Intent
from core.domain.errors import IgnoredPayload, UnknownPayload
from core.domain.events import (
    ChoicePressed,
    MessageEdited,
    MessagePosted,
    MessageRemoved,
    ProfileChanged,
    ReactionChanged,
)
from tests.unit.slack.slack_payloads import (
    ANA,
    BOT,
    CHOICE,
    DIRECT,
    GENERAL,
    LATER,
    TS,
    changed,
    command,
    envelope,
    mention,
    message,
    pressed,
    read,
    read_payload,
    shortcut,
)


def posted(event: dict[str, Any], *, bot: str | None = BOT) -> MessagePosted:
    (found,) = read(event, bot=bot).events
    assert isinstance(found, MessagePosted)
    return found


def test_a_direct_message_belongs_to_the_direct_conversation() -> None:
    event = posted(message("hello"))
    assert event.key == f"post:{DIRECT}/{TS}"
    assert event.thread == DIRECT
    assert event.remote_ids == (f"{DIRECT}/{TS}",)
    assert event.author.address == ANA
    assert event.body.text == "hello"
    assert event.at.timestamp() == pytest.approx(1355517523.000005)


def test_a_reply_inside_a_direct_thread_belongs_to_the_same_conversation() -> None:
    assert posted(message(ts=LATER, thread_ts=TS)).thread == DIRECT


def test_a_mention_and_its_message_are_one_occurrence() -> None:
    mentioned = posted(mention())
    said = posted(message(f"<@{BOT}> hello", channel=GENERAL, channel_type="channel"))
    assert mentioned.key == said.key
    assert mentioned.thread == said.thread == f"{GENERAL}/{TS}"
    assert mentioned.body.text == said.body.text == "hello"


def test_a_mention_loses_its_address_also_where_nothing_tells_who_the_desk_is() -> None:
    assert posted(mention("<@U0XYZ> hello"), bot=None).body.text == "hello"


def test_other_mentions_stay() -> None:
    assert posted(mention(f"<@{BOT}> ask <@U0XYZ|bea>")).body.text == "ask @bea"


def test_a_mention_inside_a_thread_wants_what_was_said_before() -> None:
    reading = read(mention(ts=LATER, thread_ts=TS))
    assert reading.wants_context
    assert reading.events[0].thread == f"{GENERAL}/{TS}"


def test_a_reply_in_a_channel_counts_only_where_the_desk_takes_part() -> None:
    reading = read(message(channel=GENERAL, ts=LATER, thread_ts=TS))
    assert reading.only_in == f"{GENERAL}/{TS}"
    assert read(message()).only_in is None
    assert read(mention()).only_in is None


def test_talk_in_a_channel_is_not_for_the_desk() -> None:
    with pytest.raises(IgnoredPayload, match="does not mention"):
        read(message(channel=GENERAL))


@pytest.mark.parametrize(
    "fields",
    [{"bot_id": "B1"}, {"user": BOT}, {"user": "USLACKBOT"}, {"bot_profile": {"id": "B1"}}],
)
def test_programs_are_not_customers(fields: dict[str, Any]) -> None:
    with pytest.raises(IgnoredPayload):
        read(message(**fields))


@pytest.mark.parametrize("subtype", ["channel_join", "bot_message", "channel_topic", "tombstone"])
def test_messages_that_slack_writes_itself_are_ignored(subtype: str) -> None:
    with pytest.raises(IgnoredPayload, match=subtype):
        read(message(subtype=subtype))


def test_an_unknown_kind_of_message_is_not_passed_over() -> None:
    with pytest.raises(UnknownPayload, match="brand_new"):
        read(message(subtype="brand_new"))


def test_a_reply_that_is_also_sent_to_the_channel_is_a_reply() -> None:
    event = mention(subtype="thread_broadcast", ts=LATER, thread_ts=TS)
    assert posted(event).thread == f"{GENERAL}/{TS}"


def test_files_come_as_references() -> None:
    file = {
        "id": "F0S43P1CZ",
        "name": "screen.png",
        "mimetype": "image/png",
        "size": 144538,
        "mode": "hosted",
        "url_private_download": "https://files.slack.com/files-pri/T1-F0S43P1CZ/download/x",
    }
    (found,) = posted(message("", subtype="file_share", files=[file])).body.files
    assert (found.name, found.media_type, found.size_bytes) == ("screen.png", "image/png", 144538)
    assert found.remote == "F0S43P1CZ"


def test_files_that_live_elsewhere_are_links_and_lost_ones_are_named() -> None:
    files = [
        {"id": "F1", "mode": "external", "name": "plan", "external_url": "https://docs.example/1"},
        {"id": "F2", "mode": "tombstone"},
        {"id": "F3", "mode": "hidden_by_limit"},
    ]
    body = posted(message("see", files=files)).body
    assert body.text == "see\n[plan](https://docs.example/1)"
    assert body.unsupported == ("deleted file", "file beyond the workspace's limit")
    assert body.files == ()


def test_a_message_passed_on_is_quoted_and_a_preview_is_not() -> None:
    attachments = [
        {"is_share": True, "author_name": "Bea", "text": "the *printer* is on fire"},
        {"title": "A page", "text": "its preview", "from_url": "https://example.com"},
    ]
    body = posted(message("look", attachments=attachments)).body
    assert body.quoted == "Bea: the **printer** is on fire"


def test_what_is_passed_on_without_a_word_is_what_is_said_with_its_files() -> None:
    picture = {"id": "F0S43P1CZ", "mode": "hosted", "name": "fire.png", "mimetype": "image/png"}
    shared = {"is_share": True, "author_name": "Bea", "text": "on fire", "files": [picture]}
    body = posted(message("", attachments=[shared])).body
    assert (body.text, body.quoted, body.unsupported) == ("Bea: on fire", None, ("forwarded",))
    assert [file.name for file in body.files] == ["fire.png"]


def test_channels_have_names_where_slack_gives_them() -> None:
    element = {"type": "channel", "channel_id": "C024BE7LR"}
    section = {"type": "rich_text_section", "elements": [element]}
    blocks = [{"type": "rich_text", "elements": [section]}]
    named = posted(message("<#C024BE7LR|help-it>", blocks=blocks)).body
    assert named.text == "#help-it"
    assert posted(message("<#C024BE7LR>", blocks=blocks)).body.text == "#C024BE7LR"


def test_order_sorts_as_time_stamps_do() -> None:
    stamps = ["999999999.000001", "1355517523.000005", "1355517523.000012", "1355517524.1"]
    orders = [posted(message(ts=ts)).order for ts in stamps]
    assert orders == sorted(orders)


def test_a_text_that_is_too_long_is_cut_not_refused() -> None:
    text = posted(message("x" * 40_000)).body.text
    assert len(text) == 20_000
    assert text.endswith("[…]")


def test_an_edit_is_a_change_of_its_message() -> None:
    new = message("goodbye", edited={"user": ANA, "ts": LATER})
    (event,) = read(changed(new, message("hello"))).events
    assert isinstance(event, MessageEdited)
    assert event.key == f"edit:{DIRECT}/{TS}:{LATER}"
    assert event.remote_id == f"{DIRECT}/{TS}"
    assert event.body.text == "goodbye"


def test_a_preview_that_slack_adds_is_no_edit() -> None:
    new = message("https://example.com", attachments=[{"title": "Example"}])
    with pytest.raises(IgnoredPayload, match="look"):
        read(changed(new, message("https://example.com")))


def test_a_file_taken_out_of_a_message_is_an_edit() -> None:
    old = message("see", files=[{"id": "F1", "mode": "hosted", "name": "a"}])
    new = message("see", files=[{"id": "F1", "mode": "tombstone"}])
    (event,) = read(changed(new, old)).events
    assert isinstance(event, MessageEdited)
    assert event.body.files == ()


def test_an_edit_in_a_channel_counts_only_where_the_desk_takes_part() -> None:
    new = message("goodbye", edited={"user": ANA, "ts": LATER}, thread_ts="1355517000.000001")
    reading = read(changed(new, message("hello"), channel=GENERAL))
    assert reading.only_in == f"{GENERAL}/1355517000.000001"


def test_an_edit_of_our_own_message_is_ignored() -> None:
    new = message("new", user=BOT, bot_id="B1", edited={"user": BOT, "ts": LATER})
    with pytest.raises(IgnoredPayload):
        read(changed(new, message("old", user=BOT, bot_id="B1")))


def test_a_deletion_names_its_message() -> None:
    event = {
        "type": "message",
        "subtype": "message_deleted",
        "channel": DIRECT,
        "ts": LATER,
        "event_ts": LATER,
        "deleted_ts": TS,
        "previous_message": message("hello"),
    }
    (removed,) = read(event).events
    assert isinstance(removed, MessageRemoved)
    assert (removed.key, removed.remote_id) == (f"remove:{DIRECT}/{TS}", f"{DIRECT}/{TS}")


def test_the_stone_of_a_deleted_thread_is_a_deletion() -> None:
    stone = message("This message was deleted.", user="USLACKBOT", subtype="tombstone")
    (removed,) = read(changed(stone, message("hello"))).events
    assert isinstance(removed, MessageRemoved)


@pytest.mark.parametrize(("kind", "added"), [("reaction_added", True), ("reaction_removed", False)])
def test_reactions_come_with_their_name(kind: str, added: bool) -> None:
    item = {"type": "message", "channel": DIRECT, "ts": TS}
    event = {"type": kind, "user": ANA, "reaction": "+1", "item": item, "event_ts": LATER}
    (changed_,) = read(event).events
    assert isinstance(changed_, ReactionChanged)
    assert (changed_.reaction, changed_.added) == (":+1:", added)
    assert changed_.remote_id == f"{DIRECT}/{TS}"


def test_a_reaction_in_a_channel_counts_only_on_messages_that_the_desk_knows() -> None:
    item = {"type": "message", "channel": GENERAL, "ts": TS}
    event = {"type": "reaction_added", "user": ANA, "reaction": "x", "item": item}
    assert read(event | {"event_ts": LATER}).only_about == f"{GENERAL}/{TS}"


def test_a_profile_brings_name_address_and_language() -> None:
    user = {
        "id": ANA,
        "locale": "es-ES",
        "is_email_confirmed": True,
        "profile": {"real_name": "Ana Gil", "email": "Ana@Example.com"},
    }
    (event,) = read({"type": "user_change", "user": user, "event_ts": LATER}).events
    assert isinstance(event, ProfileChanged)
    assert event.author.name == "Ana Gil"
    assert event.author.email == "ana@example.com"
    assert event.author.language == "es"


@pytest.mark.parametrize("doubt", [{"is_email_confirmed": False}, {"is_stranger": True}])
def test_an_address_that_nobody_vouches_for_is_left_out(doubt: dict[str, Any]) -> None:
    user = {"id": ANA, "profile": {"real_name": "Ana", "email": "ana@example.com"}} | doubt
    (event,) = read({"type": "user_change", "user": user, "event_ts": LATER}).events
    assert event.author.email is None


def test_a_pressed_button_is_a_choice() -> None:
    (event,) = read_payload(pressed()).events
    assert isinstance(event, ChoicePressed)
    assert event.choice == UUID(CHOICE)
    assert event.thread == DIRECT
    assert event.key == f"press:{DIRECT}/{TS}:{ANA}:{LATER}"


def test_a_button_pressed_in_a_channels_thread_belongs_to_the_thread() -> None:
    container = {"message_ts": LATER, "channel_id": GENERAL, "thread_ts": TS}
    (event,) = read_payload(pressed(container=container)).events
    assert event.thread == f"{GENERAL}/{TS}"


def test_buttons_that_are_not_ours_are_ignored() -> None:
    link = {"type": "button", "action_id": "home:write", "action_ts": LATER}
    forged = {"type": "button", "action_id": "choice:0", "value": "rm -rf", "action_ts": LATER}
    for action in (link, forged):
        with pytest.raises(IgnoredPayload):
            read_payload(pressed(actions=[action]))


def test_a_command_asks_in_the_direct_conversation() -> None:
    (event,) = read_payload(command("my *screen* is black")).events
    assert isinstance(event, MessagePosted)
    assert event.thread == ANA  # whose direct channel the payload does not tell
    assert event.body.text == "my **screen** is black"
    assert event.intent is None
    assert event.key.startswith("command:")


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("", "ask_capabilities"),
        ("help", "ask_capabilities"),
        ("Human", "ask_human"),
        ("estado", "ticket_status"),
        ("language es", "switch_language"),
    ],
)
def test_a_word_after_the_command_says_outright_what_is_meant(text: str, intent: str) -> None:
    (event,) = read_payload(command(text)).events
    assert isinstance(event, MessagePosted)
    assert event.intent == Intent(name=intent)
    assert event.body.text


def test_the_shortcut_brings_the_message_along() -> None:
    about = message("how do I print?", user="U0BEA", files=[{"id": "F1", "name": "a.png"}])
    (event,) = read_payload(shortcut(about)).events
    assert isinstance(event, MessagePosted)
    assert (event.thread, event.author.address) == (ANA, ANA)
    assert event.body.text == "how do I print?"
    assert event.body.quoted == "@U0BEA in #general: how do I print?"
    assert [file.name for file in event.body.files] == ["a.png"]


@pytest.mark.parametrize(
    "kind",
    ["app_home_opened", "app_uninstalled", "tokens_revoked", "channel_archive", "file_shared"],
)
def test_events_that_say_nothing_in_a_conversation_are_ignored(kind: str) -> None:
    with pytest.raises(IgnoredPayload, match=kind):
        read({"type": kind})


def test_an_unknown_event_is_not_passed_over() -> None:
    with pytest.raises(UnknownPayload, match="moon_landed"):
        read({"type": "moon_landed"})


def test_envelopes_of_socket_mode_are_opened() -> None:
    inside = envelope(message("hello"))
    outside = {"envelope_id": "1", "type": "events_api", "payload": inside}
    assert read_payload(outside) == read_payload(inside)
