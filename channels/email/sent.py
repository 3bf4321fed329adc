"""Puts copies of sent mail into a folder of the mailbox, after the fact and beside the work."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Callable
from contextlib import suppress

from channels.email.imap import ImapConnection, ImapFailed
from channels.email.imap_sign_in import signed_in
from channels.email.oauth import AccessTokens
from channels.email.render import Letter
from channels.email.settings import EmailSettings
from core.domain.errors import BadCredentials, Unavailable
from core.domain.ids import AccountId

log = logging.getLogger(__name__)

_MOST_WAITING = 50
_AT_CLOSE_SECONDS = 5.0
_SEEN = "\\Seen"


class SentCopies:
    """The folder of one account; a copy that fails is logged, and nothing else comes of it."""

    def __init__(
        self,
        account: AccountId,
        settings: EmailSettings,
        access: AccessTokens,
        tls: Callable[[], ssl.SSLContext],
    ) -> None:
        self._account = account
        self._settings = settings
        self._access = access
        self._tls = tls
        self._waiting: list[Letter] = []
        self._copying: asyncio.Task[None] | None = None

    def keep(self, letter: Letter) -> None:
        """Have a copy of `letter` made, if the account wants copies; returns at once."""
        if not self._settings.sent_folder:
            return
        if len(self._waiting) >= _MOST_WAITING:
            self._failed(letter, "too many wait")
            return
        self._waiting.append(letter)
        if self._copying is None or self._copying.done():
            self._copying = asyncio.create_task(self._copy())

    async def close(self) -> None:
        """Let the copies that wait be made, for a moment."""
        if self._copying is not None:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._copying, _AT_CLOSE_SECONDS)

    async def _copy(self) -> None:
        # Again after the goodbye: more may wait by then, and whoever added it saw a task running.
        while self._waiting:
            await self._copy_over_one_connection()

    async def _copy_over_one_connection(self) -> None:
        """Copy what waits, until it is done or the connection fails."""
        imap: ImapConnection | None = None
        letter = self._waiting[0]
        try:
            imap = await signed_in(self._settings, self._access, self._tls)
            while self._waiting:
                letter = self._waiting[0]
                await imap.append(self._settings.sent_folder, letter.content, _SEEN)
                self._waiting.remove(letter)
            await imap.sign_out()
        except (ImapFailed, BadCredentials, Unavailable) as error:
            if letter in self._waiting:
                self._waiting.remove(letter)
                self._failed(letter, str(error))
        finally:
            if imap is not None:
                imap.abort()

    def _failed(self, letter: Letter, reason: str) -> None:
        log.warning(
            "account %s: no copy of %s in the folder of sent mail: %s",
            self._account,
            letter.message_id,
            reason,
        )
