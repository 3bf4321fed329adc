"""Makes two contacts one where an agent knows that they are, and parts them again."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, tuple_, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.actor import Agent
from core.domain.errors import Conflict, InvalidInput, NotedRefusal, NotFound
from core.domain.ids import ContactId, new_id
from core.domain.undoing import UNDONE_WITHIN
from core.services.audit import record
from core.services.ledger import Accounts, Ledger
from core.services.people.contacts import lock_contacts
from core.storage.engine import Sessions, storage_errors
from core.storage.feed import FeedKind
from core.storage.queries.access.sight import sight_of
from core.storage.tables import (
    Asset,
    Contact,
    ContactAddress,
    ContactMerge,
    Conversation,
    Satisfaction,
    Ticket,
)

_Owned = type[Ticket] | type[Asset] | type[Satisfaction]
_OWNED: Mapping[str, _Owned] = {
    "tickets": Ticket,
    "assets": Asset,
    "satisfaction": Satisfaction,
}


class ContactMerging:
    """Merges of contacts; each is in the audit log and can be undone for 30 days."""

    def __init__(
        self,
        sessions: Sessions,
        accounts: Accounts,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._sessions = sessions
        self._accounts = accounts
        self._now = now

    async def merge(self, kept: ContactId, merged: ContactId, by: Agent) -> UUID:
        """Give all that is `merged`'s to `kept`; return the merge's id.

        Raises:
            NotFound: one of them is not there.
            InvalidInput: they are the same.
            Forbidden: one of them has a ticket that `by` may not see; the audit log has it.
            Conflict: `merged` was merged already.
        """
        if kept == merged:
            raise InvalidInput("a requester cannot be merged with themselves")
        async with storage_errors(), self._sessions.begin() as session:
            await self._check_sight(session, (kept, merged), by)
            return await self.merge_in(session, kept, merged, by.actor)

    async def merge_in(
        self, session: AsyncSession, kept: ContactId, merged: ContactId, actor: str
    ) -> UUID:
        """Do what `merge` does in the caller's transaction.

        It holds no conversation yet. Who merges several locks their contacts before the first.
        """
        contacts = await _locked(session, kept, merged)
        # First: what is opened in a conversation meanwhile is opened for whoever has it then.
        conversations = await _lock_conversations(session, merged)
        moved = {
            "addresses": [list(place) for place in await _addresses(session, merged)],
            "conversations": conversations,
            **{name: await _ids(session, table, merged) for name, table in _OWNED.items()},
        }
        row = ContactMerge(
            id=new_id(),
            kept_id=kept,
            merged_id=merged,
            merged_name=contacts[merged].name or contacts[merged].email or "?",
            moved=moved,
            by=actor,
            at=self._now(),
        )
        session.add(row)
        try:
            await session.flush()
        except IntegrityError:
            raise Conflict("this requester was merged already") from None
        await self._give(session, moved, merged, kept)
        subject = ("contact", kept, contacts[kept].name or "?")
        record(session, actor, "contact.merged", subject, new={"with": row.merged_name})
        return row.id

    async def undo(self, merge: UUID, by: Agent) -> None:
        """Part two contacts again; what came to the kept one meanwhile stays there.

        Raises:
            NotFound: there is no such merge, or one of the contacts is gone.
            Forbidden: one of them has a ticket that `by` may not see; the audit log has it.
            Conflict: it was undone already, or is older than 30 days.
        """
        async with storage_errors(), self._sessions.begin() as session:
            row = await session.get(ContactMerge, merge, with_for_update=True)
            if row is None:
                raise NotFound("there is no such merge")
            if row.undone_at is not None or row.at < self._now() - UNDONE_WITHIN:
                raise Conflict("a merge can be undone once, within 30 days")
            kept, merged = ContactId(row.kept_id), ContactId(row.merged_id)
            contacts = await _locked(session, kept, merged)
            await self._check_sight(session, (kept, merged), by)
            row.undone_at = self._now()
            await self._give(session, row.moved, kept, merged)
            subject = ("contact", kept, contacts[kept].name or "?")
            record(session, by.actor, "contact.parted", subject, new={"from": row.merged_name})

    async def _check_sight(
        self, session: AsyncSession, contacts: Collection[ContactId], by: Agent
    ) -> None:
        # Whoever has a contact's addresses can ask the assistant about all of their tickets.
        sight = await sight_of(session, by)
        if sight is None:
            return
        number = await session.scalar(
            select(Ticket.number)
            .where(Ticket.contact_id.in_(contacts), ~sight.holds())
            .order_by(Ticket.number)
            .limit(1)
        )
        if number is None:
            return
        async with self._sessions.begin() as apart:
            subject = ("ticket", number, f"#{number}")
            new = {"request": "merging of requesters"}
            record(apart, by.actor, "ticket.refused", subject, new=new)
        raise NotedRefusal("this requester has tickets of another team")

    async def _give(
        self, session: AsyncSession, what: dict[str, Any], old: ContactId, new: ContactId
    ) -> None:
        """Give what is still `old`'s of `what` to `new`."""
        ledger = Ledger(self._accounts, self._now())
        places = [tuple(place) for place in what["addresses"]]
        if places:
            await session.execute(
                update(ContactAddress)
                .where(
                    tuple_(ContactAddress.account_id, ContactAddress.address).in_(places),
                    ContactAddress.contact_id == old,
                )
                .values(contact_id=new)
            )
        conversations = await session.scalars(
            select(Conversation)
            .where(
                Conversation.id.in_([UUID(one) for one in what["conversations"]]),
                Conversation.contact_id == old,
            )
            .order_by(Conversation.id)
            .with_for_update()
        )
        for conversation in conversations.all():
            conversation.contact_id = new
            ledger.changed(conversation, FeedKind.CONVERSATION)
        await session.flush()
        for name, table in _OWNED.items():
            ids = [UUID(one) for one in what[name]]
            if ids:
                await session.execute(
                    update(table)
                    .where(table.id.in_(ids), table.contact_id == old)
                    .values(contact_id=new)
                )
        await ledger.write(session)


async def _locked(
    session: AsyncSession, kept: ContactId, merged: ContactId
) -> dict[ContactId, Contact]:
    await lock_contacts(session, (kept, merged))
    rows = await session.scalars(select(Contact).where(Contact.id.in_((kept, merged))))
    found = {ContactId(row.id): row for row in rows}
    if len(found) < 2:
        raise NotFound("there is no such requester")
    return found


async def _addresses(session: AsyncSession, contact: ContactId) -> Sequence[tuple[str, str]]:
    rows = await session.execute(
        select(ContactAddress.account_id, ContactAddress.address).where(
            ContactAddress.contact_id == contact
        )
    )
    return [(account, address) for account, address in rows]


async def _lock_conversations(session: AsyncSession, contact: ContactId) -> list[str]:
    rows = await session.scalars(
        select(Conversation.id)
        .where(Conversation.contact_id == contact)
        .order_by(Conversation.id)
        .with_for_update()
    )
    return [str(one) for one in rows]


async def _ids(session: AsyncSession, table: _Owned, contact: ContactId) -> list[str]:
    rows = await session.scalars(select(table.id).where(table.contact_id == contact))
    return [str(one) for one in rows]
