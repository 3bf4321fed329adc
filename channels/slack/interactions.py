"""Reads what people do with the desk's buttons, commands and shortcuts.

https://docs.slack.dev/interactivity/handling-user-interaction
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType
from uuid import UUID

from channels.slack import ids, mrkdwn
from channels.slack.fields import Fields
from channels.slack.messages import channel_of, moment, order_of, read_body
from channels.slack.reading import Desk, Reading
from core.domain.content import MAX_TEXT_CHARS, Body, Intent
from core.domain.errors import IgnoredPayload, UnknownPayload
from core.domain.events import Author, ChoicePressed, MessagePosted
from core.domain.ids import AccountId, ChoiceId

CHOICE_ACTION = "choice"  # begins the action id of buttons that the desk put under its messages
ASK_SHORTCUT = "ask_support"  # callback id of the message shortcut

_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.ASCII)

_WORDS: Mapping[str, str] = MappingProxyType(
    {
        "": "ask_capabilities",
        "help": "ask_capabilities",
        "ayuda": "ask_capabilities",
        "human": "ask_human",
        "agent": "ask_human",
        "humano": "ask_human",
        "persona": "ask_human",
        "status": "ticket_status",
        "estado": "ticket_status",
    }
)
"""What a word after the command means outright, as the assistant's intent."""
_LANGUAGE = re.compile(r"(?:language|idioma)\s+\S+", re.IGNORECASE)


def read_press(account: AccountId, payload: Fields, raw: bytes) -> Reading:
    """Return which choice was taken in a `block_actions` payload.

    Raises:
        IgnoredPayload: a button that only opens a link, or one that is not the desk's.
        UnknownPayload: a shape we do not know.
    """
    choices = [
        action
        for action in payload.each("actions")
        if action.text("action_id").split(":")[0] == CHOICE_ACTION
    ]
    if not choices:
        if payload.each("actions"):
            raise IgnoredPayload("a button that asks nothing of the desk")
        raise UnknownPayload("a press without a button")
    action = choices[0]
    choice = action.text("value")
    if not _UUID.fullmatch(choice):
        raise IgnoredPayload("a button that is not the desk's")
    container, message = payload.inner("container"), payload.inner("message")
    channel = container.text("channel_id") or payload.inner("channel").text("id")
    ts = container.text("message_ts") or message.text("ts")
    action_ts = action.text("action_ts")
    moment(ts)
    if not ids.is_channel(channel):
        raise UnknownPayload("a press outside a channel")
    root = container.text("thread_ts") or message.text("thread_ts") or ts
    person = _person(payload)
    pressed = ChoicePressed(
        account=account,
        key=ids.press_key(channel, ts, person.address, action_ts),
        thread=ids.thread_key(channel, root),
        author=person,
        at=moment(action_ts),
        order=order_of(action_ts),
        raw=raw,
        choice=ChoiceId(UUID(choice)),
    )
    return Reading(events=(pressed,))


def read_command(account: AccountId, payload: Fields, at: datetime, raw: bytes) -> Reading:
    """Return what was asked by the slash command; it belongs to the direct conversation.

    Raises:
        UnknownPayload: a shape we do not know.
    """
    text = mrkdwn.to_commonmark(payload.text("text"))[:MAX_TEXT_CHARS].strip()
    word = text.casefold()
    name = "switch_language" if _LANGUAGE.fullmatch(word) else _WORDS.get(word)
    person = payload.required("user_id")
    if not ids.is_person(person):
        raise UnknownPayload("a command of nobody")
    asked = MessagePosted(
        account=account,
        key=ids.trigger_key("command", payload.text("trigger_id")),
        thread=ids.direct_thread(person),
        author=Author(address=ids.address(person), name=payload.text("user_name") or None),
        at=at,
        order=order_of(f"{at.timestamp():.6f}"),
        raw=raw,
        body=Body(text=text or payload.required("command")),
        intent=None if name is None else Intent(name=name),
    )
    return Reading(events=(asked,))


def read_shortcut(account: AccountId, payload: Fields, raw: bytes) -> Reading:
    """Return what was asked by the shortcut on a message, which comes along.

    Raises:
        IgnoredPayload: a shortcut that is not the desk's.
        UnknownPayload: a shape we do not know.
    """
    if payload.text("callback_id") != ASK_SHORTCUT:
        raise IgnoredPayload("a shortcut that is not the desk's")
    message = payload.inner("message")
    channel = channel_of(payload.inner("channel"), "id")
    ts = payload.text("message_ts") or message.required("ts")
    moment(ts)
    action_ts = payload.text("action_ts")
    person = _person(payload)
    body = read_body(message, Desk())
    author = message.text("username") or message.text("user") or message.text("bot_id")
    where = payload.inner("channel").text("name") or channel
    source = f"{mrkdwn.mention(author)} in #{where}"
    quoted = "\n\n".join(part for part in (f"{source}: {body.text}", body.quoted) if part)
    asked = MessagePosted(
        account=account,
        key=ids.trigger_key("shortcut", payload.text("trigger_id")),
        thread=ids.direct_thread(person.address),
        author=person,
        at=moment(action_ts),
        order=order_of(action_ts),
        raw=raw,
        # The passed on words are the question: the assistant answers what a message says.
        body=replace(body, quoted=quoted),
    )
    return Reading(events=(asked,))


def _person(payload: Fields) -> Author:
    user = payload.inner("user")
    person = user.text("id")
    if not ids.is_person(person):
        raise UnknownPayload("an action of nobody")
    name = user.text("name") or user.text("username")
    return Author(address=ids.address(person), name=name or None)
