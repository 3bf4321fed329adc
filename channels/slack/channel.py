"""Slack as a channel: one workspace, over a socket or over HTTP."""

from __future__ import annotations

import asyncio
import logging
import time
from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import UTC, datetime

from starlette.routing import BaseRoute

from channels.slack import ids
from channels.slack.bolt import Door
from channels.slack.delivery import Deliveries
from channels.slack.errors import is_answer
from channels.slack.events_api import EventsApi
from channels.slack.fields import Fields
from channels.slack.health import Vitals
from channels.slack.home import home_view
from channels.slack.parse import inner_event, known_of, load, parse
from channels.slack.press import pressed_blocks
from channels.slack.settings import SlackSettings
from channels.slack.socket import Socket
from channels.slack.taking import Payload, Taking
from channels.slack.web_api import WebApi
from core.domain.channel import Capabilities, InPart, Outbound, Receipt, UncertainPolicy
from core.domain.content import MAX_TEXT_CHARS, Body, FileRef
from core.domain.conversation import Speaker
from core.domain.errors import DeliveryError, Rejected, SentInPart
from core.domain.events import Author, Event
from core.domain.ids import AccountId, Address, ConversationId, MessageId, ThreadKey
from core.domain.languages import spoken
from core.ports import ChannelContext, Colleague, Inbox, Transcript

_MAX_FILES = 10
_PROFILE_SECONDS = 600.0
_REMEMBERED = 2_000
_PROFILE_SOON_SECONDS = 0.8  # of the 3 that Slack waits for the answer to a command
_NAMES_SOON_SECONDS = 0.25  # for all whom a message mentions; it is acknowledged after that
_LOGGER = logging.getLogger(__name__)


class Slack(ABC):
    """What both ways in have in common.

    Implements `core.ports.Channel`, `FindsDeliveries`, `EditsMessages`, `RemovesMessages`,
    `FetchesFiles`, `LooksUpPeople`, `TellsColleagues`, `LinksThreads` and `ReadsPayloads`. Slack
    has no sign that a bot is typing.
    """

    def __init__(
        self,
        account: AccountId,
        settings: SlackSettings,
        context: ChannelContext,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.account = account
        self.capabilities = Capabilities(
            polls=True,
            max_text_chars=MAX_TEXT_CHARS,
            max_files=_MAX_FILES,
            max_file_bytes=settings.max_file_bytes,
            threads=True,
            when_uncertain=UncertainPolicy.PARK,
        )
        self._settings = settings
        self._context = context
        self._clock = clock
        self._api = WebApi(settings.bot_token.get_secret_value(), settings.api_url)
        self._deliveries = Deliveries(self._api, context.blobs, settings.max_file_bytes)
        self._profiles: OrderedDict[str, tuple[float, Fields | None]] = OrderedDict()
        self._looking: dict[str, asyncio.Task[Fields]] = {}
        self._takings: list[Taking] = []
        self._asking: asyncio.Task[None] | None = None

    @abstractmethod
    async def receive(self, inbox: Inbox) -> None:
        """See `core.ports.Channel.receive`."""

    async def close(self) -> None:
        """Give connections back."""
        for taking in self._takings:
            await taking.finish()
        if self._asking is not None:
            self._asking.cancel()
        for looking in self._looking.values():
            looking.cancel()
        await self._api.close()

    async def deliver(self, message: Outbound) -> Receipt:
        """See `core.ports.Channel.deliver`."""
        return await self._deliveries.send(message)

    async def find_delivery(self, message: Outbound) -> Receipt | InPart | None:
        """See `core.ports.FindsDeliveries.find_delivery`."""
        return await self._deliveries.find(message)

    async def edit(self, message: Outbound, receipt: Receipt) -> Receipt:
        """See `core.ports.EditsMessages.edit`."""
        return await self._deliveries.change(message, receipt)

    async def remove(self, thread: ThreadKey, receipt: Receipt) -> None:  # noqa: ARG002 - by id
        """See `core.ports.RemovesMessages.remove`."""
        await self._deliveries.remove(receipt)

    async def fetch(self, file: FileRef) -> AsyncIterator[bytes]:
        """See `core.ports.FetchesFiles.fetch`."""
        if not ids.is_file(file.remote):
            raise Rejected("Slack does not keep this file")
        answer = await self._api.call("files.info", file=file.remote)
        known = answer.inner("file")
        address = known.text("url_private_download") or known.text("url_private")
        if not address:
            raise Rejected("Slack does not keep this file")
        async for piece in self._api.download(address, known.text("mimetype")):
            yield piece

    async def look_up(self, address: Address) -> Author:
        """See `core.ports.LooksUpPeople.look_up`."""
        return known_of(await self._profile(address), address)

    async def find_colleague(self, email: str) -> Colleague | None:
        """See `core.ports.TellsColleagues.find_colleague`.

        https://docs.slack.dev/reference/methods/users.lookupByEmail
        """
        try:
            answer = await self._api.call("users.lookupByEmail", email=email)
        except Rejected as error:
            if is_answer(error, "users_not_found"):
                return None
            raise
        user = answer.inner("user")
        known = known_of(user, ids.address(user.required("id")))
        if (
            not _is_person(user)
            or known.email is None
            or known.email.casefold() != email.casefold()
        ):
            return None
        return Colleague(address=known.address, name=known.name or email)

    async def colleague_called(self, name: str) -> Colleague | None:
        """See `core.ports.TellsColleagues.colleague_called`; the name is a member ID.

        https://docs.slack.dev/reference/methods/users.info
        """
        person = name.strip().upper()
        if not ids.is_person(person):
            return None
        try:
            answer = await self._api.call("users.info", user=person, include_locale=True)
        except Rejected as error:
            if is_answer(error, "user_not_found"):
                return None
            raise
        user = answer.inner("user")
        if not _is_person(user):
            return None
        known = known_of(user, ids.address(person))
        return Colleague(address=known.address, name=known.name or person)

    async def tell(
        self, whom: Address, notice: MessageId, words: str, *, may_have_left: bool
    ) -> None:
        """See `core.ports.TellsColleagues.tell`."""
        message = Outbound(
            message=notice,
            account=self.account,
            conversation=ConversationId(notice),
            thread=ids.direct_thread(whom),
            speaker=Speaker.SYSTEM,
            body=Body(text=words),
        )
        if may_have_left and isinstance(await self._deliveries.find(message), Receipt):
            return
        try:
            await self._deliveries.send(message)
        except SentInPart as error:
            raise Rejected(str(error)) from error

    def is_private(self, thread: ThreadKey) -> bool:
        """See `core.ports.KnowsPrivacy.is_private`."""
        place = ids.place_of(thread).channel
        return ids.is_direct(place) or ids.is_person(place)

    def link(self, thread: ThreadKey) -> str | None:
        """See `core.ports.LinksThreads.link`.

        A direct conversation is between two: no link opens it for somebody else. The first link
        of a process leads to the channel only: where the workspace is has to be asked for.
        """
        place = ids.place_of(thread)
        if place.thread_ts is None:
            return None
        identity = self._api.known_identity
        if identity is None and self._asking is None:
            self._asking = asyncio.create_task(self._ask_who_we_are())
        if identity is not None and identity.team_url:
            return (
                f"{identity.team_url}archives/{place.channel}/p{place.thread_ts.replace('.', '')}"
            )
        return f"https://slack.com/app_redirect?channel={place.channel}"

    def read(self, raw: bytes) -> Sequence[Event]:
        """See `core.ports.ReadsPayloads.read`."""
        return parse(self.account, load(raw), datetime.now(UTC), raw).events

    def _door(self, inbox: Inbox, vitals: Vitals) -> Door:
        taking = Taking(
            self.account,
            self._api,
            inbox,
            vitals=vitals,
            language_of=self._language_soon,
            names_of=self._names_soon,
            on_home=self._show_home,
            on_press=self._show_choice,
        )
        self._takings.append(taking)
        return Door(taking)

    async def _profile(self, person: str) -> Fields:
        now = self._clock()
        known = self._profiles.get(person)
        if known is not None and now - known[0] < _PROFILE_SECONDS:
            if known[1] is None:
                raise Rejected("Slack does not know the person")
            return known[1]
        looking = self._looking.get(person)
        if looking is None:
            looking = asyncio.create_task(self._look(person))
            self._looking[person] = looking
            looking.add_done_callback(lambda done: self._looked(person, done))
        # It goes on though nobody waits any more: the next message finds it remembered.
        return await asyncio.shield(looking)

    async def _look(self, person: str) -> Fields:
        try:
            answer = await self._api.call("users.info", user=person, include_locale=True)
        except Rejected as error:
            if is_answer(error, "user_not_found"):
                self._remember(person, None)
            raise
        profile = answer.inner("user")
        self._remember(person, profile)
        return profile

    def _looked(self, person: str, looking: asyncio.Task[Fields]) -> None:
        del self._looking[person]
        if not looking.cancelled():
            looking.exception()  # whoever waits for it raises it, if anybody still does

    def _remember(self, person: str, profile: Fields | None) -> None:
        """Keep somebody's profile for a while; None where Slack knows nobody of that id."""
        self._profiles[person] = (self._clock(), profile)
        self._profiles.move_to_end(person)
        if len(self._profiles) > _REMEMBERED:
            self._profiles.popitem(last=False)

    async def _profile_soon(self, person: str, seconds: float = _PROFILE_SOON_SECONDS) -> Fields:
        """Return a person's profile; empty where Slack does not tell it in time."""
        try:
            async with asyncio.timeout(seconds):
                return await self._profile(person)
        except (DeliveryError, TimeoutError) as error:
            _LOGGER.info("account %s: somebody is not known: %s", self.account, error)
            return Fields()

    async def _language_soon(self, person: str) -> str:
        """Return a person's language, or the desk's where Slack does not tell it in time."""
        profile = await self._profile_soon(person)
        return spoken(profile.text("locale"), default=self._context.default_language)

    async def _names_soon(self, people: Sequence[str]) -> Mapping[str, str]:
        """Return what people are called, as far as Slack tells it in time."""
        profiles = await asyncio.gather(
            *(self._profile_soon(person, _NAMES_SOON_SECONDS) for person in people)
        )
        known = zip(people, profiles, strict=True)
        names = {who: known_of(profile, ids.address(who)).name for who, profile in known}
        return {who: name for who, name in names.items() if name}

    async def _ask_who_we_are(self) -> None:
        try:
            await self._api.identity()
        except DeliveryError as error:
            _LOGGER.info("account %s: links lead to channels: %s", self.account, error)

    async def _show_home(self, payload: Payload) -> None:
        """Show somebody their tickets on the app's home tab."""
        person = inner_event(payload).text("user")
        if not ids.is_person(person):
            return
        profile = await self._profile(person)
        language = spoken(profile.text("locale"), default=self._context.default_language)
        tickets = await self._context.tickets.tickets_of(self.account, ids.address(person))
        outer = Fields(payload)
        view = home_view(
            tickets, language, team=outer.text("team_id"), app=outer.text("api_app_id")
        )
        await self._api.call("views.publish", user_id=person, view=view)

    async def _show_choice(self, payload: Payload) -> None:
        """Put what was chosen in the place of the buttons: a choice is made once."""
        pressed = Fields(payload)
        language = await self._language_soon(pressed.inner("user").text("id"))
        changed = pressed_blocks(pressed, language)
        if changed is not None:
            await self._api.call("chat.update", **changed)


def _is_person(user: Fields) -> bool:
    return not (user.flag("is_bot") or user.flag("deleted"))


class SlackOverSocket(Slack):
    """Slack by Socket Mode: needs no address that Slack can reach."""

    async def receive(self, inbox: Inbox) -> None:
        """See `core.ports.Channel.receive`."""
        vitals = Vitals(self.account, inbox)
        await vitals.begin(uses_socket=True)
        token = self._settings.app_token.get_secret_value()
        socket = Socket(self._api, token, self._door(inbox, vitals), vitals)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(vitals.watch_token(self._api))
            tasks.create_task(socket.run())


class SlackOverHttp(Slack):
    """Slack by the Events API. Implements `core.ports.HandlesRequests` besides."""

    async def receive(self, inbox: Inbox) -> None:
        """Watch over the account's credentials until cancelled: requests bring everything else."""
        vitals = Vitals(self.account, inbox)
        await vitals.begin(uses_socket=False)
        await vitals.watch_token(self._api)

    def routes(self, inbox: Inbox, transcript: Transcript) -> Sequence[BaseRoute]:  # noqa: ARG002
        """See `core.ports.HandlesRequests.routes`."""
        secret = self._settings.signing_secret.get_secret_value()
        # What else is known of the account's health, the process that watches over it knows.
        vitals = Vitals(self.account, inbox)
        return [EventsApi(self.account, secret, self._door(inbox, vitals)).route()]


def open_slack(account: AccountId, settings: SlackSettings, context: ChannelContext) -> Slack:
    """Return the channel of an account."""
    kind = SlackOverSocket if settings.uses_socket else SlackOverHttp
    return kind(account, settings, context)
