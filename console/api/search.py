"""The search in the API."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel

from console.api.principal import AgentCaller
from console.api.requester_records.requesters import RequesterOut
from console.api.shapes import Cursor, Limit, Text
from console.api.tickets.shapes import TicketOut
from console.desk import desk_of
from console.passages import found_in
from core.domain.search import Fragment, question_of
from core.services.search.searching import Findings, Found, find
from core.storage.engine import storage_errors
from core.storage.queries.access.sight import sight_of

router = APIRouter(prefix="/search", tags=["search"])

_PEOPLE = 10


class FragmentOut(BaseModel):
    """A piece of a passage."""

    text: str
    found: bool  # one of the words that were looked for

    @classmethod
    def of(cls, fragment: Fragment) -> FragmentOut:
        """Return what the API tells of `fragment`."""
        return cls(text=fragment.text, found=fragment.is_found)


class SaidOut(BaseModel):
    """The message in which words were found."""

    id: UUID
    speaker: str
    internal: bool
    at: datetime
    passage: list[FragmentOut]


class FoundOut(BaseModel):
    """A ticket, or a conversation that has none."""

    ticket: TicketOut | None
    conversation: UUID
    subject: list[FragmentOut]
    message: SaidOut | None

    @classmethod
    def of(cls, found: Found, findings: Findings) -> FoundOut:
        """Return what the API tells of `found`."""
        ticket, held = found.ticket, found.conversation
        if ticket is not None:
            conversation, subject = ticket.conversation, ticket.subject
        else:
            assert held is not None
            conversation, subject = held.id, held.subject or held.opening
        said = found.said
        return cls(
            ticket=None if ticket is None else TicketOut.of(ticket),
            conversation=conversation,
            subject=_fragments(findings, subject),
            message=None
            if said is None
            else SaidOut(
                id=said.message,
                speaker=said.speaker,
                internal=said.is_internal,
                at=said.at,
                passage=_fragments(findings, said.text),
            ),
        )


class FindingsOut(BaseModel):
    """A page of what was found."""

    items: list[FoundOut]  # best first; the ticket of that number before all else
    people: list[RequesterOut]  # with the first page; who has that very address first
    instead: dict[str, list[str]]  # what else was looked for, by the word that was typed
    next: str | None


@router.get("")
async def search(
    request: Request,
    caller: AgentCaller,
    q: Annotated[Text, Query(description="A number, an address, a name or words.")],
    cursor: Cursor = None,
    limit: Limit = 20,
) -> FindingsOut:
    """Search tickets, conversations and people; accents do not matter, a slip is forgiven."""
    async with storage_errors(), desk_of(request).sessions() as session:
        sight = await sight_of(session, caller)
        findings = await find(
            session, question_of(q), sight, cursor=cursor, limit=limit, most_people=_PEOPLE
        )
    return FindingsOut(
        items=[FoundOut.of(one, findings) for one in findings.found],
        people=[RequesterOut.of(one) for one in findings.people],
        instead={word: list(others) for word, others in findings.instead.items()},
        next=findings.next,
    )


def _fragments(findings: Findings, words: str) -> list[FragmentOut]:
    return [FragmentOut.of(one) for one in found_in(findings, words)]
