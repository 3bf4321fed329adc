"""Reads requesters and organisations with all that belongs to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Select, exists, func, select, true
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.account import Origin
from core.domain.errors import NotFound
from core.domain.ids import ContactId, OrganisationId
from core.domain.plans import Term
from core.storage.queries.access.sight import Sight
from core.storage.queries.by_name import from_row
from core.storage.queries.search.search import named_by
from core.storage.queries.tickets.tickets import Named
from core.storage.tables import (
    Account,
    Contact,
    ContactAddress,
    ContactMerge,
    Conversation,
    Organisation,
    Satisfaction,
    SupportPlan,
    Ticket,
)

_MAX_WORDS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class RequesterView:
    """A requester, as lists show them."""

    id: ContactId
    name: str | None
    email: str | None
    language: str | None
    time_zone: str | None
    organisation: Named | None
    is_vip: bool
    notes: str
    revision: int
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressView:
    """Where a requester writes from."""

    account: str
    channel: str | None
    address: str
    verified_email: str | None
    bounce: str | None
    bounced_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeView:
    """Another contact that was made one with this one."""

    id: UUID
    other: ContactId
    name: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RequesterRecord:
    """All that is known of a requester besides what they asked."""

    requester: RequesterView
    addresses: Sequence[AddressView]
    merges: Sequence[MergeView]  # that are not undone
    merged_into: ContactId | None
    tickets: int
    score: float | None  # their satisfaction, 1 to 5, over all answers about tickets
    answers: int  # those about tickets


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganisationView:
    """An organisation."""

    id: OrganisationId
    name: str
    domains: Sequence[str]
    plan: Named | None  # of support
    channels: Sequence[str]  # that the plan covers; none: all of them
    term: Term  # of the plan
    has_plan: bool  # one that is in force today
    notes: str
    revision: int
    is_archived: bool
    members: int

    def covers(self, channel: str | None) -> bool:
        """Say whether the support plan, where one is in force, covers requests over `channel`."""
        return not self.has_plan or not self.channels or channel in self.channels


async def list_requesters(
    session: AsyncSession,
    words: str = "",
    *,
    organisation: UUID | None = None,
    before: ContactId | None = None,
    limit: int = 50,
) -> Sequence[RequesterView]:
    """Return requesters, met last first, whose name or addresses have all of `words`."""
    query = _views().where(_is_real()).order_by(Contact.id.desc()).limit(limit)
    for word in words.split()[:_MAX_WORDS]:
        query = query.where(await named_by(session, word))
    if organisation is not None:
        query = query.where(Contact.organisation_id == organisation)
    if before is not None:
        query = query.where(Contact.id < before)
    return [_view(*row) for row in await session.execute(query)]


async def requesters_named(
    session: AsyncSession, contacts: Sequence[ContactId]
) -> Sequence[RequesterView]:
    """Return requesters in the order of their ids here; those that were merged are left out."""
    if not contacts:
        return []
    rows = await session.execute(_views().where(_is_real(), Contact.id.in_(contacts)))
    found = {view.id: view for view in (_view(*row) for row in rows)}
    return [found[contact] for contact in contacts if contact in found]


async def requester_view(session: AsyncSession, contact: ContactId) -> RequesterView:
    """Return one requester.

    Raises:
        NotFound: there is none.
    """
    row = (await session.execute(_views().where(Contact.id == contact))).one_or_none()
    if row is None:
        raise NotFound("there is no such requester")
    return _view(*row)


async def requester_record(
    session: AsyncSession, contact: ContactId, sight: Sight | None = None
) -> RequesterRecord:
    """Return what is known of a requester, tickets and answers counted as far as `sight` goes.

    Raises:
        NotFound: there is none.
    """
    requester = await requester_view(session, contact)
    addresses = await session.execute(
        select(ContactAddress, Account.channel)
        .outerjoin(Account, Account.id == ContactAddress.account_id)
        .where(ContactAddress.contact_id == contact)
        .order_by(ContactAddress.account_id, ContactAddress.address)
    )
    merges = await session.scalars(
        select(ContactMerge)
        .where(ContactMerge.kept_id == contact, ContactMerge.undone_at.is_(None))
        .order_by(ContactMerge.at.desc())
    )
    into = await session.scalar(
        select(ContactMerge.kept_id).where(
            ContactMerge.merged_id == contact, ContactMerge.undone_at.is_(None)
        )
    )
    is_seen = true() if sight is None else sight.holds()
    score, answers = (
        await session.execute(
            select(func.avg(Satisfaction.score), func.count(Satisfaction.score))
            .join(Ticket, Ticket.id == Satisfaction.ticket_id)
            .where(Satisfaction.contact_id == contact, is_seen)
        )
    ).one()
    tickets = await session.scalar(
        select(func.count()).select_from(Ticket).where(Ticket.contact_id == contact, is_seen)
    )
    return RequesterRecord(
        requester=requester,
        addresses=[
            AddressView(
                account=address.account_id,
                channel=channel,
                address=address.address,
                verified_email=address.verified_email,
                bounce=address.bounce,
                bounced_at=address.bounced_at,
            )
            for address, channel in addresses
        ],
        merges=[
            MergeView(id=one.id, other=ContactId(one.merged_id), name=one.merged_name, at=one.at)
            for one in merges
        ],
        merged_into=None if into is None else ContactId(into),
        tickets=tickets or 0,
        score=None if score is None else float(score),
        answers=answers,
    )


async def list_organisations(
    session: AsyncSession,
    words: str = "",
    *,
    with_archived: bool = False,
    start: UUID | None = None,
    limit: int | None = None,
) -> Sequence[OrganisationView]:
    """Return organisations by name.

    Raises:
        InvalidInput: there is no organisation `start`, from which on they are wanted.
    """
    here = await from_row(session, Organisation.name, Organisation.id, start)
    query = _organisations().where(here).order_by(Organisation.name, Organisation.id).limit(limit)
    if not with_archived:
        query = query.where(Organisation.archived_at.is_(None))
    if words.strip():
        query = query.where(Organisation.name.icontains(words.strip(), autoescape=True))
    rows = (await session.execute(query)).all()
    counts = await _members(session, [row.id for row, _ in rows])
    return [_organisation(row, plan, counts.get(row.id, 0)) for row, plan in rows]


async def organisation_view(
    session: AsyncSession, organisation: OrganisationId
) -> OrganisationView:
    """Return one organisation.

    Raises:
        NotFound: there is none.
    """
    found = (
        await session.execute(_organisations().where(Organisation.id == organisation))
    ).one_or_none()
    if found is None:
        raise NotFound("there is no such organisation")
    row, plan = found
    return _organisation(row, plan, (await _members(session, [row.id])).get(row.id, 0))


async def _members(session: AsyncSession, ids: Sequence[UUID]) -> Mapping[UUID | None, int]:
    rows = await session.execute(
        select(Contact.organisation_id, func.count())
        .where(Contact.organisation_id.in_(ids))
        .group_by(Contact.organisation_id)
    )
    return {one: count for one, count in rows}  # noqa: C416  # rows are no pairs to `dict`


def _is_real() -> ColumnElement[bool]:
    """Return the condition that a contact is no rehearsal's, nor merged into another, nor spam."""
    rehearsed = (
        exists()
        .where(ContactAddress.contact_id == Contact.id)
        .where(ContactAddress.account_id == Account.id, Account.origin == Origin.REHEARSAL)
    )
    merged = exists().where(ContactMerge.merged_id == Contact.id, ContactMerge.undone_at.is_(None))
    spams = exists().where(Conversation.contact_id == Contact.id, Conversation.is_spam)
    asks = exists().where(Conversation.contact_id == Contact.id, Conversation.is_spam.is_(False))
    return ~rehearsed & ~merged & (~spams | asks)


def _organisations() -> Select[Organisation, SupportPlan]:
    return select(Organisation, SupportPlan).outerjoin(
        SupportPlan, SupportPlan.id == Organisation.plan_id
    )


def _views() -> Select[Contact, Organisation]:
    return select(Contact, Organisation).outerjoin(
        Organisation, Organisation.id == Contact.organisation_id
    )


def _view(row: Contact, organisation: Organisation | None) -> RequesterView:
    return RequesterView(
        id=ContactId(row.id),
        name=row.name,
        email=row.email,
        language=row.language,
        time_zone=row.time_zone,
        organisation=None
        if organisation is None
        else Named(id=organisation.id, name=organisation.name),
        is_vip=row.is_vip,
        notes=row.notes,
        revision=row.revision,
        created_at=row.created_at,
    )


def _organisation(row: Organisation, plan: SupportPlan | None, members: int) -> OrganisationView:
    term = Term(starts=row.plan_from, ends=row.plan_until)
    return OrganisationView(
        id=OrganisationId(row.id),
        name=row.name,
        domains=row.domains,
        plan=None if plan is None else Named(id=plan.id, name=plan.name),
        channels=() if plan is None else plan.channels,
        term=term,
        has_plan=plan is not None and term.holds_on(datetime.now(UTC).date()),
        notes=row.notes,
        revision=row.revision,
        is_archived=row.archived_at is not None,
        members=members,
    )
