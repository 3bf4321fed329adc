"""What a Telegram message holds: its text, its files, and what has no form on other platforms."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import islice
from types import MappingProxyType

from channels.telegram import richtext
from channels.telegram.entities import to_commonmark
from channels.telegram.fields import (
    Fields,
    integer,
    mapping,
    mappings,
    maybe_integer,
    maybe_mapping,
    maybe_string,
    number,
    string,
)
from core.domain.content import MAX_TEXT_CHARS, Body, FileRef

_MAX_QUOTED_CHARS = 1_000
_MAX_NAME_CHARS = 200
_MAX_FILES = 50


@dataclass(slots=True)
class _Content:
    """A body as it is put together."""

    texts: list[str] = field(default_factory=list)
    files: list[FileRef] = field(default_factory=list)
    unsupported: list[str] = field(default_factory=list)


def read_body(message: Fields) -> Body | None:
    """Return what a `Message` says; None where it says nothing (a service message).

    Raises:
        UnknownPayload: a part of it is not of the Bot API's form.
    """
    content = _Content()
    is_content = False
    # A field may be null, as no Bot API server writes it but nothing forbids.
    for name, read in _READERS.items():
        if message.get(name) is not None:
            if message.get(_REPEATS.get(name, "")) is not None:
                continue
            is_content = True
            read(message, content)
    if not is_content:
        return None
    _forwarded(message, content)
    text = "\n\n".join(text for text in content.texts if text.strip())
    if len(text) > MAX_TEXT_CHARS:  # a rich message can be longer; the payload is kept whole
        text = text[:MAX_TEXT_CHARS]
        content.unsupported.append("the rest of a long text")
    return Body(
        text=text,
        quoted=_quoted(message),
        files=tuple(content.files),
        unsupported=tuple(dict.fromkeys(content.unsupported)),
    )


def read_text(message: Fields) -> str:
    """Return the text or caption of a `Message` as it was written; empty where it has none."""
    return maybe_string(message, "text") or maybe_string(message, "caption") or ""


def read_entities(message: Fields) -> tuple[Fields, ...]:
    """Return the entities of `read_text`."""
    name = "entities" if maybe_string(message, "text") else "caption_entities"
    return tuple(mappings(message, name))


def person_name(user: Fields) -> str | None:
    """Return the name of a `User`, or of a private `Chat` or a `Contact`."""
    names = (maybe_string(user, "first_name"), maybe_string(user, "last_name"))
    return " ".join(" ".join(name.split()) for name in names if name)[:_MAX_NAME_CHARS] or None


def _text(message: Fields, content: _Content) -> None:
    content.texts.append(to_commonmark(string(message, "text"), mappings(message, "entities")))


def _caption(message: Fields, content: _Content) -> None:
    entities = mappings(message, "caption_entities")
    content.texts.append(to_commonmark(string(message, "caption"), entities))


def _photo(message: Fields, content: _Content) -> None:
    _add_photo(message, content)


def _add_photo(holder: Fields, content: _Content) -> None:
    sizes = mappings(holder, "photo")
    if not sizes:
        return
    largest = max(sizes, key=lambda size: integer(size, "width") * integer(size, "height"))
    _add_file(largest, content, "photo", "image/jpeg", ".jpg")


def _add_file(file: Fields, content: _Content, kind: str, media_type: str, suffix: str) -> None:
    if len(content.files) >= _MAX_FILES:
        return
    name = maybe_string(file, "file_name") or f"{kind}-{string(file, 'file_unique_id')}{suffix}"
    content.files.append(
        FileRef(
            name=name[-_MAX_NAME_CHARS:],
            media_type=(maybe_string(file, "mime_type") or media_type).lower(),
            size_bytes=maybe_integer(file, "file_size"),
            remote=string(file, "file_id"),
        )
    )


def _file(name: str, media_type: str, suffix: str) -> Callable[[Fields, _Content], None]:
    def read(message: Fields, content: _Content) -> None:
        _add_file(mapping(message, name), content, name, media_type, suffix)

    return read


def _live_photo(message: Fields, content: _Content) -> None:
    live = mapping(message, "live_photo")
    _add_live_photo(live, live if mappings(live, "photo") else message, content)


def _add_live_photo(live: Fields, still: Fields, content: _Content) -> None:
    _add_photo(still, content)
    _add_file(live, content, "live_photo", "video/mp4", ".mp4")


def _sticker(message: Fields, content: _Content) -> None:
    sticker = mapping(message, "sticker")
    forms = {
        "is_animated": ("application/x-tgsticker", ".tgs"),
        "is_video": ("video/webm", ".webm"),
    }
    media_type, suffix = next(
        (form for name, form in forms.items() if sticker.get(name)), ("image/webp", ".webp")
    )
    _add_file(sticker, content, "sticker", media_type, suffix)
    content.texts.append(maybe_string(sticker, "emoji") or "")
    content.unsupported.append("sticker")


def _paid_media(message: Fields, content: _Content) -> None:
    for media in mappings(mapping(message, "paid_media"), "paid_media"):
        match string(media, "type"):
            case "photo":
                _add_photo(media, content)
            case "video":
                _add_file(mapping(media, "video"), content, "video", "video/mp4", ".mp4")
            case "live_photo":
                live = mapping(media, "live_photo")
                _add_live_photo(live, live, content)
            case _:
                pass  # a preview: nothing to fetch before it is paid for
    content.unsupported.append("paid media")


def _rich(message: Fields, content: _Content) -> None:
    rich = mapping(message, "rich_message")
    content.texts.append(richtext.to_commonmark(rich))
    for block in islice(richtext.media_of(rich), _MAX_FILES):
        match string(block, "type"):
            case "photo":
                _add_photo(block, content)
            case "voice_note":
                _add_file(mapping(block, "voice_note"), content, "voice", "audio/ogg", ".ogg")
            case kind:
                media_type = "audio/mpeg" if kind == "audio" else "video/mp4"
                _add_file(mapping(block, kind), content, kind, media_type, "." + media_type[-3:])


def _contact(message: Fields, content: _Content) -> None:
    contact = mapping(message, "contact")
    name, number_ = person_name(contact), string(contact, "phone_number")
    content.texts.append(_literally(f"{name}, {number_}" if name else number_))
    content.unsupported.append("contact")


def _location(message: Fields, content: _Content) -> None:
    content.texts.append(_coordinates(mapping(message, "location")))
    content.unsupported.append("location")


def _coordinates(location: Fields) -> str:
    latitude, longitude = number(location, "latitude"), number(location, "longitude")
    where = f"{latitude:.6f}, {longitude:.6f}"
    query = f"mlat={latitude:.6f}&mlon={longitude:.6f}"
    return f"[{where}](https://www.openstreetmap.org/?{query})"


def _venue(message: Fields, content: _Content) -> None:
    venue = mapping(message, "venue")
    where = _literally(f"{string(venue, 'title')}, {string(venue, 'address')}")
    content.texts.append(f"{where}\n{_coordinates(mapping(venue, 'location'))}")
    content.unsupported.append("venue")


def _poll(message: Fields, content: _Content) -> None:
    poll = mapping(message, "poll")
    options = [f"- {_literally(string(one, 'text'))}" for one in mappings(poll, "options")]
    content.texts.append("\n".join([_literally(string(poll, "question")), "", *options]))
    content.unsupported.append("poll")


def _checklist(message: Fields, content: _Content) -> None:
    checklist = mapping(message, "checklist")
    tasks = [f"- {_literally(string(task, 'text'))}" for task in mappings(checklist, "tasks")]
    content.texts.append("\n".join([_literally(string(checklist, "title")), "", *tasks]))
    content.unsupported.append("checklist")


def _dice(message: Fields, content: _Content) -> None:
    dice = mapping(message, "dice")
    content.texts.append(f"{string(dice, 'emoji')} {integer(dice, 'value')}")
    content.unsupported.append("dice")


def _game(message: Fields, content: _Content) -> None:
    content.texts.append(_literally(string(mapping(message, "game"), "title")))
    content.unsupported.append("game")


def _invoice(message: Fields, content: _Content) -> None:
    content.texts.append(_literally(string(mapping(message, "invoice"), "title")))
    content.unsupported.append("invoice")


def _named(name: str, words: str) -> Callable[[Fields, _Content], None]:
    def read(message: Fields, content: _Content) -> None:
        mapping(message, name)
        content.unsupported.append(words)

    return read


def _forwarded(message: Fields, content: _Content) -> None:
    origin = maybe_mapping(message, "forward_origin")
    if origin is None:
        return
    user = maybe_mapping(origin, "sender_user")
    chat = maybe_mapping(origin, "sender_chat") or maybe_mapping(origin, "chat")
    name = maybe_string(origin, "sender_user_name")
    if user is not None:
        name = person_name(user)
    elif chat is not None:
        name = maybe_string(chat, "title")
    content.unsupported.append(f"forwarded from {name[:_MAX_NAME_CHARS]}" if name else "forwarded")


def _quoted(message: Fields) -> str | None:
    """Return what the message answers, where that is known."""
    quote = maybe_mapping(message, "quote")
    answered = maybe_mapping(message, "reply_to_message")
    if quote is not None:
        text = string(quote, "text")
    elif answered is not None:
        text = read_text(answered)
    else:
        return None
    return _literally(text[:_MAX_QUOTED_CHARS]) or None


def _literally(text: str) -> str:
    return to_commonmark(text, ())


_REPEATS: Mapping[str, str] = MappingProxyType(
    {"document": "animation", "photo": "live_photo", "location": "venue"}
)
"""Fields that repeat another one, for programs that do not know that."""

_READERS: Mapping[str, Callable[[Fields, _Content], None]] = MappingProxyType(
    {
        "text": _text,
        "rich_message": _rich,
        "photo": _photo,
        "animation": _file("animation", "video/mp4", ".mp4"),
        "audio": _file("audio", "audio/mpeg", ".mp3"),
        "document": _file("document", "application/octet-stream", ""),
        "live_photo": _live_photo,
        "paid_media": _paid_media,
        "sticker": _sticker,
        "story": _named("story", "story"),
        "video": _file("video", "video/mp4", ".mp4"),
        "video_note": _file("video_note", "video/mp4", ".mp4"),
        "voice": _file("voice", "audio/ogg", ".ogg"),
        "caption": _caption,
        "checklist": _checklist,
        "contact": _contact,
        "dice": _dice,
        "game": _game,
        "invoice": _invoice,
        "poll": _poll,
        "venue": _venue,
        "location": _location,
        "giveaway": _named("giveaway", "giveaway"),
        "giveaway_winners": _named("giveaway_winners", "giveaway"),
    }
)
"""What a message can hold, in reading order; of what is not here, nothing is a customer's word."""
