"""How accounts' secrets are kept: encrypted, each for its own account, by the desk's key."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from typing import TYPE_CHECKING

from core.domain.errors import DeskError
from core.domain.ids import AccountId

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

# cryptography is imported where it is used: a desk without accounts does without its memory.

_NONCE_BYTES = 12
_KEY_BYTES = 32


class SecretsUnreadable(DeskError):
    """The secrets were kept under another key, for another account, or were tampered with."""


def derived_key(key: bytes, purpose: str, account: AccountId) -> bytes:
    """Return a key that follows from the desk's, for one purpose and one account (RFC 5869)."""
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    context = f"ventanilla {purpose}\n{account}".encode()
    return HKDF(algorithm=SHA256(), length=_KEY_BYTES, salt=None, info=context).derive(key)


def seal(key: bytes, account: AccountId, values: Mapping[str, str]) -> bytes:
    """Return `values` so that only `unseal` with the same key and account can read them."""
    nonce = secrets.token_bytes(_NONCE_BYTES)
    plain = json.dumps(dict(values)).encode()
    return nonce + _cipher(key, account).encrypt(nonce, plain, account.encode())


def unseal(key: bytes, account: AccountId, sealed: bytes | None) -> dict[str, str]:
    """Return what `seal` was given; nothing for None.

    Raises:
        SecretsUnreadable: see there.
    """
    if sealed is None:
        return {}
    from cryptography.exceptions import InvalidTag

    nonce, encrypted = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
    try:
        plain = _cipher(key, account).decrypt(nonce, encrypted, account.encode())
    except (InvalidTag, ValueError) as error:
        raise SecretsUnreadable("its secrets were kept under another key") from error
    found: dict[str, str] = json.loads(plain)
    return found


def _cipher(key: bytes, account: AccountId) -> AESGCM:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    return AESGCM(derived_key(key, "account secrets", account))
