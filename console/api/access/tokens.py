"""API tokens in the API: for admins to list, issue and revoke."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from console.api.parts import first_of
from console.api.principal import AdminCaller
from console.api.shapes import Body, Limit, Page, Text
from console.desk import desk_of
from core.domain.actor import Role, Scope
from core.services.access.tokens import TokenTerms
from core.storage.engine import storage_errors
from core.storage.queries.access.tokens import TokenView, list_tokens

router = APIRouter(prefix="/tokens", tags=["tokens"])


class NewToken(Body):
    """Whose token it is, and what it may be used for; `days` null: until it is revoked."""

    email: Annotated[Text, Field(max_length=254)]
    role: Annotated[Role, Field(strict=False)] = Role.AGENT
    name: Annotated[Text, Field(max_length=200)] = ""
    scopes: list[Annotated[Scope, Field(strict=False)]] = Field(default_factory=lambda: [*Scope])
    days: int | None = None


class TokenOut(BaseModel):
    """A token, without what is secret of it."""

    id: UUID
    name: str
    agent: str  # e-mail address
    role: Role
    scopes: list[str]
    created_at: datetime
    last_used_at: datetime | None
    expires_at: datetime | None
    revoked_at: datetime | None

    @classmethod
    def of(cls, token: TokenView) -> TokenOut:
        """Return what the API tells of `token`."""
        return cls(
            id=token.id,
            name=token.name,
            agent=token.email,
            role=token.role,
            scopes=list(token.scopes),
            created_at=token.created_at,
            last_used_at=token.last_used_at,
            expires_at=token.expires_at,
            revoked_at=token.revoked_at,
        )


class IssuedToken(BaseModel):
    """The token itself, which is shown this once."""

    token: str


@router.get("")
async def get_tokens(
    request: Request, _: AdminCaller, cursor: UUID | None = None, limit: Limit = 50
) -> Page[TokenOut]:
    """List all tokens, the newest first, those revoked last."""
    async with storage_errors(), desk_of(request).sessions() as session:
        found = await list_tokens(session, start=cursor, limit=limit + 1)
    return first_of(found, TokenOut.of, limit)


@router.post("", status_code=201)
async def create_token(request: Request, _: AdminCaller, body: NewToken) -> IssuedToken:
    """Issue a token; an agent who is not known yet is added."""
    terms = TokenTerms(name=body.name, scopes=body.scopes, days=body.days)
    access = desk_of(request).access
    return IssuedToken(token=await access.create_token(body.email, body.role, terms))


@router.delete("/{key}", status_code=204)
async def revoke_token(request: Request, _: AdminCaller, key: UUID) -> Response:
    """Let a token not be valid any more."""
    await desk_of(request).access.tokens.revoke(key)
    return Response(status_code=204)
