"""Examples that the assistant is taught, in the API."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field, model_validator

from console.api.parts import part_of
from console.api.preconditions import IfMatch, tag
from console.api.principal import AdminCaller, LeadCaller, ReaderCaller
from console.api.put_back import PutBack
from console.api.shapes import Body, Cursor, Limit, Page, Text
from console.desk import ConsoleDesk, desk_of
from core.domain.ids import ExampleId
from core.domain.models import Example, ExampleState
from core.services.revisions import content_version
from core.storage.engine import storage_errors
from core.storage.queries.learning.examples import (
    ExampleView,
    example_counts,
    example_view,
    examples,
)

router = APIRouter(route_class=PutBack, prefix="/assistant", tags=["assistant"])

Intent = Annotated[Text, Field(min_length=1, max_length=100)]


class ExampleBody(Body):
    """A message as somebody wrote it, and what it means."""

    text: Annotated[Text, Field(min_length=1, max_length=500)]
    intent: Intent
    language: Annotated[Text, Field(min_length=2, max_length=12)]

    def example(self) -> Example:
        """Return it as the desk takes it."""
        return Example(text=self.text, intent=self.intent, language=self.language)


class ExampleChange(Body):
    """What is to be different about an example; what is not named stays."""

    intent: Annotated[
        Intent | None, Field(description="Alone, it has the example wait for review again.")
    ] = None
    state: Annotated[ExampleState | None, Field(strict=False)] = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.intent is None and self.state is None:
            raise ValueError("name intent, state or both")
        return self


class ExampleOut(BaseModel):
    """An example, with who added it."""

    id: UUID
    text: str
    intent: str
    language: str
    state: ExampleState
    added_by: str
    added_at: datetime
    reviewed_by: str | None
    revision: int  # its entity tag

    @classmethod
    def of(cls, view: ExampleView) -> Self:
        """Return what the API tells of `view`."""
        return cls(
            id=view.id,
            text=view.example.text,
            intent=view.example.intent,
            language=view.example.language,
            state=view.state,
            added_by=view.added_by,
            added_at=view.added_at,
            reviewed_by=view.reviewed_by,
            revision=content_version(view.stored),
        )


@router.get("/intents")
async def list_intents(
    request: Request, _: ReaderCaller, cursor: Cursor = None, limit: Limit = 50
) -> Page[str]:
    """List the intents that can be taught; empty until the assistant has said which it has."""
    return part_of(list(await desk_of(request).examples.intents()), str, cursor, limit, name=str)


@router.get("/examples")
async def list_examples(
    request: Request,
    _: ReaderCaller,
    q: Annotated[Text, Query(description="Words of the example.", max_length=200)] = "",
    state: ExampleState | None = None,
    intent: Annotated[Text | None, Query(max_length=100)] = None,
    language: Annotated[Text | None, Query(max_length=12)] = None,
    cursor: UUID | None = None,
    limit: Limit = 50,
) -> Page[ExampleOut]:
    """List examples, the newest first."""
    async with storage_errors(), desk_of(request).sessions() as session:
        found = await examples(
            session,
            state=state,
            intent=intent,
            language=language,
            words=q,
            before=cursor,
            limit=limit + 1,
        )
    return Page(
        items=[ExampleOut.of(one) for one in found[:limit]],
        next=str(found[limit - 1].id) if len(found) > limit else None,
    )


@router.get("/examples/counts")
async def count_examples(request: Request, _: ReaderCaller) -> dict[ExampleState, int]:
    """Count the examples by state."""
    async with storage_errors(), desk_of(request).sessions() as session:
        return dict(await example_counts(session))


@router.post("/examples", status_code=201)
async def propose_example(
    request: Request, response: Response, caller: LeadCaller, body: ExampleBody
) -> ExampleOut:
    """Propose an example; the assistant learns it once an admin has approved it."""
    desk = desk_of(request)
    made = await desk.examples.propose(body.example(), caller)
    return await example_answer(desk, response, made)


@router.get("/examples/{example}")
async def get_example(
    request: Request, response: Response, _: ReaderCaller, example: UUID
) -> ExampleOut:
    """Return one example."""
    return await example_answer(desk_of(request), response, ExampleId(example))


@router.patch("/examples/{example}")
async def change_example(
    request: Request,
    response: Response,
    caller: AdminCaller,
    example: UUID,
    body: ExampleChange,
    revision: IfMatch,
) -> ExampleOut:
    """Approve or reject an example, or give it another intent."""
    desk, named = desk_of(request), ExampleId(example)
    await desk.examples.change(
        named, caller, intent=body.intent, state=body.state, revision=revision
    )
    return await example_answer(desk, response, named)


@router.delete("/examples/{example}", status_code=204)
async def remove_example(
    request: Request, caller: AdminCaller, example: UUID, revision: IfMatch
) -> None:
    """Delete an example; the next version does not learn it."""
    await desk_of(request).examples.remove(ExampleId(example), caller, revision=revision)


async def example_answer(desk: ConsoleDesk, response: Response, example: ExampleId) -> ExampleOut:
    """Return an example as it is now, with its entity tag."""
    async with storage_errors(), desk.sessions() as session:
        shown = ExampleOut.of(await example_view(session, example))
    tag(response, shown.revision)
    return shown
