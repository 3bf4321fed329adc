"""How the Bot API is called: by `python-telegram-bot`, opened on first use."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import httpx
from telegram import Bot, InputFile, InputMediaDocument, InputMediaPhoto, MessageEntity
from telegram.request import BaseRequest, HTTPXRequest, RequestData

from channels.telegram.errors import ServerFault, as_delivery_error
from channels.telegram.ids import Place
from channels.telegram.render import Call, Upload
from channels.telegram.settings import TelegramSettings
from core.domain.errors import (
    FileTooLarge,
    NotFound,
    Rejected,
    StorageUnavailable,
    Unavailable,
)
from core.ports import BlobStore

_CONNECT_SECONDS = 10.0
_ANSWER_SECONDS = 20.0
_UPLOAD_SECONDS = 120.0
_POOL_SECONDS = 20.0
_MAX_CONNECTIONS = 64
_SERVER_FAULT = 500
_PIECE_BYTES = 64 * 1024
_TOO_BIG = "file is too big"
_ADDRESS_WITH_TOKEN = re.compile(r"(/(?:file/)?bot\d+):[A-Za-z0-9_-]+")
_NOTHING = BaseRequest.DEFAULT_NONE

# The library's own switch to durations as `timedelta`; without it, each rate limit is a warning.
os.environ.setdefault("PTB_TIMEDELTA", "true")


class Client:
    """Calls the Bot API for one account; belongs to the event loop that first uses it.

    Every method raises `DeliveryError`s.
    """

    def __init__(self, settings: TelegramSettings, blobs: BlobStore) -> None:
        _keep_tokens_out_of_logs()
        self._blobs = blobs
        token = settings.token.get_secret_value()
        server = settings.api_url.rstrip("/")
        self._files_url = f"{server}/file/bot{token}"
        self._bot = _Bot(
            token,
            base_url=f"{server}/bot",
            base_file_url=f"{server}/file/bot",
            request=_requests(_MAX_CONNECTIONS),
            get_updates_request=_requests(1),
        )
        self._downloads = httpx.AsyncClient(timeout=_ANSWER_SECONDS)

    async def close(self) -> None:
        """Close all connections."""
        await self._bot.close_connections()
        await self._downloads.aclose()

    async def call(
        self,
        method: str,
        arguments: Mapping[str, Any] | None = None,
        *,
        place: Place | None = None,
        seconds: float | None = None,
    ) -> Any:
        """Return the result of `method`; wait for the answer at most `seconds`."""
        with as_delivery_error(place):
            return await self._bot.call(method, dict(arguments or {}), seconds)

    async def send(self, call: Call, place: Place) -> Sequence[int]:
        """Make `call` and return the ids of the messages that it made.

        Raises:
            Rejected: also where a file to send is not there any more.
        """
        arguments = await self._with_files(call.arguments)
        has_files = arguments != call.arguments
        result = await self.call(
            call.method, arguments, place=place, seconds=_UPLOAD_SECONDS if has_files else None
        )
        messages = result if isinstance(result, list) else [result]
        return [int(message["message_id"]) for message in messages]

    async def download(self, file_id: str) -> AsyncIterator[bytes]:
        """Yield the bytes of a file, piece by piece."""
        try:
            with as_delivery_error():
                file = await self._bot.call("getFile", {"file_id": file_id}, None)
        except Rejected as error:
            if _TOO_BIG not in str(error):
                raise
            raise FileTooLarge("Telegram gives bots no files of this size") from error
        path = file.get("file_path")
        if not path:
            raise Rejected("Telegram does not give this file")
        try:
            async with self._downloads.stream("GET", f"{self._files_url}/{path}") as response:
                if response.status_code >= _SERVER_FAULT:
                    raise Unavailable(f"Telegram failed to give the file ({response.status_code})")
                if response.is_error:
                    raise Rejected(f"Telegram does not give this file ({response.status_code})")
                async for piece in response.aiter_bytes(_PIECE_BYTES):
                    yield piece
        except httpx.HTTPError as error:
            # Fetching changes nothing at Telegram: it can be tried again whatever went wrong.
            raise Unavailable("the connection to Telegram broke while fetching a file") from error

    async def _with_files(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        filled: dict[str, Any] = {}
        for name, value in arguments.items():
            if isinstance(value, Upload):
                filled[name] = await self._input_file(value)
            elif name == "media":
                filled[name] = [await self._input_media(item) for item in value]
            else:
                filled[name] = value
        return filled

    async def _input_file(self, upload: Upload) -> InputFile:
        try:
            content = await self._blobs.get(upload.file.remote)
        except NotFound as error:
            raise Rejected(f"the file {upload.file.name} is not there any more") from error
        except StorageUnavailable as error:
            raise Unavailable(f"the file {upload.file.name} cannot be read now") from error
        return InputFile(content, filename=upload.file.name)

    async def _input_media(self, item: Mapping[str, Any]) -> InputMediaPhoto | InputMediaDocument:
        kind = InputMediaPhoto if item["type"] == "photo" else InputMediaDocument
        entities = item.get("caption_entities", ())
        upload: Upload = item["media"]
        file = await self._input_file(upload)
        return kind(
            file.input_file_content,
            filename=upload.file.name,
            caption=item.get("caption"),
            caption_entities=[MessageEntity.de_json(entity) for entity in entities] or None,
        )


class _Bot(Bot):
    """Gives answers as Telegram wrote them.

    The library's own methods make objects of them, which fails for all updates of a batch where
    one has a shape that is newer than the library.
    """

    __slots__ = ()

    async def call(self, method: str, arguments: dict[str, Any], seconds: float | None) -> Any:
        timeout = _NOTHING if seconds is None else seconds
        return await self._post(method, arguments, read_timeout=timeout, write_timeout=timeout)

    async def close_connections(self) -> None:
        for request in self._request:
            await request.shutdown()


class _Request(HTTPXRequest):
    """Tells faults of the server from faults of the connection."""

    __slots__ = ()

    async def do_request(
        self,
        url: str,
        method: str,
        request_data: RequestData | None = None,
        *args: Any,
        **kwargs: Any,
    ) -> tuple[int, bytes]:
        status, answer = await super().do_request(url, method, request_data, *args, **kwargs)
        if status >= _SERVER_FAULT:
            raise ServerFault(status)
        return status, answer


def _requests(connections: int) -> _Request:
    return _Request(
        connection_pool_size=connections,
        connect_timeout=_CONNECT_SECONDS,
        read_timeout=_ANSWER_SECONDS,
        write_timeout=_ANSWER_SECONDS,
        media_write_timeout=_UPLOAD_SECONDS,
        pool_timeout=_POOL_SECONDS,
    )


class _TokenFilter(logging.Filter):
    """Takes tokens out of the addresses that libraries log."""

    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        if "/bot" in message:
            record.msg, record.args = _ADDRESS_WITH_TOKEN.sub(r"\1:…", message), ()
        return True


_TOKEN_FILTER = _TokenFilter()


def _keep_tokens_out_of_logs() -> None:
    logging.getLogger("httpx").addFilter(_TOKEN_FILTER)  # the same filter twice is once
    # At DEBUG the library logs what is said, and the token with it.
    logging.getLogger("telegram.Bot").setLevel(logging.INFO)
