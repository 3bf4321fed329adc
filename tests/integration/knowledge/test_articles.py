"""Articles are kept as their author wrote them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from core.domain.errors import Conflict, InvalidInput, NotFound, TooLarge
from core.domain.ids import ArticleId
from core.domain.knowledge import Article
from core.services.knowledge import Knowledge
from core.storage.engine import Sessions
from core.storage.tables import Passage
from tests.integration.knowledge.world import ARTICLES, article


async def test_what_is_created_is_what_is_read(wordy: Knowledge) -> None:
    for one in ARTICLES:
        assert await wordy.get(one.id) == one


async def test_an_id_is_given_once(wordy: Knowledge) -> None:
    with pytest.raises(Conflict):
        await wordy.create(article("book-room", "Another"))


async def test_what_is_not_there_cannot_be_read_changed_or_deleted(wordy: Knowledge) -> None:
    missing = ArticleId("missing\0")
    with pytest.raises(NotFound):
        await wordy.get(missing)
    with pytest.raises(NotFound):
        await wordy.update(article("missing", "Title"))
    with pytest.raises(NotFound):
        await wordy.delete(ArticleId("missing"))


async def test_an_update_replaces_everything(wordy: Knowledge) -> None:
    changed = replace(
        ARTICLES[0], title="New title", body="New body", questions=("New?",), tags=("new",)
    )
    assert await wordy.update(changed) == changed
    assert await wordy.get(changed.id) == changed


async def test_an_edit_embeds_only_what_changed(knowledge: Knowledge, sessions: Sessions) -> None:
    one = ARTICLES[0]
    await knowledge.update(replace(one, questions=(*one.questions, "A new question?")))
    async with sessions() as session:
        pending = await session.scalars(select(Passage.text).where(Passage.vector.is_(None)))
        assert pending.all() == ["A new question?"]
    assert await knowledge.embed_pending() == 1


CANNOT_BE: list[tuple[dict[str, Any], type[Exception]]] = [
    ({"id": ""}, InvalidInput),
    ({"id": "a b"}, InvalidInput),
    ({"id": "a/b"}, InvalidInput),
    ({"id": "a\0"}, InvalidInput),
    ({"id": "x" * 200}, InvalidInput),
    ({"title": " \0 "}, InvalidInput),
    ({"title": "x" * 301}, TooLarge),
    ({"language": ""}, InvalidInput),
    ({"language": "no language"}, InvalidInput),
    ({"body": "x" * 50_001}, TooLarge),
    ({"questions": tuple(f"question {n}" for n in range(101))}, TooLarge),
    ({"questions": ("x" * 501,)}, TooLarge),
    ({"translation_of": ArticleId("fine")}, InvalidInput),
]


async def test_what_cannot_be_an_article_is_refused(
    sessions: Sessions, subtests: pytest.Subtests
) -> None:
    fine = article("fine", "Fine")
    for changes, error in CANNOT_BE:
        with subtests.test(changes=str(changes)[:80]), pytest.raises(error):
            await Knowledge(sessions).create(replace(fine, **changes))


async def test_text_that_cannot_be_stored_is_tidied(sessions: Sessions) -> None:
    untidy = article("a", " A\0 \n title ", "Body\ud800", questions=(" ", "Why?", "Why?"))
    created = await Knowledge(sessions).create(untidy)
    assert (created.title, created.body, created.questions) == ("A title", "Body?", ("Why?",))


async def test_pages_hold_each_article_once_the_last_changed_first(wordy: Knowledge) -> None:
    await wordy.update(ARTICLES[2])
    listed: list[Article] = []
    cursor = None
    while True:
        page = await wordy.list(cursor, 4)
        listed += page.items
        if (cursor := page.next) is None:
            break
    assert listed[0] == ARTICLES[2]
    assert len(listed) == len(ARTICLES)
    assert {one.id for one in listed} == {one.id for one in ARTICLES}


async def test_a_list_can_be_of_one_language_or_hold_a_text(wordy: Knowledge) -> None:
    spanish = await wordy.list(language="es")
    assert [one.language for one in spanish.items] == ["es"]
    found = await wordy.list(query="PAPER jam")
    assert [one.id for one in found.items] == ["printer-jam"]
    assert (await wordy.list(query="100%_\\")).items == ()


@pytest.mark.parametrize("cursor", ["nonsense", "", "é", "MjAyNg=="])
async def test_a_forged_cursor_is_invalid_input(wordy: Knowledge, cursor: str) -> None:
    with pytest.raises(InvalidInput):
        await wordy.list(cursor)
