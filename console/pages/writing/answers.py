"""What an agent says in a ticket: a reply, a note, a letter to somebody else."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.datastructures import FormData
from starlette.responses import RedirectResponse, Response

from console.desk import desk_of
from console.pages.automation.forms import optional_id
from console.pages.session import Agents, form_of, is_htmx, text_field
from console.pages.tickets.tickets import (
    Named,
    attempt,
    parts_left_open,
    parts_of,
    shown_in,
    side_of,
    status_in,
)
from console.pages.writing.envelopes import envelope_in, files_in
from core.domain.actor import Agent
from core.domain.errors import AnsweredMeanwhile, NotFound
from core.domain.ids import AccountId, ConversationId, TicketId
from core.services.tickets.answering import Reply
from core.services.writing.drafts import DraftKind, DraftText
from core.storage.engine import storage_errors
from core.storage.queries.conversations.conversations import conversation_view
from core.storage.queries.tickets.tickets import ticket_view

router = APIRouter(prefix="/console/tickets")


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenParts:
    """Why an answer that solves a ticket is asked about first: parts of it are not done."""

    numbers: Sequence[int]
    now_seen: int  # what the agent had seen


@router.post("/{ticket}/say")
async def say(request: Request, signed_in: Agents, named: Named) -> Response:
    """Answer the requester, leave a note for colleagues, or write on beside the ticket."""
    form = await form_of(request)
    agent, words, files = signed_in.agent, _words(form), files_in(form)
    desk = desk_of(request)
    work: Awaitable[Any]
    if (side := side_of(request)) is not None:
        letter = envelope_in(form)
        work = desk.sides.say(named, side, agent, words, letter, files=files, ends_draft=True)
    elif text_field(form, "mode") == "note":
        work = desk.tickets.note(named, agent, words, files=files, ends_draft=True)
    else:
        return await _answer(request, named, agent, form)
    return await attempt(request, named, work, trigger="said")


async def _answer(request: Request, ticket: TicketId, agent: Agent, form: FormData) -> Response:
    """Answer the requester, unless a colleague did while the agent was writing: then ask first."""
    known, _, wanted = text_field(form, "anyway").partition(" ")
    then = wanted or text_field(form, "then")
    seen = _number(known) if known else _number(text_field(form, "seen"))
    met: list[AnsweredMeanwhile] = []
    if then and not known and is_htmx(request):
        open_parts = await parts_left_open(request, ticket, status_in(then))
        if open_parts:
            asked = OpenParts(numbers=open_parts, now_seen=seen or 0)
            shown = shown_in(request)
            return await parts_of(request, ticket, shown, status=409, collision=asked, then=then)

    async def work() -> None:
        try:
            await _reply(request, ticket, agent, form, then, seen)
        except AnsweredMeanwhile as error:
            met.append(error)

    answer = await attempt(request, ticket, work(), trigger="said")
    if not met:
        return answer
    if is_htmx(request):
        shown = shown_in(request)
        return await parts_of(request, ticket, shown, status=409, collision=met[0], then=then)
    return await _keep(request, ticket, agent, form, met[0])


async def _reply(
    request: Request, ticket: TicketId, agent: Agent, form: FormData, then: str, seen: int | None
) -> None:
    desk = desk_of(request)
    reply = Reply(
        words=_words(form),
        files=tuple(files_in(form)),
        then=status_in(then) if then else None,
        envelope=envelope_in(form),
        macro=optional_id(text_field(form, "macro")),
        to=_places(form),
    )
    if reply.envelope is not None:
        async with storage_errors(), desk.sessions() as session:
            view = await ticket_view(session, ticket)
            account = (await conversation_view(session, view.conversation)).account
        if reply.to and view.conversation not in reply.to:
            letter = None  # the addresses are those of the ticket's own conversation
        else:
            letter = desk.letters.checked(AccountId(account), reply.envelope)
        reply = replace(reply, envelope=letter)
    await desk.held.reply(ticket, agent, reply, seen=seen)
    await desk.notices.read_of(agent.id, ticket)


async def _keep(
    request: Request, ticket: TicketId, agent: Agent, form: FormData, met: AnsweredMeanwhile
) -> Response:
    """Where no script asks: keep the words as a draft and show the ticket, with what was said."""
    desk = desk_of(request)
    async with storage_errors(), desk.sessions() as session:
        view = await ticket_view(session, ticket)
    draft = DraftText(
        text=_words(form),
        files=tuple(files_in(form)),
        envelope=envelope_in(form),
        seen=met.now_seen,
    )
    await desk.drafts.save(agent.id, view.conversation, DraftKind.REPLY, draft)
    return RedirectResponse(f"/console/tickets/{view.number}", 303)


def _words(form: FormData) -> str:
    """Return what was typed; forms send ends of line as CR LF, whatever was typed."""
    return text_field(form, "text").replace("\r\n", "\n")


def _places(form: FormData) -> tuple[ConversationId, ...]:
    """Return where an answer is to be said, as ids with commas between; none: not chosen."""
    words = [word for word in text_field(form, "place").split(",") if word]
    try:
        return tuple(ConversationId(UUID(word)) for word in words)
    except ValueError:
        raise NotFound("there is no such conversation") from None


def _number(words: str) -> int | None:
    return int(words) if words.isascii() and words.isdigit() and len(words) < 10 else None
