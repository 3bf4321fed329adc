"""The chat page and its files: in the reader's language, under a strict policy."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import httpx
import pytest

from tests.unit.webchat.memory import MemoryDesk, application


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(application(MemoryDesk()))
    async with httpx.AsyncClient(transport=transport, base_url="http://desk") as client:
        yield client


@pytest.mark.parametrize(
    ("query", "accept", "language", "title"),
    [
        ("", "en", "en", "Service desk"),
        ("", "es-AR,es;q=0.9", "es", "Mesa de ayuda"),
        ("?lang=es", "en", "es", "Mesa de ayuda"),
        ("?lang=tlh", "", "en", "Service desk"),
    ],
)
async def test_the_page_speaks_the_readers_language(
    http: httpx.AsyncClient, query: str, accept: str, language: str, title: str
) -> None:
    page = await http.get(f"/chat{query}", headers={"Accept-Language": accept})
    assert f'<html lang="{language}"' in page.text
    assert f"<title>{title}</title>" in page.text
    assert page.headers["content-language"] == language


async def test_the_page_allows_no_script_or_style_but_its_files(http: httpx.AsyncClient) -> None:
    page = await http.get("/chat")
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors *" in policy  # the widget shows the page on other sites
    assert not re.search(r"<style|\sstyle=|\son\w+=", page.text)
    scripts = re.findall(r"<script[^>]*>", page.text)
    assert all('src="/chat/static/' in tag or "application/json" in tag for tag in scripts)


async def test_the_page_loads_files_that_exist_and_never_change(http: httpx.AsyncClient) -> None:
    page = await http.get("/chat")
    paths = set(re.findall(r'(?:src|href)="(/chat/static/[^"]+)"', page.text))
    assert len(paths) == 3
    for path in paths:
        file = await http.get(path)
        assert file.status_code == 200
        assert "immutable" in file.headers["cache-control"]
        assert file.headers["x-content-type-options"] == "nosniff"


async def test_every_imported_module_exists(http: httpx.AsyncClient) -> None:
    seen, waiting = set(), {"chat.js"}
    while waiting:
        name = waiting.pop()
        seen.add(name)
        file = await http.get(f"/chat/static/any/{name}")
        assert file.headers["content-type"].startswith("text/javascript")
        assert file.headers["cache-control"] == "no-cache"
        waiting |= set(re.findall(r'from "\./([\w.]+)"', file.text)) - seen
    assert seen >= {"chat.js", "outbox.js", "session.js", "stream.js", "view.js", "words.js"}


async def test_an_unchanged_file_is_not_sent_again(http: httpx.AsyncClient) -> None:
    first = await http.get("/chat/widget.js")
    again = await http.get("/chat/widget.js", headers={"If-None-Match": first.headers["etag"]})
    assert (first.status_code, again.status_code, again.content) == (200, 304, b"")


@pytest.mark.parametrize(
    "path", ["nothing.js", "..%2Fchannel.py", "%2e%2e/chat.js", "chat.html", "__init__.py"]
)
async def test_nothing_else_is_served(http: httpx.AsyncClient, path: str) -> None:
    assert (await http.get(f"/chat/static/any/{path}")).status_code == 404
