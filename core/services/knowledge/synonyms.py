"""Words that mean the same: how admins keep them, and what they make of a question."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.errors import InvalidInput, NotFound, TooLarge
from core.domain.ids import OrganisationId, SynonymsId, new_id
from core.domain.knowledge import Synonyms
from core.services.knowledge.plaintext import folded, storable
from core.services.revisions import check_content
from core.storage.engine import Sessions, storage_errors
from core.storage.queries.knowledge.synonyms import all_synonyms, synonyms_of
from core.storage.tables import Organisation, SynonymsRow

MAX_TERMS = 20
MAX_TERM_CHARS = 60
MAX_SETS = 1000
_MAX_MET = 5  # in one question: whoever names more speaks of nothing in particular


@dataclass(frozen=True, slots=True, kw_only=True)
class Met:
    """A term of a folded question, where it stands, and what else it may be called, folded."""

    start: int
    end: int
    others: tuple[str, ...]


def met_in(question: str, known: Sequence[Synonyms]) -> list[Met]:
    """Return the terms that `question`, folded, names, longer ones before those inside them."""
    if not known:
        return []
    others: dict[str, dict[str, None]] = {}
    for synonyms in known:
        terms = [_plain(term) for term in synonyms.terms]
        for term in terms:
            others.setdefault(term, {}).update(dict.fromkeys(one for one in terms if one != term))
    longest_first = sorted(others, key=len, reverse=True)
    pattern = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, longest_first))})(?!\w)")
    return [
        Met(start=found.start(), end=found.end(), others=tuple(others[found[0]]))
        for found, _ in zip(pattern.finditer(question), range(_MAX_MET), strict=False)
        if others[found[0]]
    ]


def expanded(question: str, met: Sequence[Met]) -> str:
    """Return `question` with the other names behind each term, as in "AnyConnect (VPN)"."""
    return "".join(_pieces(question, met))


def _pieces(question: str, met: Sequence[Met]) -> Iterator[str]:
    last = 0
    for one in met:
        yield f"{question[last : one.end]} ({', '.join(one.others)})"
        last = one.end
    yield question[last:]


def _plain(term: str) -> str:
    return " ".join(folded(term).split())


def checked(terms: Sequence[str]) -> list[str]:
    """Return `terms` tidied.

    Raises:
        InvalidInput: they cannot be synonyms; the message says why.
    """
    tidy: dict[str, str] = {}
    for term in terms:
        written = " ".join(storable(term).split())
        if written and any(char.isalnum() for char in written):
            tidy.setdefault(_plain(written), written)
    if len(tidy) < 2:
        raise InvalidInput("synonyms are two terms or more, each with a letter or digit")
    if len(tidy) > MAX_TERMS:
        raise TooLarge(f"synonyms are at most {MAX_TERMS} terms")
    if any(len(term) > MAX_TERM_CHARS for term in tidy.values()):
        raise TooLarge(f"a term has at most {MAX_TERM_CHARS} characters")
    return list(tidy.values())


class SynonymBook:
    """What admins do with synonyms."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    async def list(self) -> Sequence[Synonyms]:
        """Return all synonyms, the oldest first."""
        async with storage_errors(), self._sessions() as session:
            return await all_synonyms(session)

    async def create(
        self, terms: Sequence[str], organisation: OrganisationId | None = None
    ) -> Synonyms:
        """Add synonyms, for one organisation or for all; searches know them within two seconds.

        Raises:
            InvalidInput: they cannot be synonyms.
            NotFound: there is no such organisation.
        """
        tidy = checked(terms)
        async with storage_errors(), self._sessions.begin() as session:
            await _check_organisation(session, organisation)
            count = await session.scalar(select(func.count()).select_from(SynonymsRow))
            if (count or 0) >= MAX_SETS:
                raise TooLarge(f"a desk has at most {MAX_SETS} groups of synonyms")
            made = SynonymsId(new_id())
            session.add(SynonymsRow(id=made, terms=tidy, organisation_id=organisation))
        return Synonyms(id=made, terms=tuple(tidy), organisation=organisation)

    async def change(self, synonyms: Synonyms, *, revision: int | None = None) -> Synonyms:
        """Replace synonyms.

        Raises:
            Outdated: they do not have the version `revision` any more.
        """
        tidy = checked(synonyms.terms)
        async with storage_errors(), self._sessions.begin() as session:
            await _check_organisation(session, synonyms.organisation)
            if revision is not None:
                row = await session.get(SynonymsRow, synonyms.id, with_for_update=True)
                if row is None:
                    raise NotFound("there are no such synonyms")
                check_content(synonyms_of(row), revision)
            changed = await session.scalar(
                update(SynonymsRow)
                .where(SynonymsRow.id == synonyms.id)
                .values(terms=tidy, organisation_id=synonyms.organisation)
                .returning(SynonymsRow.id)
            )
            if changed is None:
                raise NotFound("there are no such synonyms")
        return Synonyms(id=synonyms.id, terms=tuple(tidy), organisation=synonyms.organisation)

    async def delete(self, synonyms: SynonymsId) -> None:
        """Take synonyms away."""
        async with storage_errors(), self._sessions.begin() as session:
            gone = await session.scalar(
                delete(SynonymsRow).where(SynonymsRow.id == synonyms).returning(SynonymsRow.id)
            )
            if gone is None:
                raise NotFound("there are no such synonyms")


async def _check_organisation(session: AsyncSession, organisation: OrganisationId | None) -> None:
    if organisation is None:
        return
    # Locked, so that nobody deletes it until this is stored.
    found = await session.scalar(
        select(Organisation.id).where(Organisation.id == organisation).with_for_update(read=True)
    )
    if found is None:
        raise NotFound("there is no such organisation")
