"""Whether the desk lives and whether all of it is up, for supervisors and load balancers."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from console.desk import desk_of

router = APIRouter(include_in_schema=False)


@router.get("/healthz")
async def healthz() -> Response:
    """Answer that the process lives; asks nobody else."""
    return JSONResponse({"alive": True}, headers={"Cache-Control": "no-store"})


@router.get("/readyz")
async def readyz(request: Request) -> Response:
    """Answer which components are up; 503 until all are."""
    found = await desk_of(request).readiness()
    return JSONResponse(
        dict(found), 200 if found["ready"] else 503, headers={"Cache-Control": "no-store"}
    )
