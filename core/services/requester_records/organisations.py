"""Organisations as leads and admins keep them; whose mail has their domain belongs to them."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Text, Uuid, any_, bindparam, cast, func, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.actor import Agent
from core.domain.audited import Deed
from core.domain.errors import Conflict, InvalidInput, NotFound, WrongName
from core.domain.ids import OrganisationId, new_id
from core.domain.mail_providers import is_for_anybody
from core.domain.plans import PlanId, Term
from core.services.audit import record
from core.services.requester_records.contacts import MAX_NAME_CHARS, MAX_NOTES_CHARS
from core.services.revisions import revise
from core.services.sla.rules import announce
from core.storage.engine import Sessions, storage_errors
from core.storage.tables import Contact, ContactAddress, Organisation, SupportPlan

_DOMAIN = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]")
_MOST_DOMAINS = 50
_LOCK = text("SELECT pg_advisory_xact_lock(0x6f726761)")  # "orga": a domain is one's alone

_JOIN = text(
    """
    UPDATE contact SET organisation_id = :organisation, revision = contact.revision + 1
    WHERE id IN (
        SELECT contact.id FROM contact JOIN contact_address ON contact_id = contact.id
        WHERE organisation_id IS NULL
          AND split_part(verified_email, '@', 2) = ANY(CAST(:domains AS text[]))
        ORDER BY contact.id FOR UPDATE OF contact SKIP LOCKED
    )
    """
)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganisationDraft:
    """An organisation as somebody wants it."""

    name: str
    domains: Sequence[str] = ()  # of mail; whose verified address has one belongs to it
    plan: PlanId | None = None  # of support
    term: Term = field(default_factory=Term)  # when that is in force
    notes: str = ""


class Organisations:
    """Changes of organisations; each is in the audit log."""

    def __init__(
        self, sessions: Sessions, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._sessions = sessions
        self._now = now

    async def add(self, draft: OrganisationDraft, by: Agent) -> OrganisationId:
        """Add an organisation; requesters with a verified address of its domains join it.

        Raises:
            InvalidInput: something cannot be kept.
            Conflict: its name, or one of its domains, is another's.
        """
        async with storage_errors(), self._sessions.begin() as session:
            row = Organisation(id=new_id(), revision=1)
            await _fill(session, row, draft)
            session.add(row)
            await _flush(session)
            await _join(session, row)
            record(session, by.actor, "organisation.added", _subject(row), new=_said(row))
            return OrganisationId(row.id)

    async def change(
        self,
        organisation: OrganisationId,
        draft: OrganisationDraft,
        by: Agent,
        *,
        revision: int | None = None,
    ) -> None:
        """Replace what is known of an organisation; its members stay, others may join.

        Raises:
            NotFound: there is none.
            Outdated: it is not at `revision` any more.
            InvalidInput: something cannot be kept.
            Conflict: its name, or one of its domains, is another's.
        """
        async with storage_errors(), self._sessions.begin() as session:
            row = await _locked(session, organisation)
            revise(row, revision)
            old = _said(row)
            await _fill(session, row, draft)
            await _flush(session)
            await _join(session, row)
            record(
                session, by.actor, "organisation.changed", _subject(row), old=old, new=_said(row)
            )

    async def set_archived(
        self, organisation: OrganisationId, by: Agent, *, archived: bool
    ) -> None:
        """Take an organisation out of choices, or put it back; its members and tickets stay.

        Raises:
            NotFound: there is none.
        """
        async with storage_errors(), self._sessions.begin() as session:
            row = await _locked(session, organisation)
            revise(row, None)
            row.archived_at = self._now() if archived else None
            action: Deed = "organisation.archived" if archived else "organisation.restored"
            record(session, by.actor, action, _subject(row))


_STANDS = select(
    Contact.id,
    Contact.organisation_id,
    select(func.count())
    .where(ContactAddress.contact_id == Contact.id, ContactAddress.verified_email.is_not(None))
    .correlate(Contact)
    .scalar_subquery()
    .label("verified"),
).where(Contact.id == any_(bindparam("contacts", type_=ARRAY(Uuid()))))


async def organisations_of(
    session: AsyncSession, contacts: Collection[UUID]
) -> Mapping[UUID, UUID | None]:
    """Return whose each contact is; those of a verified address join its organisation now."""
    if not contacts:
        return {}
    with session.no_autoflush:  # only contacts are asked for
        rows = (await session.execute(_STANDS, {"contacts": list(contacts)})).all()
    return {
        row.id: await join_by_mail(session, row.id)
        if row.organisation_id is None and row.verified
        else row.organisation_id
        for row in rows
    }


async def join_by_mail(session: AsyncSession, contact: UUID) -> UUID | None:
    """Let a contact without an organisation join the one of a verified address; return it.

    A contact that somebody else has locked is left alone, so that no caller waits.
    """
    emails = await session.scalars(
        select(ContactAddress.verified_email).where(
            ContactAddress.contact_id == contact, ContactAddress.verified_email.is_not(None)
        )
    )
    found_in = {email.rpartition("@")[2] for email in emails if email}
    # Organisations of an earlier release may have a public provider's domain: nobody joins by it.
    domains = {domain for domain in found_in if not is_for_anybody(domain)}
    if not domains:
        return None
    found = await session.scalar(
        select(Organisation.id)
        .where(
            Organisation.archived_at.is_(None),
            _has_any(domains),
        )
        .order_by(Organisation.id)
        .limit(1)
    )
    if found is None:
        return None
    row = await session.scalar(
        select(Contact)
        .where(Contact.id == contact, Contact.organisation_id.is_(None))
        .with_for_update(skip_locked=True)
    )
    if row is not None:
        row.organisation_id = found
    return found


def _has_any(domains: Collection[str]) -> ColumnElement[bool]:
    """Return the condition that an organisation has one of these mail domains."""
    wanted = cast(sorted(domains), ARRAY(Text()))
    return Organisation.domains.op("?|", is_comparison=True)(wanted)


async def _locked(session: AsyncSession, organisation: OrganisationId) -> Organisation:
    row = await session.get(Organisation, organisation, with_for_update=True)
    if row is None:
        raise NotFound("there is no such organisation")
    return row


async def _fill(session: AsyncSession, row: Organisation, draft: OrganisationDraft) -> None:
    name = " ".join(draft.name.split())
    if not name:
        raise InvalidInput("an organisation needs a name")
    if len(name) > MAX_NAME_CHARS or "\x00" in name:
        raise InvalidInput("names of organisations have 200 characters at most")
    if len(draft.notes) > MAX_NOTES_CHARS or "\x00" in draft.notes:
        raise InvalidInput("notes have 5,000 characters at most")
    domains = list(
        dict.fromkeys(filter(None, (d.strip().lower().lstrip("@") for d in draft.domains)))
    )
    if len(domains) > _MOST_DOMAINS or not all(_DOMAIN.fullmatch(one) for one in domains):
        raise InvalidInput("a mail domain is written as example.org, and there are 50 at most")
    for domain in domains:
        if is_for_anybody(domain):
            raise WrongName(
                "anybody can have an address at {name}: name a domain of theirs", domain
            )
    await session.execute(_LOCK)
    if domains:
        taken = await session.scalar(
            select(Organisation.name).where(_has_any(domains), Organisation.id != row.id).limit(1)
        )
        if taken is not None:
            raise Conflict("another organisation has one of these mail domains")
    await _give_plan(session, row, draft)
    row.name, row.domains = name, domains
    row.notes = draft.notes.strip()


async def _give_plan(session: AsyncSession, row: Organisation, draft: OrganisationDraft) -> None:
    starts, ends = draft.term.starts, draft.term.ends
    if starts is not None and ends is not None and ends < starts:
        raise InvalidInput("a plan ends after it begins")
    if draft.plan is not None and draft.plan != row.plan_id:
        plan = await session.get(SupportPlan, draft.plan)
        if plan is None or plan.archived_at is not None:
            raise InvalidInput("there is no such plan")
    if draft.plan is None:
        starts = ends = None
    if (row.plan_id, row.plan_from, row.plan_until) != (draft.plan, starts, ends):
        row.plan_id, row.plan_from, row.plan_until = draft.plan, starts, ends
        # What is promised to its open tickets is worked out anew, as after a changed policy.
        await announce(session)


async def _flush(session: AsyncSession) -> None:
    try:
        await session.flush()
    except IntegrityError:
        raise Conflict("there is an organisation of this name already") from None


async def _join(session: AsyncSession, row: Organisation) -> None:
    if row.domains and row.archived_at is None:
        await session.execute(_JOIN, {"organisation": row.id, "domains": list(row.domains)})


def _subject(row: Organisation) -> tuple[str, object, str]:
    return "organisation", row.id, row.name


def _said(row: Organisation) -> dict[str, Any]:
    return {
        "name": row.name,
        "domains": list(row.domains),
        "plan": None if row.plan_id is None else str(row.plan_id),
        "plan_from": None if row.plan_from is None else row.plan_from.isoformat(),
        "plan_until": None if row.plan_until is None else row.plan_until.isoformat(),
        "notes": row.notes,
    }
