"""An agent's notices in the API, and how they want to be told."""

from __future__ import annotations

from datetime import datetime, time
from typing import Annotated, Self
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field, model_validator

from console.api.preconditions import IfMatch, tag
from console.api.principal import AgentCaller
from console.api.put_back import PutBack
from console.api.shapes import Body, Limit, Page, Text
from console.chat_connection import accounts_that_tell, find_and_connect, send_code
from console.desk import desk_of
from console.sight import ticket_of_body
from core.domain.access import AccessChange
from core.domain.actor import Agent
from core.domain.errors import InvalidInput
from core.domain.ids import AccountId, AgentId
from core.domain.notification import Notice, Reach, Wish
from core.services.access.telling import (
    AccessNoticeView,
    access_notices_of,
    count_unread_access,
)
from core.services.notifications.reading import (
    NoticeView,
    Wishes,
    count_unread,
    notices_of,
    wishes_of,
)
from core.services.revisions import content_version
from core.storage.engine import storage_errors

router = APIRouter(route_class=PutBack, prefix="/notices", tags=["notices"])

_CLOCK = r"^([01][0-9]|2[0-3]):[0-5][0-9]$"
Clock = Annotated[
    Text | None,
    Field(pattern=_CLOCK, description="By the agent's own clock.", examples=["22:00"]),
]


class NoticeOut(BaseModel):
    """One thing that the caller is told about one ticket."""

    id: UUID
    notice: Notice
    ticket: int
    ticket_id: UUID
    subject: str
    by: str = Field(description="Who caused it, as in a ticket's history.")
    by_name: str | None
    detail: str = Field(description="A score, the kind of promise, what became of the ticket.")
    at: datetime
    is_read: bool

    @classmethod
    def of(cls, view: NoticeView) -> NoticeOut:
        """Return what the API tells of a notice."""
        return cls(
            id=view.id,
            notice=view.notice,
            ticket=view.number,
            ticket_id=view.ticket,
            subject=view.subject,
            by=view.by,
            by_name=view.by_name,
            detail=view.detail,
            at=view.at,
            is_read=view.is_read,
        )


class AccessNoticeOut(BaseModel):
    """One change of what lets somebody in under the caller's name."""

    id: UUID
    change: AccessChange
    by_name: str = Field(description='Who did it; "?" where nobody is known.')
    is_yourself: bool
    is_command: bool = Field(description="It was done at the desk's own terminal.")
    remote: str | None = Field(description="The address it was done from.")
    detail: str = Field(description="A token's name; a new e-mail address.")
    at: datetime
    is_read: bool

    @classmethod
    def of(cls, view: AccessNoticeView) -> AccessNoticeOut:
        """Return what the API tells of a change."""
        return cls(
            id=view.id,
            change=view.change,
            by_name=view.by,
            is_yourself=view.is_yourself,
            is_command=view.is_command,
            remote=view.remote,
            detail=view.detail,
            at=view.at,
            is_read=view.is_read,
        )


class CountOut(BaseModel):
    """How many notices the caller has not read."""

    unread: int = Field(description="About tickets.")
    unread_access: int = Field(description="Of what lets somebody in under the caller's name.")


class Read(Body):
    """Which notices count as read: some, those about one ticket, or all, of access too."""

    notices: Annotated[list[Annotated[UUID, Field(strict=False)]] | None, Field(max_length=500)] = (
        None
    )
    ticket: Annotated[
        Text | None, Field(max_length=100, description="A ticket's id or number.")
    ] = None

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if self.notices is not None and self.ticket is not None:
            raise ValueError("name notices or a ticket, or neither for all")
        return self


class WishesBody(Body):
    """How the caller wants to be told."""

    mail: Annotated[Wish, Field(strict=False)] = Wish.UNREAD
    chat: Annotated[
        Wish, Field(strict=False, description="Where they are connected: see `/notices/chat`.")
    ] = Wish.NEVER
    quiet_from: Clock = None
    quiet_until: Clock = None
    time_zone: Annotated[Text, Field(max_length=60, examples=["Europe/Madrid"])] = "UTC"
    kinds: Annotated[
        dict[Annotated[Notice, Field(strict=False)], Annotated[Reach, Field(strict=False)]],
        Field(description="How far each kind goes; those not named go everywhere."),
    ] = Field(default_factory=dict)

    def wishes(self) -> Wishes:
        """Return the wishes that are meant, or raise `InvalidInput`."""
        return Wishes(
            mail=self.mail,
            chat=self.chat,
            quiet_from=_time(self.quiet_from),
            quiet_until=_time(self.quiet_until),
            time_zone=self.time_zone,
            kinds={notice: self.kinds.get(notice, Reach.EVERYWHERE) for notice in Notice},
        )

    @classmethod
    def of(cls, wishes: Wishes) -> WishesBody:
        """Return what the API tells of wishes: of all kinds of notices."""
        return cls(
            mail=wishes.mail,
            chat=wishes.chat,
            quiet_from=None if wishes.quiet_from is None else f"{wishes.quiet_from:%H:%M}",
            quiet_until=None if wishes.quiet_until is None else f"{wishes.quiet_until:%H:%M}",
            time_zone=wishes.time_zone,
            kinds={notice: wishes.kinds.get(notice, Reach.EVERYWHERE) for notice in Notice},
        )


class ChatOut(BaseModel):
    """Where the caller is written to in chat, if anywhere."""

    account: str | None
    name: str | None = Field(description="What they are called there.")
    problem: str | None = Field(description="Why what was last due did not arrive.")
    code_sent_to: str | None = Field(description="Who was written a code that is still good.")
    accounts: list[str] = Field(description="Those that can write to agents.")


class Workspace(Body):
    """A connected account that can write to agents."""

    account: Annotated[Text, Field(max_length=100)]


class Member(Workspace):
    """Who the caller says they are in a workspace."""

    member: Annotated[Text, Field(max_length=100, description="Their member ID there.")]


class Proof(Body):
    """What the caller read in chat."""

    code: Annotated[Text, Field(max_length=40, examples=["123 456"])]


@router.get("")
async def list_notices(
    request: Request,
    caller: AgentCaller,
    unread: Annotated[bool, Query(description="Only those that are not read.")] = False,
    cursor: UUID | None = None,
    limit: Limit = 50,
) -> Page[NoticeOut]:
    """List what the caller is told, the latest first."""
    async with storage_errors(), desk_of(request).sessions() as session:
        found = await notices_of(
            session, caller.id, only_unread=unread, before=cursor, limit=limit + 1
        )
    return Page(
        items=[NoticeOut.of(one) for one in found[:limit]],
        next=str(found[limit - 1].id) if len(found) > limit else None,
    )


@router.get("/access")
async def list_access_notices(request: Request, caller: AgentCaller) -> list[AccessNoticeOut]:
    """List the latest 20 changes of what lets somebody in under the caller's name.

    Those that are not read come first. They are read with all others, never one by one.
    """
    async with storage_errors(), desk_of(request).sessions() as session:
        found = await access_notices_of(session, caller.id)
    return [AccessNoticeOut.of(one) for one in found]


@router.get("/count")
async def count_notices(request: Request, caller: AgentCaller) -> CountOut:
    """Count the caller's notices that are not read."""
    return await _count(request, caller.id)


@router.post("/read")
async def read_notices(request: Request, caller: AgentCaller, body: Read) -> CountOut:
    """Count notices as read: those named, those about a ticket, or all; says how many are left."""
    notices = desk_of(request).notices
    if body.ticket is not None:
        await notices.read_of(caller.id, await ticket_of_body(request, caller, body.ticket))
    elif body.notices is not None:
        await notices.read_some(caller.id, body.notices)
    else:
        await notices.read_all(caller.id)
        await desk_of(request).access.notices.read_all(caller.id)
    return await _count(request, caller.id)


@router.get("/wishes")
async def get_wishes(request: Request, response: Response, caller: AgentCaller) -> WishesBody:
    """Return how the caller wants to be told, and when they want to be left alone."""
    return await _wishes(request, response, caller.id)


@router.put("/wishes")
async def change_wishes(
    request: Request,
    response: Response,
    caller: AgentCaller,
    body: WishesBody,
    revision: IfMatch,
) -> WishesBody:
    """Replace how the caller wants to be told."""
    await desk_of(request).notices.wish(caller.id, body.wishes(), revision=revision)
    return await _wishes(request, response, caller.id)


@router.get("/chat")
async def get_chat(request: Request, caller: AgentCaller) -> ChatOut:
    """Return where the caller is written to in chat."""
    return await _chat(request, caller)


@router.post("/chat")
async def connect_chat(request: Request, caller: AgentCaller, body: Workspace) -> ChatOut:
    """Find the caller in a workspace by their own address, and write to them there from now on.

    They are written to at once, to show that it works. 422 where nobody has their address there:
    `/notices/chat/code` is for those.
    """
    if not await find_and_connect(desk_of(request), AccountId(body.account), caller):
        raise InvalidInput(f"nobody has the address {caller.email} there")
    return await _chat(request, caller)


@router.post("/chat/code", status_code=202)
async def ask_for_code(request: Request, caller: AgentCaller, body: Member) -> ChatOut:
    """Write a code to whom the caller says they are in a workspace; three an hour at most."""
    account = AccountId(body.account)
    if await send_code(desk_of(request), account, body.member, caller) is None:
        raise InvalidInput("nobody has this member ID there")
    return await _chat(request, caller)


@router.post("/chat/proof")
async def prove(request: Request, caller: AgentCaller, body: Proof) -> ChatOut:
    """Write to the caller where they read the code, if it is the one."""
    await desk_of(request).chat_codes.enter(caller.id, body.code)
    return await _chat(request, caller)


@router.delete("/chat", status_code=204)
async def disconnect_chat(request: Request, caller: AgentCaller) -> None:
    """Write nothing to the caller in chat any more."""
    await desk_of(request).chat_notices.disconnect(caller.id)


async def _count(request: Request, agent: AgentId) -> CountOut:
    async with storage_errors(), desk_of(request).sessions() as session:
        return CountOut(
            unread=await count_unread(session, agent),
            unread_access=await count_unread_access(session, agent),
        )


async def _wishes(request: Request, response: Response, agent: AgentId) -> WishesBody:
    async with storage_errors(), desk_of(request).sessions() as session:
        wishes = await wishes_of(session, agent)
    tag(response, content_version(wishes))
    return WishesBody.of(wishes)


async def _chat(request: Request, caller: Agent) -> ChatOut:
    desk = desk_of(request)
    place = await desk.chat_notices.place_of(caller.id)
    return ChatOut(
        account=None if place is None else place.account,
        name=None if place is None else place.name,
        problem=None if place is None else place.problem,
        code_sent_to=await desk.chat_codes.awaited_from(caller.id),
        accounts=list(accounts_that_tell(desk)),
    )


def _time(words: str | None) -> time | None:
    return None if words is None else time.fromisoformat(words)
