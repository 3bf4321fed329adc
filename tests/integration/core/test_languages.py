"""Which language a conversation has, and which its requester."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlalchemy import select, update

from channels.telegram.parse import read_any
from core.domain.content import Intent
from core.domain.events import Author, MessagePosted
from core.domain.ids import Address
from core.storage.tables import Contact, Conversation
from tests.support.desk import LOOP, Rig, posted
from tests.unit.telegram import memory


def by(language: str | None, text: str = "VPN", *, who: str = "ana") -> MessagePosted:
    """Return what somebody says whose platform speaks `language`."""
    author = Author(address=Address(who), name="Ana", language=language)
    return replace(posted(text), author=author, at=datetime.now(UTC))


async def _contact(rig: Rig) -> Contact:
    async with rig.sessions() as session:
        return (await session.scalars(select(Contact))).one()


@pytest.mark.parametrize(
    ("code", "kept", "spoken", "said", "intent"),
    [
        ("fr", "fr", "en", "/start", "greet"),
        ("pt-br", "pt", "en", "/help", "ask_capabilities"),
        ("zh-hans", "zh", "en", "/status", "ticket_status"),
        ("es-419", "es", "es", "/start", "greet"),
    ],
)
async def test_an_app_in_a_language_that_is_not_spoken_is_answered_in_one_that_is(
    rig: Rig, code: str, kept: str, spoken: str, said: str, intent: str
) -> None:
    payload = memory.update(
        text=said,
        entities=[{"type": "bot_command", "offset": 0, "length": len(said)}],
        **{"from": {"id": 11, "is_bot": False, "first_name": "Ana", "language_code": code}},
    )
    (event,) = read_any(LOOP, memory.raw(payload))
    assert isinstance(event, MessagePosted)
    await rig.intake.accept(event)

    plan = await rig.reply(await rig.conversation_id(event.thread))
    assert plan.request.language == spoken
    assert plan.request.intent == Intent(name=intent)
    assert (await rig.conversation(event.thread)).language == spoken
    assert (await _contact(rig)).language == kept


async def test_a_conversation_kept_in_a_language_that_is_not_spoken_is_answered(rig: Rig) -> None:
    conversation = await rig.hear("VPN")
    async with rig.sessions.begin() as session:
        await session.execute(update(Conversation).values(language="pt"))
    plan = await rig.reply(conversation)
    assert plan.request.language == "en"
    assert (await rig.conversation()).language == "en"
