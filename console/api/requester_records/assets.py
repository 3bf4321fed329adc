"""Assets, and what similar tickets suggest, in the API."""

from __future__ import annotations

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from console.api.preconditions import IfMatch, tag
from console.api.principal import AgentCaller, LeadCaller, ReaderCaller
from console.api.put_back import PutBack
from console.api.shapes import Body, Limit, NamedOut, Page, PersonOut, Text
from console.api.tickets.tickets import TicketName, ticket_called
from console.desk import ConsoleDesk, desk_of
from console.heads import is_head
from console.sight import sight_for
from console.tables.assets import FILE, exported
from console.tables.files import decoded, table_head
from core.domain.assets import AssetDraft, AssetStatus
from core.domain.errors import InvalidInput
from core.domain.ids import AssetId
from core.domain.ticket import TicketStatus
from core.storage.engine import storage_errors
from core.storage.queries.classification.categories import category_tree
from core.storage.queries.classification.similar import Suggestion, suggestions_for
from core.storage.queries.requester_records.assets import AssetView, asset_view, list_assets

router = APIRouter(route_class=PutBack, tags=["assets"])

Short = Annotated[Text, Field(max_length=200)]


class AssetBody(Body):
    """An asset as it is to be; owner by e-mail address or id, organisation by name or id."""

    tag: Short
    kind: Short = ""
    model: Short = ""
    serial: Short = ""
    status: Annotated[AssetStatus, Field(strict=False)] = AssetStatus.IN_USE
    warranty_until: Annotated[date, Field(strict=False)] | None = None
    owner: Short | None = None
    organisation: Short | None = None
    notes: Annotated[Text, Field(max_length=5_000)] = ""

    def draft(self) -> AssetDraft:
        """Return it as the desk takes it."""
        given = self.model_dump()
        return AssetDraft(**given | {name: given[name] or "" for name in ("owner", "organisation")})


class AssetOut(BaseModel):
    """An asset."""

    id: UUID
    tag: str
    kind: str
    model: str
    serial: str
    status: AssetStatus
    warranty_until: date | None
    owner: PersonOut | None
    organisation: NamedOut | None
    notes: str

    @classmethod
    def of(cls, asset: AssetView) -> AssetOut:
        """Return what the API tells of `asset`."""
        return cls(
            id=asset.id,
            tag=asset.tag,
            kind=asset.kind,
            model=asset.model,
            serial=asset.serial,
            status=asset.status,
            warranty_until=asset.warranty_until,
            owner=None if asset.owner is None else PersonOut.of(asset.owner),
            organisation=NamedOut.of(asset.organisation),
            notes=asset.notes,
        )


class AssetImportOut(BaseModel):
    """What became of a table."""

    added: int
    changed: int
    unchanged: int
    left_out: int
    problems: list[dict[str, int | str]]  # `line` and `problem` of the first 200 left out
    ignored: list[str]  # headings of columns that are none of an asset's


class SuggestionOut(BaseModel):
    """Something that most similar tickets have in common."""

    id: UUID
    votes: int
    of: int


class SimilarOut(BaseModel):
    """A ticket that is like the one at hand."""

    number: int
    subject: str
    status: TicketStatus
    resolution: str


class SuggestionsOut(BaseModel):
    """What similar tickets suggest about one; a person decides."""

    by: str  # "vectors" or "words"
    similar: list[SimilarOut]
    category: SuggestionOut | None
    team: SuggestionOut | None


@router.get("/assets")
async def find_assets(
    request: Request,
    _: AgentCaller,
    q: Annotated[Text, Query(description="Words of tag, kind, model, serial or owner.")] = "",
    owner: Annotated[UUID | None, Query(description="A requester's id.")] = None,
    organisation: Annotated[UUID | None, Query(description="An organisation's id.")] = None,
    cursor: Annotated[UUID | None, Query()] = None,
    limit: Limit = 50,
) -> Page[AssetOut]:
    """List assets, added last first."""
    before = None if cursor is None else AssetId(cursor)
    async with storage_errors(), desk_of(request).sessions() as session:
        found = await list_assets(
            session,
            q[:200],
            owner=owner,
            organisation=organisation,
            before=before,
            limit=limit + 1,
        )
    return Page(
        items=[AssetOut.of(one) for one in found[:limit]],
        next=str(found[limit - 1].id) if len(found) > limit else None,
    )


@router.post("/assets", status_code=201)
async def add_asset(
    request: Request, response: Response, caller: LeadCaller, body: AssetBody
) -> AssetOut:
    """Add an asset."""
    desk = desk_of(request)
    return await _answer(desk, response, await desk.assets.add(body.draft(), caller))


@router.post("/assets/import")
async def import_assets(request: Request, caller: LeadCaller) -> AssetImportOut:
    """Add or change assets by a table of comma-separated values, sent as the body."""
    raw = await request.body()
    if not raw:
        raise InvalidInput("send the table as the body")
    done = await desk_of(request).assets.import_table(decoded(raw), caller)
    return AssetImportOut(
        added=done.added,
        changed=done.changed,
        unchanged=done.unchanged,
        left_out=done.left_out,
        problems=[{"line": line, "problem": problem} for line, problem in done.problems],
        ignored=list(done.ignored),
    )


@router.get("/assets/export.csv", response_class=Response)
async def export(request: Request, caller: ReaderCaller) -> Response:
    """Return all assets as a table that `/assets/import` takes and no spreadsheet is harmed by.

    That it was exported is in the audit log.
    """
    if is_head(request):
        return table_head(FILE)
    return await exported(desk_of(request), caller)


@router.get("/assets/{asset}")
async def get_asset(request: Request, response: Response, _: AgentCaller, asset: UUID) -> AssetOut:
    """Return one asset."""
    return await _answer(desk_of(request), response, AssetId(asset))


@router.put("/assets/{asset}")
async def change_asset(
    request: Request,
    response: Response,
    caller: LeadCaller,
    asset: UUID,
    body: AssetBody,
    revision: IfMatch,
) -> AssetOut:
    """Replace what is known of an asset."""
    desk = desk_of(request)
    await desk.assets.change(AssetId(asset), body.draft(), caller, revision=revision)
    return await _answer(desk, response, AssetId(asset))


@router.get("/tickets/{ticket}/suggestions", tags=["tickets"])
async def get_suggestions(request: Request, _: AgentCaller, ticket: TicketName) -> SuggestionsOut:
    """Return what tickets like this one suggest about it."""
    desk = desk_of(request)
    named = await ticket_called(desk, ticket)
    async with storage_errors(), desk.sessions() as session:
        sight = await sight_for(request, session)
        found = await suggestions_for(session, named, await category_tree(session), sight)
    return SuggestionsOut(
        by="vectors" if found.by_vectors else "words",
        similar=[
            SimilarOut(
                number=one.number,
                subject=one.subject,
                status=one.status,
                resolution=one.resolution,
            )
            for one in found.similar
        ],
        category=_suggestion(found.category),
        team=_suggestion(found.team),
    )


def _suggestion(found: Suggestion | None) -> SuggestionOut | None:
    return None if found is None else SuggestionOut(id=found.id, votes=found.votes, of=found.of)


async def _answer(desk: ConsoleDesk, response: Response, asset: AssetId) -> AssetOut:
    async with storage_errors(), desk.sessions() as session:
        found = await asset_view(session, asset)
    tag(response, found.revision)
    return AssetOut.of(found)
