"""The set-up pages hold word by word: what they say to write is written, against the platforms.

Only two things differ from what an admin does: the Bot API's or Slack's address, which is that of
a simulated platform, and the tokens, which are its own.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
import yaml
from fastapi import FastAPI

from channels.simulator.slack import News, SlackPlatform
from channels.simulator.telegram import TelegramPlatform
from channels.slack.channel import Slack
from channels.telegram.channel import Telegram
from console import problems
from core.domain.account import AccountState
from core.ports import Channel, HandlesRequests
from core.runtime.live import Live, LiveTranscript
from core.runtime.machine.polling import until
from core.services.accounts.accounts import DeclaredAccount
from core.services.accounts.fields import fields_of
from core.storage.engine import Sessions
from core.storage.tables import Account
from core.wiring.environment import declared_accounts
from core.wiring.kinds import Kinds
from tests.contract.channel_conformance import PATIENCE_SECONDS, Store, store_for
from tests.support.serving import served
from tests.support.slack import channel_context

DOCS = Path("docs/channels")
_VARIABLE = re.compile(r"(DESK_(?:SLACK|TELEGRAM)__[A-Z]+__[A-Z_]+)=([^\s`…]*)(…?)")
_NAMED = re.compile(r"\*([A-Z][a-z-]+ [a-z]+)\*")


def section(page: str, begins: str, ends: str) -> str:
    """Return what stands in a page between two headings."""
    text = (DOCS / page).read_text()
    return text[text.index(begins) : text.index(ends)]


def written(page: str, *tokens: str, **more: str) -> DeclaredAccount:
    """Return the account that the variables of a page declare.

    Where the page has `xoxb-…` the platform's token stands that begins so, and where it has `…`
    alone the only one that is left.
    """
    variables: dict[str, str] = {}
    left = list(tokens)
    for name, value, is_open in _VARIABLE.findall(page):
        if not is_open:
            variables[name] = value
            continue
        beginning = value.split(":")[0] if ":" in value else value
        fits = [one for one in left if one.startswith(beginning)] or left
        variables[name] = fits[0]
        left.remove(fits[0])
    assert variables, "the page has no variables"
    assert not left, f"the page does not say where {len(left)} tokens go"
    first = next(iter(variables))
    prefix = first[: first.rindex("__") + 2]
    variables |= {f"{prefix}{name}": value for name, value in more.items()}
    (account,) = declared_accounts(variables, Kinds())
    return account


@asynccontextmanager
async def connected(
    account: DeclaredAccount, sessions: Sessions, url: str, folder: Path, public_url: str
) -> AsyncIterator[tuple[Channel, Store]]:
    """Start the account as the desk does."""
    context = replace(channel_context(), base_url=public_url)
    channel = Kinds()[account.kind].open(account.id, account.settings, context)
    store = store_for(sessions, url, folder, channel)
    async with sessions.begin() as session:
        session.add(Account(id=account.id, channel=account.kind))
    receiving = asyncio.create_task(channel.receive(store.intake))
    try:
        yield channel, store
    finally:
        receiving.cancel()
        with suppress(asyncio.CancelledError):
            await receiving
        if isinstance(channel, Slack | Telegram):
            await channel.close()


async def shows_connected(store: Store, account: DeclaredAccount) -> None:
    """Wait until the console would show the account as the page says."""

    async def is_connected() -> bool:
        return (await store.health(account.id)).state is AccountState.CONNECTED

    assert await until(is_connected, every=0.02, seconds=PATIENCE_SECONDS)


async def heard(store: Store, words: str) -> None:
    """Wait until what somebody wrote is there."""

    async def is_there() -> bool:
        return words in await store.texts()

    assert await until(is_there, every=0.02, seconds=PATIENCE_SECONDS)


def application(channel: Channel, store: Store) -> FastAPI:
    """Return the channel's routes as the desk has them."""
    assert isinstance(channel, HandlesRequests)
    app = FastAPI()
    problems.install(app)
    transcript = LiveTranscript(store.sessions, Live(store.url, store.sessions), store.blobs)
    app.router.routes.extend(channel.routes(store.intake, transcript))
    return app


def labels(kind: str) -> Mapping[str, str]:
    """Return what the fields of a kind are called in the console, by their names."""
    return {field.name: field.label for field in fields_of(Kinds()[kind].settings)}


async def test_slack_by_socket_mode(sessions: Sessions, database_url: str, tmp_path: Path) -> None:
    page = section("slack.md", "## Set up in five minutes", "### Over HTTP instead")
    async with SlackPlatform() as slack:
        account = written(page, slack.bot_token, slack.app_token, API_URL=slack.url)
        assert account.id == "acme"
        async with connected(account, sessions, database_url, tmp_path, "http://127.0.0.1") as (
            _,
            store,
        ):
            await shows_connected(store, account)
            await slack.write(slack.person("Ana"), "is it you?")
            await heard(store, "is it you?")


async def test_slack_over_http(sessions: Sessions, database_url: str, tmp_path: Path) -> None:
    page = section("slack.md", "### Over HTTP instead", "## What the app is granted")
    manifest = yaml.safe_load((DOCS / "slack-manifest-http.yaml").read_text())
    addresses = {
        manifest["settings"]["event_subscriptions"]["request_url"],
        manifest["settings"]["interactivity"]["request_url"],
        *(command["url"] for command in manifest["features"]["slash_commands"]),
    }
    (address,) = addresses
    assert address in page
    assert set(_NAMED.findall(page)) >= {"Bot token", "Signing secret", "App token"}
    assert {"Bot token", "Signing secret", "App token"} <= set(labels("slack").values())
    async with SlackPlatform() as slack:
        account = written(page, slack.bot_token, slack.signing_secret, API_URL=slack.url)
        async with (
            connected(account, sessions, database_url, tmp_path, "https://desk.example") as (
                channel,
                store,
            ),
            served(application(channel, store)) as local,
            httpx.AsyncClient(trust_env=False) as http,
        ):
            here = address.replace("https://desk.example", local)
            check = News(
                id="check",
                kind="events_api",
                payload={"type": "url_verification", "challenge": "are you there?"},
            )
            body, headers = slack.telling.signed(check)
            answer = await http.post(here, content=body, headers=headers)
            assert (answer.status_code, "are you there?" in answer.text) == (200, True)
            await shows_connected(store, account)
            slack.deliver_to(here)
            ana = slack.person("Ana")
            await slack.write(ana, "is it you?")
            await slack.command(ana, "and by command?")
            await heard(store, "is it you?")
            await heard(store, "and by command?")


async def test_telegram_by_polling(sessions: Sessions, database_url: str, tmp_path: Path) -> None:
    page = section("telegram.md", "## Set-up", "### In groups")
    async with TelegramPlatform(bot=123456789) as telegram:
        account = written(page, telegram.token, API_URL=telegram.url)
        assert account.id == "support"
        async with connected(account, sessions, database_url, tmp_path, "http://127.0.0.1") as (
            _,
            store,
        ):
            await shows_connected(store, account)
            await telegram.person("Ana").write("is it you?")
            await heard(store, "is it you?")


@pytest.mark.parametrize("way", ["environment", "console"])
async def test_telegram_by_webhook(
    sessions: Sessions, database_url: str, tmp_path: Path, way: str
) -> None:
    page = section("telegram.md", "### By webhook", "### Several desks")
    (path,) = set(re.findall(r"`(/channels/\S+)`", page))
    assert labels("telegram")["mode"] == "Mode"
    set_up = section("telegram.md", "## Set-up", "### In groups")
    async with TelegramPlatform(bot=123456789) as telegram:
        if way == "environment":
            account = written(set_up + page, telegram.token, API_URL=telegram.url)
        else:
            account = written(set_up, telegram.token, API_URL=telegram.url, MODE="webhook")
        app = FastAPI()
        async with (
            served(app) as local,
            connected(account, sessions, database_url, tmp_path, local) as (channel, store),
        ):
            problems.install(app)
            app.router.routes.extend(application(channel, store).router.routes)
            await shows_connected(store, account)
            assert telegram.updates.webhook["url"] == f"{local}{path}"
            assert telegram.updates.webhook["secret"]
            await telegram.person("Ana").write("is it you?")
            await heard(store, "is it you?")
