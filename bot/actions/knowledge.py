"""Knows how the desk is asked what it knows: articles that answer, items that can be asked for."""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Any, Literal, TypeVar
from urllib.parse import quote

import aiohttp

logger = logging.getLogger(__name__)

LIMIT = 4  # an answer and three more to offer
MAX_QUESTION = 500  # characters; the search embeds no more
BUDGET_SECONDS = 6.0  # for all attempts: the desk's web process restarts in less
_CATALOGUE_SECONDS = 2.0  # the same for the catalogue; the search that may follow waits longer
_ATTEMPT_SECONDS = 3.0
_LEAST_SECONDS = 0.1  # for an attempt begun late; aiohttp takes 0 for no limit
_PAUSES = (0.25, 0.5, 1.0, 2.0)  # seconds between attempts; the last is repeated
_AWAY_STATUSES = frozenset({502, 503, 504})

_MALFORMED = (ValueError, KeyError, TypeError)  # what reading an unexpected answer raises

_Read = TypeVar("_Read")

Outcome = Literal["answer", "offer", "hand_off"]
_OUTCOMES: dict[str, Outcome] = {"answer": "answer", "offer": "offer", "hand_off": "hand_off"}


class KnowledgeUnavailable(RuntimeError):
    """The desk could not be reached or did not answer properly."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What the search says: how sure it is, and the articles, best first."""

    outcome: Outcome
    articles: Sequence[dict[str, Any]]  # article_id, title, score

    @property
    def best(self) -> float:
        """The score of the best article; 0 where there is none."""
        return float(self.articles[0]["score"]) if self.articles else 0.0


class Knowledge:
    """The desk's knowledge and its catalogue, over one kept-alive session."""

    def __init__(
        self,
        *,
        url: str,
        token: str,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._url = f"{url.rstrip('/')}/api/v1"
        self._headers = {"Authorization": f"Bearer {token}"}
        self._clock = clock
        self._sleep = sleep
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

    async def search(
        self, question: str, *, language: str, conversation: str | None = None
    ) -> Found:
        """Return what the knowledge base has on `question`, for the requester of `conversation`.

        Without one, only what is for everybody.
        A desk that cannot be reached is asked again, for `BUDGET_SECONDS` in all.

        Raises:
            KnowledgeUnavailable: the desk stayed away, refused, or answered malformed.
        """
        params = {"q": question[:MAX_QUESTION], "lang": language, "limit": str(LIMIT)}
        if conversation is not None:
            params["conversation"] = conversation
        return await self._ask("/knowledge/search", params, _found, BUDGET_SECONDS)

    async def items(self, words: str = "") -> Sequence[Mapping[str, Any]]:
        """Return the items of the catalogue that `words` name, the surest first; all without words.

        Raises:
            KnowledgeUnavailable: the desk stayed away, refused, or answered malformed.
        """
        params = {"q": words[:MAX_QUESTION]} if words else {}
        return await self._ask("/catalogue", params, _items, _CATALOGUE_SECONDS)

    async def item(self, name: str) -> Mapping[str, Any]:
        """Return one item of the catalogue.

        Raises:
            KnowledgeUnavailable: there is none, or the desk stayed away or answered malformed.
        """
        address = f"/catalogue/{quote(name, safe='')}"
        return await self._ask(address, {}, _item, _CATALOGUE_SECONDS)

    async def _ask(
        self, address: str, params: Mapping[str, str], read: Callable[[Any], _Read], budget: float
    ) -> _Read:
        """Return what is at `address`, as `read` makes of it."""
        ends = self._clock() + budget
        pauses = _pauses()
        while True:
            seconds = max(min(_ATTEMPT_SECONDS, ends - self._clock()), _LEAST_SECONDS)
            try:
                return read(await self._get(address, params, seconds))
            except (aiohttp.ClientError, asyncio.TimeoutError, *_MALFORMED) as error:
                logger.warning("the desk's answer failed: %s", type(error).__name__)
                pause = next(pauses)
                if not _is_away(error) or self._clock() + pause >= ends:
                    raise KnowledgeUnavailable("the desk did not answer") from error
            await self._sleep(pause)

    async def _get(self, address: str, params: Mapping[str, str], seconds: float) -> Any:
        if self._session is None:  # here, not in the constructor: a session belongs to a loop
            self._session = aiohttp.ClientSession(headers=self._headers)
        timeout = aiohttp.ClientTimeout(total=seconds)
        url = f"{self._url}{address}"
        async with self._session.get(url, params=params, timeout=timeout) as response:
            response.raise_for_status()
            return await response.json()


def _pauses() -> Iterator[float]:
    yield from _PAUSES
    yield from repeat(_PAUSES[-1])


def _is_away(error: Exception) -> bool:
    """Whether `error` is what a restarting desk looks like, rather than an answer."""
    if isinstance(error, aiohttp.ClientResponseError):
        return error.status in _AWAY_STATUSES
    return isinstance(
        error, (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError, asyncio.TimeoutError)
    )


def _items(page: Any) -> Sequence[Mapping[str, Any]]:
    return [_item(row) for row in page["items"]]


def _item(row: Any) -> Mapping[str, Any]:
    """Return an item with what a form needs of it, whatever else the desk tells."""
    return {
        "id": str(row["id"]),
        "name": str(row["name"]),
        "names": dict(row["names"]),
        "archived": bool(row["archived"]),
        "fields": [
            {
                "id": str(field["id"]),
                "kind": str(field["kind"]),
                "label": str(field["label"]),
                "labels": dict(field["labels"]),
                "choices": [str(choice) for choice in field["choices"]],
                "choice_labels": {
                    str(code): [str(label) for label in labels]
                    for code, labels in dict(field["choice_labels"]).items()
                },
                "required": bool(field["required"]),
            }
            for field in row["fields"]
        ],
    }


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
