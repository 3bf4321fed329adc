"""Puts people's names where messages mention them by their ids, which say nothing to anybody."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace

from channels.slack import mrkdwn
from core.domain.content import MAX_TEXT_CHARS, Body

NamesOf = Callable[[Sequence[str]], Awaitable[Mapping[str, str]]]
"""Tells soon what people are called, as far as somebody says."""

_CODE = re.compile(
    r"^(?P<fence>`{3,})\n.*?\n(?P=fence)$"
    r"|(?<![`\\])(?P<tick>`+)(?!`)(?:(?!\n\n).)+?(?<!`)(?P=tick)(?!`)",
    re.DOTALL | re.MULTILINE,
)
_MENTION = re.compile(r"(?<![\w/])@(?P<who>[UW][A-Z0-9]{5,20})(?!\w)")
_EITHER = re.compile(f"{_CODE.pattern}|{_MENTION.pattern}", _CODE.flags)
_MARKED = re.compile(r"<@(?P<who>[UW][A-Z0-9]{5,20})(?:\|[^<>]*)?>")
_MOST_PEOPLE = 20  # of one message; whoever else is mentioned keeps their id


def mentioned_in(payload: object) -> Iterator[str]:
    """Yield the ids of people that Slack itself marks in a payload, however deep.

    A word that only looks like an id, as anybody can type it, is not among them.
    """
    match payload:
        case str():
            yield from (match["who"] for match in _MARKED.finditer(payload))
        case {"type": "user", "user_id": str(who)}:
            yield who
        case Mapping():
            for value in payload.values():
                yield from mentioned_in(value)
        case list() | tuple():
            for value in payload:
                yield from mentioned_in(value)


async def with_names(body: Body, people: Collection[str], names_of: NamesOf) -> Body:
    """Return `body` with the names of those of `people` whom its text and what it quotes mention.

    Code stays. All of them are asked for at once.
    """
    texts = (body.text, body.quoted or "")
    mentioned = dict.fromkeys(
        match["who"] for text in texts for match in _EITHER.finditer(text) if match["who"] in people
    )
    if not mentioned:
        return body
    names = await names_of(list(mentioned)[:_MOST_PEOPLE])
    text, quoted = (_named(text, names) for text in texts)
    return replace(body, text=text[:MAX_TEXT_CHARS], quoted=quoted or None)


def _named(text: str, names: Mapping[str, str]) -> str:
    def shown(match: re.Match[str]) -> str:
        name = names.get(match["who"] or "")
        return match[0] if name is None else mrkdwn.mention(mrkdwn.literal(" ".join(name.split())))

    return _EITHER.sub(shown, text)
