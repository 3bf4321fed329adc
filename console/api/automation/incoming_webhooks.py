"""Addresses that programs report to, in the API; `hooks` is where they report."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from console.api.parts import first_of
from console.api.preconditions import IfMatch, tag
from console.api.principal import AdminCaller
from console.api.put_back import PutBack
from console.api.shapes import Body, Limit, Nothing, Page, Text
from console.desk import ConsoleDesk, desk_of
from core.domain.automation.alerts import (
    MAX_PATH_CHARS,
    MOST_FIELDS,
    MOST_OVER_VALUES,
    HookFormat,
    ReportMapping,
)
from core.domain.errors import NotFound
from core.services.automation.incoming import HookForm, mapping_from_json
from core.storage.engine import storage_errors
from core.storage.queries.automation import hooks_by_name
from core.storage.tables import IncomingHook

router = APIRouter(route_class=PutBack, prefix="/incoming-webhooks", tags=["automation"])

MappedPath = Annotated[Text, Field(max_length=MAX_PATH_CHARS)]
"""Where a report says something: keys and numbers with dots between them, as `alerts.0.host`."""


class MappingBody(Body):
    """Where a report of another form says what: paths with dots, such as `incident.id`."""

    key: Annotated[MappedPath, Field(description="Equal in reports about the same matter.")]
    subject: MappedPath
    text: MappedPath = ""
    priority: MappedPath = ""
    over_path: Annotated[MappedPath, Field(description="What says that it is over.")] = ""
    over_values: Annotated[
        list[Annotated[Text, Field(max_length=MAX_PATH_CHARS)]],
        Field(
            max_length=MOST_OVER_VALUES,
            description="Values there that say so.",
            examples=[["resolved"]],
        ),
    ] = Field(default_factory=list)
    category: Annotated[
        MappedPath, Field(description="Its name, or its path as `Hardware / Laptop`.")
    ] = ""
    team: Annotated[MappedPath, Field(description="Its name.")] = ""
    requester: Annotated[
        MappedPath, Field(description="Their e-mail address; empty: the program itself.")
    ] = ""
    tags: Annotated[MappedPath, Field(description="A list, or words with commas between.")] = ""
    fields: Annotated[
        dict[Annotated[Text, Field(max_length=MAX_PATH_CHARS)], MappedPath],
        Field(
            max_length=MOST_FIELDS,
            description="Fields of the category's form, by label.",
            examples=[{"Host": "alerts.0.host"}],
        ),
    ] = Field(default_factory=dict)

    def mapping(self) -> ReportMapping:
        """Return it as the desk takes it, or raise `InvalidInput`."""
        return ReportMapping(
            **{
                **self.model_dump(),
                "over_values": tuple(self.over_values),
                "fields": tuple(self.fields.items()),
            }
        )


class MappingOut(BaseModel):
    """A mapping as it is kept, also one that is larger than what is taken now."""

    key: str
    subject: str
    text: str
    priority: str
    over_path: str
    over_values: list[str]
    category: str
    team: str
    requester: str
    tags: str
    fields: dict[str, str]

    @classmethod
    def of(cls, mapping: ReportMapping) -> MappingOut:
        """Return what the API tells of a mapping."""
        names = (name for name in cls.model_fields if name not in {"over_values", "fields"})
        return cls(
            **{name: getattr(mapping, name) for name in names},
            over_values=list(mapping.over_values),
            fields=dict(mapping.fields),
        )


class HookBody(Body):
    """An address that a program reports to."""

    name: Annotated[Text, Field(max_length=120)]
    format: Annotated[HookFormat, Field(strict=False)] = HookFormat.ALERTMANAGER
    mapping: Annotated[
        MappingBody | None, Field(description="With the format `mapped`, and only with it.")
    ] = None
    team: Annotated[UUID | None, Field(strict=False, description="That gets what is reported.")] = (
        None
    )

    def form(self) -> HookForm:
        """Return the hook that is meant, or raise `InvalidInput`."""
        return HookForm(
            name=self.name,
            format=self.format,
            mapping=None if self.mapping is None else self.mapping.mapping(),
            team=self.team,
        )


class HookOut(BaseModel):
    """An address that a program reports to; the address itself is told once."""

    id: UUID
    name: str
    format: HookFormat
    mapping: MappingOut | None
    team: UUID | None
    created_at: datetime
    reported_at: datetime | None = Field(description="When something was last reported to it.")
    limited_at: datetime | None = Field(
        description="When a report was last refused because it had as many as it takes a minute."
    )
    revision: int  # its entity tag
    address: str | None = Field(
        default=None, description="Told when it is made or renewed, this once."
    )

    @classmethod
    def of(cls, row: IncomingHook) -> HookOut:
        """Return what the API tells of a hook."""
        mapping = None if row.mapping is None else mapping_from_json(row.mapping)
        return cls(
            id=row.id,
            name=row.name,
            format=HookFormat(row.format),
            mapping=None if mapping is None else MappingOut.of(mapping),
            team=row.team_id,
            created_at=row.created_at,
            reported_at=row.reported_at,
            limited_at=row.limited_at,
            revision=row.revision,
        )


@router.get("")
async def list_hooks(
    request: Request, _: AdminCaller, cursor: UUID | None = None, limit: Limit = 50
) -> Page[HookOut]:
    """List the addresses that programs report to, by name."""
    async with storage_errors(), desk_of(request).sessions() as session:
        found = await hooks_by_name(session, start=cursor, limit=limit + 1)
    return first_of(found, HookOut.of, limit)


@router.post("", status_code=201)
async def add_hook(
    request: Request, response: Response, caller: AdminCaller, body: HookBody
) -> HookOut:
    """Add an address; the answer tells it, this once."""
    desk = desk_of(request)
    name, token = await desk.incoming_hooks.add(body.form(), caller)
    return await _told(desk, response, name, token)


@router.get("/{hook}")
async def get_hook(request: Request, response: Response, _: AdminCaller, hook: UUID) -> HookOut:
    """Return one address that a program reports to."""
    return await _answer(desk_of(request), response, hook)


@router.put("/{hook}")
async def change_hook(
    request: Request,
    response: Response,
    caller: AdminCaller,
    hook: UUID,
    body: HookBody,
    revision: IfMatch,
) -> HookOut:
    """Replace what is set of an address; the address and its tickets stay."""
    desk = desk_of(request)
    await desk.incoming_hooks.change(hook, body.form(), caller, revision=revision)
    return await _answer(desk, response, hook)


@router.post("/{hook}/address")
async def renew_address(
    request: Request,
    response: Response,
    caller: AdminCaller,
    hook: UUID,
    revision: IfMatch,
    _: Nothing | None = None,
) -> HookOut:
    """Replace an address, whose secret part somebody may have seen; the old one is void at once."""
    desk = desk_of(request)
    token = await desk.incoming_hooks.renew(hook, caller, revision=revision)
    return await _told(desk, response, hook, token)


@router.delete("/{hook}", status_code=204)
async def remove_hook(request: Request, caller: AdminCaller, hook: UUID) -> None:
    """Forget an address that a program reports to; its tickets stay."""
    await desk_of(request).incoming_hooks.remove(hook, caller)


async def _answer(desk: ConsoleDesk, response: Response, hook: UUID) -> HookOut:
    async with storage_errors(), desk.sessions() as session:
        row = await session.get(IncomingHook, hook)
    if row is None:
        raise NotFound("there is no such webhook")
    tag(response, row.revision)
    return HookOut.of(row)


async def _told(desk: ConsoleDesk, response: Response, hook: UUID, token: str) -> HookOut:
    answer = await _answer(desk, response, hook)
    address = f"{desk.base_url}/api/v1/hooks/{token}"
    return answer.model_copy(update={"address": address})
