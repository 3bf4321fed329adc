"""The register of assets: added and changed by hand, over the API, and from tables."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.actor import Agent
from core.domain.assets import COLUMNS, AssetDraft, checked, read_table
from core.domain.errors import Conflict, InvalidInput, NotFound
from core.domain.ids import AssetId, new_id
from core.services.audit import record
from core.services.revisions import revise
from core.storage.engine import Sessions, storage_errors
from core.storage.tables import Asset, Contact, Organisation

_MOST_PROBLEMS = 200
_FIELDS = frozenset(COLUMNS)


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetImport:
    """What became of a table."""

    added: int
    changed: int
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
        added = changed = 0
        problems: list[tuple[int, str]] = []
        async with storage_errors(), self._sessions.begin() as session:
            table = read_table(text)
            for line in table.lines:
                if line.draft is None:
                    problems.append((line.number, line.problem))
                    continue
                try:
                    is_new = await self._put(session, line.draft, table.fields)
                except InvalidInput as error:
                    problems.append((line.number, str(error)))
                    continue
                added += is_new
                changed += not is_new
            counts = {"added": added, "changed": changed, "left out": len(problems)}
            record(session, by.actor, "asset.imported", ("asset", "import", "table"), new=counts)
        return AssetImport(
            added=added,
            changed=changed,
            left_out=len(problems),
            problems=problems[:_MOST_PROBLEMS],
            ignored=table.ignored,
        )

    async def _put(self, session: AsyncSession, draft: AssetDraft, fields: Collection[str]) -> bool:
        row = await session.scalar(
            select(Asset)
            .where(func.lower(Asset.tag) == draft.tag.strip().lower())
            .with_for_update()
        )
        is_new = row is None
        if row is None:
            row, fields = Asset(id=new_id(), revision=0), _FIELDS
        await self._fill(session, row, draft, fields)
        revise(row, None)
        session.add(row)
        await _flush(session)
        return is_new

    async def _fill(
        self,
        session: AsyncSession,
        row: Asset,
        draft: AssetDraft,
        fields: Collection[str] = _FIELDS,
    ) -> None:
        if "owner" in fields:
            row.contact_id = await _owner(session, draft.owner.strip())
        if "organisation" in fields:
            row.organisation_id = await _organisation(session, draft.organisation.strip())
        for name in ("tag", "kind", "model", "serial", "notes"):
            if name in fields:
                setattr(row, name, getattr(draft, name).strip())
        for name in ("status", "warranty_until"):
            if name in fields:
                setattr(row, name, getattr(draft, name))
        row.updated_at = self._now()


async def _flush(session: AsyncSession) -> None:
    try:
        await session.flush()
    except IntegrityError:
        raise Conflict("there is an asset with this tag already") from None


async def _owner(session: AsyncSession, email: str) -> UUID | None:
    if not email:
        return None
    found = await session.scalar(
        select(Contact.id)
        .where(func.lower(Contact.email) == email.lower())
        .order_by(Contact.id)
        .limit(1)
    )
    if found is None:
        raise InvalidInput("there is no requester with this e-mail address")
    return found


async def _organisation(session: AsyncSession, name: str) -> UUID | None:
    if not name:
        return None
    found = await session.scalar(
        select(Organisation.id).where(func.lower(Organisation.name) == name.lower())
    )
    if found is None:
        raise InvalidInput("there is no organisation of this name")
    return found


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
    }
