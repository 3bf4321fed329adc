"""Runs the channels that ask their platform for news: each account in one process of all."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time

from core.domain.account import AccountState, Health
from core.domain.backoff import Backoff, Pauses
from core.domain.errors import DeskError, StorageUnavailable
from core.domain.ids import AccountId
from core.ports import Channel, Inbox
from core.runtime.directory import Directory
from core.runtime.leases import LeaseLost, Leases, leases

_LOGGER = logging.getLogger(__name__)
_TRY_LEASE_SECONDS = 1.0
_BACKOFF = Backoff(first_seconds=1.0, longest_seconds=60.0)
_LEASES_BACKOFF = Backoff(first_seconds=1.0, longest_seconds=5.0)
_STEADY_SECONDS = 60.0
_ADMIN_REMEDY = "The desk tries again by itself; its log says more."


class Receivers:
    """Keeps `Channel.receive` running for every account that needs it and that is ours."""

    def __init__(self, url: str, directory: Directory, inbox: Inbox) -> None:
        """`url` leads to the database, past any pooler of connections: leases need a session."""
        self._url = url
        self._directory = directory
        self._inbox = inbox

    async def run(self) -> None:
        """Receive until cancelled."""
        pauses = Pauses(_LEASES_BACKOFF)
        while True:
            began = time.monotonic()
            try:
                async with leases(self._url) as held, asyncio.TaskGroup() as group:
                    # The end of either ends the other: no lease, no receiving.
                    group.create_task(held.hold(), name="leases")
                    group.create_task(self._follow(held), name="receivers")
            except* LeaseLost:
                _LOGGER.warning("the leases of accounts are lost; taking them again")
            await _pause(pauses, began)

    async def _follow(self, held: Leases) -> None:
        """Have a task for each channel that is to receive, and none for any other."""
        running: dict[AccountId, tuple[Channel, asyncio.Task[None]]] = {}
        async with asyncio.TaskGroup() as group:
            async for _ in self._directory.changes():
                wanted = {channel.account: channel for channel in self._directory.polling}
                for account, (channel, task) in list(running.items()):
                    if wanted.get(account) is not channel:
                        # The old one has ended and given its lease back before the new begins.
                        task.cancel()
                        await asyncio.wait([task])
                        del running[account]
                for account, channel in wanted.items():
                    if account not in running:
                        task = group.create_task(
                            self._keep(held, channel), name=f"receive {account}"
                        )
                        running[account] = channel, task

    async def _keep(self, held: Leases, channel: Channel) -> None:
        """Wait until the account is ours, then receive until cancelled."""
        pauses = Pauses(_BACKOFF)
        try:  # from the first attempt on: one that is cancelled may have succeeded
            while not await held.take(channel.account):  # noqa: ASYNC110 - another process has it
                await asyncio.sleep(_TRY_LEASE_SECONDS)
            _LOGGER.info("account %s: this process receives", channel.account)
            while True:
                began = time.monotonic()
                await self._receive(channel)
                await _pause(pauses, began)
        finally:
            with contextlib.suppress(LeaseLost):
                await held.give_back(channel.account)

    async def _receive(self, channel: Channel) -> None:
        try:
            await channel.receive(self._inbox)
            reason = "its connection ended"
        except StorageUnavailable as error:
            _LOGGER.warning("account %s: %s; trying again", channel.account, error)
            return  # nobody to report to either
        except DeskError as error:
            reason = str(error)
        except Exception as error:
            # A fault of one channel's code; the other accounts must not end with it.
            _LOGGER.exception("account %s: the channel failed", channel.account)
            reason = f"its channel failed ({type(error).__name__})"
        _LOGGER.warning("account %s: %s; trying again", channel.account, reason)
        with contextlib.suppress(StorageUnavailable):
            await self._inbox.report(
                channel.account,
                Health(state=AccountState.DEGRADED, reason=reason, remedy=_ADMIN_REMEDY),
            )


async def _pause(pauses: Pauses, began: float) -> None:
    """Wait before the next attempt; one that held for a while is followed by a short pause."""
    if time.monotonic() - began >= _STEADY_SECONDS:
        pauses.reset()
    await asyncio.sleep(pauses.next_seconds())
