"""Finds whose an address is, and keeps contacts as they are while something is made theirs."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import ARRAY, Uuid, any_, bindparam, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.ids import AccountId, Address, ContactId, new_id
from core.storage.tables import Contact, ContactAddress

_KEPT = (
    select(Contact.id)
    .where(Contact.id == any_(bindparam("names", type_=ARRAY(Uuid()))))
    .order_by(Contact.id)
    .with_for_update(read=True)
)


async def keep_contacts(session: AsyncSession, contacts: Collection[UUID]) -> None:
    """Let nobody merge or part these contacts before the transaction ends.

    For whoever begins a conversation for a contact: a merge looks for a contact's conversations
    once. The caller has no conversation locked yet, because merges lock contacts first.
    """
    await session.execute(_KEPT, {"names": list(contacts)})


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
