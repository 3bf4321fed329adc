"""Asks platforms who somebody is: who is due, and what becomes of the answers."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import ARRAY, Text, Uuid, any_, bindparam, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.events import Author
from core.domain.group_commit import GroupCommit
from core.domain.ids import AccountId, Address, ContactId, ConversationId
from core.services.intake.order import Place
from core.services.ledger import Accounts, Ledger
from core.services.people.moves import move, theirs
from core.services.people.people import recognise
from core.storage.engine import Sessions, storage_errors
from core.storage.feed import FeedKind
from core.storage.tables import ContactAddress, Conversation

_PAUSE_AFTER_FAILURE = timedelta(minutes=5)
_TOGETHER = 16  # people in one transaction

_ASKED = text(
    """
    UPDATE contact_address SET look_up_at = NULL, looked_up_at = :now
    FROM (SELECT * FROM unnest(CAST(:accounts AS text[]), CAST(:addresses AS text[]))
          AS one (account, address) ORDER BY account, address) AS asked
    WHERE contact_address.account_id = asked.account
      AND contact_address.address = asked.address
    """
)
_CONVERSATIONS = select(Conversation).where(
    Conversation.contact_id == any_(bindparam("contacts", type_=ARRAY(Uuid()))),
    Conversation.address == any_(bindparam("addresses", type_=ARRAY(Text()))),
)
_WANT = text(
    """
    UPDATE contact_address SET look_up_at = :now, look_up_for = asked.conversation
    FROM unnest(CAST(:accounts AS text[]), CAST(:addresses AS text[]),
                CAST(:conversations AS uuid[])) AS asked (account, address, conversation)
    WHERE contact_address.account_id = asked.account
      AND contact_address.address = asked.address
    """
)


async def want_look_up(session: AsyncSession, people: Mapping[Place, UUID], now: datetime) -> None:
    """Have the platform asked about `people`, each in the lane of a conversation."""
    ordered = sorted(people)
    await session.execute(
        _WANT,
        {
            "now": now,
            "accounts": [account for account, _ in ordered],
            "addresses": [address for _, address in ordered],
            "conversations": [people[place] for place in ordered],
        },
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class LookUp:
    """A person whom a platform is asked about."""

    account: AccountId
    address: Address
    due: datetime  # proves that nobody else has settled it
    is_last: bool = False  # nobody else is due; who is later wakes the lane themselves


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """What a platform said of a person."""

    place: Place
    author: Author


class LookUps:
    """The `people` lane of every conversation: asks platforms who somebody is."""

    def __init__(
        self,
        sessions: Sessions,
        accounts: Accounts,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._sessions = sessions
        self._accounts = accounts
        self._now = now
        self._settled = GroupCommit(self._settle, max_batch=_TOGETHER)

    async def plan(self, conversation: ConversationId) -> LookUp | None:
        """Return whom to ask about for a conversation; None where nobody is due."""
        async with storage_errors(), self._sessions() as session:
            rows = await session.execute(
                select(ContactAddress.account_id, ContactAddress.address, ContactAddress.look_up_at)
                .where(
                    ContactAddress.look_up_for == conversation,
                    ContactAddress.look_up_at <= self._now(),
                )
                .order_by(ContactAddress.look_up_at, ContactAddress.address)
                .limit(2)
            )
            due = rows.all()
        if not due:
            return None
        account, address, since = due[0]
        assert since is not None
        return LookUp(
            account=AccountId(account),
            address=Address(address),
            due=since,
            is_last=len(due) == 1,
        )

    async def settle(self, plan: LookUp, author: Author) -> None:
        """Write down what the platform said of a person.

        What is said at the same time shares a transaction: where many people write for the first
        time, each by itself would cost more than their first answers.
        """
        place: Place = (plan.account, plan.address)
        await self._settled.submit(_Found(place=place, author=author))

    async def _settle(self, batch: Sequence[_Found]) -> Sequence[None]:
        authors = {found.place: found.author for found in batch}
        async with storage_errors(), self._sessions.begin() as session:
            ledger = Ledger(self._accounts, self._now())
            found = await recognise(session, ledger, {}, authors)
            if found.moves:
                moved = await session.scalars(
                    select(Conversation)
                    .where(theirs(found.moves))
                    .order_by(Conversation.id)
                    .with_for_update()
                )
                await move(session, ledger, found.moves, moved.all())
            # Nothing changes in the others: live pages show who it is.
            others = authors.keys() - {one.place for one in found.moves}
            for conversation in await _conversations(session, others, found.contacts):
                ledger.changed(conversation, FeedKind.CONVERSATION)
            await session.execute(
                _ASKED,
                {
                    "now": ledger.now,
                    "accounts": [account for account, _ in sorted(authors)],
                    "addresses": [address for _, address in sorted(authors)],
                },
            )
            await ledger.write(session)
        return [None] * len(batch)

    async def put_back(self, plan: LookUp, seconds: float | None = None) -> None:
        """Ask again later: in `seconds`, or after the usual pause."""
        pause = _PAUSE_AFTER_FAILURE if seconds is None else timedelta(seconds=seconds)
        async with storage_errors(), self._sessions.begin() as session:
            await session.execute(
                update(ContactAddress)
                .where(
                    ContactAddress.account_id == plan.account,
                    ContactAddress.address == plan.address,
                    ContactAddress.look_up_at == plan.due,
                )
                .values(look_up_at=self._now() + pause)
            )

    async def give_up(self, plan: LookUp) -> None:
        """Count a person as asked about of whom the platform says nothing."""
        async with storage_errors(), self._sessions.begin() as session:
            await session.execute(
                update(ContactAddress)
                .where(
                    ContactAddress.account_id == plan.account,
                    ContactAddress.address == plan.address,
                )
                .values(look_up_at=None, looked_up_at=self._now())
            )


async def _conversations(
    session: AsyncSession, places: Collection[Place], contacts: Mapping[Place, ContactId]
) -> list[Conversation]:
    """Return the conversations that people hold from `places`."""
    known = {place: contacts[place] for place in places if place in contacts}
    if not known:
        return []
    rows = await session.scalars(
        _CONVERSATIONS,
        {
            "contacts": list(known.values()),
            "addresses": [address for _, address in known],
        },
    )
    return [
        row
        for row in rows
        if known.get((AccountId(row.account_id), row.address or "")) == row.contact_id
    ]
