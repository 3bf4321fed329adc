"""What an agent is called, and the e-mail address they sign in and are written to with."""

from __future__ import annotations

from sqlalchemy.exc import IntegrityError

from core.domain.actor import Agent, Role
from core.domain.errors import Conflict, Forbidden, InvalidInput, NotFound
from core.domain.ids import AgentId
from core.services import audit
from core.services.access.access import clean_email, clean_name
from core.storage.engine import Sessions, storage_errors
from core.storage.tables import AgentRow


async def rename(
    sessions: Sessions,
    agent: AgentId,
    by: Agent,
    *,
    name: str | None = None,
    email: str | None = None,
) -> None:
    """Call an agent otherwise; what is None stays. Sessions, tokens and tickets stay theirs.

    Raises:
        Forbidden: `by` is no admin.
        NotFound: there is no such agent.
        InvalidInput: the name is empty or too long, or the address is none.
        Conflict: somebody else has this address.
    """
    if by.role != Role.ADMIN:
        raise Forbidden("only admins may do this")
    called = None if name is None else clean_name(name)
    if called == "":
        raise InvalidInput("an agent needs a name")
    address = None if email is None else clean_email(email)
    try:
        async with storage_errors(), sessions.begin() as session:
            row = await session.get(AgentRow, agent, with_for_update=True)
            if row is None:
                raise NotFound("there is no such agent")
            old = {"name": row.name, "email": row.email}
            row.name, row.email = called or row.name, address or row.email
            new = {"name": row.name, "email": row.email}
            if new != old:
                audit.record(
                    session,
                    by.actor,
                    "agent.renamed",
                    ("agent", agent, row.name),
                    old=old,
                    new=new,
                )
    except IntegrityError:
        raise Conflict("there is an agent with this e-mail address already") from None
