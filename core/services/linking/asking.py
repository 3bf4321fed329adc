"""What is said in a chat about linking an e-mail address: the wish, and the code.

It is part of the transaction that keeps the message. The mail and the joining of contacts are
left as work (`core/services/linking/codes.py`).
"""

from __future__ import annotations

import secrets
from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy import text as statement
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.conversation import Speaker
from core.domain.errors import TooManyAttempts
from core.domain.ids import new_id
from core.domain.linking import (
    LASTS,
    LINK,
    MOST_ATTEMPTS,
    MOST_CODES,
    MOST_CODES_A_DAY,
    MOST_OF_ACCOUNT,
    WITHIN,
    is_code,
    masked,
)
from core.services import audit
from core.services.intake.order import Place
from core.services.intake.records import AboutLinking
from core.services.ledger import Ledger
from core.storage.tables import ContactAddress, Conversation, LinkCode
from core.texts import text

REQUESTER = "requester"
"""`LinkCode.by` of a code that whoever is to enter it asked for."""

# Without a slash: some clients keep what begins with one for commands of their own.
HOW = "Write **link** and your e-mail address, for example: link ada@example.org"
ON_ITS_WAY = (
    "We are sending a code with six digits to {email}, unless it had several lately. Write it here "
    "within 15 minutes, and what you write here and by mail belongs together."
)
IN_PRIVATE = (
    "Others read what is written here. Write **link** and your e-mail address to me in a private "
    "message."
)
NO_MAIL = "Addresses cannot be linked here: this desk receives no mail."
TOO_MANY = "Several codes were sent already. Try again in an hour."
WRONG = "That is not the code. Attempts left: {left}."
OVER = "That code is no longer good. Write **link** and your address for a new one."

_DAY = timedelta(days=1)
_LOCK = statement(  # in order: several are taken at once
    "SELECT pg_advisory_xact_lock(hashtextextended(word, 0x6c636f64)) FROM"
    " (SELECT word FROM unnest(CAST(:words AS text[])) word ORDER BY word) AS ordered"
)


async def lock_codes(session: AsyncSession, asked: Collection[tuple[Place, str]]) -> None:
    """Let nobody else ask meanwhile for codes of these people, or to these e-mail addresses.

    Whoever asks for several in one transaction takes all locks before the first.
    """
    words = {email for _, email in asked} | {"\t".join(who) for who, _ in asked}
    await session.execute(_LOCK, {"words": sorted(words)})


async def answer_link(session: AsyncSession, ledger: Ledger, asked: AboutLinking) -> None:
    """Do what `asked` asks for in its locked conversation, and say what came of it.

    Where others read, nothing is begun: whose address it is, and whether a code was right, is for
    its owner alone. A code that somebody writes there all the same is used up.
    """
    conversation, who, intent = asked.conversation, asked.who, asked.intent
    if intent.name == LINK:
        if asked.is_shared:
            say(ledger, conversation, IN_PRIVATE)
            return
        email = intent.entities.get("email")
        if email is None:
            say(ledger, conversation, HOW)
            return
        try:
            await ask_for_code(session, ledger, conversation, who, email, by=REQUESTER)
        except TooManyAttempts:
            say(ledger, conversation, TOO_MANY)
    else:
        await _enter(session, ledger, conversation, who, intent.entities["code"])


async def ask_for_code(
    session: AsyncSession,
    ledger: Ledger,
    conversation: Conversation,
    who: Place,
    email: str,
    *,
    by: str,
) -> UUID | None:
    """Have a code mailed to `email` that `who` is to enter; earlier ones are worth nothing then.

    Returns its id; None where the desk cannot mail, which is said in the conversation. Nothing
    that is said tells whether the desk knows the address, or what others asked for: where it had
    enough codes, a requester hears the same, and none is mailed. The caller called `lock_codes`.

    Raises:
        TooManyAttempts: they had several codes in the last hour; or an agent asks, and the
            address had.
    """
    if not ledger.can_mail:
        say(ledger, conversation, NO_MAIL)
        return None
    account, address = who
    theirs = (LinkCode.account_id == account) & (LinkCode.address == address)
    has_enough = await _has_enough(session, ledger.now, email)
    if await _asked(session, ledger.now - WITHIN, theirs) >= MOST_CODES or (
        has_enough and by != REQUESTER
    ):
        raise TooManyAttempts(retry_after=WITHIN.total_seconds())
    is_withheld = has_enough or (by == REQUESTER and await _is_busy(session, ledger.now, account))
    for row in await session.scalars(
        select(LinkCode).where(theirs, LinkCode.ended_at.is_(None)).with_for_update()
    ):
        end(row, ledger, "replaced")
    code = LinkCode(
        id=new_id(),
        account_id=account,
        address=address,
        conversation_id=conversation.id,
        email=email,
        by=by,
        salt=secrets.token_bytes(16),
        requested_at=ledger.now,
        expires_at=ledger.now + LASTS,
        due_at=None if is_withheld else ledger.now,
    )
    session.add(code)
    say(ledger, conversation, ON_ITS_WAY, email=masked(email))
    subject = ("contact", await _contact_of(session, who, conversation), masked(email))
    audit.record(session, by, "contact.code_asked", subject)
    return code.id


async def _asked(session: AsyncSession, since: datetime, which: ColumnElement[bool]) -> int:
    found = await session.scalar(
        select(func.count()).select_from(LinkCode).where(which, LinkCode.requested_at > since)
    )
    return found or 0


async def _has_enough(session: AsyncSession, now: datetime, email: str) -> bool:
    """Say whether `email` had, or is about to have, as many codes as one address may."""
    # One that is neither made nor due was withheld, or replaced before it left.
    mailed = (LinkCode.email == email) & or_(
        LinkCode.digest.is_not(None), LinkCode.due_at.is_not(None)
    )
    return (
        await _asked(session, now - WITHIN, mailed) >= MOST_CODES
        or await _asked(session, now - _DAY, mailed) >= MOST_CODES_A_DAY
    )


async def _is_busy(session: AsyncSession, now: datetime, account: str) -> bool:
    """Say whether the requesters of an account asked for as many codes as they may."""
    asked = (LinkCode.account_id == account) & (LinkCode.by == REQUESTER)
    return await _asked(session, now - WITHIN, asked) >= MOST_OF_ACCOUNT


async def _enter(
    session: AsyncSession, ledger: Ledger, conversation: Conversation, who: Place, code: str
) -> None:
    account, address = who
    row = await session.scalar(
        select(LinkCode)
        .where(
            LinkCode.account_id == account,
            LinkCode.address == address,
            LinkCode.ended_at.is_(None),
            LinkCode.proven_at.is_(None),
        )
        .order_by(LinkCode.requested_at.desc())
        .limit(1)
        .with_for_update()
    )
    if row is None:  # another message of the same moment used it up
        say(ledger, conversation, OVER)
    elif row.expires_at < ledger.now:
        end(row, ledger, "expired")
        say(ledger, conversation, OVER)
    elif row.digest is not None and is_code(row.digest, row.salt, code):
        row.proven_at = row.due_at = ledger.now
    else:
        row.wrong += 1
        if row.wrong < MOST_ATTEMPTS:
            say(ledger, conversation, WRONG, left=MOST_ATTEMPTS - row.wrong)
            return
        end(row, ledger, "wrong")
        say(ledger, conversation, OVER)
        subject = ("contact", await _contact_of(session, who, conversation), masked(row.email))
        audit.record(session, REQUESTER, "contact.code_refused", subject)


async def _contact_of(session: AsyncSession, who: Place, conversation: Conversation) -> UUID:
    """Return whose address `who` is: in a group it need not be the conversation's requester."""
    account, address = who
    found = await session.scalar(
        select(ContactAddress.contact_id).where(
            ContactAddress.account_id == account, ContactAddress.address == address
        )
    )
    return found or conversation.contact_id


def end(row: LinkCode, ledger: Ledger, outcome: str) -> None:
    """Let a code be good for nothing any more."""
    row.ended_at, row.due_at, row.outcome = ledger.now, None, outcome


def say(ledger: Ledger, conversation: Conversation, key: str, **values: object) -> None:
    """Say the desk's sentence `key` in the conversation's language."""
    ledger.say(conversation, Speaker.SYSTEM, text(conversation.language, key, **values))
