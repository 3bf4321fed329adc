"""What the demonstration's assistant shows is there to be shown."""

from __future__ import annotations

from core.domain.knowledge import Audience
from core.services.knowledge.sources import entries
from core.wiring.demo.chats import QUESTIONS
from core.wiring.demo.stories import STORIES
from core.wiring.parts import STARTER_KNOWLEDGE


def test_each_article_shown_is_a_public_starter_article_in_the_language_of_who_asks() -> None:
    public = {
        (entry.article.id, entry.article.language)
        for entry in entries(STARTER_KNOWLEDGE)
        if entry.article is not None and entry.article.audience is Audience.PUBLIC
    }
    shown = {(one.article, one.language) for one in QUESTIONS}
    shown |= {(one.shown, one.language) for one in STORIES if one.shown is not None}
    assert shown <= public
