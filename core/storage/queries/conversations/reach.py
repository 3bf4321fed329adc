"""Where requesters can be written to by mail, as far as the desk knows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import exists, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.channel import RecipientOutcome
from core.domain.ids import AccountId, Address, ContactId
from core.storage.tables import Contact, ContactAddress, ContactMerge


@dataclass(frozen=True, slots=True, kw_only=True)
class MailAddress:
    """An address of a requester, and the account that knows it as theirs."""

    account: AccountId | None  # none: no account of letters has heard from it
    address: Address


async def mail_addresses(
    session: AsyncSession, contacts: Collection[ContactId], accounts: Collection[AccountId]
) -> Mapping[ContactId, Sequence[MailAddress]]:
    """Return where each of `contacts` can be mailed, the surest first; `accounts` send letters.

    What an account of letters knows comes first, then what a platform vouches for, then what an
    agent wrote down. Addresses that are blocked, or that mail came back from for good, are left
    out.
    """
    found: dict[ContactId, list[tuple[int, MailAddress]]] = defaultdict(list)
    rows = await session.scalars(
        select(ContactAddress)
        .where(ContactAddress.contact_id.in_(contacts))
        .order_by(ContactAddress.account_id, ContactAddress.address)
    )
    unfit: dict[ContactId, set[str]] = defaultdict(set)
    for row in rows:
        contact = ContactId(row.contact_id)
        account = AccountId(row.account_id)
        if row.blocked_at is not None or row.bounce == RecipientOutcome.HARD:
            unfit[contact].add(row.address)
        elif account in accounts:
            found[contact].append((0, _at(account, row.address)))
        elif "@" in row.address:
            found[contact].append((2, _at(None, row.address)))
        if row.verified_email is not None:
            found[contact].append((1, _at(None, row.verified_email)))
    mails = await session.execute(
        select(Contact.id, Contact.email).where(
            Contact.id.in_(contacts), Contact.email.is_not(None)
        )
    )
    for name, email in mails:
        found[ContactId(name)].append((1, _at(None, str(email))))
    return {
        contact: [
            one
            for _, one in sorted(ways, key=lambda way: way[0])
            if one.address not in unfit[contact]
        ]
        for contact, ways in found.items()
    }


async def holder_of(
    session: AsyncSession, address: Address, accounts: Collection[AccountId]
) -> ContactId | None:
    """Return the requester who has `address`, in lower case; None where nobody has it.

    They write from it to one of `accounts`, or a platform vouches for it as theirs. Of several it
    is the one known for longest; who was merged into another is that one.
    """
    merged = exists().where(ContactMerge.merged_id == Contact.id, ContactMerge.undone_at.is_(None))
    for query in (
        select(ContactAddress.contact_id)
        .where(
            func.lower(ContactAddress.address) == address, ContactAddress.account_id.in_(accounts)
        )
        .order_by(ContactAddress.contact_id),
        select(ContactAddress.contact_id)
        .where(ContactAddress.verified_email == address)
        .order_by(ContactAddress.contact_id),
        select(Contact.id).where(func.lower(Contact.email) == address).order_by(merged, Contact.id),
    ):
        found = await session.scalar(query.limit(1))
        if found is not None:
            return await _kept(session, ContactId(found))
    return None


async def _kept(session: AsyncSession, contact: ContactId) -> ContactId:
    """Return whom `contact` was merged into, in the end; itself where into nobody."""
    into = await session.scalar(
        select(ContactMerge.kept_id).where(
            ContactMerge.merged_id == contact, ContactMerge.undone_at.is_(None)
        )
    )
    return contact if into is None else await _kept(session, ContactId(into))


def _at(account: AccountId | None, address: str) -> MailAddress:
    return MailAddress(account=account, address=Address(address))
