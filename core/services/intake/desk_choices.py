"""What the desk does when a button is pressed that it answers itself."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.content import Intent
from core.domain.desk_choices import DECIDE, RATE, REOPEN
from core.domain.ids import Address
from core.services.catalogue import buttons
from core.services.ledger import Ledger
from core.services.satisfaction import answering
from core.storage.tables import Conversation

Answer = Callable[[AsyncSession, Ledger, Conversation, Intent, Address], Awaitable[None]]

_ANSWERS: Mapping[str, Answer] = {
    RATE: answering.press,
    REOPEN: answering.press_reopen,
    DECIDE: buttons.press,
}


async def answer_press(
    session: AsyncSession,
    ledger: Ledger,
    conversation: Conversation,
    intent: Intent,
    author: Address,
) -> None:
    """Do what a button with `intent` asks for, in the transaction that keeps its press.

    `conversation` is where `author` pressed it; it is locked.
    """
    await _ANSWERS[intent.name](session, ledger, conversation, intent, author)
