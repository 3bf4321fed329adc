"""What lets somebody in under an agent's name, and is told to the agent."""

from __future__ import annotations

from enum import StrEnum


class AccessChange(StrEnum):
    """What was changed, as it is kept."""

    PASSWORD = "password"  # a new one was set  # noqa: S105
    LINK = "link"  # a sign-in link was made
    TOKEN = "token"  # an API token was issued  # noqa: S105
    ADDRESS = "address"  # they sign in with another e-mail address; told at the old one
