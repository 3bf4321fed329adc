"""What is asked of the database once in a transaction, however many want to know."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable
from typing import TypeVar

from sqlalchemy.ext.asyncio import AsyncSession

Found = TypeVar("Found")


async def once(
    session: AsyncSession, name: Hashable, read: Callable[[], Awaitable[Found]]
) -> Found:
    """Return what `read` found when it was first wanted under `name` in the session.

    For what no transaction changes that reads it this way, in sessions of one transaction.
    """
    key = (once, name)
    if key not in session.info:
        session.info[key] = await read()
    found: Found = session.info[key]
    return found
