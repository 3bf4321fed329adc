"""Knows what follows from a question: an answer, a choice, another try, or a human."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.types import DomainDict

from actions import commands
from actions.catalogue import offer, wanted
from actions.follow_up import Finding, look_up
from actions.handed_back import handed_back
from actions.handing_over import hand_over, most_misses, unsure_reason
from actions.knowledge import Found, Knowledge, KnowledgeUnavailable
from actions.talking import farewell
from actions.trouble import reports_trouble
from actions.turn import Event, Topic, Turn, remember
from actions.wording import place_named, states_a_need, telling_words
from components.folding import plain

_MAX_OFFERED = 3
_MAX_TELLING = 2  # words of a message that says nothing but that something is wrong


async def ask(dispatcher: CollectingDispatcher, turn: Turn, knowledge: Knowledge) -> list[Event]:
    """Put the requester's message to the knowledge base and answer by its verdict."""
    try:
        finding = await look_up(turn, knowledge)
    except KnowledgeUnavailable:
        return hand_over(dispatcher, turn, reason="knowledge_unavailable")
    found = finding.found
    # Who writes on instead of choosing has turned the choice down.
    misses = turn.misses + (turn.pending == "choose")
    told = remember(look_up=told_of(finding))
    kept = [*told, *_new_question(turn, finding)]
    if finding.is_same_article:
        title = found.articles[0]["title"]
        dispatcher.utter_message(response="utter_all_i_know", title=title)
        return [*told, *remember(misses=0, pending="human_offer", idle=0)]
    if is_vague(turn) and found.outcome != "answer":
        return [*kept, *_clarify(dispatcher, turn, found)]
    if found.outcome == "answer":
        return [*kept, *remember(misses=0), *show(dispatcher, finding)]
    if found.outcome == "offer" and misses < most_misses(turn):
        dispatcher.utter_message(response="utter_is_it_one_of_these")
        _offer(dispatcher, found)
        return [*kept, *remember(misses=misses, pending="choose")]
    if found.outcome == "hand_off" and states_a_need(turn.text):
        dispatcher.utter_message(response="utter_shall_i_file_it")
        return [*kept, *remember(misses=misses, pending="file_offer")]
    if found.outcome == "hand_off":
        misses += 1
    if misses >= most_misses(turn):
        return [*told, *_give_up(dispatcher, turn)]
    dispatcher.utter_message(response="utter_no_answer_offer_human")
    return [*kept, *remember(misses=misses, pending="human_offer")]


def told_of(finding: Finding) -> dict[str, Any]:
    """Return what people who improve the assistant see of a search."""
    return {
        "question": finding.topic.words,
        "outcome": finding.found.outcome,
        "articles": list(finding.found.articles),
    }


def is_vague(turn: Turn) -> bool:
    """Say whether the message only says that something is wrong."""
    return turn.intent == "vague_problem" and len(telling_words(turn.text)) <= _MAX_TELLING


def _clarify(dispatcher: CollectingDispatcher, turn: Turn, found: Found | None) -> list[Event]:
    """Ask once what is wrong, with what it may be; the second time a human asks."""
    misses = turn.misses + 1 + (turn.pending == "choose")
    if misses >= most_misses(turn):
        return _give_up(dispatcher, turn)
    dispatcher.utter_message(response="utter_what_is_wrong")
    if found is not None and found.outcome == "offer":
        _offer(dispatcher, found)
    return remember(misses=misses, pending="clarify")


def _give_up(dispatcher: CollectingDispatcher, turn: Turn) -> list[Event]:
    return hand_over(dispatcher, turn, reason=unsure_reason(turn))


def _offer(dispatcher: CollectingDispatcher, found: Found) -> None:
    offered = [article["article_id"] for article in found.articles[:_MAX_OFFERED]]
    commands.offer(dispatcher, article_ids=offered)


def show(dispatcher: CollectingDispatcher, finding: Finding) -> list[Event]:
    best = finding.found.articles[0]
    commands.answer(dispatcher, article_id=best["article_id"], score=best["score"])
    return remember(
        shown=[best["article_id"]],
        topic=finding.topic.answered_by(best["article_id"]).slot(),
        pending="did_help",
    )


def show_chosen(dispatcher: CollectingDispatcher, turn: Turn, article_id: str) -> list[Event]:
    score = next((c["score"] for c in turn.candidates if c["article_id"] == article_id), 0.0)
    commands.answer(dispatcher, article_id=article_id, score=score)
    topic = Topic(question=turn.question or turn.text, article_id=article_id)
    return remember(
        shown=[*turn.shown, article_id], topic=topic.slot(), pending="did_help", misses=0, idle=0
    )


def glad(dispatcher: CollectingDispatcher, turn: Turn) -> list[Event]:
    dispatcher.utter_message(response="utter_glad" if turn.later else "utter_glad_anything_else")
    return remember(
        pending="anything_else", question=None, candidates=None, shown=None, tried_another=False,
        misses=0, idle=0, details=None, feedback="helped",
    )  # fmt: skip


def not_helped(dispatcher: CollectingDispatcher, turn: Turn) -> list[Event]:
    """Show another article once, ask for other words after a choice, then bring in a human."""
    return [*remember(feedback="not_helped"), *_after_not_helping(dispatcher, turn)]


def _after_not_helping(dispatcher: CollectingDispatcher, turn: Turn) -> list[Event]:
    if turn.pending in ("choose", "clarify"):
        return _choice_turned_down(dispatcher, turn)
    if not turn.shown:
        if handed_back(turn) is not None and turn.question is None:
            return hand_over(
                dispatcher, turn, reason="not_helped", response="utter_colleague_did_not_solve_it"
            )
        return [*remember(question=turn.text), *_clarify(dispatcher, turn, None)]
    another = _next_candidate(turn)
    if turn.tried_another or another is None:
        return hand_over(dispatcher, turn, reason="not_helped")
    dispatcher.utter_message(response="utter_try_another")
    commands.answer(dispatcher, article_id=another["article_id"], score=another["score"])
    topic = turn.topic or Topic(question=turn.question or turn.text)
    return remember(
        shown=[*turn.shown, another["article_id"]],
        topic=topic.answered_by(another["article_id"]).slot(),
        tried_another=True,
        pending="did_help",
    )


def _choice_turned_down(dispatcher: CollectingDispatcher, turn: Turn) -> list[Event]:
    misses = turn.misses + 1
    if misses >= most_misses(turn):
        return _give_up(dispatcher, turn)
    dispatcher.utter_message(response="utter_rephrase_or_human")
    return remember(misses=misses, pending=None)


def _new_question(turn: Turn, finding: Finding) -> list[Event]:
    is_new = finding.topic.question == turn.text
    return remember(
        question=finding.topic.words,
        candidates=list(finding.found.articles) if finding.found.outcome != "hand_off" else None,
        shown=None,
        tried_another=False,
        idle=0,
        details=dict(turn.mentioned if is_new else turn.details),
    )


def _next_candidate(turn: Turn) -> Mapping[str, Any] | None:
    return next((c for c in turn.candidates if c["article_id"] not in turn.shown), None)


def chosen_in_words(turn: Turn) -> str | None:
    """Return the offered article that the text names by its place or title, or None."""
    said = plain(turn.text).strip(" .!")
    named = place_named(turn.text)
    for place, candidate in enumerate(turn.candidates[:_MAX_OFFERED]):
        if place == named or said == plain(candidate["title"]).strip(" .!"):
            return str(candidate["article_id"])
    return None


class ActionAnswer(Action):
    """Takes the message for a question, which is what most messages are."""

    def __init__(self, knowledge: Knowledge | None = None) -> None:
        self._knowledge = knowledge or Knowledge.from_environment()

    def name(self) -> str:
        return "action_answer"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict
    ) -> list[Event]:
        turn = Turn(tracker)
        if turn.pending == "did_help" and is_vague(turn):
            return not_helped(dispatcher, turn)
        article_id = chosen_in_words(turn) if turn.pending in ("choose", "clarify") else None
        if article_id is not None:
            return show_chosen(dispatcher, turn, article_id)
        is_wish = turn.intent == "request_item" or states_a_need(turn.text)
        if is_wish and not reports_trouble(turn.text):
            items = await wanted(turn, self._knowledge, turn.text)
            if items:
                return [*offer(dispatcher, turn, items, turn.text), *remember(misses=0)]
        return await ask(dispatcher, turn, self._knowledge)


class ActionChooseArticle(Action):
    """The requester pressed one of the offered articles."""

    def name(self) -> str:
        return "action_choose_article"

    def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict
    ) -> list[Event]:
        turn = Turn(tracker)
        article_id = turn.entity("article_id")
        if not isinstance(article_id, str):
            dispatcher.utter_message(response="utter_tell_me_more")
            return []
        return show_chosen(dispatcher, turn, article_id)


class ActionHelped(Action):
    """The answer helped."""

    def name(self) -> str:
        return "action_helped"

    def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict
    ) -> list[Event]:
        return glad(dispatcher, Turn(tracker))


class ActionNotHelped(Action):
    """The answer did not help, or none of the offered articles is meant."""

    def name(self) -> str:
        return "action_not_helped"

    def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict
    ) -> list[Event]:
        return not_helped(dispatcher, Turn(tracker))


class ActionAffirm(Action):
    """A "yes", read as the answer to the question that is open."""

    def __init__(self, knowledge: Knowledge | None = None) -> None:
        self._knowledge = knowledge or Knowledge.from_environment()

    def name(self) -> str:
        return "action_affirm"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict
    ) -> list[Event]:
        turn = Turn(tracker)
        match turn.pending:
            case "did_help":
                return glad(dispatcher, turn)
            case "human_offer":
                return hand_over(dispatcher, turn, reason="out_of_scope_accepted")
            case "choose" if len(turn.candidates) == 1:
                return show_chosen(dispatcher, turn, turn.candidates[0]["article_id"])
            case "choose" | "item_offer":
                dispatcher.utter_message(response="utter_which_one")
                return []
            case _:
                dispatcher.utter_message(response="utter_go_ahead")
                return remember(pending=None)


class ActionDeny(Action):
    """A "no", read as the answer to the question that is open."""

    def name(self) -> str:
        return "action_deny"

    def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict
    ) -> list[Event]:
        turn = Turn(tracker)
        match turn.pending:
            case "did_help" | "choose":
                return not_helped(dispatcher, turn)
            case "item_offer":
                dispatcher.utter_message(response="utter_rephrase_or_human")
                return remember(pending=None, items=None, misses=0)
            case "anything_else":
                return farewell(dispatcher)
            case _:
                # Who turns a human down once is not handed over for the next unknown question.
                dispatcher.utter_message(response="utter_fine")
                return remember(pending=None, misses=0)
