"""What one mail says, once it is read."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class MailKind(StrEnum):
    """Who or what a mail is from; only human mail starts anything."""

    HUMAN = "human"
    AUTO_REPLY = "auto_reply"  # RFC 3834, and what programs really send
    BOUNCE = "bounce"  # did not arrive, or not yet
    DELIVERY_RECEIPT = "delivery_receipt"  # arrived, or was opened: RFC 3464 and RFC 8098
    FEEDBACK_REPORT = "feedback_report"  # somebody pressed "this is spam": RFC 5965
    BULK = "bulk"  # mailing lists, newsletters, notices of other programs
    SPAM = "spam"  # by the headers of the relay


@dataclass(frozen=True, slots=True, kw_only=True)
class MailAddress:
    """A mailbox. The domain is in lower case; the local part stays as it was written."""

    address: str
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A leaf of the mail that is not its text. Its place in `Mail.attachments` never changes."""

    name: str  # safe to show; made up where the mail gives none
    media_type: str  # as the sender has it
    content: bytes = field(repr=False)  # decoded
    content_id: str | None = None  # without angle brackets; `cid:` in the HTML refers to it
    is_inline: bool = False

    @property
    def size_bytes(self) -> int:
        """Size once decoded."""
        return len(self.content)


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedRecipient:
    """Whom a mail did not reach."""

    address: str
    status: str | None = None  # RFC 3463: "5.1.1"
    is_permanent: bool = True
    is_delayed: bool = False  # the server goes on trying
    detail: str = ""  # what the server said, on one line


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounce:
    """What a bounce, a delivery receipt or a feedback report is about."""

    recipients: tuple[FailedRecipient, ...] = ()  # empty where nothing failed
    original_ids: tuple[str, ...] = ()  # Message-IDs of the returned mail, then what it answered
    delivered_to: tuple[str, ...] = ()  # addresses a receipt speaks of


@dataclass(frozen=True, slots=True, kw_only=True)
class Authentication:
    """What trusted relays found about the sender; results are RFC 8601's words, or None."""

    spf: str | None = None
    dkim: str | None = None
    dmarc: str | None = None
    is_verified: bool = False  # the domain in From is vouched for


@dataclass(frozen=True, slots=True, kw_only=True)
class Forwarded:
    """A mail that somebody passed on."""

    author: MailAddress | None = None  # who wrote it first, as the forwarder's program says
    subject: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """One mail. All text can be stored as it is; header values are single lines."""

    kind: MailKind = MailKind.HUMAN
    author: MailAddress | None = None  # From
    sender: MailAddress | None = None  # Sender, where it is another
    to: tuple[MailAddress, ...] = ()
    cc: tuple[MailAddress, ...] = ()
    reply_to: tuple[MailAddress, ...] = ()
    subject: str = ""
    date: datetime | None = None  # with time zone
    message_id: str | None = None  # with angle brackets, as all ids here
    in_reply_to: tuple[str, ...] = ()
    references: tuple[str, ...] = ()  # oldest first
    text: str = ""  # the whole body, CommonMark
    visible: str = ""  # what the author wrote this time
    quoted: str = ""  # what was cut as quotation
    signature: str = ""  # what was cut as signature and disclaimer
    html: str | None = None  # sanitised; remote pictures are off
    attachments: tuple[Attachment, ...] = ()
    forwarded: Forwarded | None = None
    invitation: str = ""  # what, when and where, of a mail that invites; CommonMark
    is_locked: bool = False  # something of it is encrypted
    bounce: Bounce | None = None
    authentication: Authentication = Authentication()
    defects: tuple[str, ...] = ()  # what is wrong with it, in a few English words each
    is_over_limits: bool = False  # a bomb: read in part only; intake keeps it aside
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)  # names in lower case

    def header(self, name: str) -> str | None:
        """Return the topmost value of the header `name`, decoded, or None."""
        wanted = name.lower()
        return next((value for key, value in self.headers if key == wanted), None)
