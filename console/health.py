"""Whether the desk lives and whether all of it is up, for supervisors and load balancers."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from console.desk import desk_of
from core.domain.errors import StorageUnavailable, Unauthenticated
from core.domain.places import is_this_machine

router = APIRouter(include_in_schema=False)


@router.get("/healthz")
async def healthz() -> Response:
    """Answer that the process lives; asks nobody else."""
    return JSONResponse({"alive": True}, headers={"Cache-Control": "no-store"})


@router.get("/readyz")
async def readyz(request: Request) -> Response:
    """Answer which components are up; 503 until all are.

    What accounts there are and what ails them is not for strangers: it is told to this machine, and
    to whoever has a token.
    """
    found = dict(await desk_of(request).readiness())
    if not await _may_see_accounts(request):
        found.pop("accounts", None)
    return JSONResponse(
        found, 200 if found["ready"] else 503, headers={"Cache-Control": "no-store"}
    )


async def _may_see_accounts(request: Request) -> bool:
    if is_this_machine(request.client.host if request.client else None):
        return True
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        return False
    try:
        principal = await desk_of(request).access.bearer(token.strip())
    except (Unauthenticated, StorageUnavailable):
        return False
    return principal.agent is not None
