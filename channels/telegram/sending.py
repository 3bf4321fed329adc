"""How a message of several parts is sent once, whatever happens between its parts."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from channels.telegram import ids
from channels.telegram.ids import Place
from channels.telegram.pace import Pace
from channels.telegram.render import Call
from core.domain.backoff import Pauses
from core.domain.errors import (
    DeliveryError,
    Moved,
    Rejected,
    SentInPart,
    Throttled,
    Unavailable,
    Uncertain,
)
from core.domain.ids import RemoteId

Send = Callable[[Call, Place], Awaitable[Sequence[int]]]


async def send_all(
    calls: Sequence[Call],
    place: Place,
    send: Send,
    pace: Pace,
    *,
    sent: list[RemoteId] | None = None,
) -> list[RemoteId]:
    """Make `calls` in order and return the names of the messages they made, added to `sent`.

    Until the first message is out, an error leaves as it came: the outbox tries again. After
    that nobody may begin from the start, because the reader would see the first parts twice, and
    what was sent is known here alone. So the rest is waited for and tried again here, for
    `pace.patience` seconds. Where that does not suffice, the error is `Uncertain`, and an agent
    decides, who is told how much arrived.

    Raises:
        DeliveryError: see above.
    """
    sent = [] if sent is None else sent
    ends_at = 0.0
    has_moved = False  # a group becomes a supergroup once
    pauses = Pauses(pace.backoff)
    for number, call in enumerate(calls):
        while True:
            try:
                made = await _send(call, place, send)
            except DeliveryError as error:
                if not sent:
                    raise
                ends_at = ends_at or time.monotonic() + pace.patience
                wait = _wait(error, pauses)
                if isinstance(error, Moved) and not has_moved:
                    has_moved = True
                    place = replace(place, chat=ids.read_thread(error.new_thread).chat)
                elif wait is None or time.monotonic() + wait > ends_at:
                    raise _broken_off(error, number, len(calls)) from error
                else:
                    await asyncio.sleep(wait)
                continue
            sent += [ids.remote_id(place.chat, message) for message in made]
            break
    return sent


async def _send(call: Call, place: Place, send: Send) -> Sequence[int]:
    call = replace(call, arguments={**call.arguments, "chat_id": place.chat})
    try:
        return await send(call, place)
    except Rejected as error:
        # Telegram takes no photos of odd proportions or in formats that it cannot read; as
        # documents it takes them.
        if call.method != "sendPhoto" or not _is_about_the_picture(error):
            raise
    arguments = dict(call.arguments)
    arguments["document"] = arguments.pop("photo")
    return await send(replace(call, method="sendDocument", arguments=arguments), place)


def _is_about_the_picture(error: Rejected) -> bool:
    reason = str(error).upper()
    return "PHOTO_" in reason or "IMAGE_" in reason or "WRONG TYPE" in reason


def _wait(error: DeliveryError, pauses: Pauses) -> float | None:
    """Return after how many seconds to try again; None where that would not do."""
    match error:
        case Throttled():
            return error.retry_after
        case Unavailable():
            return pauses.next_seconds()
        case _:
            return None


def _broken_off(error: DeliveryError, sent: int, parts: int) -> DeliveryError:
    what = f"{sent} of {parts} parts were sent, then: {error}"
    return SentInPart(what) if isinstance(error, Rejected) else Uncertain(what)
