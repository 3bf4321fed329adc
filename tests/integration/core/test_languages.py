"""Which language a conversation has, and which its requester."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlalchemy import select, update

from channels.telegram.parse import read_any
from core.domain.assistant import Say, SetLanguage
from core.domain.content import Intent
from core.domain.events import Author, MessagePosted, ProfileChanged
from core.domain.ids import Address, EventKey, ThreadKey
from core.services.turns.plan import with_language
from core.storage.tables import Contact, Conversation
from tests.support.desk import LOOP, Rig, posted, reply_to
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


async def test_a_language_that_was_chosen_holds_in_the_next_conversation(rig: Rig) -> None:
    await rig.intake.accept(by("en"))
    first = await rig.conversation_id()
    await rig.reply(first, SetLanguage(language="es"), Say(text="¡Claro!"))
    async with rig.sessions.begin() as session:
        long_ago = datetime(2026, 1, 1, tzinfo=UTC)
        await session.execute(update(Conversation).values(responder="closed", closed_at=long_ago))

    await rig.intake.accept(by("en"))
    again = await rig.conversation_id()
    assert again != first
    plan = await rig.turns.plan(again)
    assert plan is not None
    assert with_language(plan, "en").request.language == "es"


async def test_a_language_that_was_chosen_holds_elsewhere_whatever_a_platform_says(
    rig: Rig,
) -> None:
    await rig.intake.accept(by("en"))
    await rig.reply(await rig.conversation_id(), SetLanguage(language="es"), Say(text="¡Claro!"))
    await rig.intake.accept(
        ProfileChanged(
            account=LOOP,
            key=EventKey("profile"),
            thread=ThreadKey(""),
            author=Author(address=Address("ana"), name="Ana", language="en"),
            at=datetime.now(UTC),
        )
    )
    await rig.intake.accept(replace(by("en"), thread=ThreadKey("t2")))
    elsewhere = await rig.conversation("t2")
    assert (elsewhere.language, elsewhere.language_is_chosen) == ("es", True)


async def test_what_somebody_wrote_in_is_what_their_next_conversation_begins_in(rig: Rig) -> None:
    await rig.intake.accept(by("en", "no puedo entrar"))
    plan = await rig.turns.plan(await rig.conversation_id())
    assert plan is not None
    plan = with_language(plan, "es")
    await rig.turns.settle(plan, reply_to(plan))
    await rig.intake.accept(replace(by("en"), thread=ThreadKey("t2")))
    elsewhere = await rig.conversation("t2")
    assert (elsewhere.language, elsewhere.language_is_chosen) == ("es", False)


async def test_words_do_not_hide_a_language_that_the_desk_does_not_speak(rig: Rig) -> None:
    await rig.intake.accept(by("fr", "no puedo entrar"))
    plan = await rig.turns.plan(await rig.conversation_id())
    assert plan is not None
    plan = with_language(plan, "es")
    await rig.turns.settle(plan, reply_to(plan))
    assert (await _contact(rig)).language == "fr"
    assert (await rig.conversation()).language == "es"


async def test_a_conversation_kept_in_a_language_that_is_not_spoken_is_answered(rig: Rig) -> None:
    conversation = await rig.hear("VPN")
    async with rig.sessions.begin() as session:
        await session.execute(update(Conversation).values(language="pt"))
    plan = await rig.reply(conversation)
    assert plan.request.language == "en"
    assert (await rig.conversation()).language == "en"
