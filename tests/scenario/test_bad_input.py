"""No input makes the desk fail: whatever is sent to any documented route is answered below 500."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.staff import Staff, number_told
from tests.support.visitor import Visitor

FUZZ = settings(
    max_examples=400,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)

WORDS = st.one_of(
    st.text(st.characters(), max_size=30),  # lone surrogates too
    st.sampled_from(
        ["", " ", "\x00", "\ud800", "0", "-1", "1e999", "null", "' OR 1=1 --", "%00", "../..", "me",
         "none", "en", "open", "closed", "\u202e", "a" * 9_000, str(uuid4()), "9" * 40]
    ),
)  # fmt: skip
VALUES = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.integers(min_value=2**62, max_value=2**70),
        st.floats(),
        WORDS,
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(WORDS, inner, max_size=3)),
    max_leaves=6,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One documented way to ask for something."""

    method: str
    path: str
    in_path: Sequence[str] = ()
    in_query: Sequence[str] = ()
    in_body: Sequence[str] = ()


@pytest.fixture(scope="module")
async def operations(http: httpx.AsyncClient) -> list[Operation]:
    """Every operation of the API's own description."""
    response = await http.get("/api/openapi.json")
    assert response.status_code == 200
    document = response.json()
    return [
        Operation(
            method=method.upper(),
            path=path,
            in_path=_named(operation, "path"),
            in_query=_named(operation, "query"),
            in_body=_fields(document, operation),
        )
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]


@pytest.fixture(scope="module")
async def target(http: httpx.AsyncClient) -> str:
    """The number of a ticket to do things to."""
    visitor = await Visitor.arrive(http)
    return str(number_told(await visitor.ask("I want to talk to a human")))


def test_the_description_holds_every_promised_route(operations: list[Operation]) -> None:
    described = {(o.method, o.path.replace("{ticket}", "{id}")) for o in operations}
    for command in ("take", "assign", "replies", "notes", "status", "return-to-bot"):
        assert ("POST", f"/api/v1/tickets/{{id}}/{command}") in described
    for path in ("/api/v1/tickets", "/api/v1/knowledge/articles", "/api/v1/knowledge/search"):
        assert ("GET", path) in described


@FUZZ
@given(data=st.data())
async def test_the_api_answers_anything_below_500(
    operations: list[Operation], admin: Staff, target: str, data: st.DataObject
) -> None:
    operation = data.draw(st.sampled_from(operations))
    path = operation.path
    for name in operation.in_path:
        value = data.draw(st.one_of(st.just(target), WORDS.filter(_can_be_in_a_path)))
        path = path.replace(f"{{{name}}}", quote(value, safe="", errors="surrogatepass"))
    response = await admin.request(
        operation.method,
        path.removeprefix("/api/v1"),
        content=data.draw(_bodies(operation.in_body)),
        params=_query(data.draw(st.dictionaries(st.sampled_from(operation.in_query), WORDS)))
        if operation.in_query
        else None,
    )
    _check(response)
    if response.status_code == 201 and operation.path.endswith("/articles"):
        made = quote(response.json()["id"], safe="")
        await admin.request("DELETE", f"/knowledge/articles/{made}")


@FUZZ
@given(
    path=st.sampled_from(["/chat/sessions", "/chat/messages", "/chat/choices"]),
    content=st.deferred(lambda: _bodies(["id", "text", "choice", "language"])),
)
async def test_the_chat_answers_anything_below_500(
    http: httpx.AsyncClient, stranger: Visitor, path: str, content: bytes
) -> None:
    _check(await http.post(path, content=content, headers=stranger.headers))


@pytest.fixture(scope="module")
async def stranger(http: httpx.AsyncClient) -> Visitor:
    return await Visitor.arrive(http)


@FUZZ
@given(
    path=st.sampled_from(
        ["/console/queue", "/console/tickets/{}", "/console/conversations/{}", "/console/sign-in",
         "/console/sign-in/{}", "/console/articles/{}", "/console/nothing/{}", "/help/{}"]
    ),
    name=WORDS,
    query=st.dictionaries(
        st.sampled_from(["q", "tab", "open", "show", "next", "lang", "cursor"]), WORDS, max_size=3
    ),
)  # fmt: skip
async def test_the_pages_answer_anything_below_500(
    console: httpx.AsyncClient, path: str, name: str, query: dict[str, str]
) -> None:
    wanted = path.format(quote(name, safe="", errors="surrogatepass"))
    response = await console.get(f"{wanted}?{_query(query)}", follow_redirects=False)
    assert response.status_code < 500, response.request
    if response.next_request is not None:  # nobody is led away from the desk
        assert response.next_request.url.host == console.base_url.host


@FUZZ
@given(token=st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=120))
async def test_a_made_up_token_is_refused(http: httpx.AsyncClient, token: str) -> None:
    for path in ("/api/v1/tickets", "/chat/messages"):
        response = await http.get(path, headers={"Authorization": f"Bearer {token}"})
        assert response.status_code == 401
        _check(response)


@pytest.mark.parametrize("size", [2_000_000, 20_000_000])
async def test_a_huge_body_is_refused(admin: Staff, target: str, size: int) -> None:
    response = await admin.request(
        "POST", f"/tickets/{target}/notes", content=b'{"text": "' + b"a" * size + b'"}'
    )
    assert response.status_code == 413
    _check(response)


async def test_deep_nesting_is_refused(admin: Staff, target: str) -> None:
    response = await admin.request("POST", f"/tickets/{target}/notes", content=b"[" * 200_000)
    _check(response)
    assert response.is_client_error


def _check(response: httpx.Response) -> None:
    assert response.status_code < 500, response.request
    if response.is_client_error:
        assert response.headers["content-type"] == "application/problem+json", response.request
        document = response.json()
        assert document["status"] == response.status_code
        assert document["type"]
        assert document["title"]


def _bodies(fields: Sequence[str]) -> st.SearchStrategy[bytes]:
    documents: st.SearchStrategy[Any] = VALUES
    if fields:
        some = st.fixed_dictionaries({}, optional=dict.fromkeys(fields, st.one_of(WORDS, VALUES)))
        all_ = st.fixed_dictionaries(dict.fromkeys(fields, WORDS))
        documents = st.one_of(all_, some, VALUES)
    return st.one_of(
        documents.map(lambda value: json.dumps(value).encode()),
        documents.map(
            lambda value: json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")
        ),
        st.binary(max_size=200),
    )


def _query(values: Mapping[str, str]) -> str:
    return "&".join(
        f"{quote(name)}={quote(value, safe='', errors='surrogatepass')}"
        for name, value in values.items()
    )


def _can_be_in_a_path(value: str) -> bool:
    return value not in {"", ".", ".."}


def _named(operation: Mapping[str, Any], where: str) -> list[str]:
    return [p["name"] for p in operation.get("parameters", ()) if p["in"] == where]


def _fields(document: Mapping[str, Any], operation: Mapping[str, Any]) -> list[str]:
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    names = json.dumps(body.get("schema", {}))
    schemas: Mapping[str, Any] = document["components"]["schemas"]
    return [
        field
        for name, schema in schemas.items()
        if f'"#/components/schemas/{name}"' in names
        for field in schema.get("properties", {})
    ]
