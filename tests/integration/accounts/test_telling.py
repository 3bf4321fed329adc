"""`/readyz`, `desk doctor` and the supervisor are told of accounts, and nothing secret."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest
from pydantic import SecretStr

from core.domain.account import AccountState, Health
from core.domain.ids import AccountId
from core.runtime.machine.home import Home
from core.runtime.machine.polling import until
from core.settings import Settings
from core.wiring.commands import diagnose
from core.wiring.parts import Parts, open_parts
from core.wiring.web import readiness, want_receivers

HELP = AccountId("help")
TOKEN = "123456:s3cret-s3cret"
REVOKED = Health(
    state=AccountState.BAD_CREDENTIALS, reason="the token was revoked", remedy="Enter another."
)


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    return Settings(
        home=tmp_path,
        database_url=SecretStr(database_url),
        secret_key=SecretStr("key"),
        bot_url="http://127.0.0.1:9",
    )


@pytest.fixture
async def parts(settings: Settings) -> AsyncIterator[Parts]:
    async with open_parts(settings, "test") as parts:
        await parts.account_book.add("help", "telegram", {"token": TOKEN})
        yield parts


async def test_readiness_names_each_account_and_does_not_depend_on_it(parts: Parts) -> None:
    await parts.directory.refresh()
    await parts.intake().report(HELP, REVOKED)
    found = await readiness(parts)
    assert found["accounts"] == {
        "help": {
            "kind": "telegram",
            "state": "bad_credentials",
            "reason": "the token was revoked",
            "remedy": "Enter another.",
        }
    }
    assert set(found["components"]) == {"database", "worker", "assistant"}
    assert "s3cret" not in json.dumps(found)


async def test_the_doctor_says_what_to_do(parts: Parts, settings: Settings) -> None:
    await parts.intake().report(HELP, REVOKED)
    (account,) = [each for each in await diagnose(settings) if each.component == "account help"]
    assert not account.ok
    assert account.detail == "telegram, bad credentials: the token was revoked"
    assert account.remedy == "Enter another."


async def test_an_account_of_the_product_opens_with_the_real_kind(parts: Parts) -> None:
    await parts.directory.refresh()
    assert type(parts.channels[HELP]).__module__.startswith("channels.telegram")
    assert parts.accounts[HELP].polls


async def test_whoever_receives_goes_on_until_the_accounts_are_known(
    parts: Parts, settings: Settings
) -> None:
    wanted = Home.at(settings.home).receivers_wanted
    wanted.touch()
    telling = asyncio.create_task(want_receivers(parts))
    try:
        await asyncio.sleep(0)  # it has looked once; the database has not been asked yet
        assert wanted.exists()
        await parts.directory.refresh()
        await parts.account_book.remove(HELP)

        async def nobody_is_wanted() -> bool:
            await parts.directory.refresh()
            return not wanted.exists()

        assert await until(nobody_is_wanted, every=0.05, seconds=10)
    finally:
        telling.cancel()
        with suppress(asyncio.CancelledError):
            await telling


async def test_a_desk_without_accounts_ends_receivers_that_were_wanted_before(
    parts: Parts, settings: Settings
) -> None:
    await parts.account_book.remove(HELP)
    wanted = Home.at(settings.home).receivers_wanted
    wanted.touch()
    telling = asyncio.create_task(want_receivers(parts))
    try:
        await asyncio.sleep(0)
        assert wanted.exists()
        await parts.directory.refresh()

        async def nobody_is_wanted() -> bool:
            return not wanted.exists()

        assert await until(nobody_is_wanted, every=0.01, seconds=10)
    finally:
        telling.cancel()
        with suppress(asyncio.CancelledError):
            await telling
