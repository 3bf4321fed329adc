"""Slack's Web API for one account: one attempt a call, errors in the desk's words."""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import urlsplit

import aiohttp
from slack_sdk.web.async_client import AsyncWebClient

from channels.slack.errors import as_delivery_errors, bad_credentials, wait_of
from channels.slack.fields import Fields
from channels.slack.limits import ChannelLimits
from core.domain.errors import Rejected, Throttled, Unavailable

CALL_SECONDS = 15.0
_CONNECT_SECONDS = 5.0
_FILE_SECONDS = 300.0
_PIECE_BYTES = 64 * 1024
_READS = frozenset(
    {
        "conversations.history",
        "conversations.replies",
        "files.getUploadURLExternal",
        "files.info",
        "users.info",
        "users.lookupByEmail",
    }
)
"""Methods that take no JSON: https://docs.slack.dev/apis/web-api/"""
_FORMS = frozenset({"files.completeUploadExternal"})
"""Methods that change something and take JSON only inside form fields."""

# At its DEBUG level the SDK writes whole messages into the log.
_LOGGER = logging.getLogger("channels.slack.sdk")


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who the account's token speaks for."""

    team: str
    team_url: str  # "https://acme.slack.com/"
    bot_user: str
    scopes: frozenset[str] | None  # None where Slack did not tell

    def is_granted(self, scope: str) -> bool:
        """Say whether the app may do what `scope` covers, as far as is known."""
        return self.scopes is None or scope in self.scopes


class WebApi:
    """Calls of the Web API over one session, opened when the first call is made."""

    def __init__(self, token: str, api_url: str) -> None:
        self._token = token
        self._api_url = api_url
        self._session: aiohttp.ClientSession | None = None
        self._identity: Identity | None = None
        self._limits = ChannelLimits()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Give the connections back."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    @property
    def session(self) -> aiohttp.ClientSession:
        """The session on the running loop."""
        if self._session is None or self._session.closed:
            self._session = aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=CALL_SECONDS, connect=_CONNECT_SECONDS),
                trust_env=True,
            )
        return self._session

    def client(self, token: str | None = None) -> AsyncWebClient:
        """Return the SDK's client over this session; it tries nothing twice."""
        _LOGGER.setLevel(logging.INFO)
        return AsyncWebClient(
            token=token or self._token,
            base_url=self._api_url,
            session=self.session,
            timeout=int(CALL_SECONDS),
            logger=_LOGGER,
            retry_handlers=[],
        )

    async def call(self, method: str, *, token: str | None = None, **arguments: Any) -> Fields:
        """Return what `method` answers; arguments that are None are left out.

        Raises:
            DeliveryError: it did not succeed.
        """
        given = {name: value for name, value in arguments.items() if value is not None}
        verb = "GET" if method in _READS else "POST"
        key = "params" if method in _READS | _FORMS else "json"
        try:
            with as_delivery_errors(method):
                response = await self.client(token).api_call(method, http_verb=verb, **{key: given})
        except Throttled as error:
            raise self._limits.told(method, str(arguments.get("channel", "")), error) from error
        return Fields(response.data if isinstance(response.data, dict) else {}, method)

    async def identity(self) -> Identity:
        """Return who the token speaks for; asked once.

        Raises:
            DeliveryError: it could not be found out.
        """
        if self._identity is None:
            with as_delivery_errors("auth.test"):
                response = await self.client().api_call("auth.test")
            answer = Fields(response.data if isinstance(response.data, dict) else {}, "auth.test")
            scopes = _header(response.headers, "x-oauth-scopes")
            self._identity = Identity(
                team=answer.text("team_id"),
                team_url=answer.text("url"),
                bot_user=answer.text("user_id"),
                scopes=None if scopes is None else frozenset(s.strip() for s in scopes.split(",")),
            )
        return self._identity

    def forget_identity(self) -> None:
        """Ask anew next time: the app may have been installed again."""
        self._identity = None

    @property
    def known_identity(self) -> Identity | None:
        """Who the token speaks for, where that was asked already."""
        return self._identity

    async def upload(self, address: str, content: bytes) -> None:
        """Send the bytes of a file to the address that Slack gave for it.

        Nothing is shown to anybody before the upload is completed by a call, so whatever
        happens here, nothing was sent.

        Raises:
            DeliveryError: Slack does not have the file.
        """
        try:
            async with self.session.post(
                address,
                data=content,
                headers={"Content-Type": "application/octet-stream"},
                timeout=aiohttp.ClientTimeout(total=_FILE_SECONDS, connect=_CONNECT_SECONDS),
            ) as response:
                status, headers = response.status, response.headers
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Unavailable("the connection to Slack broke while a file was sent") from error
        _check_file_answer(status, headers)

    async def download(self, address: str, media_type: str) -> AsyncIterator[bytes]:
        """Yield a file's bytes; `media_type` is what Slack says it is.

        Raises:
            DeliveryError: it cannot be had.
        """
        if not self._is_slacks(address):
            raise Rejected("the file is not kept by Slack")
        try:
            async with self.session.get(
                address,
                headers={"Authorization": f"Bearer {self._token}"},
                timeout=aiohttp.ClientTimeout(total=_FILE_SECONDS, connect=_CONNECT_SECONDS),
            ) as response:
                _check_file_answer(response.status, response.headers)
                is_page = response.content_type == "text/html"
                if is_page and (response.history or media_type != "text/html"):
                    raise bad_credentials("missing_scope", "files:read")  # it is the sign-in page
                async for piece in response.content.iter_chunked(_PIECE_BYTES):
                    yield piece
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Unavailable("the connection to Slack broke while a file was fetched") from error

    async def respond(self, address: str, content: Mapping[str, Any]) -> None:
        """Answer an interaction at the `response_url` that came with it.

        Raises:
            DeliveryError: it did not succeed.
        """
        if not self._is_slacks(address):
            raise Rejected("an interaction without an address to answer to")
        with as_delivery_errors("response_url"):
            async with self.session.post(address, json=dict(content)) as response:
                if response.status >= 400:
                    raise Rejected("Slack did not take the answer to an interaction")

    def _is_slacks(self, address: str) -> bool:
        """Say whether the token may be shown to `address`."""
        asked, api = urlsplit(address), urlsplit(self._api_url)
        if (asked.scheme, asked.netloc) == (api.scheme, api.netloc):
            return True
        host = asked.hostname or ""
        return asked.scheme == "https" and (host == "slack.com" or host.endswith(".slack.com"))


def as_json(value: object) -> str:
    """Return `value` as a form field takes it."""
    return json.dumps(value, separators=(",", ":"))


def _header(headers: Mapping[str, str], name: str) -> str | None:
    return next((value for key, value in headers.items() if key.lower() == name), None)


def _check_file_answer(status: int, headers: Mapping[str, str]) -> None:
    if status == 429:
        raise Throttled(wait_of(headers))
    if status >= 500:
        raise Unavailable("Slack's file store failed")
    if status in {401, 403}:
        raise Rejected("Slack does not give the file to the desk")
    if status >= 400:
        raise Rejected("the file does not exist any more")
