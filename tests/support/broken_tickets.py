"""Tickets of which the database takes no further change: whatever does something to them raises."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import text

from core.storage.engine import Sessions

_BREAK = (
    """CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS
       $$ BEGIN RAISE EXCEPTION 'this ticket is broken'; END $$""",
    """CREATE TRIGGER broken_history BEFORE INSERT ON ticket_event FOR EACH ROW
       WHEN (NEW.ticket_id = '{ticket}') EXECUTE FUNCTION refuse_change()""",
    """CREATE TRIGGER broken_notice BEFORE INSERT ON notification FOR EACH ROW
       WHEN (NEW.ticket_id = '{ticket}') EXECUTE FUNCTION refuse_change()""",
)
_MEND = (
    "DROP TRIGGER broken_history ON ticket_event",
    "DROP TRIGGER broken_notice ON notification",
)


async def break_ticket(sessions: Sessions, ticket: UUID) -> None:
    """Let nothing more be written in a ticket's history, nor anybody be told of it."""
    async with sessions.begin() as session:
        for statement in _BREAK:
            await session.execute(text(statement.format(ticket=ticket)))


async def mend_ticket(sessions: Sessions) -> None:
    """Let the broken ticket be like any other again."""
    async with sessions.begin() as session:
        for statement in _MEND:
            await session.execute(text(statement))
