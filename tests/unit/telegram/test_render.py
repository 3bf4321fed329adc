"""How messages of ours go to Telegram."""

from __future__ import annotations

import pytest

from channels.telegram.render import Call, Upload, render, render_edit
from channels.telegram.styled import length
from core.domain.content import FileRef
from core.domain.conversation import Speaker
from core.domain.errors import Rejected
from core.domain.ids import RemoteId, ThreadKey
from tests.unit.telegram.outgoing import NO, YES, file, out

GROUP = ThreadKey("-1000000000123")


def photo(number: int = 1) -> FileRef:
    return file(f"{number}.png", "image/png")


def methods(calls: tuple[Call, ...]) -> list[str]:
    return [call.method for call in calls]


def test_a_text_goes_with_its_entities_and_without_a_preview() -> None:
    (call,) = render(out("see **this**"))
    assert call.method == "sendMessage"
    assert call.arguments == {
        "chat_id": 11,
        "text": "see this",
        "entities": [{"type": "bold", "offset": 4, "length": 4}],
        "link_preview_options": {"is_disabled": True},
    }


def test_an_agents_name_stands_before_their_words() -> None:
    (call,) = render(out("hello", speaker=Speaker.AGENT, speaker_name="Ana"))
    assert call.arguments["text"] == "Ana:\nhello"
    assert call.arguments["entities"] == [{"type": "bold", "offset": 0, "length": 4}]
    (call,) = render(out("hello", speaker_name="Assistant"))
    assert call.arguments["text"] == "hello"


def test_buttons_are_under_the_last_part_and_carry_ids_alone() -> None:
    calls = render(out("word " * 2_000, choices=(YES, NO)))
    assert len(calls) == 3
    assert ["reply_markup" in call.arguments for call in calls] == [False, False, True]
    rows = calls[-1].arguments["reply_markup"]["inline_keyboard"]
    assert rows == [
        [{"text": "Yes", "callback_data": str(YES.id)}],
        [{"text": "No", "callback_data": str(NO.id)}],
    ]
    assert all(len(button["callback_data"].encode()) <= 64 for (button,) in rows)


def test_no_part_is_longer_than_telegram_takes() -> None:
    for call in render(out("😀" * 5_000)):
        assert length(call.arguments["text"]) <= 4_096


def test_a_topic_is_named_in_each_call() -> None:
    calls = render(out("word " * 2_000, thread=ThreadKey("-1000000000123/7")))
    assert all(call.arguments["message_thread_id"] == 7 for call in calls)
    (call,) = render(out(thread=ThreadKey("-1000000000123/~7")))
    assert call.arguments["direct_messages_topic_id"] == 7


def test_in_groups_the_first_part_answers_the_person() -> None:
    calls = render(out("word " * 2_000, thread=GROUP, answers=RemoteId(f"{GROUP}/8")))
    assert calls[0].arguments["reply_parameters"]["message_id"] == 8
    assert "reply_parameters" not in calls[1].arguments
    (private,) = render(out(answers=RemoteId("11/8")))
    assert "reply_parameters" not in private.arguments
    (beside,) = render(out(answers=RemoteId("11/8"), is_beside=True))  # one of several matters
    assert beside.arguments["reply_parameters"]["message_id"] == 8
    (moved,) = render(out(thread=GROUP, answers=RemoteId("-42/8")))
    assert "reply_parameters" not in moved.arguments


def test_a_short_text_is_the_caption_of_its_file() -> None:
    (call,) = render(out("*look*", files=(photo(),), choices=(YES,)))
    assert call.method == "sendPhoto"
    assert call.arguments["photo"] == Upload(photo())
    assert call.arguments["caption"] == "look"
    assert call.arguments["caption_entities"] == [{"type": "italic", "offset": 0, "length": 4}]
    assert "reply_markup" in call.arguments


def test_a_text_too_long_for_a_caption_goes_before_its_file() -> None:
    calls = render(out("word " * 300, files=(photo(),)))
    assert methods(calls) == ["sendMessage", "sendPhoto"]


def test_files_of_a_kind_go_as_albums_of_ten() -> None:
    pdf = file("bill.pdf", "application/pdf")
    calls = render(out("see", files=(*(photo(n) for n in range(12)), pdf, pdf)))
    assert methods(calls) == ["sendMediaGroup", "sendMediaGroup", "sendMediaGroup"]
    assert [call.messages for call in calls] == [10, 2, 2]
    assert calls[0].arguments["media"][0]["caption"] == "see"
    assert {item["type"] for item in calls[2].arguments["media"]} == {"document"}


def test_an_album_has_no_buttons_so_the_text_follows_with_them() -> None:
    calls = render(out("choose", files=(photo(1), photo(2)), choices=(YES,)))
    assert methods(calls) == ["sendMediaGroup", "sendMessage"]
    wordless = render(out("", files=(photo(1), photo(2)), choices=(YES,), language="es"))
    assert wordless[-1].arguments["text"] == "Elija, por favor:"


def test_a_photo_too_large_for_one_is_a_document() -> None:
    (call,) = render(out("", files=(file("big.png", "image/png", 11_000_000),)))
    assert call.method == "sendDocument"


@pytest.mark.parametrize("files", [(), (file("film.mkv", "video/x-matroska", 51_000_000),)])
def test_what_cannot_be_sent_is_rejected(files: tuple[FileRef, ...]) -> None:
    with pytest.raises(Rejected):
        render(out(" ", files=files))


class TestEdits:
    def test_a_text_is_changed_in_place_with_its_buttons(self) -> None:
        edit = render_edit(out("better", choices=(YES,)), 1)
        ((position, call),) = edit.changes
        assert (position, call.method, call.arguments["text"]) == (0, "editMessageText", "better")
        assert "reply_markup" in call.arguments
        assert not edit.additions
        assert not edit.removals

    def test_a_longer_text_goes_on_in_new_messages(self) -> None:
        edit = render_edit(out("word " * 2_000), 1)
        assert [position for position, _ in edit.changes] == [0]
        assert methods(edit.additions) == ["sendMessage", "sendMessage"]
        assert edit.additions_at == 1

    def test_a_shorter_text_takes_messages_back(self) -> None:
        edit = render_edit(out("short"), 3)
        assert [position for position, _ in edit.changes] == [0]
        assert edit.removals == (1, 2)

    def test_a_caption_stays_one(self) -> None:
        ((position, call),) = render_edit(out("new", files=(photo(1), photo(2))), 2).changes
        assert (position, call.method) == (0, "editMessageCaption")
        assert call.arguments == {"chat_id": 11, "caption": "new"}
        with pytest.raises(Rejected, match="1024"):
            render_edit(out("x" * 1_100, files=(photo(),)), 1)

    def test_text_beside_files_is_found_again(self) -> None:
        before = render_edit(out("new", files=(photo(),)), 2)
        assert [position for position, _ in before.changes] == [0]
        behind = render_edit(out("new", files=(photo(1), photo(2)), choices=(YES,)), 3)
        assert [position for position, _ in behind.changes] == [2]

    def test_an_emptied_text_is_rejected(self) -> None:
        with pytest.raises(Rejected):
            render_edit(out(""), 1)
