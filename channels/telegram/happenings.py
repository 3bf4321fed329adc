"""What happens in chats besides messages: reactions, who is there, where the chat is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from channels.telegram import ids
from channels.telegram.fields import (
    Fields,
    flag,
    integer,
    mapping,
    mappings,
    maybe_integer,
    maybe_mapping,
    moment,
    string,
)
from channels.telegram.ids import Place
from channels.telegram.origin import Frame, group_of, person_of
from core.domain.errors import IgnoredPayload, UnknownPayload
from core.domain.events import (
    Author,
    Event,
    ParticipantChanged,
    ReachabilityChanged,
    ReactionChanged,
    ThreadMoved,
)

_REACHABLE = frozenset({"creator", "administrator", "member"})
_UNREACHABLE = frozenset({"left", "kicked"})


def read_reaction(frame: Frame, change: Fields) -> Iterator[Event]:
    chat, number = integer(mapping(change, "chat"), "id"), integer(change, "message_id")
    user, actor = maybe_mapping(change, "user"), maybe_mapping(change, "actor_chat")
    if user is not None and flag(user, "is_bot"):
        raise IgnoredPayload("a bot's reaction")
    if user is not None:
        author = person_of(user)
    elif actor is not None:
        author = group_of(actor)
    else:
        raise IgnoredPayload("a reaction without a person behind it")
    at = moment(change, "date")
    old, new = _reactions(change, "old_reaction"), _reactions(change, "new_reaction")
    changes = [(name, False) for name in old if name not in new]
    changes += [(name, True) for name in new if name not in old]
    if not changes:
        raise IgnoredPayload("the reactions are the same as before")
    for name, added in changes:
        yield ReactionChanged(
            **frame.common(Place(chat=chat), at),
            key=ids.reaction_key(frame.number, chat, number, author.address, name, added=added),
            author=author,
            remote_id=ids.remote_id(chat, number),
            reaction=name,
            added=added,
        )


def _reactions(change: Fields, name: str) -> list[str]:
    names = []
    for reaction in mappings(change, name):
        match string(reaction, "type"):
            case "emoji":
                names.append(string(reaction, "emoji"))
            case "custom_emoji":
                names.append(f"custom:{string(reaction, 'custom_emoji_id')}")
            case "paid":
                names.append("⭐")
            case kind:
                raise UnknownPayload(f"reaction of type {kind!r}")
    return list(dict.fromkeys(names))


def read_membership(frame: Frame, change: Fields) -> Iterator[Event]:
    chat, at = mapping(change, "chat"), moment(change, "date")
    member = mapping(change, "new_chat_member")
    status = string(member, "status")
    if string(chat, "type") == "channel":
        raise IgnoredPayload("a channel has no person behind it")
    if status in _REACHABLE:
        reachable = True
    elif status in _UNREACHABLE:
        reachable = False
    elif status == "restricted":
        reachable = flag(member, "can_send_messages")
    else:
        raise UnknownPayload(f"member status {status!r}")
    is_private = string(chat, "type") == "private"
    detail = "the bot is blocked" if is_private else "the bot is not in the group any more"
    yield ReachabilityChanged(
        **frame.common(Place(chat=integer(chat, "id")), at),
        key=ids.membership_key(frame.number, integer(chat, "id"), integer(change, "date")),
        author=person_of(mapping(change, "from")),
        reachable=reachable,
        detail="" if reachable else detail,
    )


def read_migration(frame: Frame, message: Fields) -> Event | None:
    chat = integer(mapping(message, "chat"), "id")
    new, old = (maybe_integer(message, f"migrate_{way}_chat_id") for way in ("to", "from"))
    if new is not None:
        old = chat
    elif old is not None:
        new = chat
    if new is None or old is None:
        return None
    user = maybe_mapping(message, "from")
    return ThreadMoved(
        **frame.common(Place(chat=old), moment(message, "date")),
        key=ids.move_key(old, new),
        author=group_of(mapping(message, "chat")) if user is None else person_of(user),
        new_thread=ids.thread_key(Place(chat=new)),
    )


def read_participants(
    common: Mapping[str, Any],
    author: Author | None,
    chat: int,
    number: int,
    members: Sequence[Fields],
    *,
    joined: bool,
) -> Iterator[Event]:
    people = [member for member in members if not flag(member, "is_bot")]
    if author is None or not people:
        raise IgnoredPayload("a bot joined or left")
    for member in people:
        user = integer(member, "id")
        yield ParticipantChanged(
            **common,
            key=ids.participant_key(chat, number, user, joined=joined),
            author=author,
            participant=person_of(member),
            joined=joined,
        )
