"""Between whom letters go: what an agent may address, and who takes part from then on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.content import UNSTORABLE, Envelope
from core.domain.errors import InvalidInput, WrongAddress
from core.domain.ids import AccountId, Address, ThreadKey, new_id
from core.ports import Channel, SendsLetters
from core.storage.tables import Conversation, Participant

MOST_ADDRESSES = 50
MAX_SUBJECT_CHARS = 250


@dataclass(frozen=True, slots=True, kw_only=True)
class Addressing:
    """How an answer may be addressed."""

    usual: Envelope  # what the account's own rule makes of it
    to_all: Envelope
    to_requester: Envelope


class Letters:
    """Knows which accounts send letters, and checks how agents address them."""

    def __init__(self, channels: Mapping[AccountId, Channel]) -> None:
        self._channels = channels

    def addressing(
        self,
        account: AccountId,
        requester: Address | None,
        others: Sequence[Address],
        subject: str | None,
        language: str,
    ) -> Addressing | None:
        """Return how an answer to `requester` may be addressed; None where nobody writes letters.

        Addresses that nothing can be sent to are left out.
        """
        channel = self._channels.get(account)
        if not isinstance(channel, SendsLetters):
            return None
        about = channel.subject_of_reply(subject, language)
        to = [] if requester is None else _sendable(channel, [requester])
        alone = channel.checked(Envelope(to=tuple(to), subject=about))
        to_all = channel.checked(replace(alone, cc=tuple(_sendable(channel, others))))
        usual = to_all if channel.capabilities.replies_to_all else alone
        return Addressing(usual=usual, to_all=to_all, to_requester=alone)

    def checked(self, account: AccountId, envelope: Envelope) -> Envelope:
        """Return `envelope` as it can be sent from `account`: the desk itself left out.

        Raises:
            WrongAddress: nothing can be sent to one of the addresses.
            InvalidInput: nobody is left, these are too many, or the subject cannot be kept.
        """
        channel = self._letter_channel(account)
        words = (*envelope.to, *envelope.cc, *envelope.bcc)
        if len(words) > MOST_ADDRESSES:
            raise InvalidInput(f"a letter goes to {MOST_ADDRESSES} addresses at most")
        if any(UNSTORABLE.search(word) for word in (*words, envelope.subject or "")):
            raise InvalidInput("text must not hold NUL characters or lone surrogates")
        if len(envelope.subject or "") > MAX_SUBJECT_CHARS:
            raise InvalidInput(f"a subject has {MAX_SUBJECT_CHARS} characters at most")
        letter = channel.checked(envelope)
        if not (letter.to or letter.cc or letter.bcc):
            raise InvalidInput("a letter needs somebody to go to")
        return letter

    def are_sent_from(self, account: AccountId) -> bool:
        """Say whether `account` sends letters."""
        return isinstance(self._channels.get(account), SendsLetters)

    def can_go_to(self, account: AccountId, address: Address) -> bool:
        """Say whether a letter can be sent from `account` to `address`."""
        channel = self._channels.get(account)
        return isinstance(channel, SendsLetters) and bool(_sendable(channel, [address]))

    def begin_thread(self, account: AccountId) -> ThreadKey:
        """Return the key of a fresh thread.

        Raises:
            InvalidInput: the account sends no letters.
        """
        return self._letter_channel(account).begin_thread(new_id())

    def is_same_subject(self, account: AccountId, one: str, other: str) -> bool:
        """Say whether two subjects are about the same; where nobody writes letters, they are."""
        channel = self._channels.get(account)
        return not isinstance(channel, SendsLetters) or channel.is_same_subject(one, other)

    def _letter_channel(self, account: AccountId) -> SendsLetters:
        channel = self._channels.get(account)
        if not isinstance(channel, SendsLetters):
            raise InvalidInput("this channel has no letters")
        return channel


async def bring_in(
    session: AsyncSession, conversation: Conversation, letter: Envelope, now: datetime
) -> None:
    """Count those whom an agent openly writes to as participants, from now on."""
    others = [one for one in (*letter.to, *letter.cc) if one != conversation.address]
    if others:
        await session.execute(
            upsert(Participant).on_conflict_do_update(
                index_elements=["conversation_id", "address"], set_={"left_at": None}
            ),
            [
                {"conversation_id": conversation.id, "address": one, "joined_at": now}
                for one in others
            ],
        )


def _sendable(channel: SendsLetters, addresses: Sequence[Address]) -> list[Address]:
    found: list[Address] = []
    for address in addresses:
        try:
            found.extend(channel.checked(Envelope(to=(address,))).to)
        except WrongAddress:
            continue  # it came from outside; whoever writes to it by hand is told
    return found
