"""Knows where a turn's facts stand in Rasa's tracker: message, memory, the desk's context."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from rasa_sdk.events import SlotSet
from rasa_sdk.interfaces import Tracker

from actions.form.state import Form
from actions.wording import continues

Event = dict[str, Any]
Pending = Literal[
    "did_help",
    "choose",
    "clarify",
    "human_offer",
    "file_offer",
    "which_ticket",
    "detail",
    "anything_else",
    "item_offer",
]
"""The question the assistant has put and the requester has not answered yet."""

_FOUND_BY_PATTERN = "RegexEntityExtractor"


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """What the conversation is about: a question, and what was asked about it since."""

    question: str
    since: str = ""  # the follow-up last asked
    article_id: str | None = None  # shown as its answer

    @property
    def words(self) -> str:
        """The question and its follow-up, as one to search for."""
        return f"{self.question} {self.since}".strip()

    def followed_by(self, text: str) -> Topic:
        """Return the topic with the follow-up `text`.

        "And on Linux?" takes the place of "and on the Mac?"; "how long does that take?" adds to it.
        """
        since = text if continues(text) else f"{self.since} {text}".strip()
        return Topic(question=self.question, since=since)

    def answered_by(self, article_id: str) -> Topic:
        """Return the topic with the article that was shown for it."""
        return Topic(question=self.question, since=self.since, article_id=article_id)

    def slot(self) -> dict[str, Any]:
        """Return the topic as a slot can hold it."""
        return asdict(self)


class Turn:
    """A typed view of the tracker an action is given."""

    def __init__(self, tracker: Tracker) -> None:
        self._tracker = tracker

    @property
    def conversation(self) -> str | None:
        """The desk's conversation; None on a channel that is not the desk's."""
        name, separator, _ = str(self._tracker.sender_id).partition(":")
        return name if separator else None

    @property
    def text(self) -> str:
        return str(self._tracker.latest_message.get("text") or "")

    @property
    def intent(self) -> str | None:
        name = self._tracker.latest_message.get("intent", {}).get("name")
        return None if name is None else str(name)

    def entity(self, name: str) -> Any:
        """Return what a pressed button carries under `name`, or None."""
        return next(self._tracker.get_latest_entity_values(name), None)

    @property
    def context(self) -> Mapping[str, Any]:
        """What the desk sent along; empty on a channel that is not the desk's."""
        metadata = self._tracker.latest_message.get("metadata") or {}
        context = metadata.get("context")
        return context if isinstance(context, dict) else {}

    @property
    def is_by_letter(self) -> bool:
        """Whether the requester answers in letters: each question more is a letter more."""
        return bool(self.context.get("by_letter"))

    @property
    def tickets(self) -> Sequence[Mapping[str, Any]]:
        """The tickets of who is writing, as far as the desk vouches for them."""
        return self.context.get("tickets") or ()

    @property
    def is_shared(self) -> bool:
        """Whether others read the answer: then `tickets` are those of this place alone."""
        return self.context.get("shared") is True

    @property
    def is_vip(self) -> bool:
        """Whether the desk wants no second try with this requester."""
        return self.context.get("is_vip") is True

    @property
    def language(self) -> str:
        return str(self._tracker.get_slot("language") or "en")

    @property
    def pending(self) -> Pending | None:
        pending: Pending | None = self._tracker.get_slot("pending")
        return pending

    @property
    def question(self) -> str | None:
        """The latest question put to the knowledge base."""
        question = self._tracker.get_slot("question")
        return None if question is None else str(question)

    @property
    def topic(self) -> Topic | None:
        """What was last answered; it outlives the answer, for follow-up questions."""
        stored = self._tracker.get_slot("topic")
        return None if not stored else Topic(**stored)

    @property
    def later(self) -> Sequence[str]:
        """What the requester asked for in the same message and has not been taken up yet."""
        return self._tracker.get_slot("later") or ()

    @property
    def mentioned(self) -> Mapping[str, str]:
        """What the message names, by kind: a device, a product, a date, …"""
        found: dict[str, str] = {}
        for entity in self._tracker.latest_message.get("entities") or ():
            if entity.get("extractor") == _FOUND_BY_PATTERN:
                found.setdefault(str(entity["entity"]), str(entity["value"]))
        return found

    @property
    def details(self) -> Mapping[str, str]:
        """What was named since the matter came up, this message's last."""
        return {**(self._tracker.get_slot("details") or {}), **self.mentioned}

    @property
    def candidates(self) -> Sequence[Mapping[str, Any]]:
        """What the knowledge base found for `question`, best first."""
        return self._tracker.get_slot("candidates") or ()

    @property
    def items(self) -> Sequence[Mapping[str, Any]]:
        """The items of the catalogue that were offered: id and title of each."""
        return self._tracker.get_slot("items") or ()

    @property
    def shown(self) -> Sequence[str]:
        """The articles shown as answers to `question`."""
        return self._tracker.get_slot("shown") or ()

    @property
    def tried_another(self) -> bool:
        return bool(self._tracker.get_slot("tried_another"))

    @property
    def misses(self) -> int:
        """How often in a row the assistant did not know what to answer."""
        return int(self._tracker.get_slot("misses") or 0)

    @property
    def idle(self) -> int:
        """How often in a row the requester said nothing that could be acted on."""
        return int(self._tracker.get_slot("idle") or 0)

    @property
    def greeted(self) -> bool:
        return bool(self._tracker.get_slot("greeted"))

    @property
    def form(self) -> Form | None:
        """The form being filled in, or None."""
        return Form.from_slot(self._tracker.get_slot("form"))

    @property
    def in_form(self) -> bool:
        return bool((self._tracker.active_loop or {}).get("name"))


def remember(**slots: Any) -> list[Event]:
    """Return the events that set `slots`."""
    return [dict(SlotSet(name, value)) for name, value in slots.items()]
