"""What the assistant tells of how it understood a message, read from its reply.

Nothing that is done depends on it, so it is read leniently: what does not fit is left out.
"""

from __future__ import annotations

from pydantic import BaseModel, Field

from core.domain.assistant import Feedback, IntentGuess, LookUp, Mention, Understanding
from core.domain.ids import ArticleId
from core.domain.knowledge import Finding, Hit, Outcome

_MOST = 10
_MAX_CHARS = 500


class _Guess(BaseModel):
    name: str
    confidence: float


class _Mention(BaseModel):
    kind: str
    value: str


class _Article(BaseModel):
    article_id: str
    title: str
    score: float


class _LookUp(BaseModel):
    question: str
    outcome: Outcome
    articles: list[_Article] = Field(default_factory=list)


class Understood(BaseModel):
    """The part `understood` of a reply; see `bot/README.md`."""

    guesses: list[_Guess] = Field(default_factory=list)
    mentions: list[_Mention] = Field(default_factory=list)
    look_ups: list[_LookUp] = Field(default_factory=list)
    in_form: bool = False
    feedback: Feedback | None = None


def understanding_of(understood: Understood) -> Understanding:
    """Return what was read, cut to a size that can be kept with every turn."""
    return Understanding(
        guesses=tuple(
            IntentGuess(intent=guess.name[:_MAX_CHARS], confidence=guess.confidence)
            for guess in understood.guesses[:_MOST]
        ),
        mentions=tuple(
            Mention(kind=mention.kind[:_MAX_CHARS], value=mention.value[:_MAX_CHARS])
            for mention in understood.mentions[:_MOST]
        ),
        look_ups=tuple(
            LookUp(
                question=look_up.question[:_MAX_CHARS],
                finding=Finding(
                    outcome=look_up.outcome,
                    hits=tuple(
                        Hit(
                            article=ArticleId(article.article_id),
                            title=article.title[:_MAX_CHARS],
                            score=article.score,
                        )
                        for article in look_up.articles[:_MOST]
                    ),
                ),
            )
            for look_up in understood.look_ups[:_MOST]
        ),
        is_in_form=understood.in_form,
        feedback=understood.feedback,
    )
