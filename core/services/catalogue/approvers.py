"""Who may decide on a request, and asking them: each has a link and, where it fits, a button."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.catalogue import LINK_LASTS
from core.domain.ids import AgentId, new_id
from core.services.case import Case
from core.storage.queries.catalogue.requests import addresses_of
from core.storage.tables import AgentRow, ApprovalAsk, Approver, Contact, ItemRequest, Ticket
from core.texts import text

NOBODY = "Nobody can approve this: its approval role has no one besides the requester."


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """Somebody of an approval role."""

    email: str
    name: str
    language: str
    agent: AgentId | None


async def members_for(
    session: AsyncSession, request: ItemRequest, contact: UUID
) -> Sequence[Member]:
    """Return who may decide on `request`: those of its role, but for whoever asks.

    Nobody approves what they want themselves, whatever role they have.
    """
    own = await addresses_of(session, contact)
    language = await session.scalar(select(Ticket.language).where(Ticket.id == request.ticket_id))
    rows = await session.execute(
        select(Approver.email, AgentRow)
        .outerjoin(AgentRow, AgentRow.id == Approver.agent_id)
        .where(Approver.role_id == request.role_id, AgentRow.disabled_at.is_(None))
        .order_by(Approver.id)
    )
    members: dict[str, Member] = {}
    for email, agent in rows:
        if agent is not None:
            member = Member(
                email=agent.email,
                name=agent.name or agent.email,
                language=agent.language,
                agent=AgentId(agent.id),
            )
        else:
            member = await _outsider(session, email, language or "en")
        # An agent who is named by address too is the agent.
        if member.email not in members or member.agent is not None:
            members[member.email] = member
    return [member for member in members.values() if member.email not in own]


async def ask_members(case: Case, request: ItemRequest) -> None:
    """Ask all who may decide, or ask them again; where there is nobody, say so to the agents."""
    members = await members_for(case.session, request, case.ticket.contact_id)
    rows = await case.session.scalars(
        select(ApprovalAsk).where(ApprovalAsk.request_id == request.id).with_for_update()
    )
    known = {row.email: row for row in rows}
    now = case.ledger.now
    for member in members:
        ask = known.pop(member.email, None)
        if ask is None:
            ask = ApprovalAsk(id=new_id(), request_id=request.id, email=member.email)
            case.session.add(ask)
        ask.agent_id, ask.name, ask.language = member.agent, member.name, member.language
        ask.asked_at, ask.expires_at = now, now + LINK_LASTS
        ask.mail_at = ask.chat_at = now
        ask.mail_problem = None
    await case.session.execute(
        delete(ApprovalAsk).where(ApprovalAsk.id.in_([row.id for row in known.values()]))
    )
    if not members:
        case.ledger.note(case.conversation, None, text(case.conversation.language, NOBODY))


async def _outsider(session: AsyncSession, email: str, language: str) -> Member:
    """Return somebody outside the desk, by what is known of them as a requester.

    Whose language is not known is written to in that of the request.
    """
    contact = await session.scalar(
        select(Contact).where(func.lower(Contact.email) == email).order_by(Contact.id).limit(1)
    )
    return Member(
        email=email,
        name=email if contact is None else contact.name or email,
        language=language if contact is None else contact.language or language,
        agent=None,
    )
