"""Telegram as a channel: one bot, which asks for its messages or is called with them."""

from __future__ import annotations

import asyncio
import hmac
import logging
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from starlette.routing import BaseRoute, Route

from channels.telegram import ids
from channels.telegram.addressing import Self
from channels.telegram.commands import menu
from channels.telegram.content import person_name
from channels.telegram.health import Reports
from channels.telegram.pace import Pace
from channels.telegram.parse import ALLOWED_UPDATES, read_any
from channels.telegram.polling import Poller
from channels.telegram.presses import Press, answer_to
from channels.telegram.reader import Reader
from channels.telegram.render import MAX_FILE_BYTES, render, render_edit, typing
from channels.telegram.sending import send_all
from channels.telegram.settings import TelegramSettings
from channels.telegram.webhook import Webhook
from core.domain.backoff import Pauses
from core.domain.channel import Capabilities, Outbound, Receipt, Shortfall
from core.domain.content import FileRef
from core.domain.errors import (
    BadCredentials,
    DeliveryError,
    FileTooLarge,
    Rejected,
    SentInPart,
    StorageUnavailable,
    Throttled,
    Unavailable,
    Uncertain,
)
from core.domain.events import Author, Event
from core.domain.ids import AccountId, Address, RemoteId, ThreadKey
from core.domain.languages import LANGUAGES
from core.ports import Acceptance, ChannelContext, Inbox, Transcript

if TYPE_CHECKING:
    from channels.telegram.client import Client

_MAX_FILES = 10
_RECENT_SECONDS = 300
_log = logging.getLogger(__name__)


def _now() -> datetime:
    return datetime.now(UTC)


class Telegram(ABC):
    """What does not depend on how messages come in.

    Keeps the promises of `Channel`, `EditsMessages`, `RemovesMessages`, `ShowsTyping`,
    `FetchesFiles`, `LooksUpPeople`, `LinksThreads` and `ReadsPayloads`. Telegram cannot be asked
    whether a message arrived.
    """

    capabilities = Capabilities(
        polls=True,  # also with a webhook, which one process sets and watches
        threads=True,
        max_files=_MAX_FILES,
        max_file_bytes=MAX_FILE_BYTES,
    )

    def __init__(
        self,
        account: AccountId,
        settings: TelegramSettings,
        context: ChannelContext,
        *,
        clock: Callable[[], datetime] = _now,
        pace: Pace = Pace(),  # noqa: B008 - frozen
    ) -> None:
        self.account = account
        self._settings = settings
        self._context = context
        self._clock = clock
        self._pace = pace
        self._opened: Client | None = None
        self._self: Self | None = None
        self._has_menu = False
        self._chores: set[asyncio.Task[None]] = set()

    async def close(self) -> None:
        """Close the connections to Telegram."""
        for chore in self._chores:
            chore.cancel()
        if self._opened is not None:
            await self._opened.close()
            self._opened = None

    async def receive(self, inbox: Inbox) -> None:
        """See `core.ports.Channel.receive`."""
        reports, pauses = Reports(self.account, inbox), Pauses(self._pace.backoff)
        await reports.connecting()
        while True:
            try:
                await self._receive(inbox, reports, pauses)
            except StorageUnavailable:
                await asyncio.sleep(pauses.next_seconds())
            except BadCredentials as error:
                await reports.failed(error)
                await asyncio.sleep(self._pace.probe)
            except Throttled as error:
                await reports.failed(error)
                await asyncio.sleep(error.retry_after)
            except DeliveryError as error:
                await reports.failed(error)
                await asyncio.sleep(pauses.next_seconds())

    @abstractmethod
    async def _receive(self, inbox: Inbox, reports: Reports, pauses: Pauses) -> None:
        """Set up how messages come in, and see that they do, until something fails."""

    async def deliver(self, message: Outbound) -> Receipt:
        """See `core.ports.Channel.deliver`; `send_all` says what becomes of long messages."""
        calls = render(message)
        place = ids.read_thread(message.thread)
        sent = await send_all(calls, place, self._client().send, self._pace)
        return Receipt(remote_ids=tuple(sent))

    async def edit(self, message: Outbound, receipt: Receipt) -> Receipt:
        """See `core.ports.EditsMessages.edit`; text that became longer goes on in new messages.

        Telegram cannot be asked which of these are there. Once they may be, they are not sent
        again, and the receipt says so.
        """
        names = list(receipt.remote_ids)
        edit = render_edit(message, len(names))
        place = ids.read_thread(message.thread)
        for position, call in edit.changes:
            _, number = ids.read_remote(names[position])
            await self._change(call.method, {**call.arguments, "message_id": number})
        new: list[RemoteId] = []
        in_doubt = message.may_have_left and bool(edit.additions)
        if not in_doubt:
            try:
                await send_all(edit.additions, place, self._client().send, self._pace, sent=new)
            except (Uncertain, SentInPart) as error:
                _log.warning("message %s: its change is in doubt: %s", message.message, error)
                in_doubt = True
        for position in edit.removals:
            await self._take_back(names[position])
        names[edit.additions_at : edit.additions_at] = new
        gone = {receipt.remote_ids[position] for position in edit.removals}
        left = tuple(name for name in names if name not in gone)
        return Receipt(remote_ids=left, detail=Shortfall.CHANGE_IN_DOUBT if in_doubt else "")

    async def remove(self, thread: ThreadKey, receipt: Receipt) -> None:  # noqa: ARG002 - names say
        """See `core.ports.RemovesMessages.remove`; a bot can do it within 48 hours."""
        for name in receipt.remote_ids:
            await self._take_back(name)

    async def show_typing(self, thread: ThreadKey) -> None:
        """See `core.ports.ShowsTyping.show_typing`; Telegram shows it for five seconds."""
        place = ids.read_thread(thread)
        await self._client().call("sendChatAction", typing(place), place=place)

    async def fetch(self, file: FileRef) -> AsyncIterator[bytes]:
        """See `core.ports.FetchesFiles.fetch`."""
        limit = self._settings.max_file_bytes
        too_large = f"{limit:,} bytes at most are fetched from Telegram"
        if (file.size_bytes or 0) > limit:
            raise FileTooLarge(too_large)
        fetched = 0
        async for piece in self._client().download(file.remote):
            fetched += len(piece)
            if fetched > limit:
                raise FileTooLarge(too_large)
            yield piece

    async def look_up(self, address: Address) -> Author:
        """See `core.ports.LooksUpPeople.look_up`; Telegram tells no e-mail addresses."""
        chat = await self._client().call("getChat", {"chat_id": ids.read_person(address)})
        return Author(address=address, name=chat.get("title") or person_name(chat))

    def is_private(self, thread: ThreadKey) -> bool:
        """See `core.ports.KnowsPrivacy.is_private`."""
        return ids.read_thread(thread).is_private

    def link(self, thread: ThreadKey) -> str | None:
        """See `core.ports.LinksThreads.link`; only supergroups have links."""
        return ids.link(ids.read_thread(thread))

    def read(self, raw: bytes) -> Sequence[Event]:
        """See `core.ports.ReadsPayloads.read`."""
        return read_any(self.account, raw)

    def _client(self) -> Client:
        if self._opened is None:
            # Here because the library is large, and the web process seldom calls Telegram.
            from channels.telegram.client import Client

            self._opened = Client(self._settings, self._context.blobs)
        return self._opened

    def _reader(self) -> Reader:
        return Reader(self.account, self._settings, self._identity, self._clock)

    async def _identity(self) -> Self:
        """Return who the bot is; asked once."""
        if self._self is None:
            me = await self._client().call("getMe")
            self._self = Self(id=int(me["id"]), username=str(me.get("username") or ""))
        return self._self

    async def _prepare(self) -> None:
        """Check the token and offer the menu of commands."""
        await self._identity()
        if self._has_menu:
            return
        for language in LANGUAGES:
            arguments: dict[str, Any] = {"commands": menu(language)}
            if language != "en":  # whose words everybody sees that has no menu of their own
                arguments["language_code"] = language
            try:
                await self._client().call("setMyCommands", arguments)
            except Rejected as error:
                _log.warning("account %s: no menu in %s: %s", self.account, language, error)
        self._has_menu = True

    async def _change(self, method: str, arguments: dict[str, Any]) -> None:
        try:
            await self._client().call(method, arguments)
        except Uncertain as error:
            raise Unavailable(str(error)) from error  # made twice, it is the same change
        except Rejected as error:
            if "not modified" not in str(error):  # it says what it is to say already
                raise

    async def _take_back(self, name: RemoteId) -> None:
        chat, number = ids.read_remote(name)
        try:
            await self._client().call("deleteMessage", {"chat_id": chat, "message_id": number})
        except Rejected as error:
            if "to delete not found" not in str(error):  # the reader was faster
                raise

    def _answer_press(self, press: Press, became: Sequence[Acceptance]) -> None:
        """End the spinner on a pressed button, beside the rest; nothing depends on it."""
        arguments = answer_to(press, became, self._context.default_language)

        async def answer() -> None:
            try:
                await self._client().call("answerCallbackQuery", arguments)
            except DeliveryError as error:
                _log.info("account %s: a button keeps its spinner: %s", self.account, error)

        self._beside(answer())

    def _beside(self, chore: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(chore)
        self._chores.add(task)
        task.add_done_callback(self._chores.discard)


class PollingTelegram(Telegram):
    """Asks for its messages: needs no address that Telegram can reach."""

    async def _receive(self, inbox: Inbox, reports: Reports, pauses: Pauses) -> None:
        async def answered() -> None:
            pauses.reset()
            await reports.connected()

        await self._client().call("deleteWebhook")  # with one set, Telegram gives no updates
        await self._prepare()
        poller = Poller(
            self.account,
            self._client(),
            self._reader(),
            inbox,
            self._answer_press,
            self._pace.poll,
            bot=self._settings.bot,
        )
        await poller.run(answered)


class WebhookTelegram(Telegram):
    """Is called with its messages. Also keeps the promises of `HandlesRequests`."""

    def routes(self, inbox: Inbox, transcript: Transcript) -> Sequence[BaseRoute]:  # noqa: ARG002
        """See `core.ports.HandlesRequests.routes`."""
        webhook = Webhook(
            self.account,
            self._secret(),
            self._reader(),
            inbox,
            default_language=self._context.default_language,
        )
        return [Route(self._path(), webhook.answer, methods=["POST"])]

    async def _receive(self, inbox: Inbox, reports: Reports, pauses: Pauses) -> None:  # noqa: ARG002
        await self._prepare()
        address = f"{self._context.base_url}{self._path()}"
        try:
            await self._client().call(
                "setWebhook",
                {
                    "url": address,
                    "secret_token": self._secret(),
                    "allowed_updates": list(ALLOWED_UPDATES),
                },
            )
        except Rejected as error:
            await reports.degraded(
                str(error),
                "Give the desk a public https address (DESK_PUBLIC_URL), or use the mode polling",
            )
            await asyncio.sleep(self._pace.probe)
            return
        while True:
            info = await self._client().call("getWebhookInfo")
            pauses.reset()
            if info.get("url") != address:
                raise Unavailable("somebody else took the bot's webhook over")
            failed_at = int(info.get("last_error_date") or 0)
            if self._clock().timestamp() - failed_at < _RECENT_SECONDS:
                reason = str(info.get("last_error_message") or "an error")
                await reports.degraded(
                    f"Telegram could not deliver messages: {reason[:300]}",
                    "Check that Telegram can reach the desk at its address, with a certificate"
                    " that it accepts",
                )
            else:
                await reports.connected()
            await asyncio.sleep(self._pace.check)

    def _path(self) -> str:
        return f"/channels/telegram/{self.account}"

    def _secret(self) -> str:
        secret = self._settings.webhook_secret
        if secret is not None:
            return secret.get_secret_value()
        return hmac.digest(self._context.key, b"telegram webhook", sha256).hex()
