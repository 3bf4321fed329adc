"""Cuts a text's pieces so that each fits a block and each group of them a message."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from channels.slack.markdown import Kind, Piece, Run

MAX_PIECE_CHARS = 3_000
MAX_MESSAGE_CHARS = 9_000
MAX_MESSAGE_PIECES = 100
"""Slack takes 50 blocks a message, 3,000 characters a text object and some 13,000 characters in
all, of which it counts the markup too: https://docs.slack.dev/reference/block-kit/blocks"""


def split(pieces: Sequence[Piece]) -> list[list[Piece]]:
    """Return `pieces` in groups that fit one message each; at least one group."""
    groups: list[list[Piece]] = [[]]
    size = 0
    for piece in pieces:
        for part in _cut(piece):
            length = sum(map(_size, part.runs))
            is_full = size + length > MAX_MESSAGE_CHARS or len(groups[-1]) >= MAX_MESSAGE_PIECES
            if groups[-1] and is_full:
                groups.append([])
                size = 0
            groups[-1].append(part)
            size += length
    return groups


def _cut(piece: Piece) -> Iterator[Piece]:
    """Yield `piece` in parts of `MAX_PIECE_CHARS` at most."""
    if sum(map(_size, piece.runs)) <= MAX_PIECE_CHARS:
        yield piece
        return
    room, taken = MAX_PIECE_CHARS, list[Run]()
    for run in piece.runs:
        for part in _cut_run(run, room, code_block=piece.kind is Kind.CODE):
            if _size(part) > room and taken:
                yield replace(piece, runs=tuple(taken))
                piece = _continued(piece)
                room, taken = MAX_PIECE_CHARS, []
            taken.append(part)
            room -= _size(part)
    if taken:
        yield replace(piece, runs=tuple(taken))


def _size(run: Run) -> int:
    """Return what a run takes of a message's room: Slack counts where links lead, too."""
    return len(run.text) + len(run.address or "")


def _continued(piece: Piece) -> Piece:
    """Return what the rest of a piece is: an item goes on without its number."""
    if piece.kind in {Kind.ITEM, Kind.HEADING}:
        return replace(piece, kind=Kind.PARAGRAPH, number=None, depth=0)
    return piece


def _cut_run(run: Run, room: int, *, code_block: bool) -> Iterator[Run]:
    """Yield `run` in parts; the first fits `room` where it can be cut to fit.

    Links and code spans stay whole where they fit a piece of their own.
    """
    is_whole = run.address is not None or run.code
    if is_whole and len(run.text) <= MAX_PIECE_CHARS:
        yield run
        return
    text = run.text
    while len(text) > room:
        at = _last_break(text, room, lines_only=code_block)
        if at == 0 and room < MAX_PIECE_CHARS:
            room = MAX_PIECE_CHARS  # nothing to cut here: it begins the next piece
            continue
        at = at or _safe_cut(text, room)
        part, text = text[:at], text[at:]
        # Each part of a code block is a block of its own, which ends its last line.
        yield replace(run, text=part.removesuffix("\n") if code_block else part)
        room = MAX_PIECE_CHARS
    if text:
        yield replace(run, text=text)


def _last_break(text: str, room: int, *, lines_only: bool) -> int:
    """Return where to cut so that at most `room` characters come before; 0 for nowhere."""
    at = text.rfind("\n", 0, room) + 1
    if at or lines_only:
        return at
    return text.rfind(" ", 0, room) + 1


def _safe_cut(text: str, room: int) -> int:
    """Return a cut inside a word that leaves joined characters, such as emoji, together."""
    at = room
    while at > 1 and (text[at] in "\u200d\ufe0f\u20e3" or text[at - 1] == "\u200d"):
        at -= 1
    return at
