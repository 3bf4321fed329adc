"""A mailbox at Google's or Microsoft's, as far as loopback goes: a real IMAP server that asks a
provider about tokens, and an SMTP server that takes them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import Any

import pytest

from channels.email.channel import EmailChannel
from channels.email.settings import EmailSettings
from channels.simulator.email import MailPlatform, Person, write
from core.domain.account import AccountState
from core.domain.ids import AccountId
from core.runtime.machine.polling import until
from tests.support.cuttable import CuttableProxy
from tests.support.dovecot import HOST, USER, Dovecot, running_dovecot
from tests.support.token_provider import CLIENT, REFRESH, SECRET, TokenProvider
from tests.unit.email.transport.builders import outbound
from tests.unit.email.transport.memory import MemoryInbox, context

ACCOUNT = AccountId("support")
PATIENCE_SECONDS = 20.0


@pytest.fixture
async def provider() -> AsyncIterator[TokenProvider]:
    async with TokenProvider.running(USER) as provider:
        yield provider


@pytest.fixture
async def dovecot(provider: TokenProvider) -> AsyncIterator[Dovecot]:
    with ExitStack() as stack:
        asks = f"{provider.url}/introspect?access_token="
        yield await asyncio.to_thread(stack.enter_context, running_dovecot(asks=asks))
        await asyncio.to_thread(stack.close)


@pytest.fixture
async def people(provider: TokenProvider) -> AsyncIterator[MailPlatform]:
    async with MailPlatform.running(USER) as platform:
        platform.server.takes_token = lambda user, token: user == USER and token in provider.good
        yield platform


@asynccontextmanager
async def receiving(inbox: MemoryInbox, **settings: Any) -> AsyncIterator[EmailChannel]:
    channel = EmailChannel(ACCOUNT, EmailSettings.model_validate(settings), context())
    task = asyncio.create_task(channel.receive(inbox))
    try:
        yield channel
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        await channel.close()


def account(dovecot: Dovecot, people: MailPlatform, provider: TokenProvider) -> dict[str, Any]:
    """Return what the set-up page says, with the addresses of loopback."""
    return {
        "address": USER,
        "imap_host": HOST,
        "imap_port": dovecot.imap_port,
        "imap_security": "none",
        "smtp_host": HOST,
        "smtp_port": people.smtp_port,
        "smtp_security": "none",
        "oauth_client_id": CLIENT,
        "oauth_refresh_token": REFRESH,
        "oauth_token_url": f"{provider.url}/token",
        "timeout_seconds": 5,
    }


def mail(text: str) -> bytes:
    ana = Person(address="ana@people.example")
    return write(ana, USER, text, message_id=f"<{text}@p>", at=datetime.now(UTC)).raw


async def _until(inbox: MemoryInbox, state: AccountState) -> None:
    async def reported() -> bool:
        return bool(inbox.health) and inbox.health[-1].state is state

    assert await until(reported, every=0.01, seconds=PATIENCE_SECONDS), inbox.health


async def _until_heard(inbox: MemoryInbox, *texts: str) -> None:
    async def heard() -> bool:
        return inbox.texts == list(texts)

    assert await until(heard, every=0.01, seconds=PATIENCE_SECONDS), (inbox.texts, inbox.health)


@pytest.mark.parametrize(
    ("more", "asked"),
    [
        (
            {"oauth_provider": "google", "oauth_client_secret": SECRET},
            {"client_secret": SECRET},
        ),
        (
            {"oauth_provider": "microsoft", "oauth_tenant": "example.org"},
            {
                "scope": "https://outlook.office.com/IMAP.AccessAsUser.All"
                " https://outlook.office.com/SMTP.Send offline_access"
            },
        ),
    ],
)
async def test_mail_comes_and_goes_with_access_tokens(
    dovecot: Dovecot,
    people: MailPlatform,
    provider: TokenProvider,
    more: dict[str, str],
    asked: dict[str, str],
) -> None:
    inbox = MemoryInbox()
    async with receiving(inbox, **account(dovecot, people, provider), **more) as channel:
        await _until(inbox, AccountState.CONNECTED)
        await asyncio.to_thread(dovecot.deliver, mail("hello"))
        await _until_heard(inbox, "hello")
        await channel.deliver(outbound("Good morning"))
    assert [taken.text for taken in people.received] == ["Good morning"]
    usual = {"grant_type": "refresh_token", "client_id": CLIENT, "refresh_token": REFRESH}
    assert provider.asked == [usual | asked]


async def test_a_token_that_ends_early_is_replaced_at_once(
    dovecot: Dovecot, people: MailPlatform, provider: TokenProvider
) -> None:
    inbox = MemoryInbox()
    settings = account(dovecot, people, provider) | {"oauth_provider": "google"}
    async with CuttableProxy.to(dovecot.imap_port) as proxy:
        settings["imap_port"] = proxy.port
        async with receiving(inbox, **settings) as channel:
            await _until(inbox, AccountState.CONNECTED)
            provider.good.clear()
            await channel.deliver(outbound("Good morning"))
            assert len(people.received) == 1
            provider.good.clear()
            proxy.cut()
            await asyncio.to_thread(dovecot.deliver, mail("hello"))
            await _until_heard(inbox, "hello")
    assert AccountState.BAD_CREDENTIALS not in {health.state for health in inbox.health}
    assert len(provider.given) == 3


async def test_a_refresh_token_that_was_withdrawn_is_said_with_its_remedy(
    dovecot: Dovecot, people: MailPlatform, provider: TokenProvider
) -> None:
    inbox = MemoryInbox()
    settings = account(dovecot, people, provider) | {
        "oauth_provider": "microsoft",
        "oauth_refresh_token": "withdrawn",
    }
    async with receiving(inbox, **settings):
        await _until(inbox, AccountState.BAD_CREDENTIALS)
    assert "invalid_grant" in inbox.health[-1].reason
    assert "new refresh token" in inbox.health[-1].remedy
