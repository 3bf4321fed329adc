"""What an entry of the audit log says below its sentence, in words; exports have the raw values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any
from uuid import UUID

from babel.units import format_unit

from console.named_values import FIXED, KINDS
from console.times import Times
from console.words import (
    assets,
    audit_fields,
    automation,
    classification,
    learning,
    queue,
    sla,
    states,
    teams,
)
from console.words.states import Translate
from core.domain.automation.actions import ActionKind
from core.domain.automation.fields import Field
from core.storage.queries.audit import AuditView
from core.texts import language_name

_NONE: tuple[object, ...] = (None, "", [], {})
_NOTHING = "\N{EN DASH}"
_DAY = 86_400

_TABLES: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "actions.kind": automation.ACTION,
        "account.kind": states.CHANNEL,
        "agent.presence": teams.PRESENCE,
        "asset.status": assets.ASSET_STATUS,
        "catalogue.kind": classification.FIELD_KIND,
        "category.kind": classification.FIELD_KIND,
        "assignees": queue.WHOSE,
        "channels": states.CHANNEL,
        "due_dates": queue.DUE_DATE,
        "example.state": learning.EXAMPLE_STATE,
        "incoming_hook.format": automation.HOOK_FORMAT,
        "kinds": classification.KIND,
        "model.state": learning.MODEL_STATE,
        "priorities": states.PRIORITY,
        "promises": queue.PROMISE,
        "reasons": states.REASON,
        "role": states.ROLE,
        "rule.language": teams.LANGUAGE_NEED,
        "scopes": teams.SCOPE,
        "start": sla.START,
        "statuses": states.STATUS,
        "strategy": teams.STRATEGY,
        "topic.state": audit_fields.TOPIC_STATE,
        "trigger": automation.TRIGGER,
        "visibility": teams.VISIBILITY,
    }
)
"""What values are called, by field, or by area and field."""

_SAID_HERE = frozenset({"address", "old_secret", "secret", "sender", "way", "why"})
"""Fields that say something in a word of the log's own."""

_SECONDS = frozenset({"delay", "remind_after", "lasts", "quiet"})
_MOMENTS = frozenset({"created_before", "created_from", "expires_at", "updated_since"})
_LANGUAGES = frozenset({"language", "languages"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Detail:
    """One field of an entry."""

    label: str
    old: str | None  # None where the entry has no such value, as of something new
    new: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Details:
    """Tells one reader what entries hold."""

    t: Translate
    language: str
    times: Times
    names: Mapping[str, str] = field(default_factory=dict)  # by id, of all that has one
    settings: Mapping[str, str] = field(default_factory=dict)  # labels of accounts' settings

    def of(self, entry: AuditView) -> Sequence[Detail]:
        """Return the fields of an entry that changed, or were given, its name first.

        Of what is new, or gone, those that say nothing are left out.
        """
        area = entry.action.partition(".")[0]
        old, new = entry.old or {}, entry.new or {}
        is_change = entry.old is not None and entry.new is not None
        keys = sorted({**old, **new}, key=lambda key: key != "name")
        return [
            Detail(
                label=self._label(area, key),
                old=self._value(area, key, old[key]) if key in old else None,
                new=self._value(area, key, new[key]) if key in new else None,
            )
            for key in keys
            if is_change or {**old, **new}[key] not in _NONE
        ]

    def _label(self, area: str, key: str) -> str:
        if area == "account" and key in self.settings:
            return self.t(self.settings[key])
        known = audit_fields.LABEL_HERE.get(f"{area}.{key}")
        known = known or audit_fields.LABEL.get(key)
        if known is not None:
            return self.t(known).rstrip(":")
        if key.startswith("level_"):
            return self.t("Level {level}", level=key.removeprefix("level_"))
        if area == "priorities":
            impact, _, urgency = key.partition(", ")
            extents = (self._named("extent", impact), self._named("extent", urgency))
            return "{}: {}, {}: {}".format(
                self.t("Impact"), extents[0], self.t("Urgency"), extents[1]
            )
        return key.replace("_", " ")

    def _value(self, area: str, key: str, value: object) -> str:
        """Return a value as people read it; a dash for nothing."""
        if value in _NONE:
            return _NOTHING
        match value:
            case bool():
                return self.t("Yes") if value else self.t("No")
            case int() if key in _SECONDS:
                return self._length(value)
            case dict() if "comparison" in value:
                return self._condition(value)
            case dict() if key == "actions":
                return self._action(value)
            case dict():
                return self._fields(area, key, value)
            case [untouched, unsolved, onward] if key.startswith("level_"):
                return self._patience(untouched, unsolved, str(onward))
            case list():
                between = "\n" if any(isinstance(one, dict) for one in value) else ", "
                return between.join(self._value(area, key, one) for one in value)
            case _:
                return self._word(area, key, str(value))

    def _fields(self, area: str, key: str, value: Mapping[str, object]) -> str:
        """Return what a value of several fields says, without those that say nothing."""
        found = []
        for name, one in value.items():
            if one in _NONE:
                continue
            if key == "targets" and isinstance(one, int):
                said = sla.target_in_words(one, self.t)
            else:
                said = self._value(area, name, one)
            found.append(f"{self._part(area, key, name)}: {said}")
        return "; ".join(found) or _NOTHING

    def _part(self, area: str, of: str, name: str) -> str:
        """Return what a part of a value is called: a field, or a language where it is by those."""
        if of == "fields" and name not in audit_fields.LABEL:
            return name
        if of in _BY_LANGUAGE or name not in audit_fields.LABEL:
            return language_name(name, self.language)
        return self._label(area, name)

    def _word(self, area: str, key: str, value: str) -> str:
        table = _TABLES.get(f"{area}.{key}", _TABLES.get(key, {}))
        if value in table:
            return self.t(table[value])
        if value in self.names:
            return self.names[value]
        if area == "priorities":
            return self._named("priority", value)
        if area == "request" and key == "why":
            return self.t(value)  # as whoever asked was told
        if key in _SAID_HERE or area == "account":
            return self.t(audit_fields.SAID[value]) if value in audit_fields.SAID else value
        if key in _LANGUAGES:
            return language_name(value, self.language)
        if key in _MOMENTS:
            return self._moment(value)
        return value

    def _moment(self, value: str) -> str:
        try:
            return self.times.exact(datetime.fromisoformat(value))
        except ValueError:  # of another release; entries cannot be mended
            return value

    def _condition(self, value: Mapping[str, Any]) -> str:
        """Return a condition of a rule as its form says it."""
        key, comparison = str(value.get("field")), str(value.get("comparison"))
        said = automation.COMPARISON.get(comparison, comparison)
        wanted = self._wanted(key, str(value.get("value") or ""))
        return " ".join(filter(None, (self._asked(key), self.t(said), wanted)))

    def _action(self, value: Mapping[str, Any]) -> str:
        """Return an action of a rule or a macro as its form says it."""
        kind, _, custom = str(value.get("kind")).partition(":")
        said = self.t(automation.ACTION.get(kind, kind))
        if custom:
            said = f"{said} {self.names.get(custom, custom)}"
        wanted = self._wanted(kind, str(value.get("value") or ""))
        return f"{said}: {wanted}" if wanted else said

    def _asked(self, key: str) -> str:
        name, _, custom = key.partition(":")
        if custom:
            return self.names.get(custom, custom)
        return self.t(automation.FIELD.get(name, name))

    def _wanted(self, of: str, value: str) -> str:
        """Return the values, between `|`, that a condition or an action names."""
        kinds = KINDS.get(of.partition(":")[0], ())
        free = of.partition(":")[0] in (Field.CUSTOM, ActionKind.SET_FIELD)
        kinds = ("yes_no",) if free and value in automation.YES_NO else kinds
        if not kinds:
            return value
        parts = (part.strip() for part in value.split("|"))
        return " | ".join(self._one_of(kinds, part) for part in parts if part)

    def _one_of(self, kinds: Iterable[str], value: str) -> str:
        found = next((kind for kind in kinds if value in FIXED.get(kind, {})), None)
        return self.names.get(value, value) if found is None else self._named(found, value)

    def _named(self, kind: str, value: str) -> str:
        return self.t(FIXED[kind].get(value, value))

    def _patience(self, untouched: object, unsolved: object, onward: str) -> str:
        """Return when tickets of a level go on by themselves, and where to."""
        times = (
            ("Nobody wrote for (minutes)", untouched),
            ("Not solved for (minutes)", unsolved),
        )
        said = [f"{self.t(label)}: {minutes}" for label, minutes in times if minutes]
        said.append(f"{self.t('Escalate to')}: {self._named('onward', onward)}")
        return "; ".join(said)

    def _length(self, seconds: int) -> str:
        for unit, size in (("day", _DAY), ("hour", 3600), ("minute", 60)):
            if seconds >= size and seconds % size == 0:
                return format_unit(seconds // size, f"duration-{unit}", locale=self.language)
        return format_unit(seconds, "duration-second", locale=self.language)


_BY_LANGUAGE = frozenset({"names", "descriptions", "labels", "choice labels", "words"})


def named_in(entries: Iterable[AuditView]) -> set[UUID]:
    """Return every id that entries hold, to find out what it is called."""
    found: set[UUID] = set()
    for entry in entries:
        for kept in (entry.old, entry.new):
            _gather(kept, found)
    return found


def _gather(value: object, found: set[UUID]) -> None:
    match value:
        case dict():
            for one in value.values():
                _gather(one, found)
        case list():
            for one in value:
                _gather(one, found)
        case str():
            for part in value.replace(":", "|").split("|"):
                if (key := _id(part.strip())) is not None:
                    found.add(key)


def _id(text: str) -> UUID | None:
    if len(text) != _ID_CHARS:
        return None
    try:
        return UUID(text)
    except ValueError:
        return None


_ID_CHARS = 36
