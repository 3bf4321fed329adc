"""Ids for articles that come without one, made from their titles."""

from __future__ import annotations

import re
import secrets
import unicodedata

from core.domain.errors import NotFound
from core.domain.ids import ArticleId
from core.services.knowledge import Knowledge

_MAX_CHARS = 60


def slug(title: str) -> str:
    """Return `title` as lower-case ASCII words joined by hyphens; "article" where none is left."""
    folded = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    words = re.sub(r"[^a-z0-9]+", "-", folded).strip("-")
    return words[:_MAX_CHARS].strip("-") or "article"


async def free_id(knowledge: Knowledge, title: str) -> ArticleId:
    """Return an id for a new article called `title` that no article has."""
    wanted = ArticleId(slug(title))
    try:
        await knowledge.get(wanted)
    except NotFound:
        return wanted
    return ArticleId(f"{wanted}-{secrets.token_hex(3)}")
