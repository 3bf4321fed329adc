"""Slack's payloads to events: which kind says what. Pure, and total over any JSON.

Taken are Events API payloads, interactive payloads, slash commands, and each of these inside an
envelope of Socket Mode. https://docs.slack.dev/reference/events
"""

from __future__ import annotations

from datetime import datetime

from pydantic_core import from_json

from channels.slack import ids
from channels.slack.fields import Fields
from channels.slack.interactions import read_command, read_press, read_shortcut
from channels.slack.messages import channel_of, moment, order_of, read_message
from channels.slack.reading import Desk, Reading
from channels.slack.vocabulary import IGNORED_EVENTS, IGNORED_PAYLOADS
from core.domain.errors import IgnoredPayload, UnknownPayload
from core.domain.events import Author, ProfileChanged, ReactionChanged
from core.domain.ids import AccountId, Address, ThreadKey

REVOKED = frozenset({"app_uninstalled", "tokens_revoked"})
"""Events after which the account's tokens are worth nothing."""

HOME_OPENED = "app_home_opened"

RATE_LIMITED = "app_rate_limited"
"""A payload, not an event: https://docs.slack.dev/reference/events/app_rate_limited"""

_ENVELOPES = frozenset({"events_api", "interactive", "slash_commands"})


def parse(
    account: AccountId, payload: object, at: datetime, raw: bytes = b"", desk: Desk | None = None
) -> Reading:
    """Return what a payload says.

    `at` is when it came: commands have no time of their own. `desk` is what is known of the desk
    in the workspace besides what the payload tells.

    Raises:
        IgnoredPayload: it says nothing to the desk; the message says why.
        UnknownPayload: a shape we do not know.
    """
    try:
        return _read(account, Fields.of(payload), at, raw, desk or Desk())
    except (ValueError, OverflowError, OSError) as error:  # time stamps beyond any calendar
        raise UnknownPayload("a value out of its range") from error


def load(raw: bytes) -> object:
    """Return the JSON in `raw`.

    Raises:
        UnknownPayload: it is none, or nested too deeply.
    """
    try:
        # Not `json`: it takes NaN and half a surrogate pair, and recurses as deep as it is nested.
        payload: object = from_json(raw, allow_inf_nan=False)
    except ValueError as error:
        raise UnknownPayload("not JSON") from error
    return payload


def inner_event(payload: object) -> Fields:
    """Return the event in an Events API payload; empty where there is none."""
    return Fields(payload).inner("event") if isinstance(payload, dict) else Fields()


def _read(account: AccountId, payload: Fields, at: datetime, raw: bytes, desk: Desk) -> Reading:
    kind = payload.text("type")
    match kind:
        case "event_callback":
            return _read_event(account, payload, desk, raw)
        case "block_actions":
            return read_press(account, payload, raw)
        case "message_action":
            return read_shortcut(account, payload, raw)
        case "" if "command" in payload:
            return read_command(account, payload, at, raw)
        case "" if "ssl_check" in payload:
            raise IgnoredPayload("a check of the certificate")
        case _ if kind in _ENVELOPES and "payload" in payload:
            return _read(account, Fields.of(payload.values["payload"]), at, raw, desk)
        case _ if kind in IGNORED_PAYLOADS:
            raise IgnoredPayload(f"{kind} is not the desk's business")
        case "" if payload.inner("event").text("type"):
            # Some recordings leave the outer type out; the event says enough.
            return _read_event(account, payload, desk, raw)
        case _:
            raise UnknownPayload(f"a payload of the unknown type {kind[:80]!r}")


def _read_event(account: AccountId, payload: Fields, desk: Desk, raw: bytes) -> Reading:
    event = payload.inner("event")
    desk = desk_in(payload, desk)
    match event.text("type"):
        case "message" | "app_mention":
            return read_message(account, event, desk, raw)
        case "reaction_added" | "reaction_removed":
            return _reaction(account, event, desk, raw)
        case "user_change":
            return _profile(account, event, payload, raw)
        case kind if kind in IGNORED_EVENTS:
            raise IgnoredPayload(f"{kind} says nothing about a conversation")
        case kind:
            raise UnknownPayload(f"an event of the unknown type {kind[:80]!r}")


def desk_in(payload: Fields, desk: Desk) -> Desk:
    """Return who the desk is in the workspace, for which Slack sent the payload."""
    for authorization in payload.each("authorizations"):
        person = authorization.text("user_id")
        if authorization.flag("is_bot") and ids.is_person(person):
            return Desk(bot_user=person)
    return desk


def _reaction(account: AccountId, event: Fields, desk: Desk, raw: bytes) -> Reading:
    item = event.inner("item")
    if item.text("type") != "message":
        raise IgnoredPayload("a reaction to something else than a message")
    channel, ts = channel_of(item), item.required("ts")
    moment(ts)
    person, emoji = event.required("user"), event.required("reaction")[:100]
    if person == desk.bot_user:
        raise IgnoredPayload("the desk's own reaction")
    if not ids.is_person(person):
        raise UnknownPayload("a reaction of nobody")
    event_ts = event.text("event_ts")
    added = event.text("type") == "reaction_added"
    remote = ids.remote_id(channel, ts)
    changed = ReactionChanged(
        account=account,
        key=ids.reaction_key(channel, ts, person, emoji, added, event_ts),
        thread=ids.thread_key(channel, ts),
        author=Author(address=ids.address(person)),
        at=moment(event_ts),
        order=order_of(event_ts),
        raw=raw,
        remote_id=remote,
        reaction=f":{emoji}:",
        added=added,
    )
    return Reading(events=(changed,), only_about=None if ids.is_direct(channel) else remote)


def _profile(account: AccountId, event: Fields, payload: Fields, raw: bytes) -> Reading:
    user = event.inner("user")
    person = user.text("id")
    if user.flag("is_bot"):
        raise IgnoredPayload("a bot's profile")
    if not ids.is_person(person):
        raise UnknownPayload("a profile of nobody")
    event_ts = event.text("event_ts") or f"{payload.number('event_time') or ''}.000000"
    changed = ProfileChanged(
        account=account,
        key=ids.profile_key(person, event_ts),
        thread=ThreadKey(""),
        author=known_of(user, ids.address(person)),
        at=moment(event_ts),
        raw=raw,
    )
    return Reading(events=(changed,))


def known_of(user: Fields, address: Address) -> Author:
    """Return the person of a user object, who writes from `address`.

    A workspace's members confirm their addresses; people of other organisations in shared
    channels come without one. https://docs.slack.dev/reference/objects/user-object
    """
    profile = user.inner("profile")
    name = profile.text("real_name") or user.text("real_name") or profile.text("display_name")
    email = profile.text("email").strip().lower()
    is_vouched = (
        "@" in email
        and user.values.get("is_email_confirmed") is not False
        and not user.flag("is_stranger")
        and not user.flag("is_bot")
    )
    return Author(
        address=address,
        name=name or None,
        email=email if is_vouched else None,
        language=user.text("locale").replace("_", "-").partition("-")[0].lower() or None,
    )
