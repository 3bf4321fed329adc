"""Requesters and organisations: found, read, written down, merged and parted."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any
from uuid import UUID, uuid4

from babel import Locale
from fastapi import APIRouter, Query, Request
from starlette.datastructures import FormData
from starlette.responses import RedirectResponse, Response

from console.desk import desk_of
from console.pages.meanwhile import revision_in
from console.pages.session import Agents, Leads, form_of, text_field
from console.pages.view import language_of, page, translator
from console.sight import sight_for
from console.words.errors import error_in_words
from core.domain.errors import Conflict, InvalidInput
from core.domain.ids import ContactId, ConversationId, OrganisationId
from core.domain.languages import LANGUAGES, is_language
from core.domain.plans import PlanId, Term
from core.services.requester_records.contacts import ContactDraft
from core.services.requester_records.organisations import OrganisationDraft
from core.storage.engine import storage_errors
from core.storage.queries.conversations.conversations import conversations_of
from core.storage.queries.feed import feed_end
from core.storage.queries.requester_records.assets import list_assets
from core.storage.queries.requester_records.plans import list_plans
from core.storage.queries.requester_records.requesters import (
    OrganisationView,
    list_organisations,
    list_requesters,
    organisation_view,
    requester_record,
)
from core.storage.queries.sla import PolicyView, list_policies, policy_choices
from core.storage.queries.tickets.filter import TicketFilter
from core.storage.queries.tickets.tickets import list_tickets

router = APIRouter(prefix="/console")

_SHOWN = 100

Words = Annotated[str, Query(max_length=200)]


@router.get("/requesters")
async def show_requesters(
    request: Request, _: Agents, q: Words = "", before: UUID | None = None
) -> Response:
    """List requesters, with a search."""
    words = q.replace("\x00", "")
    cursor = None if before is None else ContactId(before)
    async with storage_errors(), desk_of(request).sessions() as session:
        position = await feed_end(session)
        found = await list_requesters(session, words, before=cursor, limit=_SHOWN + 1)
    return page(
        request,
        "requesters/list.html",
        position=position,
        requesters=found[:_SHOWN],
        next=found[_SHOWN - 1].id if len(found) > _SHOWN else None,
        q=words,
    )


@router.get("/requesters/{contact}")
async def show_requester(request: Request, _: Agents, contact: UUID, q: Words = "") -> Response:
    """Show a requester with all they ever asked; `q` looks for another to merge with."""
    return await _requester(request, ContactId(contact), q=q.replace("\x00", ""))


@router.post("/requesters/{contact}")
async def change_requester(request: Request, signed_in: Agents, contact: UUID) -> Response:
    """Replace what is written down about a requester."""
    form, named = await form_of(request), ContactId(contact)
    organisation = _id(text_field(form, "organisation"))
    draft = ContactDraft(
        name=text_field(form, "name"),
        language=text_field(form, "language") or None,
        time_zone=text_field(form, "time_zone").strip() or None,
        organisation=None if organisation is None else OrganisationId(organisation),
        is_vip=text_field(form, "vip") == "yes",
        notes=text_field(form, "notes").replace("\r\n", "\n"),
    )
    revision = revision_in(form)
    work = desk_of(request).contacts.change(named, draft, signed_in.agent, revision=revision)
    return await _then(request, named, work)


@router.post("/requesters/{contact}/merge")
async def merge(request: Request, signed_in: Agents, contact: UUID) -> Response:
    """Give all that is another contact's to this one."""
    other = _id(text_field(await form_of(request), "other"))
    if other is None:
        raise InvalidInput("choose whom to merge with")
    named = ContactId(contact)
    work = desk_of(request).contact_merging.merge(named, ContactId(other), signed_in.agent)
    return await _then(request, named, work)


@router.post("/requesters/{contact}/merges/{merge}/undo")
async def undo_merge(request: Request, signed_in: Agents, contact: UUID, merge: UUID) -> Response:
    """Part two contacts again."""
    work = desk_of(request).contact_merging.undo(merge, signed_in.agent)
    return await _then(request, ContactId(contact), work)


@router.get("/organisations")
async def show_organisations(request: Request, _: Agents) -> Response:
    """List organisations, with a form to add one."""
    return await _organisations(request)


@router.post("/organisations")
async def add_organisation(request: Request, signed_in: Leads) -> Response:
    """Add an organisation."""
    form = await form_of(request)
    try:
        added = await desk_of(request).organisations.add(_draft(form), signed_in.agent)
    except (InvalidInput, Conflict) as error:
        said = error_in_words(error, translator(request))
        return await _organisations(request, filled=_Filled.of(form), wrong=said)
    return RedirectResponse(f"/console/organisations/{added}", 303)


@router.get("/organisations/{organisation}")
async def show_organisation(request: Request, _: Agents, organisation: UUID) -> Response:
    """Show an organisation with its members and tickets."""
    return await _organisation(request, OrganisationId(organisation))


@router.post("/organisations/{organisation}")
async def change_organisation(request: Request, signed_in: Leads, organisation: UUID) -> Response:
    """Replace what is known of an organisation, take it out of use, or put it back."""
    form, named = await form_of(request), OrganisationId(organisation)
    organisations = desk_of(request).organisations
    archived, by = text_field(form, "archived"), signed_in.agent
    try:
        if archived:
            await organisations.set_archived(named, by, archived=archived == "yes")
        else:
            await organisations.change(named, _draft(form), by, revision=revision_in(form))
    except (InvalidInput, Conflict) as error:
        said = error_in_words(error, translator(request))
        return await _organisation(request, named, filled=_Filled.of(form), wrong=said)
    return RedirectResponse(f"/console/organisations/{organisation}", 303)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Filled:
    """An organisation's form as somebody filled it in, to be shown again."""

    name: str
    domains: list[str]
    plan: str  # its id, or nothing
    starts: str
    ends: str
    notes: str

    @classmethod
    def of(cls, form: FormData) -> _Filled:
        """Return what was filled in."""
        return cls(
            name=text_field(form, "name"),
            domains=text_field(form, "domains").replace(",", " ").split(),
            plan=text_field(form, "plan"),
            starts=text_field(form, "plan_from"),
            ends=text_field(form, "plan_until"),
            notes=text_field(form, "notes"),
        )

    @classmethod
    def as_stored(cls, view: OrganisationView) -> _Filled:
        """Return the form of a stored organisation."""
        return cls(
            name=view.name,
            domains=list(view.domains),
            plan="" if view.plan is None else str(view.plan.id),
            starts="" if view.term.starts is None else view.term.starts.isoformat(),
            ends="" if view.term.ends is None else view.term.ends.isoformat(),
            notes=view.notes,
        )


def _draft(form: FormData) -> OrganisationDraft:
    plan = _id(text_field(form, "plan"))
    return OrganisationDraft(
        name=text_field(form, "name"),
        domains=text_field(form, "domains").replace(",", " ").split(),
        plan=None if plan is None else PlanId(plan),
        term=Term(starts=_day(form, "plan_from"), ends=_day(form, "plan_until")),
        notes=text_field(form, "notes").replace("\r\n", "\n"),
    )


def _day(form: FormData, name: str) -> date | None:
    words = text_field(form, name)
    try:
        return date.fromisoformat(words) if words else None
    except ValueError:
        raise InvalidInput("a day is written as 2030-12-31") from None


def _id(words: str) -> UUID | None:
    try:
        return UUID(words) if words else None
    except ValueError:
        raise InvalidInput("there is nothing of this id") from None


async def _then(request: Request, contact: ContactId, work: Awaitable[Any]) -> Response:
    try:
        await work
    except (InvalidInput, Conflict) as error:
        return await _requester(request, contact, wrong=error_in_words(error, translator(request)))
    return RedirectResponse(f"/console/requesters/{contact}", 303)


def _other_languages(reader: str) -> Mapping[str, str]:
    """Return the languages that the desk does not speak, by their names in the reader's."""
    names = {
        code: name[:1].upper() + name[1:]
        for code, name in Locale.parse(reader).languages.items()
        if is_language(code) and code not in LANGUAGES
    }
    return dict(sorted(names.items(), key=lambda item: item[1]))


async def _requester(
    request: Request, contact: ContactId, *, q: str = "", wrong: str = ""
) -> Response:
    async with storage_errors(), desk_of(request).sessions() as session:
        position = await feed_end(session)
        sight = await sight_for(request, session)
        record = await requester_record(session, contact, sight)
        theirs = TicketFilter(requester=contact, sight=sight)
        tickets = await list_tickets(session, theirs, limit=_SHOWN)
        # No conversation is beside these: the id is nobody's.
        conversations = await conversations_of(
            session, contact, besides=ConversationId(uuid4()), sight=sight, limit=_SHOWN
        )
        with_ticket = {ticket.conversation for ticket in tickets}
        assets = await list_assets(session, owner=contact)
        organisations = await list_organisations(session)
        others = await list_requesters(session, q, limit=11) if q.strip() else ()
    return page(
        request,
        "requesters/one.html",
        status=422 if wrong else 200,
        position=position,
        record=record,
        tickets=tickets,
        conversations=[one for one in conversations if one.id not in with_ticket],
        owned=assets,
        organisations=organisations,
        other_languages=_other_languages(language_of(request)),
        others=[other for other in others if other.id != contact],
        q=q,
        wrong=wrong,
    )


async def _organisations(
    request: Request, *, filled: _Filled | None = None, wrong: str = ""
) -> Response:
    async with storage_errors(), desk_of(request).sessions() as session:
        position = await feed_end(session)
        found = await list_organisations(session, with_archived=True)
        plans = await list_plans(session)
    return page(
        request,
        "requesters/organisations.html",
        status=422 if wrong else 200,
        position=position,
        organisations=found,
        plans=plans,
        filled=filled,
        wrong=wrong,
    )


async def _organisation(
    request: Request,
    organisation: OrganisationId,
    *,
    filled: _Filled | None = None,
    wrong: str = "",
) -> Response:
    async with storage_errors(), desk_of(request).sessions() as session:
        position = await feed_end(session)
        found = await organisation_view(session, organisation)
        members = await list_requesters(session, organisation=organisation, limit=_SHOWN)
        sight = await sight_for(request, session)
        theirs = TicketFilter(organisation=organisation, sight=sight)
        tickets = await list_tickets(session, theirs, limit=20)
        assets = await list_assets(session, organisation=organisation, limit=20)
        plans = await list_plans(session)
        policies = await list_policies(session)
        choices = await policy_choices(session)
    return page(
        request,
        "requesters/organisation.html",
        status=422 if wrong else 200,
        position=position,
        organisation=found,
        filled=filled or _Filled.as_stored(found),
        plans=plans,
        promises=[one for one in policies if _is_for(one, found)],
        choices=choices,
        members=members,
        tickets=tickets,
        owned=assets,
        wrong=wrong,
    )


def _is_for(policy: PolicyView, organisation: OrganisationView) -> bool:
    """Say whether tickets of an organisation can fall under a policy, by its plan of today."""
    wanted = policy.conditions
    plan = organisation.plan if organisation.has_plan else None
    return (
        not wanted.get("organisations") or str(organisation.id) in wanted["organisations"]
    ) and (not wanted.get("plans") or (plan is not None and str(plan.id) in wanted["plans"]))
