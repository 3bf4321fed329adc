"""How an account on Telegram is doing, and what an admin does about it."""

from __future__ import annotations

import logging

from channels.telegram.faults import TakenElsewhere
from core.domain.account import AccountState, Health
from core.domain.errors import BadCredentials, DeliveryError, StorageUnavailable
from core.domain.ids import AccountId
from core.ports import Inbox

_OTHER_POLLER = (
    "Stop the other program that uses this bot's token, or give the desk a token of its own:"
    " with @BotFather, /revoke makes a new one"
)
_OUTAGE = "The desk tries again by itself; check that it can reach the Bot API server"
_log = logging.getLogger(__name__)


class Reports:
    """Reports changes of state, each once."""

    def __init__(self, account: AccountId, inbox: Inbox) -> None:
        self._account = account
        self._inbox = inbox
        self._last: Health | None = None

    async def connecting(self) -> None:
        """Say that the account is being connected."""
        await self.tell(Health(state=AccountState.CONNECTING))

    async def connected(self) -> None:
        """Say that all is well."""
        await self.tell(Health(state=AccountState.CONNECTED))

    async def failed(self, error: DeliveryError) -> None:
        """Say what went wrong and what to do."""
        if isinstance(error, BadCredentials):
            await self.tell(
                Health(state=AccountState.BAD_CREDENTIALS, reason=str(error), remedy=error.remedy)
            )
        else:
            remedy = _OTHER_POLLER if isinstance(error, TakenElsewhere) else _OUTAGE
            await self.degraded(str(error), remedy)

    async def degraded(self, reason: str, remedy: str) -> None:
        """Say that the account works in part or not at all for the moment."""
        await self.tell(Health(state=AccountState.DEGRADED, reason=reason, remedy=remedy))

    async def tell(self, health: Health) -> None:
        """Report `health` if it is another than before."""
        if health == self._last:
            return
        _log.info("account %s: %s %s", self._account, health.state, health.reason)
        try:
            await self._inbox.report(self._account, health)
        except StorageUnavailable:
            return  # told again with the next change, or when the account is looked at again
        self._last = health
