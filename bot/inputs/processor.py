"""Knows how one turn runs through Rasa: whole and saved, or failed and without a trace.

Rasa's own processor logs a failed action and goes on without its events, its agent hides a broken
tracker store behind one in memory, calling an action costs it more than the rest of the turn, and
it plans its graph anew for every message. The classes here change that, and nothing else.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rasa.core.actions.action import Action, ActionExecutionRejection, RemoteAction
from rasa.core.agent import Agent
from rasa.core.channels.channel import CollectingOutputChannel, OutputChannel, UserMessage
from rasa.core.nlg import NaturalLanguageGenerator
from rasa.core.policies.policy import PolicyPrediction
from rasa.core.processor import MessageProcessor
from rasa.core.tracker_store import InMemoryTrackerStore, TrackerStore
from rasa.exceptions import ActionLimitReached
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import BotUttered, Event, SlotSet, UserUttered
from rasa.shared.core.trackers import DialogueStateTracker
from rasa.utils.endpoints import ClientResponseError, EndpointConfig
from rasa_sdk.executor import ActionExecutor
from rasa_sdk.interfaces import ActionExecutionRejection as RejectedByAction

from actions.form.moves import skips
from actions.form.state import Form
from actions.form.steps import FORM_ANSWER
from actions.handing_over import BY_INTENT
from actions.topics import MOST, joints
from inputs.graph import InOrder
from inputs.meaning import STANDS_WHOLE, are_two, meant_in, meant_while, stated
from inputs.turn import TurnRequest, output_of, said_once, understood_of

NO_WORDS = "no_words"
ENDING = frozenset({"handoff", "open_ticket", "close"})  # commands after which others have the word
_MOST_JOINTS = 3  # places that are looked at: each costs understanding two texts
_PART = "#part-"  # between a turn's id and the place of a later part of its message


class TurnFailed(RuntimeError):
    """The turn could not be run to its end; nothing of it was saved."""


class _Watched(Action):
    """An action whose failure is remembered, because the caller swallows it."""

    def __init__(self, action: Action) -> None:
        self._action = action
        self.failure: Exception | None = None

    def name(self) -> str:
        return str(self._action.name())

    def event_for_successful_execution(self, prediction: PolicyPrediction) -> Any:
        return self._action.event_for_successful_execution(prediction)

    async def run(
        self,
        output_channel: OutputChannel,
        nlg: NaturalLanguageGenerator,
        tracker: DialogueStateTracker,
        domain: Domain,
    ) -> list[Event]:
        try:
            return list(await self._action.run(output_channel, nlg, tracker, domain) or [])
        except ActionExecutionRejection:  # a form steps aside: part of a normal turn
            raise
        except Exception as error:
            self.failure = error
            raise


class _ActionInProcess(RemoteAction):
    """An action of ours: what it returns needs no check against the wire's JSON schema.

    That check takes Rasa 30 ms a call, more than everything else in the turn together.
    """

    def _validate_action_result(self, result: dict[str, Any]) -> bool:
        return True


class TurnProcessor(MessageProcessor):
    """Rasa's processor, made to run one turn all or nothing and once per turn id."""

    @classmethod
    def sharing(cls, loaded: MessageProcessor) -> TurnProcessor:
        """Return a processor over the model and stores that `loaded` holds."""
        processor = cls.__new__(cls)
        processor.__dict__.update(loaded.__dict__)
        return processor

    async def reply(self, turn: TurnRequest) -> dict[str, Any]:
        """Run `turn`, or find it in the saved conversation, and return the reply's body.

        The caller holds the conversation's lock. Raises whatever went wrong; then nothing of the
        turn was saved and it may be tried again.
        """
        tracker = await self.fetch_tracker_and_update_session(turn.sender_id)
        replayed = _position(tracker, turn.turn_id) is not None
        if not replayed:
            await self._run(turn, tracker)
            await self.save_tracker(tracker)
        return _body(tracker, turn.turn_id, replayed=replayed)

    async def _run(self, turn: TurnRequest, tracker: DialogueStateTracker) -> None:
        """Run the turn; a second matter of a message follows as soon as the first is settled."""
        if not tracker.get_slot("language_pinned"):
            tracker.update(SlotSet("language", turn.language), self.domain)
        channel = CollectingOutputChannel()
        understood, *later = await self._understand(turn, tracker)
        if later:
            waiting = [*(part["text"] for part in later), *(tracker.get_slot("later") or ())]
            tracker.update(SlotSet("later", waiting), self.domain)
        await self._hear(turn, turn.turn_id, understood, tracker, channel)
        if later:
            await self._say(tracker, "utter_one_after_the_other", first=understood["text"])
        await self._act(tracker, channel)
        for place in range(1, MOST):
            waiting = tracker.get_slot("later") or []
            if not waiting or not self._is_free(tracker, turn.turn_id):
                return
            tracker.update(SlotSet("later", waiting[1:] or None), self.domain)
            tracker.update(SlotSet("topic", None), self.domain)
            parsed = await self._parsed(waiting[0], tracker)
            await self._hear(turn, f"{turn.turn_id}{_PART}{place}", parsed, tracker, channel)
            await self._say(tracker, "utter_next_matter", next=waiting[0])
            await self._act(tracker, channel)

    async def _hear(
        self,
        turn: TurnRequest,
        message_id: str,
        understood: dict[str, Any],
        tracker: DialogueStateTracker,
        channel: CollectingOutputChannel,
    ) -> None:
        message = UserMessage(
            understood["text"],
            channel,
            turn.sender_id,
            parse_data=understood,
            input_channel="desk",
            message_id=message_id,
            metadata={"context": dict(turn.context)},
        )
        await self._handle_message_with_tracker(message, tracker)

    async def _act(self, tracker: DialogueStateTracker, channel: CollectingOutputChannel) -> None:
        tracker = await self.run_action_extract_slots(channel, tracker)
        await self._run_prediction_loop(channel, tracker)

    async def _say(self, tracker: DialogueStateTracker, response: str, **values: str) -> None:
        """Say `response` before an action does: an action of its own would not fit the rules."""
        words = await self.nlg.generate(response, tracker, "desk", **values)
        if words is not None:
            tracker.update(BotUttered(text=words["text"]), self.domain)

    def _is_free(self, tracker: DialogueStateTracker, turn_id: str) -> bool:
        """Say whether the assistant has put no question and still has the word."""
        if tracker.active_loop_name or tracker.get_slot("pending") not in (None, "anything_else"):
            return False
        start = _position(tracker, turn_id) or 0
        said = output_of([event.as_dict() for event in list(tracker.events)[start:]])
        return not any(output.get("name") in ENDING for output in said)

    async def _understand(
        self, turn: TurnRequest, tracker: DialogueStateTracker
    ) -> list[dict[str, Any]]:
        """Return what the message means; more than one where it asks for several things."""
        if turn.choice is not None:
            # Only here can an intent be stated. What a requester writes is never parsed as one.
            entities = [
                {"entity": name, "value": value, "start": 0, "end": 0}
                for name, value in turn.choice.entities.items()
            ]
            return [stated(turn.text, turn.choice.intent, entities)]
        form = Form.from_slot(tracker.get_slot("form")) if tracker.active_loop_name else None
        if not turn.has_words:
            is_answer = form is not None and skips(form, turn.text)
            return [stated(turn.text, FORM_ANSWER if is_answer else NO_WORDS, [])]
        if turn.alarm is not None:
            return [stated(turn.text, turn.alarm, [])]
        parsed = await self.parse_message(UserMessage(turn.spoken), tracker)
        understood = {**parsed, "text": turn.text}
        intent = str(parsed["intent"]["name"])
        if form is not None:
            meant = meant_in(form, intent, turn.spoken)
        else:
            meant = meant_while(
                tracker.get_slot("pending"), intent, turn.spoken, tracker.get_slot("items") or ()
            )
        if meant != intent:
            return [{**understood, **stated(turn.text, meant, parsed["entities"])}]
        if form is not None or intent in BY_INTENT or meant in STANDS_WHOLE:
            return [understood]
        return await self._matters(turn.spoken, tracker) or [understood]

    async def _matters(self, text: str, tracker: DialogueStateTracker) -> list[dict[str, Any]]:
        """Return what `text` asks for, one after the other; nothing where it is one matter."""
        rest = text
        found: list[dict[str, Any]] = []
        while len(found) < MOST - 1:
            for joint in joints(rest)[:_MOST_JOINTS]:
                first = await self._parsed(joint.first, tracker)
                second = await self._parsed(joint.second, tracker)
                if are_two(joint, str(first["intent"]["name"]), str(second["intent"]["name"])):
                    found.append(first)
                    rest = joint.second
                    break
            else:
                break
        return [*found, await self._parsed(rest, tracker)] if found else []

    async def _parsed(self, text: str, tracker: DialogueStateTracker) -> dict[str, Any]:
        parsed = await self.parse_message(UserMessage(text), tracker)
        return {**parsed, "text": text}

    def _check_for_unseen_features(self, parse_data: dict[str, Any]) -> None:
        """Do nothing: Rasa would compare the domain with an empty one for every message.

        What the examples have and the domain has not is told by `rasa data validate`.
        """

    async def _run_action(
        self,
        action: Action,
        tracker: DialogueStateTracker,
        output_channel: OutputChannel,
        nlg: NaturalLanguageGenerator,
        prediction: PolicyPrediction,
    ) -> bool:
        if isinstance(action, RemoteAction) and isinstance(self.action_endpoint, ActionsInProcess):
            action = _ActionInProcess(action.name(), self.action_endpoint)
        watched = _Watched(action)
        goes_on = await super()._run_action(watched, tracker, output_channel, nlg, prediction)
        if watched.failure is not None:
            raise TurnFailed(f"{action.name()} failed") from watched.failure
        return bool(goes_on)

    def predict_next_with_tracker_if_should(
        self, tracker: DialogueStateTracker
    ) -> tuple[Action, PolicyPrediction]:
        try:
            predicted: tuple[Action, PolicyPrediction] = (
                super().predict_next_with_tracker_if_should(tracker)
            )
            return predicted
        except ActionLimitReached as error:  # the caller would stop quietly, half way
            raise TurnFailed("the turn did not come to an end") from error


class DeskAgent(Agent):
    """Rasa's agent over a tracker store whose failures are seen, with a processor of ours."""

    def load_model(self, model_path: str | Path, fingerprint: str | None = None) -> None:
        super().load_model(model_path, fingerprint)
        processor = TurnProcessor.sharing(self.processor)
        processor.graph_runner = InOrder.over(processor.graph_runner)
        self.processor: MessageProcessor = processor

    @staticmethod
    def _create_tracker_store(store: TrackerStore | None, domain: Domain) -> TrackerStore:
        if store is None:
            return InMemoryTrackerStore(domain)
        store.domain = domain
        return store


class ActionsInProcess(EndpointConfig):
    """An action endpoint that is a function call: no connection, no JSON on a wire."""

    def __init__(self, executor: ActionExecutor) -> None:
        super().__init__(url="in-process", enable_selective_domain=True)
        self._executor = executor

    async def request(
        self,
        method: str = "post",
        subpath: str | None = None,
        content_type: str | None = "application/json",
        compress: bool = False,
        **kwargs: Any,
    ) -> Any:
        try:
            return await self._executor.run(kwargs["json"])
        except RejectedByAction as rejection:
            said = {"error": rejection.message, "action_name": rejection.action_name}
            raise ClientResponseError(400, "rejected", json.dumps(said)) from rejection


def _position(tracker: DialogueStateTracker, turn_id: str) -> int | None:
    for index in range(len(tracker.events) - 1, -1, -1):
        event = tracker.events[index]
        if isinstance(event, UserUttered) and event.message_id == turn_id:
            return index
    return None


def _begins_another(event: Event, turn_id: str) -> bool:
    """Whether `event` is a message of another turn; the later parts of a message are of its own."""
    return isinstance(event, UserUttered) and not str(event.message_id).startswith(
        f"{turn_id}{_PART}"
    )


def _parts(events: Sequence[Event]) -> list[list[dict[str, Any]]]:
    """Return the events of a turn, those of each of its message's parts apart."""
    parts: list[list[dict[str, Any]]] = [[]]
    for event in events:
        if isinstance(event, UserUttered):
            parts.append([])
        parts[-1].append(event.as_dict())
    return parts


def _body(tracker: DialogueStateTracker, turn_id: str, *, replayed: bool) -> dict[str, Any]:
    start = _position(tracker, turn_id)
    if start is None:
        raise TurnFailed("the turn left no trace in its conversation")
    events = list(tracker.events)
    # What sets the next turn's language stands before its message; it is not this turn's.
    end = next(
        (i for i in range(start + 1, len(events)) if _begins_another(events[i], turn_id)),
        len(events),
    )
    heard = events[start].as_dict()
    language = next(
        event.value
        for event in reversed(events[: end if end == len(events) else end - 1])
        if isinstance(event, SlotSet) and event.key == "language"
    )
    intent = heard["parse_data"]["intent"]
    return {
        "turn_id": turn_id,
        "output": said_once([output_of(part) for part in _parts(events[start + 1 : end])]),
        "intent": {"name": intent["name"], "confidence": float(intent["confidence"])},
        "language": language,
        "model_id": (heard.get("metadata") or {}).get("model_id"),
        "understood": understood_of(
            heard["parse_data"], [event.as_dict() for event in events[start + 1 : end]]
        ),
        "replayed": replayed,
    }
