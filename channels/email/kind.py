"""How the desk finds e-mail; the libraries are imported when an account is opened."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from channels.email.settings import EmailSettings
from core.domain.events import Event
from core.domain.ids import AccountId
from core.ports import Channel, ChannelContext, ChannelKind


def _open(account: AccountId, settings: EmailSettings, context: ChannelContext) -> Channel:
    from channels.email.channel import EmailChannel

    return EmailChannel(account, settings, context)


def _read(account: AccountId, raw: bytes) -> Sequence[Event]:
    """Return what a mail says to somebody without the account's settings and key."""
    from channels.email.parse import Reader
    from channels.email.reading.read import read_mail
    from channels.email.tokens import Tokens

    settings = EmailSettings(address="desk@localhost", lmtp_host="127.0.0.1")
    tokens = Tokens(account, b"", settings.address)
    reader = Reader(account=account, settings=settings, tokens=tokens)
    return reader.events_alone(read_mail(raw), raw, datetime.now(UTC))


KIND = ChannelKind(name="email", settings=EmailSettings, open=_open, read=_read)
