"""Puts people's names where messages mention them by their ids, which say nothing to anybody."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import replace

from channels.slack import mrkdwn
from core.domain.content import MAX_TEXT_CHARS, Body

NameOf = Callable[[str], Awaitable[str | None]]
"""Tells soon what a person is called; None where nobody says."""

_CODE = re.compile(
    r"^(?P<fence>`{3,})\n.*?\n(?P=fence)$"
    r"|(?<![`\\])(?P<tick>`+)(?!`)(?:(?!\n\n).)+?(?<!`)(?P=tick)(?!`)",
    re.DOTALL | re.MULTILINE,
)
_MENTION = re.compile(r"(?<![\w/])@(?P<who>[UW][A-Z0-9]{5,20})(?!\w)")
_EITHER = re.compile(f"{_CODE.pattern}|{_MENTION.pattern}", _CODE.flags)
_MOST_PEOPLE = 20  # of one message; whoever else is mentioned keeps their id


async def with_names(body: Body, name_of: NameOf) -> Body:
    """Return `body` with the names of whom its text and what it quotes mention; code stays."""
    texts = (body.text, body.quoted or "")
    people = list(
        dict.fromkeys(
            match["who"] for text in texts for match in _EITHER.finditer(text) if match["who"]
        )
    )
    if not people:
        return body
    asked = people[:_MOST_PEOPLE]
    found = await asyncio.gather(*map(name_of, asked))
    names = {who: name for who, name in zip(asked, found, strict=True) if name}
    text, quoted = (_named(text, names) for text in texts)
    return replace(body, text=text[:MAX_TEXT_CHARS], quoted=quoted or None)


def _named(text: str, names: dict[str, str]) -> str:
    def shown(match: re.Match[str]) -> str:
        name = names.get(match["who"])
        return match[0] if name is None else mrkdwn.mention(mrkdwn.literal(" ".join(name.split())))

    return _EITHER.sub(shown, text)
