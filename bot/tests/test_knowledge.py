"""The knowledge search against a real server that answers well, badly or not at all."""

from __future__ import annotations

import asyncio

import pytest
from desk_double import TOKEN, KnowledgeServer

from actions.knowledge import Found, Knowledge, KnowledgeUnavailable


def search(desk: KnowledgeServer, question: str = "vpn", *, token: str = TOKEN) -> Found:
    async def ask() -> Found:
        async with Knowledge(url=desk.url, token=token) as knowledge:
            return await knowledge.search(question, language="en")

    return asyncio.run(ask())


def test_it_returns_the_verdict_and_the_articles_best_first(desk: KnowledgeServer) -> None:
    found = search(desk)
    assert found.outcome == "answer"
    assert found.articles[0] == {"article_id": "vpn-connect", "title": "Vpn connect", "score": 0.9}


def test_nothing_found_is_a_hand_off(desk: KnowledgeServer) -> None:
    assert search(desk, "nothing") == Found(outcome="hand_off", articles=[])


def test_one_failure_is_tried_again(desk: KnowledgeServer) -> None:
    desk.statuses = [500]
    assert search(desk).outcome == "answer"


def test_two_failures_are_an_outage(desk: KnowledgeServer) -> None:
    desk.statuses = [500, 429]
    with pytest.raises(KnowledgeUnavailable):
        search(desk)


def test_a_wrong_token_is_an_outage(desk: KnowledgeServer) -> None:
    with pytest.raises(KnowledgeUnavailable):
        search(desk, token="wrong")


@pytest.mark.parametrize("raw", [b"", b"{}", b"[1]", b"[{}]", b'[{"article_id": "a"}]', b"\xff"])
def test_a_malformed_answer_is_an_outage(desk: KnowledgeServer, raw: bytes) -> None:
    desk.raw = raw
    with pytest.raises(KnowledgeUnavailable):
        search(desk)


def test_a_long_question_is_cut(desk: KnowledgeServer) -> None:
    search(desk, "vpn " * 1_000)
    assert len(desk.asked[0]["q"]) == 500
