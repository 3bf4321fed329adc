"""What tests of Slack need besides the simulated platform."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from obstore.store import MemoryStore

from channels.simulator.slack import Message
from core.adapters.blobs import ObjectBlobs
from core.domain.assistant import TicketBrief
from core.domain.ids import AccountId, Address
from core.ports import BlobStore, ChannelContext


@dataclass
class Shelf:
    """Tickets by address."""

    tickets: dict[str, list[TicketBrief]] = field(default_factory=dict)

    async def tickets_of(
        self, account: AccountId, address: Address, limit: int = 10
    ) -> Sequence[TicketBrief]:
        return self.tickets.get(address, [])[:limit]


def channel_context(blobs: BlobStore | None = None, shelf: Shelf | None = None) -> ChannelContext:
    """Return what a desk lends an account."""
    return ChannelContext(
        blobs=blobs or ObjectBlobs(MemoryStore),
        tickets=shelf or Shelf(),
        base_url="https://desk.example",
        key=b"0" * 32,
        default_language="en",
    )


def plain_text(message: Message) -> str:
    """Return the words that people see in a message of ours."""
    return "".join(_words(block) for block in message.blocks)


def _words(node: Mapping[str, Any]) -> str:
    if node.get("type") == "actions":
        return ""
    inner = "".join(_words(element) for element in node.get("elements", []))
    text = node.get("text", "")
    return (_words(text) if isinstance(text, dict) else text) + inner
