"""Knows the courtesies: greeting once, thanks, goodbye, the language, a message without words."""

from __future__ import annotations

from rasa_sdk import Action, Tracker
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.types import DomainDict

from actions import commands
from actions.handed_back import handed_back
from actions.handing_over import hand_over
from actions.language import wanted_language
from actions.turn import Event, Turn, remember

_MAX_IDLE = 3  # messages in a row that say nothing; then a human looks


def farewell(dispatcher: CollectingDispatcher) -> list[Event]:
    dispatcher.utter_message(response="utter_goodbye")
    commands.close(dispatcher, reason="goodbye")
    return remember(pending=None)


class ActionGreet(Action):
    """Greets: fully the first time, briefly later, and knows a conversation handed back."""

    def name(self) -> str:
        return "action_greet"

    def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict
    ) -> list[Event]:
        turn = Turn(tracker)
        before = handed_back(turn)
        if not turn.greeted and before is not None and before.said:
            dispatcher.utter_message(response="utter_greet_after", who=before.who)
        elif turn.greeted or turn.context.get("summary"):
            dispatcher.utter_message(response="utter_greet_again")
        else:
            name = turn.context.get("requester_name")
            called = f", {name}" if isinstance(name, str) and name.strip() else ""
            dispatcher.utter_message(response="utter_greet", called=called)
        return remember(greeted=True)


class ActionThanks(Action):
    """Thanks after an answer say that it helped."""

    def name(self) -> str:
        return "action_thanks"

    def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict
    ) -> list[Event]:
        later = Turn(tracker).later
        dispatcher.utter_message(
            response="utter_you_are_welcome_and" if later else "utter_you_are_welcome"
        )
        return remember(pending="anything_else", misses=0, idle=0)


class ActionGoodbye(Action):
    """Says goodbye, and closes where nothing is open."""

    def name(self) -> str:
        return "action_goodbye"

    def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict
    ) -> list[Event]:
        if Turn(tracker).pending == "human_offer":
            dispatcher.utter_message(response="utter_goodbye")
            return remember(pending=None)
        return farewell(dispatcher)


class ActionDeclineHuman(Action):
    """The requester does not want the human that was offered."""

    def name(self) -> str:
        return "action_decline_human"

    def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict
    ) -> list[Event]:
        dispatcher.utter_message(response="utter_fine")
        return remember(pending=None, misses=0)


class ActionSwitchLanguage(Action):
    """Follows an explicit wish for a language and keeps to it."""

    def name(self) -> str:
        return "action_switch_language"

    def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict
    ) -> list[Event]:
        turn = Turn(tracker)
        language = wanted_language(turn.text)
        if language is None:
            return remember(language_switched=False)
        commands.set_language(dispatcher, language=language)
        return remember(language=language, language_pinned=True, language_switched=True)


class ActionAskAgain(Action):
    """Answers a message without words: asks, and after some of them in a row brings in a human."""

    def name(self) -> str:
        return "action_ask_again"

    def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict
    ) -> list[Event]:
        turn = Turn(tracker)
        idle = turn.idle + 1
        if idle >= _MAX_IDLE:
            return hand_over(dispatcher, turn, reason="loop")
        dispatcher.utter_message(response="utter_please_write")
        return remember(idle=idle)
