"""Where programs report: addresses that carry their own token."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Body, Path, Request
from pydantic import BaseModel, JsonValue

from console.desk import desk_of

router = APIRouter(prefix="/hooks", tags=["hooks"])


class ReportOut(BaseModel):
    """What became of a report."""

    ticket: int | None  # its number; none where a matter is over that was never reported


@router.post("/{token}", status_code=202)
async def report(
    request: Request,
    token: Annotated[str, Path(max_length=200, description="From the console, under Webhooks.")],
    payload: Annotated[JsonValue, Body()],
) -> ReportOut:
    """Open, update or solve the ticket of what is reported, by the hook's format.

    Prometheus Alertmanager's `webhook_config` needs nothing but this address.
    """
    return ReportOut(ticket=await desk_of(request).incoming_hooks.take(token, payload))
