"""Macros in the API."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field
from sqlalchemy import select

from console.api.automation.shapes import ActionBody
from console.api.parts import first_of
from console.api.preconditions import IfMatch, tag
from console.api.principal import AgentCaller, LeadCaller
from console.api.put_back import PutBack
from console.api.shapes import Body, Limit, Page, Text
from console.desk import desk_of
from core.domain.errors import NotFound
from core.services.automation.forms import actions_from_json
from core.services.automation.macros import MacroForm
from core.storage.engine import storage_errors
from core.storage.queries.by_name import from_row
from core.storage.tables import Macro

router = APIRouter(route_class=PutBack, tags=["automation"])


class MacroBody(Body):
    """A prepared answer, with what else is done when it is sent."""

    name: Annotated[Text, Field(max_length=120)]
    text: Annotated[Text, Field(max_length=20_000)] = ""
    language: (
        Annotated[
            Text,
            Field(
                max_length=12, description="Of `text`; null: it is for requesters of any language."
            ),
        ]
        | None
    ) = None
    translations: Annotated[
        dict[
            Annotated[Text, Field(max_length=12)],
            Annotated[Text, Field(max_length=20_000)],
        ],
        Field(
            max_length=20,
            description="The same text for requesters of other languages, by language.",
            examples=[{"es": "Hola, {{ requester.first_name }}"}],
        ),
    ] = Field(default_factory=dict)
    team: Annotated[UUID, Field(strict=False)] | None = None
    actions: Annotated[list[ActionBody], Field(max_length=20)] = Field(default_factory=list)

    def form(self) -> MacroForm:
        """Return the macro that is meant, or raise `InvalidInput`."""
        return MacroForm(
            name=self.name,
            text=self.text,
            language=self.language,
            translations=self.translations,
            team=self.team,
            actions=actions_from_json([one.model_dump() for one in self.actions]),
        )


class MacroOut(BaseModel):
    """A macro, and how often it was chosen."""

    id: UUID
    name: str
    text: str
    language: str | None
    translations: dict[str, str]
    team: UUID | None
    actions: list[dict[str, Any]]
    used: int
    revision: int  # its entity tag


@router.get("/macros")
async def list_macros(
    request: Request, _: AgentCaller, cursor: UUID | None = None, limit: Limit = 50
) -> Page[MacroOut]:
    """List the macros by name."""
    async with storage_errors(), desk_of(request).sessions() as session:
        here = await from_row(session, Macro.name, Macro.id, cursor)
        query = select(Macro).where(here).order_by(Macro.name, Macro.id).limit(limit + 1)
        found = (await session.scalars(query)).all()
    return first_of(found, _macro, limit)


@router.post("/macros", status_code=201)
async def add_macro(request: Request, caller: LeadCaller, body: MacroBody) -> MacroOut:
    """Add a macro."""
    return await _saved(request, await desk_of(request).macros.save(None, body.form(), caller))


@router.get("/macros/{macro}")
async def get_macro(request: Request, response: Response, _: AgentCaller, macro: UUID) -> MacroOut:
    """Return one macro."""
    found = await _saved(request, macro)
    tag(response, found.revision)
    return found


@router.put("/macros/{macro}")
async def change_macro(
    request: Request, caller: LeadCaller, macro: UUID, body: MacroBody, revision: IfMatch
) -> MacroOut:
    """Replace a macro."""
    await desk_of(request).macros.save(macro, body.form(), caller, revision=revision)
    return await _saved(request, macro)


@router.delete("/macros/{macro}", status_code=204)
async def remove_macro(request: Request, caller: LeadCaller, macro: UUID) -> Response:
    """Delete a macro."""
    await desk_of(request).macros.remove(macro, caller)
    return Response(status_code=204)


async def _saved(request: Request, macro: UUID) -> MacroOut:
    async with storage_errors(), desk_of(request).sessions() as session:
        row = await session.get(Macro, macro)
    if row is None:
        raise NotFound("there is no such macro")
    return _macro(row)


def _macro(row: Macro) -> MacroOut:
    return MacroOut(
        id=row.id,
        name=row.name,
        text=row.text,
        language=row.language,
        translations=row.translations,
        team=row.team_id,
        actions=row.actions,
        used=row.used,
        revision=row.revision,
    )
