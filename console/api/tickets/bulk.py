"""One act on many tickets in the API."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from console.api.principal import AgentCaller
from console.api.shapes import Body, Text
from console.desk import desk_of
from console.problems import problem_of
from core.domain.errors import NotFound
from core.domain.ids import AgentId, TicketId
from core.services.tickets.bulk import MOST_AT_ONCE, Act, BulkAct
from core.services.tickets.tickets import Holder
from core.storage.engine import storage_errors
from core.storage.queries.tickets.tickets import ticket_named

router = APIRouter(prefix="/bulk", tags=["tickets"])

Name = Annotated[Text, Field(max_length=100)]


class BulkBody(Body):
    """An act and the tickets it is done with."""

    tickets: Annotated[
        list[Name], Field(min_length=1, max_length=MOST_AT_ONCE, description="Ids or numbers.")
    ]
    act: Annotated[Act, Field(strict=False)]
    value: Annotated[
        Text | None,
        Field(
            max_length=100,
            description="An agent's, a team's or a macro's id, a status, a priority, a tag. "
            "Null puts tickets back into the queue (`assign`) or takes them from a team (`team`).",
        ),
    ] = None

    seen: Annotated[
        dict[Name, Annotated[UUID, Field(strict=False)] | None],
        Field(
            max_length=MOST_AT_ONCE,
            default_factory=dict,
            description="For `assign`: which agent had a ticket when it was chosen, null for none, "
            "by its name in `tickets`. One that somebody else has taken since is left alone (409).",
        ),
    ]


class OutcomeOut(BaseModel):
    """What became of one ticket."""

    ticket: str  # as it was named
    done: bool
    status: int  # as if it had been asked for alone
    detail: str | None
    before: str | None  # what it had before
    language: str | None = Field(description="The ticket's.")
    said_in: str | None = Field(
        description="Of `macro`: the language of the text that its requester got, which may be "
        "another than theirs; null where the text is for any language or nothing was said."
    )


@router.post("/tickets")
async def do_to_many(request: Request, caller: AgentCaller, body: BulkBody) -> list[OutcomeOut]:
    """Do one thing to many tickets, each by itself: one that refuses does not stop the others."""
    desk = desk_of(request)
    act = BulkAct.of(body.act, body.value)
    named: dict[str, TicketId] = {}
    missing: set[str] = set()
    async with storage_errors(), desk.sessions() as session:
        for name in dict.fromkeys(body.tickets):
            try:
                named[name] = await ticket_named(session, name)
            except NotFound:
                missing.add(name)
    seen = {
        named[name]: Holder(agent=None if agent is None else AgentId(agent))
        for name, agent in body.seen.items()
        if name in named
    }
    outcomes = await desk.bulk.do(act, list(named.values()), caller, seen=seen) if named else []
    by_ticket = {outcome.ticket: outcome for outcome in outcomes}
    answers = []
    for name in dict.fromkeys(body.tickets):
        if name in missing:
            problem = problem_of(NotFound("there is no such ticket"))
            answers.append(_refused(name, problem.status, problem.detail))
            continue
        outcome = by_ticket[named[name]]
        if outcome.failure is not None:
            problem = problem_of(outcome.failure)
            answers.append(_refused(name, problem.status, problem.detail))
        else:
            answers.append(
                OutcomeOut(
                    ticket=name,
                    done=True,
                    status=200,
                    detail=None,
                    before=outcome.before,
                    language=outcome.language,
                    said_in=outcome.said_in,
                )
            )
    return answers


def _refused(name: str, status: int, detail: str) -> OutcomeOut:
    return OutcomeOut(
        ticket=name,
        done=False,
        status=status,
        detail=detail,
        before=None,
        language=None,
        said_in=None,
    )
