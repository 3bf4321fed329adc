"""What an admin sets for one mail account."""

from __future__ import annotations

from enum import StrEnum
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    field_validator,
    model_validator,
)

MEGABYTE = 1024 * 1024


class Security(StrEnum):
    """How a connection to a mail server is protected."""

    TLS = "tls"  # from the first byte
    STARTTLS = "starttls"  # asked for, and insisted on, before anything else is said
    NONE = "none"  # only to a server on the same machine


class AfterProcessing(StrEnum):
    """What becomes of a mail on the server once the desk has it."""

    LEAVE = "leave"
    FLAG = "flag"  # mark it as read
    MOVE = "move"
    DELETE = "delete"


class OAuthProvider(StrEnum):
    """Who gives out access tokens."""

    NONE = "none"  # a password is used
    GOOGLE = "google"
    MICROSOFT = "microsoft"
    CUSTOM = "custom"  # `oauth_token_url` says where


class MachineMail(StrEnum):
    """What becomes of newsletters, spam and abuse reports."""

    KEEP = "keep"  # with their thread, where they have one; they never start anything
    IGNORE = "ignore"


_NOT_HERE = {
    "imap": "{imap_security} set to none is only for a server on this machine",
    "smtp": "{smtp_security} set to none is only for a server on this machine",
}


def _listed(value: object) -> object:
    """Let a list be written as words between commas, as environment variables need it."""
    if isinstance(value, str):
        return [word.strip() for word in value.split(",") if word.strip()]
    return value


Words = Annotated[tuple[str, ...], BeforeValidator(_listed)]


class EmailSettings(BaseModel):
    """One mailbox: where its mail comes from, where its mail goes, and how it reads."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    address: str = Field(description="The address people write to, such as help@example.org")
    name: str = Field(default="", max_length=200, description="The name beside the address")
    aliases: Words = Field(default=(), description="Other addresses that lead to this mailbox")

    imap_host: str = Field(default="", description="IMAP server; empty: mail comes by LMTP only")
    imap_port: int = Field(default=993, ge=1, le=65_535)
    imap_security: Security = Security.TLS
    imap_user: str = Field(default="", description="Empty: the address")
    imap_password: SecretStr = SecretStr("")
    folders: Words = Field(default=("INBOX",), min_length=1, description="Folders to read")
    after_processing: AfterProcessing = AfterProcessing.FLAG
    move_to: str = Field(default="", description="Folder for mail that was taken in")
    sent_folder: str = Field(
        default="", description="IMAP folder for copies of what is sent; empty: no copies"
    )
    import_all: bool = Field(
        default=False, description="Take in mail from before the account was added, too"
    )
    poll_seconds: int = Field(
        default=60, ge=1, le=3_600, description="How often to look where the server has no IDLE"
    )

    lmtp_host: str = Field(default="", description="Where to take mail by LMTP; empty: nowhere")
    lmtp_port: int = Field(default=24, ge=0, le=65_535, description="0: any that is free")

    smtp_host: str = Field(default="", description="SMTP server that takes our mail")
    smtp_port: int = Field(default=587, ge=1, le=65_535)
    smtp_security: Security = Security.STARTTLS
    smtp_user: str = Field(default="", description="Empty: the IMAP user")
    smtp_password: SecretStr = Field(default=SecretStr(""), description="Empty: the IMAP password")
    smtp_signs_in: bool = Field(default=True, description="False for a relay that asks for nothing")
    smtp_connections: int = Field(default=2, ge=1, le=20)

    oauth_provider: OAuthProvider = OAuthProvider.NONE
    oauth_client_id: str = ""
    oauth_client_secret: SecretStr = SecretStr("")
    oauth_refresh_token: SecretStr = SecretStr("")
    oauth_tenant: str = Field(default="common", pattern=r"^[A-Za-z0-9.-]+$")
    oauth_token_url: str = Field(default="", description="For the provider `custom`")

    tls_ca_file: Path | None = Field(
        default=None, description="Certificates to trust besides the system's"
    )
    timeout_seconds: float = Field(default=30, gt=0, le=600)
    max_bytes: int = Field(
        default=30 * MEGABYTE, ge=1_000, description="Larger mail is put aside unread"
    )
    max_sent_bytes: int = Field(default=20 * MEGABYTE, ge=1_000)
    plus_addressing: bool = Field(
        default=False, description="The mailbox also takes mail to name+anything@…"
    )
    trusted_authserv_ids: Words = Field(
        default=(), description="Whose Authentication-Results are believed"
    )
    machine_mail: MachineMail = MachineMail.KEEP
    own_lists: Words = Field(
        default=(), description="List-Ids through which people's mail reaches this mailbox"
    )
    answers_per_hour: int = Field(
        default=2, ge=1, le=100, description="Machine-made mails to one person"
    )
    reply_all: bool = Field(default=True, description="Copies go to everybody in the thread")
    unsubscribe: str = Field(
        default="",
        description="Where people leave notices: a mailto or https address for List-Unsubscribe",
    )
    quote_last: bool = Field(default=False, description="Repeat what is being answered")

    header_en: str = Field(default="", max_length=5_000, description="Markdown above each mail")
    header_es: str = Field(default="", max_length=5_000)
    footer_en: str = Field(default="", max_length=5_000, description="Markdown below each mail")
    footer_es: str = Field(default="", max_length=5_000)
    signature_en: str = Field(
        default="", max_length=5_000, description="Below an agent's words; {agent} is their name"
    )
    signature_es: str = Field(default="", max_length=5_000)

    dkim_domain: str = Field(default="", description="Signs our mail, where no relay does")
    dkim_selector: str = ""
    dkim_private_key: SecretStr = Field(
        default=SecretStr(""),
        description="An RSA key in PEM form",
        json_schema_extra={"format": "multi-line"},
    )

    def in_language(self, part: Literal["header", "footer", "signature"], language: str) -> str:
        """Return the header, footer or signature of mail in `language`."""
        return str(getattr(self, f"{part}_{language}"))

    @field_validator("address", "aliases", mode="after")
    @classmethod
    def _is_an_address(cls, value: str | tuple[str, ...]) -> str | tuple[str, ...]:
        for address in (value,) if isinstance(value, str) else value:
            local, at, domain = address.rpartition("@")
            if not (local and at and domain) or not _is_printable_word(address):
                raise ValueError("is not a mail address of plain characters")
        return value.lower() if isinstance(value, str) else tuple(v.lower() for v in value)

    @field_validator(
        "name", "move_to", "sent_folder", "imap_user", "smtp_user", "folders", mode="after"
    )
    @classmethod
    def _is_one_line(cls, value: str | tuple[str, ...]) -> str | tuple[str, ...]:
        for line in (value,) if isinstance(value, str) else value:
            if not line.isprintable():
                raise ValueError("must not hold control characters")
        return value

    @field_validator("unsubscribe", mode="after")
    @classmethod
    def _is_a_link(cls, value: str) -> str:
        is_plain = value.isascii() and value.isprintable() and not any(c in value for c in ' <>",')
        if value and not (is_plain and value.lower().startswith(("mailto:", "https://"))):
            raise ValueError("is not a mailto or https address")
        return value

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if not (self.imap_host or self.lmtp_host):
            raise ValueError("{imap_host} or {lmtp_host} has to say where mail comes from")
        if self.after_processing is AfterProcessing.MOVE and not self.move_to:
            raise ValueError("{after_processing} set to move needs a folder in {move_to}")
        if self.move_to and self.move_to in self.folders:
            raise ValueError("{move_to} must not be one of the folders that are read")
        if self.sent_folder and not self.imap_host:
            raise ValueError("{sent_folder} needs {imap_host}")
        if self.sent_folder in self.folders:
            raise ValueError("{sent_folder} must not be one of the folders that are read")
        for name in ("imap", "smtp"):
            host = getattr(self, f"{name}_host")
            if host and getattr(self, f"{name}_security") is Security.NONE and not _is_local(host):
                raise ValueError(_NOT_HERE[name])
        if self.lmtp_host and not _is_local(self.lmtp_host) and not _is_private(self.lmtp_host):
            raise ValueError(
                "{lmtp_host} has to be an address of this machine or a private network"
            )
        if self.oauth_provider is not OAuthProvider.NONE and not (
            self.oauth_client_id and self.oauth_refresh_token.get_secret_value()
        ):
            raise ValueError("{oauth_provider} needs {oauth_client_id} and {oauth_refresh_token}")
        if self.oauth_provider is OAuthProvider.CUSTOM and not self.oauth_token_url:
            raise ValueError("{oauth_provider} set to custom needs {oauth_token_url}")
        if any((self.dkim_domain, self.dkim_selector)) and not (
            self.dkim_domain and self.dkim_selector and self.dkim_private_key.get_secret_value()
        ):
            raise ValueError("DKIM needs {dkim_domain}, {dkim_selector} and {dkim_private_key}")
        return self

    @property
    def domain(self) -> str:
        """The part of the address after the last @."""
        return self.address.rpartition("@")[2]

    @property
    def own_addresses(self) -> frozenset[str]:
        """The address and its aliases, in lower case."""
        return frozenset((self.address, *self.aliases))


def _is_printable_word(word: str) -> bool:
    return word.isascii() and word.isprintable() and not any(c in word for c in ' <>"(),:;[]\\')


def _is_local(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _is_private(host: str) -> bool:
    try:
        return ip_address(host).is_private
    except ValueError:
        return False
