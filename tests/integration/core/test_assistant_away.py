"""An assistant that errs, hangs or says nothing leaves nobody with neither a reply nor a human."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from core.domain.assistant import Say, TurnReply, TurnRequest
from core.domain.errors import AssistantFailed, AssistantLoading
from core.domain.ids import ConversationId
from core.runtime.lanes.turns import AssistantGate, TurnsLane
from core.services.turns.turns import MAX_ATTEMPTS
from tests.support.desk import LOOP, Rig

HANGS = "hangs"
Act = Exception | str


class Moody:
    """An assistant that does each of `acts` in its turn, and answers after that."""

    def __init__(self, *acts: Act) -> None:
        self._acts = list(acts)
        self.asked = 0

    async def reply(self, request: TurnRequest) -> TurnReply:
        self.asked += 1
        act = self._acts.pop(0) if self._acts else f"You said: {request.text}"
        if isinstance(act, Exception):
            raise act
        if act == HANGS:
            await asyncio.Event().wait()
        steps = (Say(text=act),) if act else ()
        return TurnReply(turn=request.turn, steps=steps, intent=None, confidence=None, model=None)

    async def is_ready(self) -> bool:
        return True


class Undecided:
    """Tells no language."""

    def detect(self, text: str) -> str | None:
        return None

    def detect_foreign(self, text: str) -> str | None:
        return None


async def _advance(
    rig: Rig,
    assistant: Moody,
    conversation: ConversationId,
    *,
    times: int = MAX_ATTEMPTS,
    seconds: float = 20.0,
) -> AssistantGate:
    """Have the lane advance as often as it is woken, each time after the pause it asked for."""
    gate = AssistantGate(60.0)
    for _ in range(times):
        gate.observe(is_up=True)
        channels = {LOOP: rig.loopback}
        lane = TurnsLane(rig.turns, assistant, Undecided(), gate, seconds, channels)
        await lane.advance(conversation)
        rig.clock.advance(seconds=5)
    return gate


async def _said(rig: Rig) -> Sequence[tuple[str, str]]:
    return [(speaker, words) for speaker, words in await rig.texts() if speaker != "customer"]


async def test_after_one_error_there_is_one_more_attempt_which_answers(rig: Rig) -> None:
    conversation = await rig.hear("hello")
    assistant = Moody(AssistantFailed("500"))
    await _advance(rig, assistant, conversation)
    assert await _said(rig) == [("bot", "You said: hello")]
    assert (assistant.asked, (await rig.conversation()).responder) == (2, "bot")


async def test_after_two_errors_a_human_is_called_and_the_assistant_is_asked_no_more(
    rig: Rig,
) -> None:
    conversation = await rig.hear("hello")
    assistant = Moody(*[AssistantFailed("500")] * MAX_ATTEMPTS)
    await _advance(rig, assistant, conversation, times=MAX_ATTEMPTS + 2)
    assert assistant.asked == MAX_ATTEMPTS
    assert [speaker for speaker, _ in await _said(rig)] == ["system"]
    assert (await rig.conversation()).responder == "queued"
    assert (await rig.ticket()).reason == "assistant_unavailable"


async def test_a_reply_that_says_nothing_is_followed_by_a_human(rig: Rig) -> None:
    conversation = await rig.hear("hello")
    await _advance(rig, Moody(""), conversation, times=1)
    assert [speaker for speaker, _ in await _said(rig)] == ["system"]
    assert (await rig.conversation()).responder == "queued"


async def test_no_reply_in_time_counts_as_an_error(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.runtime.lanes.turns._LEAST_SECONDS", 0.05)
    conversation = await rig.hear("hello")
    await _advance(rig, Moody(HANGS, HANGS), conversation, seconds=0.05)
    assert (await rig.conversation()).responder == "queued"


async def test_while_the_assistant_loads_turns_wait_however_often_they_are_looked_at(
    rig: Rig,
) -> None:
    conversation = await rig.hear("hello")
    assistant = Moody(*[AssistantLoading("no model yet")] * 5)
    gate = await _advance(rig, assistant, conversation, times=5)
    assert not gate.is_up
    assert await _said(rig) == []
    await _advance(rig, assistant, conversation, times=1)
    assert await _said(rig) == [("bot", "You said: hello")]
