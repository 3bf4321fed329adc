"""Requesters in the API: who they are, where they write from, merged and parted."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from console.api.preconditions import IfMatch, tag
from console.api.principal import AgentCaller
from console.api.put_back import PutBack
from console.api.shapes import Body, Limit, NamedOut, Page, Text
from console.desk import desk_of
from console.sight import sight_for
from core.domain.ids import ContactId, OrganisationId
from core.services.requester_records.contacts import ContactDraft
from core.storage.engine import storage_errors
from core.storage.queries.requester_records.requesters import (
    AddressView,
    MergeView,
    RequesterRecord,
    RequesterView,
    list_requesters,
    requester_record,
)

router = APIRouter(route_class=PutBack, tags=["requesters"])

Short = Annotated[Text, Field(max_length=200)]
Notes = Annotated[Text, Field(max_length=5_000)]
Id = Annotated[UUID, Field(strict=False)]


class RequesterBody(Body):
    """What is written down about a requester."""

    name: Short
    language: Short | None = None
    time_zone: Short | None = None
    organisation: Id | None = None
    vip: bool = False
    notes: Notes = ""

    def draft(self) -> ContactDraft:
        """Return it as the desk takes it."""
        return ContactDraft(
            name=self.name,
            language=self.language,
            time_zone=self.time_zone,
            organisation=None if self.organisation is None else OrganisationId(self.organisation),
            is_vip=self.vip,
            notes=self.notes,
        )


class RequesterOut(BaseModel):
    """A requester."""

    id: UUID
    name: str | None
    email: str | None
    language: str | None
    time_zone: str | None
    organisation: NamedOut | None
    vip: bool
    notes: str

    @classmethod
    def of(cls, view: RequesterView) -> RequesterOut:
        """Return what the API tells of `view`."""
        return cls(
            id=view.id,
            name=view.name,
            email=view.email,
            language=view.language,
            time_zone=view.time_zone,
            organisation=NamedOut.of(view.organisation),
            vip=view.is_vip,
            notes=view.notes,
        )


class AddressOut(BaseModel):
    """Where a requester writes from."""

    account: str
    channel: str | None
    address: str
    verified_email: str | None  # that the platform vouches for
    bounce: str | None  # how mail to it comes back
    bounced_at: datetime | None  # when it last did

    @classmethod
    def of(cls, view: AddressView) -> Self:
        """Return what the API tells of `view`."""
        return cls(
            account=view.account,
            channel=view.channel,
            address=view.address,
            verified_email=view.verified_email,
            bounce=view.bounce,
            bounced_at=view.bounced_at,
        )


class ContactMergeOut(BaseModel):
    """Another contact that was made one with this one; its id parts them again."""

    id: UUID
    other: UUID
    name: str
    at: datetime

    @classmethod
    def of(cls, view: MergeView) -> Self:
        """Return what the API tells of `view`."""
        return cls(id=view.id, other=view.other, name=view.name, at=view.at)


class RequesterRecordOut(RequesterOut):
    """A requester with all that belongs to them but what they asked."""

    addresses: list[AddressOut]
    merges: list[ContactMergeOut]  # that are not undone
    merged_into: UUID | None  # the contact that has all that was this one's
    tickets: int
    score: float | None  # their satisfaction, 1 to 5, over all answers about tickets
    answers: int  # those about tickets

    @classmethod
    def of_record(cls, record: RequesterRecord) -> Self:
        """Return what the API tells of `record`."""
        return cls(
            **RequesterOut.of(record.requester).model_dump(),
            addresses=[AddressOut.of(one) for one in record.addresses],
            merges=[ContactMergeOut.of(one) for one in record.merges],
            merged_into=record.merged_into,
            tickets=record.tickets,
            score=record.score,
            answers=record.answers,
        )


class RequesterMergeBody(Body):
    """The contact whose all is given to the one in the address."""

    other: Id


class RequesterMergeOut(BaseModel):
    """A merge; its id undoes it."""

    id: UUID


@router.get("/requesters")
async def find_requesters(
    request: Request,
    _: AgentCaller,
    q: Annotated[Text, Query(description="Words of name, addresses or organisation.")] = "",
    cursor: Annotated[UUID | None, Query()] = None,
    limit: Limit = 50,
) -> Page[RequesterOut]:
    """List requesters, met last first."""
    before = None if cursor is None else ContactId(cursor)
    async with storage_errors(), desk_of(request).sessions() as session:
        found = await list_requesters(session, q[:200], before=before, limit=limit + 1)
    return Page(
        items=[RequesterOut.of(one) for one in found[:limit]],
        next=str(found[limit - 1].id) if len(found) > limit else None,
    )


@router.get("/requesters/{contact}")
async def get_requester(
    request: Request, response: Response, _: AgentCaller, contact: UUID
) -> RequesterRecordOut:
    """Return one requester, with addresses and merges; tickets are counted as far as one sees."""
    return await answer(request, response, ContactId(contact))


@router.put("/requesters/{contact}")
async def change_requester(
    request: Request,
    response: Response,
    caller: AgentCaller,
    contact: UUID,
    body: RequesterBody,
    revision: IfMatch,
) -> RequesterRecordOut:
    """Replace what is written down about a requester."""
    desk, named = desk_of(request), ContactId(contact)
    await desk.contacts.change(named, body.draft(), caller, revision=revision)
    return await answer(request, response, named)


@router.post("/requesters/{contact}/merges", status_code=201)
async def merge(
    request: Request, caller: AgentCaller, contact: UUID, body: RequesterMergeBody
) -> RequesterMergeOut:
    """Give all that is another contact's to this one."""
    merging = desk_of(request).contact_merging
    return RequesterMergeOut(
        id=await merging.merge(ContactId(contact), ContactId(body.other), caller)
    )


@router.delete("/requesters/{contact}/merges/{merge}", status_code=204)
async def undo_merge(request: Request, caller: AgentCaller, contact: UUID, merge: UUID) -> None:
    """Part two contacts again, within 30 days."""
    del contact  # part of the address alone: ids of merges are unique
    await desk_of(request).contact_merging.undo(merge, caller)


async def answer(request: Request, response: Response, contact: ContactId) -> RequesterRecordOut:
    """Return how a requester is now."""
    async with storage_errors(), desk_of(request).sessions() as session:
        found = await requester_record(session, contact, await sight_for(request, session))
    tag(response, found.requester.revision)
    return RequesterRecordOut.of_record(found)
