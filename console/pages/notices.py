"""An agent's notices, and how they want to be told."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import time

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from console.chat_connection import accounts_that_tell, find_and_connect, send_code
from console.desk import desk_of
from console.pages.session import Agents, form_of, text_field
from console.pages.view import ZONE_COOKIE, page, translator
from console.times import zone
from console.words import notices as said
from console.words.errors import error_in_words
from core.domain.errors import DeliveryError, InvalidInput, NotFound, TooManyAttempts
from core.domain.ids import AccountId
from core.domain.notification import Notice, Reach, Wish
from core.services.access.telling import access_notices_of, count_unread_access
from core.services.notifications.bundles import bundles_of, count_to_look_at
from core.services.notifications.reading import Wishes, notices_of, wishes_of
from core.storage.engine import storage_errors
from core.storage.queries.feed import feed_end

router = APIRouter(prefix="/console/notices")


@router.get("")
async def show_notices(request: Request, signed_in: Agents) -> Response:
    """List an agent's latest notices."""
    return await _notices(request, signed_in)


@router.get("/count")
async def show_count(request: Request, signed_in: Agents) -> Response:
    """Show how many are not read, for the bar."""
    async with storage_errors(), desk_of(request).sessions() as session:
        unread = await count_to_look_at(session, signed_in.agent.id)
        unread += await count_unread_access(session, signed_in.agent.id)
    return page(request, "parts/notice_count.html", unread=unread)


@router.post("/read")
async def read_all(request: Request, signed_in: Agents) -> Response:
    """Count all as read."""
    await desk_of(request).notices.read_all(signed_in.agent.id)
    await desk_of(request).access.notices.read_all(signed_in.agent.id)
    return RedirectResponse("/console/notices", 303)


@router.post("/wishes")
async def change_wishes(request: Request, signed_in: Agents) -> Response:
    """Keep how the agent wants to be told."""
    form = await form_of(request)
    try:
        wishes = Wishes(
            mail=_wish(text_field(form, "mail")),
            chat=_wish(text_field(form, "chat") or Wish.NEVER),
            quiet_from=_time(text_field(form, "quiet_from")),
            quiet_until=_time(text_field(form, "quiet_until")),
            time_zone=text_field(form, "time_zone").strip() or "UTC",
            kinds={notice: _reach(text_field(form, f"kind.{notice}")) for notice in Notice},
        )
    except InvalidInput as error:
        wrong = error_in_words(error, translator(request))
        filled = {**_as_filled(Wishes()), **{name: text_field(form, name) for name in form}}
        return await _notices(request, signed_in, wrong=wrong, status=422, filled=filled)
    await desk_of(request).notices.wish(signed_in.agent.id, wishes)
    return RedirectResponse("/console/notices?saved=1", 303)


@router.post("/chat")
async def connect_chat(request: Request, signed_in: Agents) -> Response:
    """Look for the agent in a workspace by their own address, and write to them there."""
    agent, desk, t = signed_in.agent, desk_of(request), translator(request)
    account = AccountId(text_field(await form_of(request), "account"))
    try:
        is_found = await find_and_connect(desk, account, agent)
    except NotFound:
        wrong = t("This account is not connected.")
        return await _notices(request, signed_in, wrong=wrong, status=404)
    except DeliveryError as error:
        wrong = t("You could not be written to: {reason}", reason=str(error))
        return await _notices(request, signed_in, wrong=wrong, status=503)
    if not is_found:
        wrong = t("Nobody has the address {email} there.", email=agent.email)
        return await _notices(request, signed_in, wrong=wrong, status=422)
    return RedirectResponse("/console/notices?saved=1", 303)


@router.post("/chat/code")
async def write_code(request: Request, signed_in: Agents) -> Response:
    """Write a code to whom the agent says they are in a workspace."""
    form, desk, t = await form_of(request), desk_of(request), translator(request)
    account = AccountId(text_field(form, "account"))
    name = text_field(form, "member").strip()
    try:
        found = await send_code(desk, account, name, signed_in.agent)
    except NotFound:
        wrong = t("This account is not connected.")
        return await _notices(request, signed_in, wrong=wrong, status=404)
    except TooManyAttempts as error:
        wrong = error_in_words(error, t)
        return await _notices(request, signed_in, wrong=wrong, status=429, member=name)
    except DeliveryError as error:
        wrong = t("You could not be written to: {reason}", reason=str(error))
        return await _notices(request, signed_in, wrong=wrong, status=503, member=name)
    if found is None:
        wrong = t("Nobody has the member ID {name} there.", name=name)
        return await _notices(request, signed_in, wrong=wrong, status=422, member=name)
    return RedirectResponse("/console/notices#code", 303)


@router.post("/chat/proof")
async def enter_code(request: Request, signed_in: Agents) -> Response:
    """Write to the agent where they read the code, if it is the one."""
    words = text_field(await form_of(request), "code")
    try:
        await desk_of(request).chat_codes.enter(signed_in.agent.id, words)
    except InvalidInput as error:
        wrong = error_in_words(error, translator(request))
        return await _notices(request, signed_in, wrong=wrong, status=422)
    return RedirectResponse("/console/notices?saved=1", 303)


@router.post("/chat/end")
async def disconnect_chat(request: Request, signed_in: Agents) -> Response:
    """Write nothing to the agent in chat any more."""
    await desk_of(request).chat_notices.disconnect(signed_in.agent.id)
    return RedirectResponse("/console/notices?saved=1", 303)


def _as_filled(wishes: Wishes) -> dict[str, str]:
    """Return what the form shows of an agent's wishes."""
    times = {"quiet_from": wishes.quiet_from, "quiet_until": wishes.quiet_until}
    return {
        "mail": wishes.mail,
        "chat": wishes.chat,
        "time_zone": wishes.time_zone,
        **{name: "" if at is None else f"{at:%H:%M}" for name, at in times.items()},
        **{f"kind.{notice}": reach for notice, reach in wishes.kinds.items()},
    }


async def _notices(
    request: Request,
    signed_in: Agents,
    *,
    wrong: str | None = None,
    status: int = 200,
    filled: Mapping[str, str] | None = None,
    member: str = "",
) -> Response:
    async with storage_errors(), desk_of(request).sessions() as session:
        position = await feed_end(session)
        of_access = await access_notices_of(session, signed_in.agent.id)
        bundles = await bundles_of(session, signed_in.agent.id)
        notices = await notices_of(session, signed_in.agent.id, bundles=bundles)
        wishes = await wishes_of(session, signed_in.agent.id)
        has_chosen = wishes.quiet_from is not None or wishes.time_zone != "UTC"
    desk = desk_of(request)
    return page(
        request,
        "notices.html",
        status=status,
        position=position,
        notices=notices,
        of_access=of_access,
        bundles=bundles,
        filled=filled or _as_filled(wishes) | ({} if has_chosen else {"time_zone": _zone(request)}),
        member=member,
        accounts=accounts_that_tell(desk),
        place=await desk.chat_notices.place_of(signed_in.agent.id),
        code_reader=await desk.chat_codes.awaited_from(signed_in.agent.id),
        wrong=wrong,
        is_saved=request.query_params.get("saved") == "1",
        said=said,
    )


def _zone(request: Request) -> str:
    """Return the zone that the agent's browser is in, to begin with."""
    return zone(request.cookies.get(ZONE_COOKIE)).key


def _wish(words: str) -> Wish:
    try:
        return Wish(words)
    except ValueError:
        raise InvalidInput("choose whether you want to be told") from None


def _reach(words: str) -> Reach:
    try:
        return Reach(words or Reach.EVERYWHERE)
    except ValueError:
        raise InvalidInput("choose whether you want to be told") from None


def _time(words: str) -> time | None:
    try:
        return time.fromisoformat(words).replace(tzinfo=None) if words.strip() else None
    except ValueError:
        raise InvalidInput("a time is written like 22:30") from None
