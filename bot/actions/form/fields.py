"""Knows the fields a form asks for, their names in both languages, and how an answer is read."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from types import MappingProxyType
from typing import Any, Literal, get_args

from actions.form.dates import read_day
from components.folding import plain

Kind = Literal["text", "urgency", "time", "choice", "number", "date"]

MAX_VALUE = 4_000
"""Characters of one answer that are kept."""

URGENCIES = ("low", "normal", "high", "urgent")

_URGENCY = MappingProxyType(
    {
        "urgent": r"\b(?:urgent(?:e|isimo)?|critical|critic[oa]|asap|immediately|inmediat\w*|now|ya"
        r"|right away|emergency|cuanto antes|can(?:no|')?t work|no puedo trabajar|4)\b",
        "high": r"\b(?:high|alt[oa]|very|muy|important(?:e)?|bastante|soon|pronto|today|hoy|3)\b",
        "low": r"\b(?:low|baj[oa]|no (?:rush|hurry|hay prisa|es urgente|corre prisa|hay apuro)"
        r"|not (?:\w+ )?urgent|sin prisa|whenever|cuando pueda[ns]?|poc[oa]|minor|1)\b",
        "normal": r"\b(?:normal|medium|medi[oa]|regular|standard|moderate|mas o menos|so so|2)\b",
    }
)
_URGENCY_IN_LETTER: Mapping[str, str] = MappingProxyType(
    {
        "low": r"\b(?:no (?:rush|hurry|hay prisa|es urgente|corre prisa|hay apuro)"
        r"|not (?:\w+ )?urgent|sin prisa|low priority|prioridad baja)\b",
        "urgent": r"\b(?:urgent(?:e|isimo|ly|emente)?|asap|as soon as possible|cuanto antes"
        r"|can(?:not|'?t| not) work|no puedo trabajar)\b",
    }
)
"""What says in passing how urgent a letter is: most words of `_URGENCY` say other things there."""

_TIME = re.compile(
    r"\b(?:since|desde|ago|hace|yesterday|today|tonight|this (?:morning|afternoon|week|month)"
    r"|last (?:night|week|month|year)|ayer|anteayer|antier|hoy|esta (?:manana|tarde|semana|noche)"
    r"|anoche|la semana pasada|el mes pasado|el ano pasado"
    r"|(?:mon|tues|wednes|thurs|fri|satur|sun)day|lunes|martes|miercoles|jueves|viernes|sabado"
    r"|domingo|january|february|march|april|june|july|august|september|october|november|december"
    r"|enero|febrero|marzo|abril|mayo|junio|julio|agosto|septiembre|octubre|noviembre|diciembre"
    r"|\d{1,2}[:/.-]\d{1,2}(?:[/.-]\d{2,4})?|\d{4}-\d\d-\d\d"
    r"|\d+ (?:minute|hour|day|week|month|minuto|hora|dia|semana|mes)(?:e?s)?)\b"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One thing a form asks for."""

    name: str
    kind: Kind = "text"
    label: str = ""  # in the requester's language; of the fields built in, `LABELS` has it
    choices: tuple[tuple[str, str], ...] = ()  # value and label of each, where `kind` is "choice"
    required: bool = True
    most: int = MAX_VALUE  # characters of an answer in words

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Field:
        """Return the field in `stored`; a kind that is not known is text."""
        known: dict[str, Kind] = {kind: kind for kind in get_args(Kind)}
        return cls(
            name=str(stored["name"]),
            kind=known.get(str(stored.get("kind")), "text"),
            label=str(stored.get("label") or ""),
            choices=tuple((str(value), str(label)) for value, label in stored.get("choices") or ()),
            required=bool(stored.get("required", True)),
            most=int(stored.get("most") or MAX_VALUE),
        )

    def json(self) -> dict[str, Any]:
        """Return the field as a slot can hold it."""
        return asdict(self)

    def title(self, language: str) -> str:
        """Return what the field is called in `language`."""
        return self.label or LABELS[language].get(self.name, self.name)

    def read(self, said: str) -> str | None:
        """Return the value that `said` gives, or None where it gives none."""
        match self.kind:
            case "urgency":
                return read_urgency(said)
            case "choice":
                return _read_choice(said, self.choices)
            case "number":
                return _read_number(said)
            case "date":
                day = read_day(said, date.today())
                return None if day is None else day.isoformat()
            case _:
                value = said.strip()[: self.most]
                return value if re.search(r"\w", value) else None


WHAT, URGENCY, SINCE = (
    Field(name="what"),
    Field(name="urgency", kind="urgency"),
    Field(name="since", kind="time", required=False),
)
BUILT_IN: Mapping[str, tuple[Field, ...]] = MappingProxyType(
    {"incident": (WHAT, URGENCY, SINCE), "request": (WHAT, URGENCY)}
)
"""The fields of a form that no catalogue item describes, by its kind."""

LABELS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "en": {"what": "What", "urgency": "Urgency", "since": "Since", "also": "Also"},
        "es": {"what": "Qué", "urgency": "Urgencia", "since": "Desde", "also": "Además"},
    }
)
URGENCY_LABELS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "en": {"low": "low", "normal": "normal", "high": "high", "urgent": "urgent"},
        "es": {"low": "baja", "normal": "normal", "high": "alta", "urgent": "urgente"},
    }
)
_CALLED: Mapping[str, str] = MappingProxyType(
    {
        "what": r"(?:description|problem|what|subject|text|descripcion|problema|asunto|texto|que)",
        "urgency": r"(?:urgency|priority|urgencia|prioridad)",
        "since": r"(?:since(?: when)?|date|start|time|desde(?: cuando)?|fecha|inicio|cuando)",
    }
)
"""How people name the fields built in; a catalogue's field is named by its label."""


def called(field: Field) -> str:
    """Return the pattern by which folded text names `field`."""
    own = re.escape(plain(field.label)) if field.label else None
    return _CALLED.get(field.name) or own or re.escape(plain(field.name))


def read_urgency(text: str) -> str | None:
    """Return the urgency that `text` names, or None."""
    said = plain(text)
    # "not urgent" contains "urgent": what lowers is looked for first.
    for urgency in ("low", "urgent", "high", "normal"):
        if re.search(_URGENCY[urgency], said):
            return urgency
    return None


def urgency_of_letter(text: str) -> str:
    """Return how urgent a whole letter says it is."""
    said = plain(text)
    found = (name for name, words in _URGENCY_IN_LETTER.items() if re.search(words, said))
    return next(found, "normal")


def names_a_time(text: str) -> bool:
    """Say whether `text` names a day, an hour or how long ago."""
    return _TIME.search(plain(text)) is not None


def _read_number(said: str) -> str | None:
    """Return the only number in `said`; a comma may stand before decimals."""
    found = re.findall(r"(?<![\w.,])-?\d{1,15}(?:[.,]\d{1,6})?(?![\w.,]*\d)", said)
    return found[0].replace(",", ".") if len(found) == 1 else None


def _read_choice(said: str, choices: Sequence[tuple[str, str]]) -> str | None:
    words = plain(said).strip(" .!¡¿?")
    for place, (value, label) in enumerate(choices, start=1):
        if words in {plain(value), plain(label), str(place)}:
            return value
    named = [v for v, label in choices if re.search(rf"\b{re.escape(plain(label))}\b", words)]
    return named[0] if len(named) == 1 else None
