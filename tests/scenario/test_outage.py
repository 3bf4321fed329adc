"""The assistant away for a minute: nobody is left with neither an answer nor a human."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

from tests.support.running_desk import Part, RunningDesk
from tests.support.staff import Staff, number_told
from tests.support.visitor import Visitor, texts

CUSTOMERS = 8
HUMAN_SECONDS = 20.0
SLACK_SECONDS = 15.0  # for the sweep, and for a busy machine


@asynccontextmanager
async def stopped(desk: RunningDesk) -> AsyncIterator[None]:
    """Let the assistant hang: it takes connections and says nothing."""
    pid = await desk.kill(Part.ASSISTANT, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


@asynccontextmanager
async def killed_again_and_again(desk: RunningDesk) -> AsyncIterator[None]:
    """Kill the assistant, and every new one that is started instead."""

    async def keep_killing() -> None:
        while True:
            await desk.kill(Part.ASSISTANT)
            await asyncio.sleep(0.5)

    await desk.kill(Part.ASSISTANT)
    killing = asyncio.create_task(keep_killing())
    try:
        yield
    finally:
        killing.cancel()
        await asyncio.gather(killing, return_exceptions=True)


@pytest.mark.parametrize("fault", [stopped, killed_again_and_again])
async def test_whoever_waits_gets_a_human_in_time(
    whole_desk: RunningDesk, http: httpx.AsyncClient, ana: Staff, fault: object
) -> None:
    assert callable(fault)
    visitors = [await Visitor.arrive(http) for _ in range(CUSTOMERS)]
    try:
        async with fault(whole_desk):
            asked = await asyncio.gather(*(v.say("How do I connect to the VPN?") for v in visitors))
            said = await asyncio.gather(
                *(
                    visitor.answers_after(seq, HUMAN_SECONDS + SLACK_SECONDS)
                    for visitor, seq in zip(visitors, asked, strict=True)
                )
            )
        for answer in said:
            assert [message["from"] for message in answer] == ["system"]
            assert "cannot answer right now" in texts(answer)
            ticket = await ana.ticket(number_told(answer))
            assert (ticket["status"], ticket["reason"]) == ("new", "assistant_unavailable")
    finally:
        await whole_desk.until_ready()
    for visitor, answer in zip(visitors, said, strict=True):
        assert (await visitor.messages())[1:] == answer  # the assistant's late word was dropped
    late = await Visitor.arrive(http)
    assert "Connect to the VPN" in texts(await late.ask("How do I connect to the VPN?"))


async def test_a_short_outage_is_not_noticed(
    whole_desk: RunningDesk, http: httpx.AsyncClient
) -> None:
    visitor = await Visitor.arrive(http)
    async with stopped(whole_desk):
        seq = await visitor.say("How do I connect to the VPN?")
    answer = await visitor.answers_after(seq)
    assert "Connect to the VPN" in texts(answer)
