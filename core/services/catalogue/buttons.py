"""Asking for a decision in the approver's own conversation with the desk, by buttons."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.catalogue import DecidedAlready, Decision, Stage
from core.domain.content import Choice, Intent
from core.domain.conversation import Speaker
from core.domain.desk_choices import DECIDE
from core.domain.errors import Forbidden
from core.domain.ids import (
    AccountId,
    Address,
    ChoiceId,
    ConversationId,
    ItemId,
    ThreadKey,
    TicketId,
    new_id,
)
from core.domain.setbacks import Chore
from core.ports import Channel, KnowsPrivacy
from core.services.case import open_case
from core.services.catalogue.approving import GONE, about, decide_as_asked, gone, note_refusal
from core.services.catalogue.telling import filled_in
from core.services.ledger import Accounts, Ledger
from core.services.locks import locked
from core.services.setbacks import Setbacks
from core.storage.engine import Sessions, storage_errors
from core.storage.queries.catalogue.items import item_view
from core.storage.queries.catalogue.requests import values_of
from core.storage.tables import (
    ApprovalAsk,
    Contact,
    ContactAddress,
    Conversation,
    ItemRequest,
    Ticket,
)
from core.texts import text

QUESTION = "{requester} asks for **{item}** (ticket **#{number}**). Do you approve it?"
DONE = {
    Decision.APPROVE: "Thank you: **{item}** for {requester} is approved.",
    Decision.REJECT: "Thank you: **{item}** for {requester} is rejected.",
}
LABELS = {Decision.APPROVE: "Approve", Decision.REJECT: "Reject"}
SAID = {
    Stage.WORK: "This is decided already: {who} approved it.",
    Stage.DONE: "This is decided already: {who} approved it.",
    Stage.REJECTED: "This is decided already: {who} rejected it.",
    Stage.WITHDRAWN: "There is nothing to decide any more: the ticket has ended.",
}
NOT_YOURS = "You cannot decide on this (any more)."

_BATCH = 50


class ApprovalChats:
    """A duty: asks in chat those who write to the desk there, as their platform vouches for."""

    def __init__(
        self,
        sessions: Sessions,
        channels: Mapping[AccountId, Channel],
        accounts: Accounts,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._sessions = sessions
        self._channels = channels
        self._accounts = accounts
        self._now = now
        self._setbacks = Setbacks(sessions, Chore.APPROVALS, now)

    async def ask_due(self) -> int:
        """Ask whom is due, a bounded part of them; return how many were looked at."""
        async with storage_errors(), self._sessions() as session:
            due = await session.scalars(
                select(ApprovalAsk.id)
                .where(ApprovalAsk.chat_at <= self._now(), self._setbacks.is_free(ApprovalAsk.id))
                .order_by(ApprovalAsk.chat_at)
                .limit(_BATCH)
            )
            names = due.all()
        await self._setbacks.each(names, self._ask_one)
        return len(names)

    async def _ask_one(self, name: UUID) -> None:
        async with storage_errors(), self._sessions.begin() as session:
            await self._ask(session, name)

    async def _ask(self, session: AsyncSession, name: UUID) -> None:
        ledger = Ledger(self._accounts, self._now())
        email = await session.scalar(select(ApprovalAsk.email).where(ApprovalAsk.id == name))
        place = None if email is None else await self._place_of(session, email)
        # The conversation before the record, as everywhere.
        conversation = None if place is None else await locked(session, place)
        ask = await session.get(ApprovalAsk, name, with_for_update=True)
        if ask is None or ask.chat_at is None or ask.chat_at > ledger.now:
            return
        ask.chat_at = None
        request = await session.get_one(ItemRequest, ask.request_id)
        if conversation is None or request.stage != Stage.APPROVAL:
            return
        ask.conversation_id, ask.address = conversation.id, conversation.address
        await _put_question(session, ledger, conversation, ask, request)
        await ledger.write(session)

    async def _place_of(self, session: AsyncSession, email: str) -> ConversationId | None:
        """Return their latest conversation that nobody else reads.

        Only where the platform vouches for the address is it theirs.
        """
        rows = await session.execute(
            select(Conversation.id, Conversation.account_id, Conversation.thread)
            .join(
                ContactAddress,
                (ContactAddress.account_id == Conversation.account_id)
                & (ContactAddress.address == Conversation.address),
            )
            .where(
                ContactAddress.verified_email == email,
                Conversation.is_current,
                Conversation.side_of.is_(None),
                Conversation.unreachable_since.is_(None),
            )
            .order_by(Conversation.last_message_at.desc())
        )
        for name, account, thread in rows:
            channel = self._channels.get(AccountId(account))
            if isinstance(channel, KnowsPrivacy) and channel.is_private(ThreadKey(thread)):
                return ConversationId(name)
        return None


async def press(
    session: AsyncSession,
    ledger: Ledger,
    conversation: Conversation,
    intent: Intent,
    author: Address,
) -> None:
    """Decide as the button says, where whoever pressed it is the one who was asked."""
    name, actor = UUID(intent.entities["ask"]), f"contact:{author}"
    ask = await session.get(ApprovalAsk, name)
    language = conversation.language
    if ask is None:
        await note_refusal(session, actor, gone(name), GONE)
        ledger.say(conversation, Speaker.SYSTEM, text(language, NOT_YOURS))
        return
    request = await session.get_one(ItemRequest, ask.request_id)
    ticket = await session.get_one(Ticket, request.ticket_id)
    decision = Decision(intent.entities["decision"])
    values = {"number": ticket.number, **await _names(session, request, ticket, language)}
    try:
        _check_whose(ask, conversation, author)
        # What this transaction has changed of a conversation is not to be read over.
        await session.flush()
        case = await open_case(session, ledger, TicketId(ticket.id))
        await decide_as_asked(case, ask, decision, "")
    except DecidedAlready as error:
        await note_refusal(session, actor, about(ticket.number), str(error))
        said = text(language, SAID[error.stage], who=error.who or "?")
    except Forbidden as error:
        await note_refusal(session, actor, about(ticket.number), str(error))
        said = text(language, NOT_YOURS)
    else:
        said = text(language, DONE[decision], **values)
    ledger.say(conversation, Speaker.SYSTEM, said)


def _check_whose(ask: ApprovalAsk, conversation: Conversation, author: Address) -> None:
    if ask.conversation_id != conversation.id or ask.address != author:
        raise Forbidden("the button was for somebody else")


async def _put_question(
    session: AsyncSession,
    ledger: Ledger,
    conversation: Conversation,
    ask: ApprovalAsk,
    request: ItemRequest,
) -> None:
    language = conversation.language or ask.language
    ticket = await session.get_one(Ticket, request.ticket_id)
    names = await _names(session, request, ticket, language)
    said = text(language, QUESTION, number=ticket.number, **names)
    filled = filled_in(await values_of(session, request), language)
    ledger.say(
        conversation,
        Speaker.SYSTEM,
        f"{said}\n\n{filled}" if filled else said,
        choices=[
            Choice(
                id=ChoiceId(new_id()),
                label=text(language, label),
                intent=Intent(name=DECIDE, entities={"ask": str(ask.id), "decision": decision}),
            )
            for decision, label in LABELS.items()
        ],
    )


async def _names(
    session: AsyncSession, request: ItemRequest, ticket: Ticket, language: str | None
) -> dict[str, str]:
    item = await item_view(session, ItemId(request.item_id))
    contact = await session.get_one(Contact, ticket.contact_id)
    return {
        "item": item.named(language),
        "requester": contact.name or contact.email or text(language, "Somebody"),
    }
