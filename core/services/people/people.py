"""Who is who: addresses on platforms, and the contacts that write from them.

Two addresses are one person where platforms vouch for the same e-mail address of both.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import func, insert, select, text
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.events import Author
from core.domain.ids import AccountId, ContactId, new_id
from core.services.intake.order import Place
from core.services.ledger import Ledger
from core.services.people.contacts import lock_contacts
from core.services.people.language import LanguageSource
from core.services.people.moves import Move
from core.storage.places import is_listed
from core.storage.tables import Contact, ContactAddress

_ASKED_AGAIN_AFTER = timedelta(days=1)

_LOCK_EMAILS = text(
    "SELECT pg_advisory_xact_lock(hashtextextended(email, 7070)) FROM"
    " (SELECT email FROM unnest(CAST(:emails AS text[])) email ORDER BY email) AS ordered"
)

# In order, so that two transactions never wait for each other.
_NAME_CONTACTS = text(
    """
    UPDATE contact SET name = COALESCE(said.name, contact.name),
        email = COALESCE(said.email, contact.email),
        language = CASE WHEN contact.language_source = 'platform' OR contact.language IS NULL
            THEN COALESCE(said.language, contact.language) ELSE contact.language END
    FROM (SELECT * FROM unnest(CAST(:contacts AS uuid[]), CAST(:names AS text[]),
                               CAST(:emails AS text[]), CAST(:languages AS text[]))
          AS one (contact, name, email, language) ORDER BY contact) AS said
    WHERE contact.id = said.contact
    """
)
_NAME_ADDRESSES = text(
    """
    UPDATE contact_address SET name = COALESCE(said.name, contact_address.name),
        verified_email = COALESCE(said.email, contact_address.verified_email)
    FROM (SELECT * FROM unnest(CAST(:accounts AS text[]), CAST(:addresses AS text[]),
                               CAST(:names AS text[]), CAST(:emails AS text[]))
          AS one (account, address, name, email) ORDER BY account, address) AS said
    WHERE contact_address.account_id = said.account
      AND contact_address.address = said.address
    """
)


@dataclass(slots=True, kw_only=True)
class Recognised:
    """The people behind a transaction's events."""

    contacts: dict[Place, ContactId]
    languages: Mapping[Place, str] = field(default_factory=dict)  # of contacts known before
    chosen: Collection[Place] = ()  # whose language they chose themselves
    moves: Sequence[Move] = ()
    wanted: Collection[Place] = ()  # whom the platform is to be asked about
    blocked: Collection[Place] = ()  # whose messages are spam
    made: Collection[ContactId] = ()  # by this transaction: nobody else knows them yet
    by_email: Collection[Place] = ()  # new, of contacts that were known by their e-mail address


async def recognise(
    session: AsyncSession,
    ledger: Ledger,
    writing: Mapping[Place, Author],
    changed: Mapping[Place, Author],
    *,
    locks_all: bool = False,
) -> Recognised:
    """Find the contacts of who writes, made where there is none, and of whose profile changed.

    Contacts that are to be joined are locked, with `locks_all` all that are known. The caller
    locks their conversations and then calls `move`.
    """
    seen = {**writing, **changed}
    if not seen:
        return Recognised(contacts={})
    if locks_all:
        await _lock_all(session, seen)
    known = await _addresses(session, seen)
    news = {
        place: author.email.lower()
        for place, author in seen.items()
        if author.email and (place in writing or place in known)
        if place not in known or known[place].verified_email != author.email.lower()
    }
    holders = await _holders(session, news.values()) if news else {}
    missing = sorted(writing.keys() - known.keys())
    told = known.keys() & (news.keys() | changed.keys())
    by_email = {place for place in missing if news.get(place) in holders}
    wanted = _ask_again(ledger, known, writing)
    made: Collection[ContactId] = ()
    if missing:
        added, made = await _add(session, writing, missing, holders)
        known |= added
        wanted |= {place for place in missing if _looks_up(ledger, place)}
        if len(known) < len(seen):  # others were first
            known = await _addresses(session, seen)
    moves: Sequence[Move] = []
    while (found := _moves(known, news, holders)) != moves:
        moves = found
        await lock_contacts(session, {name for one in moves for name in (one.old, one.new)})
        # A merge that this had to wait for has given them to somebody else.
        known |= await _addresses(session, [one.place for one in moves])
        holders |= await _holders(session, [news[one.place] for one in moves])
    contacts = {place: ContactId(row.contact_id) for place, row in known.items()}
    contacts.update({one.place: one.new for one in moves})
    moved = {one.place for one in moves}
    # Who is found to be a known contact keeps that contact's name.
    named = {place: contacts[place] for place in told if place in changed or place not in moved}
    await _note(session, {place: seen[place] for place in sorted(told)}, named)
    blocked = {place for place, row in known.items() if row.blocked_at is not None}
    return Recognised(
        contacts=contacts,
        languages={place: row.language for place, row in known.items() if row.language},
        chosen={
            place for place, row in known.items() if row.language_source == LanguageSource.CHOICE
        },
        moves=moves,
        wanted=wanted,
        blocked=blocked,
        made=made,
        by_email=by_email,
    )


async def _lock_all(session: AsyncSession, seen: Mapping[Place, Author]) -> None:
    """Lock the contacts of all that are seen, and of their e-mail addresses."""
    emails = {author.email.lower() for author in seen.values() if author.email}
    are_locked: set[UUID] = set()
    while True:
        holders = await _holders(session, emails) if emails else {}
        known = await _addresses(session, seen)
        found = {row.contact_id for row in known.values()} | set(holders.values())
        if found <= are_locked:
            return
        await lock_contacts(session, found)
        are_locked |= found


def _moves(
    known: Mapping[Place, _Address], news: Mapping[Place, str], holders: Mapping[str, ContactId]
) -> Sequence[Move]:
    """Return which addresses belong to another contact, by what is news of their e-mail."""
    return [
        Move(place=place, old=ContactId(known[place].contact_id), new=holders[email])
        for place, email in news.items()
        if place in known and email in holders and holders[email] != known[place].contact_id
    ]


class _Address(NamedTuple):
    contact_id: UUID
    verified_email: str | None
    looked_up_at: datetime | None
    look_up_at: datetime | None
    blocked_at: datetime | None
    language: str | None = None  # of a contact that was known before
    language_source: str | None = None


_ADDRESS = (
    ContactAddress.account_id,
    ContactAddress.address,
    ContactAddress.contact_id,
    ContactAddress.verified_email,
    ContactAddress.looked_up_at,
    ContactAddress.look_up_at,
    ContactAddress.blocked_at,
)


async def _addresses(session: AsyncSession, places: Collection[Place]) -> dict[Place, _Address]:
    rows = await session.execute(
        select(*_ADDRESS, Contact.language, Contact.language_source)
        .join(Contact, Contact.id == ContactAddress.contact_id)
        .where(is_listed(ContactAddress.account_id, ContactAddress.address, places))
    )
    return _by_place(rows)


def _by_place(rows: Iterable[Any]) -> dict[Place, _Address]:
    return {(AccountId(row.account_id), row.address): _Address(*row[2:]) for row in rows}


async def _holders(session: AsyncSession, emails: Collection[str]) -> dict[str, ContactId]:
    """Return the contact of each verified e-mail address that has one.

    Until the transaction ends nobody else can say whose these addresses are: two processes that
    meet a person in two accounts at once would make two contacts.
    """
    await session.execute(_LOCK_EMAILS, {"emails": sorted(set(emails))})
    rows = await session.execute(
        select(ContactAddress.verified_email, ContactAddress.contact_id)
        .where(ContactAddress.verified_email.in_(emails))
        .order_by(ContactAddress.contact_id.desc())
    )
    return {email: ContactId(contact) for email, contact in rows if email is not None}


async def _blocked(session: AsyncSession, addresses: Collection[str]) -> dict[str, datetime]:
    """Return since when addresses, in lower case, are blocked in whatever account."""
    name = func.lower(ContactAddress.address)
    rows = await session.execute(
        select(name, func.min(ContactAddress.blocked_at))
        .where(
            name.in_({address.lower() for address in addresses}),
            ContactAddress.blocked_at.is_not(None),
        )
        .group_by(name)
    )
    return {row[0]: row[1] for row in rows}


async def _add(
    session: AsyncSession,
    writing: Mapping[Place, Author],
    missing: Sequence[Place],
    holders: dict[str, ContactId],
) -> tuple[dict[Place, _Address], Collection[ContactId]]:
    """Add addresses; return them and the contacts made. `holders` learns whose their e-mail is.

    Who is blocked in one account is so from their first word in another.
    """
    blocked = await _blocked(session, {address for _, address in missing})
    fresh: dict[Place, ContactId] = {}
    rows = []
    for place in missing:
        author = writing[place]
        email = author.email.lower() if author.email else None
        if email is not None and email in holders:
            contact = holders[email]
        else:
            contact = fresh[place] = ContactId(new_id())
            if email is not None:
                holders[email] = contact
        rows.append(
            {
                "account_id": place[0],
                "address": place[1],
                "contact_id": contact,
                "name": author.name,
                "verified_email": email,
                "blocked_at": blocked.get(place[1].lower()),
            }
        )
    won = await session.execute(
        upsert(ContactAddress).values(rows).on_conflict_do_nothing().returning(*_ADDRESS)
    )
    added = _by_place(won)
    used = {row.contact_id for row in added.values()}
    contacts = [
        {
            "id": contact,
            "name": writing[place].name,
            "email": writing[place].email,
            "language": writing[place].language,
        }
        for place, contact in fresh.items()
        if contact in used
    ]
    if contacts:
        await session.execute(insert(Contact), contacts)
    return added, {contact for contact in fresh.values() if contact in used}


def _ask_again(
    ledger: Ledger, known: Mapping[Place, _Address], writing: Collection[Place]
) -> set[Place]:
    """Return the people whom the platform was not asked about for a day."""
    return {
        place
        for place, row in known.items()
        if place in writing and _looks_up(ledger, place) and row.look_up_at is None
        if row.looked_up_at is None or row.looked_up_at < ledger.now - _ASKED_AGAIN_AFTER
    }


def _looks_up(ledger: Ledger, place: Place) -> bool:
    capabilities = ledger.can(place[0])
    return capabilities is not None and capabilities.looks_up_people


async def _note(
    session: AsyncSession, told: Mapping[Place, Author], contacts: Mapping[Place, ContactId]
) -> None:
    """Write down what platforms say of people; what they do not say stays.

    Of those in `contacts`, what is said is the contact's too; of two places of one contact the
    last counts.
    """
    said: dict[ContactId, dict[str, str]] = {}
    for place, author in told.items():
        words = {"name": author.name, "email": author.email, "language": author.language}
        if place in contacts:
            known = said.setdefault(contacts[place], {})
            known.update({name: value for name, value in words.items() if value})
    names = sorted(contact for contact, words in said.items() if words)
    if names:
        await session.execute(
            _NAME_CONTACTS,
            {
                "contacts": names,
                "names": [said[contact].get("name") for contact in names],
                "emails": [said[contact].get("email") for contact in names],
                "languages": [said[contact].get("language") for contact in names],
            },
        )
    places = [place for place, author in told.items() if author.name or author.email]
    if places:
        emails = [told[place].email for place in places]
        await session.execute(
            _NAME_ADDRESSES,
            {
                "accounts": [account for account, _ in places],
                "addresses": [address for _, address in places],
                "names": [told[place].name or None for place in places],
                "emails": [email.lower() if email else None for email in emails],
            },
        )
