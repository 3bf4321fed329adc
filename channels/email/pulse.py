"""How the ways by which mail comes are doing, taken together, and when to try again."""

from __future__ import annotations

from contextlib import suppress

from core.domain.account import AccountState, Health
from core.domain.backoff import Backoff
from core.domain.errors import StorageUnavailable
from core.domain.ids import AccountId
from core.ports import Inbox

BACKOFF = Backoff(first_seconds=0.5, longest_seconds=120.0)
"""Between attempts of a way in that is broken."""

PROBE_SECONDS = 60.0
"""How often refused credentials are tried again: seldom enough not to lock the mailbox."""

STORAGE_PAUSE_SECONDS = 0.5
"""How long to wait for the desk's own database."""

_WORST_FIRST = (
    AccountState.BAD_CREDENTIALS,
    AccountState.DEGRADED,
    AccountState.CONNECTING,
    AccountState.CONNECTED,
)


class Pulse:
    """The health of an account: the worst of its ways in."""

    def __init__(self, account: AccountId, inbox: Inbox) -> None:
        self._account = account
        self._inbox = inbox
        self._ways: dict[str, Health] = {}

    async def tell(self, way: str, health: Health) -> None:
        """Note how one way in, such as a folder, is doing, and let admins see the whole."""
        self._ways[way] = health
        worst = min(self._ways.values(), key=lambda known: _WORST_FIRST.index(known.state))
        with suppress(StorageUnavailable):  # then the desk has worse to show
            await self._inbox.report(self._account, worst)
