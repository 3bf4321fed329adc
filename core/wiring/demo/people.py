"""Who works at the demonstration's desk, who writes to it, and with what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core.domain.actor import Role
from core.domain.automation.matching import folded


@dataclass(frozen=True, slots=True, kw_only=True)
class Colleague:
    """An agent: team, level and what they can be given."""

    name: str
    team: str
    level: int
    role: Role = Role.AGENT
    is_lead: bool = False
    skills: Sequence[str] = ()
    languages: Sequence[str] = ("en", "es")
    capacity: int = 10

    @property
    def email(self) -> str:
        """Return the address they sign in with."""
        return f"{folded(self.name.split()[0])}@desk.example"


@dataclass(frozen=True, slots=True, kw_only=True)
class Requester:
    """Somebody who writes, and the computer they have."""

    name: str
    email: str
    organisation: str
    language: str
    zone: str
    laptop: tuple[str, str]  # asset tag, model
    is_vip: bool = False


TEAMS: Mapping[str, str] = {
    "Service desk": "First contact for everything.",
    "Devices": "Computers, phones and printers, on site.",
    "Applications": "Accounts, licences and business software.",
    "Operations": "Networks, servers and alerts.",
    "Human resources": "Leave, certificates and other personal matters.",
}

MEMBERS_ONLY = frozenset({"Human resources"})
"""Teams whose tickets are for nobody else's eyes."""

COLLEAGUES: Sequence[Colleague] = (
    Colleague(name="Lucía Ferrer", team="Service desk", level=1, role=Role.LEAD, is_lead=True),
    Colleague(name="Tom Becker", team="Service desk", level=1, languages=("en",)),
    Colleague(name="Marta Quiroga", team="Service desk", level=1, languages=("es", "en")),
    Colleague(name="Diego Paz", team="Devices", level=2, is_lead=True, skills=("hardware",)),
    Colleague(name="Ingrid Olsen", team="Applications", level=2, is_lead=True, skills=("sap",)),
    Colleague(name="Rahul Nair", team="Operations", level=3, is_lead=True, skills=("network",)),
    Colleague(name="Elena Costa", team="Human resources", level=1, is_lead=True),
    Colleague(name="Nora Abt", team="Service desk", level=1, role=Role.AUDITOR, capacity=0),
)

ORGANISATIONS: Mapping[str, Sequence[str]] = {
    "Clínica del Valle": ("clinicadelvalle.example",),
    "Northwind Books": ("northwind.example",),
    "Universidad del Sur": ("unisur.example",),
}

REQUESTERS: Sequence[Requester] = (
    Requester(
        name="Carmen Ibáñez",
        email="carmen@clinicadelvalle.example",
        organisation="Clínica del Valle",
        language="es",
        zone="Europe/Madrid",
        laptop=("LT-2041", "ThinkPad T14"),
    ),
    Requester(
        name="Dr. Pablo Seco",
        email="pablo@clinicadelvalle.example",
        organisation="Clínica del Valle",
        language="es",
        zone="Europe/Madrid",
        laptop=("LT-2042", "MacBook Air 13"),
        is_vip=True,
    ),
    Requester(
        name="Grace Whitfield",
        email="grace@northwind.example",
        organisation="Northwind Books",
        language="en",
        zone="Europe/London",
        laptop=("LT-3107", "Latitude 5440"),
    ),
    Requester(
        name="Owen Hart",
        email="owen@northwind.example",
        organisation="Northwind Books",
        language="en",
        zone="Europe/London",
        laptop=("LT-3108", "Latitude 5440"),
    ),
    Requester(
        name="Valeria Montes",
        email="valeria@unisur.example",
        organisation="Universidad del Sur",
        language="es",
        zone="America/Bogota",
        laptop=("LT-4470", "ThinkPad L15"),
    ),
    Requester(
        name="Emma Lindqvist",
        email="emma@unisur.example",
        organisation="Universidad del Sur",
        language="en",
        zone="Europe/Stockholm",
        laptop=("LT-4471", "Surface Laptop 5"),
    ),
)
