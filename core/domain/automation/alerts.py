"""Reads what programs report: Prometheus Alertmanager's notifications, and others by a mapping."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from core.domain.errors import InvalidInput
from core.domain.ticket import Priority

MAX_TEXT_CHARS = 20_000
_MAX_KEY_CHARS = 500
_HALF_PAIR = re.compile("[\ud800-\udfff]")
_MAX_ALERTS = 50
MOST_FIELDS = 30
MOST_OVER_VALUES = 20
MAX_PATH_CHARS = 200

_SEVERITY: Mapping[str, Priority] = {
    "critical": Priority.URGENT,
    "page": Priority.URGENT,
    "error": Priority.HIGH,
    "high": Priority.HIGH,
    "major": Priority.HIGH,
    "warning": Priority.NORMAL,
    "info": Priority.LOW,
    "none": Priority.LOW,
}


class HookFormat(StrEnum):
    """What an address of the desk is told in."""

    ALERTMANAGER = "alertmanager"
    MAPPED = "mapped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """Something that is wrong somewhere, or is right again."""

    key: str  # equal for reports about the same matter
    is_over: bool
    subject: str
    text: str
    priority: Priority | None = None
    category: str = ""  # by name, or by path as "Hardware / Laptop"
    team: str = ""  # by name
    requester: str = ""  # by e-mail address; none: the program itself
    tags: tuple[str, ...] = ()
    fields: Mapping[str, str] = field(default_factory=dict)  # of the category's form, by label


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportMapping:
    """Where a report of another form says what: dotted paths into its JSON, as `incident.id`."""

    key: str
    subject: str
    text: str = ""
    priority: str = ""
    over_path: str = ""
    over_values: tuple[str, ...] = ()
    category: str = ""
    team: str = ""
    requester: str = ""
    tags: str = ""  # where a list of them is, or a text with commas between them
    fields: tuple[tuple[str, str], ...] = ()  # labels of a form's fields, with where each is

    def __post_init__(self) -> None:
        if not self.key.strip() or not self.subject.strip():
            raise InvalidInput("a mapping says where the key and the subject are")
        if len(self.fields) > MOST_FIELDS or not all(
            label.strip() and path.strip() for label, path in self.fields
        ):
            raise InvalidInput("a mapping names up to 30 fields, each with where it is")

    def check(self) -> None:
        """Raise `InvalidInput` where it is not to be kept; what was kept before may be larger."""
        words = [self.key, self.subject, self.text, self.priority, self.over_path, self.category]
        words += [self.team, self.requester, self.tags, *self.over_values]
        words += [word for one in self.fields for word in one]
        if any(len(word) > MAX_PATH_CHARS for word in words):
            raise InvalidInput("a path, label or value in a mapping has up to 200 characters")
        if len(self.over_values) > MOST_OVER_VALUES:
            raise InvalidInput("a mapping names up to 20 values that say that it is over")
        if len({label for label, _ in self.fields}) < len(self.fields):
            raise InvalidInput("a mapping names each field once")


def read_alertmanager(payload: Mapping[str, Any]) -> Alert:
    """Return the alert group in a notification of Alertmanager's webhook (version 4).

    <https://prometheus.io/docs/alerting/latest/configuration/#webhook_config>

    Raises:
        InvalidInput: it is not one.
    """
    key, status = payload.get("groupKey"), payload.get("status")
    alerts = payload.get("alerts")
    if not isinstance(key, str) or not key or status not in {"firing", "resolved"}:
        raise InvalidInput("this is not a notification of Alertmanager: see groupKey and status")
    if not isinstance(alerts, list) or not all(isinstance(one, Mapping) for one in alerts):
        raise InvalidInput("this is not a notification of Alertmanager: alerts is not a list")
    labels = _strings(payload.get("commonLabels"))
    notes = _strings(payload.get("commonAnnotations"))
    name = labels.get("alertname") or _strings(payload.get("groupLabels")).get("alertname", "Alert")
    lines = [notes[key] for key in ("summary", "description") if notes.get(key)]
    lines += [_alert_line(one) for one in alerts[:_MAX_ALERTS]]
    unsaid = payload.get("truncatedAlerts")  # what Alertmanager itself left out
    more = max(0, len(alerts) - _MAX_ALERTS) + (unsaid if isinstance(unsaid, int) else 0)
    if more > 0:
        lines.append(f"… {more} more")
    if isinstance(payload.get("externalURL"), str):
        lines.append(payload["externalURL"])
    where = labels.get("instance") or labels.get("job") or labels.get("service") or ""
    return Alert(
        key=_clean(key, _MAX_KEY_CHARS),
        is_over=status == "resolved",
        subject=_clean(notes.get("summary") or f"{name} {where}".strip(), 120),
        text=_clean("\n".join(lines) or name, MAX_TEXT_CHARS),
        priority=_SEVERITY.get(labels.get("severity", "").lower()),
    )


def read_mapped(payload: Mapping[str, Any], mapping: ReportMapping) -> Alert:
    """Return the alert in a report of the form that `mapping` describes.

    Raises:
        InvalidInput: key or subject is not where the mapping says.
    """
    key, subject = _at(payload, mapping.key), _at(payload, mapping.subject)
    if not key or not subject:
        missing = mapping.key if not key else mapping.subject
        raise InvalidInput(f"the report has nothing at {missing}")
    over = bool(mapping.over_path) and _at(payload, mapping.over_path) in mapping.over_values
    words = _at(payload, mapping.text) if mapping.text else ""
    priority = _at(payload, mapping.priority).lower() if mapping.priority else ""
    return Alert(
        key=_clean(key, _MAX_KEY_CHARS),
        is_over=over,
        subject=_clean(subject, 120),
        text=_clean(words or subject, MAX_TEXT_CHARS),
        priority=Priority(priority) if priority in set(Priority) else _SEVERITY.get(priority),
        category=_at(payload, mapping.category) if mapping.category else "",
        team=_at(payload, mapping.team) if mapping.team else "",
        requester=_requester_at(payload, mapping.requester) if mapping.requester else "",
        tags=_several(payload, mapping.tags) if mapping.tags else (),
        fields={label: said for label, path in mapping.fields if (said := _at(payload, path))},
    )


def _alert_line(alert: Mapping[str, Any]) -> str:
    labels, notes = _strings(alert.get("labels")), _strings(alert.get("annotations"))
    named = ", ".join(f"{k}={v}" for k, v in sorted(labels.items()) if k != "alertname")
    said = notes.get("summary") or notes.get("description") or labels.get("alertname") or "alert"
    state = "resolved" if alert.get("status") == "resolved" else "firing"
    since = alert.get("startsAt")
    when = f" since {since}" if isinstance(since, str) and state == "firing" else ""
    return f"- {state}{when}: {said}" + (f" ({named})" if named else "")


def _strings(value: Any) -> Mapping[str, str]:
    if not isinstance(value, Mapping):
        return {}
    return {str(key): str(one) for key, one in value.items() if isinstance(one, str | int | float)}


def _at(payload: Any, path: str) -> str:
    return _storable(_said_at(payload, path))


def _requester_at(payload: Any, path: str) -> str:
    # What is cut or has NUL in it is nobody's address, and must not become one by a mend.
    return _HALF_PAIR.sub("\x00", _said_at(payload, path)).strip()


def _said_at(payload: Any, path: str) -> str:
    found = _found(payload, path)
    if found is None:
        return ""
    return found if isinstance(found, str) else json.dumps(found, ensure_ascii=False)


def _several(payload: Any, path: str) -> tuple[str, ...]:
    found = _found(payload, path)
    parts = found if isinstance(found, list) else str(found or "").split(",")
    return tuple(words for one in parts if (words := _storable(str(one)).strip()))


def _found(payload: Any, path: str) -> Any:
    for step in path.split("."):
        if isinstance(payload, Mapping):
            payload = payload.get(step)
        elif isinstance(payload, Sequence) and not isinstance(payload, str) and step.isdecimal():
            payload = payload[int(step)] if int(step) < len(payload) else None
        else:
            return None
    return payload


def _clean(words: str, chars: int) -> str:
    return _storable(words)[:chars].strip() or "?"


def _storable(words: str) -> str:
    """Return `words` without what no database takes: NUL, and halves of UTF-16 pairs."""
    return words.replace("\x00", "").encode(errors="replace").decode()
