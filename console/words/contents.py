"""What is called that a message holds and the console has no form for."""

from __future__ import annotations

from collections.abc import Mapping

from console.words.states import Translate

CONTENT: Mapping[str, str] = {
    "checklist": "checklist",
    "contact": "contact",
    "deleted file": "deleted file",
    "dice": "dice",
    "encrypted mail": "encrypted mail: only its recipient's key opens it",
    "file": "file",
    "file beyond the workspace's limit": "file beyond the workspace's limit",
    "forwarded": "forwarded",
    "game": "game",
    "giveaway": "giveaway",
    "invoice": "invoice",
    "location": "location",
    "paid media": "paid media",
    "poll": "poll",
    "sticker": "sticker",
    "story": "story",
    "the rest of a long text": "the rest of a long text",
    "venue": "venue",
}
"""By the kinds that channels name in `Body.unsupported`."""

_CUSTOM_EMOJI_MARK = "custom:"  # with the platform's number of it
_FORWARDED_FROM_MARK = "forwarded from "


def content_in_words(kind: str, t: Translate) -> str:
    """Return what an agent reads of a kind of content; what nobody has words for as it is."""
    if kind.startswith(_FORWARDED_FROM_MARK):
        return t("forwarded from {name}", name=kind.removeprefix(_FORWARDED_FROM_MARK))
    return t(CONTENT[kind]) if kind in CONTENT else kind


def reaction_in_words(reaction: str, t: Translate) -> str:
    """Return what an agent sees of a reaction; a picture of the platform's own has no other."""
    return t("custom emoji") if reaction.startswith(_CUSTOM_EMOJI_MARK) else reaction
