"""The part of an inbox that channels do not need which set no payload aside."""

from __future__ import annotations

from collections.abc import Sequence

from core.domain.ids import AccountId


class NothingAside:
    """Fails where a payload is set aside."""

    async def set_aside(self, account: AccountId, subject: str, key: str, raw: bytes) -> None:
        raise AssertionError(f"{key} was set aside")

    async def set_aside_of(self, account: AccountId, subject: str) -> Sequence[bytes]:
        raise AssertionError(f"somebody asked for what was set aside of {subject}")
