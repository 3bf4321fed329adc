"""The JSON of articles, synonyms and what a search finds."""

from __future__ import annotations

from datetime import date
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from console.api.shapes import (
    Body,
    Text,
)
from core.domain.ids import ArticleId, OrganisationId, SynonymsId
from core.domain.knowledge import Article, Audience, Outcome, Synonyms
from core.services.revisions import content_version
from core.storage.queries.knowledge.helpfulness import Helpfulness


class ArticleBody(Body):
    """An article as an admin writes it."""

    model_config = ConfigDict(extra="forbid", strict=False)

    title: Text
    body: Text
    language: Text = "en"
    questions: list[Text] = Field(default_factory=list)
    tags: list[Text] = Field(default_factory=list)
    audience: Audience = Audience.PUBLIC
    translation_of: Text | None = None
    valid_from: date | None = None
    valid_until: date | None = None
    organisations: list[UUID] | None = None  # none in the list: for all; null: as it was

    def article(self, article_id: str) -> Article:
        """Return the article under its id."""
        return Article(
            id=ArticleId(article_id),
            language=self.language,
            title=self.title,
            body=self.body,
            questions=tuple(self.questions),
            tags=tuple(self.tags),
            audience=self.audience,
            translation_of=None if self.translation_of is None else ArticleId(self.translation_of),
            valid_from=self.valid_from,
            valid_until=self.valid_until,
            organisations=tuple(OrganisationId(one) for one in self.organisations or ()),
        )


class NewArticle(ArticleBody):
    """A new article; without an id, one is made from the title."""

    id: Text | None = None


class ArticleOut(BaseModel):
    """An article."""

    id: str
    language: str
    title: str
    body: str
    questions: list[str]
    tags: list[str]
    audience: Audience
    translation_of: str | None
    valid_from: date | None
    valid_until: date | None
    organisations: list[UUID]  # whose requesters may read it; none: all
    helped: int  # how often requesters said under it that it did
    not_helped: int

    @classmethod
    def of(cls, article: Article, said: Helpfulness | None = None) -> ArticleOut:
        """Return what the API tells of `article`, and of what was `said` under it, if anything."""
        return cls(
            id=article.id,
            language=article.language,
            title=article.title,
            body=article.body,
            questions=list(article.questions),
            tags=list(article.tags),
            audience=article.audience,
            translation_of=article.translation_of,
            valid_from=article.valid_from,
            valid_until=article.valid_until,
            organisations=list(article.organisations),
            helped=0 if said is None else said.helped,
            not_helped=0 if said is None else said.not_helped,
        )


class SynonymsBody(Body):
    """Words that mean the same: in an organisation, or everywhere."""

    terms: Annotated[list[Annotated[Text, Field(max_length=200)]], Field(max_length=100)]
    organisation: Annotated[UUID, Field(strict=False)] | None = None

    def synonyms(self, key: UUID) -> Synonyms:
        """Return them under their id."""
        return Synonyms(
            id=SynonymsId(key),
            terms=tuple(self.terms),
            organisation=None if self.organisation is None else OrganisationId(self.organisation),
        )


class SynonymsOut(BaseModel):
    """Words that mean the same."""

    id: UUID
    terms: list[str]
    organisation: UUID | None
    revision: int  # its entity tag

    @classmethod
    def of(cls, synonyms: Synonyms) -> SynonymsOut:
        """Return what the API tells of `synonyms`."""
        return cls(
            id=synonyms.id,
            terms=list(synonyms.terms),
            organisation=synonyms.organisation,
            revision=content_version(synonyms),
        )


class HitOut(BaseModel):
    """An article that a search found."""

    article_id: str
    title: str
    score: float  # the probability that it answers the question
    outcome: Outcome  # what the whole search is good for; the same in every row
