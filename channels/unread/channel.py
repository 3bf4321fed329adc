"""A channel that nobody reads: what is said to programs, or to people on the phone, stays here."""

from __future__ import annotations

from core.domain.channel import Capabilities, Outbound, Receipt
from core.domain.content import MAX_TEXT_CHARS
from core.domain.ids import AccountId, RemoteId
from core.ports import Inbox


class Unread:
    """Keeps the promises of `Channel`. What is said in it stays in the desk."""

    capabilities = Capabilities(reads_store=True, unread=True, max_text_chars=MAX_TEXT_CHARS)

    def __init__(self, account: AccountId) -> None:
        self.account = account

    async def receive(self, inbox: Inbox) -> None:  # noqa: ARG002 - the desk's own pages bring all
        """Return at once: reports and what agents write down come as requests."""
        return

    async def deliver(self, message: Outbound) -> Receipt:
        """Confirm what the commit has done: it is kept in the ticket."""
        return Receipt(remote_ids=(RemoteId(str(message.message)),))
