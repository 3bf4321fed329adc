"""The accounts that admins connect: added, changed, paused and removed while the desk runs."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel
from sqlalchemy import delete, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.account import ACCOUNT_NAME, REHEARSAL_PREFIX, AccountState, Origin
from core.domain.audited import Deed
from core.domain.errors import Conflict, InvalidInput, NotFound
from core.domain.ids import AccountId
from core.ports import ChannelKind
from core.services import audit
from core.services.accounts.fields import (
    InvalidSettings,
    SettingField,
    fields_of,
    open_values,
    read_settings,
    secret_names,
    secret_values,
    validated,
)
from core.services.accounts.secrets import SecretsUnreadable, seal, unseal
from core.storage.engine import Sessions, storage_errors
from core.storage.queries.accounts.accounts import (
    AccountView,
    StoredAccount,
    list_accounts,
)
from core.storage.tables import (
    Account,
    ChannelCursor,
    EarlyEvent,
    InboundEvent,
    PayloadAside,
    RemoteMessage,
)
from core.storage.tables.intake import account_revision

RESERVED_NAMES = frozenset({"webchat", "programs", "in_person"})


class AnothersCredentials(InvalidSettings):
    """The settings speak for another bot or user than the account's.

    What the account has stored is told apart by names that are its own bot's alone.
    """

    def __init__(self) -> None:
        super().__init__([("", "these credentials are another bot's: connect an account for it")])


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclaredAccount:
    """An account whose settings are in the environment; its secrets stay there."""

    id: AccountId
    kind: str
    settings: BaseModel


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountForm:
    """What an admin can change of an account, with what it holds now."""

    kind: str
    fields: tuple[SettingField, ...]
    values: Mapping[str, Any]  # no secrets
    kept: frozenset[str]  # names of secrets that the desk holds
    called_at: str | None = None  # as `ChannelKind.called_at`


class AccountBook:
    """Keeps accounts in the database; every process takes them up within a second or two."""

    def __init__(
        self,
        sessions: Sessions,
        kinds: Mapping[str, ChannelKind],
        key: bytes,
        declared: Collection[AccountId] = (),
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._sessions = sessions
        self._kinds = kinds
        self._key = key
        self._declared = declared
        self._now = now

    @property
    def kinds(self) -> Sequence[str]:
        """Return the names of the kinds of account there can be."""
        return list(self._kinds)

    async def list(self) -> Sequence[AccountView]:
        """Return the accounts of platforms, by name."""
        async with storage_errors(), self._sessions() as session:
            found = await list_accounts(session)
        return [account for account in found if account.id not in RESERVED_NAMES]

    def blank(self, kind: str) -> AccountForm:
        """Return the form of a new account.

        Raises:
            NotFound: there is no such kind.
        """
        return self._form(kind, {}, frozenset())

    async def form(self, account: AccountId) -> AccountForm:
        """Return what can be changed of an account.

        Raises:
            NotFound: there is no such account.
            Conflict: its settings are in the environment.
        """
        async with storage_errors(), self._sessions() as session:
            row = await _changeable(session, account)
        try:
            kept = unseal(self._key, account, row.secrets)
        except SecretsUnreadable:
            kept = {}
        return self._form(row.channel, row.settings, frozenset(kept))

    async def add(
        self,
        name: str,
        kind: str,
        texts: Mapping[str, str],
        *,
        origin: Origin = Origin.CONSOLE,
    ) -> AccountId:
        """Connect an account with the settings that `texts` say.

        Raises:
            NotFound: there is no such kind.
            InvalidInput: the name or a setting is wrong (`InvalidSettings`).
            Conflict: there is an account of this name, or only a rehearsal's may have it.
        """
        if not ACCOUNT_NAME.fullmatch(name):
            raise InvalidInput("an account's name is 1 to 40 small letters, digits and hyphens")
        if name.startswith(REHEARSAL_PREFIX) and origin is not Origin.REHEARSAL:
            raise Conflict("this name is for rehearsals, and what has it is erased: take another")
        account = AccountId(name)
        settings = read_settings(self._kind(kind).settings, texts)
        identity = self._kind(kind).identity(settings)
        async with storage_errors(), self._sessions.begin() as session:
            made = await session.scalar(
                upsert(Account)
                .values(
                    id=account,
                    channel=kind,
                    origin=origin,
                    settings=open_values(settings),
                    secrets=self._sealed(account, settings),
                    identity=identity,
                )
                .on_conflict_do_nothing()
                .returning(Account.id)
            )
            if made is None or account in RESERVED_NAMES:
                raise Conflict("there is an account of this name already")
            if origin is not Origin.REHEARSAL:
                subject = ("account", account, str(account))
                audit.record(session, None, "account.added", subject, new={"kind": kind})
        return account

    async def change(
        self, account: AccountId, texts: Mapping[str, str], *, forget: Collection[str] = ()
    ) -> None:
        """Give an account other settings; an empty secret stays as it is unless in `forget`.

        Raises:
            NotFound: there is no such account.
            Conflict: its settings are in the environment.
            InvalidSettings: see there; also where they speak for somebody else on the platform.
        """
        async with storage_errors(), self._sessions.begin() as session:
            row = await _changeable(session, account, lock=True)
            kind = self._kind(row.channel)
            model = kind.settings
            try:
                held = unseal(self._key, account, row.secrets)
            except SecretsUnreadable:
                held = {}  # what is needed has to be entered again
            kept = {
                name: value
                for name, value in held.items()
                if name in secret_names(model) and name not in forget
            }
            settings = read_settings(model, texts, kept)
            identity = kind.identity(settings)
            known = self._identity_of(row)
            if known is not None and identity is not None and known != identity:
                raise AnothersCredentials
            audit.record(
                session,
                None,
                "account.changed",
                ("account", account, str(account)),
                old=row.settings | dict.fromkeys(held, "set"),
                new=open_values(settings)
                | {
                    name: "changed" if texts.get(name, "").strip() else "set"
                    for name in secret_values(settings)
                },
            )
            row.identity = identity
            row.settings = open_values(settings)
            row.secrets = self._sealed(account, settings)
            self._begin_afresh(row)

    async def set_enabled(self, account: AccountId, *, enabled: bool) -> None:
        """Pause an account or let it go on; what is to be sent waits meanwhile.

        Raises:
            NotFound: there is no such account.
        """
        async with storage_errors(), self._sessions.begin() as session:
            row = await _found(session, account, lock=True)
            if row.is_enabled != enabled:
                row.is_enabled = enabled
                action: Deed = "account.resumed" if enabled else "account.paused"
                audit.record(session, None, action, ("account", account, str(account)))
                self._begin_afresh(row)

    async def remove(self, account: AccountId) -> None:
        """Disconnect an account; its conversations stay.

        Raises:
            NotFound: there is no such account.
            Conflict: the environment says that it is there.
        """
        if account in self._declared:
            raise Conflict("this account is set in the environment; change it there")
        async with storage_errors(), self._sessions.begin() as session:
            row = await _found(session, account, lock=True)
            await session.delete(row)
            if row.origin != Origin.REHEARSAL:
                audit.record(session, None, "account.removed", ("account", account, str(account)))
            # Another account may take the name: it must not go on where this one had read to, nor
            # take its own first messages for redeliveries of this one's. The keys lead to the
            # payloads as they came, so they stay, under a name that no account can have.
            for table in (ChannelCursor, EarlyEvent, PayloadAside):
                await session.execute(delete(table).where(table.account_id == account))
            await _put_aside(session, InboundEvent, row)
            if self._identity_of(row) is not None:  # the names of messages are its own, too
                await _put_aside(session, RemoteMessage, row)

    def settings_of(self, stored: StoredAccount) -> BaseModel:
        """Return the settings of an account, with its secrets.

        Raises:
            NotFound: there is no such kind in this release.
            SecretsUnreadable: the desk's key is another now.
            InvalidSettings: this release does not take them.
        """
        secrets = unseal(self._key, stored.id, stored.secrets)
        return validated(self._kind(stored.kind).settings, {**stored.settings, **secrets})

    def _form(self, name: str, values: Mapping[str, Any], kept: frozenset[str]) -> AccountForm:
        kind = self._kind(name)
        return AccountForm(
            kind=name,
            fields=fields_of(kind.settings),
            values=values,
            kept=kept,
            called_at=kind.called_at,
        )

    def _kind(self, name: str) -> ChannelKind:
        if name not in self._kinds:
            raise NotFound(f"there is no kind of channel called {name}")
        return self._kinds[name]

    def _sealed(self, account: AccountId, settings: BaseModel) -> bytes | None:
        values = secret_values(settings)
        return seal(self._key, account, values) if values else None

    def _identity_of(self, row: Account) -> str | None:
        """Return whom an account speaks for; of one from before that was kept, its settings tell.

        None also where this release, or the key of the desk, does not read them.
        """
        if row.identity is not None or row.channel not in self._kinds:
            return row.identity
        kind = self._kinds[row.channel]
        try:
            held = unseal(self._key, AccountId(row.id), row.secrets)
            return kind.identity(validated(kind.settings, {**row.settings, **held}))
        except (SecretsUnreadable, InvalidSettings):
            return None

    def _begin_afresh(self, row: Account) -> None:
        """Have every process open the account again, and wait for nothing said of it before."""
        row.revision = account_revision.next_value()
        row.health, row.health_reason, row.health_remedy = AccountState.CONNECTING, "", ""
        row.health_at = self._now()
        row.paused_until = row.pause_reason = None


async def _put_aside(
    session: AsyncSession, names: type[InboundEvent] | type[RemoteMessage], row: Account
) -> None:
    await session.execute(
        update(names)
        .where(names.account_id == row.id)
        .values(account_id=f"{row.id}#{row.revision}")
    )


async def _found(session: AsyncSession, account: AccountId, *, lock: bool = False) -> Account:
    row = await session.get(Account, account, with_for_update=lock)
    if row is None or account in RESERVED_NAMES:
        raise NotFound("there is no such account")
    return row


async def _changeable(session: AsyncSession, account: AccountId, *, lock: bool = False) -> Account:
    row = await _found(session, account, lock=lock)
    if row.origin == Origin.SETTINGS:
        raise Conflict("this account is set in the environment; change it there")
    return row
