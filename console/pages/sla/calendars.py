"""Calendars of business hours, for leads and admins to keep."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from babel import Locale
from fastapi import APIRouter, Request
from starlette.datastructures import FormData
from starlette.responses import RedirectResponse, Response

from console.desk import desk_of
from console.pages.meanwhile import revision_in
from console.pages.session import Leads, Readers, form_of, text_field
from console.pages.view import ZONE_COOKIE, language_of, page, translator
from console.times import Times
from console.words.errors import error_in_words
from console.words.sla import impossible_in_words
from core.domain.calendars.arithmetic import BusinessHours
from core.domain.calendars.calendar import Calendar, ImpossibleCalendar, hours_text, time_zones
from core.domain.calendars.public_holidays import countries, public_holidays, region_names
from core.domain.errors import DeskError
from core.services.sla.calendars import CalendarForm
from core.storage.engine import storage_errors
from core.storage.queries.feed import feed_end
from core.storage.queries.sla import CalendarView, calendar_view, list_calendars

router = APIRouter(prefix="/console/admin/calendars")

_OWN_DAY = re.compile(
    r"^(?P<day>\S+)\s*(?P<hours>(?:\d{1,2}:\d{2}\s*[-–]\s*\d{1,2}:\d{2}\s*,?\s*)*)(?P<name>.*)$"  # noqa: RUF001
)
_CLOSED = ("closed", "cerrado")
_PREVIEW_DAYS = 14


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A calendar's form as somebody filled it in."""

    name: str = ""
    zone: str = "UTC"
    week: Sequence[str] = ("09:00-17:00",) * 5 + ("", "")
    country: str = ""
    region: str = ""
    own_days: str = ""  # one a line: day, hours, name
    is_default: bool = False
    revision: int = 0

    @classmethod
    def of(cls, view: CalendarView) -> Draft:
        """Return the form of a stored calendar."""
        lines = (
            " ".join(filter(None, (own["day"], own.get("hours", ""), own.get("name", ""))))
            for own in view.own_days
        )
        return cls(
            name=view.name,
            zone=view.zone,
            week=view.week,
            country=view.country or "",
            region=view.region or "",
            own_days="\n".join(lines),
            is_default=view.is_default,
            revision=view.revision,
        )

    @classmethod
    def from_form(cls, form: FormData) -> Draft:
        """Return what was filled in."""
        return cls(
            name=text_field(form, "name"),
            zone=text_field(form, "zone").strip(),
            week=[text_field(form, f"day{number}") for number in range(7)],
            country=text_field(form, "country"),
            region=text_field(form, "region"),
            own_days=text_field(form, "own_days").replace("\r\n", "\n"),
            is_default=text_field(form, "is_default") == "yes",
            revision=revision_in(form) or 0,
        )

    def form(self) -> CalendarForm:
        """Return what the desk is asked to keep."""
        return CalendarForm(
            name=self.name,
            zone=self.zone,
            week=self.week,
            country=self.country or None,
            region=self.region if self.region in countries().get(self.country, ()) else None,
            own_days=[_own_day(line) for line in self.own_days.splitlines() if line.strip()],
            is_default=self.is_default,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class DayAhead:
    """A day in a calendar's preview."""

    day: str
    hours: str
    name: str  # of the holiday


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What a calendar comes to in the days ahead."""

    is_open: bool
    opens: datetime | None  # next, where it is closed now
    days: Sequence[DayAhead] = field(default_factory=tuple)


@router.get("")
async def show_calendars(request: Request, _: Readers) -> Response:
    """List calendars."""
    async with storage_errors(), desk_of(request).sessions() as session:
        found = await list_calendars(session)
    return await _page(
        request,
        "calendars.html",
        calendars=found,
        country_names=_names(request),
        region_names=region_names,
    )


@router.get("/new")
async def new_calendar(request: Request, _: Leads) -> Response:
    """Show a form for a new calendar, beginning with usual hours."""
    zone = request.cookies.get(ZONE_COOKIE, "UTC")
    draft = Draft(zone=zone if zone in time_zones() else "UTC")
    return await _edit(request, draft, None)


@router.post("/new")
async def add_calendar(request: Request, signed_in: Leads) -> Response:
    """Add a calendar."""
    draft = Draft.from_form(await form_of(request))
    try:
        await desk_of(request).calendars.add(draft.form(), signed_in.agent)
    except DeskError as error:
        return await _edit(request, draft, None, error)
    return RedirectResponse("/console/admin/calendars", 303)


@router.post("/preview")
async def preview_calendar(request: Request, _: Leads) -> Response:
    """Show what the form comes to, and the regions of the chosen country."""
    draft = Draft.from_form(await form_of(request))
    return page(request, "parts/calendar_preview.html", **_previewed(request, draft))


@router.get("/{calendar}")
async def show_calendar(request: Request, _: Readers, calendar: UUID) -> Response:
    """Show a calendar's form."""
    async with storage_errors(), desk_of(request).sessions() as session:
        view = await calendar_view(session, calendar)
    return await _edit(request, Draft.of(view), view)


@router.post("/{calendar}")
async def change_calendar(request: Request, signed_in: Leads, calendar: UUID) -> Response:
    """Replace a calendar."""
    desk = desk_of(request)
    async with storage_errors(), desk.sessions() as session:
        view = await calendar_view(session, calendar)
    draft = Draft.from_form(await form_of(request))
    try:
        await desk.calendars.change(
            calendar, draft.form(), signed_in.agent, revision=draft.revision
        )
    except DeskError as error:
        return await _edit(request, draft, view, error)
    return RedirectResponse("/console/admin/calendars", 303)


@router.post("/{calendar}/remove")
async def remove_calendar(request: Request, signed_in: Leads, calendar: UUID) -> Response:
    """Delete a calendar that nothing uses."""
    desk = desk_of(request)
    async with storage_errors(), desk.sessions() as session:
        view = await calendar_view(session, calendar)
    try:
        await desk.calendars.remove(calendar, signed_in.agent)
    except DeskError as error:
        return await _edit(request, Draft.of(view), view, error)
    return RedirectResponse("/console/admin/calendars", 303)


async def _edit(
    request: Request, draft: Draft, view: CalendarView | None, error: DeskError | None = None
) -> Response:
    t = translator(request)
    wrong = None
    if isinstance(error, ImpossibleCalendar):
        wrong = impossible_in_words(error, t)
    elif error is not None:
        wrong = error_in_words(error, t)
    return await _page(
        request,
        "calendar_edit.html",
        status=200 if error is None else 422,
        calendar=view,
        wrong=wrong,
        zones=sorted(time_zones()),
        country_names=_names(request),
        **_previewed(request, draft),
    )


async def _page(request: Request, template: str, *, status: int = 200, **values: Any) -> Response:
    async with storage_errors(), desk_of(request).sessions() as session:
        position = await feed_end(session)
    return page(request, template, status=status, position=position, **values)


def _previewed(request: Request, draft: Draft) -> dict[str, Any]:
    now = datetime.now(UTC)
    values: dict[str, Any] = {"draft": draft, "regions": region_names(draft.country)}
    try:
        calendar = draft.form().calendar(now)
    except ImpossibleCalendar as error:
        said = impossible_in_words(error, translator(request))
        return values | {"preview": None, "impossible": said}
    return values | {
        "preview": _preview(calendar, language_of(request), now),
        "impossible": None,
    }


def _preview(calendar: Calendar, language: str, now: datetime) -> Preview:
    hours = BusinessHours(calendar)
    first = now.astimezone(ZoneInfo(calendar.zone)).date()
    own = {own.day: own.name for own in calendar.own_days}
    times = Times(language, calendar.zone, now)
    days: list[DayAhead] = []
    for ahead in range(_PREVIEW_DAYS):
        day = first + timedelta(days=ahead)
        name = own.get(day, "")
        if calendar.country and day not in own:
            known = public_holidays(calendar.country, calendar.region, day.year, language)
            name = known.get(day, "")
        days.append(DayAhead(day=times.day(day), hours=hours_text(hours.of_day(day)), name=name))
    opening = hours.next_opening(now)
    return Preview(is_open=opening == now, opens=None if opening == now else opening, days=days)


def _names(request: Request) -> dict[str, str]:
    """Return countries by code, in the order of their names in the reader's language."""
    known = Locale.parse(language_of(request)).territories
    names = {code: known.get(code, code) for code in countries()}
    return dict(sorted(names.items(), key=lambda item: item[1]))


def _own_day(line: str) -> dict[str, str]:
    found = _OWN_DAY.match(line.strip())
    assert found is not None  # the first word and the rest fit any line that is not empty
    name = found["name"].strip(" ,#")
    first, _, rest = name.partition(" ")
    if first.lower().strip(":,") in _CLOSED:
        name = rest.strip()
    return {"day": found["day"], "hours": found["hours"].strip(" ,"), "name": name[:100]}
