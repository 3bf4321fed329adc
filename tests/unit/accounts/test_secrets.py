"""Secrets of accounts can be read with the desk's key, for their own account, and not otherwise."""

from __future__ import annotations

import pytest

from core.domain.ids import AccountId
from core.services.accounts.secrets import SecretsUnreadable, derived_key, seal, unseal

ONE, OTHER = AccountId("one"), AccountId("other")


def test_what_was_sealed_comes_back() -> None:
    assert unseal(b"key", ONE, seal(b"key", ONE, {"token": "s3crét"})) == {"token": "s3crét"}


def test_nothing_of_a_secret_is_in_what_is_kept() -> None:
    sealed = seal(b"key", ONE, {"token": "s3cret"})
    assert b"s3cret" not in sealed
    assert b"token" not in sealed


@pytest.mark.parametrize(("key", "account"), [(b"another", ONE), (b"key", OTHER)])
def test_another_key_or_account_reads_nothing(key: bytes, account: AccountId) -> None:
    with pytest.raises(SecretsUnreadable):
        unseal(key, account, seal(b"key", ONE, {"token": "s3cret"}))


@pytest.mark.parametrize("damaged", [b"", b"short", bytes(64)])
def test_damaged_secrets_are_refused(damaged: bytes) -> None:
    with pytest.raises(SecretsUnreadable):
        unseal(b"key", ONE, damaged)


def test_each_account_and_purpose_has_a_key_of_its_own() -> None:
    keys = {
        derived_key(b"key", purpose, account)
        for purpose in ("channel", "account secrets")
        for account in (ONE, OTHER)
    }
    assert len(keys) == 4
