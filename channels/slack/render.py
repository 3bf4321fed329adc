"""A message of ours as what Slack is told: blocks, their plain text, buttons. Pure.

Text goes into `rich_text` blocks, whose words Slack takes literally: whatever a customer, an
agent or the assistant wrote, nothing in it can mention a channel, a group or everybody.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from channels.slack import ids, markdown, mrkdwn
from channels.slack.interactions import CHOICE_ACTION
from channels.slack.markdown import Kind, Piece, Run
from channels.slack.split import split
from core.domain.channel import Outbound
from core.domain.content import Choice
from core.domain.conversation import Speaker

METADATA_TYPE = "ventanilla_message"

_MAX_BUTTONS = 25  # in an actions block
_MAX_LABEL_CHARS = 75
_MAX_HEADING_CHARS = 150
_MAX_BLOCKS = 50
_MAX_FALLBACK_CHARS = 35_000
_MAX_NAME_CHARS = 80

Block = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """One message on Slack: arguments of `chat.postMessage` and `chat.update`."""

    text: str
    blocks: tuple[Block, ...]
    metadata: Mapping[str, Any]

    def arguments(self) -> dict[str, Any]:
        """Return the arguments that both methods take."""
        return {
            "text": self.text,
            "blocks": list(self.blocks),
            "metadata": dict(self.metadata),
            "parse": "none",
        }


def render(message: Outbound) -> tuple[Post, ...]:
    """Return the posts that say `message`, in order; none where it is only files."""
    body = message.body
    notes = [f"[{kind}]" for kind in body.unsupported]
    text = "\n\n".join(part for part in (body.text, *notes) if part.strip())
    if not text.strip() and not message.choices:
        return ()
    groups = [group for group in split(markdown.read(text)) if group]
    blocks = [_blocks(group) for group in groups] or [[]]
    plain = [_plain(group) for group in groups] or [""]
    actions = _actions(message.choices)
    if len(blocks[-1]) + len(actions) > _MAX_BLOCKS:
        blocks.append([])
        plain.append("")
    blocks[-1].extend(actions)
    if message.choices:
        options = "\n".join(f"• {mrkdwn.escape(choice.label)}" for choice in message.choices)
        plain[-1] = f"{plain[-1]}\n{options}".strip()
    return tuple(
        Post(
            text=words[:_MAX_FALLBACK_CHARS] or "…",
            blocks=tuple(group),
            metadata={
                "event_type": METADATA_TYPE,
                "event_payload": {
                    "message": str(message.message),
                    "part": number,
                    "parts": len(blocks),
                },
            },
        )
        for number, (words, group) in enumerate(zip(plain, blocks, strict=True), 1)
    )


def address(message: Outbound) -> dict[str, Any]:
    """Return where `message` goes, as arguments of `chat.postMessage`."""
    place = ids.place_of(message.thread)
    where: dict[str, Any] = {
        "channel": place.channel,
        "unfurl_links": False,
        "unfurl_media": False,
        "link_names": False,
    }
    if place.thread_ts is not None:
        where["thread_ts"] = place.thread_ts
    return where


def speaker(message: Outbound) -> dict[str, Any]:
    """Return under whose name `message` goes, as arguments of `chat.postMessage`."""
    if message.speaker is not Speaker.AGENT or not message.speaker_name:
        return {}
    shown: dict[str, Any] = {"username": message.speaker_name[:_MAX_NAME_CHARS]}
    if message.speaker_picture and message.speaker_picture.startswith("https://"):
        shown["icon_url"] = message.speaker_picture
    return shown


def _blocks(pieces: Sequence[Piece]) -> list[Block]:
    blocks: list[Block] = []
    elements: list[Block] = []

    def close() -> None:
        if elements:
            blocks.append({"type": "rich_text", "elements": list(elements)})
            elements.clear()

    # A message may have fewer blocks than pieces: what one rich text can hold stays in one.
    for kind, group in groupby(pieces, key=lambda piece: piece.kind):
        same = list(group)
        if kind is Kind.RULE:
            if len(blocks) < _MAX_BLOCKS // 2:
                close()
                blocks.append({"type": "divider"})
        elif kind is Kind.HEADING and len(blocks) < _MAX_BLOCKS // 2 and _fit_headings(same):
            close()
            blocks.extend(_heading(piece) for piece in same)
        elif kind is Kind.ITEM:
            elements.extend(_lists(same))
        elif kind is Kind.CODE:
            elements.extend(_element("rich_text_preformatted", piece) for piece in same)
        elif kind is Kind.QUOTATION:
            elements.extend(_element("rich_text_quote", piece) for piece in same)
        else:
            elements.extend(_sections(same, kind))
    close()
    return blocks


def _fit_headings(pieces: Sequence[Piece]) -> bool:
    return len(pieces) <= 5 and all(
        len(piece.text) <= _MAX_HEADING_CHARS and not any(run.address for run in piece.runs)
        for piece in pieces
    )


def _heading(piece: Piece) -> Block:
    text = piece.text.replace("\n", " ")
    return {"type": "header", "text": {"type": "plain_text", "text": text, "emoji": False}}


def _sections(pieces: Sequence[Piece], kind: Kind) -> list[Block]:
    """Return paragraphs, with an empty line between two as elsewhere."""
    sections: list[Block] = []
    for number, piece in enumerate(pieces):
        runs = [_run(run, bold=kind is not Kind.PARAGRAPH) for run in piece.runs]
        if number < len(pieces) - 1:
            runs.append({"type": "text", "text": "\n\n"})
        sections.append({"type": "rich_text_section", "elements": runs})
    return sections


def _lists(items: Sequence[Piece]) -> list[Block]:
    lists: list[Block] = []
    for (depth, is_ordered), group in groupby(
        items, key=lambda piece: (min(piece.depth, 8), piece.number is not None)
    ):
        members = list(group)
        block: dict[str, Any] = {
            "type": "rich_text_list",
            "style": "ordered" if is_ordered else "bullet",
            "indent": depth,
            "elements": [_element("rich_text_section", piece) for piece in members],
        }
        first = members[0].number
        if first is not None and first > 1:
            block["offset"] = first - 1
        lists.append(block)
    return lists


def _element(kind: str, piece: Piece) -> Block:
    return {"type": kind, "elements": [_run(run) for run in piece.runs]}


def _run(run: Run, *, bold: bool = False) -> Block:
    style = {
        name: True
        for name, is_set in (
            ("bold", run.bold or bold),
            ("italic", run.italic),
            ("strike", run.strike),
            ("code", run.code),
        )
        if is_set
    }
    block: dict[str, Any] = {"type": "text", "text": run.text}
    if run.address is not None:
        block = {"type": "link", "url": run.address, "text": run.text}
    if style:
        block["style"] = style
    return block


def _actions(choices: Sequence[Choice]) -> list[Block]:
    return [
        {
            "type": "actions",
            "block_id": f"choices:{start}",
            "elements": [
                {
                    "type": "button",
                    "action_id": f"{CHOICE_ACTION}:{number}",
                    "value": str(choice.id),
                    "text": {"type": "plain_text", "text": _label(choice.label), "emoji": False},
                }
                for number, choice in enumerate(choices[start : start + _MAX_BUTTONS], start)
            ],
        }
        for start in range(0, len(choices), _MAX_BUTTONS)
    ]


def _label(label: str) -> str:
    return label if len(label) <= _MAX_LABEL_CHARS else label[: _MAX_LABEL_CHARS - 1] + "…"


def _plain(pieces: Sequence[Piece]) -> str:
    """Return what notifications and screen readers get: the same words, with their links."""
    lines = []
    before: Kind | None = None
    for piece in pieces:
        if piece.kind is Kind.RULE:
            continue
        words = mrkdwn.escape("".join(_plain_run(run) for run in piece.runs))
        if piece.kind is Kind.ITEM:
            mark = "•" if piece.number is None else f"{piece.number}."
            words = f"{'  ' * piece.depth}{mark} {words}"
        elif piece.kind is Kind.QUOTATION:
            words = "\n".join(f"> {line}" for line in words.split("\n"))
        joined = piece.kind is Kind.ITEM and before is Kind.ITEM
        lines.append(words if joined or before is None else f"\n{words}")
        before = piece.kind
    return "\n".join(lines)


def _plain_run(run: Run) -> str:
    if run.address is None or run.address.removeprefix("mailto:") == run.text:
        return run.text
    return run.address if run.text == run.address else f"{run.text} ({run.address})"
