"""Where programs report: addresses that carry their own token."""

from __future__ import annotations

import json
from typing import Annotated

from fastapi import APIRouter, HTTPException, Path, Request
from pydantic import BaseModel

from console.desk import desk_of
from core.services.audit import done_from

router = APIRouter(prefix="/hooks", tags=["hooks"])

_REPORT = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": {"type": "object", "title": "Report"}}},
    }
}


class ReportOut(BaseModel):
    """What became of a report."""

    ticket: int | None  # its number; none where a matter is over that was never reported


@router.post("/{token}", status_code=202, openapi_extra=_REPORT)
async def report(
    request: Request,
    token: Annotated[str, Path(max_length=200, description="From the console, under Webhooks.")],
) -> ReportOut:
    """Open, update or solve the ticket of what is reported, by the hook's format.

    Prometheus Alertmanager's `webhook_config` needs nothing but this address. More reports than it
    takes a minute are refused with 429 and `Retry-After`.
    """
    hooks = desk_of(request).incoming_hooks
    # The body is read here and not by a parameter: that would read it, for whoever sends one,
    # before the address is known to be one, and a megabyte of brackets takes a model seconds.
    with done_from(request.client.host if request.client else None):
        await hooks.admit(token)
    try:
        # Senders cut texts, and some in the middle of an emoji: stricter parsers refuse that.
        payload = json.loads(await request.body())
    except (ValueError, RecursionError) as error:
        raise HTTPException(400, f"the body is not JSON: {error}"[:200]) from error
    return ReportOut(ticket=await hooks.take(token, payload))
