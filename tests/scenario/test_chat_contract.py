"""The web chat's HTTP interface to the letter, on a desk of real processes."""

from __future__ import annotations

import json
from uuid import uuid4

import httpx
import pytest

from tests.support.visitor import Visitor


def is_problem(response: httpx.Response) -> bool:
    """Return whether `response` refuses the request with a problem document."""
    document = response.json()
    return (
        400 <= response.status_code < 500
        and response.headers["content-type"] == "application/problem+json"
        and document["status"] == response.status_code
        and bool(document["title"])
        and isinstance(document["detail"], str)
    )


async def test_the_same_id_again_is_the_same_message(visitor: Visitor) -> None:
    name = uuid4()
    first = await visitor.post("Only once, please", name)
    assert (first.status_code, first.json()["id"]) == (202, str(name))
    for _ in range(3):
        again = await visitor.post("Only once, please", name)
        assert (again.status_code, again.json()) == (200, first.json())
    said = [m for m in await visitor.messages() if m["from"] == "customer"]
    assert [message["text"] for message in said] == ["Only once, please"]


async def test_an_id_replayed_with_other_words_is_refused(visitor: Visitor) -> None:
    name = uuid4()
    await visitor.post("The first words", name)
    response = await visitor.post("Other words", name)
    assert response.status_code == 409
    assert is_problem(response)


async def test_ids_of_one_session_say_nothing_about_another(
    visitor: Visitor, visitante: Visitor
) -> None:
    name = uuid4()
    assert (await visitor.post("Mine", name)).status_code == 202
    assert (await visitante.post("Mío", name)).status_code == 202


@pytest.mark.parametrize(
    "change",
    [
        lambda token: token[:-1],
        lambda token: token[:-1] + ("A" if token[-1] != "A" else "B"),
        lambda token: ("B" if token[0] == "A" else "A") + token[1:],
        lambda token: token + "A",
        lambda token: "A" * len(token),
        lambda token: "null",
    ],
    ids=["cut", "last", "first", "longer", "made up", "null"],
)
async def test_a_forged_token_opens_nothing(visitor: Visitor, change: object) -> None:
    assert callable(change)
    forged = Visitor(visitor.http, visitor.session, change(visitor.token))
    response = await forged.post("Let me in")
    assert response.status_code == 401
    assert is_problem(response)
    for path in ("/chat/messages", "/chat/events"):
        response = await visitor.http.get(path, headers=forged.headers)
        assert response.status_code == 401, path


async def test_without_a_token_nothing_is_shown_or_taken(http: httpx.AsyncClient) -> None:
    body = {"id": str(uuid4()), "text": "Let me in"}
    assert is_problem(await http.post("/chat/messages", json=body))
    for path in ("/chat/messages", "/chat/events"):
        assert (await http.get(path)).status_code == 401, path


async def test_a_visitor_reads_their_own_session_only(visitor: Visitor, visitante: Visitor) -> None:
    await visitor.ask("hello")
    assert await visitante.messages() == []


async def test_a_button_of_another_session_cannot_be_pressed(
    visitor: Visitor, visitante: Visitor
) -> None:
    answer = await visitor.ask("How do I connect to the VPN?")
    choice = answer[-1]["choices"][0]["id"]
    response = await visitante.http.post(
        "/chat/choices", json={"id": str(uuid4()), "choice": choice}, headers=visitante.headers
    )
    assert response.status_code == 404
    assert is_problem(response)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 422),
        (b"{", 422),
        (b"[]", 422),
        (b"null", 422),
        (b'"text"', 422),
        (b"\xff\xfe", 422),
        (b'{"id": "ID", "text": "\xff"}', 422),
        (b'{"id": "ID", "text": "\\ud800"}', 422),
        (b'{"id": "ID"}', 422),
        (b'{"id": "ID", "text": ""}', 422),
        (b'{"id": "ID", "text": " \\n\\t "}', 422),
        (b'{"id": "ID", "text": "\\u0000"}', 422),
        (b'{"id": "ID", "text": 7}', 422),
        (b'{"id": "ID", "text": null}', 422),
        (b'{"id": "ID", "text": ["a"]}', 422),
        (b'{"id": 7, "text": "a"}', 422),
        (b'{"id": "not-a-uuid", "text": "a"}', 422),
        (b'{"text": "a"}', 422),
        (b'{"id": "ID", "text": NaN}', 422),
        (b"[" * 30_000, 422),
        (b'{"id": "ID", "text": "' + b"a" * 200_001 + b'"}', 413),
        (b" " * 3_000_000, 413),
    ],
    ids=lambda value: repr(value)[:40],
)
async def test_what_is_no_message_is_refused(visitor: Visitor, body: bytes, status: int) -> None:
    response = await visitor.http.post(
        "/chat/messages",
        content=body.replace(b'"ID"', json.dumps(str(uuid4())).encode()),
        headers={**visitor.headers, "Content-Type": "application/json"},
    )
    assert is_problem(response), response.text
    assert response.status_code == status
    assert await visitor.messages() == []


@pytest.mark.parametrize("after", ["-1", "a", "1.5", "99999999999999999999", "\u0661"])
async def test_a_position_that_is_none_is_refused(visitor: Visitor, after: str) -> None:
    for path in ("/chat/messages", "/chat/events"):
        response = await visitor.http.get(path, params={"after": after}, headers=visitor.headers)
        assert is_problem(response), path


async def test_text_that_hides_controls_is_kept_without_them(visitor: Visitor) -> None:
    seq = await visitor.say("a\x00b\x1b[31mc\r\nd")
    (message,) = [m for m in await visitor.messages() if m["seq"] == seq]
    assert message["text"] == "ab[31mc\nd"


async def test_other_methods_and_paths_are_refused(visitor: Visitor) -> None:
    for method, path in (("PUT", "/chat/messages"), ("DELETE", "/chat/sessions")):
        response = await visitor.http.request(method, path, headers=visitor.headers)
        assert response.status_code == 405
        assert is_problem(response)
    response = await visitor.http.get("/chat/nothing")
    assert response.status_code == 404


async def test_health_and_readiness_have_their_forms(visitor: Visitor) -> None:
    assert (await visitor.http.get("/healthz")).status_code == 200
    response = await visitor.http.get("/readyz")
    assert response.status_code == 200
    said = response.json()
    assert said.keys() == {"ready", "components", "accounts"}
    assert said["ready"] is True
    assert said["components"] == {"database": "up", "worker": "up", "assistant": "up"}
