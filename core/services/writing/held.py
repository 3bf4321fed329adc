"""Replies that can still be taken back: kept for some seconds, then said.

Until then nothing has been said: no promise is met, no rule has run, and what a platform gets is
decided when the time is over. What the agent has decided already holds at once: they have the
ticket, and the assistant is silent.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.actor import Agent
from core.domain.conversation import Speaker
from core.domain.errors import (
    AnsweredMeanwhile,
    Conflict,
    DeskError,
    Forbidden,
    InvalidInput,
    NotFound,
    StorageUnavailable,
)
from core.domain.ids import AgentId, ConversationId, TicketId, UploadId, new_id
from core.domain.setbacks import Chore
from core.domain.ticket import TicketStatus
from core.services.access.access import agent_of
from core.services.automation.macros import apply_macro
from core.services.case import Case, open_case
from core.services.json_forms import envelope_from_json, envelope_json
from core.services.ledger import Accounts, Ledger
from core.services.setbacks import Setbacks
from core.services.tickets.answering import Reply, check_reply, is_unasked, say, take_up
from core.services.writing.drafts import (
    DraftKind,
    DraftText,
    draft_from_row,
    forget_draft,
    keep_draft,
)
from core.storage.engine import Sessions, storage_errors
from core.storage.feed import FeedKind
from core.storage.tables import AgentRow, Draft, HeldReply, Message

LONGEST_SECONDS = 30
_AT_ONCE = 50
_SPACE = " \t\r\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Grace:
    """How long a reply can be taken back, in seconds."""

    desk: int
    own: int | None  # as the agent chose; None: as the desk has it

    @property
    def seconds(self) -> int:
        """Return what holds for the agent."""
        return self.desk if self.own is None else self.own


class HeldReplies:
    """Replies of agents in the console."""

    def __init__(
        self,
        sessions: Sessions,
        accounts: Accounts,
        base_url: str,
        desk_seconds: int,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Let replies be taken back for `desk_seconds`, where an agent has not chosen otherwise."""
        self._sessions = sessions
        self._accounts = accounts
        self._base_url = base_url
        self._desk_seconds = desk_seconds
        self._now = now
        self._setbacks = Setbacks(sessions, Chore.HELD_REPLIES, now)

    async def reply(
        self, ticket_id: TicketId, agent: Agent, reply: Reply, *, seen: int | None = None
    ) -> None:
        """Answer the requester, after the time in which it can be taken back.

        The agent's draft of it is over with the same commit. `seen` is the last message that they
        had read when they began to write.

        Raises:
            AnsweredMeanwhile: a colleague did, after `seen`, or they themselves in the same words.
            IllegalTransition: the ticket is closed.
            NotFound: there is no such ticket, or a file is gone.
            InvalidInput: the channel does not take it, or the ticket lacks what `reply.then` needs.
        """
        async with storage_errors(), self._sessions.begin() as session:
            case = await self._open(session, ticket_id)
            if seen is not None:
                await _check_unanswered(case, agent, reply.words, seen)
            take_up(case, agent)
            grace = await self._grace(session, agent.id)
            if grace.seconds == 0:
                await _say(case, agent, reply, self._base_url)
            else:
                await check_reply(case, agent, reply)
                session.add(
                    HeldReply(
                        id=new_id(),
                        ticket_id=ticket_id,
                        agent_id=agent.id,
                        text=reply.words,
                        files=[str(file) for file in reply.files],
                        envelope=envelope_json(reply.envelope),
                        then=reply.then,
                        macro_id=reply.macro,
                        places=[str(place) for place in reply.to],
                        created_at=case.ledger.now,
                        due_at=await _due(session, case, timedelta(seconds=grace.seconds)),
                    )
                )
            conversation = ConversationId(case.conversation.id)
            await forget_draft(session, agent.id, conversation, DraftKind.REPLY)
            await self._write(case)

    async def take_back(self, ticket_id: TicketId, held: UUID, agent: Agent) -> None:
        """Make a reply a draft again; what was typed since stands after it.

        Raises:
            NotFound: it has left.
            Forbidden: another agent wrote it.
        """
        async with storage_errors(), self._sessions.begin() as session:
            case = await self._open(session, ticket_id)
            row = await _own(session, case, held, agent)
            conversation = ConversationId(case.conversation.id)
            unasked = is_unasked(case.ticket.kind, case.conversation.account_id)
            kind = DraftKind.NOTE if unasked else DraftKind.REPLY  # no replies are written there
            since = draft_from_row(await session.get(Draft, (agent.id, conversation, kind)))
            back = _reply_in(row)
            draft = DraftText(
                text="\n\n".join(filter(None, (back.words, since.text.strip()))),
                files=(*back.files, *(file for file in since.files if file not in back.files)),
                envelope=back.envelope,
                seen=case.conversation.last_seq,
            )
            now = case.ledger.now
            await keep_draft(session, agent.id, conversation, kind, draft, now)
            await session.delete(row)
            await self._write(case)

    async def send(self, ticket_id: TicketId, held: UUID, agent: Agent) -> None:
        """Say a reply at once.

        Raises:
            NotFound: it has left.
            Forbidden: another agent wrote it.
            Conflict: the ticket was closed meanwhile.
        """
        async with storage_errors(), self._sessions.begin() as session:
            case = await self._open(session, ticket_id)
            row = await _own(session, case, held, agent)
            await self._leave(case, row, agent)

    async def send_due(self) -> None:
        """Say what can no longer be taken back. A duty of the worker; several may do it at once."""
        async with storage_errors(), self._sessions() as session:
            due = await session.execute(
                select(HeldReply.ticket_id, HeldReply.id)
                .where(
                    HeldReply.due_at <= self._now(),
                    HeldReply.refused_at.is_(None),
                    self._setbacks.is_free(HeldReply.ticket_id),
                )
                .order_by(HeldReply.due_at, HeldReply.id)
                .limit(_AT_ONCE)
            )
            found = [(TicketId(ticket_id), held) for ticket_id, held in due]
        await self._setbacks.each(found, self._send, lambda one: one[0])

    async def grace(self, agent: AgentId) -> Grace:
        """Return how long replies of `agent` can be taken back."""
        async with storage_errors(), self._sessions() as session:
            return await self._grace(session, agent)

    async def choose(self, agent: AgentId, seconds: int | None) -> None:
        """Keep how long replies of `agent` can be taken back; None: as the desk has it.

        Raises:
            InvalidInput: not between 0 and 30 seconds.
        """
        if seconds is not None and not 0 <= seconds <= LONGEST_SECONDS:
            raise InvalidInput("a reply can be taken back for 0 to 30 seconds")
        async with storage_errors(), self._sessions.begin() as session:
            (await session.get_one(AgentRow, agent)).take_back_seconds = seconds

    async def _send(self, due: tuple[TicketId, UUID]) -> None:
        ticket_id, held = due
        try:
            async with storage_errors(), self._sessions.begin() as session:
                case = await self._open(session, ticket_id)
                row = await _waiting(session, held)
                if row is None:
                    return  # it has left, or was taken back
                agent = agent_of(await session.get_one(AgentRow, row.agent_id))
                await self._leave(case, row, agent)
        except StorageUnavailable:
            raise
        except DeskError as error:
            await self._refuse(ticket_id, held, error)

    async def _refuse(self, ticket_id: TicketId, held: UUID, error: DeskError) -> None:
        """Keep a reply that cannot be said, with the reason; its author takes it back."""
        async with storage_errors(), self._sessions.begin() as session:
            case = await self._open(session, ticket_id)
            row = await _waiting(session, held)
            if row is not None:
                row.refused_at, row.refusal = case.ledger.now, str(error)
                await self._write(case)

    async def _leave(self, case: Case, row: HeldReply, agent: Agent) -> None:
        await _leave(case, row, agent, self._base_url)
        await self._write(case)

    async def _open(self, session: AsyncSession, ticket_id: TicketId) -> Case:
        return await open_case(session, Ledger(self._accounts, self._now()), ticket_id)

    async def _write(self, case: Case) -> None:
        case.ticket.updated_at = case.ledger.now
        case.changed()
        case.ledger.changed(case.conversation, FeedKind.MESSAGE)
        await case.ledger.write(case.session)

    async def _grace(self, session: AsyncSession, agent: AgentId) -> Grace:
        own = await session.scalar(select(AgentRow.take_back_seconds).where(AgentRow.id == agent))
        return Grace(desk=self._desk_seconds, own=own)


async def let_leave(case: Case, base_url: str) -> None:
    """Say in the caller's transaction what waits in a ticket: what is done to it comes after that.

    What cannot be said any more is kept with the reason.
    """
    waiting = await case.session.scalars(
        select(HeldReply)
        .where(HeldReply.ticket_id == case.ticket.id, HeldReply.refused_at.is_(None))
        .order_by(HeldReply.due_at, HeldReply.id)
        .with_for_update()
    )
    for row in waiting.all():
        agent = agent_of(await case.session.get_one(AgentRow, row.agent_id))
        try:
            await check_reply(case, agent, _reply_now(case, row))
        except StorageUnavailable:
            raise
        except DeskError as error:
            row.refused_at, row.refusal = case.ledger.now, str(error)
        else:
            await _leave(case, row, agent, base_url)
        case.ledger.changed(case.conversation, FeedKind.MESSAGE)


async def _leave(case: Case, row: HeldReply, agent: Agent, base_url: str) -> None:
    await _say(case, agent, _reply_now(case, row), base_url)
    await case.session.delete(row)


async def _say(case: Case, agent: Agent, reply: Reply, base_url: str) -> None:
    await say(case, agent, reply)
    if reply.macro is not None:
        await apply_macro(case, reply.macro, agent, base_url, sets_status=reply.then is None)


def _reply_now(case: Case, row: HeldReply) -> Reply:
    """Return what a row says as the ticket is now.

    Raises:
        Conflict: the ticket was closed meanwhile.
    """
    if case.ticket.status == TicketStatus.CLOSED:
        raise Conflict("the ticket was closed before the reply left")
    reply = _reply_in(row)
    # What somebody ended meanwhile stays so.
    return replace(reply, then=None) if case.is_done else reply


def _reply_in(row: HeldReply) -> Reply:
    return Reply(
        words=row.text,
        files=tuple(UploadId(UUID(name)) for name in row.files),
        then=None if row.then is None else TicketStatus(row.then),
        envelope=envelope_from_json(row.envelope),
        macro=row.macro_id,
        to=tuple(ConversationId(UUID(place)) for place in row.places),
    )


async def _due(session: AsyncSession, case: Case, grace: timedelta) -> datetime:
    """Return when a reply leaves: never before one that was sent earlier."""
    last = await session.scalar(
        select(func.max(HeldReply.due_at)).where(
            HeldReply.ticket_id == case.ticket.id, HeldReply.refused_at.is_(None)
        )
    )
    due = case.ledger.now + grace
    return due if last is None else max(due, last)


async def _check_unanswered(case: Case, agent: Agent, words: str, seen: int) -> None:
    """Raise `AnsweredMeanwhile` where somebody answered after `seen`, or is about to.

    That is another agent, or `agent` with the same `words`: from a second window that still shows
    the draft.
    """
    now_seen, words = case.conversation.last_seq, words.strip()  # as they are said
    waiting = await case.session.execute(
        select(AgentRow.name, HeldReply.agent_id)
        .join(AgentRow, AgentRow.id == HeldReply.agent_id)
        .where(
            HeldReply.ticket_id == case.ticket.id,
            or_(
                HeldReply.agent_id != agent.id,
                and_(func.btrim(HeldReply.text, _SPACE) == words, HeldReply.text != ""),
            ),
            HeldReply.refused_at.is_(None),
        )
        .limit(1)
    )
    if (found := waiting.first()) is not None and seen <= now_seen:
        raise AnsweredMeanwhile(found.name, None, now_seen + 1, is_own=found.agent_id == agent.id)
    answered = await case.session.execute(
        select(AgentRow.name, Message.agent_id, Message.created_at)
        .join(AgentRow, AgentRow.id == Message.agent_id)
        .where(
            Message.conversation_id == case.conversation.id,
            Message.seq > seen,
            Message.speaker == Speaker.AGENT,
            or_(Message.agent_id != agent.id, and_(Message.text == words, Message.text != "")),
            Message.is_internal.is_(False),
            Message.removed_at.is_(None),
        )
        .order_by(Message.seq.desc())
        .limit(1)
    )
    if (last := answered.first()) is not None:
        raise AnsweredMeanwhile(
            last.name, last.created_at, now_seen, is_own=last.agent_id == agent.id
        )


async def _own(session: AsyncSession, case: Case, held: UUID, agent: Agent) -> HeldReply:
    row = await session.get(HeldReply, held, with_for_update=True)
    if row is None or row.ticket_id != case.ticket.id:
        raise NotFound("this reply has been sent already")
    if row.agent_id != agent.id:
        raise Forbidden("another agent said this")
    return row


async def _waiting(session: AsyncSession, held: UUID) -> HeldReply | None:
    row = await session.get(HeldReply, held, with_for_update=True)
    return None if row is None or row.refused_at is not None else row
