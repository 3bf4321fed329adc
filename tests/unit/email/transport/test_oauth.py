from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qs

import pytest
from aiohttp import web

from channels.email.oauth import AccessTokens
from channels.email.refresh_tokens import RefreshTokens
from core.domain.errors import BadCredentials, DeliveryError, StorageUnavailable, Unavailable
from tests.unit.email.transport.builders import ACCOUNT, settings
from tests.unit.email.transport.memory import KEY, MemoryBlobs

Answer = tuple[int, dict[str, Any] | str]


class TokenService:
    """Answers as told, and remembers what it was asked."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.asked: list[dict[str, list[str]]] = []

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append(parse_qs(await request.text()))
        status, content = self.answers.pop(0)
        if isinstance(content, str):
            return web.Response(status=status, text=content)
        return web.json_response(content, status=status)


@asynccontextmanager
async def tokens_from(
    service: TokenService,
    clock: Callable[[], float] = lambda: 0.0,
    *,
    blobs: MemoryBlobs | None = None,
    refresh: str = "refresh",
) -> AsyncIterator[AccessTokens]:
    app = web.Application()
    app.router.add_post("/token", service.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    try:
        account = settings(
            oauth_provider="custom",
            oauth_client_id="client",
            oauth_client_secret="hidden",
            oauth_refresh_token=refresh,
            oauth_token_url=f"http://127.0.0.1:{port}/token",
            timeout_seconds=5,
        )
        kept = RefreshTokens(ACCOUNT, account, blobs or MemoryBlobs(), KEY)
        yield AccessTokens(account, kept, ssl.create_default_context, clock)
    finally:
        await runner.cleanup()


async def test_a_token_is_kept_until_it_is_about_to_end() -> None:
    now = [0.0]
    service = TokenService(
        (200, {"access_token": "one", "expires_in": 3600}),
        (200, {"access_token": "two", "expires_in": 3600}),
    )
    async with tokens_from(service, lambda: now[0]) as tokens:
        assert await tokens.current() == "one"
        now[0] = 3_000
        assert await tokens.current() == "one"
        now[0] = 3_550
        assert await tokens.current() == "two"
    assert service.asked[0] == {
        "grant_type": ["refresh_token"],
        "client_id": ["client"],
        "client_secret": ["hidden"],
        "refresh_token": ["refresh"],
    }


async def test_a_token_that_a_server_refused_is_not_used_again() -> None:
    service = TokenService((200, {"access_token": "one"}), (200, {"access_token": "two"}))
    async with tokens_from(service) as tokens:
        assert await tokens.current() == "one"
        tokens.forget()
        assert await tokens.current() == "two"


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ((400, {"error": "invalid_grant"}), BadCredentials),
        ((401, {"error": "invalid_client"}), BadCredentials),
        ((400, "what?"), BadCredentials),
        ((500, "oops"), Unavailable),
        ((200, {"token": "elsewhere"}), Unavailable),
        ((200, {"access_token": "two\r\nlines"}), Unavailable),
        ((200, ["a list"]), Unavailable),
    ],
)
async def test_without_a_token_the_account_says_what_comes_next(
    answer: Answer, error: type[DeliveryError]
) -> None:
    async with tokens_from(TokenService(answer)) as tokens:
        with pytest.raises(error) as raised:
            await tokens.current()
    assert "hidden" not in str(raised.value)
    if isinstance(raised.value, BadCredentials):
        assert raised.value.remedy


async def test_a_token_service_that_is_away_is_unavailable() -> None:
    async with tokens_from(TokenService()) as tokens:
        pass
    with pytest.raises(Unavailable):
        await tokens.current()


def _with_refresh(token: str) -> Answer:
    return 200, {"access_token": "access", "expires_in": 3600, "refresh_token": token}


async def test_a_new_refresh_token_takes_the_place_of_the_old_one_in_every_process() -> None:
    blobs = MemoryBlobs()
    async with tokens_from(TokenService(_with_refresh("second")), blobs=blobs) as tokens:
        await tokens.current()
    assert not any(b"second" in kept for kept in blobs.kept.values())
    service = TokenService(_with_refresh("third"), (200, {"access_token": "access"}))
    async with tokens_from(service, blobs=blobs) as tokens:
        await tokens.current()
        tokens.forget()
        await tokens.current()
    assert [asked["refresh_token"] for asked in service.asked] == [["second"], ["third"]]


async def test_what_an_admin_enters_anew_counts_more_than_what_was_kept() -> None:
    blobs = MemoryBlobs()
    async with tokens_from(TokenService(_with_refresh("second")), blobs=blobs) as tokens:
        await tokens.current()
    service = TokenService((200, {"access_token": "access"}))
    async with tokens_from(service, blobs=blobs, refresh="entered anew") as tokens:
        await tokens.current()
    assert service.asked[0]["refresh_token"] == ["entered anew"]


async def test_where_the_kept_refresh_token_is_refused_the_entered_one_is_tried() -> None:
    blobs = MemoryBlobs()
    async with tokens_from(TokenService(_with_refresh("second")), blobs=blobs) as tokens:
        await tokens.current()
    service = TokenService((400, {"error": "invalid_grant"}), (200, {"access_token": "access"}))
    async with tokens_from(service, blobs=blobs) as tokens:
        assert await tokens.current() == "access"
    assert [asked["refresh_token"] for asked in service.asked] == [["second"], ["refresh"]]


async def test_a_new_refresh_token_is_used_though_it_cannot_be_kept() -> None:
    blobs = _Unwilling()
    service = TokenService(_with_refresh("second"), (200, {"access_token": "access"}))
    async with tokens_from(service, blobs=blobs) as tokens:
        await tokens.current()
        tokens.forget()
        await tokens.current()
    assert [asked["refresh_token"] for asked in service.asked] == [["refresh"], ["second"]]


class _Unwilling(MemoryBlobs):
    async def put(self, key: str, content: bytes) -> None:
        raise StorageUnavailable("full")
