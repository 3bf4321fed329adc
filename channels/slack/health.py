"""How an account is doing: its token and, in Socket Mode, its connection, as one state."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass

from channels.slack.errors import SETTINGS_PAGE
from channels.slack.web_api import WebApi
from core.domain.account import AccountState, Health
from core.domain.errors import BadCredentials, DeliveryError, StorageUnavailable
from core.domain.ids import AccountId
from core.ports import Inbox

_WELL_SECONDS = 300.0
_ILL_SECONDS = 60.0
_RETRY_SECONDS = 5.0
_LOGGER = logging.getLogger(__name__)

_CONNECTING = Health(state=AccountState.CONNECTING)
_CONNECTED = Health(state=AccountState.CONNECTED)
_GRAVITY = (
    AccountState.CONNECTED,
    AccountState.CONNECTING,
    AccountState.DEGRADED,
    AccountState.BAD_CREDENTIALS,
)


@dataclass(slots=True)
class Vitals:
    """What is known of one account; the worse part is what admins see."""

    account: AccountId
    inbox: Inbox
    _token: Health = _CONNECTING
    _socket: Health = _CONNECTED

    async def begin(self, *, uses_socket: bool) -> None:
        """Report that the account is connecting."""
        if uses_socket:
            self._socket = _CONNECTING
        await self._report()

    async def token_is_refused(self, error: BadCredentials) -> None:
        """Slack told that it takes the bot token no more."""
        self._token = Health(
            state=AccountState.BAD_CREDENTIALS, reason=str(error), remedy=error.remedy
        )
        await self._report()

    async def socket_works(self) -> None:
        """A connection is open."""
        self._socket = _CONNECTED
        await self._report()

    async def socket_fails(self, reason: str) -> None:
        """No connection could be had; it is tried again."""
        self._socket = Health(state=AccountState.DEGRADED, reason=reason)
        await self._report()

    async def socket_is_refused(self, reason: str) -> None:
        """Slack does not take the app-level token."""
        self._socket = Health(
            state=AccountState.BAD_CREDENTIALS,
            reason=f"no socket: {reason}",
            remedy=f"switch Socket Mode on at {SETTINGS_PAGE} and enter an app-level token with "
            "the scope connections:write (Basic Information, App-Level Tokens)",
        )
        await self._report()

    async def watch_token(self, api: WebApi) -> None:
        """Ask Slack now and then whether the bot token is good, until cancelled."""
        while True:
            api.forget_identity()
            try:
                await api.identity()
                self._token, pause = _CONNECTED, _WELL_SECONDS
            except BadCredentials as error:
                await self.token_is_refused(error)
                pause = _ILL_SECONDS
            except DeliveryError as error:
                self._token = Health(state=AccountState.DEGRADED, reason=str(error))
                pause = _RETRY_SECONDS
            await self._report()
            await asyncio.sleep(pause)

    async def _report(self) -> None:
        worse = max(self._token, self._socket, key=lambda health: _GRAVITY.index(health.state))
        try:
            await self.inbox.report(self.account, worse)
        except StorageUnavailable:
            _LOGGER.info("account %s: %s, not noted", self.account, worse.state)
