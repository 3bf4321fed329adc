"""One mailbox as a channel: mail in by IMAP and LMTP, mail out by SMTP."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

from channels.email import ids, lmtp, texts
from channels.email.addressing import bare_subject, checked
from channels.email.dkim import signed
from channels.email.folder import FolderReader
from channels.email.headers import checked_address, reply_subject
from channels.email.intake import MailIntake
from channels.email.oauth import AccessTokens
from channels.email.parse import Reader, part_of
from channels.email.pulse import BACKOFF, Pulse
from channels.email.reading.mail import Mail
from channels.email.reading.read import read_mail
from channels.email.refresh_tokens import RefreshTokens
from channels.email.render import EnclosedFile, Letter, render
from channels.email.sent import SentCopies
from channels.email.settings import EmailSettings
from channels.email.smtp import Outlet
from channels.email.tokens import Tokens
from core.domain.account import AccountState, Health
from core.domain.backoff import Pauses
from core.domain.channel import Capabilities, Outbound, Receipt, UncertainPolicy
from core.domain.content import Envelope, FileRef
from core.domain.errors import (
    BadCredentials,
    NotFound,
    Rejected,
    StorageUnavailable,
    Unavailable,
)
from core.domain.events import Event
from core.domain.ids import AccountId, ThreadKey
from core.ports import ChannelContext, Inbox

_MOST_FILES = 20
_PIECE_BYTES = 256 * 1024
_MOST_TURNS = 2  # two answers of a machine in a row; then a person reads
_BASE64_GROWTH = 1.4


class EmailChannel:
    """Keeps the promises of `Channel`, `FetchesFiles`, `ReadsPayloads` and `SendsLetters`."""

    def __init__(
        self,
        account: AccountId,
        settings: EmailSettings,
        context: ChannelContext,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Serve the mailbox of `settings`; nothing is connected yet."""
        self.account = account
        self.capabilities = Capabilities(
            polls=True,
            reopens_always=True,
            threads=True,
            max_files=_MOST_FILES,
            max_file_bytes=int(settings.max_sent_bytes / _BASE64_GROWTH),
            joins_turn=True,
            max_turns=_MOST_TURNS,
            answers_per_hour=settings.answers_per_hour,
            quotes=settings.quote_last,
            replies_to_all=settings.reply_all,
            when_uncertain=UncertainPolicy.RESEND,  # with the same Message-ID
        )
        self.lmtp_port: int | None = None  # once mail can come that way
        self._settings = settings
        self._context = context
        self._now = now
        self._tokens = Tokens(account, context.key, settings.address)
        self._reader = Reader(account=account, settings=settings, tokens=self._tokens)
        refresh = RefreshTokens(account, settings, context.blobs, context.key)
        self._access = AccessTokens(settings, refresh, self._tls)
        self._outlet = Outlet(settings, self._access, self._tls)
        self._copies = SentCopies(account, settings, self._access, self._tls)
        self._at_hand: tuple[str, Mail] | None = None  # the mail whose files are being fetched

    async def receive(self, inbox: Inbox) -> None:
        """See `core.ports.Channel.receive`; folders and the LMTP inlet run side by side."""
        intake = MailIntake(self._reader, self._read_mail, inbox, self._context.blobs)
        pulse = Pulse(self.account, inbox)
        settings = self._settings
        async with asyncio.TaskGroup() as ways:
            if settings.imap_host:
                for folder in settings.folders:
                    reader = FolderReader(
                        self.account,
                        folder,
                        settings,
                        access=self._access,
                        tls=self._tls,
                        intake=intake,
                        inbox=inbox,
                        pulse=pulse,
                        now=self._now,
                    )
                    ways.create_task(reader.run())
            if settings.lmtp_host:
                ways.create_task(self._serve_lmtp(intake, pulse))

    async def _serve_lmtp(self, intake: MailIntake, pulse: Pulse) -> None:
        pauses = Pauses(BACKOFF)

        async def is_ready(port: int) -> None:
            self.lmtp_port = port
            pauses.reset()
            await pulse.tell("lmtp", Health(state=AccountState.CONNECTED))

        while True:
            try:
                await lmtp.serve(self._settings, intake, is_ready, self._now)
            except OSError as error:
                health = Health(
                    state=AccountState.DEGRADED,
                    reason=f"LMTP: port {self._settings.lmtp_port}: {error.strerror or error}",
                    remedy="Choose a free port above 1023 as lmtp_port.",
                )
                await pulse.tell("lmtp", health)
                await asyncio.sleep(pauses.next_seconds())

    def read(self, raw: bytes) -> Sequence[Event]:
        """See `core.ports.ReadsPayloads.read`; finds only threads that the mail itself names."""
        return self._reader.events_alone(self._read_mail(raw), raw, self._now())

    def _read_mail(self, raw: bytes) -> Mail:
        return read_mail(
            raw,
            trusted_authserv_ids=self._settings.trusted_authserv_ids,
            own_addresses=self._settings.own_addresses,
        )

    async def deliver(self, message: Outbound) -> Receipt:
        """See `core.ports.Channel.deliver`."""
        if not self._settings.smtp_host:
            raise BadCredentials(
                "the account has no SMTP server", "Set smtp_host, and what it asks for."
            )
        letter = await self._letter(message)
        if message.only_to:
            rest = {checked_address(address): address for address in message.only_to}
            letter = replace(letter, to=(), copies=tuple(rest), names=rest)
        sent = await self._outlet.send(letter, is_rest=bool(message.only_to))
        if not message.only_to:
            self._copies.keep(letter)
        return Receipt(
            remote_ids=(letter.message_id,),
            put_off=sent.put_off,
            refused=sent.refused,
        )

    async def _letter(self, message: Outbound) -> Letter:
        files = []
        for file in message.body.files:
            try:
                files.append(
                    EnclosedFile(file=file, content=await self._context.blobs.get(file.remote))
                )
            except NotFound:
                raise Rejected(f"the file {file.name!r} is not there any more") from None
            except StorageUnavailable as error:
                raise Unavailable(f"the file {file.name!r} cannot be read now") from error
        settings = self._settings
        letter = await asyncio.to_thread(
            render, message, settings, self._tokens, files, self._now()
        )
        content = letter.content
        if settings.dkim_domain:
            content = await asyncio.to_thread(
                signed,
                content,
                domain=settings.dkim_domain,
                selector=settings.dkim_selector,
                private_key=settings.dkim_private_key.get_secret_value(),
            )
        if len(content) > settings.max_sent_bytes:
            raise Rejected(
                f"the mail has {len(content):,} bytes; {settings.max_sent_bytes:,} are allowed"
            )
        return replace(letter, content=content)

    async def fetch(self, file: FileRef) -> AsyncIterator[bytes]:
        """See `core.ports.FetchesFiles.fetch`; the mail was kept when it came."""
        named = ids.read_part_id(file.remote)
        if named is None:
            raise Rejected("this is no file of a mail")
        name, position = named
        mail = await self._kept_mail(name)
        content = part_of(mail, position)
        # One after another, a thousand files of a large mail would else be as many readings of it.
        self._at_hand = (name, mail) if position + 1 < len(mail.attachments) else None
        if content is None:
            raise Rejected("the mail has no such file")
        for start in range(0, max(len(content), 1), _PIECE_BYTES):
            yield content[start : start + _PIECE_BYTES]

    async def _kept_mail(self, name: str) -> Mail:
        if self._at_hand is not None and self._at_hand[0] == name:
            return self._at_hand[1]
        try:
            raw = await self._context.blobs.get(ids.raw_key(self.account, name))
        except NotFound:
            raise Rejected("the mail of this file was not kept") from None
        return await asyncio.to_thread(self._read_mail, raw)

    def checked(self, envelope: Envelope) -> Envelope:
        """See `core.ports.SendsLetters.checked`."""
        return checked(envelope, self._settings.own_addresses)

    def subject_of_reply(self, subject: str | None, language: str) -> str:
        """See `core.ports.SendsLetters.subject_of_reply`."""
        return reply_subject(subject, texts.text(language, texts.YOUR_MESSAGE))

    def is_same_subject(self, one: str, other: str) -> bool:
        """See `core.ports.SendsLetters.is_same_subject`."""
        return bare_subject(one) == bare_subject(other)

    def begin_thread(self, seed: UUID) -> ThreadKey:
        """See `core.ports.SendsLetters.begin_thread`."""
        return ids.thread_key("begun", str(seed))

    async def close(self) -> None:
        """Say goodbye to the servers."""
        await self._outlet.close()
        await self._copies.close()

    def _tls(self) -> ssl.SSLContext:
        """Return how servers are verified: by the system's certificates, and the account's."""
        context = ssl.create_default_context()
        if self._settings.tls_ca_file is not None:
            try:
                context.load_verify_locations(cafile=self._settings.tls_ca_file)
            except OSError as error:  # an unreadable certificate is an OSError too
                raise BadCredentials(
                    "the certificates of tls_ca_file cannot be read",
                    "Correct the path in tls_ca_file; it has to be a PEM file.",
                ) from error
        return context
