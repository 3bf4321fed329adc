"""A ticket of another team than an agent's, and what pages and the API call its parts."""

from __future__ import annotations

from dataclasses import dataclass

import httpx
from sqlalchemy import func, select

from core.domain.actor import Role
from core.domain.files import FileState
from core.domain.ids import new_id
from core.domain.links import LinkKind
from core.domain.teams import Visibility
from core.services.links.links import TicketLinks
from core.services.teams.rulebook import Policy
from core.storage.tables import (
    Attachment,
    AuditEntry,
    Message,
)
from tests.integration.console.browser import PASSWORD, Browser
from tests.integration.console.world import Desk
from tests.integration.teams.world import Floor


@dataclass(frozen=True, slots=True, kw_only=True)
class Hidden:
    """A ticket of another team, one of the agent's own, and the agent at a browser and the API."""

    desk: Desk
    number: int
    own: int
    named: dict[str, str]  # what paths call it and its parts
    browser: Browser
    api: httpx.AsyncClient

    async def refusals(self) -> int:
        async with self.desk.sessions() as session:
            found = await session.scalar(
                select(func.count()).where(
                    AuditEntry.action == "ticket.refused",
                    AuditEntry.subject_name == f"#{self.number}",
                )
            )
            return found or 0

    async def ask(self, method: str, path: str) -> httpx.Response:
        """Return what the agent gets who asks for `path`, of the API or as a page."""
        if path.startswith("/api/"):
            return await self.api.request(method, path)
        headers = {"X-CSRF-Token": self.browser.csrf}
        return await self.browser.client.request(method, path, headers=headers)


async def hide(desk: Desk, *, own_tickets_only: bool) -> Hidden:
    """Make the two tickets, in teams of which one is closed, or where all are."""
    floor = await Floor.of(desk)
    shown = Visibility.EVERYBODY if own_tickets_only else Visibility.MEMBERS
    mine, other = await floor.team("Mine"), await floor.team("Other", visibility=shown)
    ana = await floor.agent("Ana", mine, is_lead=True, role=Role.LEAD)
    await desk.access.passwords.set(ana.id, PASSWORD)
    own = await floor.opened("my own matter", who="ada")
    theirs = await floor.opened("the secret matter", who="ada")
    await floor.pass_to(own, mine)
    await floor.pass_to(theirs, other)
    links = TicketLinks(desk.sessions, desk.accounts, desk.clock)
    await links.link(theirs, own, LinkKind.RELATED, floor.boss)
    row = await floor.ticket(theirs)
    async with desk.sessions.begin() as session:
        message = await session.scalar(
            select(Message.id).where(Message.conversation_id == row.conversation_id).limit(1)
        )
        assert message is not None
        attachment = Attachment(
            id=new_id(),
            message_id=message,
            position=0,
            name="secret.txt",
            media_type="text/plain",
            size_bytes=1,
            remote="secret",
            status=FileState.FETCHED,
            blob_key="secret",
        )
        session.add(attachment)
    policy = Policy(default_team=None, offer_again_minutes=None, own_tickets_only=own_tickets_only)
    await floor.staffing.rules.set_policy(policy, floor.boss)
    token = await desk.access.create_token("ana@example.org", Role.LEAD)
    return Hidden(
        desk=desk,
        number=row.number,
        own=(await floor.ticket(own)).number,
        named={
            "ticket": str(row.number),
            "conversation": str(row.conversation_id),
            "message": str(message),
            "attachment": str(attachment.id),
        },
        browser=await Browser.signed_in(desk, "ana@example.org"),
        api=desk.client(Authorization=f"Bearer {token}"),
    )
