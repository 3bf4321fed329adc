"""Who calls the API, and what each role may do there."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from console.desk import desk_of
from core.domain.actor import Agent, Role
from core.domain.errors import Forbidden, Unauthenticated
from core.services.access import Principal

_scheme = HTTPBearer(auto_error=False, description="A token from `desk token create`.")


async def _principal(
    request: Request,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_scheme)],
) -> Principal:
    if credentials is None:
        raise Unauthenticated("this needs an Authorization header with a bearer token")
    return await desk_of(request).access.bearer(credentials.credentials)


async def _agent(principal: Annotated[Principal, Depends(_principal)]) -> Agent:
    if principal.agent is None:
        raise Forbidden("only agents may do this")
    return principal.agent


async def _admin(principal: Annotated[Principal, Depends(_principal)]) -> Agent:
    if principal.agent is None or principal.role != Role.ADMIN:
        raise Forbidden("only admins may do this")
    return principal.agent


AnyCaller = Annotated[Principal, Depends(_principal)]
AgentCaller = Annotated[Agent, Depends(_agent)]
AdminCaller = Annotated[Agent, Depends(_admin)]
