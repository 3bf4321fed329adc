"""What messages of every kind lead to: turns, humans, participants, or nothing but a record."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, text

from core.adapters.language import LinguaDetector
from core.domain.assistant import Close, Handoff, HandoffReason, Say, TurnReply, TurnRequest
from core.domain.content import Caution, Envelope, Intent
from core.domain.conversation import Responder
from core.domain.events import (
    Author,
    DeliveryReported,
    MessagePosted,
    ReachabilityChanged,
)
from core.domain.ids import Address, EventKey, RemoteId
from core.domain.ticket import TicketStatus
from core.ports import LanguageDetector, Refusal
from core.runtime.lanes.deliveries import DeliveriesLane
from core.runtime.lanes.turns import AssistantGate, TurnsLane
from core.storage.tables import (
    ContactAddress,
    Conversation,
    InboundEvent,
    Participant,
    Ticket,
    Turn,
)
from tests.support.desk import LOOP, Rig, posted


def letter(text: str, **changes: Any) -> MessagePosted:
    """A letter to the desk alone."""
    who = changes.pop("who", "somebody")
    return replace(posted(text, who=who), **({"envelope": Envelope()} | changes))


async def turn_text(rig: Rig) -> str | None:
    plan = await rig.turns.plan(await rig.conversation_id())
    return None if plan is None else plan.request.text


async def participants(rig: Rig) -> set[str]:
    async with rig.sessions() as session:
        return set(await session.scalars(select(Participant.address)))


async def tickets(rig: Rig) -> list[str]:
    async with rig.sessions() as session:
        return list(await session.scalars(select(Ticket.reason)))


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
    for part in range(3):
        await rig.intake.accept(replace(posted(f"photo {part}"), album="a"))
        rig.clock.advance(seconds=1)
        assert await turn_text(rig) is None
    rig.clock.advance(seconds=1)
    assert await turn_text(rig) == "photo 0\nphoto 1\nphoto 2"


async def test_an_album_that_never_ends_is_answered_after_five_seconds(rig: Rig) -> None:
    for part in range(5):
        await rig.intake.accept(replace(posted(f"{part}"), album="a"))
        rig.clock.advance(seconds=1.2)
    assert await turn_text(rig) == "0\n1\n2\n3\n4"


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


async def test_a_machines_message_in_no_known_thread_is_refused_and_its_payload_kept(
    rig: Rig,
) -> None:
    (refused,) = await rig.intake.accept(replace(posted("out of office"), is_automatic=True))
    assert refused.refusal is Refusal.AUTOMATIC
    async with rig.sessions() as session:
        assert (await session.scalars(select(Conversation))).all() == []
        assert (await session.scalars(select(ContactAddress))).all() == []
        assert await session.scalar(select(InboundEvent.raw_blob)) is not None


async def test_a_machines_message_in_a_thread_is_kept_and_starts_nothing(rig: Rig) -> None:
    conversation = await rig.hear("bye")
    await rig.reply(conversation, Close(reason="goodbye"))
    await rig.intake.accept(replace(posted("out of office"), is_automatic=True))

    after = await rig.conversation()
    assert (after.id, after.responder) == (conversation, Responder.CLOSED)
    assert (await rig.texts())[-1] == ("customer", "out of office")
    assert await turn_text(rig) is None


async def test_a_machines_message_is_not_put_into_the_next_turn(rig: Rig) -> None:
    conversation = await rig.hear("hello")
    await rig.reply(conversation)
    await rig.intake.accept(replace(posted("out of office"), is_automatic=True))
    await rig.hear("I am back")
    assert await turn_text(rig) == "I am back"


async def test_for_an_author_nobody_vouches_for_the_assistant_knows_no_account(rig: Rig) -> None:
    conversation = await rig.hear("one")
    await rig.reply(conversation, Handoff(reason=HandoffReason.ASKED_FOR_HUMAN))
    await rig.tickets.return_to_bot(await rig.ticket_id(), await rig.agent())
    await rig.intake.accept(letter("my ticket?", caution=Caution.UNVERIFIED))

    plan = await rig.turns.plan(conversation)
    assert plan is not None
    request = plan.request
    assert (request.tickets, request.summary, request.requester_name) == ((), None, None)


@pytest.mark.parametrize("caution", [Caution.STRANGER, Caution.CLAIMS_AGENT])
async def test_a_new_conversation_that_claims_too_much_goes_to_a_human_unanswered(
    rig: Rig, caution: Caution
) -> None:
    await rig.intake.accept(letter("wire the money", caution=caution))

    assert await turn_text(rig) is None
    assert await tickets(rig) == ["unverified_author"]
    assert await rig.texts() == [("customer", "wire the money")]
    assert (await rig.messages())[0].caution == caution


async def test_a_letter_in_an_agents_name_that_nobody_vouches_for_claims_to_be_one(
    rig: Rig,
) -> None:
    agent = await rig.agent()
    await rig.intake.accept(letter("reset my password", who=agent.email.upper()))

    assert (await rig.messages())[0].caution == Caution.CLAIMS_AGENT
    assert await tickets(rig) == ["unverified_author"]


async def test_a_stranger_in_a_known_thread_is_flagged_and_not_answered(rig: Rig) -> None:
    await rig.intake.accept(letter("hello"))
    await rig.reply(await rig.conversation_id(), Handoff(reason=HandoffReason.ASKED_FOR_HUMAN))
    await rig.intake.accept(letter("me too", who="mallory", envelope=Envelope(cc=_to("eve"))))

    assert (await rig.messages())[-1].caution == Caution.STRANGER
    assert await tickets(rig) == ["asked_for_human"]
    assert await participants(rig) == set()


async def test_who_got_a_copy_is_a_participant_and_no_stranger(rig: Rig) -> None:
    envelope = Envelope(to=_to("boss"), cc=_to("ana", "somebody"), subject="Help")
    await rig.intake.accept(letter("hello", envelope=envelope))
    await rig.intake.accept(letter("I agree", who="boss"))

    assert await participants(rig) == {"boss", "ana"}
    first, second = await rig.messages()
    assert (first.caution, second.caution) == (None, None)
    assert first.envelope == {
        "to": ["boss"],
        "cc": ["ana", "somebody"],
        "bcc": [],
        "subject": "Help",
    }
    conversation = await rig.conversation_id()
    plans = [await rig.reply(conversation), await rig.reply(conversation)]
    assert [plan.request.text for plan in plans] == ["Help\nhello", "I agree"]


def _to(*addresses: str) -> tuple[Address, ...]:
    return tuple(Address(address) for address in addresses)


async def test_who_wrote_a_letter_that_was_passed_on_is_kept(rig: Rig) -> None:
    origin = Author(address=Address("zoe@people.example"), name="Zoe")
    await rig.intake.accept(letter("Can you see to this?", forwarded_from=origin))
    (first,) = await rig.messages()
    assert first.forwarded_from == {"address": "zoe@people.example", "name": "Zoe"}
    assert first.author != origin.address


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
    assert await tickets(rig) == ["loop"]


def report(**changes: Any) -> DeliveryReported:
    said = posted("")
    values: dict[str, Any] = {
        "account": LOOP,
        "key": EventKey(f"report:{len(changes)}:{changes}"),
        "thread": said.thread,
        "author": said.author,
        "at": said.at,
        "delivered": False,
        "detail": "no such mailbox",
    }
    return DeliveryReported(**(values | changes))


async def _sent_to_somebody(rig: Rig) -> RemoteId:
    conversation = await rig.hear("hello")
    await rig.reply(conversation, Handoff(reason=HandoffReason.ASKED_FOR_HUMAN))
    await rig.tickets.reply(
        await rig.ticket_id(), await rig.agent(), "Solved!", then=TicketStatus.SOLVED
    )
    await DeliveriesLane(rig.outbox, {LOOP: rig.loopback}).advance(conversation)
    answer = next(m for m in rig.platform.received if m.body.text == "Solved!")
    return RemoteId(f"out-{answer.message}-0")


@pytest.mark.parametrize(("permanent", "bounce"), [(True, "hard"), (False, "soft")])
async def test_an_answer_that_comes_back_reopens_its_ticket_and_marks_the_address(
    rig: Rig, permanent: bool, bounce: str
) -> None:
    name = await _sent_to_somebody(rig)
    await rig.intake.accept(
        report(remote_id=name, recipient=Address("somebody"), is_permanent=permanent)
    )

    answer = next(m for m in await rig.messages() if m.text == "Solved!")
    assert (answer.delivery, answer.delivery_detail) == ("failed", "no such mailbox")
    assert (await rig.ticket()).status == TicketStatus.OPEN
    assert (await rig.conversation()).responder == Responder.HUMAN
    async with rig.sessions() as session:
        address = (await session.scalars(select(ContactAddress))).one()
    assert (address.bounce, address.bounced_at is not None) == (bounce, True)


async def test_that_one_recipient_has_it_does_not_mend_that_another_has_not(rig: Rig) -> None:
    name = await _sent_to_somebody(rig)
    await rig.intake.accept(report(remote_id=name, recipient=Address("somebody")))
    await rig.intake.accept(report(remote_id=name, recipient=Address("boss"), delivered=True))
    answer = next(m for m in await rig.messages() if m.text == "Solved!")
    assert answer.delivery == "failed"


def reachability(*, reachable: bool, minute: int = 0) -> ReachabilityChanged:
    said = posted("")
    return ReachabilityChanged(
        account=LOOP,
        key=EventKey(f"reach:{reachable}:{minute}"),
        thread=said.thread,
        author=said.author,
        at=said.at + timedelta(minutes=minute),
        reachable=reachable,
        detail="blocked the bot",
    )


async def test_what_waits_for_somebody_who_blocked_the_account_fails_with_the_reason(
    rig: Rig,
) -> None:
    conversation = await rig.hear("hello")
    await rig.reply(conversation)
    await rig.intake.accept(reachability(reachable=False))

    *_, answer = await rig.messages()
    assert (answer.delivery, answer.delivery_detail) == ("failed", "blocked the bot")
    assert (await rig.conversation()).unreachable_since is not None
    assert await rig.outbox.plan(conversation) is None
    await rig.intake.accept(reachability(reachable=True))
    assert (await rig.conversation()).unreachable_since is None


async def test_who_writes_can_be_reached_again(rig: Rig) -> None:
    await rig.hear("hello")
    await rig.intake.accept(reachability(reachable=False))
    await rig.hear("hello again")
    assert (await rig.conversation()).unreachable_since is None


async def test_a_late_word_that_somebody_blocked_the_account_changes_nothing(rig: Rig) -> None:
    conversation = await rig.hear("hello")
    await rig.reply(conversation)
    await rig.intake.accept(reachability(reachable=True, minute=2))
    await rig.intake.accept(reachability(reachable=False, minute=1))
    assert (await rig.conversation()).unreachable_since is None
    assert await rig.outbox.plan(conversation) is not None


async def test_what_was_written_before_somebody_blocked_the_account_does_not_undo_it(
    rig: Rig,
) -> None:
    await rig.hear("hello")
    await rig.intake.accept(reachability(reachable=False, minute=2))
    await rig.intake.accept(posted("on its way for long"))
    assert (await rig.conversation()).unreachable_since is not None
    after = posted("can you hear me?")
    await rig.intake.accept(replace(after, at=after.at + timedelta(minutes=3)))
    assert (await rig.conversation()).unreachable_since is None


async def test_a_plain_message_among_an_album_joins_its_turn_and_delays_it_no_further(
    rig: Rig,
) -> None:
    await rig.intake.accept(replace(posted("photo"), album="a"))
    await rig.hear("and this")
    async with rig.sessions() as session:
        turn = (await session.scalars(select(Turn))).one()
    assert turn.available_at - turn.created_at == timedelta(seconds=1.5)
