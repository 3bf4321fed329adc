"""What an account holds of a rehearsal: every message, whether it was answered, what is left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.ids import AccountId


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFile:
    """A file of a message, as the platform announced it."""

    name: str
    size_bytes: int | None
    is_fetched: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredMessage:
    """A message of a requester. It is answered, too, where a human is to do that."""

    thread: str
    text: str
    is_answered: bool
    is_removed: bool = False
    earlier: Sequence[str] = ()  # what it said before edits, and what came too late
    files: Sequence[StoredFile] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPress:
    """A button of a message of the desk."""

    choice: UUID
    message: UUID
    times: int  # that it was pressed
    is_answered: bool
    is_over: bool  # its conversation has ended: it is taken no more


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What the desk knows of its messages in one thread."""

    thread: str
    parts: int  # names that the platform gave to those that it took
    uncertain: int  # may have been sent: an agent is to decide


_IS_ANSWERED = (
    "conversation.responder IN ('queued', 'human') OR EXISTS (SELECT FROM turn"
    " JOIN message AS answer ON answer.turn_id = turn.id"
    "  AND answer.conversation_id = turn.conversation_id AND answer.speaker = 'bot'"
    " WHERE turn.conversation_id = conversation.id AND turn.status = 'done'"
    "  AND message.seq BETWEEN turn.first_seq AND turn.last_seq)"
)


async def stored_messages(session: AsyncSession, account: AccountId) -> Sequence[StoredMessage]:
    """Return what requesters wrote, thread by thread, in the order of the transcript."""
    rows = await session.execute(
        text(
            f"SELECT conversation.thread, message.text, {_IS_ANSWERED},"  # noqa: S608
            " message.removed_at IS NOT NULL,"
            " ARRAY(SELECT revision.text FROM message_revision AS revision"
            "  WHERE revision.message_id = message.id),"
            " ARRAY(SELECT jsonb_build_array(attachment.name, attachment.size_bytes,"
            "   attachment.status = 'fetched')"
            "  FROM attachment WHERE attachment.message_id = message.id"
            "   AND attachment.removed_at IS NULL ORDER BY attachment.position)"
            " FROM message JOIN conversation ON conversation.id = message.conversation_id"
            " WHERE conversation.account_id = :account AND message.speaker = 'customer'"
            "  AND message.pressed_choice IS NULL"
            " ORDER BY conversation.thread, conversation.first_seq, message.position, message.seq"
        ),
        {"account": account},
    )
    return [
        StoredMessage(
            thread=row[0],
            text=row[1],
            is_answered=row[2],
            is_removed=row[3],
            earlier=row[4],
            files=[
                StoredFile(name=name, size_bytes=size, is_fetched=fetched)
                for name, size, fetched in row[5]
            ],
        )
        for row in rows
    ]


async def stored_presses(session: AsyncSession, account: AccountId) -> Sequence[StoredPress]:
    """Return the buttons under the desk's messages."""
    rows = await session.execute(
        text(
            "SELECT choice.id, choice.message_id, count(message.id),"  # noqa: S608
            f" coalesce(bool_or({_IS_ANSWERED}), false),"
            " NOT conversation.is_current"
            " FROM choice JOIN conversation ON conversation.id = choice.conversation_id"
            " LEFT JOIN message ON message.pressed_choice = choice.id"
            "  AND message.conversation_id = conversation.id"
            " WHERE conversation.account_id = :account"
            " GROUP BY choice.id, conversation.is_current"
        ),
        {"account": account},
    )
    return [
        StoredPress(choice=row[0], message=row[1], times=row[2], is_answered=row[3], is_over=row[4])
        for row in rows
    ]


async def sent_messages(session: AsyncSession, account: AccountId) -> Sequence[Sent]:
    """Return what was sent in each thread that anything was sent in."""
    rows = await session.execute(
        text(
            "SELECT conversation.thread, count(remote_message.remote_id),"
            " count(*) FILTER (WHERE message.delivery = 'parked')"
            " FROM message JOIN conversation ON conversation.id = message.conversation_id"
            " LEFT JOIN remote_message ON remote_message.message_id = message.id"
            " WHERE conversation.account_id = :account AND message.speaker <> 'customer'"
            " GROUP BY conversation.thread"
        ),
        {"account": account},
    )
    return [Sent(thread=row[0], parts=row[1], uncertain=row[2]) for row in rows]


async def work_left(session: AsyncSession, account: AccountId) -> int:
    """Return how many turns, deliveries and files of the account are not finished.

    What the desk does not send yet because machines have written enough to somebody waits for
    hours: it is not counted.
    """
    left = await session.scalar(
        text(
            "SELECT (SELECT count(*) FROM turn"
            "  JOIN conversation ON conversation.id = turn.conversation_id"
            "  WHERE conversation.account_id = :account"
            "  AND turn.status IN ('waiting', 'running'))"
            " + (SELECT count(*) FROM delivery WHERE account_id = :account"
            "  AND status IN ('waiting', 'sending')"
            "  AND NOT (attempts = 0 AND available_at > now() + interval '30 minutes'))"
            " + (SELECT count(*) FROM attachment"
            "  JOIN message ON message.id = attachment.message_id"
            "  JOIN conversation ON conversation.id = message.conversation_id"
            "  WHERE conversation.account_id = :account AND attachment.status = 'waiting')"
            " + (SELECT count(*) FROM early_event WHERE account_id = :account)"
        ),
        {"account": account},
    )
    return int(left or 0)


async def some_questions(session: AsyncSession, limit: int) -> Sequence[str]:
    """Return questions that articles for everybody are to answer."""
    rows = await session.scalars(
        text(
            "SELECT question FROM article, jsonb_array_elements_text(questions) AS question"
            " WHERE audience = 'public' AND length(question) BETWEEN 10 AND 120"
            " ORDER BY md5(id || question) LIMIT :limit"
        ),
        {"limit": limit},
    )
    return list(rows)
