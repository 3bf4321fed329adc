"""What agents do with tickets; each change is in the ticket's history with the same commit."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import or_, select

from core.domain.actor import WORKING, Agent, Role
from core.domain.assistant import HandoffReason
from core.domain.content import Envelope, check_words
from core.domain.conversation import Cause, Responder, Speaker, next_responder
from core.domain.errors import Conflict, IllegalTransition, NotFound, TakenAlready
from core.domain.ids import (
    AgentId,
    ContactId,
    ConversationId,
    MessageId,
    TicketId,
    UploadId,
)
from core.domain.ticket import TicketStatus, TicketTrigger
from core.services import audit
from core.services.automation.macros import apply_macro, filled_in
from core.services.case import Case, open_case
from core.services.files.uploads import handed_in
from core.services.intake.placing import begin_episode
from core.services.ledger import Accounts, Ledger
from core.services.locks import locked
from core.services.revisions import check_version
from core.services.tickets.answering import Reply, answer, give_status, give_to
from core.services.tickets.handoff import SUMMARY_CHARS, open_ticket
from core.services.writing.drafts import DraftKind, forget_draft
from core.services.writing.held import let_leave
from core.storage.engine import Sessions, storage_errors
from core.storage.feed import FeedKind
from core.storage.tables import AgentRow, Conversation, Message, Ticket


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """Who is known to have had a ticket; None: nobody."""

    agent: AgentId | None


class Tickets:
    """The agents' commands. Each is one transaction; `IllegalTransition` where it does not fit."""

    def __init__(
        self,
        sessions: Sessions,
        accounts: Accounts,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        *,
        base_url: str = "",
    ) -> None:
        """Work for `accounts`; `base_url` is where people reach the desk."""
        self._sessions = sessions
        self._accounts = accounts
        self._now = now
        self._base_url = base_url

    @asynccontextmanager
    async def _at_work(
        self, ticket_id: TicketId, version: int | None = None
    ) -> AsyncIterator[Case]:
        async with storage_errors(), self._sessions.begin() as session:
            case = await open_case(session, Ledger(self._accounts, self._now()), ticket_id)
            check_version(case.ticket, version)
            yield case
            case.ticket.updated_at = case.ledger.now
            case.changed()
            await case.ledger.write(session)

    async def take(self, ticket_id: TicketId, agent: Agent) -> None:
        """Give a ticket to `agent`; the assistant falls silent with the same commit.

        Raises:
            TakenAlready: somebody else has it; the message says who.
        """
        async with self._at_work(ticket_id) as case:
            await _take(case, agent)

    async def assign(
        self,
        ticket_id: TicketId,
        assignee: AgentId | None,
        by: Agent,
        *,
        seen: Holder | None = None,
        version: int | None = None,
    ) -> None:
        """Give a ticket to `assignee`, or put it back into the queue.

        `seen` is who had it when `by` decided so.

        Raises:
            NotFound: there is no such agent.
            TakenAlready: somebody has it by now who had not when it was `seen`.
            Outdated: the ticket is not at `version` any more.
        """
        async with self._at_work(ticket_id, version) as case:
            if case.ticket.status == TicketStatus.CLOSED:
                raise IllegalTransition("ticket", case.ticket.status, "assign")
            if seen is not None:
                await _check_holder(case, assignee, seen.agent)
            if assignee is None:
                case.release(actor=by.actor)
                return
            row = await case.session.get(AgentRow, assignee)
            if row is None or row.disabled_at is not None or Role(row.role) not in WORKING:
                raise NotFound("there is no such agent")
            give_to(case, assignee, actor=by.actor)

    async def reply(
        self,
        ticket_id: TicketId,
        agent: Agent,
        words: str,
        *,
        files: Sequence[UploadId] = (),
        then: TicketStatus | None = None,
        envelope: Envelope | None = None,
        to: Collection[ConversationId] = (),
        version: int | None = None,
    ) -> MessageId:
        """Answer the requester at once. A ticket without an assignee becomes the agent's own.

        Replies that could still be taken back leave before it.
        With `then`, the ticket has that status afterwards, by the same commit. `envelope`, which
        `Letters.checked` gave, says between whom a letter goes in the ticket's own conversation;
        else the channel has its way. `to` names the conversations it is said in, where others
        were merged into the ticket; none: where a requester wrote last. Returns the first message.

        Raises:
            InvalidInput: a conversation that is not the ticket's is named.
            Outdated: the ticket is not at `version` any more.
        """
        reply = Reply(words=words, files=tuple(files), then=then, envelope=envelope, to=tuple(to))
        async with self._at_work(ticket_id, version) as case:
            await let_leave(case, self._base_url)
            return await answer(case, agent, reply)

    async def use_macro(
        self,
        ticket_id: TicketId,
        agent: Agent,
        macro: UUID,
        *,
        words: str | None = None,
        version: int | None = None,
    ) -> str | None:
        """Say a macro's text, if it has one, and do what goes with it, by one commit.

        With `words`, those are said in place of its text. Returns the language of the text that
        was said; none where that is for any language, or nothing of the macro's was said.

        Raises:
            NotFound: there is no such macro.
            Outdated: the ticket is not at `version` any more.
        """
        async with self._at_work(ticket_id, version) as case:
            ready = await filled_in(case.session, macro, ticket_id, agent.id, self._base_url)
            if words is not None or ready.text.strip():
                await let_leave(case, self._base_url)
                await answer(case, agent, Reply(words=ready.text if words is None else words))
            await apply_macro(case, macro, agent, self._base_url, sets_status=True)
            return ready.language if words is None else None

    async def note(
        self,
        ticket_id: TicketId,
        agent: Agent,
        words: str,
        *,
        files: Sequence[UploadId] = (),
        ends_draft: bool = False,
    ) -> MessageId:
        """Leave an internal note; the requester never sees it.

        With `ends_draft`, the agent's draft of a note is over with the same commit.
        """
        check_words(words, may_be_empty=bool(files))
        async with self._at_work(ticket_id) as case:
            enclosed = await handed_in(case.session, agent.id, files)
            noted = case.ledger.note(case.conversation, agent.id, words.strip())
            case.ledger.enclose(noted, enclosed)
            case.ledger.record_message(case.ticket, noted, "note", actor=agent.actor)
            if ends_draft:
                place = ConversationId(case.conversation.id)
                await forget_draft(case.session, agent.id, place, DraftKind.NOTE)
            return noted

    async def set_status(
        self,
        ticket_id: TicketId,
        status: TicketStatus,
        agent: Agent,
        *,
        version: int | None = None,
    ) -> None:
        """Set a ticket's status; the requester is told when it is solved, closed or reopened.

        Replies that could still be taken back leave before that; where the status is refused, they
        go on waiting.

        Raises:
            Outdated: the ticket is not at `version` any more.
        """
        async with self._at_work(ticket_id, version) as case:
            await let_leave(case, self._base_url)
            await give_status(case, status, actor=agent.actor)

    async def return_to_bot(self, ticket_id: TicketId, agent: Agent) -> None:
        """Hand the conversation back to the assistant; the ticket is solved with it.

        The assistant begins a new episode that knows what the agents said.
        """
        async with self._at_work(ticket_id) as case:
            # Its conversation may have gone on without it: with another ticket, or in another
            # conversation of the same thread, whose message numbers these would repeat.
            if case.ticket.status == TicketStatus.CLOSED:
                raise IllegalTransition("ticket", case.ticket.status, "hand back")
            if case.conversation.responder == Responder.BOT:
                raise IllegalTransition("conversation", case.conversation.responder, "hand back")
            await let_leave(case, self._base_url)
            if not case.is_done:
                case.move(
                    TicketTrigger.SOLVED, actor=agent.actor, reason="returned to the assistant"
                )
            case.conversation.episode_summary = await _summary(case)
            case.tell("You are talking to the assistant again. Ask for a person at any time.")
            responder = next_responder(Responder(case.conversation.responder), Cause.HANDED_BACK)
            begin_episode(case.conversation, responder)
            case.conversation.closed_at = None
            case.ledger.changed(case.conversation, FeedKind.CONVERSATION)

    async def follow_up(self, ticket_id: TicketId, agent: Agent) -> TicketId:
        """Open a ticket that follows a closed one, in its conversation; it is `agent`'s.

        It has the closed one's team, level, category and fields. The requester hears nothing until
        somebody writes. The closed ticket stays as it is.

        Raises:
            NotFound: there is no such ticket.
            IllegalTransition: it is not closed, or goes on elsewhere, or is spam.
            Conflict: another ticket follows it, or its requester has gone on elsewhere.
        """
        async with storage_errors(), self._sessions.begin() as session:
            ledger = Ledger(self._accounts, self._now())
            old = await open_case(session, ledger, ticket_id)
            conversation = old.conversation
            if old.ticket.status != TicketStatus.CLOSED or old.ticket.closed_as is not None:
                raise IllegalTransition("ticket", old.ticket.status, "a follow-up")
            later = select(Ticket.id).where(
                or_(
                    Ticket.follows_id == ticket_id,
                    (Ticket.conversation_id == conversation.id) & (Ticket.id > ticket_id),
                )
            )
            if await session.scalar(select(later.exists())):
                raise Conflict("another ticket follows this one already")
            if not (conversation.is_current or conversation.is_beside):
                raise Conflict("its requester has gone on in another conversation since")
            ticket = await open_ticket(
                session,
                ledger,
                conversation,
                reason=HandoffReason.FOLLOW_UP,
                actor=agent.actor,
                subject=old.ticket.subject,
                summary=old.ticket.summary,
                requester=ContactId(old.ticket.contact_id),
            )
            ticket.kind, ticket.follows_id = old.ticket.kind, ticket_id
            # Whoever must not read the closed one must not read this one.
            ticket.team_id, ticket.level = old.ticket.team_id, old.ticket.level
            ticket.category_id, ticket.fields = old.ticket.category_id, dict(old.ticket.fields)
            conversation.closed_at = None
            _begin(Case(session, ledger, conversation, ticket, old.joined), agent)
            await ledger.write(session)
            return TicketId(ticket.id)

    async def take_over(self, conversation_id: ConversationId, agent: Agent) -> TicketId:
        """Take a conversation that the assistant is holding; it gets a ticket of its own.

        Raises:
            NotFound: there is no such conversation.
            IllegalTransition: the assistant does not hold it.
        """
        async with storage_errors(), self._sessions.begin() as session:
            if await session.get(Conversation, conversation_id) is None:
                raise NotFound(f"there is no conversation {conversation_id}")
            conversation = await locked(session, conversation_id)
            if conversation.responder != Responder.BOT:
                raise IllegalTransition("conversation", conversation.responder, "a take-over")
            ledger = Ledger(self._accounts, self._now())
            ticket = await session.scalar(
                select(Ticket)
                .where(
                    Ticket.conversation_id == conversation_id,
                    Ticket.status != TicketStatus.CLOSED,
                )
                .with_for_update()
            )
            if ticket is None:
                ticket = await open_ticket(
                    session,
                    ledger,
                    conversation,
                    reason=HandoffReason.AGENT_TOOK_OVER,
                    actor=agent.actor,
                )
            _begin(Case(session, ledger, conversation, ticket), agent)
            await ledger.write(session)
            subject = ("ticket", ticket.number, ticket.subject)
            audit.record(session, agent.actor, "conversation.taken_over", subject)
            return TicketId(ticket.id)


def _begin(case: Case, agent: Agent) -> None:
    """Let `agent` answer in a ticket that they have just opened."""
    case.hand_to(agent.id, actor=agent.actor)
    case.move(TicketTrigger.AGENT_TOOK, actor=agent.actor)
    case.turn_over(Cause.AGENT_TOOK)
    case.changed()


async def _take(case: Case, agent: Agent) -> None:
    if case.ticket.status == TicketStatus.CLOSED:
        raise IllegalTransition("ticket", case.ticket.status, TicketTrigger.AGENT_TOOK)
    await _check_holder(case, agent.id)
    was_done = case.is_done
    case.hand_to(agent.id, actor=agent.actor)
    if case.ticket.status == TicketStatus.NEW or was_done:
        case.move(TicketTrigger.AGENT_TOOK, actor=agent.actor)
    if case.conversation.responder != Responder.HUMAN:
        case.turn_over(Cause.AGENT_TOOK)


async def _check_holder(case: Case, *expected: AgentId | None) -> None:
    """Raise `TakenAlready` where somebody has the ticket who is not `expected` to."""
    holder = case.ticket.assignee_id
    if holder is not None and holder not in expected:
        row = await case.session.get_one(AgentRow, holder)
        raise TakenAlready(row.name)


async def _summary(case: Case) -> str:
    """Return what the agents told the requester, for the assistant's next episode.

    A line names the ticket, and one each who said what; the assistant reads it in this form.
    """
    said = await case.session.execute(
        select(AgentRow.name, Message.text)
        .join(AgentRow, AgentRow.id == Message.agent_id)
        .where(
            Message.conversation_id == case.conversation.id,
            Message.speaker == Speaker.AGENT,
            Message.is_internal.is_(False),
            Message.removed_at.is_(None),
        )
        .order_by(Message.position.desc(), Message.seq.desc())
        .limit(3)
    )
    lines = [f"Ticket #{case.ticket.number}: {case.ticket.subject}"]
    lines += [f"{name}: {' '.join(words.split())}" for name, words in reversed(said.all())]
    return "\n".join(lines)[:SUMMARY_CHARS]
