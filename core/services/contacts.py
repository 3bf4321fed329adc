"""Finds whose an address is, where an agent names it and nobody has written from it yet."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.ids import AccountId, Address, ContactId, new_id
from core.storage.tables import Contact, ContactAddress


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
