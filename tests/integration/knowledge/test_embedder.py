"""The embeddings service speaks the OpenAI API, and its client says when it does not."""

from __future__ import annotations

import asyncio
import base64
import math
import sys
from array import array

import httpx
import psutil
import pytest

from core.adapters.embeddings import HttpEmbedder
from core.domain.errors import EmbedderUnavailable
from core.runtime.embedder import MODEL, create_app
from core.runtime.machine.polling import until


def cosine(one: list[float], other: list[float]) -> float:
    return sum(a * b for a, b in zip(one, other, strict=True))


async def test_vectors_have_length_one_and_near_meanings_are_near(embedder: HttpEmbedder) -> None:
    question = list(await embedder.embed_query("How do I change my password?"))
    near, far = await embedder.embed_passages(["Cambiar la contraseña", "Book a meeting room"])
    assert len(question) == embedder.dimensions
    assert math.isclose(cosine(question, question), 1, abs_tol=1e-6)
    assert cosine(question, list(near)) > cosine(question, list(far))


@pytest.mark.skipif(sys.platform != "linux", reason="files in memory are counted on Linux alone")
async def test_what_a_question_brought_into_memory_is_given_back_after_it(
    embedder: HttpEmbedder, embedder_url: str
) -> None:
    port = embedder_url.rpartition(":")[2]
    (process,) = [
        one for one in psutil.Process().children() if f", {port})" in " ".join(one.cmdline())
    ]
    after_it = 0

    def mapped() -> int:
        return int(process.memory_info().shared)  # bytes of files that are in its memory

    async def is_given_back() -> bool:
        return mapped() < after_it - 8_000_000

    # It may be gone before it is looked at: this process was held up, or memory is short.
    for number in range(6):
        await embedder.embed_query(f"How do I give back laptop {number}?")
        after_it = mapped()
        if await until(is_given_back, every=0.1, seconds=10.0):
            break
    else:
        pytest.fail(f"{after_it} bytes after the last question, {mapped()} now")
    assert len(await embedder.embed_query("And a telephone?")) == embedder.dimensions


async def test_both_encodings_are_the_same_numbers(embedder_url: str) -> None:
    async with httpx.AsyncClient(base_url=embedder_url) as client:
        body = {"input": ["one", "two"], "model": MODEL, "input_type": "passage"}
        plain = await client.post("/v1/embeddings", json=body)
        coded = await client.post("/v1/embeddings", json={**body, "encoding_format": "base64"})
    decoded = array("f", base64.b64decode(coded.json()["data"][1]["embedding"]))
    assert plain.json()["data"][1]["embedding"] == pytest.approx(decoded.tolist(), abs=1e-6)
    assert [entry["index"] for entry in plain.json()["data"]] == [0, 1]
    assert plain.json()["usage"]["total_tokens"] > 0


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[" * 100_000,
        b"\xff",
        b"[]",
        b"{}",
        b'{"input": []}',
        b'{"input": [1]}',
        b'{"input": "a", "input_type": 3}',
        b'{"input": "a", "input_type": []}',
        b'{"input": "a", "encoding_format": "hex"}',
        b'{"input": "' + b"x" * 5_000_000 + b'"}',
    ],
)
async def test_a_bad_request_is_told_so(embedder_url: str, body: bytes) -> None:
    async with httpx.AsyncClient(base_url=embedder_url) as client:
        answer = await client.post("/v1/embeddings", content=body)
        assert answer.status_code == 400
        assert answer.json()["error"]["message"]
        assert (await client.get("/health")).status_code == 200


@pytest.mark.parametrize("text", ["", "\0", "\ud800", "x" * 500_000, "🙂" * 50_000, "a " * 50_000])
async def test_any_text_has_a_vector(embedder: HttpEmbedder, text: str) -> None:
    assert len(await embedder.embed_query(text)) == embedder.dimensions
    (passage,) = await embedder.embed_passages([text])
    assert len(passage) == embedder.dimensions


async def test_a_question_overtakes_waiting_passages(embedder: HttpEmbedder) -> None:
    passages = asyncio.create_task(
        embedder.embed_passages([f"Passage {number} " * 20 for number in range(12)])
    )
    await embedder.embed_query("warm the connection")
    await embedder.embed_query("Who is first?")
    assert not passages.done()
    await passages


async def test_the_same_question_is_asked_of_the_service_once() -> None:
    asked = 0

    async def service(request: httpx.Request) -> httpx.Response:
        nonlocal asked
        asked += 1
        return httpx.Response(200, json={"data": [{"index": 0, "embedding": [3.0, 4.0]}]})

    embedder = HttpEmbedder(
        "http://embeddings", "m", dimensions=2, transport=httpx.MockTransport(service)
    )
    both = await asyncio.gather(embedder.embed_query("why?"), embedder.embed_query("why?"))
    assert both[0] == both[1] == pytest.approx([0.6, 0.8])
    await embedder.embed_query("why?")
    assert asked == 1
    await embedder.close()


async def test_a_service_that_refuses_unknown_fields_is_asked_without_them() -> None:
    async def service(request: httpx.Request) -> httpx.Response:
        if b"input_type" in request.content:
            return httpx.Response(400, json={"error": {"message": "unknown input_type"}})
        return httpx.Response(200, json={"data": [{"index": 0, "embedding": [1.0, 0.0]}]})

    embedder = HttpEmbedder(
        "http://embeddings/v1", "m", dimensions=2, transport=httpx.MockTransport(service)
    )
    assert await embedder.embed_query("why?") == [1.0, 0.0]
    await embedder.close()


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(500),
        httpx.Response(200, text="not JSON"),
        httpx.Response(200, json=[]),
        httpx.Response(200, json={"data": []}),
        httpx.Response(200, json={"data": [{"index": 0, "embedding": [1.0]}]}),
        httpx.Response(200, json={"data": [{"index": 0, "embedding": [0.0, 0.0]}]}),
        httpx.Response(200, json={"data": [{"index": 0, "embedding": ["x", "y"]}]}),
        httpx.Response(200, json={"data": [{"index": 0, "embedding": "!"}]}),
    ],
)
async def test_a_bad_answer_is_as_good_as_none(answer: httpx.Response) -> None:
    embedder = HttpEmbedder(
        "http://embeddings", "m", dimensions=2, transport=httpx.MockTransport(lambda _: answer)
    )
    with pytest.raises(EmbedderUnavailable):
        await embedder.embed_query("why?")
    await embedder.close()


async def test_a_service_that_is_away_is_left_alone_for_a_moment() -> None:
    tried = 0

    def refuse(request: httpx.Request) -> httpx.Response:
        nonlocal tried
        tried += 1
        raise httpx.ConnectError("refused", request=request)

    embedder = HttpEmbedder("http://embeddings", "m", transport=httpx.MockTransport(refuse))
    for _ in range(3):
        with pytest.raises(EmbedderUnavailable):
            await embedder.embed_query("why?")
    assert tried == 1
    await embedder.close()


async def test_a_text_that_the_model_fails_on_holds_up_no_other() -> None:
    class Failing:
        def embed(self, text: str, *, is_query: bool) -> tuple[array[float], int]:
            if text == "fail":
                raise FileNotFoundError(text)
            return array("f", [1.0 if is_query else -1.0]), 1

    app = create_app({"failing": Failing()})
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://desk") as client,
    ):
        for text, status in (("fail", 500), ("go on", 200), ("fail", 500), ("go on", 200)):
            answer = await client.post("/v1/embeddings", json={"input": text})
            assert answer.status_code == status
        assert answer.json()["model"] == "failing"
