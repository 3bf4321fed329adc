"""Versions of the assistant's model in the API: train, compare, let serve, go back."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Self

from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel, Field

from console.api.principal import AdminCaller, ReaderCaller
from console.api.shapes import Body, Limit, Nothing, Page
from console.desk import desk_of
from core.domain.models import ModelState
from core.services.learning.versions import VersionView

router = APIRouter(prefix="/assistant/versions", tags=["assistant"])

_LARGEST = 2**63 - 1
Number = Annotated[int, Path(ge=0, le=_LARGEST, description="0 is the release as it comes.")]


class VersionBody(Body):
    """What becomes of a version once it is trained."""

    goes_live: Annotated[
        bool, Field(description="It serves as soon as it has passed the gate.")
    ] = True


class VersionOut(BaseModel):
    """A version of the model, and how the gate judged it."""

    number: int
    state: ModelState
    serving: bool  # the assistant has said that it serves this one
    can_serve: bool
    goes_live: bool
    examples: int
    held_back: int
    passed: bool | None  # the gate's verdict; null until it is known
    reasons: list[str]  # what speaks against it
    error: str | None
    asked_by: str | None
    asked_at: datetime
    ended_at: datetime | None
    used_by: str | None
    used_at: datetime | None

    @classmethod
    def of(cls, view: VersionView) -> Self:
        """Return what the API tells of `view`."""
        report = view.report or {}
        return cls(
            number=view.number,
            state=view.state,
            serving=view.is_served,
            can_serve=view.can_serve,
            goes_live=view.goes_live,
            examples=view.examples,
            held_back=view.held_back,
            passed=report.get("passed"),
            reasons=list(report.get("reasons", ())),
            error=view.error,
            asked_by=view.asked_by,
            asked_at=view.asked_at,
            ended_at=view.ended_at,
            used_by=view.used_by,
            used_at=view.used_at,
        )


class JudgedVersionOut(VersionOut):
    """A version with the whole report of the gate."""

    report: dict[str, Any] | None  # figures by language, and each message that gets better or worse

    @classmethod
    def of(cls, view: VersionView) -> Self:
        """Return all that the API tells of `view`."""
        listed = VersionOut.of(view).model_dump()
        return cls(**listed, report=None if view.report is None else dict(view.report))


@router.get("")
async def list_versions(
    request: Request,
    _: ReaderCaller,
    cursor: Annotated[int | None, Query(ge=0, le=_LARGEST)] = None,
    limit: Limit = 50,
) -> Page[VersionOut]:
    """List the versions, the newest first."""
    found = await desk_of(request).versions.page(cursor, limit + 1)
    return Page(
        items=[VersionOut.of(view) for view in found[:limit]],
        next=str(found[limit - 1].number) if len(found) > limit else None,
    )


@router.post("", status_code=202)
async def train(request: Request, caller: AdminCaller, body: VersionBody) -> JudgedVersionOut:
    """Have a version trained of what is approved now.

    409 where one is being made, or nothing is new. The assistant goes on answering meanwhile.
    """
    versions = desk_of(request).versions
    return JudgedVersionOut.of(
        await versions.get(await versions.ask(caller, goes_live=body.goes_live))
    )


@router.get("/{version}")
async def get_version(request: Request, _: ReaderCaller, version: Number) -> JudgedVersionOut:
    """Return a version with what it understands better and worse than the one before it."""
    return JudgedVersionOut.of(await desk_of(request).versions.get(version))


@router.post("/{version}/use")
async def use_version(
    request: Request, caller: AdminCaller, version: Number, _: Nothing
) -> JudgedVersionOut:
    """Let a version serve, an earlier one too: so one goes back. 409 where it cannot, or does."""
    versions = desk_of(request).versions
    await versions.use(version, caller)
    return JudgedVersionOut.of(await versions.get(version))


@router.post("/{version}/give-up")
async def give_up(
    request: Request, caller: AdminCaller, version: Number, _: Nothing
) -> JudgedVersionOut:
    """Wait no longer for a version that is being made."""
    versions = desk_of(request).versions
    await versions.give_up(version, caller)
    return JudgedVersionOut.of(await versions.get(version))
