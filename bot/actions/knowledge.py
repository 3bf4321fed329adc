"""Knows how the desk's knowledge search is asked."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import aiohttp

logger = logging.getLogger(__name__)

LIMIT = 4  # an answer and three more to offer
MAX_QUESTION = 500  # characters; the search embeds no more
_TIMEOUT = aiohttp.ClientTimeout(total=3)
_ATTEMPTS = 2
_RETRY_SECONDS = 0.2

_MALFORMED = (ValueError, KeyError, TypeError)  # what reading an unexpected answer raises

Outcome = Literal["answer", "offer", "hand_off"]
_OUTCOMES: dict[str, Outcome] = {"answer": "answer", "offer": "offer", "hand_off": "hand_off"}


class KnowledgeUnavailable(RuntimeError):
    """The desk's search could not be reached or did not answer properly."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What the search says: how sure it is, and the articles, best first."""

    outcome: Outcome
    articles: Sequence[dict[str, Any]]  # article_id, title, score


class Knowledge:
    """The desk's knowledge search, over one kept-alive session."""

    def __init__(self, *, url: str, token: str) -> None:
        self._url = f"{url.rstrip('/')}/api/v1/knowledge/search"
        self._headers = {"Authorization": f"Bearer {token}"}
        self._session: aiohttp.ClientSession | None = None

    @classmethod
    def from_environment(cls) -> Knowledge:
        return cls(
            url=os.environ.get("DESK_URL", "http://127.0.0.1:8000"),
            token=os.environ.get("BOT_TOKEN", ""),
        )

    async def __aenter__(self) -> Knowledge:
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections; another search opens them again."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def search(self, question: str, *, language: str) -> Found:
        """Return what the knowledge base has on `question`.

        Raises:
            KnowledgeUnavailable: both attempts failed.
        """
        for attempt in range(_ATTEMPTS):
            if attempt:
                await asyncio.sleep(_RETRY_SECONDS)
            try:
                return _found(await self._ask(question[:MAX_QUESTION], language))
            except (aiohttp.ClientError, asyncio.TimeoutError, *_MALFORMED) as error:
                logger.warning("knowledge search failed: %s", type(error).__name__)
        raise KnowledgeUnavailable("the knowledge search failed twice")

    async def _ask(self, question: str, language: str) -> Any:
        if self._session is None:  # here, not in the constructor: a session belongs to a loop
            self._session = aiohttp.ClientSession(headers=self._headers, timeout=_TIMEOUT)
        params = {"q": question, "lang": language, "limit": str(LIMIT)}
        async with self._session.get(self._url, params=params) as response:
            response.raise_for_status()
            return await response.json()


def _found(rows: Any) -> Found:
    if not isinstance(rows, list):
        raise ValueError("the search did not return a list")
    articles = [
        {
            "article_id": str(row["article_id"]),
            "title": str(row["title"]),
            "score": float(row["score"]),
        }
        for row in rows[:LIMIT]
    ]
    return Found(outcome=_OUTCOMES[rows[0]["outcome"]] if rows else "hand_off", articles=articles)
