"""Reads what an invitation is to, of the iCalendar object that a mail carries (RFC 5545, 6047)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from channels.email.reading import charsets
from channels.email.reading.defects import Defects
from channels.email.reading.parts import Part
from channels.email.reading.plain import single_line, storable
from channels.email.reading.transfer import decoded_content

_MOST_BYTES = 100_000
_MOST_CHARS = 500  # of a title or a place
_PROPERTY = re.compile(r'([A-Za-z-]{1,40})((?:;[^:";]{1,200}(?:"[^"]{0,200}")?){0,20}):(.*)')
_ZONE = re.compile(r';TZID=(?:"([^"]{1,80})"|([^";:]{1,80}))', re.IGNORECASE)
_ESCAPED = re.compile(r"\\([\\;,nN])")
_MEANT = re.compile(r"[\\`*_\[\]<>#~|]")
_METHODS = frozenset({"REQUEST", "CANCEL", "REPLY", "COUNTER", "PUBLISH", "ADD"})


@dataclass(slots=True)
class _Event:
    """The properties of one meeting: parameters and value, by name."""

    properties: dict[str, tuple[str, str]] = field(default_factory=dict)

    def text(self, name: str) -> str:
        _, value = self.properties.get(name, ("", ""))
        plain = _ESCAPED.sub(lambda found: " " if found[1] in "nN" else found[1], value)
        return _MEANT.sub(r"\\\g<0>", single_line(storable(plain))[:_MOST_CHARS].strip())


def is_answer(root: Part) -> bool:
    """Return whether a mail brings somebody's answer to an invitation."""
    return any(_method(part) == "REPLY" for part in _objects(root))


def invitation_of(root: Part, defects: Defects) -> str:
    """Return what a mail invites to, when and where, in CommonMark; empty where it does not."""
    part = next((one for one in _objects(root) if _method(one) in _METHODS), None)
    if part is None:
        return ""
    content = decoded_content(part, defects)[:_MOST_BYTES]
    text, _ = charsets.decode(content, part.type.get("charset") or "utf-8")
    event = _first_event(text)
    if event is None:
        return ""
    title = event.text("SUMMARY")
    lines = [f"**{title}**" if title else "", _when(event), event.text("LOCATION")]
    return "  \n".join(line for line in lines if line)


def _objects(root: Part) -> Iterator[Part]:
    for part in root.walk():
        if part.media_type == "text/calendar" and part.disposition.value != "attachment":
            yield part


def _method(part: Part) -> str:
    return part.type.get("method").upper()


def _first_event(text: str) -> _Event | None:
    event: _Event | None = None
    depth = 0
    unfolded = re.sub(r"\r?\n[ \t]", "", text)
    for line in unfolded.splitlines():
        found = _PROPERTY.fullmatch(line.strip()[:20_000])
        if found is None:
            continue
        name, parameters, value = found[1].upper(), found[2], found[3]
        if name == "BEGIN" and value.upper() == "VEVENT" and event is None:
            event = _Event()
        elif event is not None and name == "BEGIN":
            depth += 1  # an alarm
        elif event is not None and name == "END" and depth:
            depth -= 1
        elif event is not None and name == "END":
            return event
        elif event is not None and not depth:
            event.properties.setdefault(name, (parameters, value))
    return event


def _when(event: _Event) -> str:
    begins, is_day, zone = _moment(event, "DTSTART")
    ends, _, _ = _moment(event, "DTEND")
    if begins is None:
        return ""
    if is_day:
        shown = f"{begins:%Y-%m-%d}"
        if ends is None or ends <= begins:
            return shown
        last = ends - timedelta(days=1)  # the end is exclusive
        return shown if last <= begins else f"{shown} – {last:%Y-%m-%d}"
    shown = f"{begins:%Y-%m-%d %H:%M}"
    if ends is not None and ends > begins:
        is_same_day = ends.date() == begins.date()
        shown += f" – {ends:%H:%M}" if is_same_day else f" – {ends:%Y-%m-%d %H:%M}"
    return f"{shown} ({zone})" if zone else shown


def _moment(event: _Event, name: str) -> tuple[datetime | None, bool, str]:
    """Return a moment, whether it is a whole day, and what its zone is called."""
    parameters, value = event.properties.get(name, ("", ""))
    value = value.strip().upper()
    zone = _ZONE.search(parameters)
    named = _MEANT.sub(r"\\\g<0>", zone[1] or zone[2]) if zone else ""
    shown = "UTC" if value.endswith("Z") else named
    for form in ("%Y%m%dT%H%M%S", "%Y%m%dT%H%M", "%Y%m%d"):
        try:
            moment = datetime.strptime(value.removesuffix("Z"), form)  # noqa: DTZ007  # as it says
        except ValueError:
            continue
        return moment, form == "%Y%m%d", shown
    return None, False, ""
