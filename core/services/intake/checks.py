"""What an event has to be like to be stored, and what it names."""

from __future__ import annotations

from collections.abc import Iterator

from core.domain.content import MAX_FILES, MAX_TEXT_CHARS, UNSTORABLE, Body
from core.domain.errors import InvalidInput, TooLarge
from core.domain.events import (
    DeliveryReported,
    Event,
    MessageEdited,
    MessagePosted,
    MessageRemoved,
    ParticipantChanged,
    ProfileChanged,
    ReachabilityChanged,
    ReactionChanged,
    ThreadMoved,
)

_LONGEST_NAME = 1_000
_LONGEST_NAME_BYTES = 2_000  # an index takes 2,704, and the account's name stands before it
_LARGEST_FILE = 2**63 - 1


def check(event: Event) -> None:
    """Refuse what the database could never take: `InvalidInput`, or `TooLarge`."""
    if event.at.tzinfo is None:
        raise InvalidInput(f"event {event.key!r} has a time without a zone")
    names = [event.key, event.author.address]
    if not isinstance(event, ProfileChanged):
        names.append(event.thread)
    if not all(names):
        raise InvalidInput("an event's key, thread and author cannot be empty")
    names += _names_in(event)
    if any(_is_too_long(name) for name in names):
        raise InvalidInput("an event's names and addresses are 1,000 characters at most")
    author = event.author
    words = [*names, event.order, author.name, author.language]
    if isinstance(event, MessagePosted | MessageEdited):
        words += _words_of(event.body)
        if len(event.body.files) > MAX_FILES:
            raise TooLarge(f"a message may have {MAX_FILES:,} files at most")
        for file in event.body.files:
            if not 0 <= (file.size_bytes or 0) <= _LARGEST_FILE:
                raise InvalidInput("a file cannot have this size")
        body = event.body
        if any(
            len(part or "") > MAX_TEXT_CHARS for part in (body.text, body.quoted, body.signature)
        ):
            raise TooLarge(f"a message's text may have {MAX_TEXT_CHARS:,} characters at most")
    match event:
        case MessagePosted():
            words.append(event.subject)
            if event.envelope is not None:
                words.append(event.envelope.subject)
            if event.forwarded_from is not None:
                words.append(event.forwarded_from.name)
            if event.intent is not None:
                words += [event.intent.name, *event.intent.entities.values()]
        case ReactionChanged():
            words.append(event.reaction)
        case DeliveryReported() | ReachabilityChanged():
            words.append(event.detail)
        case ParticipantChanged():
            words.append(event.participant.name)
        case _:
            pass
    if any(UNSTORABLE.search(word) for word in words if word):
        raise InvalidInput("text must not hold NUL characters or lone surrogates")


def _names_in(event: Event) -> list[str]:
    """Return what the database finds records by, besides the names that every event has."""
    names: list[str] = [event.author.email] if event.author.email else []
    match event:
        case MessagePosted():
            names += event.remote_ids
            if event.envelope is not None:
                names += [*event.envelope.to, *event.envelope.cc, *event.envelope.bcc]
            if event.forwarded_from is not None:
                names.append(event.forwarded_from.address)
        case DeliveryReported():
            names += [event.remote_id, *([event.recipient] if event.recipient else [])]
        case MessageEdited() | MessageRemoved() | ReactionChanged():
            names.append(event.remote_id)
        case ThreadMoved():
            names.append(event.new_thread)
        case ParticipantChanged():
            names.append(event.participant.address)
        case _:
            pass
    return names


def places_in(event: Event) -> Iterator[str]:
    """Yield the threads, addresses and messages that `event` concerns, by their names."""
    if event.thread:
        yield str(event.thread)
    yield str(event.author.address)
    match event:
        case MessagePosted():
            yield from event.remote_ids
        case MessageEdited() | MessageRemoved() | ReactionChanged() | DeliveryReported():
            yield event.remote_id
        case ThreadMoved():
            yield str(event.new_thread)
        case _:
            pass


def _is_too_long(name: str) -> bool:
    return (
        len(name) > _LONGEST_NAME
        or len(name.encode("utf-8", "surrogatepass")) > _LONGEST_NAME_BYTES
    )


def _words_of(body: Body) -> list[str | None]:
    words = [body.text, body.html, body.quoted, body.signature, *body.unsupported]
    for file in body.files:
        words += [file.name, file.media_type, file.remote, file.content_id]
    return words
