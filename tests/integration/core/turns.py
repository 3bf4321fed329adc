"""Turns that the assistant takes, told step by step."""

from __future__ import annotations

from dataclasses import replace

from core.domain.assistant import (
    Step,
    Understanding,
)
from core.domain.ids import ConversationId
from tests.support.desk import Rig, reply_to


async def take_turn(
    rig: Rig, conversation: ConversationId, understanding: Understanding, *steps: Step
) -> None:
    plan = await rig.turns.plan(conversation)
    assert plan is not None
    reply = replace(reply_to(plan, *steps), understanding=understanding)
    assert await rig.turns.settle(plan, reply)
