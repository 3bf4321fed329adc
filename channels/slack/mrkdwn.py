"""Slack's markup in message texts (`mrkdwn`), to and from CommonMark.

https://docs.slack.dev/messaging/formatting-message-text
"""

from __future__ import annotations

import re

_CODE = re.compile(r"```(.+?)```|`([^`\n]+)`", re.DOTALL)
_ANGLE = re.compile(r"<([^<>\n]+)>")
_QUOTE = re.compile(r"^(?:&gt;&gt;&gt;|&gt;) ?", re.MULTILINE)
_BOLD = re.compile(r"(?<![\w*])\*(?=\S)([^*\n]+?)(?<=\S)\*(?![\w*])")
_ITALIC = re.compile(r"(?<![\w_])_(?=\S)([^_\n]+?)(?<=\S)_(?![\w_])")
_STRIKE = re.compile(r"(?<![\w~])~(?=\S)([^~\n]+?)(?<=\S)~(?![\w~])")
_BULLET = re.compile(r"^(\s*)[•◦▪]\s+", re.MULTILINE)
_HELD = re.compile("\ue000(\\d+)\ue001")
_PAIRED = re.compile(r"(?<!\\)((?<=\S)\*|\*(?=\S)|`|~~|(?<!\w)_(?=\w)|(?<=\w)_(?!\w))")
_LINK_START = re.compile(r"\[(?=[^\]\n]*\]\()")
_HEADING = re.compile(r"^(?=#{1,6}\s)", re.MULTILINE)


def unescape(text: str) -> str:
    """Return what `&amp;`, `&lt;` and `&gt;` stand for; Slack escapes nothing else."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def escape(text: str) -> str:
    """Return `text` as Slack takes it literally: no mention, link or mass mention is left in it."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def literal(text: str) -> str:
    """Return plain words as CommonMark that reads the same.

    Only what would have a meaning is escaped: the assistant and the search index read it too.
    """
    marks = _PAIRED.findall(text)
    doubled = {mark for mark in marks if marks.count(mark) > 1}
    if doubled:
        text = _PAIRED.sub(lambda m: f"\\{m[0]}" if m[0] in doubled else m[0], text)
    return _HEADING.sub(r"\\", _LINK_START.sub(r"\\[", text))


def link(address: str, label: str) -> str:
    """Return a link in CommonMark."""
    if not label or label == address:
        return f"<{address}>" if not re.search(r"[\s<>]", address) else address
    label = label.replace("[", "\\[").replace("]", "\\]").replace("\n", " ")
    target = address if not re.search(r"[\s()<>]", address) else f"<{address}>"
    return f"[{label}]({target})"


def mention(name: str) -> str:
    """Return somebody's name as a mention."""
    return f"@{name}"


def code(text: str) -> str:
    """Return a code span that may hold backticks."""
    fence = "`" * (max((len(run) for run in re.findall(r"`+", text)), default=0) + 1)
    pad = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{pad}{text}{pad}{fence}"


def fenced(text: str) -> str:
    """Return a code block that may hold fences."""
    longest = max((len(run) for run in re.findall(r"`{3,}", text)), default=2)
    fence = "`" * max(3, longest + 1)
    return f"{fence}\n{text.strip(chr(10))}\n{fence}"


def to_commonmark(text: str) -> str:
    """Return the CommonMark of a `mrkdwn` text."""
    held: list[str] = []

    def hold(markdown: str) -> str:
        held.append(markdown)
        return f"\ue000{len(held) - 1}\ue001"

    def hold_code(match: re.Match[str]) -> str:
        block, span = match.groups()
        content = unescape(_ANGLE.sub(_plain_angle, block if block is not None else span))
        if block is None:
            return hold(code(content))
        return "\n" + hold(fenced(content)) + "\n"

    text = text.replace("\ue000", "").replace("\ue001", "").replace("\r\n", "\n")
    text = _CODE.sub(hold_code, text)
    text = _ANGLE.sub(lambda match: hold(_angle(match[1])), text)
    text = _QUOTE.sub(lambda _: hold(">") + " ", text)
    text = _BOLD.sub(lambda m: f"{hold('**')}{m[1]}{hold('**')}", text)
    text = _ITALIC.sub(lambda m: f"{hold('*')}{m[1]}{hold('*')}", text)
    text = _STRIKE.sub(lambda m: f"{hold('~~')}{m[1]}{hold('~~')}", text)
    text = _BULLET.sub(lambda m: f"{m[1]}{hold('- ')}", text)
    text = literal(unescape(text))
    return _HELD.sub(lambda match: held[int(match[1])], text).strip("\n")


def plain_mention(kind: str, name: str, label: str) -> str:
    """Return how a mention reads: `kind` is `@`, `#` or `!`, `name` the id or command."""
    if kind == "#":
        return f"#{label or name}"
    if kind == "@":
        return mention((label or name).removeprefix("@"))
    command, _, rest = name.partition("^")
    if command == "subteam":
        return mention(label.removeprefix("@") or rest)
    if command == "date":
        return label
    return mention((label or command).removeprefix("@"))


def _angle(content: str) -> str:
    target, _, label = content.partition("|")
    label = unescape(label)
    if target[:1] in {"@", "#", "!"}:
        return plain_mention(target[0], target[1:], label)
    return link(unescape(target), label)


def _plain_angle(match: re.Match[str]) -> str:
    target, _, label = match[1].partition("|")
    if target[:1] in {"@", "#", "!"}:
        return plain_mention(target[0], target[1:], label)
    return label or target
