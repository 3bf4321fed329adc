"""Which accounts are connected at this moment: a live view of the environment and the database."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from types import MappingProxyType
from typing import NoReturn, Protocol, runtime_checkable

from pydantic import BaseModel
from sqlalchemy import Text, case, func, literal
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.account import AccountState, Health, Origin
from core.domain.channel import Capabilities, Outbound, Receipt
from core.domain.errors import BadCredentials, DeskError, StorageUnavailable
from core.domain.ids import AccountId
from core.ports import Channel, ChannelContext, ChannelKind, Inbox, capabilities_of
from core.services.accounts.accounts import AccountBook, AnothersCredentials, DeclaredAccount
from core.services.accounts.secrets import SecretsUnreadable
from core.storage.engine import Sessions, storage_errors
from core.storage.queries.accounts.accounts import (
    AccountMark,
    StoredAccount,
    account_marks,
    stored_accounts,
    write_health,
)
from core.storage.tables import Account

_LOGGER = logging.getLogger(__name__)
_LOOK_SECONDS = 0.75  # processes learn of a change within two seconds
_STILL_IN_USE_SECONDS = 60.0
"""How long a replaced channel may still be sending before its connections are closed."""


@runtime_checkable
class Closes(Protocol):
    """A channel that holds connections."""

    async def close(self) -> None:
        """Close them; a send under way may fail."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """One account with its channel, as it is now."""

    kind: str
    channel: Channel
    is_enabled: bool = True
    is_broken: bool = False  # it cannot be opened; the channel says why to everything
    is_news: bool = (
        False  # other processes may not know it yet: nothing is let in until the next look
    )
    revision: int = 0  # 0: its settings do not change while the process lives


class BrokenChannel:
    """The channel of an account that cannot be opened: whatever is wanted of it waits.

    What else the account's kind can do is not known of it; lanes ask `refuse` first.
    """

    capabilities = Capabilities()

    def __init__(self, account: AccountId, health: Health) -> None:
        self.account = account
        self._health = health

    async def receive(self, inbox: Inbox) -> None:  # noqa: ARG002 - nothing can come
        """Return at once."""
        return

    async def deliver(self, message: Outbound) -> Receipt:  # noqa: ARG002 - none can be sent
        """Raise what has to be mended first."""
        self.refuse()

    def refuse(self) -> NoReturn:
        """Raise what has to be mended first."""
        raise BadCredentials(self._health.reason, self._health.remedy)


class Directory:
    """The connected accounts, kept up to date by `watch`.

    The channel of a paused account is there, so that what is written for it waits.
    """

    channels: Mapping[AccountId, Channel]  # live: accounts come and go
    capabilities: Mapping[AccountId, Capabilities]

    def __init__(
        self,
        sessions: Sessions,
        book: AccountBook,
        kinds: Mapping[str, ChannelKind],
        context: Callable[[AccountId], ChannelContext],
        *,
        fixed: Mapping[str, Channel],
        declared: Sequence[DeclaredAccount] = (),
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """`fixed` are channels that are always there, by kind."""
        self._sessions = sessions
        self._book = book
        self._kinds = kinds
        self._context = context
        self._declared = {account.id: account for account in declared}
        self._now = now
        self._connections: dict[AccountId, Connection] = {}
        self._channels: dict[AccountId, Channel] = {}
        self._capabilities: dict[AccountId, Capabilities] = {}
        self.channels = MappingProxyType(self._channels)
        self.capabilities = MappingProxyType(self._capabilities)
        self._changed: set[asyncio.Event] = set()
        self._retired: dict[asyncio.Task[None], Closes] = {}
        self._looking = asyncio.Lock()
        self.is_known = False  # what the database says has been read once
        for kind, channel in fixed.items():
            self._put(channel.account, Connection(kind=kind, channel=channel))

    def get(self, account: AccountId) -> Connection | None:
        """Return an account with its channel."""
        return self._connections.get(account)

    @property
    def polling(self) -> Sequence[Channel]:
        """Return the channels that have to ask their platform, of accounts that are not paused."""
        return [
            connection.channel
            for connection in self._connections.values()
            if connection.is_enabled
            and connection.channel.capabilities.polls
            and not connection.is_news
        ]

    async def refresh(self) -> None:
        """Look once at what is connected.

        Raises:
            StorageUnavailable: nothing has changed here.
        """
        async with self._looking:
            health: dict[AccountId, Health] = {}
            marks, stored = await self._look()
            opened = {row.id: self._open_stored(row, health) for row in stored}
            if not self.is_known:
                opened |= {
                    account.id: self._open_declared(account, marks[account.id], health)
                    for account in self._declared.values()
                }
            await self._tell(health)
            self._apply(marks, opened)
            self.is_known = True

    async def _look(self) -> tuple[Mapping[AccountId, AccountMark], Sequence[StoredAccount]]:
        """Return a mark for each account, and those that are not as they are known here."""
        try:
            async with storage_errors(), self._sessions() as session:
                if not self.is_known:
                    await self._enrol(session)
                marks = await account_marks(session)
                stale = [name for name, mark in marks.items() if self._is_stale(name, mark)]
                return marks, await stored_accounts(session, stale) if stale else ()
        except ProgrammingError as error:
            raise StorageUnavailable("the database's schema is not of this release") from error

    async def watch(self) -> None:
        """Follow the database until cancelled."""
        is_away = False
        while True:
            try:
                await self.refresh()
                is_away = False
            except StorageUnavailable as error:
                if not is_away:
                    _LOGGER.warning("accounts stay as they are known: %s", error)
                is_away = True
            await asyncio.sleep(_LOOK_SECONDS)

    async def changes(self) -> AsyncIterator[None]:
        """Yield at once, when the accounts become known, then after each change of them."""
        event = asyncio.Event()
        self._changed.add(event)
        try:
            while True:
                yield
                await event.wait()
                event.clear()
        finally:
            self._changed.discard(event)

    async def close(self) -> None:
        """Close every channel that holds connections."""
        retired = dict(self._retired)
        for task in retired:
            task.cancel()
        await asyncio.gather(*retired, return_exceptions=True)
        for channel in (*retired.values(), *self._channels.values()):
            if isinstance(channel, Closes):
                await channel.close()

    # -- what has changed ------------------------------------------------------------------------

    def _is_stale(self, account: AccountId, mark: AccountMark) -> bool:
        if mark.origin is Origin.SETTINGS or account in self._declared:
            return False
        known = self._connections.get(account)
        return known is None or (known.revision != mark.revision and known.revision != 0)

    def _apply(
        self, marks: Mapping[AccountId, AccountMark], opened: Mapping[AccountId, Connection]
    ) -> None:
        before = dict(self._connections)
        for account, connection in before.items():
            if connection.is_news:  # every process has looked since
                self._connections[account] = replace(connection, is_news=False)
        for account, connection in opened.items():
            is_news = self.is_known and account not in before
            self._put(account, replace(connection, is_news=is_news))
        for account, connection in list(self._connections.items()):
            mark = marks.get(account)
            if mark is None and connection.revision != 0:
                self._connections.pop(account)
                self._channels.pop(account)
                self._capabilities.pop(account)
            elif mark is not None and mark.is_enabled != connection.is_enabled:
                self._put(account, replace(connection, is_enabled=mark.is_enabled))
        for account, old in before.items():
            if self._channels.get(account) is not old.channel:
                self._retire(old.channel)
        if self._connections != before or not self.is_known:
            for event in self._changed:
                event.set()

    def _put(self, account: AccountId, connection: Connection) -> None:
        self._connections[account] = connection
        self._channels[account] = connection.channel
        self._capabilities[account] = capabilities_of(connection.channel)

    async def _enrol(self, session: AsyncSession) -> None:
        """Give each account that is not made in the console the row that processes share."""
        fixed = {name: connection.kind for name, connection in self._connections.items()}
        declared = {account.id: account.kind for account in self._declared.values()}
        for name, kind in (fixed | declared).items():
            values = {"channel": kind, "origin": Origin.SETTINGS}
            identity = literal(self._declared_identity(name), Text())
            await session.execute(
                upsert(Account)
                .values(id=name, identity=identity, **values)
                .on_conflict_do_update(
                    index_elements=["id"],
                    set_={
                        **values,
                        "identity": case(
                            (Account.channel != kind, identity),
                            else_=func.coalesce(Account.identity, identity),
                        ),
                    },
                    where=(Account.channel != kind)
                    | (Account.origin != Origin.SETTINGS)
                    | (Account.identity.is_(None) & identity.is_not(None)),
                )
            )
        await session.commit()

    # -- opening ---------------------------------------------------------------------------------

    def _open_stored(self, row: StoredAccount, health: dict[AccountId, Health]) -> Connection:
        return self._opened(
            row.id, row.kind, lambda: self._book.settings_of(row), health, row.revision
        )

    def _open_declared(
        self, account: DeclaredAccount, mark: AccountMark, health: dict[AccountId, Health]
    ) -> Connection:
        def settings() -> BaseModel:
            if mark.identity != self._declared_identity(account.id):
                raise AnothersCredentials
            return account.settings

        return self._opened(account.id, account.kind, settings, health)

    def _declared_identity(self, name: AccountId) -> str | None:
        """Return whom an account of the environment speaks for, where its settings tell."""
        account = self._declared.get(name)
        return None if account is None else self._kinds[account.kind].identity(account.settings)

    def _opened(
        self,
        account: AccountId,
        kind: str,
        settings: Callable[[], BaseModel],
        health: dict[AccountId, Health],
        revision: int = 0,
    ) -> Connection:
        try:
            found_settings = settings()  # first: says it in words where there is no such kind
            channel = self._kinds[kind].open(account, found_settings, self._context(account))
        except Exception as error:  # noqa: BLE001 - one account must not keep the others away
            health[account] = found = _why_broken(account, error)
            channel = BrokenChannel(account, found)
        return Connection(
            kind=kind,
            channel=channel,
            revision=revision,
            is_broken=isinstance(channel, BrokenChannel),
        )

    async def _tell(self, health: Mapping[AccountId, Health]) -> None:
        if health:
            async with storage_errors(), self._sessions.begin() as session:
                for account, found in health.items():
                    await write_health(session, account, found, self._now())

    # -- closing ---------------------------------------------------------------------------------

    def _retire(self, channel: Channel) -> None:
        if isinstance(channel, Closes):
            task = asyncio.create_task(_close_later(channel), name=f"close {channel.account}")
            self._retired[task] = channel
            task.add_done_callback(lambda done: self._retired.pop(done, None))


def _why_broken(account: AccountId, error: Exception) -> Health:
    match error:
        case SecretsUnreadable():
            return Health(
                state=AccountState.BAD_CREDENTIALS,
                reason="the desk's secret key is not the one its secrets were kept under",
                remedy="Enter the account's secrets again, or set DESK_SECRET_KEY back.",
            )
        case AnothersCredentials():
            return Health(
                state=AccountState.BAD_CREDENTIALS,
                reason=str(error),
                remedy="Give the account in these settings another name.",
            )
        case DeskError() | ValueError():
            reason = str(error) if isinstance(error, DeskError) else "its settings are not usable"
            return Health(
                state=AccountState.BAD_CREDENTIALS,
                reason=reason,
                remedy="Look through the account's settings and save them again.",
            )
        case _:
            _LOGGER.error("account %s could not be opened", account, exc_info=error)
            return Health(
                state=AccountState.DEGRADED,
                reason=f"it could not be opened ({type(error).__name__})",
                remedy="The log of the desk says more; it is tried again at the next start.",
            )


async def _close_later(channel: Closes) -> None:
    await asyncio.sleep(_STILL_IN_USE_SECONDS)
    await channel.close()
