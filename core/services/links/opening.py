"""Opens a problem that no requester reported: an agent found it, or many tickets have it in common.

Its requester is the agent, as a contact whom nobody writes to.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.account import PROGRAMS
from core.domain.actor import Agent
from core.domain.assistant import HandoffReason
from core.domain.classification import Kind
from core.domain.events import Author
from core.domain.ids import Address, ContactId, new_id
from core.services.case import Case
from core.services.ledger import Ledger
from core.services.tickets.registering import Matter, register
from core.storage.tables import Contact, ContactAddress


async def open_problem(
    session: AsyncSession,
    ledger: Ledger,
    subject: str,
    text: str,
    by: Agent,
    reason: HandoffReason,
) -> Case:
    """Open a ticket of the type problem; the caller writes `ledger`."""
    author = Author(address=Address(f"agent:{by.id}"), name=by.name)
    case = await register(
        session,
        ledger,
        Matter(
            account=PROGRAMS,
            contact=await _contact(session, author, ledger.now),
            author=author,
            subject=subject,
            text=text,
            reason=reason,
            language=by.language,
        ),
        actor=by.actor,
    )
    case.ticket.kind = Kind.PROBLEM
    ledger.record(case.ticket, "kind", Kind.INCIDENT, Kind.PROBLEM, actor=by.actor)
    return case


async def _contact(session: AsyncSession, author: Author, now: datetime) -> ContactId:
    known = await session.scalar(
        select(ContactAddress.contact_id).where(
            ContactAddress.account_id == PROGRAMS, ContactAddress.address == author.address
        )
    )
    if known is not None:
        return ContactId(known)
    made = ContactId(new_id())
    session.add(Contact(id=made, name=author.name, created_at=now))
    await session.flush()
    session.add(
        ContactAddress(
            account_id=PROGRAMS, address=author.address, contact_id=made, name=author.name
        )
    )
    return made
