"""What article files look like: Markdown with front matter, and JSON Lines."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import yaml

from core.domain.errors import InvalidInput
from core.domain.ids import ArticleId
from core.domain.knowledge import Article, Audience
from core.services.knowledge.articles import MAX_TITLE_CHARS

_MAX_FILE_BYTES = 1 << 20  # of one Markdown file
_MAX_LINE_CHARS = 1 << 20  # of one line of JSON
_KNOWN_FIELDS = frozenset(
    "id lang title questions tags audience translation_of valid_from valid_until".split()  # noqa: SIM905
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What one file or line holds: an article, or the reason why it does not."""

    place: str  # file, and line where it has several articles
    article: Article | None = None
    problem: str | None = None


def entries(path: Path) -> Iterator[Entry]:
    """Yield what `path` holds: a Markdown file, a JSONL file, or a folder of both.

    Raises:
        InvalidInput: there is no such path, or it is of another kind.
    """
    if path.is_dir():
        files = sorted(
            file
            for file in path.rglob("*")
            if file.suffix in {".md", ".jsonl"} and file.stem.casefold() != "readme"
        )
        if not files:
            raise InvalidInput(f"{path}: no .md or .jsonl files in this folder")
    elif path.is_file() and path.suffix in {".md", ".jsonl"}:
        files = [path]
    else:
        raise InvalidInput(f"{path}: not a folder, a .md file or a .jsonl file")
    for file in files:
        if file.suffix == ".md":
            yield _markdown(file)
        else:
            for place, record in lines(file):
                yield _entry(place, record)


def lines(file: Path) -> Iterator[tuple[str, object]]:
    """Yield the place and the value of each line that is not blank, or the problem with it."""
    try:
        with file.open(encoding="utf-8-sig") as stream:
            for number, line in enumerate(stream, start=1):
                if line.strip():
                    yield f"{file}:{number}", _json(line)
    except OSError as error:
        raise InvalidInput(f"{file}: {error.strerror or 'cannot be read'}") from error
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{file}: not UTF-8 text") from error


def _json(line: str) -> object:
    if len(line) > _MAX_LINE_CHARS:
        return InvalidInput("the line is too long")
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return InvalidInput("the line is not JSON")


def _markdown(file: Path) -> Entry:
    place = str(file)
    try:
        if file.stat().st_size > _MAX_FILE_BYTES:
            return Entry(place=place, problem="the file is too large")
        text = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        return Entry(place=place, problem="not UTF-8 text")
    except OSError as error:
        return Entry(place=place, problem=error.strerror or "cannot be read")
    opening, separator, rest = text.replace("\r\n", "\n").partition("---\n")
    head, end, body = rest.partition("\n---\n")
    if opening.strip() or not separator or not end:
        return Entry(place=place, problem="no front matter between two lines of ---")
    try:
        record = yaml.safe_load(head)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f" in line {mark.line + 2}" if mark is not None else ""
        return Entry(place=place, problem=f"the front matter is not YAML{where}")
    if not isinstance(record, dict):
        return Entry(place=place, problem="the front matter has no fields")
    unknown = sorted(str(name) for name in record if name not in _KNOWN_FIELDS)
    if unknown:  # most likely a slip of the pen; lines of JSON often have more than we ask for
        return Entry(place=place, problem=f"unknown field in the front matter: {unknown[0]}")
    return _entry(place, {**record, "body": body})


def _entry(place: str, record: object) -> Entry:
    try:
        return Entry(place=place, article=article_of(record))
    except InvalidInput as problem:
        return Entry(place=place, problem=str(problem))


def article_of(record: object) -> Article:
    """Return the article in the fields of one file or line.

    A missing title is made of the first question or of the body's beginning.
    """
    if isinstance(record, InvalidInput):
        raise record
    if not isinstance(record, dict):
        raise InvalidInput("not an object with fields")
    body = _text(record, "body")
    questions = _texts(record, "questions")
    title = _text(record, "title") or (questions or [body.strip().partition("\n")[0]])[0]
    try:
        audience = Audience(_text(record, "audience") or Audience.PUBLIC)
    except ValueError:
        raise InvalidInput(f"audience is one of {', '.join(Audience)}") from None
    return Article(
        id=ArticleId(_text(record, "id")),
        language=_text(record, "lang"),
        title=title[:MAX_TITLE_CHARS],
        body=body,
        questions=tuple(questions),
        tags=tuple(_texts(record, "tags")),
        audience=audience,
        translation_of=ArticleId(_text(record, "translation_of")) or None,
        valid_from=_date(record, "valid_from"),
        valid_until=_date(record, "valid_until"),
    )


def _text(record: Mapping[str, Any], name: str) -> str:
    value = record.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise InvalidInput(f"{name} is not text (put it in quotes)")
    return value


def _texts(record: Mapping[str, Any], name: str) -> list[str]:
    value = record.get(name)
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise InvalidInput(f"{name} is not a list of texts (put each in quotes)")
    return value


def _date(record: Mapping[str, Any], name: str) -> date | None:
    value = record.get(name)
    if value is None or (isinstance(value, date) and not isinstance(value, datetime)):
        return value
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        raise InvalidInput(f"{name} is not a date such as 2026-01-31") from None


def digest_of(article: Article) -> str:
    """Return a digest of an article's content, however its file is laid out."""
    content = [
        article.language,
        article.title,
        article.body,
        article.questions,
        article.tags,
        article.audience.value,
        article.translation_of,
        article.valid_from and article.valid_from.isoformat(),
        article.valid_until and article.valid_until.isoformat(),
    ]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()
