"""Tickets that agents register for somebody who asked on the phone, at the counter, by post."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.account import IN_PERSON
from core.domain.actor import WORKING, Agent, Role
from core.domain.assistant import HandoffReason, TicketKind
from core.domain.classification import Kind
from core.domain.content import Envelope, check_words
from core.domain.conversation import Speaker
from core.domain.errors import Conflict, InvalidInput, NotFound, WrongAddress
from core.domain.events import Author
from core.domain.ids import (
    AccountId,
    Address,
    AgentId,
    ContactId,
    ThreadKey,
    TicketId,
    new_id,
)
from core.domain.languages import LANGUAGES
from core.domain.ticket import CameBy
from core.services.case import Case
from core.services.classification.sorting import Sorting, apply
from core.services.conversations.letters import MAX_SUBJECT_CHARS, Letters
from core.services.ledger import Accounts, Ledger
from core.services.requester_records.contacts import ContactDraft, write_down
from core.services.tickets.answering import give_to
from core.services.tickets.registering import Matter, register
from core.storage.engine import Sessions, storage_errors
from core.storage.queries.conversations.reach import holder_of, mail_addresses
from core.storage.tables import (
    AgentRow,
    Contact,
    ContactAddress,
    ContactMerge,
    Participant,
)
from core.texts import text

_LOOKS_LIKE_MAIL = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+")

REGISTERED = (
    "We have registered what you asked us as ticket **#{number}**: {subject}. "
    "You can add details by answering this message."
)
"""What a requester is mailed of a ticket that an agent registered for them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """What somebody asked for, and who is to see to it."""

    requester: ContactId
    subject: str
    text: str
    came_by: CameBy = CameBy.PHONE
    sorting: Sorting = field(default_factory=Sorting)
    assignee: AgentId | None = None
    language: str | None = None  # none: the requester's, else the agent's
    account: AccountId | None = None  # that letters go from; none: one that knows them
    tells: bool = True  # mail the requester the ticket's number, where they can be mailed

    def __post_init__(self) -> None:
        check_words(self.text)
        if not self.subject.strip() or "\x00" in self.subject:
            raise InvalidInput("a ticket needs a subject")
        if len(self.subject) > MAX_SUBJECT_CHARS:
            raise InvalidInput(f"a subject has {MAX_SUBJECT_CHARS} characters at most")
        if self.language is not None and self.language not in LANGUAGES:
            raise InvalidInput("the desk does not speak this language")


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """Where answers to a requester go."""

    account: AccountId
    address: Address


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a matter of a requester goes on, which need not have begun there."""

    contact: ContactId
    name: str | None
    account: AccountId
    address: Address
    thread: ThreadKey | None  # a fresh one; none: one that nobody else knows
    is_theirs: bool  # the account knows the address as the requester's

    def take_part(self, case: Case) -> None:
        """Count the address as one that has a part in the conversation of `case`.

        A platform vouches for it as the requester's, but nobody does for letters from it: to the
        desk they are another contact's, and no stranger's all the same.
        """
        if not self.is_theirs:
            case.session.add(
                Participant(
                    conversation_id=case.conversation.id,
                    address=self.address,
                    name=None,
                    joined_at=case.ledger.now,
                )
            )


class Registrations:
    """Opens tickets in a requester's name; they go the same way as all others."""

    def __init__(
        self,
        sessions: Sessions,
        accounts: Accounts,
        letters: Letters,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._sessions = sessions
        self._accounts = accounts
        self._letters = letters
        self._now = now

    @property
    def mail_accounts(self) -> list[AccountId]:
        """The accounts that letters can be sent from, in the order of their names."""
        return sorted(account for account, can in self._accounts.items() if can.letters)

    async def ways_to(
        self, session: AsyncSession, contacts: list[ContactId], account: AccountId | None = None
    ) -> dict[ContactId, Way]:
        """Return where answers to each of `contacts` would go; without those who have no mail."""
        accounts = self.mail_accounts
        known = await mail_addresses(session, contacts, accounts)
        found: dict[ContactId, Way] = {}
        for contact, addresses in known.items():
            for one in addresses if accounts else ():
                chosen = account or one.account or accounts[0]
                if self._letters.can_go_to(chosen, one.address):
                    found[contact] = Way(account=chosen, address=one.address)
                    break
        return found

    async def place_for(
        self, session: AsyncSession, contact: Contact, account: AccountId | None = None
    ) -> Place:
        """Return where answers to `contact`, whom the caller has locked, go.

        By mail, from `account` where it is named; else nowhere: they stay in the ticket.
        """
        named = ContactId(contact.id)
        way = (await self.ways_to(session, [named], account)).get(named)
        account = IN_PERSON if way is None else way.account
        address = Address(f"contact:{contact.id}") if way is None else way.address
        return Place(
            contact=named,
            name=contact.name,
            account=account,
            address=address,
            thread=None if way is None else self._letters.begin_thread(account),
            is_theirs=await _know(session, account, address, contact),
        )

    async def whoever_has(self, session: AsyncSession, email: str) -> Contact:
        """Return the requester who has an e-mail address, locked; one is added where nobody has it.

        Raises:
            WrongAddress: nothing can be sent to it.
        """
        address, account = self._checked(email)
        accounts = [*self.mail_accounts, IN_PERSON]
        known = await holder_of(session, address, accounts)
        if known is None:
            row = Contact(id=new_id(), created_at=self._now())
            session.add(row)
            await session.flush()
            if await _know(session, account, address, row):
                return row
            await session.delete(row)  # somebody else added them at the same time
            await session.flush()
            known = await holder_of(session, address, accounts)
            assert known is not None
        return await session.get_one(Contact, known, with_for_update=True)

    def _checked(self, email: str) -> tuple[Address, AccountId]:
        """Return an address as it is kept, and the account that keeps those nobody wrote from.

        Raises:
            WrongAddress: nothing can be sent to it.
        """
        address, accounts = Address(email.strip().lower()), self.mail_accounts
        if accounts:
            self._letters.checked(accounts[0], Envelope(to=(address,)))
        elif not _LOOKS_LIKE_MAIL.fullmatch(address):
            raise WrongAddress(address)
        return address, accounts[0] if accounts else IN_PERSON

    async def meet(self, draft: ContactDraft, email: str, by: Agent) -> ContactId:
        """Write down somebody who has not written to the desk yet; `email` may be empty.

        Nobody vouches for the address: it joins them to nobody. What is written from it is theirs.

        Raises:
            InvalidInput: the name is missing, something cannot be kept, or names what is not there.
            WrongAddress: nothing can be sent to the address.
            Conflict: the address is another requester's.
        """
        place = self._checked(email) if email.strip() else None
        async with storage_errors(), self._sessions.begin() as session:
            if place is not None and await holder_of(
                session, place[0], [*self.mail_accounts, IN_PERSON]
            ):
                raise Conflict("this address is another requester's")
            row = await write_down(session, draft, by)
            if place is not None and not await _know(session, place[1], place[0], row):
                raise Conflict("this address is another requester's")
            return ContactId(row.id)

    async def open(self, wanted: Registration, by: Agent) -> TicketId:
        """Register a ticket; answers go by mail where the requester can be mailed.

        Where they cannot, what is answered stays in the ticket, as a record of what was told.

        Raises:
            NotFound: there is no such requester.
            Conflict: the requester was merged into another.
            InvalidInput: something of it does not fit, or names what is not there.
        """
        if wanted.account is not None and wanted.account not in self.mail_accounts:
            raise InvalidInput("no letters can be sent from this account")
        async with storage_errors(), self._sessions.begin() as session:
            contact = await _requester(session, wanted.requester)
            assignee = await _assignee(session, wanted.assignee)
            place = await self.place_for(session, contact, wanted.account)
            ledger = Ledger(self._accounts, self._now())
            kind = wanted.sorting.kind
            case = await register(
                session,
                ledger,
                Matter(
                    account=place.account,
                    contact=place.contact,
                    author=Author(address=place.address, name=place.name),
                    subject=wanted.subject.strip(),
                    text=wanted.text.strip(),
                    reason=HandoffReason.REGISTERED,
                    kind=TicketKind.REQUEST if kind is Kind.REQUEST else TicketKind.INCIDENT,
                    language=wanted.language or contact.language or by.language,
                    thread=place.thread,
                    came_by=wanted.came_by,
                ),
                actor=by.actor,
            )
            await ledger.write(session)
            await session.refresh(case.ticket)  # with what the database gave it
            place.take_part(case)
            await apply(case, wanted.sorting, actor=by.actor)
            if assignee is not None:
                give_to(case, assignee, actor=by.actor)
            if wanted.tells and place.thread is not None:
                _tell(case)
            case.changed()
            await ledger.write(session)
            return TicketId(case.ticket.id)


async def _requester(session: AsyncSession, contact: ContactId) -> Contact:
    row = await session.get(Contact, contact, with_for_update=True)
    if row is None:
        raise NotFound("there is no such requester")
    into = await session.scalar(
        select(ContactMerge.kept_id).where(
            ContactMerge.merged_id == contact, ContactMerge.undone_at.is_(None)
        )
    )
    if into is not None:
        raise Conflict("this contact was merged into another")
    return row


async def _assignee(session: AsyncSession, agent: AgentId | None) -> AgentId | None:
    if agent is None:
        return None
    row = await session.get(AgentRow, agent)
    if row is None or row.disabled_at is not None or Role(row.role) not in WORKING:
        raise InvalidInput("there is no such agent")
    return agent


async def _know(
    session: AsyncSession, account: AccountId, address: Address, contact: Contact
) -> bool:
    """See that the account knows `address`; say whether it does as the contact's own."""
    await session.execute(
        upsert(ContactAddress)
        .values(account_id=account, address=address, contact_id=contact.id, name=contact.name)
        .on_conflict_do_nothing()
    )
    holder = await session.scalar(
        select(ContactAddress.contact_id).where(
            ContactAddress.account_id == account, ContactAddress.address == address
        )
    )
    return holder == contact.id


def _tell(case: Case) -> None:
    case.ledger.say(
        case.conversation,
        Speaker.SYSTEM,
        text(
            case.conversation.language,
            REGISTERED,
            number=case.ticket.number,
            subject=case.ticket.subject,
        ),
    )
