"""A catalogue for tests: a laptop that has to be approved, with a form and two tasks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from core.domain.actor import Agent, Role
from core.domain.assistant import OpenTicket, Say, TicketKind
from core.domain.catalogue import Occasion
from core.domain.classification import FieldKind
from core.domain.conversation import Speaker
from core.domain.ids import ApprovalRoleId, ConversationId, ItemId, TicketId
from core.services.catalogue.approving import Approvals
from core.services.catalogue.asking import Asking
from core.services.catalogue.items import CatalogueItems, ItemDraft, ItemField, TaskDraft
from core.services.catalogue.links import ApprovalLinks
from core.services.catalogue.roles import ApprovalRoles, RoleDraft
from core.services.catalogue.tasks import RequestsOfTickets, RequestTasks
from core.services.classification.fields import FieldDraft
from core.services.reactions import Reactions
from core.storage.queries.catalogue.items import item_view
from core.storage.queries.catalogue.requests import RequestView, request_of
from core.storage.tables import ApprovalAsk, AuditEntry, Message, TicketEvent
from tests.support.desk import Rig

LINKS = ApprovalLinks(b"a key", "http://desk.test")


def laptop(role: ApprovalRoleId | None = None, **more: Any) -> ItemDraft:
    """Return an item with a form, tasks and words of its own."""
    return ItemDraft(
        **{
            "name": "New laptop",
            "names": {"es": "Portátil nuevo"},
            "words": {"en": "notebook, laptop", "es": "portátil, laptop"},
            "role": role,
            "fields": [
                ItemField(
                    draft=FieldDraft(
                        label="Model",
                        labels={"es": "Modelo"},
                        kind=FieldKind.CHOICE,
                        choices=["Light", "Powerful"],
                        choice_labels={"es": ["Ligero", "Potente"]},
                        is_required=True,
                    )
                ),
                ItemField(
                    draft=FieldDraft(
                        label="Needed by", labels={"es": "Para el"}, kind=FieldKind.DATE
                    )
                ),
            ],
            "tasks": [TaskDraft(title="Order it"), TaskDraft(title="Hand it over")],
            "answers": {Occasion.DONE: {"en": "Your laptop is ready, {{ requester.first_name }}."}},
            **more,
        }
    )


@dataclass(slots=True)
class Shop:
    """The catalogue's services on a rig, with a lead who keeps it and an agent who approves."""

    rig: Rig
    lead: Agent
    boss: Agent
    role: ApprovalRoleId
    items: CatalogueItems
    roles: ApprovalRoles
    asking: Asking
    approvals: Approvals
    tasks: RequestTasks

    async def asked(
        self, item: ItemId, thread: str = "t1", words: str = "I need a laptop", **values: Any
    ) -> TicketId:
        """Let the assistant file a filled-in form; `values` are by the fields' labels."""
        conversation = await self.rig.hear(words, thread=thread)
        async with self.rig.sessions() as session:
            specs = {spec.label: spec for spec in (await item_view(session, item)).fields}
        await self.rig.reply(
            conversation,
            Say(text="Thank you."),
            OpenTicket(
                kind=TicketKind.REQUEST,
                subject="New laptop",
                description="New laptop",
                item=str(item),
                values={specs[label].key: value for label, value in values.items()},
            ),
        )
        return await self.rig.ticket_id(thread)

    async def request(self, ticket: TicketId) -> RequestView:
        async with self.rig.sessions() as session:
            found = await request_of(session, ticket)
        assert found is not None
        return found

    async def react(self, conversation: ConversationId) -> None:
        """Let the catalogue follow what became of tickets."""
        rig = self.rig
        reactors = [RequestsOfTickets()]
        await Reactions(rig.sessions, rig.accounts, reactors, rig.clock).advance(conversation)

    async def told(self, thread: str = "t1") -> list[str]:
        """Return what the desk itself has said in a thread."""
        said = await self.rig.messages(thread)
        return [one.text for one in said if one.speaker == Speaker.SYSTEM and not one.is_internal]

    async def asks(self) -> Sequence[ApprovalAsk]:
        async with self.rig.sessions() as session:
            return (await session.scalars(select(ApprovalAsk).order_by(ApprovalAsk.email))).all()

    async def token(self, email: str) -> str:
        """Return the end of the link that somebody was sent."""
        (ask,) = [one for one in await self.asks() if one.email == email]
        return LINKS.link(ask.id).rpartition("/")[2]

    async def audited(self, action: str) -> Sequence[AuditEntry]:
        async with self.rig.sessions() as session:
            found = await session.scalars(
                select(AuditEntry).where(AuditEntry.action == action).order_by(AuditEntry.id)
            )
            return found.all()

    async def history(self, ticket: TicketId) -> list[tuple[str, str | None, str | None]]:
        """Return what happened to a ticket: field, new value and reason."""
        async with self.rig.sessions() as session:
            rows = await session.execute(
                select(TicketEvent.field, TicketEvent.new, TicketEvent.reason)
                .where(TicketEvent.ticket_id == ticket)
                .order_by(TicketEvent.id)
            )
            return [(field, new, reason) for field, new, reason in rows]

    async def notes(self) -> list[str]:
        async with self.rig.sessions() as session:
            return list(await session.scalars(select(Message.text).where(Message.is_internal)))


async def open_shop(rig: Rig) -> Shop:
    """Return a catalogue without items."""
    lead, boss = await rig.agent("Lea", Role.LEAD), await rig.agent("Bob")
    roles = ApprovalRoles(rig.sessions)
    role = await roles.add(
        RoleDraft(name="IT lead", agents=[boss.id], emails=["manager@example.org"]), lead
    )
    return Shop(
        rig=rig,
        lead=lead,
        boss=boss,
        role=role,
        items=CatalogueItems(rig.sessions, rig.clock),
        roles=roles,
        asking=Asking(rig.sessions, rig.accounts, rig.clock),
        approvals=Approvals(rig.sessions, rig.accounts, LINKS, rig.clock),
        tasks=RequestTasks(rig.sessions, rig.accounts, rig.clock),
    )
