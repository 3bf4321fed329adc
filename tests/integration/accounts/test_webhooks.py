"""Requests under `/channels/` reach the channel of their account, whenever it was connected."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import cast

import httpx
import pytest
from fastapi import FastAPI

import console
from core.domain.ids import AccountId
from core.ports import Transcript
from core.wiring.webhooks import RefusalCount, Webhooks
from tests.integration.accounts.conftest import Process

DUTY = AccountId("duty")
PAGE = "/channels/pager/duty/page"
GOOD = {"X-Token": "s3cret"}
Make = Callable[..., Process]


class Door:
    """A web server's part of a desk."""

    def __init__(self, desk: Process) -> None:
        self.desk = desk
        self.now = 0.0
        self.refused: Counter[str] = Counter()
        app = FastAPI()
        console.install_problems(app)
        app.router.routes.append(
            Webhooks(desk.directory, desk.intake, cast("Transcript", None))  # no pager reads it
        )
        app.add_middleware(
            RefusalCount, directory=desk.directory, counts=self.refused, clock=lambda: self.now
        )
        self.http = httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url="http://desk.test"
        )

    async def post(self, path: str = PAGE, **more: object) -> httpx.Response:
        return await self.http.post(path, **more)  # type: ignore[arg-type]


@asynccontextmanager
async def door(desk: Process) -> AsyncIterator[Door]:
    made = Door(desk)
    async with made.http:
        yield made


async def connected(desk: Process) -> None:
    await desk.book.add("duty", "pager", {"token": "s3cret", "mode": "push"})
    await desk.look()


async def test_an_account_made_while_the_desk_runs_is_reached(process: Make) -> None:
    desk = process()
    await desk.look()
    async with door(desk) as web:
        answer = await web.post()
        assert answer.status_code == 404
        assert answer.headers["content-type"] == "application/problem+json"
        await connected(desk)
        assert (await web.post(headers=GOOD)).text == "beep duty"


async def test_a_new_secret_counts_at_once(process: Make) -> None:
    desk = process()
    await connected(desk)
    async with door(desk) as web:
        assert (await web.post(headers=GOOD)).status_code == 200
        await desk.book.change(DUTY, {"token": "another"})
        await desk.look()
        assert (await web.post(headers=GOOD)).status_code == 403
        assert (await web.post(headers={"X-Token": "another"})).status_code == 200


@pytest.mark.parametrize(
    "path",
    ["/channels/", "/channels/radio/duty/page", "/channels/pager/nobody/page", PAGE + "/more"],
)
async def test_what_is_nobodys_address_is_not_found(process: Make, path: str) -> None:
    desk = process()
    await connected(desk)
    async with door(desk) as web:
        assert (await web.post(path, headers=GOOD)).status_code == 404
    assert not web.refused


async def test_before_accounts_are_known_the_platform_is_asked_to_come_again(
    process: Make,
) -> None:
    async with door(process()) as web:
        answer = await web.post(headers=GOOD)
    assert answer.status_code == 503
    assert "Retry-After" in answer.headers


async def test_a_paused_account_asks_the_platform_to_come_again(process: Make) -> None:
    desk = process()
    await connected(desk)
    await desk.book.set_enabled(DUTY, enabled=False)
    await desk.look()
    async with door(desk) as web:
        assert (await web.post(headers=GOOD)).status_code == 503


async def test_refused_requests_are_counted_and_told_once_a_minute(
    process: Make, caplog: pytest.LogCaptureFixture
) -> None:
    desk = process()
    await connected(desk)
    with caplog.at_level(logging.WARNING, "core.wiring.webhooks"):
        async with door(desk) as web:
            assert (await web.post()).status_code == 403
            assert (await web.post(headers={"X-Token": "s3cre"})).status_code == 403
            assert (await web.post(content=b"x" * 2_000_000)).status_code == 413
            assert (await web.post(headers=GOOD)).status_code == 200
            assert web.refused == {"duty": 3}
            assert len(caplog.records) == 1
            web.now = 61
            await web.post()
    assert "{'duty': 3}" in caplog.messages[-1]
    assert "s3cre" not in caplog.text
