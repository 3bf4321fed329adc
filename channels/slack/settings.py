"""What an admin sets for a Slack account."""

from __future__ import annotations

import re
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, model_validator


def _token(prefix: str, value: SecretStr) -> SecretStr:
    if not value.get_secret_value().startswith(prefix):
        raise ValueError(f"must begin with {prefix}")
    return value


def _bot_token(value: SecretStr) -> SecretStr:
    return _token("xoxb-", value)


def _app_token(value: SecretStr) -> SecretStr:
    return value if not value.get_secret_value() else _token("xapp-", value)


def _api_url(value: str) -> str:
    if not re.fullmatch(r"https?://[^\s?#]+", value):
        raise ValueError("must be an http or https address")
    return value.rstrip("/") + "/"


class SlackSettings(BaseModel):
    """One workspace. With an app token messages come over a socket, else to the desk's address."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    bot_token: Annotated[SecretStr, AfterValidator(_bot_token)] = Field(
        description="Bot User OAuth Token: xoxb-…"
    )
    app_token: Annotated[SecretStr, AfterValidator(_app_token)] = Field(
        default=SecretStr(""),
        description="App-level token with connections:write, for Socket Mode: xapp-…",
    )
    signing_secret: SecretStr = Field(
        default=SecretStr(""), description="Signing Secret, where Slack sends to the desk's address"
    )
    api_url: Annotated[str, AfterValidator(_api_url)] = Field(
        default="https://slack.com/api/", description="Where Slack's Web API is"
    )
    max_file_bytes: int = Field(
        default=100 * 1024 * 1024,
        ge=1,
        le=1024 * 1024 * 1024,
        description="Largest file that is sent, in bytes",
    )

    @model_validator(mode="after")
    def _has_a_way_in(self) -> Self:
        if not self.uses_socket and not self.signing_secret.get_secret_value():
            raise ValueError("{app_token} (Socket Mode) or {signing_secret} (Events API) is needed")
        return self

    @property
    def uses_socket(self) -> bool:
        """Whether messages come over a socket that the desk opens."""
        return bool(self.app_token.get_secret_value())
