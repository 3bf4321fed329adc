"""Reads the register of assets."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import Select, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.assets import AssetDraft, AssetStatus
from core.domain.errors import NotFound
from core.domain.ids import AssetId, ContactId
from core.storage.queries.tickets.tickets import Named, Person, TicketView
from core.storage.tables import Asset, Contact, Message, Organisation

_WORD = re.compile(r"[\w-]{3,60}")
_MOST_WORDS = 400
_MESSAGES_READ = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetView:
    """An asset with whose it is."""

    id: AssetId
    tag: str
    kind: str
    model: str
    serial: str
    status: AssetStatus
    warranty_until: date | None
    owner: Person | None
    organisation: Named | None
    notes: str
    revision: int

    def draft(self) -> AssetDraft:
        """Return it as it would be written down."""
        return AssetDraft(
            tag=self.tag,
            kind=self.kind,
            model=self.model,
            serial=self.serial,
            status=self.status,
            warranty_until=self.warranty_until,
            owner=(self.owner.email or "") if self.owner else "",
            organisation=self.organisation.name if self.organisation else "",
            notes=self.notes,
        )


async def list_assets(
    session: AsyncSession,
    words: str = "",
    *,
    owner: UUID | None = None,
    organisation: UUID | None = None,
    before: AssetId | None = None,
    limit: int = 50,
) -> Sequence[AssetView]:
    """Return assets, added last first, from those older than `before`."""
    query = _views().order_by(Asset.id.desc()).limit(limit)
    for word in words.split()[:6]:
        query = query.where(
            or_(
                *(
                    column.icontains(word, autoescape=True)
                    for column in (
                        Asset.tag,
                        Asset.kind,
                        Asset.model,
                        Asset.serial,
                        Contact.name,
                        Contact.email,
                        Organisation.name,
                    )
                )
            )
        )
    if owner is not None:
        query = query.where(Asset.contact_id == owner)
    if organisation is not None:
        query = query.where(Asset.organisation_id == organisation)
    if before is not None:
        query = query.where(Asset.id < before)
    return [_view(*row) for row in await session.execute(query)]


async def asset_view(session: AsyncSession, asset: AssetId) -> AssetView:
    """Return one asset.

    Raises:
        NotFound: there is none.
    """
    row = (await session.execute(_views().where(Asset.id == asset))).one_or_none()
    if row is None:
        raise NotFound("there is no such asset")
    return _view(*row)


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetsOfTicket:
    """What a ticket may be about."""

    named: AssetView | None  # the one that somebody said it is about
    mentioned: Sequence[AssetView]  # by its tag or serial number, in what was said
    owned: Sequence[AssetView]  # by the requester, in use


async def assets_of(session: AsyncSession, ticket: TicketView) -> AssetsOfTicket:
    """Return the asset of a ticket, and those it could be."""
    named = None if ticket.asset is None else await asset_view(session, AssetId(ticket.asset))
    said = await session.scalars(
        select(Message.text)
        .where(Message.conversation_id == ticket.conversation, Message.speaker == "customer")
        .order_by(Message.seq.desc())
        .limit(_MESSAGES_READ)
    )
    text = "\n".join((ticket.subject, ticket.summary, *said)).lower()
    words = list(dict.fromkeys(_WORD.findall(text)))[:_MOST_WORDS]
    found = await session.execute(
        _views()
        .where(or_(func.lower(Asset.tag).in_(words), func.lower(Asset.serial).in_(words)))
        # By what is in no index as it is: else the planner, which takes each word to name an
        # asset, would read all of them until it has met three.
        .order_by(Asset.tag)
        .limit(3)
    )
    mentioned = [_view(*row) for row in found]
    requester = ContactId(ticket.requester.id)
    owned = await list_assets(session, owner=requester, limit=10)
    return AssetsOfTicket(
        named=named,
        mentioned=[one for one in mentioned if one.id != ticket.asset],
        owned=[
            one
            for one in owned
            if one.status != AssetStatus.RETIRED
            and one.id != ticket.asset
            and one.id not in {other.id for other in mentioned}
        ],
    )


def _views() -> Select[Asset, Contact, Organisation]:
    return (
        select(Asset, Contact, Organisation)
        .outerjoin(Contact, Contact.id == Asset.contact_id)
        .outerjoin(Organisation, Organisation.id == Asset.organisation_id)
    )


def _view(row: Asset, owner: Contact | None, organisation: Organisation | None) -> AssetView:
    return AssetView(
        id=AssetId(row.id),
        tag=row.tag,
        kind=row.kind,
        model=row.model,
        serial=row.serial,
        status=AssetStatus(row.status),
        warranty_until=row.warranty_until,
        owner=None if owner is None else Person(id=owner.id, name=owner.name, email=owner.email),
        organisation=None
        if organisation is None
        else Named(id=organisation.id, name=organisation.name),
        notes=row.notes,
        revision=row.revision,
    )
