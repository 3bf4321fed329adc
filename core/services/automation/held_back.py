"""Rules that apply again and again: admins are told, and the audit log has it."""

from __future__ import annotations

from enum import StrEnum
from uuid import UUID

from core.domain.ids import TicketId
from core.domain.notification import Notice
from core.services import audit
from core.services.case import Case
from core.services.notifications.colleagues import admins
from core.services.notifications.leaving import Told, leave


class HeldBack(StrEnum):
    """Why a rule is applied no further, as the audit log keeps it."""

    TOO_OFTEN = "too often"  # to one ticket as often as is allowed within an hour
    ECHO = "echo"  # it is applied, but nothing reacts to what it does: too many in a row


async def tell_of(case: Case, rule: UUID, name: str, why: HeldBack) -> None:
    """Tell admins that `rule` is held back in the locked `case`; of each rule once an hour."""
    number, actor = case.ticket.number, f"rule:{rule}"
    is_new = await audit.record_refusal(
        case.session,
        actor,
        "rule.held_back",
        ("rule", rule, name),
        why,
        about={"ticket": f"#{number}"},
    )
    if not is_new:
        return
    ticket = TicketId(case.ticket.id)
    told = [
        Told(agent=admin, ticket=ticket, notice=Notice.HELD_BACK, by=actor, detail=name)
        for admin in await admins(case.session)
    ]
    if await leave(case.session, told, case.ledger.now):
        case.changed()
