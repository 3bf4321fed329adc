"""What agents write down about a requester."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from zoneinfo import available_timezones

from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.actor import Agent
from core.domain.errors import InvalidInput, NotFound
from core.domain.ids import ContactId, OrganisationId, new_id
from core.domain.languages import is_language
from core.services.audit import record
from core.services.people.language import LanguageSource
from core.services.revisions import revise
from core.storage.engine import Sessions, storage_errors
from core.storage.tables import Contact, Organisation

MAX_NAME_CHARS = 200
MAX_NOTES_CHARS = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactDraft:
    """A requester as somebody writes them down; their addresses are the platforms' to say."""

    name: str
    language: str | None = None  # ISO 639-1, also one that the desk does not speak
    time_zone: str | None = None  # of the IANA database
    organisation: OrganisationId | None = None
    is_vip: bool = False
    notes: str = ""


class ContactBook:
    """Changes of requesters' records; each is in the audit log, notes without their words."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    async def change(
        self, contact: ContactId, draft: ContactDraft, by: Agent, *, revision: int | None = None
    ) -> None:
        """Replace what is written down about a requester.

        Raises:
            NotFound: there is none.
            Outdated: the record is not at `revision` any more.
            InvalidInput: something cannot be kept, or names what is not there.
        """
        _check(draft)
        async with storage_errors(), self._sessions.begin() as session:
            row = await session.get(Contact, contact, with_for_update=True)
            if row is None:
                raise NotFound("there is no such requester")
            revise(row, revision)
            await _check_organisation(session, row, draft.organisation)
            old = _said(row)
            had_notes = row.notes
            row.name = " ".join(draft.name.split()) or None
            if draft.language != row.language:
                row.language = draft.language
                row.language_source = (
                    LanguageSource.AGENT if draft.language else LanguageSource.PLATFORM
                )
            row.time_zone = draft.time_zone
            row.organisation_id, row.is_vip = draft.organisation, draft.is_vip
            row.notes = draft.notes.strip()
            new = _said(row) | ({"notes": "changed"} if row.notes != had_notes else {})
            subject = ("contact", contact, row.name or "?")
            record(session, by.actor, "contact.changed", subject, old=old, new=new)


async def write_down(session: AsyncSession, draft: ContactDraft, by: Agent) -> Contact:
    """Add a requester who has not written to the desk yet.

    Raises:
        InvalidInput: something cannot be kept, names what is not there, or the name is missing.
    """
    _check(draft)
    if not draft.name.strip():
        raise InvalidInput("a requester needs a name")
    row = Contact(
        id=new_id(),
        name=" ".join(draft.name.split()),
        language=draft.language,
        language_source=LanguageSource.AGENT if draft.language else LanguageSource.PLATFORM,
        time_zone=draft.time_zone,
        is_vip=draft.is_vip,
        notes=draft.notes.strip(),
    )
    await _check_organisation(session, row, draft.organisation)
    row.organisation_id = draft.organisation
    session.add(row)
    await session.flush()
    subject = ("contact", row.id, row.name or "?")
    record(session, by.actor, "contact.added", subject, new=_said(row))
    return row


def _check(draft: ContactDraft) -> None:
    if len(draft.name) > MAX_NAME_CHARS or "\x00" in draft.name:
        raise InvalidInput("a requester's name has 200 characters at most")
    if len(draft.notes) > MAX_NOTES_CHARS or "\x00" in draft.notes:
        raise InvalidInput("notes have 5,000 characters at most")
    if draft.language is not None and not is_language(draft.language):
        raise InvalidInput("there is no such language")
    if draft.time_zone is not None and draft.time_zone not in available_timezones():
        raise InvalidInput("there is no such time zone")


async def _check_organisation(
    session: AsyncSession, row: Contact, organisation: OrganisationId | None
) -> None:
    if organisation is None or organisation == row.organisation_id:
        return
    found = await session.get(Organisation, organisation)
    if found is None or found.archived_at is not None:
        raise InvalidInput("there is no such organisation")


def _said(row: Contact) -> dict[str, Any]:
    return {
        "name": row.name,
        "language": row.language,
        "time zone": row.time_zone,
        "organisation": None if row.organisation_id is None else str(row.organisation_id),
        "vip": row.is_vip,
    }
