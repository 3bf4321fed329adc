"""An import brings in what is new or changed, and never undoes an admin's work by itself."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import text

from core.domain.ids import ArticleId
from core.services.knowledge import Knowledge
from core.storage.engine import Sessions
from tests.integration.knowledge.world import article

STARTER = Path(__file__).parents[3] / "nlu_data" / "knowledge"


def write(folder: Path, name: str, title: str) -> None:
    (folder / f"{name}.md").write_text(f"---\nid: {name}\nlang: en\ntitle: {title}\n---\nText.\n")


async def fingerprint(sessions: Sessions) -> list[tuple[object, ...]]:
    """Return what changes whenever a row is written, even with the same content."""
    async with sessions() as session:
        rows = await session.execute(
            text(
                "SELECT 'a', id, xmin::text FROM article"
                " UNION ALL SELECT 'p', article_id, xmin::text FROM passage"
                " UNION ALL SELECT 'w', article_id, xmin::text FROM posting ORDER BY 1, 2, 3"
            )
        )
        return [tuple(row) for row in rows]


@pytest.fixture
def desk(sessions: Sessions) -> Knowledge:
    return Knowledge(sessions)


async def test_the_starter_articles_come_in_whole_and_once(
    desk: Knowledge, sessions: Sessions
) -> None:
    report = await desk.import_path(STARTER)
    assert report.refused == ()
    assert report.added >= 80
    before = await fingerprint(sessions)
    again = await desk.import_path(STARTER)
    assert (again.added, again.changed, again.unchanged) == (0, 0, report.added)
    assert await fingerprint(sessions) == before


async def test_a_changed_file_changes_its_article(desk: Knowledge, tmp_path: Path) -> None:
    write(tmp_path, "one", "First")
    write(tmp_path, "two", "Second")
    await desk.import_path(tmp_path)
    write(tmp_path, "one", "First, better")
    report = await desk.import_path(tmp_path)
    assert (report.added, report.changed, report.unchanged) == (0, 1, 1)
    assert (await desk.get(ArticleId("one"))).title == "First, better"


async def test_what_an_admin_made_of_an_article_stays(desk: Knowledge, tmp_path: Path) -> None:
    write(tmp_path, "one", "First")
    await desk.import_path(tmp_path)
    imported = await desk.get(ArticleId("one"))
    await desk.update(replace(imported, title="Our own words"))
    assert (await desk.import_path(tmp_path)).unchanged == 1
    assert (await desk.get(ArticleId("one"))).title == "Our own words"


async def test_an_article_made_in_the_console_is_not_replaced(
    desk: Knowledge, tmp_path: Path
) -> None:
    await desk.create(article("one", "Made in the console"))
    write(tmp_path, "one", "From a file")
    (refusal,) = (await desk.import_path(tmp_path)).refused
    assert "made in the console" in refusal
    assert (await desk.get(ArticleId("one"))).title == "Made in the console"


async def test_what_is_refused_is_named_and_the_rest_comes_in(
    desk: Knowledge, tmp_path: Path
) -> None:
    write(tmp_path, "good", "Good")
    (tmp_path / "bad.md").write_text("no front matter")
    (tmp_path / "README.md").write_text("about this folder")
    (tmp_path / "more.jsonl").write_text(
        '{"id": "line", "lang": "es", "title": "Uno", "body": "b", "questions": []}\n'
        '{"id": "good", "lang": "en", "title": "Again"}\n'
        '{"id": "no language", "title": "x"}\n'
        "{\n"
    )
    report = await desk.import_path(tmp_path)
    assert report.added == 2
    assert [line.removeprefix(f"{tmp_path}/").partition(": ")[0] for line in report.refused] == [
        "bad.md",
        "more.jsonl:2",
        "more.jsonl:3",
        "more.jsonl:4",
    ]
