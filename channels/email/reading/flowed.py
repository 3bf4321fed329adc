"""Joins the soft line breaks of format=flowed text (RFC 3676)."""

from __future__ import annotations


def unflowed(text: str, *, delete_space: bool) -> str:
    """Return `text` with each flowed paragraph on one line; quote marks become "> " each."""
    lines: list[str] = []
    open_depth: int | None = None  # of the paragraph that the next line may continue
    for line in text.split("\n"):
        depth = len(line) - len(line.lstrip(">"))
        content = line[depth:]
        if content.startswith(" "):  # stuffed
            content = content[1:]
        is_signature = content.rstrip() == "--" and content in {"-- ", "--"}
        is_flowed = content.endswith(" ") and not is_signature
        kept = content[:-1] if is_flowed and delete_space else content
        if open_depth == depth and not is_signature:
            lines[-1] += kept
        else:
            lines.append(">" * depth + " " * bool(depth and kept) + kept)
        open_depth = depth if is_flowed else None
    return "\n".join(lines)
