"""Article files are read whole or refused with a reason; never a traceback."""

from __future__ import annotations

from contextlib import suppress
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.errors import InvalidInput
from core.domain.knowledge import Article, Audience
from core.services.knowledge.evaluation import read_articles, read_questions
from core.services.knowledge.sources import article_of, digest_of, entries

ARTICLE = """---
id: reset-password
lang: en
title: Reset a password
questions:
  - I forgot my password
tags: [accounts]
audience: internal
valid_until: 2030-01-31
---
Open **Settings**.
"""


def read(file: Path) -> Article:
    (entry,) = entries(file)
    assert entry.article is not None, entry.problem
    return entry.article


def problem_with(folder: Path, content: str | bytes, name: str = "a.md") -> str:
    file = folder / name
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    (entry,) = entries(file)
    assert entry.problem is not None
    return entry.problem


def test_front_matter_and_body_make_an_article(tmp_path: Path) -> None:
    file = tmp_path / "reset-password.md"
    file.write_text(ARTICLE)
    article = read(file)
    assert article.id == "reset-password"
    assert article.questions == ("I forgot my password",)
    assert article.audience is Audience.INTERNAL
    assert article.valid_until == date(2030, 1, 31)
    assert article.body.strip() == "Open **Settings**."


def test_line_ends_of_windows_are_the_same_article(tmp_path: Path) -> None:
    unix, windows = tmp_path / "u.md", tmp_path / "w.md"
    unix.write_bytes(ARTICLE.encode())
    windows.write_bytes(ARTICLE.replace("\n", "\r\n").encode())
    assert digest_of(read(unix)) == digest_of(read(windows))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("Just text.", "no front matter"),
        ("---\nid: [\n---\n", "not YAML"),
        ("---\n- a\n- b\n---\nbody", "no fields"),
        ("---\nid: a\ntilte: x\n---\nbody", "unknown field in the front matter: tilte"),
        ("---\nid: 7\n---\nbody", "id is not text"),
        ("---\nid: a\nquestions: [1]\n---\nbody", "questions is not a list of texts"),
        ("---\nid: a\naudience: all\n---\nbody", "audience is one of public, internal"),
        ("---\nid: a\nvalid_from: soon\n---\nbody", "valid_from is not a date"),
        (b"---\nid: a\n---\n\xff\xfe", "not UTF-8"),
    ],
)
def test_a_bad_file_is_refused_with_its_reason(
    tmp_path: Path, content: str | bytes, reason: str
) -> None:
    assert reason in problem_with(tmp_path, content)


def test_a_bad_line_is_refused_and_the_next_one_read(tmp_path: Path) -> None:
    file = tmp_path / "kb.jsonl"
    file.write_text('{"id": "a"\n\n{"id": "b", "lang": "en", "title": "B", "extra": 1}\n[]\n')
    first, second, third = entries(file)
    assert (first.place, first.problem) == (f"{file}:1", "the line is not JSON")
    assert second.article is not None
    assert second.article.title == "B"
    assert (third.place, third.problem) == (f"{file}:4", "not an object with fields")


def test_a_missing_title_is_made_of_the_first_question() -> None:
    article = article_of({"id": "a", "lang": "en", "questions": ["How long?"], "body": "Long."})
    assert article.title == "How long?"


@pytest.mark.parametrize("name", ["nothing-here", "notes.txt", "empty"])
def test_a_path_without_articles_is_said_to_be_one(tmp_path: Path, name: str) -> None:
    (tmp_path / "notes.txt").touch()
    (tmp_path / "empty").mkdir()
    with pytest.raises(InvalidInput, match=name):
        list(entries(tmp_path / name))


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('{"query": "a"}', "needs query"),
        ('{"query": 1, "gold": []}', "needs query"),
        ('{"query": "a", "gold": [1]}', "gold is a list of ids"),
        ('{"query": "a", "gold": [], "lang": 5}', "lang a code"),
        ("nonsense", "not JSON"),
    ],
)
def test_a_bad_question_is_named_by_file_and_line(tmp_path: Path, line: str, reason: str) -> None:
    file = tmp_path / "q.jsonl"
    file.write_text(f'{{"query": "fine", "gold": []}}\n{line}\n')
    with pytest.raises(InvalidInput, match=rf"q\.jsonl:2: .*{reason}"):
        read_questions(file)


def test_an_id_that_comes_twice_is_named_by_file_and_line(tmp_path: Path) -> None:
    file = tmp_path / "kb.jsonl"
    file.write_text('{"id": "a", "lang": "en"}\n{"id": "a", "lang": "en"}\n')
    with pytest.raises(InvalidInput, match=r"kb\.jsonl:2"):
        read_articles(file)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
    | st.dictionaries(
        st.sampled_from(["id", "lang", "title", "body", "questions", "audience", "valid_from"]),
        st.none() | st.integers() | st.text() | st.lists(st.text() | st.integers()),
    )
)
def test_any_record_is_an_article_or_invalid_input(record: object) -> None:
    with suppress(InvalidInput):
        assert isinstance(article_of(record), Article)
