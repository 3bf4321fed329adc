"""The knowledge search against a real server that answers well, badly or not at all."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from contextlib import ExitStack

import pytest
from desk_double import CUT, TOKEN, KnowledgeServer, knowledge_server

from actions.knowledge import BUDGET_SECONDS, Found, Knowledge, KnowledgeUnavailable


class Time:
    """Passes only while it is slept through."""

    def __init__(self, *, on_sleep: Callable[[], object] | None = None) -> None:
        self.slept: list[float] = []
        self._on_sleep = on_sleep

    def now(self) -> float:
        return sum(self.slept)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        if self._on_sleep:
            self._on_sleep()


def search(
    url: str, question: str = "vpn", *, token: str = TOKEN, time: Time | None = None
) -> Found:
    time = time or Time()

    async def ask() -> Found:
        async with Knowledge(url=url, token=token, clock=time.now, sleep=time.sleep) as knowledge:
            return await knowledge.search(question, language="en")

    return asyncio.run(ask())


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def test_it_returns_the_verdict_and_the_articles_best_first(desk: KnowledgeServer) -> None:
    found = search(desk.url)
    assert found.outcome == "answer"
    assert found.articles[0] == {"article_id": "vpn-connect", "title": "Vpn connect", "score": 0.9}


def test_nothing_found_is_a_hand_off(desk: KnowledgeServer) -> None:
    assert search(desk.url, "nothing") == Found(outcome="hand_off", articles=[])


@pytest.mark.parametrize("status", [502, 503, 504])
def test_a_restarting_desk_is_asked_until_it_is_back(desk: KnowledgeServer, status: int) -> None:
    time = Time()
    desk.statuses = [status] * 4
    assert search(desk.url, time=time).outcome == "answer"
    assert time.slept == [0.25, 0.5, 1, 2]


def test_a_refused_connection_is_tried_again_until_someone_listens() -> None:
    port = closed_port()
    with ExitStack() as stack:
        time = Time(on_sleep=lambda: stack.enter_context(knowledge_server(port)))
        assert search(f"http://127.0.0.1:{port}", time=time).outcome == "answer"
    assert time.slept == [0.25]


def test_a_connection_cut_without_an_answer_is_tried_again(desk: KnowledgeServer) -> None:
    desk.statuses = [CUT]
    assert search(desk.url).outcome == "answer"


def test_a_desk_that_stays_away_is_an_outage_once_the_budget_is_spent() -> None:
    time = Time()
    with pytest.raises(KnowledgeUnavailable):
        search(f"http://127.0.0.1:{closed_port()}", time=time)
    assert BUDGET_SECONDS - 1 < time.now() < BUDGET_SECONDS


@pytest.mark.parametrize("status", [400, 404, 429, 500])
def test_what_another_try_does_not_mend_is_an_outage_at_once(
    desk: KnowledgeServer, status: int
) -> None:
    desk.statuses = [status]
    with pytest.raises(KnowledgeUnavailable):
        search(desk.url)
    assert len(desk.asked) == 1


def test_a_wrong_token_is_an_outage(desk: KnowledgeServer) -> None:
    with pytest.raises(KnowledgeUnavailable):
        search(desk.url, token="wrong")


@pytest.mark.parametrize("raw", [b"", b"{}", b"[1]", b"[{}]", b'[{"article_id": "a"}]', b"\xff"])
def test_a_malformed_answer_is_an_outage(desk: KnowledgeServer, raw: bytes) -> None:
    desk.raw = raw
    with pytest.raises(KnowledgeUnavailable):
        search(desk.url)
    assert len(desk.asked) == 1


def test_the_desk_is_told_for_which_conversation_is_asked(desk: KnowledgeServer) -> None:
    async def ask() -> None:
        async with Knowledge(url=desk.url, token=TOKEN) as knowledge:
            await knowledge.search("vpn", language="en", conversation="c-1")
            await knowledge.search("vpn", language="en")

    asyncio.run(ask())
    assert [asked.get("conversation") for asked in desk.asked] == ["c-1", None]


def test_a_long_question_is_cut(desk: KnowledgeServer) -> None:
    search(desk.url, "vpn " * 1_000)
    assert len(desk.asked[0]["q"]) == 500
