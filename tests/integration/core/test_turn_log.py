"""What the turn log keeps: what was understood, what was done, and what came of it."""

from __future__ import annotations

from core.domain.assistant import (
    Answer,
    Feedback,
    Handoff,
    HandoffReason,
    IntentGuess,
    LookUp,
    Mention,
    Offer,
    Say,
    Understanding,
)
from core.domain.ids import ArticleId, ConversationId
from core.domain.knowledge import Article, Finding, Hit, Outcome
from core.domain.learning import Deed, Upshot
from core.services.knowledge import Knowledge
from core.services.learning.offers import Offers
from core.storage.engine import Sessions
from core.storage.queries.learning.turn_records import (
    TurnFilter,
    TurnView,
    turn_counts,
    turn_records,
)
from tests.integration.core.turns import take_turn
from tests.support.desk import Rig

VPN = ArticleId("vpn")


def searched(question: str, outcome: Outcome, **told: object) -> Understanding:
    hit = Hit(article=VPN, title="Connect the VPN", score=0.61234)
    return Understanding(
        guesses=(IntentGuess(intent="ask_question", confidence=0.9),),
        mentions=(Mention(kind="product", value="VPN"),),
        look_ups=(LookUp(question=question, finding=Finding(outcome=outcome, hits=(hit,))),),
        **told,  # type: ignore[arg-type]
    )


async def logged(rig: Rig, **wanted: object) -> list[TurnView]:
    """Return what is kept, the oldest first."""
    async with rig.sessions() as session:
        found = await turn_records(session, TurnFilter(**wanted))  # type: ignore[arg-type]
    return list(reversed(found))


async def with_article(sessions: Sessions) -> None:
    await Knowledge(sessions).create(
        Article(id=VPN, language="en", title="Connect the VPN", body="Open it.")
    )


async def test_a_turn_is_kept_with_what_was_understood_found_and_shown(rig: Rig) -> None:
    await with_article(rig.sessions)
    conversation = await rig.hear("how do I connect the vpn")
    told = searched("how do I connect the vpn", Outcome.ANSWER)
    await take_turn(rig, conversation, told, Answer(article=VPN, score=0.6))
    (turn,) = await logged(rig)
    assert (turn.text, turn.language, turn.intent) == (
        "how do I connect the vpn",
        "en",
        "ask_question",
    )
    assert (turn.deed, turn.upshot, turn.is_missed) == (Deed.ANSWERED, None, False)
    assert turn.articles == {VPN: "Connect the VPN"}
    assert turn.mentions == [{"kind": "product", "value": "VPN"}]
    assert turn.look_ups[0]["hits"][0]["score"] == 0.6123


async def test_what_a_requester_says_of_an_answer_goes_to_the_answer(rig: Rig) -> None:
    await with_article(rig.sessions)
    conversation = await rig.hear("vpn?")
    await take_turn(
        rig, conversation, searched("vpn?", Outcome.ANSWER), Answer(article=VPN, score=0.6)
    )
    await rig.hear("yes, thanks")
    await take_turn(rig, conversation, Understanding(feedback=Feedback.HELPED), Say(text="Good."))
    await rig.hear("vpn on linux?")
    await take_turn(
        rig, conversation, searched("vpn on linux?", Outcome.ANSWER), Answer(article=VPN, score=0.6)
    )
    await rig.hear("no")
    await take_turn(
        rig, conversation, Understanding(feedback=Feedback.NOT_HELPED), Say(text="Sorry.")
    )
    first, thanks, second, _ = await logged(rig)
    assert (first.upshot, first.is_missed) == (Upshot.HELPED, False)
    assert (thanks.deed, thanks.upshot) == (Deed.TALKED, None)
    assert (second.upshot, second.is_missed) == (Upshot.NOT_HELPED, True)


async def test_a_hand_off_escalates_the_question_before_it(rig: Rig) -> None:
    conversation = await rig.hear("can I bring my parrot")
    await take_turn(
        rig,
        conversation,
        searched("can I bring my parrot", Outcome.HAND_OFF),
        Say(text="I do not know. A person?"),
    )
    await rig.hear("yes")
    await take_turn(
        rig, conversation, Understanding(), Handoff(reason=HandoffReason.OUT_OF_SCOPE, summary="s")
    )
    asked, handed = await logged(rig)
    assert (asked.deed, asked.upshot, asked.is_missed) == (
        Deed.UNANSWERED,
        Upshot.ESCALATED,
        True,
    )
    assert (handed.deed, handed.reason) == (Deed.HANDED_OFF, HandoffReason.OUT_OF_SCOPE)
    assert not handed.is_missed  # a "yes" is no question
    assert handed.ticket == (await rig.ticket()).number


async def test_a_turn_without_a_reply_is_kept_too(rig: Rig) -> None:
    conversation = await rig.hear("hello?")
    assert await rig.turns.plan(conversation) is not None
    assert await rig.turns.give_up(conversation, "the assistant did not reply in time")
    (turn,) = await logged(rig)
    assert (turn.text, turn.deed, turn.upshot) == ("hello?", Deed.FAILED, Upshot.ESCALATED)
    assert turn.reason == "the assistant did not reply in time"


async def test_turns_are_filtered_and_counted(rig: Rig) -> None:
    conversation = await rig.hear("parrot?")
    await take_turn(rig, conversation, searched("parrot?", Outcome.HAND_OFF), Say(text="Hm."))
    await rig.hear("hello")
    await take_turn(rig, conversation, Understanding(), Say(text="Hello."))
    assert [turn.text for turn in await logged(rig, only_missed=True)] == ["parrot?"]
    assert [turn.text for turn in await logged(rig, words="hel ask_question")] == ["hello"]
    assert await logged(rig, language="es") == []
    assert [turn.text for turn in await logged(rig, deed=Deed.TALKED)] == ["hello"]
    async with rig.sessions() as session:
        counts = await turn_counts(session, TurnFilter())
    assert counts == {Deed.TALKED: 1, Deed.UNANSWERED: 1}


async def _offered(rig: Rig, question: str) -> ConversationId:
    await with_article(rig.sessions)
    conversation = await rig.hear(question)
    told = searched(question, Outcome.OFFER)
    await take_turn(rig, conversation, told, Offer(articles=(VPN,)))
    return conversation


async def test_an_offer_is_missed_once_the_conversation_went_on_without_it(rig: Rig) -> None:
    conversation = await _offered(rig, "how do I get in from home")
    await rig.hear("never mind, thanks")
    await take_turn(rig, conversation, Understanding(), Say(text="You are welcome"))
    offers = Offers(rig.sessions, rig.clock)
    assert await offers.pass_over_due() == 0  # a choice may be on its way
    rig.clock.advance(minutes=11)
    assert await offers.pass_over_due() == 1
    offer, _ = await logged(rig)
    assert (offer.upshot, offer.is_missed) == (Upshot.IGNORED, True)


async def test_an_offer_that_was_taken_is_not_missed(rig: Rig) -> None:
    conversation = await _offered(rig, "how do I get in from home")
    await rig.hear("the first one")
    await take_turn(rig, conversation, Understanding(), Answer(article=VPN, score=0.9))
    rig.clock.advance(days=2)
    assert await Offers(rig.sessions, rig.clock).pass_over_due() == 0


async def test_an_offer_that_is_taken_late_is_missed_no_more(rig: Rig) -> None:
    conversation = await _offered(rig, "how do I get in from home")
    await rig.hear("one moment")
    await take_turn(rig, conversation, Understanding(), Say(text="Take your time"))
    rig.clock.advance(minutes=11)
    assert await Offers(rig.sessions, rig.clock).pass_over_due() == 1
    await rig.hear("the first one")
    await take_turn(rig, conversation, Understanding(), Answer(article=VPN, score=0.9))
    offer = (await logged(rig))[0]
    assert (offer.upshot, offer.is_missed) == (None, False)


async def test_an_offer_that_was_passed_over_stays_missed_whatever_else_is_answered(
    rig: Rig,
) -> None:
    conversation = await _offered(rig, "how do I get in from home")
    other = Article(id=ArticleId("mail"), language="en", title="Read your mail", body="Open it.")
    await Knowledge(rig.sessions).create(other)
    rig.clock.advance(minutes=11)
    await rig.hear("another thing")
    await take_turn(rig, conversation, Understanding(), Answer(article=other.id, score=0.9))
    assert await Offers(rig.sessions, rig.clock).pass_over_due() == 1
    await rig.hear("and mail again")
    await take_turn(rig, conversation, Understanding(), Answer(article=other.id, score=0.9))
    offer = (await logged(rig))[0]
    assert (offer.upshot, offer.is_missed) == (Upshot.IGNORED, True)


async def test_an_offer_that_ends_a_conversation_is_missed_after_a_day(rig: Rig) -> None:
    await _offered(rig, "how do I get in from home")
    rig.clock.advance(hours=23)
    assert await Offers(rig.sessions, rig.clock).pass_over_due() == 0
    rig.clock.advance(hours=2)
    assert await Offers(rig.sessions, rig.clock).pass_over_due() == 1
