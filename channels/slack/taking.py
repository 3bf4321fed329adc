"""What becomes of a payload: it is read, completed by what Slack alone knows, and stored."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Coroutine, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from channels.slack import ids
from channels.slack.direct import DirectChannels
from channels.slack.errors import bad_credentials
from channels.slack.fields import Fields
from channels.slack.health import Vitals
from channels.slack.membership import Membership
from channels.slack.names import NamesOf, mentioned_in, with_names
from channels.slack.parse import HOME_OPENED, RATE_LIMITED, REVOKED, desk_in, inner_event, parse
from channels.slack.press import PRESSED_IN_VAIN
from channels.slack.reading import Desk, Reading
from channels.slack.texts import text
from channels.slack.web_api import WebApi
from core.domain.account import AccountState, Health
from core.domain.errors import DeliveryError, IgnoredPayload, InvalidInput, UnknownPayload
from core.domain.events import ChoicePressed, Event, MessageEdited, MessagePosted, ReactionChanged
from core.domain.ids import AccountId, ThreadKey
from core.ports import Acceptance, Inbox

_YOUNG = timedelta(minutes=1)
_LOGGER = logging.getLogger(__name__)

Payload = Mapping[str, Any]
Answer = Mapping[str, Any]
AfterStored = Callable[[Payload], Coroutine[Any, Any, None]]


class Taking:
    """Takes payloads for one account, whichever way they came."""

    def __init__(
        self,
        account: AccountId,
        api: WebApi,
        inbox: Inbox,
        *,
        vitals: Vitals,
        language_of: Callable[[str], Awaitable[str]],
        names_of: NamesOf,
        on_home: AfterStored,
        on_press: AfterStored,
    ) -> None:
        """`language_of` tells in which language to write to a person, soon; so does `names_of`.

        `on_home` and `on_press` are run beside, after their payload was stored.
        """
        self._account = account
        self._api = api
        self._inbox = inbox
        self._vitals = vitals
        self._language_of = language_of
        self._names_of = names_of
        self._on_home = on_home
        self._on_press = on_press
        self._membership = Membership(account, api)
        self._direct = DirectChannels(account, api)
        self._beside: set[asyncio.Task[None]] = set()

    async def take(self, payload: Payload, raw: bytes, came: datetime) -> Answer | None:
        """Store what `payload` says; acknowledge it after this returned, with the answer if any.

        `came` is when it did: commands have no time of their own.

        Raises:
            StorageUnavailable, NotKnownYet: nothing was stored; do not acknowledge.
        """
        identity = self._api.known_identity
        known = Desk(bot_user=identity.bot_user if identity else None)
        began = asyncio.get_running_loop().time()
        try:
            reading = parse(self._account, payload, came, raw, known)
            desk = desk_in(Fields(payload), known)
            async with self._direct.in_turn(_only_a_person(reading)):
                await self._check_part(reading, desk)
                events = [await self._completed(event, began) for event in reading.events]
                people = set(mentioned_in(payload))
                if reading.wants_context:
                    events = [await self._with_context(event, desk, people) for event in events]
                events = [await self._with_names(event, people) for event in events]
                became = await self._inbox.accept(*events)
        except IgnoredPayload as ignored:
            _LOGGER.debug("account %s: ignored: %s", self._account, ignored)
            await self._see_to(payload)
            return None
        except (UnknownPayload, InvalidInput) as error:
            await self._inbox.quarantine(self._account, raw, str(error))
            return None
        return await self._follow_up(payload, events, became)

    async def finish(self) -> None:
        """Stop what still runs beside."""
        for task in self._beside:
            task.cancel()
        await asyncio.gather(*self._beside, return_exceptions=True)

    async def _check_part(self, reading: Reading, desk: Desk) -> None:
        """Raise `IgnoredPayload` for what is said where the desk has no part."""
        if reading.only_in is not None:
            if not await self._membership.is_part_of(self._inbox, reading.only_in, desk):
                raise IgnoredPayload("a thread that the desk has no part in")
        elif reading.only_about is not None:
            # A message a moment old may still be on its way.
            is_young = any(isinstance(e, ReactionChanged) and _is_young(e) for e in reading.events)
            if not is_young and not await self._inbox.threads_of(
                self._account, [reading.only_about]
            ):
                raise IgnoredPayload("a message that the desk does not know")
        else:
            for event in reading.events:
                if isinstance(event, MessagePosted):
                    self._membership.joined(event.thread)

    async def _completed(self, event: Event, began: float) -> Event:
        """Return `event` in the direct channel of its author where only they are known."""
        self._direct.learn(event)
        if not ids.is_person(event.thread):
            return event
        channel = await self._direct.of(event.thread, began)
        return event if channel is None else replace(event, thread=ThreadKey(channel))

    async def _with_context(self, event: Event, desk: Desk, people: set[str]) -> Event:
        """Return a mention with what was said before it, where the desk was not there.

        Whoever said it or is mentioned in it is added to `people`.
        """
        if not isinstance(event, MessagePosted):
            return event
        if await self._inbox.has_thread(self._account, event.thread):
            return event
        (remote,) = event.remote_ids
        place = ids.message_of(remote)
        assert place is not None
        before, named = await self._membership.said_before(event.thread, place[1], desk)
        people |= named
        quoted = "\n\n".join(part for part in (before, event.body.quoted) if part)
        return replace(event, body=replace(event.body, quoted=quoted or None))

    async def _with_names(self, event: Event, people: Collection[str]) -> Event:
        if not isinstance(event, MessagePosted | MessageEdited):
            return event
        return replace(event, body=await with_names(event.body, people, self._names_of))

    async def _see_to(self, payload: Payload) -> None:
        """Do what a payload asks for that says nothing in a conversation."""
        event = inner_event(payload)
        kind = event.text("type")
        if payload.get("type") == RATE_LIMITED:
            health = Health(
                state=AccountState.DEGRADED,
                reason="Slack holds events back: the workspace has more than 30,000 an hour",
                remedy="remove the app from channels where nobody asks it anything",
            )
            await self._inbox.report(self._account, health)
        elif kind == HOME_OPENED and event.text("tab") in {"home", ""}:
            self._run_beside(self._on_home(payload))
        elif kind in REVOKED and _concerns_the_bot(event):
            error = bad_credentials(
                "app_uninstalled" if kind == "app_uninstalled" else "token_revoked"
            )
            self._api.forget_identity()
            await self._vitals.token_is_refused(error)

    async def _follow_up(
        self, payload: Payload, events: list[Event], became: Sequence[Acceptance]
    ) -> Answer | None:
        if any(isinstance(event, ChoicePressed) for event in events):
            self._see_to_press(payload, became)
        if "command" in payload:
            return await self._hint(Fields(payload).text("user_id"))
        if payload.get("type") == "message_action":
            self._run_beside(self._answer_shortcut(Fields(payload)))
        return None

    def _see_to_press(self, payload: Payload, became: Sequence[Acceptance]) -> None:
        """Show what was chosen; tell whoever pressed where that changed nothing, once."""
        refusals = [(one.refusal, one.is_new) for one in became if one.refusal is not None]
        if not refusals:
            self._run_beside(self._on_press(payload))
        for refusal, is_new in refusals:
            if is_new and refusal in PRESSED_IN_VAIN:
                self._run_beside(self._tell_aside(Fields(payload), PRESSED_IN_VAIN[refusal]))

    async def _tell_aside(self, payload: Fields, words: str) -> None:
        """Say `words` under a message where a button was pressed, to whoever pressed it alone."""
        person, container = payload.inner("user").text("id"), payload.inner("container")
        thread = container.text("thread_ts")
        await self._api.call(
            "chat.postEphemeral",
            channel=container.text("channel_id"),
            user=person,
            text=text(await self._language_of(person), words),
            **({"thread_ts": thread} if thread else {}),
        )

    async def _answer_shortcut(self, payload: Fields) -> None:
        hint = await self._hint(payload.inner("user").text("id"))
        await self._api.respond(payload.text("response_url"), hint)

    async def _hint(self, person: str) -> Answer:
        """Return what somebody alone sees where they asked."""
        words = "I have your question: the answer comes in a direct message from me."
        return {
            "response_type": "ephemeral",
            "text": text(await self._language_of(person), words),
        }

    def _run_beside(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(self._harmlessly(work))
        self._beside.add(task)
        task.add_done_callback(self._beside.discard)

    async def _harmlessly(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except DeliveryError as error:
            _LOGGER.info("account %s: left out: %s", self._account, error)


def _only_a_person(reading: Reading) -> str | None:
    """Return the person who stands for the thread of what was read, where one does."""
    threads = (str(event.thread) for event in reading.events)
    return next((thread for thread in threads if ids.is_person(thread)), None)


def _is_young(event: ReactionChanged) -> bool:
    place = ids.message_of(event.remote_id)
    if place is None:
        return False
    return event.at - datetime.fromtimestamp(float(place[1]), UTC) < _YOUNG


def _concerns_the_bot(event: Fields) -> bool:
    """Say whether it is the bot's token that was revoked: people's own may be, too."""
    if event.text("type") != "tokens_revoked":
        return True
    revoked = event.inner("tokens").values.get("bot")
    return isinstance(revoked, list) and bool(revoked)
