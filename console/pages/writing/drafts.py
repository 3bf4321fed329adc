"""Drafts of what agents write, as the page of a ticket keeps and fetches them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field
from starlette.responses import JSONResponse, Response

from console.desk import desk_of
from console.pages.session import Agents
from core.domain.content import Envelope
from core.domain.ids import Address, ConversationId, UploadId
from core.services.writing.drafts import DraftKind, DraftText, DraftView, drafts_of
from core.storage.engine import storage_errors

router = APIRouter(prefix="/console/conversations")

_Words = Annotated[list[Annotated[str, Field(max_length=1_000)]], Field(max_length=200)]


class _Addressed(BaseModel):
    to: _Words = []
    cc: _Words = []
    bcc: _Words = []
    subject: str | None = Field(default=None, max_length=1_000)

    def envelope(self) -> Envelope:
        return Envelope(
            to=tuple(map(Address, self.to)),
            cc=tuple(map(Address, self.cc)),
            bcc=tuple(map(Address, self.bcc)),
            subject=self.subject,
        )


class _Typed(BaseModel):
    text: str = Field(default="", max_length=100_000)
    files: list[UUID] = Field(default=[], max_length=200)
    envelope: _Addressed | None = None
    seen: int | None = Field(default=None, ge=0, lt=2**31)


@router.get("/{conversation}/drafts")
async def show_drafts(request: Request, signed_in: Agents, conversation: UUID) -> Response:
    """Return what the agent has typed in a conversation, by kind."""
    async with storage_errors(), desk_of(request).sessions() as session:
        drafts = await drafts_of(session, signed_in.agent.id, ConversationId(conversation))
    return JSONResponse(drafts_json(drafts), headers={"Cache-Control": "no-store"})


@router.put("/{conversation}/drafts/{kind}")
async def save_draft(
    request: Request, signed_in: Agents, conversation: UUID, kind: DraftKind, typed: _Typed
) -> Response:
    """Keep what the agent has typed; nothing typed is no draft."""
    draft = DraftText(
        text=typed.text,
        files=tuple(UploadId(file) for file in typed.files),
        envelope=None if typed.envelope is None else typed.envelope.envelope(),
        seen=typed.seen,
    )
    where = ConversationId(conversation)
    await desk_of(request).drafts.save(signed_in.agent.id, where, kind, draft)
    return Response(status_code=204)


def drafts_json(drafts: Mapping[DraftKind, DraftView]) -> dict[str, Any]:
    """Return drafts as the page's script reads them."""
    return {
        str(kind): {
            "text": view.draft.text,
            "files": [
                {"id": str(name), "name": file.name, "size": file.size_bytes}
                for name, file in view.files.items()
            ],
            "envelope": None
            if view.draft.envelope is None
            else {
                "to": list(view.draft.envelope.to),
                "cc": list(view.draft.envelope.cc),
                "bcc": list(view.draft.envelope.bcc),
                "subject": view.draft.envelope.subject,
            },
            "seen": view.draft.seen,
        }
        for kind, view in drafts.items()
    }
