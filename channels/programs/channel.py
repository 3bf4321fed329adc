"""Programs as a channel: what they report comes by the desk's own addresses; none reads answers."""

from __future__ import annotations

from core.domain.channel import Capabilities, Outbound, Receipt
from core.domain.content import MAX_TEXT_CHARS
from core.domain.ids import AccountId, RemoteId
from core.ports import Inbox


class Programs:
    """Keeps the promises of `Channel`. What is said to a program stays in the desk."""

    capabilities = Capabilities(reads_store=True, programs=True, max_text_chars=MAX_TEXT_CHARS)

    def __init__(self, account: AccountId) -> None:
        self.account = account

    async def receive(self, inbox: Inbox) -> None:  # noqa: ARG002 - requests bring everything
        """Return at once: reports come as requests."""
        return

    async def deliver(self, message: Outbound) -> Receipt:
        """Confirm what the commit has done: it is kept in the ticket."""
        return Receipt(remote_ids=(RemoteId(str(message.message)),))
