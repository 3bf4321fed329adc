"""The console's rooms and the sections of its settings: one line for each, in order.

A page that belongs to a room starts with its path. Whoever adds pages adds a line here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.domain.actor import LEADING, WORKING, Role

_ALL = frozenset({Role.AGENT, Role.LEAD, Role.ADMIN, Role.AUDITOR})
_ADMINS = frozenset({Role.ADMIN})
_READERS = frozenset({Role.ADMIN, Role.AUDITOR})


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Somewhere in the console that is gone to by a link."""

    path: str
    name: str  # English; the key of the catalogue
    roles: frozenset[Role]
    hint: str = ""  # one sentence, of a section
    group: str = ""  # heading, of a section
    others: tuple[str, ...] = ()  # further beginnings of its pages' paths

    def holds(self, path: str) -> bool:
        """Say whether the page at `path` belongs here."""
        return any(
            path == start or path.startswith(f"{start}/") for start in (self.path, *self.others)
        )


ROOMS: Sequence[Place] = (
    Place(
        path="/console/queue",
        name="Queue",
        roles=_ALL,
        others=("/console/tickets", "/console/conversations", "/console/spam"),
    ),
    Place(
        path="/console/requesters",
        name="Requesters",
        roles=_ALL,
        others=("/console/organisations",),
    ),
    Place(path="/console/approvals", name="Approvals", roles=WORKING),
    Place(path="/console/assets", name="Assets", roles=_ALL),
    Place(path="/console/knowledge", name="Knowledge", roles=_ALL),
    Place(path="/console/assistant", name="Assistant", roles=LEADING | _READERS),
    Place(path="/console/reports", name="Figures", roles=LEADING | _READERS),
    Place(
        path="/console/settings",
        name="Settings",
        roles=LEADING | _READERS,
        others=("/console/admin",),
    ),
)
"""Rooms of the bar at the top."""

SECTIONS: Sequence[Place] = (
    Place(
        path="/console/admin/agents",
        name="Agents",
        hint="Who works here, and what they may do.",
        group="People",
        roles=_ADMINS,
    ),
    Place(
        path="/console/settings/teams",
        name="Teams",
        hint="Who shares which queue, and how tickets find an agent.",
        group="People",
        roles=LEADING | _READERS,
        others=("/console/settings/agents",),
    ),
    Place(
        path="/console/admin/categories",
        name="Categories and priorities",
        hint="What tickets are about, what is asked about them, and how urgent they are.",
        group="Tickets",
        roles=LEADING,
        others=("/console/admin/priorities",),
    ),
    Place(
        path="/console/admin/catalogue",
        name="Request catalogue",
        hint="What can be asked for: its form, who approves it, what is done for it.",
        group="Tickets",
        roles=LEADING,
    ),
    Place(
        path="/console/settings/routing",
        name="Routing",
        hint="Which tickets go to which team, and what holds for all of them.",
        group="Tickets",
        roles=LEADING | _READERS,
    ),
    Place(
        path="/console/admin/channels",
        name="Channels",
        hint="Slack, Telegram and e-mail accounts.",
        group="Channels",
        roles=_ADMINS,
        others=("/console/admin/connect", "/console/admin/guides"),
    ),
    Place(
        path="/console/admin/satisfaction",
        name="Satisfaction",
        hint="When requesters are asked how they were helped.",
        group="Tickets",
        roles=LEADING,
    ),
    Place(
        path="/console/admin/policies",
        name="SLA policies",
        hint="Targets for responses and resolution, and which tickets they are for.",
        group="SLA",
        roles=LEADING | _READERS,
    ),
    Place(
        path="/console/admin/plans",
        name="Support plans",
        hint="What organisations have agreed on: channels, SLAs, for how long.",
        group="SLA",
        roles=LEADING | _READERS,
    ),
    Place(
        path="/console/admin/calendars",
        name="Business hours",
        hint="When somebody is there: hours, time zones, holidays.",
        group="SLA",
        roles=LEADING | _READERS,
    ),
    Place(
        path="/console/admin/closing",
        name="Inactive tickets",
        hint="When tickets that nobody writes in come to their end.",
        group="SLA",
        roles=LEADING | _READERS,
    ),
    Place(
        path="/console/admin/rules",
        name="Rules",
        hint="What the desk does by itself, and when.",
        group="Automation",
        roles=LEADING,
    ),
    Place(
        path="/console/admin/macros",
        name="Macros",
        hint="Prepared answers for agents.",
        group="Automation",
        roles=LEADING,
    ),
    Place(
        path="/console/admin/webhooks",
        name="Webhooks",
        hint="Other systems that are told of changes.",
        group="Automation",
        roles=_ADMINS,
    ),
    Place(
        path="/console/admin/synonyms",
        name="Synonyms",
        hint="Words that mean the same when somebody asks.",
        group="Knowledge",
        roles=_ADMINS,
    ),
    Place(
        path="/console/admin/quarantine",
        name="Quarantine",
        hint="What came in and could not be understood.",
        group="System",
        roles=_ADMINS,
    ),
    Place(
        path="/console/settings/tokens",
        name="API tokens",
        hint="Which programs may come in, and what for.",
        group="System",
        roles=_ADMINS,
    ),
    Place(
        path="/console/admin/audit",
        name="Audit log",
        hint="Who changed what, when, and from where.",
        group="System",
        roles=_READERS,
    ),
    Place(
        path="/console/admin/status",
        name="Status",
        hint="What is up and what is not.",
        group="System",
        roles=_ADMINS,
    ),
)
"""Sections of the settings, by group in the order of their first line."""


TABS: Sequence[Place] = (
    Place(path="/console/assistant", name="What it did", roles=LEADING | _READERS),
    Place(path="/console/assistant/topics", name="Topics", roles=LEADING | _READERS),
    Place(path="/console/assistant/examples", name="Examples", roles=LEADING | _READERS),
    Place(path="/console/assistant/versions", name="Versions", roles=LEADING | _READERS),
    Place(path="/console/assistant/tolerance", name="Tolerance", roles=LEADING | _READERS),
)
"""Pages of the assistant's room."""


def tabs_for(role: Role) -> Sequence[Place]:
    """Return the pages of the assistant's room that somebody of `role` may see."""
    return [place for place in TABS if role in place.roles]


def rooms_for(role: Role) -> Sequence[Place]:
    """Return the rooms that somebody of `role` may enter."""
    return [place for place in ROOMS if role in place.roles]


def sections_for(role: Role) -> dict[str, list[Place]]:
    """Return the sections of the settings that somebody of `role` may see, by group."""
    groups: dict[str, list[Place]] = {}
    for place in SECTIONS:
        if role in place.roles:
            groups.setdefault(place.group, []).append(place)
    return groups


def section_of(path: str) -> Place | None:
    """Return the section that the page at `path` belongs to."""
    return next((place for place in SECTIONS if place.holds(path)), None)
