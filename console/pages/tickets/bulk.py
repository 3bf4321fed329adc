"""What is done with many tickets of the queue at once, and how it is undone."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import APIRouter, Request
from starlette.datastructures import FormData
from starlette.responses import Response

from console.desk import desk_of
from console.pages.session import Agents, form_of, text_field
from console.pages.tickets.queue import Offset, wide_values
from console.pages.tickets.tickets import holder_in
from console.pages.view import page, translator
from console.words.errors import error_in_words
from core.domain.errors import InvalidInput, NotFound
from core.domain.ids import TicketId
from core.domain.views import Order
from core.services.tickets.bulk import CAN_BE_UNDONE, Act, BulkAct, Outcome
from core.services.tickets.bulk import MOST_AT_ONCE as _MOST
from core.services.tickets.tickets import Holder
from core.storage.engine import storage_errors
from core.storage.queries.tickets.tickets import ticket_named

router = APIRouter(prefix="/console/queue")


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What is said of an act on many tickets."""

    done: int
    failed: Sequence[tuple[int, str]]  # number and why
    as_they_were: Sequence[int]  # numbers of those that had it already
    is_undoing: bool
    act: str  # as the undoing form sends it; empty where it cannot be undone
    before: Sequence[str]  # "number=value" of those that can be given back


@router.post("/bulk")
async def do_to_many(
    request: Request,
    signed_in: Agents,
    tab: str | None = None,
    order: Order | None = None,
    offset: Offset = 0,
) -> Response:
    """Do one thing to every chosen ticket; say with how many it worked, and which refused why."""
    form = await form_of(request)
    act = _act(form, text_field(form, "do"))
    chosen = [one for one in form.getlist("ticket") if isinstance(one, str)]
    tickets = await _named(request, chosen)
    shown = _holders(form)
    seen = {
        ticket: shown[number]
        for ticket, number in zip(tickets, chosen, strict=True)
        if number in shown
    }
    outcomes = await desk_of(request).bulk.do(act, tickets, signed_in.agent, seen=seen)
    return await _answer(request, signed_in, (tab, order, offset), _told(request, act, outcomes))


@router.post("/undo")
async def undo(
    request: Request,
    signed_in: Agents,
    tab: str | None = None,
    order: Order | None = None,
    offset: Offset = 0,
) -> Response:
    """Give tickets back what an act took from them, where nobody changed them since."""
    form = await form_of(request)
    act = _act(form, text_field(form, "act"))
    pairs = [one.partition("=") for one in form.getlist("before") if isinstance(one, str)]
    tickets = await _named(request, [number for number, _, _ in pairs])
    before = [(ticket, value or None) for ticket, (_, _, value) in zip(tickets, pairs, strict=True)]
    outcomes = await desk_of(request).bulk.undo(act, before, signed_in.agent)
    told = _told(request, act, outcomes, is_undoing=True)
    return await _answer(request, signed_in, (tab, order, offset), told)


def _holders(form: FormData) -> dict[str, Holder]:
    """Return who had each ticket when it was chosen, by number, as far as the page says."""
    pairs = [one.partition("=") for one in form.getlist("holder") if isinstance(one, str)]
    return {number: holder_in(agent) for number, _, agent in pairs}


def _act(form: FormData, words: str) -> BulkAct:
    name, _, value = words.partition(":")
    if name not in set(Act):
        raise InvalidInput("choose what is to be done")
    if name in {Act.TAG, Act.UNTAG} and not value:
        value = text_field(form, "tag")
    return BulkAct.of(Act(name), value or None)


async def _named(request: Request, names: Sequence[str]) -> list[TicketId]:
    if not 0 < len(names) <= _MOST:
        raise InvalidInput("choose at least one ticket")
    async with storage_errors(), desk_of(request).sessions() as session:
        try:
            return [await ticket_named(session, name.replace("\x00", "")) for name in names]
        except NotFound as error:
            raise InvalidInput(str(error)) from None


def _told(
    request: Request, act: BulkAct, outcomes: Sequence[Outcome], *, is_undoing: bool = False
) -> Told:
    t = translator(request)
    failed = [
        (one.number, error_in_words(one.failure, t)) for one in outcomes if one.failure is not None
    ]
    as_they_were = [one.number for one in outcomes if one.failure is None and not one.is_changed]
    can_undo = act.act in CAN_BE_UNDONE and not is_undoing
    return Told(
        done=len(outcomes) - len(failed) - len(as_they_were),
        failed=failed,
        as_they_were=as_they_were,
        is_undoing=is_undoing,
        act=f"{act.act}:{act.value or ''}" if can_undo else "",
        before=[
            f"{one.number}={one.before or ''}" for one in outcomes if can_undo and one.can_be_undone
        ],
    )


async def _answer(
    request: Request,
    signed_in: Agents,
    place: tuple[str | None, Order | None, int],
    told: Told,
) -> Response:
    values = await wide_values(request, signed_in.agent.id, *place)
    response = page(request, "queue/after_bulk.html", told=told, **values)
    chosen_still = [str(number) for number, _ in told.failed]
    response.headers["HX-Trigger-After-Settle"] = json.dumps({"bulked": {"failed": chosen_still}})
    return response
