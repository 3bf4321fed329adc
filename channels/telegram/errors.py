"""What the errors of the Bot API and of the connection to it mean to the desk."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import httpx
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Conflict,
    EndPointNotFound,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
)

from channels.telegram import ids
from channels.telegram.faults import TakenElsewhere
from channels.telegram.ids import Place
from core.domain.errors import (
    BadCredentials,
    DeliveryError,
    Moved,
    Rejected,
    Throttled,
    ThrottleScope,
    Unavailable,
    Uncertain,
)

_REMEDY = (
    "Ask @BotFather for the bot's token (/mybots, the bot, API Token) and set it for this account"
)


class ServerFault(NetworkError):
    """Telegram answered with a status of 500 or above."""

    __slots__ = ("status",)

    def __init__(self, status: int) -> None:
        super().__init__(f"status {status}")
        self.status = status


@contextmanager
def as_delivery_error(place: Place | None = None) -> Iterator[None]:
    """Turn errors of `python-telegram-bot` into the desk's; `place` is where a call went."""
    try:
        yield
    except TelegramError as error:
        raise _translated(error, place) from error


def _translated(error: TelegramError, place: Place | None) -> DeliveryError:
    match error:
        case RetryAfter():
            # Telegram counts messages to a group apart; the limits of private chats and of the
            # whole bot look the same from outside, and the wider one is the safe reading.
            is_group = place is not None and not place.is_private
            scope = ThrottleScope.THREAD if is_group else ThrottleScope.ACCOUNT
            return Throttled(_seconds(error), scope)
        case ChatMigrated():
            return Moved(ids.thread_key(Place(chat=error.new_chat_id)))
        case Forbidden():
            return Rejected(f"Telegram does not allow it: {_reason(error)}")
        case InvalidToken() | EndPointNotFound():
            return BadCredentials("Telegram does not accept the bot's token", _REMEDY)
        case Conflict():
            return TakenElsewhere("another program reads this bot's messages")
        case BadRequest():
            return Rejected(f"Telegram refuses it: {_reason(error)}")
        case ServerFault(status=503):
            return Unavailable("Telegram is out of service for the moment (503)")
        case ServerFault():
            return Uncertain(f"Telegram failed during the call ({error.status})")
        case NetworkError():
            return _connection_fault(error.__cause__)
        case _:
            return Uncertain("Telegram's answer could not be read")


def _connection_fault(cause: BaseException | None) -> DeliveryError:
    # What the libraries say may hold the address of the call, and with it the token.
    if isinstance(cause, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout):
        return Unavailable("Telegram could not be reached")
    if isinstance(cause, httpx.UnsupportedProtocol | httpx.InvalidURL | httpx.ProxyError):
        return Unavailable(f"Telegram could not be reached ({type(cause).__name__})")
    return Uncertain("the connection to Telegram broke during the call")


def _seconds(error: RetryAfter) -> float:
    wait = error.retry_after
    return float(wait) if isinstance(wait, int | float) else wait.total_seconds()


def _reason(error: TelegramError) -> str:
    return error.message.removeprefix("Forbidden: ")[:300]
