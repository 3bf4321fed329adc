"""Who calls the API, and what each role may do there."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from console.desk import desk_of
from console.refusals import refusals_noted
from console.sight import check_sight
from core.domain.actor import LEADING, Agent, Role, Scope
from core.domain.errors import Forbidden, Unauthenticated
from core.services.access.tokens import Principal
from core.services.audit import done_by, done_by_program, done_from

_READING = frozenset({"GET", "HEAD"})
_scheme = HTTPBearer(auto_error=False, description="A token from `desk token create`.")


async def _principal(
    request: Request,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_scheme)],
) -> AsyncIterator[Principal]:
    if credentials is None:
        raise Unauthenticated("this needs an Authorization header with a bearer token")
    principal = await desk_of(request).access.bearer(credentials.credentials)
    actor = "assistant" if principal.agent is None else principal.agent.actor
    remote = request.client.host if request.client else None
    with done_from(remote), done_by(actor), done_by_program():
        async with refusals_noted(request, actor):
            _check_use(request, principal)
            if principal.agent is not None:
                await check_sight(request, principal.agent)
            yield principal


def _check_use(request: Request, principal: Principal) -> None:
    if request.method in _READING and Scope.READ not in principal.scopes:
        raise Forbidden("this token may not be used for this: it lacks the scope read")
    if principal.role == Role.AUDITOR and request.method not in _READING:
        raise Forbidden("auditors change nothing")


def _check_scope(request: Request, principal: Principal, needed: Scope) -> None:
    if request.method in _READING:
        return
    if request.url.path.startswith("/api/v1/knowledge"):
        needed = Scope.KNOWLEDGE
    if needed not in principal.scopes:
        raise Forbidden(f"this token may not be used for this: it lacks the scope {needed}")


async def _agent(request: Request, principal: Annotated[Principal, Depends(_principal)]) -> Agent:
    if principal.agent is None:
        raise Forbidden("only agents may do this")
    _check_scope(request, principal, Scope.TICKETS)
    return principal.agent


async def _admin(request: Request, principal: Annotated[Principal, Depends(_principal)]) -> Agent:
    if principal.agent is None or principal.role != Role.ADMIN:
        raise Forbidden("only admins may do this")
    _check_scope(request, principal, Scope.ADMIN)
    return principal.agent


async def _editor(request: Request, principal: Annotated[Principal, Depends(_principal)]) -> Agent:
    if principal.agent is None or principal.role != Role.ADMIN:
        raise Forbidden("only admins may do this")
    _check_scope(request, principal, Scope.KNOWLEDGE)
    return principal.agent


async def _lead(request: Request, principal: Annotated[Principal, Depends(_principal)]) -> Agent:
    if principal.agent is None or principal.role not in LEADING:
        raise Forbidden("only leads and admins may do this")
    _check_scope(request, principal, Scope.ADMIN)
    return principal.agent


async def _auditor(request: Request, principal: Annotated[Principal, Depends(_principal)]) -> Agent:
    if principal.agent is None or principal.role not in {Role.ADMIN, Role.AUDITOR}:
        raise Forbidden("only admins and auditors may do this")
    _check_scope(request, principal, Scope.ADMIN)
    return principal.agent


async def _reader(request: Request, principal: Annotated[Principal, Depends(_principal)]) -> Agent:
    if principal.agent is None or principal.role not in LEADING | {Role.AUDITOR}:
        raise Forbidden("only leads, admins and auditors may see this")
    _check_scope(request, principal, Scope.ADMIN)
    return principal.agent


AnyCaller = Annotated[Principal, Depends(_principal)]
AgentCaller = Annotated[Agent, Depends(_agent)]
AdminCaller = Annotated[Agent, Depends(_admin)]
LeadCaller = Annotated[Agent, Depends(_lead)]
AuditCaller = Annotated[Agent, Depends(_auditor)]
EditorCaller = Annotated[Agent, Depends(_editor)]
"""Who may write articles; below `/knowledge`, `AdminCaller` asks for the same scope."""
ReaderCaller = Annotated[Agent, Depends(_reader)]
