"""Makes two tickets one, and parts them again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import delete, exists, or_, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.actor import Agent
from core.domain.conversation import Responder, Speaker
from core.domain.errors import Conflict, InvalidInput, NotFound
from core.domain.ids import TicketId, new_id
from core.domain.links import LinkKind
from core.domain.ticket import ClosedAs, TicketStatus, TicketTrigger
from core.domain.undoing import UNDONE_WITHIN
from core.services import audit
from core.services.case import Case, open_cases
from core.services.ledger import Accounts, Ledger
from core.services.tickets.reviving import MERGE_UNDONE, revive
from core.services.writing.held import let_leave
from core.storage.engine import Sessions, storage_errors
from core.storage.feed import FeedKind
from core.storage.queries.links.merges import beneath, last_in_line
from core.storage.tables import (
    Conversation,
    Message,
    Ticket,
    TicketLink,
    TicketMerge,
    TicketWatcher,
)
from core.texts import text

TOLD = (
    "Your ticket **#{merged}** is about the same as **#{number}**, so we go on with that one. "
    "You can keep writing here; we will answer you here too."
)


class TicketMerging:
    """Merges of tickets, each of which can be undone for 30 days.

    Nothing is moved. The merged ticket's conversation points to the kept ticket's
    (`Conversation.merged_into`): what is said in it belongs to the kept ticket from then on, is
    shown there, and is answered where it was said. So undoing has nothing to put back either.
    """

    def __init__(
        self,
        sessions: Sessions,
        accounts: Accounts,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        *,
        base_url: str = "",
    ) -> None:
        """Merge tickets of `accounts`; `base_url` is where people reach the desk."""
        self._sessions = sessions
        self._accounts = accounts
        self._now = now
        self._base_url = base_url

    async def merge(
        self, kept: TicketId, merged: TicketId, by: Agent, *, tells: bool = True
    ) -> UUID:
        """Close `merged` and go on with its matter in `kept`; return the merge's id.

        With `tells`, the merged ticket's requester is told, unless the last they were told is the
        same, after an undoing since which they have not written. Both tickets keep what was done
        (fields "merged" and "merged_into", with the other's number), and the merged one is the
        kept one's duplicate. What was merged into it before goes along. Replies in either that
        could still be taken back leave before that.

        Raises:
            NotFound: one of them is not there.
            InvalidInput: they are the same.
            Conflict: one of them is closed or was merged already, or both are of one conversation
                or chat.
        """
        try:
            return await self._merge(kept, merged, by, tells=tells)
        except (InvalidInput, Conflict) as error:
            await self._note_refusal(kept, merged, by, str(error))
            raise

    async def _merge(self, kept: TicketId, merged: TicketId, by: Agent, *, tells: bool) -> UUID:
        if kept == merged:
            raise InvalidInput("a ticket cannot be merged with itself")
        async with storage_errors(), self._sessions.begin() as session:
            ledger = Ledger(self._accounts, self._now())
            into, gone = await open_cases(session, ledger, kept, merged)
            for case in (into, gone):
                await let_leave(case, self._base_url)
            _check(into, gone)
            ended = gone.conversation.closed_at
            is_known = await _is_known(session, kept, merged)
            row = TicketMerge(
                id=new_id(),
                kept_id=kept,
                merged_id=merged,
                conversation_id=gone.conversation.id,
                was={
                    "status": gone.ticket.status,
                    "responder": gone.conversation.responder,
                    "closed_at": ended and ended.isoformat(),
                    "tells": tells,
                },
                link_id=await _link(session, kept, merged),
                by=by.actor,
                at=ledger.now,
            )
            session.add(row)
            if tells and not is_known:
                ledger.say(
                    gone.conversation,
                    Speaker.SYSTEM,
                    text(
                        gone.conversation.language,
                        TOLD,
                        merged=gone.ticket.number,
                        number=into.ticket.number,
                    ),
                )
            gone.ticket.closed_as = ClosedAs.MERGED
            gone.move(TicketTrigger.CLOSED, actor=by.actor, reason="merged")
            gone.conversation.responder = Responder.CLOSED
            gone.conversation.closed_at = ledger.now
            for conversation in gone.everywhere:
                conversation.merged_into = into.conversation.id
            await _pass_watchers_on(session, merged, kept)
            await _note(into, gone, by, is_new=True)
            return row.id

    async def undo(self, merged: TicketId, by: Agent) -> None:
        """Part a merged ticket from the one it was merged into.

        It has the status and the responder it had before; where its requester wrote meanwhile
        and it waited or was solved, it is open. All that was said in its conversation, before
        and since, is its own again; what was said in the kept ticket's own stays there. Replies
        that could still be taken back leave before that.

        Raises:
            NotFound: it was not merged.
            Conflict: that was more than 30 days ago, or its requester has gone on in another
                ticket since.
        """
        async with storage_errors(), self._sessions.begin() as session:
            row = await _open_merge(session, merged)
            ledger = Ledger(self._accounts, self._now())
            into, gone, last = await _parting(session, ledger, TicketId(row.kept_id), merged)
            await session.refresh(row, with_for_update=True)
            if row.undone_at is not None:
                raise NotFound("this ticket was not merged")
            if row.at < ledger.now - UNDONE_WITHIN:
                raise Conflict("a merge can be undone within 30 days")
            if row.ended_at is not None:
                raise Conflict("its requester has gone on in another ticket since")
            await let_leave(last, self._base_url)
            row.undone_at = ledger.now
            # Whatever they point to: that ticket may have been merged further since.
            for name in (await beneath(session, [merged]))[merged]:
                conversation = await session.get_one(Conversation, name)  # locked with `gone`
                conversation.merged_into = gone.conversation.id
            gone.conversation.merged_into = None
            if ended := row.was.get("closed_at"):
                gone.conversation.closed_at = datetime.fromisoformat(ended)
            await revive(
                gone,
                TicketStatus(row.was["status"]),
                Responder(row.was["responder"]),
                row.at,
                actor=by.actor,
                reason=MERGE_UNDONE,
            )
            if row.link_id is not None:
                await session.execute(delete(TicketLink).where(TicketLink.id == row.link_id))
            _show(last)
            await _note(into, gone, by, is_new=False)

    async def _note_refusal(self, kept: TicketId, merged: TicketId, by: Agent, reason: str) -> None:
        async with storage_errors(), self._sessions.begin() as session:
            into = await session.get_one(Ticket, kept)
            gone = await session.get_one(Ticket, merged)
            audit.record(
                session,
                by.actor,
                "ticket.merge_refused",
                ("ticket", into.number, into.subject),
                new={"with": f"#{gone.number}", "reason": reason},
            )


def _check(into: Case, gone: Case) -> None:
    if gone.ticket.closed_as == ClosedAs.MERGED:
        raise Conflict("this ticket was merged into another one already")
    if into.ticket.closed_as == ClosedAs.MERGED:
        raise Conflict("the other ticket was merged itself: choose the one that it is in now")
    if TicketStatus.CLOSED in (into.ticket.status, gone.ticket.status):
        raise Conflict("a closed ticket cannot be merged")
    if into.conversation.id == gone.conversation.id:
        raise Conflict("these tickets are of the same conversation")
    if _counts_for(into.conversation) == _counts_for(gone.conversation):
        raise Conflict("these tickets are of one chat: put back what was split instead")


def _counts_for(conversation: Conversation) -> UUID:
    """Return what tells conversations that were split from one another in a chat."""
    return conversation.counted_by or conversation.id


async def _is_known(session: AsyncSession, kept: TicketId, merged: TicketId) -> bool:
    """Say whether the last that the merged one's requester was told is that it goes on in `kept`.

    Whoever has written since that was undone has gone on as if it had not been said. Merges from
    before it was kept whether they were told count as told.
    """
    told = await session.scalar(
        select(TicketMerge)
        .where(
            TicketMerge.merged_id == merged,
            TicketMerge.was["tells"].as_boolean().is_not(False),
        )
        .order_by(TicketMerge.at.desc(), TicketMerge.id.desc())
        .limit(1)
    )
    if told is None or told.kept_id != kept:
        return False
    has_written = exists().where(
        Message.conversation_id == told.conversation_id,
        Message.speaker == Speaker.CUSTOMER,
        Message.is_automatic.is_(False),
        Message.created_at > told.undone_at,
    )
    return not await session.scalar(select(has_written))


async def _link(session: AsyncSession, kept: TicketId, merged: TicketId) -> UUID | None:
    """Make the merged ticket the kept one's duplicate, unless they are linked already."""
    known = await session.scalar(
        select(
            exists().where(
                or_(
                    (TicketLink.ticket_id == merged) & (TicketLink.other_id == kept),
                    (TicketLink.ticket_id == kept) & (TicketLink.other_id == merged),
                )
            )
        )
    )
    if known:
        return None
    link = new_id()
    await session.execute(
        upsert(TicketLink)
        .values(id=link, ticket_id=merged, other_id=kept, kind=LinkKind.DUPLICATE)
        .on_conflict_do_nothing()
    )
    return link


async def _pass_watchers_on(session: AsyncSession, old: TicketId, new: TicketId) -> None:
    watching = select(TicketWatcher.agent_id).where(TicketWatcher.ticket_id == old)
    agents = (await session.scalars(watching)).all()
    if agents:
        await session.execute(
            upsert(TicketWatcher).on_conflict_do_nothing(),
            [{"ticket_id": new, "agent_id": agent} for agent in agents],
        )


async def _open_merge(session: AsyncSession, merged: TicketId) -> TicketMerge:
    row = await session.scalar(
        select(TicketMerge).where(TicketMerge.merged_id == merged, TicketMerge.undone_at.is_(None))
    )
    if row is None:
        raise NotFound("this ticket was not merged")
    return row


async def _parting(
    session: AsyncSession, ledger: Ledger, kept: TicketId, merged: TicketId
) -> tuple[Case, Case, Case]:
    """Lock both tickets, and that in which the merged one is at the end of all merges."""
    last = kept
    while True:
        into, gone, end = await open_cases(session, ledger, kept, merged, last)
        named = await last_in_line(session, kept)
        if named == last:
            return into, gone, end
        last = named  # merged further, and maybe while this waited


def _show(case: Case) -> None:
    """Tell live pages that a ticket, and what is said in it, is not what it was."""
    case.ledger.changed(case.conversation, FeedKind.CONVERSATION)
    case.ledger.changed(case.conversation, FeedKind.MESSAGE)
    case.changed()


async def _note(into: Case, gone: Case, by: Agent, *, is_new: bool) -> None:
    """Tell both histories, the audit log and live pages."""
    ledger, session = into.ledger, into.session
    fields = ("merged", "merged_into") if is_new else ("unmerged", "unmerged_from")
    for case, other, field in ((into, gone, fields[0]), (gone, into, fields[1])):
        ledger.record(case.ticket, field, None, str(other.ticket.number), actor=by.actor)
        _show(case)
    audit.record(
        session,
        by.actor,
        "ticket.merged" if is_new else "ticket.merge_undone",
        ("ticket", into.ticket.number, into.ticket.subject),
        new={"with" if is_new else "from": f"#{gone.ticket.number}"},
    )
    await ledger.write(session)
