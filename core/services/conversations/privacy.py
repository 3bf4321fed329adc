"""Which places are read by one person alone, as their channels know."""

from __future__ import annotations

from collections.abc import Mapping

from core.domain.ids import AccountId, ThreadKey
from core.ports import Channel, KnowsPrivacy


def is_private(channels: Mapping[AccountId, Channel], account: str, thread: str) -> bool:
    """Say whether what is said in `thread` is read by one person, and perhaps its participants.

    A channel that cannot tell is one of letters or of chats with one person.
    """
    channel = channels.get(AccountId(account))
    if channel is None:
        return False
    return not isinstance(channel, KnowsPrivacy) or channel.is_private(ThreadKey(thread))
