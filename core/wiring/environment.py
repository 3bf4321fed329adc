"""Accounts that the environment or `.env` declares: `DESK_<KIND>__<ACCOUNT>__<FIELD>`."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from core.domain.account import ACCOUNT_NAME
from core.domain.errors import InvalidInput
from core.domain.ids import AccountId
from core.ports import ChannelKind
from core.services.accounts.accounts import RESERVED_NAMES, DeclaredAccount
from core.services.accounts.fields import InvalidSettings, by_their_names, read_settings

_VARIABLE = re.compile(r"DESK_([A-Z0-9]+)__(.*)")
_FILE = "_file"  # the variable names a file that holds the value


def declared_accounts(
    variables: Mapping[str, str], kinds: Mapping[str, ChannelKind]
) -> Sequence[DeclaredAccount]:
    """Return the accounts that `variables` declare, by name.

    Raises:
        InvalidInput: a variable is wrong; the message names it, and no value.
    """
    texts: dict[tuple[str, AccountId], dict[str, tuple[str, str]]] = {}
    for name in sorted(variables):
        if (found := _VARIABLE.fullmatch(name)) is None:
            continue
        kind, account, field = _parts(name, found[1].lower(), found[2], kinds)
        texts.setdefault((kind, account), {})[field] = (name, variables[name])
    accounts: dict[AccountId, DeclaredAccount] = {}
    for (kind, account), fields in texts.items():
        if account in accounts or account in RESERVED_NAMES:
            (variable, _), *_ = fields.values()
            raise InvalidInput(f"{variable}: another account is called {account} already")
        accounts[account] = _account(kind, account, fields, kinds[kind])
    return list(accounts.values())


def _parts(
    name: str, kind: str, rest: str, kinds: Mapping[str, ChannelKind]
) -> tuple[str, AccountId, str]:
    """Return kind, account and field that a variable names."""
    if kind not in kinds:
        known = ", ".join(kinds)
        raise InvalidInput(f"{name}: there is no kind of channel called {kind} (there are {known})")
    account, separator, field = rest.lower().partition("__")
    account = account.replace("_", "-")
    if not (separator and field) or not ACCOUNT_NAME.fullmatch(account):
        raise InvalidInput(
            f"{name}: write DESK_{kind.upper()}__NAME__SETTING, the name of the account in at most "
            "40 letters, digits and single underscores"
        )
    return kind, AccountId(account), field


def _account(
    kind: str, account: AccountId, fields: Mapping[str, tuple[str, str]], known: ChannelKind
) -> DeclaredAccount:
    model = known.settings
    texts: dict[str, str] = {}
    named: dict[str, str] = {}  # the variable that gives each setting
    for field, (variable, text) in fields.items():
        setting, value = field, text
        if field not in model.model_fields and field.endswith(_FILE):
            setting, value = field.removesuffix(_FILE), _content(variable, text)
        if setting not in model.model_fields:
            raise InvalidInput(f"{variable}: {_no_such(setting, list(model.model_fields))}")
        if setting in texts:
            raise InvalidInput(f"{variable}: {named[setting]} says the same setting")
        texts[setting], named[setting] = value, variable
    try:
        settings = read_settings(model, texts)
    except InvalidSettings as error:
        prefix = f"DESK_{kind.upper()}__{account.upper().replace('-', '_')}__"
        said = [
            f"{named.get(name, prefix + (name.upper() or '*'))}: {by_their_names(words)}"
            for name, words in error.problems
        ]
        raise InvalidInput("; ".join(said)) from None
    return DeclaredAccount(id=account, kind=kind, settings=settings)


def _content(variable: str, path: str) -> str:
    try:
        return Path(path).read_text().strip()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise InvalidInput(f"{variable}: the file cannot be read: {reason}") from None


def _no_such(setting: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(setting, known, n=1)
    hint = f"did you mean {near[0].upper()}?" if near else "see docs/settings.md"
    return f"there is no such setting ({hint})"
