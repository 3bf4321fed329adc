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

_MENTION = re.compile(r"(?<![\w/])@([UW][A-Z0-9]{5,20})(?!\w)")
_MOST_PEOPLE = 20  # of one message; whoever else is mentioned keeps their id


async def with_names(body: Body, name_of: NameOf) -> Body:
    """Return `body` with the names of whom its text and what it quotes mention."""
    texts = (body.text, body.quoted or "")
    people = list(dict.fromkeys(who for text in texts for who in _MENTION.findall(text)))
    if not people:
        return body
    asked = people[:_MOST_PEOPLE]
    found = await asyncio.gather(*map(name_of, asked))
    names = {who: name for who, name in zip(asked, found, strict=True) if name}
    text, quoted = (_named(text, names) for text in texts)
    return replace(body, text=text[:MAX_TEXT_CHARS], quoted=quoted or None)


def _named(text: str, names: dict[str, str]) -> str:
    def shown(match: re.Match[str]) -> str:
        name = names.get(match[1])
        return match[0] if name is None else mrkdwn.mention(mrkdwn.literal(" ".join(name.split())))

    return _MENTION.sub(shown, text)
