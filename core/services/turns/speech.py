"""How the assistant's wishes become messages: articles, offers and their buttons, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core.domain.assistant import Answer, Offer, OfferedChoice, Say, Step
from core.domain.content import Choice, Intent
from core.domain.ids import ArticleId, ChoiceId, new_id
from core.domain.knowledge import Article
from core.services.turns.composing import Composed
from core.texts import language_name, text

_ONLY_IN = "I found this only in {language}:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Utterance:
    """One message of the assistant."""

    text: str
    choices: tuple[Choice, ...] = ()


def articles_in(steps: Sequence[Step]) -> set[ArticleId]:
    """Return the articles that `steps` show or offer."""
    found: set[ArticleId] = set()
    for step in steps:
        if isinstance(step, Answer):
            found.add(step.article)
        elif isinstance(step, Offer):
            found.update(step.articles)
    return found


def utterances(
    steps: Sequence[Step],
    articles: Mapping[ArticleId, Article],
    language: str,
    base_url: str,
    composed: Composed | None = None,
) -> list[Utterance]:
    """Return what `steps` say, in order; articles that are gone are left out.

    `composed` stands for the article it answers with, while each of its sources can be read.
    """
    if composed is not None and not articles.keys() >= set(composed.sources):
        composed = None
    said: list[Utterance] = []
    for step in steps:
        match step:
            case Say():
                said.append(Utterance(text=step.text, choices=_choices(step.choices)))
            case Answer():
                if article := articles.get(step.article):
                    if composed is not None and composed.answers == article.id:
                        sources = [articles[source] for source in composed.sources]
                        words = _in_own_words(composed.text, sources, language, base_url)
                    else:
                        words = _as_written(article, language, base_url)
                    said.append(_answer(article, words, language))
            case Offer():
                offered = [articles[name] for name in step.articles if name in articles]
                if offered:
                    # The assistant's lead-in and the buttons belong in one message.
                    lead_in = said.pop() if said and not said[-1].choices else None
                    said.append(_offer(offered, lead_in, language))
            case _:
                pass
    return said


def joined(said: Sequence[Utterance]) -> list[Utterance]:
    """Return `said` as one message, for channels where each is a letter."""
    if not said:
        return []
    return [
        Utterance(
            text="\n\n".join(utterance.text for utterance in said),
            choices=tuple(choice for utterance in said for choice in utterance.choices),
        )
    ]


def _as_written(article: Article, language: str, base_url: str) -> list[str]:
    parts = [f"**{article.title}**", article.body.strip()]
    if article.language != language:
        found_in = language_name(article.language, language)
        parts.insert(0, text(language, _ONLY_IN, language=found_in))
    if not article.organisations:  # the public page is for everybody
        parts.append(f"[{text(language, 'Open this article')}]({base_url}/help/{article.id})")
    return parts


def _in_own_words(
    words: str, sources: Sequence[Article], language: str, base_url: str
) -> list[str]:
    named = [
        f"- [{number}] {source.title}"
        if source.organisations
        else f"- [{number}] [{source.title}]({base_url}/help/{source.id})"
        for number, source in enumerate(sources, 1)
    ]
    return [words, "\n".join([f"{text(language, 'From our articles:')}", "", *named])]


def _answer(article: Article, words: Sequence[str], language: str) -> Utterance:
    parts = [*words, text(language, "Did this help?")]
    entities = {"article_id": article.id}
    return Utterance(
        text="\n\n".join(parts),
        choices=_choices(
            [
                OfferedChoice(
                    label=text(language, "Yes"), intent=Intent(name="helped", entities=entities)
                ),
                OfferedChoice(
                    label=text(language, "No"), intent=Intent(name="not_helped", entities=entities)
                ),
            ]
        ),
    )


def _offer(articles: Sequence[Article], lead_in: Utterance | None, language: str) -> Utterance:
    choices = [
        OfferedChoice(
            label=article.title,
            intent=Intent(name="choose_article", entities={"article_id": article.id}),
        )
        for article in articles
    ]
    choices.append(
        OfferedChoice(label=text(language, "None of these"), intent=Intent(name="not_helped"))
    )
    words = lead_in.text if lead_in else text(language, "Is it one of these?")
    return Utterance(text=words, choices=_choices(choices))


def _choices(offered: Sequence[OfferedChoice]) -> tuple[Choice, ...]:
    return tuple(
        Choice(id=ChoiceId(new_id()), label=choice.label, intent=choice.intent)
        for choice in offered
    )
