"""What an admin can set for a Telegram account."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

_SECRET = re.compile(r"[A-Za-z0-9_-]{1,256}", re.ASCII)
_TOKEN = re.compile(r"[0-9]{1,20}:[A-Za-z0-9_-]{1,256}", re.ASCII)


class Mode(StrEnum):
    """How messages come in."""

    POLLING = "polling"
    WEBHOOK = "webhook"


class GroupMessages(StrEnum):
    """Which messages in groups concern the desk."""

    MENTIONS = "mentions"  # those that mention the bot, answer it, or are one of its commands
    ALL = "all"


class TelegramSettings(BaseModel):
    """One bot."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    token: SecretStr = Field(description="The bot's token, from @BotFather")
    mode: Mode = Field(
        Mode.POLLING,
        description="polling: the desk asks for news; webhook: Telegram calls the desk's address",
    )
    webhook_secret: SecretStr | None = Field(
        None, description="Secret that Telegram sends with each call; made by the desk if not set"
    )
    api_url: str = Field(
        "https://api.telegram.org",
        pattern=r"^https?://[^\s/?#]+(/[^\s?#]*)?$",
        description="The Bot API server, where it is not Telegram's own",
    )
    group_messages: GroupMessages = Field(
        GroupMessages.MENTIONS,
        description="mentions: in groups, only what mentions or answers the bot; all: everything",
    )
    max_file_bytes: Annotated[int, Field(ge=1, le=2_000_000_000)] = Field(
        20_000_000,
        description="Largest file that is fetched; Telegram's own server gives 20 MB at most",
    )

    @field_validator("token")
    @classmethod
    def _is_a_token(cls, value: SecretStr) -> SecretStr:
        if not _TOKEN.fullmatch(value.get_secret_value()):
            raise ValueError("a bot's token looks like 123456:ABC-DEF, as @BotFather shows it")
        return value

    @field_validator("webhook_secret")
    @classmethod
    def _is_a_secret(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not _SECRET.fullmatch(value.get_secret_value()):
            raise ValueError("1 to 256 characters: letters, digits, _ and -")
        return value

    @property
    def bot(self) -> int:
        """Return the bot's user id, which is the first part of its token."""
        return int(self.token.get_secret_value().partition(":")[0])
