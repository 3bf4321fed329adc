"""What admins do with articles; each change is searchable with the same commit."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, or_, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.errors import Conflict, InvalidInput, NotFound, TooLarge
from core.domain.ids import ArticleId
from core.domain.knowledge import Article
from core.services.knowledge.indexing import index, learn_words
from core.services.knowledge.plaintext import storable
from core.services.revisions import check_content
from core.storage.queries.knowledge.articles import article_of
from core.storage.tables import ArticleRow, Organisation

MAX_TITLE_CHARS = 300
MAX_BODY_CHARS = 50_000
MAX_QUESTION_CHARS = 500
MAX_QUESTIONS = 100
_MAX_ID_CHARS = 120
_UNFIT_FOR_IDS = frozenset("/?#%\\")


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Articles, those changed last first, and where the next page begins."""

    items: tuple[Article, ...]
    next: str | None


def checked(article: Article) -> Article:
    """Return `article` tidied: no blank questions, nothing that cannot be stored.

    Raises:
        InvalidInput: it cannot be an article.
    """
    article = replace(
        article,
        title=" ".join(storable(article.title).split()),
        body=storable(article.body).strip(),
        questions=tuple(
            dict.fromkeys(
                question
                for question in (" ".join(storable(one).split()) for one in article.questions)
                if question
            )
        ),
        tags=tuple(dict.fromkeys(tag for one in article.tags if (tag := storable(one).strip()))),
        organisations=tuple(dict.fromkeys(article.organisations)),
    )
    unfit = [c for c in article.id if c.isspace() or not c.isprintable() or c in _UNFIT_FOR_IDS]
    if not 0 < len(article.id) <= _MAX_ID_CHARS or unfit:
        raise InvalidInput(
            f"an article's id has 1 to {_MAX_ID_CHARS} characters, without spaces or any of / ? # %"
        )
    if not article.title:
        raise InvalidInput("an article needs a title")
    if not (2 <= len(article.language) <= 12 and article.language.replace("-", "").isalnum()):
        raise InvalidInput("an article's language is a code such as en or es")
    if len(article.title) > MAX_TITLE_CHARS:
        raise TooLarge(f"a title has at most {MAX_TITLE_CHARS} characters")
    if len(article.body) > MAX_BODY_CHARS:
        raise TooLarge(f"a body has at most {MAX_BODY_CHARS} characters")
    if len(article.questions) > MAX_QUESTIONS:
        raise TooLarge(f"an article has at most {MAX_QUESTIONS} questions")
    if any(len(question) > MAX_QUESTION_CHARS for question in article.questions):
        raise TooLarge(f"a question has at most {MAX_QUESTION_CHARS} characters")
    if article.valid_from and article.valid_until and article.valid_from > article.valid_until:
        raise InvalidInput("an article's validity ends before it begins")
    if article.translation_of == article.id:
        raise InvalidInput("an article is not a translation of itself")
    return article


def columns_of(article: Article) -> dict[str, Any]:
    """Return what is stored of `article`, besides its id."""
    return {
        "language": article.language,
        "title": article.title,
        "body": article.body,
        "questions": list(article.questions),
        "tags": list(article.tags),
        "audience": article.audience.value,
        "translation_of": article.translation_of,
        "valid_from": article.valid_from,
        "valid_until": article.valid_until,
        "organisations": [str(one) for one in article.organisations],
    }


async def add(session: AsyncSession, article: Article, *, imported: str | None = None) -> bool:
    """Store and index a new article; False where its id is taken.

    Its words are learned by the caller, at the end of the transaction.
    """
    added = await session.scalar(
        insert(ArticleRow)
        .values(id=article.id, imported_digest=imported, **columns_of(article))
        .on_conflict_do_nothing()
        .returning(ArticleRow.id)
    )
    if added is None:
        return False
    await index(session, article)
    return True


async def create(session: AsyncSession, article: Article) -> Article:
    """Store a new article."""
    article = checked(article)
    await _check_organisations(session, article)
    if not await add(session, article):
        raise Conflict(f"there is an article {article.id!r} already")
    await learn_words(session, [article])
    return article


async def change(session: AsyncSession, article: Article, revision: int | None = None) -> Article:
    """Replace what is stored of an article.

    Raises:
        NotFound: there is none of its id.
        Outdated: what is stored does not have the version `revision` any more.
    """
    article = checked(article)
    if revision is not None:
        row = await session.get(ArticleRow, article.id, with_for_update=True)
        if row is None:
            raise NotFound(f"there is no article {article.id!r}")
        check_content(article_of(row), revision)
    await _check_organisations(session, article)
    await replace_stored(session, article, columns_of(article))
    await learn_words(session, [article])
    return article


async def replace_stored(
    session: AsyncSession, article: Article, columns: Mapping[str, Any]
) -> None:
    """Replace `columns` of an article and index it; the caller learns its words as with `add`."""
    changed = await session.scalar(
        update(ArticleRow)
        .where(ArticleRow.id == article.id)
        .values(updated_at=func.now(), **columns)
        .returning(ArticleRow.id)
    )
    if changed is None:
        raise NotFound(f"there is no article {article.id!r}")
    await index(session, article)


async def _check_organisations(session: AsyncSession, article: Article) -> None:
    wanted = set(article.organisations)
    if not wanted:
        return
    found = await session.scalars(select(Organisation.id).where(Organisation.id.in_(wanted)))
    if len(found.all()) < len(wanted):
        raise InvalidInput("an article is for organisations that there are")


async def remove(session: AsyncSession, article: ArticleId) -> str:
    """Delete an article with its passages and postings; return its title."""
    title: str | None = await session.scalar(
        delete(ArticleRow).where(ArticleRow.id == article).returning(ArticleRow.title)
    )
    if title is None:
        raise NotFound(f"there is no article {article!r}")
    return title


async def page(
    session: AsyncSession,
    *,
    cursor: str | None,
    limit: int,
    language: str | None,
    query: str | None,
) -> Page:
    """Return articles, those changed last first."""
    wanted = select(ArticleRow).order_by(ArticleRow.updated_at.desc(), ArticleRow.id.desc())
    if language is not None:
        wanted = wanted.where(ArticleRow.language == storable(language))
    if query is not None and (sought := storable(query).strip()):
        wanted = wanted.where(
            or_(
                ArticleRow.id == sought,
                ArticleRow.title.icontains(sought, autoescape=True),
                ArticleRow.body.icontains(sought, autoescape=True),
            )
        )
    if cursor is not None:
        at, last = _position(cursor)
        wanted = wanted.where(tuple_(ArticleRow.updated_at, ArticleRow.id) < tuple_(at, last))
    rows: Sequence[ArticleRow] = (await session.scalars(wanted.limit(limit + 1))).all()
    more = len(rows) > limit
    return Page(
        items=tuple(article_of(row) for row in rows[:limit]),
        next=_cursor(rows[limit - 1]) if more else None,
    )


def _cursor(row: ArticleRow) -> str:
    return base64.urlsafe_b64encode(f"{row.updated_at.isoformat()} {row.id}".encode()).decode()


def _position(cursor: str) -> tuple[datetime, str]:
    try:
        at, _, last = base64.urlsafe_b64decode(cursor.encode()).decode().partition(" ")
        return datetime.fromisoformat(at), storable(last)
    except (binascii.Error, ValueError):
        raise InvalidInput("the cursor is not one of ours") from None
