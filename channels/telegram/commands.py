"""The bot's commands: what each means to the assistant, and what the menu says of it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from channels.telegram.texts import text
from core.domain.content import Intent
from core.domain.languages import LANGUAGES

_INTENTS: Mapping[str, str] = MappingProxyType(
    {
        "start": "greet",
        "help": "ask_capabilities",
        "human": "ask_human",
        "status": "ticket_status",
        "language": "switch_language",
    }
)
_FOR_DESK = frozenset({"link"})  # which reads their words itself
_MENU = ("help", "human", "status", "link", "language")


def intent_of(command: str) -> Intent | None:
    """Return what `command`, without its slash, means; None where it is none of ours."""
    name = _INTENTS.get(command.lower())
    return None if name is None else Intent(name=name)


def is_ours(command: str) -> bool:
    """Say whether `command`, without its slash, is one that the bot takes."""
    return command.lower() in _INTENTS or command.lower() in _FOR_DESK


def topic_of(command: str, argument: str) -> str | None:
    """Return what the link carried that somebody began with: `t.me/your_bot?start=printer-3`."""
    return argument or None if command.lower() == "start" else None


def words_of(command: str, argument: str) -> str:
    """Return a command as a person would read it: `/language es` names the language."""
    if command.lower() == "language":
        argument = LANGUAGES.get(argument.lower(), argument)
    return f"/{command} {argument}".rstrip()


def menu(language: str) -> list[dict[str, str]]:
    """Return the menu in `language`, as `setMyCommands` takes it."""
    descriptions = {
        "help": text(language, "What I can do for you"),
        "human": text(language, "Talk to a person"),
        "status": text(language, "How your tickets stand"),
        "link": text(language, "Link your e-mail: /link ada@example.org"),
        "language": text(language, "Change the language: /language es"),
    }
    return [{"command": name, "description": descriptions[name]} for name in _MENU]
