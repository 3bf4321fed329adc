"""Sign-ins as the audit log keeps them, those that failed too, however many somebody tries."""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy.ext.asyncio import AsyncSession

from core.services import audit
from core.storage.tables import AgentRow, SignInLink

_SOMEBODY = "somebody"


class Way(StrEnum):
    """How somebody signed in."""

    PASSWORD = "password"  # noqa: S105  # the word for it
    LINK = "link"


def note_sign_in(session: AsyncSession, agent: AgentRow, way: Way) -> None:
    """Keep that `agent` signed in, if and when `session`'s transaction commits."""
    subject = ("agent", agent.id, agent.name)
    audit.record(session, f"agent:{agent.id}", "sign_in.done", subject, new={"way": way})


async def note_failure(session: AsyncSession, agent: AgentRow | None) -> None:
    """Keep that a password was not taken: of each agent once an hour from each place.

    What was typed is not kept, which may be a password. Addresses that nobody has count as one,
    wherever they are tried from: anybody can make them up.
    """
    if agent is None:
        unknown = ("sign_in", audit.UNKNOWN_ADDRESS, audit.UNKNOWN_ADDRESS)
        await audit.record_refusal(session, _SOMEBODY, "sign_in.failed", unknown, "wrong password")
        return
    if agent.disabled_at is not None:
        why = "disabled"
    else:
        why = "wrong password" if agent.password_hash is not None else "no password"
    subject = ("agent", agent.id, agent.name)
    await audit.record_refusal(session, _SOMEBODY, "sign_in.failed", subject, why, each_place=True)


async def note_dead_link(session: AsyncSession, digest: bytes) -> None:
    """Keep that a link was not taken: once an hour of each agent, and of what is made up."""
    link = await session.get(SignInLink, digest)
    agent = None if link is None else await session.get(AgentRow, link.agent_id)
    subject = (
        ("sign_in", audit.MADE_UP_LINK, audit.MADE_UP_LINK)
        if agent is None
        else ("agent", str(agent.id), agent.name)
    )
    why = "forged" if agent is None else "used or too old"
    await audit.record_refusal(session, _SOMEBODY, "sign_in.failed", subject, why)
