"""How a message of ours goes to Telegram: `Outbound` to calls of the Bot API. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from channels.telegram import ids
from channels.telegram.ids import Place
from channels.telegram.markdown import to_styled
from channels.telegram.styled import Span, Styled, length, split
from channels.telegram.texts import text
from core.domain.channel import Outbound
from core.domain.content import Choice, FileRef
from core.domain.conversation import Speaker
from core.domain.errors import Rejected

MAX_TEXT_UNITS = 4_096
MAX_CAPTION_UNITS = 1_024
MAX_FILE_BYTES = 50_000_000
_MAX_PHOTO_BYTES = 10_000_000
_MAX_ALBUM = 10
_PHOTO_TYPES = frozenset({"image/jpeg", "image/png", "image/webp"})
_MAX_LABEL_CHARS = 200


@dataclass(frozen=True, slots=True)
class Upload:
    """Stands in a call's arguments for the bytes of a file."""

    file: FileRef


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call of a method of the Bot API."""

    method: str
    arguments: dict[str, Any]
    messages: int = 1  # how many messages it makes


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """What makes messages that were sent say something else; positions count those messages."""

    changes: tuple[tuple[int, Call], ...] = ()
    removals: tuple[int, ...] = ()
    additions: tuple[Call, ...] = ()
    additions_at: int = 0  # where the new messages stand among the sent ones


def render(message: Outbound) -> tuple[Call, ...]:
    """Return the calls that send `message`, in order; the buttons are under the last text.

    A text that fits goes as the caption of the first file.

    Raises:
        Rejected: there is nothing to send, or a file is larger than a bot may send.
    """
    styled, files = _spoken(message), message.body.files
    if not styled.text and not files:
        raise Rejected("there is nothing to send")
    is_caption = bool(files) and length(styled.text) <= MAX_CAPTION_UNITS
    if message.choices and len(files) > 1:
        is_caption = False  # an album has no buttons: they need a text of their own
    place = ids.read_thread(message.thread)
    file_calls = _file_calls(files, styled if is_caption else Styled())
    text_calls = [] if is_caption else _text_calls(message, styled)
    # Buttons belong to the end of the message.
    calls = file_calls + text_calls if message.choices else text_calls + file_calls
    if message.choices:
        calls[-1].arguments["reply_markup"] = _keyboard(message.choices)
    for call in calls:
        call.arguments.update(_where(place))
    calls[0].arguments.update(_answering(message, place))
    return tuple(calls)


def render_edit(message: Outbound, sent: int) -> Edit:
    """Return how the `sent` messages that `message` was before become what it is now.

    Files stay as they are.

    Raises:
        Rejected: the new text does not fit where the old one was, or there is none.
    """
    styled, files = _spoken(message), len(message.body.files)
    place = ids.read_thread(message.thread)
    markup = {"reply_markup": _keyboard(message.choices)} if message.choices else {}
    if files and sent <= files:
        if length(styled.text) > MAX_CAPTION_UNITS:
            raise Rejected(f"the text of a file can have {MAX_CAPTION_UNITS} characters at most")
        arguments = {"chat_id": place.chat, **_caption(styled), **markup}
        return Edit(changes=((0, Call(method="editMessageCaption", arguments=arguments)),))
    if not styled.text:
        raise Rejected("the new text is empty: take the message back instead")
    calls = _text_calls(message, styled)
    calls[-1].arguments.update(markup)
    positions = range(files, sent) if message.choices else range(sent - files)
    kept = min(len(positions), len(calls))
    for call in calls[:kept]:
        call.arguments["chat_id"] = place.chat
    for call in calls[kept:]:
        call.arguments.update(_where(place))
    changes = (Call(method="editMessageText", arguments=call.arguments) for call in calls[:kept])
    return Edit(
        changes=tuple(zip(positions, changes, strict=False)),
        removals=tuple(positions[kept:]),
        additions=tuple(calls[kept:]),
        additions_at=positions.stop,
    )


def typing(place: Place) -> dict[str, Any]:
    """Return the arguments of `sendChatAction`; it knows no direct messages of a channel."""
    arguments: dict[str, Any] = {"chat_id": place.chat, "action": "typing"}
    if place.topic is not None and not place.is_direct:
        arguments["message_thread_id"] = place.topic
    return arguments


def _spoken(message: Outbound) -> Styled:
    """Return the text with the agent's name before it."""
    styled = to_styled(message.body.text)
    # Markup without a word, such as ">>>", is what somebody meant to say.
    styled = (
        styled.piece(0, len(styled.text))
        if styled.text.strip()
        else Styled(message.body.text.strip())
    )
    if message.speaker is not Speaker.AGENT or not message.speaker_name or not styled.text:
        return styled
    name = f"{' '.join(message.speaker_name.split())}:"
    return styled.after(Styled(f"{name}\n", (Span(kind="bold", start=0, end=len(name)),)))


def _checked(file: FileRef) -> FileRef:
    if (file.size_bytes or 0) > MAX_FILE_BYTES:
        raise Rejected(f"{file.name} is too large: a bot can send {MAX_FILE_BYTES // 10**6} MB")
    return file


def _is_photo(file: FileRef) -> bool:
    size = file.size_bytes
    return file.media_type in _PHOTO_TYPES and size is not None and size <= _MAX_PHOTO_BYTES


def _file_calls(files: Sequence[FileRef], caption: Styled) -> list[Call]:
    albums = _albums([_checked(file) for file in files])
    return [
        _send_files(album, Styled() if number else caption) for number, album in enumerate(albums)
    ]


def _text_calls(message: Outbound, styled: Styled) -> list[Call]:
    pieces = split(styled, MAX_TEXT_UNITS)
    if message.choices and not pieces:
        pieces = [Styled(text(message.language, "Please choose:"))]
    return [_send_text(piece) for piece in pieces]


def _albums(files: Sequence[FileRef]) -> Iterator[list[FileRef]]:
    """Yield files that go together: photos with photos, documents with documents."""
    for _, alike in groupby(files, key=_is_photo):
        group = list(alike)
        for start in range(0, len(group), _MAX_ALBUM):
            yield group[start : start + _MAX_ALBUM]


def _send_text(piece: Styled) -> Call:
    arguments: dict[str, Any] = {
        "text": piece.text,
        "link_preview_options": {"is_disabled": True},
    }
    if entities := piece.entities():
        arguments["entities"] = entities
    return Call(method="sendMessage", arguments=arguments)


def _send_files(album: Sequence[FileRef], caption: Styled) -> Call:
    kind = "photo" if _is_photo(album[0]) else "document"
    if len(album) == 1:
        return Call(
            method=f"send{kind.title()}",
            arguments={kind: Upload(album[0]), **_caption(caption)},
        )
    media = [{"type": kind, "media": Upload(file)} for file in album]
    media[0].update(_caption(caption))
    return Call(method="sendMediaGroup", arguments={"media": media}, messages=len(album))


def _caption(caption: Styled) -> dict[str, Any]:
    if not caption.text:
        return {}
    arguments: dict[str, Any] = {"caption": caption.text}
    if entities := caption.entities():
        arguments["caption_entities"] = entities
    return arguments


def _keyboard(choices: Sequence[Choice]) -> dict[str, Any]:
    """Return a button a line; `callback_data` may have 64 bytes, and an id has 36."""
    rows = [
        [{"text": choice.label[:_MAX_LABEL_CHARS] or "…", "callback_data": str(choice.id)}]
        for choice in choices
    ]
    return {"inline_keyboard": rows}


def _where(place: Place) -> dict[str, Any]:
    arguments: dict[str, Any] = {"chat_id": place.chat}
    if place.topic is not None:
        name = "direct_messages_topic_id" if place.is_direct else "message_thread_id"
        arguments[name] = place.topic
    return arguments


def _answering(message: Outbound, place: Place) -> dict[str, Any]:
    if message.answers is None or (place.is_private and not message.is_beside):
        return {}
    chat, number = ids.read_remote(message.answers)
    if chat != place.chat:
        return {}  # written before the group became a supergroup
    return {"reply_parameters": {"message_id": number, "allow_sending_without_reply": True}}
