"""A real embeddings service in a process of its own, and a small knowledge base."""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import AsyncIterator

import pytest

from core.adapters.embeddings import HttpEmbedder
from core.runtime.embedder import MODEL
from core.services.knowledge import Knowledge
from core.storage.engine import Sessions
from tests.integration.knowledge.world import ARTICLES


@pytest.fixture(scope="session")
async def embedder_url() -> AsyncIterator[str]:
    """The address of the embeddings service."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    program = f"from core.runtime.embedder import serve; serve('127.0.0.1', {port})"
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", program)
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except ConnectionRefusedError:
            assert process.returncode is None, "the embeddings service did not start"
            await asyncio.sleep(0.05)
        else:
            writer.close()
            break
    yield f"http://127.0.0.1:{port}"
    process.terminate()
    await process.wait()


@pytest.fixture
async def embedder(embedder_url: str) -> AsyncIterator[HttpEmbedder]:
    """A client of the embeddings service that has patience on a busy machine."""
    embedder = HttpEmbedder(embedder_url, MODEL, query_seconds=30.0, passages_seconds=300.0)
    yield embedder
    await embedder.close()


@pytest.fixture
async def knowledge(sessions: Sessions, embedder: HttpEmbedder) -> Knowledge:
    """The small knowledge base, with all its vectors."""
    knowledge = Knowledge(sessions, embedder)
    for one in ARTICLES:
        await knowledge.create(one)
    while await knowledge.embed_pending():
        pass
    return knowledge


@pytest.fixture
async def wordy(sessions: Sessions) -> Knowledge:
    """The small knowledge base, searched by words alone."""
    knowledge = Knowledge(sessions)
    for one in ARTICLES:
        await knowledge.create(one)
    return knowledge
