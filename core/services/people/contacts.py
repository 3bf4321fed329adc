"""Finds whose an address is, and keeps contacts as they are while something is made theirs.

Contacts are locked in their order and before conversations, so that nobody waits for each other.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from uuid import UUID

from sqlalchemy import ARRAY, Uuid, any_, bindparam, exists, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.ids import AccountId, Address, ContactId, new_id
from core.storage.places import is_listed
from core.storage.tables import Contact, ContactAddress, ContactMerge

_NAMED = (
    select(Contact.id)
    .where(Contact.id == any_(bindparam("names", type_=ARRAY(Uuid()))))
    .order_by(Contact.id)
)
_KEPT = _NAMED.with_for_update(read=True)
_FREE = _NAMED.with_for_update(read=True, skip_locked=True)
# What refers to a contact may be written meanwhile, by who waits for nothing of this one.
_LOCKED = _NAMED.with_for_update(key_share=True)


class Overtaken(Exception):
    """Somebody else holds the contact of people for whom something begins, or has moved them.

    It is to be done once more from the start; where that does not help, with their contacts locked
    before anything else.
    """


async def lock_contacts(session: AsyncSession, contacts: Collection[UUID]) -> None:
    """Let nobody else merge, part or keep these contacts before the transaction ends."""
    await session.execute(_LOCKED, {"names": list(contacts)})


async def keep_contacts(session: AsyncSession, contacts: Collection[UUID]) -> None:
    """Let nobody merge or part these contacts before the transaction ends.

    For whoever begins a conversation for a contact: a merge looks for a contact's conversations
    once. The caller has no conversation locked yet, because merges lock contacts first.
    """
    await session.execute(_KEPT, {"names": list(contacts)})


async def keep_if_unchanged(
    session: AsyncSession,
    written_for: Mapping[tuple[AccountId, str], ContactId],
    known_by: Collection[tuple[AccountId, str]],
) -> None:
    """Keep the contacts that something is written for, as `keep_contacts`, but wait for nobody.

    `written_for` tells by account and address for whom. Of those in `known_by` the address is new,
    and given by the caller to whom something else shows to be the same person. For callers who
    have conversations locked, and so must not wait for contacts any more.

    Raises:
        Overtaken: one of them is being changed, be it their name alone or by a merge, or was merged
            or parted since the caller found it.
    """
    contacts = set(written_for.values())
    free = set(await session.scalars(_FREE, {"names": list(contacts)}))
    if free != contacts:
        raise Overtaken
    is_merged = exists().where(
        ContactMerge.merged_id == ContactAddress.contact_id, ContactMerge.undone_at.is_(None)
    )
    rows = await session.execute(
        select(
            ContactAddress.account_id, ContactAddress.address, ContactAddress.contact_id, is_merged
        ).where(is_listed(ContactAddress.account_id, ContactAddress.address, written_for))
    )
    for account, address, holder, was_merged in rows:
        place = (AccountId(account), address)
        if holder != written_for[place] or (was_merged and place in known_by):
            raise Overtaken


async def kept_contact_at(
    session: AsyncSession, account: AccountId, address: Address, name: str | None = None
) -> ContactId:
    """Return who has this address, as `contact_at` does, and keep them as `keep_contacts` does."""
    contact = await contact_at(session, account, address, name)
    while True:
        await keep_contacts(session, [contact])
        # A merge that this had to wait for has given the address to somebody else.
        holder = await contact_at(session, account, address, name)
        if holder == contact:
            return contact
        contact = holder


async def contact_at(
    session: AsyncSession, account: AccountId, address: Address, name: str | None = None
) -> ContactId:
    """Return who has this address; a contact, whom nobody vouches for, is made where nobody does.

    Such a contact is called `name`, or by its address.
    """
    known = select(ContactAddress.contact_id).where(
        ContactAddress.account_id == account, ContactAddress.address == address
    )
    found = await session.scalar(known)
    if found is None:
        contact = new_id()
        made = await session.scalar(
            upsert(ContactAddress)
            .values(account_id=account, address=address, contact_id=contact, name=name)
            .on_conflict_do_nothing()
            .returning(ContactAddress.contact_id)
        )
        if made is not None:
            session.add(Contact(id=contact, name=name or address))
            await session.flush()
            return ContactId(contact)
        found = await session.scalar(known)  # somebody else was first
    assert found is not None
    return ContactId(found)
