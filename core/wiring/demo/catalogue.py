"""What can be asked for at the demonstration's desk, who approves it, and some requests."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from core.domain.actor import Agent
from core.domain.assistant import HandoffReason, TicketKind
from core.domain.catalogue import Decision, Occasion, Stage
from core.domain.classification import FieldKind
from core.domain.events import Author
from core.domain.ids import AccountId, ApprovalRoleId, ContactId, ConversationId, ItemId, TicketId
from core.services.catalogue.approving import Approvals
from core.services.catalogue.asking import Asking, Wish
from core.services.catalogue.items import CatalogueItems, ItemDraft, ItemField, TaskDraft
from core.services.catalogue.roles import ApprovalRoles, RoleDraft
from core.services.catalogue.tasks import RequestTasks
from core.services.classification.fields import FieldDraft
from core.services.ledger import Ledger
from core.services.tickets.registering import Matter, register
from core.storage.engine import storage_errors
from core.storage.queries.catalogue.items import item_view
from core.storage.queries.catalogue.requests import request_of
from core.wiring.demo.office import Office
from core.wiring.parts import Parts

React = Callable[[ConversationId], Awaitable[object]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One request: who wants what since when, and how far it has come."""

    email: str
    item: str
    said: str
    values: Mapping[str, Any]  # by the fields' labels; of a date: in how many days
    days_ago: float
    decision: Decision | None = None
    reason: str = ""
    done: int = 0  # tasks
    by: str = "Diego Paz"


def _text(label: str, spanish: str, *, required: bool = True) -> ItemField:
    return ItemField(draft=FieldDraft(label=label, labels={"es": spanish}, is_required=required))


def _date(label: str, spanish: str) -> ItemField:
    return ItemField(
        draft=FieldDraft(label=label, labels={"es": spanish}, kind=FieldKind.DATE, is_required=True)
    )


def _choice(label: str, spanish: str, **choices: str) -> ItemField:
    return ItemField(
        draft=FieldDraft(
            label=label,
            labels={"es": spanish},
            kind=FieldKind.CHOICE,
            choices=[name.replace("_", " ") for name in choices],
            choice_labels={"es": list(choices.values())},
            is_required=True,
        )
    )


def _items(
    office: Office, it_lead: ApprovalRoleId, managers: ApprovalRoleId
) -> Sequence[ItemDraft]:
    devices, applications = office.staff.teams["Devices"], office.staff.teams["Applications"]
    return (
        ItemDraft(
            name="New laptop",
            names={"es": "Portátil nuevo"},
            description="For somebody new, or in place of one that is worn out. Usually there "
            "within ten days.",
            descriptions={
                "es": "Para quien empieza, o en lugar de uno gastado. Suele llegar en diez días."
            },
            words={
                "en": "notebook, computer, new computer",
                "es": "portátil, ordenador nuevo, computadora, notebook, laptop",
            },
            icon="💻",
            category=office.categories["Laptops"],
            team=devices,
            role=it_lead,
            fields=(
                _choice("Model", "Modelo", Light="Ligero", Powerful="Potente"),
                _date("Needed by", "Para el"),
                _text("What for", "Para qué", required=False),
            ),
            tasks=(
                TaskDraft(title="Order it", team=devices),
                TaskDraft(
                    title="Install the usual programs", agent=office.staff.agents["Diego Paz"].id
                ),
                TaskDraft(title="Hand it over, take the old one back", team=devices),
            ),
            answers={
                Occasion.DONE: {
                    "en": "Your new laptop is ready, {{ requester.first_name }}. Please bring the "
                    "old one when you come for it.",
                    "es": "Su portátil nuevo está listo, {{ requester.first_name }}. Traiga el "
                    "antiguo cuando venga a buscarlo.",
                }
            },
        ),
        ItemDraft(
            name="Software licence",
            names={"es": "Licencia de software"},
            description="A program that is not among the usual ones.",
            descriptions={"es": "Un programa que no está entre los habituales."},
            words={"en": "licence, license", "es": "licencia"},
            icon="🔑",
            category=office.categories["Licences"],
            team=applications,
            role=it_lead,
            fields=(
                _text("Program", "Programa"),
                ItemField(
                    draft=FieldDraft(
                        label="People",
                        labels={"es": "Personas"},
                        kind=FieldKind.NUMBER,
                        is_required=True,
                    )
                ),
            ),
            tasks=(TaskDraft(title="Buy and assign the licence", team=applications),),
        ),
        ItemDraft(
            name="Access",
            names={"es": "Acceso"},
            description="To a shared folder, a mailbox or an application.",
            descriptions={"es": "A una carpeta compartida, un buzón o una aplicación."},
            words={
                "en": "folder access, access to the folder, mailbox access",
                "es": "acceso a la carpeta, acceso al buzón, permiso",
            },
            icon="🗂️",
            category=office.categories["Access"],
            team=office.staff.teams["Service desk"],
            role=managers,
            fields=(
                _text("To what", "A qué"),
                _choice("Kind", "Tipo", Read="Lectura", Read_and_write="Lectura y escritura"),
            ),
            tasks=(TaskDraft(title="Give the access"),),
        ),
        ItemDraft(
            name="Leave certificate",
            names={"es": "Constancia de vacaciones"},
            description="A letter that says when you are on leave, signed, by mail.",
            descriptions={
                "es": "Una carta firmada que dice cuándo está de vacaciones, por correo."
            },
            words={
                "en": "certificate, leave letter, certificate of employment",
                "es": "constancia, constancia de trabajo, certificado de vacaciones, certificado",
            },
            icon="📄",
            team=office.staff.teams["Human resources"],
            fields=(
                _date("First day", "Primer día"),
                _date("Last day", "Último día"),
                _choice("Language", "Idioma", English="Inglés", Spanish="Español"),
            ),
            tasks=(TaskDraft(title="Have it signed"), TaskDraft(title="Send it")),
        ),
    )


ASKS: Sequence[Ask] = (
    Ask(
        email="carmen@clinicadelvalle.example",
        item="New laptop",
        said="Necesito un portátil nuevo: el mío tarda diez minutos en arrancar.",
        values={"Model": "Powerful", "Needed by": 21, "What for": "Radiografías"},
        days_ago=0.2,
    ),
    Ask(
        email="grace@northwind.example",
        item="Software licence",
        said="I need a licence for the diagram software, for two of us.",
        values={"Program": "Diagrams Pro", "People": 2},
        days_ago=1.5,
        decision=Decision.APPROVE,
        by="Ingrid Olsen",
    ),
    Ask(
        email="owen@northwind.example",
        item="New laptop",
        said="Could I get a new laptop? Mine has a scratch.",
        values={"Model": "Light", "Needed by": 14},
        days_ago=6,
        decision=Decision.REJECT,
        reason="Yours is a year old and works; we mend the scratch.",
    ),
    Ask(
        email="valeria@unisur.example",
        item="Leave certificate",
        said="Necesito una constancia de vacaciones para el consulado.",
        values={"First day": 30, "Last day": 44, "Language": "English"},
        days_ago=4,
        done=2,
        by="Elena Costa",
    ),
)


@dataclass(slots=True)
class DemoCatalogue:
    """Makes the catalogue and its requests, through the same services that people use."""

    parts: Parts
    clock: Callable[[], datetime]
    office: Office
    items: dict[str, ItemId] = field(default_factory=dict)

    async def fill(self) -> None:
        """Add roles and items."""
        roles = ApprovalRoles(self.parts.sessions)
        agents, boss = self.office.staff.agents, self.office.staff.boss
        it_lead = await roles.add(
            RoleDraft(name="IT lead", agents=[agents["Diego Paz"].id, agents["Ingrid Olsen"].id]),
            boss,
        )
        managers = await roles.add(
            RoleDraft(
                name="Manager",
                agents=[agents["Lucía Ferrer"].id],
                emails=["gerencia@clinicadelvalle.example", "office@northwind.example"],
            ),
            boss,
        )
        shop = CatalogueItems(self.parts.sessions, self.clock)
        for draft in _items(self.office, it_lead, managers):
            self.items[draft.name] = await shop.add(draft, boss)

    async def ask(self, ask: Ask, who: tuple[ContactId, Author, str], react: React) -> Stage:
        """Let `who` (contact, author, language) ask for an item, as far as `ask` says."""
        parts, clock = self.parts, self.clock
        contact, author, language = who
        async with storage_errors(), parts.sessions.begin() as session:
            ledger = Ledger(parts.accounts, clock())
            case = await register(
                session,
                ledger,
                Matter(
                    account=AccountId("webchat"),
                    contact=contact,
                    author=author,
                    subject=ask.said.partition(".")[0][:100],
                    text=ask.said,
                    reason=HandoffReason.REQUEST_FILED,
                    kind=TicketKind.REQUEST,
                    language=language,
                ),
                actor="assistant",
            )
            ticket = TicketId(case.ticket.id)
            conversation = ConversationId(case.conversation.id)
            await ledger.write(session)
            specs = {s.label: s for s in (await item_view(session, self.items[ask.item])).fields}
        values = {
            specs[label].key: _day(clock(), value) if specs[label].kind is FieldKind.DATE else value
            for label, value in ask.values.items()
        }
        wish = Wish(item=self.items[ask.item], values=values)
        agent = self.office.staff.agents[ask.by]
        await Asking(parts.sessions, parts.accounts, clock).ask_with(ticket, wish, agent)
        await react(conversation)
        if ask.decision is not None:
            approvals = Approvals(parts.sessions, parts.accounts, parts.approval_links, clock)
            await approvals.decide(ticket, ask.decision, ask.reason, agent)
            await react(conversation)
        for place in range(ask.done):
            await self._finish(ticket, place, agent)
            await react(conversation)
        async with storage_errors(), parts.sessions() as session:
            request = await request_of(session, ticket)
        assert request is not None
        return request.stage

    async def _finish(self, ticket: TicketId, place: int, agent: Agent) -> None:
        async with storage_errors(), self.parts.sessions() as session:
            request = await request_of(session, ticket)
        assert request is not None
        tasks = RequestTasks(self.parts.sessions, self.parts.accounts, self.clock)
        await tasks.finish(ticket, request.tasks[place].id, agent)


def _day(now: datetime, ahead: int) -> str:
    return (now + timedelta(days=ahead)).date().isoformat()


def since(ask: Ask, now: datetime) -> datetime:
    """Return when `ask` was made."""
    return now - timedelta(days=ask.days_ago)
