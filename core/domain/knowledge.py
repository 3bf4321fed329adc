"""Articles, and what a search over them concludes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from core.domain.ids import ArticleId, OrganisationId, SynonymsId


class Audience(StrEnum):
    """Who may read an article."""

    PUBLIC = "public"
    INTERNAL = "internal"  # agents only


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """One piece of knowledge, in one language."""

    id: ArticleId
    language: str
    title: str
    body: str  # Markdown
    questions: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    audience: Audience = Audience.PUBLIC
    translation_of: ArticleId | None = None
    valid_from: date | None = None
    valid_until: date | None = None
    organisations: tuple[OrganisationId, ...] = ()  # whose requesters may read it; none: all


@dataclass(frozen=True, slots=True, kw_only=True)
class Synonyms:
    """Words that mean the same, in one organisation or everywhere."""

    id: SynonymsId
    terms: tuple[str, ...]
    organisation: OrganisationId | None = None


class Outcome(StrEnum):
    """What a search is good for."""

    ANSWER = "answer"
    OFFER = "offer"
    HAND_OFF = "hand_off"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """One article found. `score` is the probability, 0 to 1, that it answers the question."""

    article: ArticleId
    title: str
    score: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a search found, best first, and what to do with it."""

    outcome: Outcome
    hits: tuple[Hit, ...]
