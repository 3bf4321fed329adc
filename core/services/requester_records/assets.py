"""The register of assets: added and changed by hand, over the API, and from tables."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Text, cast, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from core.domain.actor import Agent
from core.domain.assets import COLUMNS, AssetDraft, Line, checked, read_table
from core.domain.errors import Conflict, InvalidInput, NotFound
from core.domain.ids import AssetId, new_id
from core.services.audit import record
from core.services.revisions import revise
from core.storage.engine import Sessions, storage_errors
from core.storage.tables import Asset, Contact, Organisation

_MOST_PROBLEMS = 200
_FIELDS = frozenset(COLUMNS)
_ID = re.compile(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_LINES_AT_ONCE = 500  # of a table; each line by itself would be asked for by some statements


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetImport:
    """What became of a table."""

    added: int
    changed: int
    unchanged: int  # the line says of an asset what is known
    left_out: int
    problems: Sequence[tuple[int, str]]  # the line and what is wrong with it; the first of them
    ignored: Sequence[str] = ()  # headings of columns that are none of an asset's


class Assets:
    """Changes of the register; each is in the audit log."""

    def __init__(
        self, sessions: Sessions, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._sessions = sessions
        self._now = now

    async def add(self, draft: AssetDraft, by: Agent) -> AssetId:
        """Add an asset.

        Raises:
            InvalidInput: something of it cannot be kept, or it names who is not there.
            Conflict: its tag is taken.
        """
        async with storage_errors(), self._sessions.begin() as session:
            row = Asset(id=new_id(), revision=1)
            await self._fill(session, row, checked(draft))
            session.add(row)
            await _flush(session)
            record(session, by.actor, "asset.added", _subject(row), new=_said(row))
            return AssetId(row.id)

    async def change(
        self, asset: AssetId, draft: AssetDraft, by: Agent, *, revision: int | None = None
    ) -> None:
        """Replace what is known of an asset.

        Raises:
            NotFound: there is none.
            Outdated: it is not at `revision` any more.
            InvalidInput: something of it cannot be kept, or it names who is not there.
            Conflict: its tag is taken.
        """
        async with storage_errors(), self._sessions.begin() as session:
            row = await session.get(Asset, asset, with_for_update=True)
            if row is None:
                raise NotFound("there is no such asset")
            revise(row, revision)
            old = _said(row)
            await self._fill(session, row, checked(draft))
            await _flush(session)
            record(session, by.actor, "asset.changed", _subject(row), old=old, new=_said(row))

    async def import_table(self, text: str, by: Agent) -> AssetImport:
        """Add or change the assets of a table by their tags; wrong lines are left out and told.

        What it has no column for stays as it is.

        Raises:
            InvalidInput: it is no table of assets.
        """
        async with storage_errors(), self._sessions.begin() as session:
            table = read_table(text)
            importing = _Importing(session, by, table.fields, self._now())
            while lines := list(islice(table.lines, _LINES_AT_ONCE)):
                await importing.take(lines)
            done = importing.done(table.ignored)
            counts = {"added": done.added, "changed": done.changed, "left out": done.left_out}
            record(session, by.actor, "asset.imported", ("asset", "import", "table"), new=counts)
        return done

    async def _fill(self, session: AsyncSession, row: Asset, draft: AssetDraft) -> None:
        named = await _named(session, [draft])
        _write(row, draft, named, _FIELDS)
        row.updated_at = self._now()


@dataclass(slots=True)
class _Importing:
    """A table on its way into the register."""

    session: AsyncSession
    by: Agent
    fields: Collection[str]  # that the table has columns for
    now: datetime
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    problems: list[tuple[int, str]] = field(default_factory=list)

    def done(self, ignored: Sequence[str]) -> AssetImport:
        return AssetImport(
            added=self.added,
            changed=self.changed,
            unchanged=self.unchanged,
            left_out=len(self.problems),
            problems=self.problems[:_MOST_PROBLEMS],
            ignored=ignored,
        )

    async def take(self, lines: Sequence[Line]) -> None:
        drafts = [line.draft for line in lines if line.draft is not None]
        named = await _named(self.session, drafts)
        tags = {named.lower[draft.tag.strip()] for draft in drafts}
        known = select(Asset, func.lower(Asset.tag)).where(func.lower(Asset.tag).in_(tags))
        found = await self.session.execute(known.with_for_update())
        rows = {tag: row for row, tag in found}
        for line in lines:
            if line.draft is None:
                self.problems.append((line.number, line.problem))
                continue
            try:
                self._put(rows, line.draft, named)
            except InvalidInput as error:
                self.problems.append((line.number, str(error)))
        await _flush(self.session)

    def _put(self, rows: dict[str, Asset], draft: AssetDraft, named: _Named) -> None:
        tag = named.lower[draft.tag.strip()]
        row = rows.get(tag)
        if row is None:
            row = Asset(id=new_id(), revision=1, updated_at=self.now)
            _write(row, draft, named, _FIELDS)
            self.session.add(row)
            rows[tag] = row
            record(self.session, self.by.actor, "asset.added", _subject(row), new=_said(row))
            self.added += 1
            return
        old = _said(row)
        _write(row, draft, named, self.fields)
        new = _said(row)
        if new == old:
            self.unchanged += 1
            return
        revise(row, None)
        row.updated_at = self.now
        record(self.session, self.by.actor, "asset.changed", _subject(row), old=old, new=new)
        self.changed += 1


@dataclass(frozen=True, slots=True, kw_only=True)
class _Named:
    """What drafts name, as the database has it."""

    lower: Mapping[str, str]  # words as they are compared
    owners: Mapping[str, UUID]  # by address, as it is compared, or by id
    organisations: Mapping[str, UUID]  # by name, as it is compared, or by id

    def owner(self, email: str) -> UUID | None:
        if not email:
            return None
        if (found := self.owners.get(self.lower[email])) is None:
            raise InvalidInput("there is no requester with this e-mail address")
        return found

    def organisation(self, name: str) -> UUID | None:
        if not name:
            return None
        if (found := self.organisations.get(self.lower[name])) is None:
            raise InvalidInput("there is no organisation of this name")
        return found


async def _named(session: AsyncSession, drafts: Iterable[AssetDraft]) -> _Named:
    """Look up what `drafts` name, all at once."""
    drafts = list(drafts)
    owners = {draft.owner.strip() for draft in drafts}
    organisations = {draft.organisation.strip() for draft in drafts}
    tags = {draft.tag.strip() for draft in drafts}
    # The database folds capitals, as it does where it compares them: not always as Python does.
    words = func.unnest(cast(list(owners | organisations | tags), ARRAY(Text))).column_valued()
    lower = dict((await session.execute(select(words, func.lower(words)))).all())
    email, name = func.lower(Contact.email), func.lower(Organisation.name)
    # Of several the oldest, which is written last.
    of_owners = (
        select(email, Contact.id)
        .where(email.in_({lower[one] for one in owners if one}))
        .order_by(Contact.id.desc())
    )
    of_organisations = select(name, Organisation.id).where(
        name.in_({lower[one] for one in organisations if one})
    )
    return _Named(
        lower=lower,
        owners=await _by_id(session, Contact.id, owners)
        | dict((await session.execute(of_owners)).all()),
        organisations=await _by_id(session, Organisation.id, organisations)
        | dict((await session.execute(of_organisations)).all()),
    )


async def _by_id(
    session: AsyncSession, column: InstrumentedAttribute[UUID], words: Iterable[str]
) -> dict[str, UUID]:
    """Return those of `words` that are ids of `column`, in small letters."""
    ids = {one.lower() for one in words if _ID.fullmatch(one)}
    if not ids:
        return {}
    found = await session.scalars(select(column).where(column.in_([UUID(one) for one in ids])))
    return {str(one): one for one in found}


def _write(row: Asset, draft: AssetDraft, named: _Named, fields: Collection[str]) -> None:
    """Let `row` say what `draft` does, in `fields`.

    Raises:
        InvalidInput: it names who is not there; nothing is written.
    """
    owner = named.owner(draft.owner.strip()) if "owner" in fields else None
    organisation = (
        named.organisation(draft.organisation.strip()) if "organisation" in fields else None
    )
    if "owner" in fields:
        row.contact_id = owner
    if "organisation" in fields:
        row.organisation_id = organisation
    for name in ("tag", "kind", "model", "serial", "notes"):
        if name in fields:
            setattr(row, name, getattr(draft, name).strip())
    for name in ("status", "warranty_until"):
        if name in fields:
            setattr(row, name, getattr(draft, name))


async def _flush(session: AsyncSession) -> None:
    try:
        await session.flush()
    except IntegrityError:
        raise Conflict("there is an asset with this tag already") from None


def _subject(row: Asset) -> tuple[str, object, str]:
    return "asset", row.id, row.tag


def _said(row: Asset) -> dict[str, Any]:
    return {
        "tag": row.tag,
        "kind": row.kind,
        "model": row.model,
        "serial": row.serial,
        "status": row.status,
        "warranty": None if row.warranty_until is None else row.warranty_until.isoformat(),
        "owner": None if row.contact_id is None else str(row.contact_id),
        "organisation": None if row.organisation_id is None else str(row.organisation_id),
        "notes": row.notes,
    }
