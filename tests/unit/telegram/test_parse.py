"""What updates say."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from channels.telegram.addressing import Reading, Self
from channels.telegram.parse import parse_update, pressed_message, read_any
from core.domain.content import MAX_TEXT_CHARS, Body, Intent
from core.domain.errors import IgnoredPayload, UnknownPayload
from core.domain.events import (
    ChoicePressed,
    Event,
    MessageEdited,
    MessagePosted,
    ParticipantChanged,
    ReachabilityChanged,
    ReactionChanged,
    ThreadMoved,
)
from core.domain.linking import wish_in
from tests.unit.telegram.memory import ACCOUNT, ANA, BOT, GROUP, PRIVATE, message, raw, update

NOW = datetime(2026, 1, 2, tzinfo=UTC)
US = Self(id=BOT, username="desk_bot")
PHOTO = [
    {"file_id": "small", "file_unique_id": "s", "width": 90, "height": 60, "file_size": 9},
    {"file_id": "large", "file_unique_id": "l", "width": 900, "height": 600, "file_size": 99},
]
FILE = {"file_id": "f", "file_unique_id": "u", "file_size": 7}
PLACE = {"latitude": 40.4168, "longitude": -3.7038}


def parse(content: dict[str, Any], bot: Self | None = US) -> tuple[Event, ...]:
    return parse_update(content, Reading(account=ACCOUNT, bot=bot), NOW, raw(content))


def posted(content: dict[str, Any]) -> MessagePosted:
    (event,) = parse(content)
    assert isinstance(event, MessagePosted)
    return event


def mention(text: str, name: str = "@desk_bot") -> list[dict[str, Any]]:
    return [{"type": "mention", "offset": text.index(name), "length": len(name)}]


def test_a_message_has_its_author_thread_key_and_raw_payload() -> None:
    event = posted(update())
    assert (event.key, event.thread, event.remote_ids) == ("post:11/5", "11", ("11/5",))
    assert (event.author.address, event.author.name, event.author.language) == ("11", "Ana", "es")
    assert event.body == Body(text="hello")
    assert event.at == datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)
    assert event.raw == raw(update())


def test_a_payload_is_read_without_knowing_the_bot() -> None:
    (event,) = read_any(ACCOUNT, raw(update(chat=GROUP, text="hello all")))
    assert isinstance(event, MessagePosted)


@pytest.mark.parametrize(
    ("fields", "thread"),
    [
        ({"message_thread_id": 7, "is_topic_message": True}, "11/7"),
        ({"message_thread_id": 7}, "11"),  # names the message that is answered
        ({"direct_messages_topic": {"topic_id": 9}}, "11/~9"),
    ],
)
def test_each_topic_is_a_conversation(fields: dict[str, Any], thread: str) -> None:
    assert posted(update(text="hello", **fields)).thread == thread


def test_messages_sort_by_number_and_those_of_a_later_supergroup_behind() -> None:
    group = {"id": -42, "type": "group", "title": "Office"}
    orders = [
        posted(
            update(text="@desk_bot hi", entities=mention("@desk_bot"), chat=chat, message_id=n)
        ).order
        for chat, n in ((group, 9), (group, 10), (GROUP, 1))
    ]
    assert orders == sorted(orders)


@pytest.mark.parametrize(
    ("text", "intent", "words"),
    [
        ("/start", "greet", "/start"),
        ("/start from-the-web-page", "greet", "/start from-the-web-page"),
        ("/human", "ask_human", "/human"),
        ("/status", "ticket_status", "/status"),
        ("/language es", "switch_language", "/language Español"),
        ("/help@desk_bot", "ask_capabilities", "/help"),
    ],
)
def test_commands_say_what_they_mean(text: str, intent: str, words: str) -> None:
    command = text.partition(" ")[0]
    entities = [{"type": "bot_command", "offset": 0, "length": len(command)}]
    event = posted(update(text=text, entities=entities))
    assert event.intent == Intent(name=intent)
    assert event.body.text == words


@pytest.mark.parametrize("text", ["/link ada@example.org", "/link@Desk_Bot ada@example.org"])
def test_the_menus_way_to_link_an_address_works_in_groups(text: str) -> None:
    command = text.partition(" ")[0]
    entities = [{"type": "bot_command", "offset": 0, "length": len(command)}]
    event = posted(update(text=text, entities=entities, chat=GROUP))
    assert (event.body.text, event.intent) == ("/link ada@example.org", None)
    wish = wish_in(event.body.text)
    assert wish is not None
    assert wish.entities == {"email": "ada@example.org"}


def test_what_a_link_to_the_bot_carries_is_the_conversations_topic() -> None:
    entities = [{"type": "bot_command", "offset": 0, "length": 6}]
    assert posted(update(text="/start printer-3", entities=entities)).subject == "printer-3"
    assert posted(update(text="/start", entities=entities)).subject is None
    assert posted(update(text="/help me", entities=entities[:0])).subject is None


def test_a_command_that_is_not_ours_is_a_text() -> None:
    event = posted(
        update(text="/dance", entities=[{"type": "bot_command", "offset": 0, "length": 6}])
    )
    assert (event.intent, event.body.text) == (None, "/dance")


@pytest.mark.parametrize(
    ("fields", "name", "media_type", "remote"),
    [
        ({"photo": PHOTO}, "photo-l.jpg", "image/jpeg", "large"),
        ({"voice": FILE}, "voice-u.ogg", "audio/ogg", "f"),
        ({"audio": {**FILE, "mime_type": "audio/MP4"}}, "audio-u.mp3", "audio/mp4", "f"),
        ({"video": FILE}, "video-u.mp4", "video/mp4", "f"),
        ({"video_note": FILE}, "video_note-u.mp4", "video/mp4", "f"),
        (
            {"document": {**FILE, "file_name": "bill.pdf", "mime_type": "application/pdf"}},
            "bill.pdf",
            "application/pdf",
            "f",
        ),
        ({"animation": FILE, "document": FILE}, "animation-u.mp4", "video/mp4", "f"),
        (
            {"sticker": {**FILE, "is_animated": True}},
            "sticker-u.tgs",
            "application/x-tgsticker",
            "f",
        ),
    ],
)
def test_files_come_as_references(
    fields: dict[str, Any], name: str, media_type: str, remote: str
) -> None:
    (file,) = posted(update(**fields)).body.files
    assert (file.name, file.media_type, file.remote) == (name, media_type, remote)


def test_a_live_photo_is_a_photo_and_a_video() -> None:
    files = posted(update(photo=PHOTO, live_photo=FILE)).body.files
    assert [file.media_type for file in files] == ["image/jpeg", "video/mp4"]


@pytest.mark.parametrize(
    ("fields", "text", "kind"),
    [
        ({"contact": {"phone_number": "+34600", "first_name": "Eva"}}, "Eva, +34600", "contact"),
        (
            {"location": PLACE},
            "[40.416800, -3.703800](https://www.openstreetmap.org/?mlat=40.416800&mlon=-3.703800)",
            "location",
        ),
        (
            {"poll": {"question": "Tea?", "options": [{"text": "Yes"}, {"text": "No"}]}},
            "Tea?\n\n- Yes\n- No",
            "poll",
        ),
        ({"dice": {"emoji": "🎲", "value": 4}}, "🎲 4", "dice"),
        ({"sticker": {**FILE, "emoji": "👍"}}, "👍", "sticker"),
        ({"story": {"chat": PRIVATE, "id": 1}}, "", "story"),
        (
            {"checklist": {"title": "Move", "tasks": [{"id": 1, "text": "Desk"}]}},
            "Move\n\n- Desk",
            "checklist",
        ),
    ],
)
def test_what_has_no_form_elsewhere_is_kept_as_text_and_named(
    fields: dict[str, Any], text: str, kind: str
) -> None:
    body = posted(update(**fields)).body
    assert body.text == text
    assert body.unsupported == (kind,)


def test_a_venue_is_told_once() -> None:
    venue = {"title": "Café", "address": "Calle Mayor 1", "location": PLACE}
    body = posted(update(venue=venue, location=PLACE)).body
    assert body.text.startswith("Café, Calle Mayor 1\n[40.416800")
    assert body.unsupported == ("venue",)


def test_a_rich_message_is_read_as_text_and_files() -> None:
    blocks = [
        {"type": "heading", "size": 1, "text": "Report"},
        {"type": "paragraph", "text": ["It is ", {"type": "bold", "text": "broken"}, "."]},
        {
            "type": "list",
            "items": [{"label": "•", "blocks": [{"type": "paragraph", "text": "one"}]}],
        },
        {"type": "photo", "photo": PHOTO, "caption": {"text": "the screen"}},
    ]
    body = posted(update(rich_message={"blocks": blocks})).body
    assert body.text == "**Report**\n\nIt is **broken**.\n\n- one\n\nthe screen"
    assert [file.remote for file in body.files] == ["large"]


def test_a_text_longer_than_the_desk_keeps_is_cut_and_says_so() -> None:
    blocks = [{"type": "paragraph", "text": "word " * 1_000}] * 5
    body = posted(update(rich_message={"blocks": blocks})).body
    assert len(body.text) == MAX_TEXT_CHARS
    assert body.unsupported == ("the rest of a long text",)


def test_parts_of_an_album_name_it() -> None:
    event = posted(update(photo=PHOTO, media_group_id="a1", caption="two"))
    assert (event.album, event.body.text) == ("a1", "two")


def test_what_is_answered_and_who_is_forwarded_can_be_seen() -> None:
    answered = posted(update(text="this", reply_to_message=message(text="that")))
    assert (answered.body.quoted, answered.answers) == ("that", "11/5")
    forwarded = posted(
        update(text="this", forward_origin={"type": "user", "date": 1, "sender_user": ANA})
    )
    assert forwarded.body.unsupported == ("forwarded from Ana",)


class TestInGroups:
    def test_a_mention_is_for_us_and_not_part_of_the_text(self) -> None:
        text = "@Desk_Bot, my screen is dark"
        event = posted(update(chat=GROUP, text=text, entities=mention(text, "@Desk_Bot")))
        assert event.body.text == "my screen is dark"

    def test_a_mention_counts_utf_16_units(self) -> None:
        text = "😀😀 @desk_bot help"
        entities = [{"type": "mention", "offset": 5, "length": 9}]
        assert posted(update(chat=GROUP, text=text, entities=entities)).body.text == text

    def test_an_answer_to_us_is_for_us(self) -> None:
        ours = message(text="?", chat=GROUP, **{"from": {**ANA, "id": BOT, "is_bot": True}})
        assert posted(update(chat=GROUP, text="yes", reply_to_message=ours)).body.text == "yes"

    @pytest.mark.parametrize("text", ["hello all", "@other_bot hi"])
    def test_what_is_for_others_is_ignored(self, text: str) -> None:
        entities = [{"type": "mention", "offset": 0, "length": len(text.partition(" ")[0])}]
        with pytest.raises(IgnoredPayload, match="not meant for the bot"):
            parse(update(chat=GROUP, text=text, entities=entities))

    def test_a_command_for_another_bot_is_ignored(self) -> None:
        entities = [{"type": "bot_command", "offset": 0, "length": 16}]
        with pytest.raises(IgnoredPayload):
            parse(update(chat=GROUP, text="/human@other_bot", entities=entities))

    def test_an_anonymous_admin_writes_as_the_group(self) -> None:
        hidden = {"id": 1087968824, "is_bot": True, "first_name": "Group"}
        text = "@desk_bot hi"
        event = posted(
            update(
                chat=GROUP,
                text=text,
                entities=mention(text),
                sender_chat=GROUP,
                **{"from": hidden},
            )
        )
        assert (event.author.address, event.author.name) == (f"chat:{GROUP['id']}", "Office")

    def test_people_join_and_leave_and_bots_do_not_count(self) -> None:
        eva = {"id": 12, "is_bot": False, "first_name": "Eva"}
        robot = {"id": 13, "is_bot": True, "first_name": "Bot"}
        (joined,) = parse(update(chat=GROUP, new_chat_members=[eva, robot]))
        (left,) = parse(update(chat=GROUP, left_chat_member=eva))
        assert isinstance(joined, ParticipantChanged)
        assert isinstance(left, ParticipantChanged)
        assert (joined.participant.name, joined.joined, left.joined) == ("Eva", True, False)

    def test_both_notices_of_a_migration_are_one_occurrence(self) -> None:
        old = {"id": -42, "type": "group", "title": "Office"}
        (there,) = parse(update(chat=old, migrate_to_chat_id=GROUP["id"]))
        (here,) = parse(update(chat=GROUP, migrate_from_chat_id=-42))
        assert isinstance(there, ThreadMoved)
        assert isinstance(here, ThreadMoved)
        assert there.key == here.key
        assert (there.thread, there.new_thread) == ("-42", str(GROUP["id"]))


def test_an_edit_is_a_revision_and_two_within_a_second_differ() -> None:
    first, second = (
        parse(update("edited_message", text=text, edit_date=1_700_000_100))[0]
        for text in ("one", "two")
    )
    assert isinstance(first, MessageEdited)
    assert first.remote_id == "11/5"
    assert first.key != second.key
    assert first.key == parse(update("edited_message", text="one", edit_date=1_700_000_100))[0].key


def test_an_edited_caption_is_the_new_text() -> None:
    (event,) = parse(update("edited_message", photo=PHOTO, caption="new", edit_date=1))
    assert isinstance(event, MessageEdited)
    assert event.body.text == "new"
    assert [file.remote for file in event.body.files] == ["large"]


def press(data: str | None, **fields: Any) -> dict[str, Any]:
    query = {
        "id": "77",
        "from": ANA,
        "chat_instance": "1",
        "message": message(text="?"),
        "data": data,
        **fields,
    }
    return {"update_id": 900, "callback_query": query}


def test_a_pressed_button_is_a_choice() -> None:
    choice = uuid4()
    (event,) = parse(press(str(choice)))
    assert isinstance(event, ChoicePressed)
    assert (event.choice, event.key, event.thread, event.at) == (choice, "press:77", "11", NOW)


@pytest.mark.parametrize("data", [None, "", "x", "0" * 36, "{" + "0" * 34 + "}"])
def test_a_button_that_is_not_ours_is_ignored(data: str | None) -> None:
    with pytest.raises(IgnoredPayload):
        parse(press(data))


def test_the_message_under_an_old_button_can_be_named() -> None:
    gone = {"chat": GROUP, "message_id": 8, "date": 0}
    assert pressed_message(press(str(uuid4()), message=gone)) == f"{GROUP['id']}/8"
    assert pressed_message(press(str(uuid4()))) is None


def reaction(old: list[str], new: list[str]) -> dict[str, Any]:
    change = {
        "chat": PRIVATE,
        "message_id": 5,
        "user": ANA,
        "date": 1_700_000_000,
        "old_reaction": [{"type": "emoji", "emoji": emoji} for emoji in old],
        "new_reaction": [{"type": "emoji", "emoji": emoji} for emoji in new],
    }
    return {"update_id": 901, "message_reaction": change}


def test_each_reaction_put_on_or_taken_off_is_an_event() -> None:
    events = parse(reaction(["👍", "🔥"], ["🔥", "🎉"]))
    assert all(isinstance(event, ReactionChanged) for event in events)
    assert [(e.reaction, e.added) for e in events if isinstance(e, ReactionChanged)] == [
        ("👍", False),
        ("🎉", True),
    ]
    assert len({event.key for event in events}) == 2
    assert [event.key for event in parse(reaction(["👍", "🔥"], ["🔥", "🎉"]))] == [
        event.key for event in events
    ]


@pytest.mark.parametrize(
    ("member", "reachable"),
    [
        ({"status": "kicked"}, False),
        ({"status": "left"}, False),
        ({"status": "member"}, True),
        ({"status": "administrator"}, True),
        ({"status": "restricted", "can_send_messages": False}, False),
        ({"status": "restricted", "can_send_messages": True}, True),
    ],
)
def test_whether_the_bot_may_write_is_known(member: dict[str, Any], reachable: bool) -> None:
    change = {"chat": PRIVATE, "from": ANA, "date": 1, "new_chat_member": member}
    (event,) = parse({"update_id": 1, "my_chat_member": change})
    assert isinstance(event, ReachabilityChanged)
    assert event.reachable is reachable


@pytest.mark.parametrize(
    "content",
    [
        {"update_id": 1},
        {"update_id": 1, "channel_post": {}},
        {"update_id": 1, "inline_query": {}},
        {"update_id": 1, "business_message": {}},
        update(text="hi", **{"from": {**ANA, "is_bot": True}}),
        update(text="hi", **{"from": {**ANA, "id": BOT}}),
        update(text="hi", chat={"id": -1000000000001, "type": "channel", "title": "News"}),
        update(pinned_message=message()),
        update(chat=GROUP, text="news", is_automatic_forward=True, sender_chat=GROUP),
    ],
)
def test_what_says_nothing_to_the_desk_is_ignored_with_a_reason(content: dict[str, Any]) -> None:
    with pytest.raises(IgnoredPayload) as raised:
        parse(content)
    assert str(raised.value)


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"update_id": True},
        {"update_id": 1, "hologram": {}},
        {"update_id": 1, "message": 5},
        update(text=5),
        update(text="hi", date=10**30),
        update(text="hi", date=-1),
        update(text="hi", message_id="5"),
        update(text="hi", entities=[5]),
        update(photo=[{"file_id": 5}]),
        update(location={"latitude": "north"}),
        {"update_id": 1, "my_chat_member": {"chat": PRIVATE, "date": 1, "new_chat_member": {}}},
    ],
)
def test_a_shape_that_telegram_does_not_send_is_unknown(content: dict[str, Any]) -> None:
    with pytest.raises(UnknownPayload):
        parse(content)


@pytest.mark.parametrize("line", [b"", b"\xff", b"[]", b"[" * 100_000, b'"x"', b'{"a":NaN}'])
def test_what_is_no_json_object_is_unknown(line: bytes) -> None:
    with pytest.raises(UnknownPayload):
        read_any(ACCOUNT, line)
