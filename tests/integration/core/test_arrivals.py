"""What messages lead to: turns, humans, or nothing but a record."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select, text

from core.adapters.language import LinguaDetector
from core.domain.assistant import Close, Handoff, HandoffReason, Say, TurnReply, TurnRequest
from core.domain.content import Intent
from core.domain.conversation import Responder
from core.ports import LanguageDetector
from core.runtime.lanes.turns import AssistantGate, TurnsLane
from core.storage.tables import (
    Turn,
)
from tests.support.desk import LOOP, Rig, posted


async def test_a_command_says_its_intent_and_stands_alone(rig: Rig) -> None:
    await rig.hear("hello")
    human = replace(posted("/human"), intent=Intent(name="ask_human"))
    await rig.intake.accept(human)
    conversation = await rig.hear("please")

    first, command, last = [await rig.reply(conversation) for _ in range(3)]
    assert (first.request.text, first.request.intent) == ("hello", None)
    assert (command.request.text, command.request.intent) == ("/human", Intent(name="ask_human"))
    assert last.request.text == "please"


async def test_a_ticket_of_a_command_alone_says_what_was_asked_for(rig: Rig) -> None:
    human = replace(posted("/human"), intent=Intent(name="ask_human"))
    await rig.intake.accept(human)
    await rig.reply(await rig.conversation_id(), Handoff(reason=HandoffReason.ASKED_FOR_HUMAN))
    assert (await rig.ticket()).subject == "Asks for a person"


async def test_an_album_is_one_turn_that_waits_for_its_parts(rig: Rig) -> None:
    rig.clock.stop()
    for part in range(3):
        await rig.intake.accept(replace(posted(f"photo {part}"), album="a"))
        rig.clock.advance(seconds=1)
        assert await rig.turn_text() is None
    rig.clock.advance(seconds=1)
    assert await rig.turn_text() == "photo 0\nphoto 1\nphoto 2"


async def test_an_album_that_never_ends_is_answered_after_five_seconds(rig: Rig) -> None:
    rig.clock.stop()
    for part in range(5):
        await rig.intake.accept(replace(posted(f"{part}"), album="a"))
        rig.clock.advance(seconds=1.2)
    assert await rig.turn_text() == "0\n1\n2\n3\n4"


class Parrot:
    """An assistant that repeats what it hears."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    async def reply(self, request: TurnRequest) -> TurnReply:
        self.heard.append(request.text)
        return TurnReply(
            turn=request.turn,
            steps=(Say(text=request.text),),
            intent=None,
            confidence=None,
            model=None,
        )

    async def is_ready(self) -> bool:
        return True


class Undecided:
    """Tells no language."""

    def detect(self, text: str) -> str | None:
        return None

    def detect_foreign(self, text: str) -> str | None:
        return "fr" if text.startswith("Bonjour") else None


def lane(rig: Rig, assistant: Parrot, detector: LanguageDetector | None = None) -> TurnsLane:
    gate = AssistantGate(60.0)
    gate.observe(is_up=True)
    detector = detector or Undecided()
    return TurnsLane(rig.turns, assistant, detector, gate, 20.0, {LOOP: rig.loopback})


async def test_who_writes_in_another_language_is_told_so_in_it_and_gets_a_human(rig: Rig) -> None:
    conversation = await rig.hear("Bonjour, ma messagerie ne marche plus")
    assistant = Parrot()
    await lane(rig, assistant).advance(conversation)
    assert assistant.heard == []
    said = [text for speaker, text in await rig.texts() if speaker == "bot"]
    assert said == [
        (
            "Je ne parle que ces langues : anglais et espagnol. "
            "Une personne de notre équipe vous répondra."
        )
    ]
    assert (await rig.conversation()).responder == "queued"


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (
            "Olá, não consigo entrar na minha conta desde ontem",
            "Só falo inglês e espanhol. Uma pessoa da nossa equipe vai responder a você.",
        ),
        (
            "не могу войти в почту",
            (
                "Я говорю только на этих языках: английский и испанский. "
                "Вам ответит сотрудник нашей команды."
            ),
        ),
        (
            "パスワードを忘れました",
            "英語、スペイン語にのみ対応しています。担当者がお返事いたします。",
        ),
    ],
)
async def test_the_language_that_is_not_spoken_is_told_by_the_words(
    rig: Rig, asked: str, said: str
) -> None:
    conversation = await rig.hear(asked)
    assistant = Parrot()
    await lane(rig, assistant, LinguaDetector()).advance(conversation)
    assert assistant.heard == []
    assert said in [text for speaker, text in await rig.texts() if speaker == "bot"]
    assert (await rig.conversation()).responder == "queued"


async def test_the_lane_of_an_album_is_woken_when_it_is_due(rig: Rig) -> None:
    await rig.intake.accept(replace(posted("photo"), album="a"))
    conversation = await rig.conversation_id()
    async with rig.sessions.begin() as session:
        await session.execute(text("DELETE FROM procrastinate_jobs"))
    assistant = Parrot()
    turns = lane(rig, assistant)
    began = asyncio.get_running_loop().time()
    await turns.advance(conversation)
    assert assistant.heard == []

    async def woken() -> bool:
        async with rig.sessions() as session:
            return bool(await session.scalar(text("SELECT count(*) FROM procrastinate_jobs")))

    async with asyncio.timeout(10):
        while not await woken():
            await asyncio.sleep(0.05)
    assert asyncio.get_running_loop().time() - began < 2.5
    await turns.advance(conversation)
    assert assistant.heard == ["photo"]


async def test_a_turn_shows_that_an_answer_is_being_written(rig: Rig) -> None:
    conversation = await rig.hear("hi")
    await lane(rig, Parrot()).advance(conversation)
    assert rig.platform.typing == ["t1"]


async def test_the_sign_of_writing_is_kept_up_while_the_assistant_works_and_no_longer(
    rig: Rig,
) -> None:
    class Slow(Parrot):
        async def reply(self, request: TurnRequest) -> TurnReply:
            async with asyncio.timeout(10):
                while len(rig.platform.typing) < 3:
                    await asyncio.sleep(0.01)
            return await super().reply(request)

    gate = AssistantGate(60.0)
    gate.observe(is_up=True)
    channels = {LOOP: rig.loopback}
    turns = TurnsLane(
        rig.turns, Slow(), Undecided(), gate, 20.0, channels, typing_again_seconds=0.01
    )
    conversation = await rig.hear("hi")
    await turns.advance(conversation)
    shown = len(rig.platform.typing)
    assert shown >= 3
    assert (await rig.texts())[-1] == ("bot", "hi")
    await lane(rig, Parrot()).advance(conversation)
    assert len(rig.platform.typing) == shown


async def test_where_threads_never_end_an_old_one_goes_on(rig: Rig) -> None:
    rig.enable(reopens_always=True)
    conversation = await rig.hear("bye")
    await rig.reply(conversation, Close(reason="goodbye"))
    rig.clock.advance(days=400)
    assert await rig.hear("me again") == conversation
    assert (await rig.conversation()).responder == Responder.BOT


async def test_what_a_turn_says_goes_out_as_one_letter_where_that_is_the_custom(rig: Rig) -> None:
    rig.enable(joins_turn=True)
    conversation = await rig.hear("hi")
    await rig.reply(conversation, Say(text="Hello."), Say(text="How can I help?"))
    assert (await rig.texts())[1:] == [("bot", "Hello.\n\nHow can I help?")]


async def test_a_channel_can_have_a_turn_cap_of_its_own(rig: Rig) -> None:
    rig.enable(max_turns=1)
    conversation = await rig.hear("one")
    await rig.reply(conversation)
    await rig.hear("two")
    assert await rig.turns.plan(conversation) is None
    assert await rig.reasons() == ["loop"]


async def test_a_plain_message_among_an_album_joins_its_turn_and_delays_it_no_further(
    rig: Rig,
) -> None:
    rig.clock.stop()
    await rig.intake.accept(replace(posted("photo"), album="a"))
    await rig.hear("and this")
    async with rig.sessions() as session:
        turn = (await session.scalars(select(Turn))).one()
    assert turn.available_at - turn.created_at == timedelta(seconds=1.5)
