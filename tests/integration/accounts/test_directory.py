"""Accounts come, change, pause and go in every process while it runs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import pytest
from pydantic import SecretStr

from core.domain.account import AccountState, Origin
from core.domain.channel import Outbound
from core.domain.content import Body
from core.domain.conversation import Speaker
from core.domain.errors import BadCredentials
from core.domain.ids import AccountId, ConversationId, MessageId, ThreadKey, new_id
from core.runtime.directory import BrokenChannel
from core.runtime.machine.polling import until
from core.services.accounts.accounts import DeclaredAccount
from tests.integration.accounts.conftest import Process
from tests.support import pager

DUTY = AccountId("duty")
Make = Callable[..., Process]


@asynccontextmanager
async def watching(desk: Process) -> AsyncIterator[None]:
    task = asyncio.create_task(desk.directory.watch())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def test_other_processes_learn_of_an_account_while_they_run(process: Make) -> None:
    console, worker = process(), process()
    capabilities = worker.directory.capabilities  # as the outbox holds it

    async def known() -> bool:
        return DUTY in capabilities

    async with watching(worker):
        await until_known(worker)
        await console.book.add("duty", "pager", {"token": "s3cret"})
        assert await until(known, every=0.02, seconds=20)
    assert worker.pager("duty").settings.token.get_secret_value() == "s3cret"


async def until_known(desk: Process) -> None:
    async def known() -> bool:
        return desk.directory.is_known

    assert await until(known, every=0.02, seconds=5)


async def test_a_new_account_lets_nothing_in_before_others_can_know_it(process: Make) -> None:
    desk = process()
    await desk.directory.refresh()
    await desk.book.add("duty", "pager", {"token": "x"})
    await desk.directory.refresh()
    assert DUTY in desk.directory.capabilities
    assert not desk.directory.polling
    await desk.directory.refresh()
    assert desk.directory.polling


async def test_a_changed_account_has_a_new_channel_and_the_old_one_is_closed(process: Make) -> None:
    desk = process()
    await desk.book.add("duty", "pager", {"token": "x"})
    await desk.look()
    old = desk.pager("duty")
    await desk.look()
    assert desk.pager("duty") is old
    await desk.book.change(DUTY, {"port": "27"})
    await desk.look()
    assert desk.pager("duty").settings.port == 27
    assert not old.is_closed  # something may still be on its way through it
    await desk.directory.close()
    assert old.is_closed


async def test_an_account_removed_and_made_again_is_another(process: Make) -> None:
    desk = process()
    await desk.book.add("duty", "pager", {"token": "x"})
    await desk.look()
    await desk.book.remove(DUTY)
    await desk.book.add("duty", "pager", {"token": "y"})
    await desk.look()
    assert desk.pager("duty").settings.token.get_secret_value() == "y"


async def test_a_removed_account_is_gone(process: Make) -> None:
    desk = process()
    await desk.book.add("duty", "pager", {"token": "x"})
    await desk.look()
    await desk.book.remove(DUTY)
    await desk.look()
    assert DUTY not in desk.directory.channels
    assert DUTY not in desk.directory.capabilities


async def test_a_paused_account_does_not_poll_and_keeps_its_messages(process: Make) -> None:
    desk = process()
    await desk.book.add("duty", "pager", {"token": "x"})
    await desk.look()
    assert [channel.account for channel in desk.directory.polling] == [DUTY]
    await desk.book.set_enabled(DUTY, enabled=False)
    await desk.look()
    assert not desk.directory.polling
    assert DUTY in desk.directory.capabilities


async def test_the_environment_declares_accounts_and_keeps_their_secrets(process: Make) -> None:
    settings = pager.PagerSettings(token=SecretStr("s3cret"))
    desk = process(DeclaredAccount(id=DUTY, kind="pager", settings=settings))
    await desk.look()
    view = await desk.view("duty")
    assert (view.origin, view.settings) == (Origin.SETTINGS, {})
    assert desk.pager("duty").settings is settings
    await desk.book.set_enabled(DUTY, enabled=False)
    await desk.look()
    assert not desk.directory.polling


async def test_under_another_key_an_account_asks_for_its_secrets_again(process: Make) -> None:
    await process().book.add("duty", "pager", {"token": "s3cret"})
    desk = process(key=b"another key")
    await desk.look()
    health = (await desk.view("duty")).health
    assert health.state is AccountState.BAD_CREDENTIALS
    assert "again" in health.remedy
    channel = desk.directory.channels[DUTY]
    assert isinstance(channel, BrokenChannel)
    assert (await desk.book.form(DUTY)).kept == frozenset()
    await desk.book.change(DUTY, {"token": "entered again"})
    await desk.look()
    assert desk.pager("duty").settings.token.get_secret_value() == "entered again"


async def test_what_is_to_be_sent_through_a_broken_account_waits(process: Make) -> None:
    await process().book.add("duty", "pager", {"token": "s3cret"})
    desk = process(key=b"another key")
    await desk.look()
    with pytest.raises(BadCredentials):
        await desk.directory.channels[DUTY].deliver(outbound())


def outbound() -> Outbound:
    return Outbound(
        message=MessageId(new_id()),
        account=DUTY,
        conversation=ConversationId(new_id()),
        thread=ThreadKey("t"),
        speaker=Speaker.AGENT,
        body=Body(text="hello"),
    )


async def test_an_account_of_the_environment_with_another_pagers_token_is_not_opened(
    process: Make,
) -> None:
    def declared(token: str) -> DeclaredAccount:
        settings = pager.PagerSettings(token=SecretStr(token))
        return DeclaredAccount(id=DUTY, kind="pager", settings=settings)

    await process(declared("7:old")).directory.refresh()
    renewed, other = process(declared("7:new")), process(declared("8:s3cret"))
    await renewed.directory.refresh()
    assert renewed.pager("duty").settings.token.get_secret_value() == "7:new"
    await other.directory.refresh()
    assert isinstance(other.directory.channels[DUTY], BrokenChannel)
    health = (await other.view("duty")).health
    assert health.state is AccountState.BAD_CREDENTIALS
    assert health.remedy == "Give the account in these settings another name."
