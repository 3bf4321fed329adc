"""Tickets that agents register for somebody who asked on the phone, at the counter, by post."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.actor import WORKING, Agent, Role
from core.domain.assistant import HandoffReason, TicketKind
from core.domain.classification import Kind
from core.domain.content import Envelope, check_words
from core.domain.conversation import Speaker
from core.domain.errors import Conflict, InvalidInput, NotFound, WrongAddress
from core.domain.events import Author
from core.domain.ids import AccountId, Address, AgentId, ContactId, TicketId
from core.domain.languages import LANGUAGES
from core.domain.ticket import CameBy
from core.services.answering import give_to
from core.services.case import Case
from core.services.classification.sorting import Sorting, apply
from core.services.ledger import Accounts, Ledger
from core.services.letters import MAX_SUBJECT_CHARS, Letters
from core.services.registering import IN_PERSON, Matter, register
from core.services.requester_records.contacts import ContactDraft, write_down
from core.storage.engine import Sessions, storage_errors
from core.storage.queries.reach import is_known, mail_addresses
from core.storage.tables import (
    AgentRow,
    Contact,
    ContactAddress,
    ContactMerge,
    Conversation,
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

    async def meet(self, draft: ContactDraft, email: str, by: Agent) -> ContactId:
        """Write down somebody who has not written to the desk yet; `email` may be empty.

        Nobody vouches for the address: it joins them to nobody. What is written from it is theirs.

        Raises:
            InvalidInput: the name is missing, something cannot be kept, or names what is not there.
            WrongAddress: nothing can be sent to the address.
            Conflict: the address is another requester's.
        """
        address = Address(email.strip().lower())
        accounts = self.mail_accounts
        account = accounts[0] if accounts else IN_PERSON
        if address and accounts:
            self._letters.checked(account, Envelope(to=(address,)))
        elif address and not _LOOKS_LIKE_MAIL.fullmatch(address):
            raise WrongAddress(address)
        async with storage_errors(), self._sessions.begin() as session:
            if address and await is_known(session, address, [*accounts, IN_PERSON]):
                raise Conflict("this address is another requester's")
            row = await write_down(session, draft, by)
            if address and not await _know(session, account, address, row):
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
            ways = await self.ways_to(session, [wanted.requester], wanted.account)
            way = ways.get(wanted.requester)
            account = IN_PERSON if way is None else way.account
            address = Address(f"contact:{contact.id}") if way is None else way.address
            is_theirs = await _know(session, account, address, contact)
            ledger = Ledger(self._accounts, self._now())
            kind = wanted.sorting.kind
            case = await register(
                session,
                ledger,
                Matter(
                    account=account,
                    contact=wanted.requester,
                    author=Author(address=address, name=contact.name),
                    subject=wanted.subject.strip(),
                    text=wanted.text.strip(),
                    reason=HandoffReason.REGISTERED,
                    kind=TicketKind.REQUEST if kind is Kind.REQUEST else TicketKind.INCIDENT,
                    language=wanted.language or contact.language or by.language,
                    thread=None if way is None else self._letters.begin_thread(account),
                    came_by=wanted.came_by,
                ),
                actor=by.actor,
            )
            await ledger.write(session)
            await session.refresh(case.ticket)  # with what the database gave it
            if not is_theirs:
                _take_part(session, case.conversation, address, ledger.now)
            await apply(case, wanted.sorting, actor=by.actor)
            if assignee is not None:
                give_to(case, assignee, actor=by.actor)
            if wanted.tells and way is not None:
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


def _take_part(
    session: AsyncSession, conversation: Conversation, address: Address, now: datetime
) -> None:
    """Count `address` as one that has a part in `conversation`.

    A platform vouches for it as the requester's, but nobody does for letters from it: to the desk
    they are another contact's, and no stranger's all the same.
    """
    session.add(
        Participant(conversation_id=conversation.id, address=address, name=None, joined_at=now)
    )


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
