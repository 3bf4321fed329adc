"""An SMTP server that takes mail for everybody, and can be slow, strict or rude about it."""

from __future__ import annotations

import asyncio
import re
from base64 import b64decode
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

from aiosmtpd.smtp import MISSING, SMTP, AuthResult, Envelope, LoginPassword, Session

from channels.simulator.faults import Fault, Faults

_XOAUTH2 = re.compile("user=([^\x01]+)\x01auth=Bearer ([^\x01]+)\x01\x01")


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A mail of the desk that reached people."""

    sender: str
    recipients: tuple[str, ...]
    raw: bytes

    @property
    def mail(self) -> EmailMessage:
        """The mail, read by the standard library."""
        parsed = message_from_bytes(self.raw, policy=default)
        assert isinstance(parsed, EmailMessage)
        return parsed

    @property
    def text(self) -> str:
        """Its plain text."""
        body = self.mail.get_body(("plain",))
        return "" if body is None else "\n".join(str(body.get_content()).splitlines()).strip()


class _Server(SMTP):
    def cut(self) -> None:
        """End the connection without a word."""
        if isinstance(self.transport, asyncio.Transport):
            self.transport.abort()


class MailServer:
    """What aiosmtpd asks at each step; faults are those of `faults`, met at MAIL FROM or DATA."""

    def __init__(
        self,
        faults: Faults,
        took: Callable[[Taken], Awaitable[None]],
        credentials: tuple[str, str] | None = None,
    ) -> None:
        """Call `took` with each mail; insist on `credentials`, where given."""
        self.refused: dict[str, str] = {}  # by recipient: the reply to RCPT
        self.greylists = False
        self.connections = 0  # so far
        self.credentials = credentials
        self.takes_token: Callable[[str, str], bool] | None = None
        """Whether a user may sign in with a token (XOAUTH2); None: that is not offered."""
        self._faults = faults
        self._took = took
        self._seen: set[tuple[str | None, str]] = set()
        self._cuts_after = False

    def protocol(self) -> SMTP:
        """Return the protocol of one connection."""
        self.connections += 1
        return _Server(
            self,
            hostname="mail.simulator.example",
            ident="simulator",
            enable_SMTPUTF8=True,
            auth_require_tls=False,
            authenticator=self._authenticate,
            auth_exclude_mechanism=["XOAUTH2"] if self.takes_token is None else [],
            loop=asyncio.get_running_loop(),
        )

    def _authenticate(
        self,
        server: SMTP,  # noqa: ARG002
        session: Session,  # noqa: ARG002
        envelope: Envelope,  # noqa: ARG002
        mechanism: str,  # noqa: ARG002
        given: object,
    ) -> AuthResult:
        if self.credentials is None:
            return AuthResult(success=True)
        is_right = isinstance(given, LoginPassword) and self.credentials == (
            given.login.decode(),
            given.password.decode(),
        )
        return AuthResult(success=is_right, handled=False)

    async def auth_XOAUTH2(self, server: SMTP, args: list[str]) -> AuthResult:  # noqa: N802
        """Sign in with an access token, as Google and Microsoft have it.

        https://developers.google.com/workspace/gmail/imap/xoauth2-protocol
        """
        given = b64decode(args[1]).decode() if len(args) > 1 else ""
        found = _XOAUTH2.fullmatch(given)
        if found and self.takes_token and self.takes_token(found[1], found[2]):
            return AuthResult(success=True, auth_data=found[1])
        # The reason comes as a challenge, which the client answers with an empty line.
        if await server.challenge_auth(b'{"status":"401","schemes":"bearer"}') is MISSING:
            return AuthResult(success=False)
        return AuthResult(success=False, handled=False)

    async def handle_MAIL(  # noqa: N802 - aiosmtpd's names
        self,
        server: _Server,
        session: Session,
        envelope: Envelope,
        address: str,
        mail_options: list[str],
    ) -> str:
        insists = self.credentials is not None or self.takes_token is not None
        if insists and not session.authenticated:
            return "530 5.7.0 Authentication required"
        match self._faults.for_call("send"):
            case Fault.THROTTLED:
                wait = self._faults.retry_after_seconds
                return f"451 4.7.0 Too many messages, try again in {wait} seconds"
            case Fault.CUT_BEFORE:
                server.cut()
            case Fault.CUT_AFTER:
                self._cuts_after = True
            case Fault.BAD_CREDENTIALS:
                return "530 5.7.0 Authentication required"
            case Fault.BROKEN:
                return "451 4.3.0 Internal error, try again later"
            case Fault.SLOW:
                await asyncio.sleep(self._faults.delay_seconds)
            case _:
                pass
        envelope.mail_from = address
        envelope.mail_options.extend(mail_options)
        return "250 2.1.0 OK"

    async def handle_RCPT(  # noqa: N802
        self,
        server: _Server,  # noqa: ARG002
        session: Session,  # noqa: ARG002
        envelope: Envelope,
        address: str,
        rcpt_options: list[str],
    ) -> str:
        pair = (envelope.mail_from, address)
        if self.greylists and pair not in self._seen:
            self._seen.add(pair)
            return "451 4.7.1 Greylisted, try again later"
        if reply := self.refused.get(address):
            return reply
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(rcpt_options)
        return "250 2.1.5 OK"

    async def handle_DATA(  # noqa: N802
        self,
        server: _Server,
        session: Session,  # noqa: ARG002
        envelope: Envelope,
    ) -> str:
        content = envelope.content
        assert isinstance(content, bytes)
        taken = Taken(
            sender=envelope.mail_from or "", recipients=tuple(envelope.rcpt_tos), raw=content
        )
        await self._took(taken)
        if self._cuts_after:
            self._cuts_after = False
            server.cut()
        return "250 2.0.0 OK"
