"""Reads `message` and `app_mention` events: what is said, changed and taken back.

https://docs.slack.dev/reference/events/message
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

from channels.slack import ids, mrkdwn, rich_text
from channels.slack.attachments import read_files, read_shared, shared_in
from channels.slack.fields import Fields
from channels.slack.reading import Desk, Reading
from core.domain.content import MAX_TEXT_CHARS, UNSTORABLE, Body
from core.domain.errors import IgnoredPayload, UnknownPayload
from core.domain.events import Author, MessageEdited, MessagePosted, MessageRemoved
from core.domain.ids import AccountId

_SPOKEN = frozenset({"", "file_share", "thread_broadcast", "me_message"})
_UNSPOKEN_KINDS = """
    assistant_app_thread bot_add bot_disable bot_enable bot_message bot_remove channel_archive
    channel_canvas_updated channel_convert_to_private channel_convert_to_public channel_join
    channel_leave channel_name channel_posting_permissions channel_purpose channel_topic
    channel_unarchive document_mention ekm_access_denied file_comment file_mention group_archive
    group_join group_leave group_name group_purpose group_topic group_unarchive huddle_thread
    joiner_notification joiner_notification_for_inviter message_replied pinned_item
    reminder_add reminder_delete reply_broadcast sh_room_created sh_room_shared slackbot_response
    tabbed_canvas_updated tombstone unpinned_item
"""
_UNSPOKEN = frozenset(_UNSPOKEN_KINDS.split())
_LEADING_MENTION = r"^\s*@(?:{who})(?![A-Z0-9])[\s,:;.!-]*"
_CHANNEL = re.compile(r"<#([CG][A-Z0-9]{5,20})\|([^<>|\n]{1,100})>")
_CHANNEL_ID = re.compile(r"(?<![\w/])#([CG][A-Z0-9]{5,20})(?!\w)")
_SLACKBOT = "USLACKBOT"
_CUT = " […]"


def read_message(account: AccountId, event: Fields, desk: Desk, raw: bytes) -> Reading:
    """Return what a `message` or `app_mention` event says.

    Raises:
        IgnoredPayload: it is nothing that a requester said.
        UnknownPayload: a shape we do not know.
    """
    match event.text("subtype"):
        case subtype if subtype in _SPOKEN:
            return _posted(account, event, desk, raw)
        case "message_changed":
            return _changed(account, event, desk, raw)
        case "message_deleted":
            return _deleted(account, event, desk, raw)
        case subtype if subtype in _UNSPOKEN:
            raise IgnoredPayload(f"a message of the kind {subtype!r} is nothing a requester said")
        case subtype:
            raise UnknownPayload(f"a message of the unknown kind {subtype[:80]!r}")


def read_body(message: Fields, desk: Desk) -> Body:
    """Return the content of a message."""
    text = rich_text.to_commonmark(message.each("blocks"))
    if text is None or not text.strip():
        text = mrkdwn.to_commonmark(message.text("text"))
    text = _without_address(_with_channels(text, message.text("text")), desk)
    shared = shared_in(message.each("attachments"))
    own = message.each("files")
    files, links, lost = read_files([*own, *(file for one in shared for file in one.each("files"))])
    text = UNSTORABLE.sub("", "\n".join([text, *links])).strip()
    if message.text("subtype") == "me_message" and text:
        text = f"*{text}*" if "*" not in text and "\n" not in text else text
    if len(text) > MAX_TEXT_CHARS:
        text = text[: MAX_TEXT_CHARS - len(_CUT)] + _CUT
    quoted = read_shared(shared)
    if quoted and not text:  # what was passed on without a word is what is said
        text, quoted, lost = quoted[:MAX_TEXT_CHARS], None, [*lost, "forwarded"]
    return Body(text=text, quoted=quoted, files=files, unsupported=tuple(lost))


def moment(ts: str) -> datetime:
    """Return the time that a time stamp names.

    Raises:
        UnknownPayload: it names none.
    """
    if not ids.is_ts(ts):
        raise UnknownPayload("a time stamp of an unknown form")
    return datetime.fromtimestamp(float(ts), UTC)


def order_of(ts: str) -> str:
    """Return what sorts messages as their time stamps do, whatever the number of digits."""
    seconds, _, counter = ts.partition(".")
    return f"{seconds:0>12}.{counter:0<9}"


def channel_of(event: Fields, name: str = "channel") -> str:
    """Return the channel that an event names.

    Raises:
        UnknownPayload: it names none.
    """
    channel = event.required(name)
    if not ids.is_channel(channel):
        raise UnknownPayload("a channel's id of an unknown form")
    return channel


def author_of(message: Fields, desk: Desk) -> Author:
    """Return who wrote a message.

    Raises:
        IgnoredPayload: a program did.
        UnknownPayload: nobody is named.
    """
    person = message.text("user")
    if desk.bot_user is not None and person == desk.bot_user:
        raise IgnoredPayload("the desk's own message")
    if message.text("bot_id") or "id" in message.inner("bot_profile") or person == _SLACKBOT:
        raise IgnoredPayload("a bot's message")
    if not ids.is_person(person):
        raise UnknownPayload("a message without an author")
    profile = message.inner("user_profile")
    name = profile.text("real_name") or profile.text("display_name")
    return Author(address=ids.address(person), name=name or None)


def _posted(account: AccountId, event: Fields, desk: Desk, raw: bytes) -> Reading:
    channel, ts = channel_of(event), event.required("ts")
    at = moment(ts)
    author = author_of(event, desk)
    root = event.text("thread_ts") or ts
    if not ids.is_ts(root):
        raise UnknownPayload("a thread's time stamp of an unknown form")
    is_reply = root != ts
    is_direct = ids.is_direct(channel)
    is_mention = event.text("type") == "app_mention" or desk.is_mentioned_in(event.text("text"))
    if not (is_direct or is_mention or is_reply):
        raise IgnoredPayload("a message in a channel that does not mention the desk")
    thread = ids.thread_key(channel, root)
    posted = MessagePosted(
        account=account,
        key=ids.post_key(channel, ts),
        thread=thread,
        author=author,
        at=at,
        order=order_of(ts),
        raw=raw,
        body=read_body(event, _addressed(event, desk)),
        remote_ids=(ids.remote_id(channel, ts),),
        is_shared=not is_direct,
    )
    return Reading(
        events=(posted,),
        only_in=None if is_direct or is_mention else thread,
        wants_context=is_mention and is_reply and not is_direct,
    )


def _addressed(event: Fields, desk: Desk) -> Desk:
    """Return the desk as a mention names it, where nothing else tells."""
    if desk.bot_user is None and event.text("type") == "app_mention":
        first = re.search(r"<@([UW][A-Z0-9]+)", event.text("text"))
        return Desk(bot_user=first[1]) if first else desk
    return desk


def _changed(account: AccountId, event: Fields, desk: Desk, raw: bytes) -> Reading:
    channel, message = channel_of(event), event.inner("message")
    if message.text("subtype") == "tombstone":
        # The first message of a thread with replies leaves a stone when it is deleted.
        return _deleted(account, event, desk, raw)
    ts = message.required("ts")
    author = author_of(message, desk)
    previous = event.inner("previous_message")
    body = read_body(message, desk)
    if "previous_message" in event and _says_the_same(message, previous):
        raise IgnoredPayload("the look of a message changed, not what it says")
    edited_ts = message.inner("edited").text("ts") or event.text("event_ts") or event.text("ts")
    at = moment(edited_ts)
    thread = ids.thread_key(channel, message.text("thread_ts") or ts)
    moment(ts)
    changed = MessageEdited(
        account=account,
        key=ids.edit_key(channel, ts, edited_ts),
        thread=thread,
        author=author,
        at=at,
        order=order_of(ts),
        raw=raw,
        remote_id=ids.remote_id(channel, ts),
        body=body,
    )
    is_ours = ids.is_direct(channel) or desk.is_mentioned_in(message.text("text"))
    return Reading(events=(changed,), only_in=None if is_ours else thread)


def _says_the_same(message: Fields, previous: Fields) -> bool:
    """Say whether two states of a message differ in previews, reactions or replies at most."""
    return (
        message.text("text") == previous.text("text")
        and [f.text("id") for f in message.each("files") if f.text("mode") != "tombstone"]
        == [f.text("id") for f in previous.each("files") if f.text("mode") != "tombstone"]
        and message.inner("edited").text("ts") == previous.inner("edited").text("ts")
    )


def _deleted(account: AccountId, event: Fields, desk: Desk, raw: bytes) -> Reading:
    channel, previous = channel_of(event), event.inner("previous_message")
    ts = event.text("deleted_ts") or previous.text("ts") or event.inner("message").text("ts")
    at = moment(event.text("event_ts") or event.text("ts"))
    moment(ts)
    author = author_of(previous, desk)
    thread = ids.thread_key(channel, previous.text("thread_ts") or ts)
    removed = MessageRemoved(
        account=account,
        key=ids.remove_key(channel, ts),
        thread=thread,
        author=author,
        at=at,
        raw=raw,
        remote_id=ids.remote_id(channel, ts),
    )
    is_ours = ids.is_direct(channel) or desk.is_mentioned_in(previous.text("text"))
    return Reading(events=(removed,), only_in=None if is_ours else thread)


def _with_channels(text: str, typed: str) -> str:
    """Return `text` with the names of channels, which Slack gives beside the ids, if anywhere."""
    names = {channel: mrkdwn.unescape(name) for channel, name in _CHANNEL.findall(typed)}
    if not names:
        return text
    return _CHANNEL_ID.sub(lambda match: f"#{names.get(match[1], match[1])}", text)


def _without_address(text: str, desk: Desk) -> str:
    """Return `text` without the mention that only says whom it is for."""
    if desk.bot_user is None:
        return text
    return re.sub(_LEADING_MENTION.format(who=re.escape(desk.bot_user)), "", text, count=1)
