"""The settings' page of API tokens: which there are, a new one, and an end to one."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from console.desk import desk_of
from console.fields import number_field
from console.pages.session import Admins, form_of, text_field
from console.pages.view import page, translator
from console.words.errors import error_in_words
from console.words.states import ROLE
from core.domain.actor import Role, Scope
from core.domain.errors import DeskError, InvalidInput
from core.services.access.tokens import TokenTerms
from core.storage.engine import storage_errors
from core.storage.queries.access.tokens import list_tokens
from core.storage.queries.feed import feed_end

router = APIRouter(prefix="/console/settings/tokens")


@router.get("")
async def show_tokens(request: Request, _: Admins) -> Response:
    """List the tokens, with a form to issue one."""
    return await _tokens(request)


@router.post("")
async def create_token(request: Request, _: Admins) -> Response:
    """Issue a token and show it, this once."""
    form = await form_of(request)
    try:
        scopes = [Scope(one) for one in form.getlist("scopes") if one in list(Scope)]
        role = text_field(form, "role")
        if role not in ROLE:
            raise InvalidInput("a token's role is agent, lead, admin or auditor")
        terms = TokenTerms(
            name=text_field(form, "name"), scopes=scopes, days=number_field(form, "days")
        )
        token = await desk_of(request).access.create_token(
            text_field(form, "email"), Role(role), terms
        )
    except DeskError as error:
        return await _tokens(request, error=error)
    return await _tokens(request, token=token)


@router.post("/{key}/revoke")
async def revoke_token(request: Request, _: Admins, key: UUID) -> Response:
    """Let a token not be valid any more."""
    await desk_of(request).access.tokens.revoke(key)
    return RedirectResponse("/console/settings/tokens", 303)


async def _tokens(
    request: Request, *, token: str | None = None, error: DeskError | None = None
) -> Response:
    async with storage_errors(), desk_of(request).sessions() as session:
        position = await feed_end(session)
        tokens = await list_tokens(session)
    return page(
        request,
        "tokens.html",
        status=200 if error is None else 422,
        position=position,
        tokens=tokens,
        token=token,
        now=datetime.now(UTC),
        wrong=None if error is None else error_in_words(error, translator(request)),
    )
