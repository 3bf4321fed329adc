"""Knows the desk's request catalogue: what can be asked for, offered and begun in conversation."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.types import DomainDict

from actions.form.fields import Field
from actions.form.state import Form
from actions.knowledge import Knowledge, KnowledgeUnavailable
from actions.turn import Event, Turn, remember
from actions.wording import place_named, words_of

CHOOSE_ITEM = "choose_item"
MOST_OFFERED = 3  # for a wish; of the whole catalogue, `_MOST_SHOWN`
_MOST_SHOWN = 10
_FEW = 3  # words around a title, as of "the new laptop, please"
_MAX_ANSWER = 2_000  # characters that the desk keeps of one
_ELSE: Mapping[str, str] = {"en": "Something else", "es": "Otra cosa"}
_YES_NO: Mapping[str, tuple[tuple[str, str], ...]] = {
    "en": (("yes", "Yes"), ("no", "No")),
    "es": (("yes", "Sí"), ("no", "No")),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Offered:
    """An item that the requester can choose."""

    id: str
    title: str

    def slot(self) -> dict[str, str]:
        """Return it as a slot can hold it."""
        return asdict(self)


def title_of(item: Mapping[str, Any], language: str) -> str:
    """Return what an item is called in `language`."""
    return str(item["names"].get(language) or item["name"])


def fields_of(item: Mapping[str, Any], language: str) -> tuple[Field, ...]:
    """Return the fields of an item's form, named in `language`."""
    return tuple(_field(one, language) for one in item["fields"])


def form_of(item: Mapping[str, Any], turn: Turn) -> Form:
    """Return the form of `item`, empty."""
    return Form(
        kind="request",
        item=str(item["id"]),
        title=title_of(item, turn.language),
        fields=fields_of(item, turn.language),
        is_by_letter=turn.is_by_letter,
    )


def chosen(offered: Sequence[Mapping[str, Any]], text: str) -> str | None:
    """Return the offered item that `text` names by its place or title, or None."""
    place = place_named(text)
    if place is not None and place < len(offered):
        return str(offered[place]["id"])
    said = " ".join(words_of(text))
    named = [
        one
        for one in offered
        if (title := " ".join(words_of(str(one["title"])))) in said
        # A longer message says something else besides: it is to be understood first.
        and len(said.split()) <= len(title.split()) + _FEW
    ]
    return str(named[0]["id"]) if len(named) == 1 else None


async def wanted(turn: Turn, knowledge: Knowledge, words: str) -> Sequence[Mapping[str, Any]]:
    """Return the items that `words` name; none where the catalogue cannot be read now."""
    try:
        return await knowledge.items(words)
    except KnowledgeUnavailable:
        return ()


def offer(
    dispatcher: CollectingDispatcher, turn: Turn, items: Sequence[Mapping[str, Any]], question: str
) -> list[Event]:
    """Let the requester choose among `items`, which `question` has named."""
    language = turn.language
    offered = [
        Offered(id=str(item["id"]), title=title_of(item, language)) for item in items[:MOST_OFFERED]
    ]
    one = offered[0].title if len(offered) == 1 else None
    dispatcher.utter_message(
        response="utter_offer_item" if one else "utter_offer_items",
        title=one,
        buttons=[*_buttons(offered), {"title": _ELSE[language], "payload": "/deny"}],
    )
    return remember(
        pending="item_offer",
        items=[item.slot() for item in offered],
        question=question,
        idle=0,
    )


class ActionShowCatalogue(Action):
    """Shows what can be asked for."""

    def __init__(self, knowledge: Knowledge | None = None) -> None:
        self._knowledge = knowledge or Knowledge.from_environment()

    def name(self) -> str:
        return "action_show_catalogue"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict
    ) -> list[Event]:
        turn = Turn(tracker)
        items = await wanted(turn, self._knowledge, "")
        if not items:
            dispatcher.utter_message(response="utter_catalogue_is_empty")
            return remember(pending=None, idle=0)
        offered = [
            Offered(id=str(item["id"]), title=title_of(item, turn.language))
            for item in items[:_MOST_SHOWN]
        ]
        is_all = len(items) == len(offered)
        dispatcher.utter_message(
            response="utter_catalogue" if is_all else "utter_some_of_catalogue",
            buttons=_buttons(offered),
        )
        return remember(pending="item_offer", items=[one.slot() for one in offered], idle=0)


class ActionBeginItem(Action):
    """Prepares the form of the item that was chosen, by a button or in words."""

    def __init__(self, knowledge: Knowledge | None = None) -> None:
        self._knowledge = knowledge or Knowledge.from_environment()

    def name(self) -> str:
        return "action_begin_item"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict
    ) -> list[Event]:
        turn = Turn(tracker)
        name = turn.entity("item") or chosen(turn.items, turn.text)
        if name is None and len(turn.items) == 1:
            name = str(turn.items[0]["id"])
        try:
            item = None if name is None else await self._knowledge.item(str(name))
        except KnowledgeUnavailable:
            item = None
        if item is None or item["archived"]:
            # The loop that follows has nothing to ask for, and ends.
            dispatcher.utter_message(response="utter_item_is_gone")
            return remember(form=None, form_answer=None, pending=None)
        return remember(
            form=form_of(item, turn).slot(), form_answer=None, pending=None, items=None, idle=0
        )


def _buttons(offered: Sequence[Offered]) -> list[dict[str, str]]:
    return [
        {"title": one.title, "payload": f"/{CHOOSE_ITEM}{json.dumps({'item': one.id})}"}
        for one in offered
    ]


def _field(asked: Mapping[str, Any], language: str) -> Field:
    choices: tuple[tuple[str, str], ...] = ()
    kind = asked["kind"]
    if kind == "choice":
        labels = asked["choice_labels"].get(language) or asked["choices"]
        choices = tuple(zip(asked["choices"], labels, strict=True))
    elif kind == "yes_no":
        kind, choices = "choice", _YES_NO[language]
    return Field.from_json(
        {
            "name": asked["id"],
            "kind": kind,
            "label": asked["labels"].get(language) or asked["label"],
            "choices": choices,
            "required": asked["required"],
            "most": _MAX_ANSWER,
        }
    )
