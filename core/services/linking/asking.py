"""What is said in a chat about linking an e-mail address: the wish, and the code.

It is part of the transaction that keeps the message. The mail and the joining of contacts are
left as work (`core/services/linking/codes.py`).
"""

from __future__ import annotations

import secrets
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.content import Intent
from core.domain.conversation import Speaker
from core.domain.errors import TooManyAttempts
from core.domain.ids import new_id
from core.domain.linking import (
    LASTS,
    LINK,
    MOST_ATTEMPTS,
    MOST_CODES,
    WITHIN,
    is_code,
    masked,
)
from core.services import audit
from core.services.ledger import Ledger
from core.services.order import Place
from core.storage.tables import Conversation, LinkCode
from core.texts import text

HOW = "Write **/link** and your e-mail address, for example: /link ada@example.org"
ON_ITS_WAY = (
    "We are sending a code with six digits to {email}. Write it here within 15 minutes, and what "
    "you write here and by mail belongs together."
)
NO_MAIL = "Addresses cannot be linked here: this desk receives no mail."
TOO_MANY = "Several codes were sent already. Try again in an hour."
WRONG = "That is not the code. Attempts left: {left}."
OVER = "That code is no longer good. Write **/link** and your address for a new one."


async def answer_link(
    session: AsyncSession, ledger: Ledger, conversation: Conversation, who: Place, intent: Intent
) -> None:
    """Do what `who` asks for in the locked `conversation`, and say what came of it."""
    if intent.name == LINK:
        email = intent.entities.get("email")
        if email is None:
            say(ledger, conversation, HOW)
            return
        try:
            await ask_for_code(session, ledger, conversation, who, email, by="requester")
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
    that is said tells whether the desk knows the address.

    Raises:
        TooManyAttempts: they, or the address, had several codes in the last hour.
    """
    if not ledger.can_mail:
        say(ledger, conversation, NO_MAIL)
        return None
    account, address = who
    since = ledger.now - WITHIN
    theirs = (LinkCode.account_id == account) & (LinkCode.address == address)
    lately = await session.scalars(
        select(func.count())
        .select_from(LinkCode)
        .where(or_(theirs, LinkCode.email == email), LinkCode.requested_at > since)
        .group_by(theirs)
    )
    if max(lately.all(), default=0) >= MOST_CODES:
        raise TooManyAttempts(retry_after=WITHIN.total_seconds())
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
        due_at=ledger.now,
    )
    session.add(code)
    say(ledger, conversation, ON_ITS_WAY, email=masked(email))
    audit.record(
        session, by, "contact.code_asked", ("contact", conversation.contact_id, masked(email))
    )
    return code.id


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
        subject = ("contact", conversation.contact_id, masked(row.email))
        audit.record(session, "requester", "contact.code_refused", subject)


def end(row: LinkCode, ledger: Ledger, outcome: str) -> None:
    """Let a code be good for nothing any more."""
    row.ended_at, row.due_at, row.outcome = ledger.now, None, outcome


def say(ledger: Ledger, conversation: Conversation, key: str, **values: object) -> None:
    """Say the desk's sentence `key` in the conversation's language."""
    ledger.say(conversation, Speaker.SYSTEM, text(conversation.language, key, **values))
