"""What an admin can set, and where it comes from: the environment, or a file `.env` beside it."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from functools import cached_property
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr
from pydantic_settings import (
    BaseSettings,
    DotEnvSettingsSource,
    EnvSettingsSource,
    SettingsConfigDict,
)

from core.domain.languages import LANGUAGES
from core.domain.networks import own_hosts


def _spoken(language: str) -> str:
    if language not in LANGUAGES:
        raise ValueError(f"is one of {', '.join(LANGUAGES)}")
    return language


def _own_hosts(words: str) -> str:
    own_hosts(words)
    return words


def _proxy(address: SecretStr) -> SecretStr:
    parts = urlsplit(address.get_secret_value())
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.port == 0:
        raise ValueError("is the address of a proxy, http://host:port or https://host:port")
    return address


class Settings(BaseSettings):
    """The desk's settings. Every field is documented in `docs/settings.md`."""

    model_config = SettingsConfigDict(
        env_prefix="DESK_",
        env_nested_delimiter="__",
        env_file=".env",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        validate_by_name=True,
    )

    home: Path = Path(".desk")
    """Folder for everything the desk keeps: database, files, models, secrets, logs."""

    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=1, le=65535)

    public_url: str | None = None
    """Address people reach the desk at, for links; default http://HOST:PORT."""

    forwarded_allow_ips: str = "127.0.0.1"
    """Proxies whose word is taken for a client's address: addresses or networks, with commas."""

    database_url: SecretStr | None = Field(default=None, validation_alias="DATABASE_URL")
    """A PostgreSQL server with pgvector; without it the desk runs its own."""

    database_pool_size: int = Field(default=10, ge=2, le=200)

    secret_key: SecretStr | None = None
    """Signs chat tokens and links; without it a key is made once and kept in HOME."""

    bot_token: SecretStr | None = None
    """What the desk and the assistant show each other; derived from the secret key by default."""

    bot_url: str = "http://127.0.0.1:5005"
    embedder_url: str | None = None
    """An OpenAI-compatible embeddings service; `desk run` starts one of its own."""

    embedder_model: str = "multilingual-e5-small-q4"

    embedder_second_model: str | None = None
    """A model of the same service that ranks what is found in English; `desk run` has one."""

    language_model_url: str | None = None
    """An OpenAI-compatible chat service that puts answers into words; none by default."""

    language_model: str | None = None
    """The name of the model asked for there."""

    language_model_key: SecretStr | None = None

    language_model_seconds: float = Field(default=8.0, gt=0, le=60)
    """After this the article is shown as it is written."""

    blob_url: str | None = None
    """`s3://bucket/prefix` for files; default a folder in HOME."""

    default_language: Annotated[str, AfterValidator(_spoken)] = "en"

    assistant_deadline_seconds: float = Field(default=20.0, gt=0)
    """A requester waits no longer than this for the assistant before a human is called."""

    assistant_start_seconds: float = Field(default=300.0, ge=0)
    """How long a starting assistant is waited for."""

    wrong_answers_per_hundred: float = Field(default=10.0, gt=0, lt=100)
    """How many of a hundred answers given may be wrong; sets the assistant's thresholds."""

    reopen_window_hours: float = Field(default=72.0, ge=0)
    """A closed conversation goes on when the requester writes within this time."""

    solved_grace_hours: float = Field(default=96.0, gt=0)
    """A solved ticket is closed after this time; a number of business days comes before it."""

    take_back_seconds: int = Field(default=10, ge=0, le=30)
    """How long agents can take a reply back that they sent; each may choose otherwise."""

    turn_log_days: int = Field(default=365, ge=7)
    """How long is kept what the assistant understood and did, turn by turn."""

    turn_cap: int = Field(default=40, ge=1)
    """Turns of the assistant in one episode before a human is called."""

    max_file_bytes: int = Field(default=50_000_000, ge=1)
    """Largest file that is taken in, from requesters and from agents."""

    webchat_files: bool = True
    """Whether visitors of the web chat can send files."""

    refused_files: str = (
        "exe,com,scr,pif,dll,cpl,msi,msp,sys,bat,cmd,ps1,psm1,vbs,vbe,js,jse,wsf,wsh,hta,lnk,reg,"
        "jar,class,apk,elf,macho,app,dmg,pkg,sh,bash,desktop,url,chm,iso,img,vhd"
    )
    """Endings of files that are refused, with commas; programs count by their content too."""

    clamd: str | None = None
    """A ClamAV daemon that looks at every file: `host:port`, or the path of its socket."""

    hook_reports_per_minute: int = Field(default=60, ge=1, le=100_000)
    """How many reports each incoming webhook takes a minute."""

    webhook_own_hosts: Annotated[str, AfterValidator(_own_hosts)] | None = None
    """Hosts and networks that webhooks may call though they are internal, with commas."""

    webhook_proxy: Annotated[SecretStr, AfterValidator(_proxy)] | None = None
    """A proxy that webhooks go through: `http://[user:password@]host:port`, or `https://`."""

    notify_smtp_url: SecretStr | None = None
    """SMTP server for notices to agents: `smtp://[user:password@]host[:port]`, or `smtps://`."""

    notify_from: str = "Ventanilla <desk@localhost>"
    """Whom notices to agents come from."""

    worker_concurrency: int = Field(default=8, ge=1, le=200)

    worker_database_pool_size: int = Field(default=4, ge=2, le=200)
    """Connections of the worker: as many of its transactions hold locks at a time."""

    log_level: str = Field(default="INFO", pattern="(?i)^(debug|info|warning|error)$")

    @property
    def base_url(self) -> str:
        """Return the address people reach the desk at, without a slash at the end."""
        return (self.public_url or f"http://{self.host}:{self.port}").rstrip("/")

    @cached_property
    def key(self) -> bytes:
        """Return the secret key; made once and kept in HOME where none is set."""
        if self.secret_key is not None:
            return self.secret_key.get_secret_value().encode()
        path = self.home / "secret-key"
        if not path.exists():
            self.home.mkdir(parents=True, exist_ok=True)
            fresh = self.home / f".secret-key.{secrets.token_hex(4)}"
            fresh.touch(mode=0o600)
            fresh.write_text(secrets.token_hex(32))
            try:
                path.hardlink_to(fresh)  # unlike a rename, fails where another process was first
            except FileExistsError:
                pass
            finally:
                fresh.unlink()
        return path.read_text().strip().encode()

    @cached_property
    def shared_bot_token(self) -> str:
        """Return the token that the desk and the assistant show each other."""
        if self.bot_token is not None:
            return self.bot_token.get_secret_value()
        return hmac.new(self.key, b"assistant token", hashlib.sha256).hexdigest()

    @cached_property
    def refused_endings(self) -> frozenset[str]:
        """Return the endings of files that are refused, without dots."""
        endings = (ending.strip().lower().lstrip(".") for ending in self.refused_files.split(","))
        return frozenset(ending for ending in endings if ending)

    @cached_property
    def blob_location(self) -> str:
        """Return the address of the blob store."""
        return self.blob_url or (self.home / "blobs").resolve().as_uri()


def environment() -> dict[str, str]:
    """Return the variables of `.env` and, before them, of the environment; names in capitals."""
    found: dict[str, str] = {}
    for source in (DotEnvSettingsSource(Settings), EnvSettingsSource(Settings)):
        found.update((name.upper(), value) for name, value in source.env_vars.items() if value)
    return found
