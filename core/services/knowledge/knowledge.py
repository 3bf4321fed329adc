"""The knowledge base as the rest of the desk sees it."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from core.domain.errors import NotFound
from core.domain.ids import ArticleId, OrganisationId
from core.domain.imports import ImportReport
from core.domain.knowledge import Article, Audience, Finding
from core.ports import Embedder, SecondEncoder
from core.services import audit
from core.services.knowledge import articles, indexing, own_questions
from core.services.knowledge.articles import Page
from core.services.knowledge.plaintext import storable
from core.services.knowledge.ranking import Policy
from core.services.knowledge.search import Search
from core.services.knowledge.tolerance import AnswerTolerance
from core.storage.engine import Sessions, storage_errors
from core.storage.queries.knowledge.articles import articles_by_id
from core.storage.queries.knowledge.knowledge import Reader

_LOOK_BACK_SECONDS = 30.0
"""So often, at most, is looked for what the second encoder has not read: it costs a scan."""


class Knowledge:
    """Articles and the search over them; without an embedder, the search goes by words alone.

    `wrong_answers_per_hundred` counts where no admin has set another `tolerance`.
    """

    def __init__(
        self,
        sessions: Sessions,
        embedder: Embedder | None = None,
        *,
        second: SecondEncoder | None = None,
        wrong_answers_per_hundred: float = 10.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._sessions, self._embedder, self._second = sessions, embedder, second
        self._clock, self._look_back_at = clock, 0.0
        policy = Policy(wrong_answers_per_hundred=wrong_answers_per_hundred)
        self._search = Search(sessions, embedder, policy, clock, second=second)
        self.tolerance = AnswerTolerance(
            sessions, installed=wrong_answers_per_hundred, models=self._models
        )

    async def search(
        self,
        query: str,
        language: str | None,
        *,
        limit: int = 4,
        audience: Audience = Audience.PUBLIC,
        organisation: OrganisationId | None = None,
        exclude: Collection[ArticleId] = (),
    ) -> Finding:
        """Return the articles that may answer `query`, best first, and what to do with them.

        Articles in `language` come before equally good ones in others; of translations of each
        other only one is found. `audience` INTERNAL finds all articles; PUBLIC those for everybody
        and those for `organisation`.
        """
        reader = Reader(audience=audience, organisation=organisation)
        return await self._search.find(query, language, limit=limit, reader=reader, exclude=exclude)

    async def get(self, article: ArticleId) -> Article:
        """Return an article, or raise `NotFound`."""
        found = await self.get_many([article])
        if article not in found:
            raise NotFound(f"there is no article {article!r}")
        return found[article]

    async def get_many(self, ids: Collection[ArticleId]) -> dict[ArticleId, Article]:
        """Return those of `ids` that exist."""
        async with storage_errors(), self._sessions() as session:
            return await articles_by_id(session, {ArticleId(storable(i)) for i in ids})

    async def list(
        self,
        cursor: str | None = None,
        limit: int = 50,
        *,
        language: str | None = None,
        query: str | None = None,
    ) -> Page:
        """Return a page of articles, those changed last first."""
        async with storage_errors(), self._sessions() as session:
            return await articles.page(
                session, cursor=cursor, limit=limit, language=language, query=query
            )

    async def create(self, article: Article) -> Article:
        """Store a new article.

        Raises:
            Conflict: its id is taken.
            InvalidInput: it cannot be an article; the message says what to change.
        """
        async with storage_errors(), self._sessions.begin() as session:
            created = await articles.create(session, article)
        self.forget_counts()
        return created

    async def update(self, article: Article, *, revision: int | None = None) -> Article:
        """Replace an article; `NotFound` where there is none.

        Raises:
            Outdated: it does not have the version `revision` any more.
        """
        async with storage_errors(), self._sessions.begin() as session:
            changed = await articles.change(session, article, revision)
        self.forget_counts()
        return changed

    async def delete(self, article: ArticleId) -> None:
        """Delete an article; `NotFound` where there is none."""
        async with storage_errors(), self._sessions.begin() as session:
            title = await articles.remove(session, article)
            audit.record(session, None, "article.deleted", ("article", article, title))
        self.forget_counts()

    def forget_counts(self) -> None:
        """Let the next search see what was changed, in which languages there are articles too.

        To be called after the commit by whoever stores articles in a transaction of their own.
        """
        self._search.forget_counts()

    async def import_path(self, path: Path) -> ImportReport:
        """Bring in the articles of a folder of Markdown or of a JSONL file, if they changed.

        What an admin made of an imported article stays until its source changes again.
        """
        # Imported here: what reads files is not for the memory of those who only search.
        from core.services.knowledge import imports

        report = await imports.import_path(self._sessions, path)
        self.forget_counts()
        return report

    async def embed_pending(self, limit: int = 256) -> int:
        """Give up to `limit` passages the vectors they lack; return how many got one.

        Raises:
            EmbedderUnavailable: try again later.
        """
        if self._embedder is None:
            return 0
        second = None if self._second is None or self._second.is_missing else self._second
        done = await indexing.embed_pending(self._sessions, self._embedder, limit, second)
        if second is None or done >= limit or self._clock() < self._look_back_at:
            return done
        # What the first one read while the second was away, or an article of another language now.
        more = await indexing.read_left_over(self._sessions, second, limit - done)
        if not more:
            self._look_back_at = self._clock() + _LOOK_BACK_SECONDS
        return done + more

    async def learn_offers(
        self, *, pause_seconds: float = 0.0, retry_seconds: Sequence[float] = ()
    ) -> bool:
        """Learn anew from how much on to offer articles, if the index changed since; say if so.

        Asks the base some of its own questions, with a pause after each. One whose vectors do not
        come in time is asked again after each of `retry_seconds`.

        Raises:
            EmbedderUnavailable: what was known stays.
        """
        models = self._models()
        if models is None:
            return False
        has_learned = await own_questions.learn(
            self._sessions,
            self._search,
            models,
            pause_seconds=pause_seconds,
            retry_seconds=retry_seconds,
        )
        if has_learned:
            self.forget_counts()
        return has_learned

    def _models(self) -> own_questions.Models | None:
        """Return which models read passages now; None without an embedder."""
        if self._embedder is None:
            return None
        if self._second is None or self._second.is_missing:
            return own_questions.Models(self._embedder.model)
        return own_questions.Models(
            self._embedder.model, self._second.model, self._second.languages
        )
