"""Takes mail from a mail server by LMTP (RFC 2033): "250" means that the desk has it."""

from __future__ import annotations

import asyncio
import logging
import re
import socket
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import AnyStr

from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import Envelope, Session

from channels.email.intake import Arrived, MailIntake
from channels.email.settings import EmailSettings
from core.domain.errors import StorageUnavailable
from core.domain.group_commit import GroupCommit

log = logging.getLogger(__name__)

_IDLE_SECONDS = 300
_MOST_AT_ONCE = 32  # mails in a transaction
_MOST_WAITING = 200  # mails in memory; whoever brings more is asked to come again
_LONGEST_LINE = 1024 * 1024
_REFUSED_AS_A_WHOLE = re.compile(r"^(?:552 Error: Too much|500 Line too long)")


class _Server(LMTP):
    # Lines beyond the 1,000 characters of RFC 5321 are common, and no reason to bounce a mail.
    line_length_limit = _LONGEST_LINE

    async def push(self, status: AnyStr) -> None:
        # LMTP answers for each recipient; aiosmtpd refuses an oversized mail only once.
        recipients = self.envelope.rcpt_tos if self.envelope is not None else []
        is_refusal = isinstance(status, str) and _REFUSED_AS_A_WHOLE.match(status)
        for _ in range(len(recipients) or 1) if is_refusal else range(1):
            await super().push(status)


class _Taker:
    """What aiosmtpd asks at each step of a mail."""

    def __init__(
        self, settings: EmailSettings, intake: MailIntake, now: Callable[[], datetime]
    ) -> None:
        self._own = settings.own_addresses
        # Sessions that wait for a commit share the next one.
        self._commits = GroupCommit(intake.take, max_batch=_MOST_AT_ONCE, max_waiting=_MOST_WAITING)
        self._now = now

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self,
        server: _Server,  # noqa: ARG002
        session: Session,  # noqa: ARG002
        envelope: Envelope,
        address: str,
        rcpt_options: list[str],
    ) -> str:
        local, _, domain = address.lower().rpartition("@")
        if f"{local.partition('+')[0]}@{domain}" not in self._own:
            return "550 5.1.1 no such mailbox here"
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(rcpt_options)
        return "250 2.1.5 welcome"

    async def handle_DATA(  # noqa: N802
        self,
        server: _Server,  # noqa: ARG002
        session: Session,  # noqa: ARG002
        envelope: Envelope,
    ) -> str:
        content = envelope.content
        assert isinstance(content, bytes)
        # As a delivering server has to (RFC 5321, 4.4): bounces are told by it, and the token
        # in the address may stand nowhere else.
        marks = [f"Delivered-To: {address}\r\n" for address in envelope.rcpt_tos]
        if envelope.mail_from is not None:
            marks.insert(0, f"Return-Path: <{envelope.mail_from}>\r\n")
        raw = "".join(marks).encode("utf-8", "surrogateescape") + content
        try:
            await self._commits.submit(Arrived(raw=raw, received_at=self._now()))
            reply = "250 2.6.0 the desk has it"
        except StorageUnavailable:
            reply = "451 4.3.0 the desk cannot store mail now, try again later"
        return "\r\n".join([reply] * len(envelope.rcpt_tos))

    async def handle_exception(self, error: Exception) -> str:
        # Whatever it was: the sending server keeps the mail and comes again.
        log.error("LMTP: %s", type(error).__name__, exc_info=error)
        return "451 4.3.0 something went wrong, try again later"


async def serve(
    settings: EmailSettings,
    intake: MailIntake,
    ready: Callable[[int], Awaitable[None]],
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> None:
    """Take mail until cancelled; `ready` gets the port once there is one.

    Raises:
        OSError: the port cannot be had.
    """
    logging.getLogger("mail.log").setLevel(logging.WARNING)  # aiosmtpd logs addresses
    loop = asyncio.get_running_loop()
    taker = _Taker(settings, intake, now)
    host = settings.lmtp_host
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Our own socket, so that it is closed however early this is cancelled.
    with socket.create_server((host, settings.lmtp_port), family=family) as listening:
        server = await loop.create_server(
            lambda: _Server(
                taker,
                data_size_limit=settings.max_bytes,
                enable_SMTPUTF8=True,
                hostname=settings.domain,
                ident="Ventanilla",
                timeout=_IDLE_SECONDS,
                loop=loop,
            ),
            sock=listening,
        )
        async with server:
            await ready(listening.getsockname()[1])
            await server.serve_forever()
