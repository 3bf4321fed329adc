"""Sentence vectors from a service that speaks the embeddings call of the OpenAI API."""

from __future__ import annotations

import asyncio
import base64
import binascii
import logging
import math
import time
from array import array
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

from core.adapters.http import client_of, httpx
from core.domain.errors import EmbedderUnavailable

_log = logging.getLogger(__name__)

_BATCH = 32  # passages in one request
_REMEMBERED = 1024  # questions whose vector is kept
_MAX_QUERY_CHARS = 2000
_PAUSE_SECONDS = 5.0  # after a failure, searches go by words alone for this long
_MISSING_SECONDS = 300.0  # a service that lacks the model is asked for it again after this


class HttpEmbedder:
    """An `Embedder` over HTTP; `url` is the service's address, with or without `/v1`.

    With `languages`, those that the model knows, it is a `SecondEncoder`: then the service has to
    say that it was this model which answered, for many take any name for the one that they have.
    """

    def __init__(
        self,
        url: str,
        model: str,
        *,
        dimensions: int = 384,
        languages: frozenset[str] = frozenset(),
        api_key: str | None = None,
        query_seconds: float = 2.0,
        passages_seconds: float = 60.0,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.model = model
        self.dimensions = dimensions
        self.languages = languages
        base = url.rstrip("/").removesuffix("/v1")
        self._client = client_of(
            base,
            headers={"Authorization": f"Bearer {api_key}"} if api_key else {},
            transport=transport,
        )
        self._query_seconds, self._passages_seconds = query_seconds, passages_seconds
        self._tells_kind = True
        self._vectors: OrderedDict[str, Sequence[float]] = OrderedDict()
        self._under_way: dict[str, asyncio.Task[Sequence[float]]] = {}
        self._paused_until = 0.0
        self._missing_until = 0.0
        self._is_away = False

    @property
    def is_missing(self) -> bool:
        """Say whether the service lacks the model, as it said lately."""
        return time.monotonic() < self._missing_until

    async def embed_query(self, text: str) -> Sequence[float]:
        """Return the unit vector of a question; the same question again is remembered."""
        text = text[:_MAX_QUERY_CHARS]
        known = self._vectors.get(text)
        if known is not None:
            self._vectors.move_to_end(text)
            return known
        if time.monotonic() < self._paused_until:
            raise EmbedderUnavailable("the embeddings service failed a moment ago")
        # Requesters who ask the same at once share one call; it outlives any one of them.
        task = self._under_way.get(text)
        if task is None:
            task = asyncio.create_task(self._query(text))
            self._under_way[text] = task
            task.add_done_callback(lambda done: self._settle(text, done))
        return await asyncio.shield(task)

    def _settle(self, text: str, task: asyncio.Task[Sequence[float]]) -> None:
        self._under_way.pop(text, None)
        if not task.cancelled():
            task.exception()  # whoever still waits gets it; with nobody left it is not a leak

    async def _query(self, text: str) -> Sequence[float]:
        (vector,) = await self._embed([text], "query", self._query_seconds)
        self._vectors[text] = vector
        while len(self._vectors) > _REMEMBERED:
            self._vectors.popitem(last=False)
        return vector

    async def embed_passages(self, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        """Return the unit vectors of passages, in order."""
        if self.languages and time.monotonic() < self._paused_until:
            raise EmbedderUnavailable(f"the embeddings service failed a moment ago ({self.model})")
        vectors: list[Sequence[float]] = []
        for start in range(0, len(texts), _BATCH):
            batch = texts[start : start + _BATCH]
            vectors += await self._embed(batch, "passage", self._passages_seconds)
        return vectors

    async def is_ready(self) -> bool:
        """Say whether the service answers now."""
        try:
            await self._embed(["ready?"], "query", self._query_seconds)
        except EmbedderUnavailable:
            return False
        return True

    async def close(self) -> None:
        """Let go of the connections."""
        await self._client.aclose()

    async def _embed(
        self, texts: Sequence[str], kind: str, seconds: float
    ) -> list[Sequence[float]]:
        try:
            response = await self._post(texts, kind, seconds)
            if response.status_code in {400, 422} and self._tells_kind:
                # OpenAI's own service refuses fields it does not know.
                self._tells_kind = False
                response = await self._post(texts, kind, seconds)
            if self.languages and response.status_code == 404:
                raise _ModelMissing("it does not have this model")
            response.raise_for_status()
            answer = response.json()
            vectors = _vectors(answer, len(texts), self.dimensions)
            if self.languages and answer.get("model") != self.model:
                raise _ModelMissing("another model answered")
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            self._paused_until = time.monotonic() + _PAUSE_SECONDS
            if isinstance(error, _ModelMissing):
                self._missing_until = self._paused_until = time.monotonic() + _MISSING_SECONDS
            if not self._is_away:
                self._is_away = True
                _log.warning("embeddings service failed: %s (%s)", type(error).__name__, self.model)
            reason = str(error) if isinstance(error, _BadAnswer) else type(error).__name__
            raise EmbedderUnavailable(f"the embeddings service failed: {reason}") from error
        if self._is_away:
            self._is_away = False
            _log.info("embeddings service is back (%s)", self.model)
        self._paused_until = 0.0
        return vectors

    async def _post(self, texts: Sequence[str], kind: str, seconds: float) -> httpx.Response:
        # Half a surrogate pair cannot be sent.
        clean = [text.encode("utf-8", "replace").decode() for text in texts]
        body = {"model": self.model, "input": clean, "encoding_format": "base64"}
        if self._tells_kind:
            body["input_type"] = kind
        return await self._client.post("/v1/embeddings", json=body, timeout=seconds)


class _BadAnswer(ValueError):
    """The service answered something that is not the vectors asked for."""


class _ModelMissing(_BadAnswer):
    """The service answered by another model than the one asked for, or not for lack of it."""


def _vectors(answer: Any, count: int, dimensions: int) -> list[Sequence[float]]:
    try:
        entries = sorted(answer["data"], key=lambda entry: int(entry["index"]))
        vectors = [_vector(entry["embedding"]) for entry in entries]
    except (KeyError, TypeError, binascii.Error) as error:
        raise _BadAnswer("its answer has an unknown form") from error
    if len(vectors) != count:
        raise _BadAnswer(f"{count} texts were sent and {len(vectors)} vectors came back")
    for vector in vectors:
        if len(vector) != dimensions:
            raise _BadAnswer(f"its vectors have {len(vector)} dimensions, not {dimensions}")
    return vectors


def _vector(embedding: Any) -> Sequence[float]:
    if isinstance(embedding, str):
        values = array("f")
        values.frombytes(base64.b64decode(embedding, validate=True))
    else:
        values = array("f", embedding)
    length = math.sqrt(sum(value * value for value in values))
    if not math.isfinite(length) or length == 0:
        raise _BadAnswer("a vector has no direction")
    return [value / length for value in values]
