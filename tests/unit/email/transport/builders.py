"""Builders of settings, mails and messages that show only what matters to a test."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from channels.email.parse import Reader
from channels.email.reading.mail import Mail, MailAddress
from channels.email.settings import EmailSettings
from channels.email.tokens import Tokens
from core.domain.channel import Outbound
from core.domain.content import Body
from core.domain.conversation import Speaker
from core.domain.ids import AccountId, Address, ConversationId, MessageId, ThreadKey
from tests.unit.email.transport.memory import KEY

ACCOUNT = AccountId("support")
DESK = "help@desk.example"
ANA = "ana@people.example"
NOW = datetime(2026, 3, 2, 10, 30, tzinfo=UTC)
THREAD = ThreadKey("mail/" + "a" * 21)
MESSAGE = MessageId(UUID("01931b5e-0000-7000-8000-000000000001"))


def settings(**changes: Any) -> EmailSettings:
    """Return settings of an account that takes mail by LMTP."""
    return EmailSettings.model_validate(
        {"address": DESK, "lmtp_host": "127.0.0.1", "lmtp_port": 0, **changes}
    )


def tokens(account: str = ACCOUNT, key: bytes = KEY) -> Tokens:
    return Tokens(AccountId(account), key, DESK)


def reader(**changes: Any) -> Reader:
    return Reader(account=ACCOUNT, settings=settings(**changes), tokens=tokens())


def mail(**changes: Any) -> Mail:
    """Return a mail of Ana's."""
    values: dict[str, Any] = {
        "author": MailAddress(address=ANA, name="Ana"),
        "to": (MailAddress(address=DESK),),
        "subject": "Printer",
        "date": NOW,
        "message_id": "<1@people.example>",
        "text": "It does not print.",
        "visible": "It does not print.",
    }
    return Mail(**{**values, **changes})


def outbound(text: str = "Good morning", **changes: Any) -> Outbound:
    """Return a message of an agent's to Ana."""
    values: dict[str, Any] = {
        "message": MESSAGE,
        "account": ACCOUNT,
        "conversation": ConversationId(MESSAGE),
        "thread": THREAD,
        "speaker": Speaker.AGENT,
        "body": Body(text=text),
        "requester": Address(ANA),
        "subject": "Printer",
    }
    return Outbound(**{**values, **changes})
