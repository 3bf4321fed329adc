"""How an agent's answer changes a ticket; and how a ticket's status is given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from core.domain.account import PROGRAMS
from core.domain.actor import Agent
from core.domain.classification import Kind
from core.domain.content import Envelope, check_words
from core.domain.conversation import Cause, Responder, Speaker
from core.domain.errors import IllegalTransition, InvalidInput
from core.domain.files import KeptFile
from core.domain.ids import AgentId, ConversationId, MessageId, UploadId
from core.domain.ticket import (
    CATEGORY,
    TRIGGER_FOR,
    StatusCategory,
    TicketStatus,
    TicketTrigger,
)
from core.services.case import Case
from core.services.classification.sorting import check_complete
from core.services.conversations.letters import bring_in
from core.services.files.uploads import check_fit, handed_in
from core.storage.queries.links.merges import last_spoken_in
from core.storage.tables import Conversation


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What an agent answers a requester, and what becomes of the ticket with it."""

    words: str
    files: tuple[UploadId, ...] = ()
    then: TicketStatus | None = None
    envelope: Envelope | None = None  # as `Letters.checked` gave it; None: the channel's own way
    macro: UUID | None = None  # whose text it began with
    to: tuple[ConversationId, ...] = ()
    """Where it is said, once others were merged into the ticket: its own conversation, or theirs;
    none: where a requester wrote last. The envelope is for the ticket's own."""

    def __post_init__(self) -> None:
        check_words(self.words, may_be_empty=bool(self.files))


def is_unasked(kind: str, account: str) -> bool:
    """Return whether a ticket of `kind`, in a conversation of `account`, is a problem that no
    requester reported: nobody reads an answer to it, its incidents' requesters hear of updates."""
    return kind == Kind.PROBLEM and account == PROGRAMS


def give_to(case: Case, agent: AgentId, *, actor: str) -> None:
    """Make `agent` the assignee; what is not over is theirs to answer from now on."""
    case.hand_to(agent, actor=actor)
    if case.is_done:
        return
    if case.ticket.status == TicketStatus.NEW:
        case.move(TicketTrigger.AGENT_TOOK, actor=actor)
    case.turn_over(Cause.AGENT_TOOK)


def take_up(case: Case, agent: Agent) -> None:
    """Let `agent` be who answers: a ticket without an assignee becomes theirs, one that is done
    opens again, and the assistant falls silent.

    Raises:
        IllegalTransition: the ticket is closed.
    """
    if case.ticket.status == TicketStatus.CLOSED:
        raise IllegalTransition("ticket", case.ticket.status, "a reply")
    if case.ticket.assignee_id is None:
        case.hand_to(agent.id, actor=agent.actor)
    if case.is_done:
        case.move(TicketTrigger.REOPENED, actor=agent.actor)
    elif case.ticket.status == TicketStatus.NEW:
        case.move(TicketTrigger.AGENT_TOOK, actor=agent.actor)
    if case.conversation.responder != Responder.HUMAN:
        case.turn_over(Cause.AGENT_TOOK)


async def check_reply(case: Case, agent: Agent, reply: Reply) -> None:
    """Raise what `say` would raise."""
    await _enclosed(case, agent, reply, await _where_to(case, reply))
    if reply.then is not None:
        await _check_status(case, reply.then)


async def answer(case: Case, agent: Agent, reply: Reply) -> MessageId:
    """Take the ticket up and answer the requester."""
    take_up(case, agent)
    return await say(case, agent, reply)


async def say(case: Case, agent: Agent, reply: Reply) -> MessageId:
    """Say `reply` to the requester, in a ticket that somebody has taken up.

    Returns its first message, where it is said in several conversations.

    Raises:
        NotFound: a file of it is not there any more.
        InvalidInput: nobody is there to be replied to, it is to be said in a conversation that is
            not the ticket's, a channel takes no such files, or the ticket lacks what `then` asks
            for.
    """
    spoken_in = await _where_to(case, reply)
    enclosed = await _enclosed(case, agent, reply, spoken_in)
    if case.ticket.first_response_at is None:
        case.ticket.first_response_at = case.ledger.now
    said = [
        case.ledger.say(
            conversation,
            Speaker.AGENT,
            reply.words.strip(),
            agent=agent.id,
            envelope=reply.envelope if conversation is case.conversation else None,
        )
        for conversation in spoken_in
    ]
    if reply.envelope is not None and case.conversation in spoken_in:
        await bring_in(case.session, case.conversation, reply.envelope, case.ledger.now)
    for message in said:
        case.ledger.enclose(message, enclosed)
    case.ledger.record_message(case.ticket, said[0], "agent", actor=agent.actor)
    if reply.then is not None:
        await give_status(case, reply.then, actor=agent.actor)
    return said[0]


async def give_status(
    case: Case, status: TicketStatus, *, actor: str, reason: str | None = None
) -> None:
    """Give the ticket a status; the requester is told when it is solved, closed or reopened.

    Raises:
        InvalidInput: it cannot be set to that, or lacks what its category asks for.
    """
    await _check_status(case, status)
    old = TicketStatus(case.ticket.status)
    case.move(TRIGGER_FOR[status], actor=actor, reason=reason)
    was_done = CATEGORY[old] == StatusCategory.DONE
    is_done = CATEGORY[status] == StatusCategory.DONE
    if is_done and not was_done:
        case.conclude()
    elif was_done and not is_done:
        case.turn_over(Cause.TICKET_REOPENED)
        if case.ticket.assignee_id is not None:
            case.turn_over(Cause.AGENT_TOOK)
        case.tell("Your ticket **#{number}** is open again.")


async def _where_to(case: Case, reply: Reply) -> list[Conversation]:
    """Return the conversations that `reply` is to be said in."""
    everywhere = case.everywhere
    if is_unasked(case.ticket.kind, case.conversation.account_id):
        everywhere = case.joined
        if not everywhere or case.conversation.id in reply.to:
            raise InvalidInput("no requester reported this problem: there is nobody to reply to")
    if len(everywhere) == 1 and not reply.to:
        return list(everywhere)
    named = set(reply.to)
    if not named:
        places = [ConversationId(one.id) for one in everywhere]
        named = {await last_spoken_in(case.session, places) or places[0]}
    found = [one for one in everywhere if one.id in named]
    if len(found) < len(named):
        raise InvalidInput("this conversation is not one of the ticket's")
    return found


async def _enclosed(
    case: Case, agent: Agent, reply: Reply, spoken_in: Sequence[Conversation]
) -> Sequence[KeptFile]:
    files = await handed_in(case.session, agent.id, reply.files)
    for conversation in spoken_in:
        check_fit(files, case.ledger.can(conversation.account_id))
    return files


async def _check_status(case: Case, status: TicketStatus) -> None:
    if status not in TRIGGER_FOR:
        raise InvalidInput("a ticket cannot be set to new")
    if status == TicketStatus.SOLVED:
        await check_complete(case)
