"""Fills an empty desk with the demonstration, and tells its two months of tickets."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from random import Random

from sqlalchemy import exists, select

from core.domain.errors import Conflict
from core.domain.events import Author
from core.domain.ids import ContactId, ConversationId, TicketId
from core.domain.satisfaction import SurveyStatus
from core.domain.ticket import TicketStatus
from core.services.case import open_case
from core.services.classification.sorting import Sorting, TicketSorting
from core.services.conversations.letters import Letters
from core.services.ledger import Ledger
from core.services.reactions import Reactions
from core.services.satisfaction.answering import keep_answer
from core.services.tickets.registering import Matter, register
from core.services.tickets.registrations import Registrations
from core.services.tickets.tickets import Tickets
from core.storage.engine import storage_errors
from core.storage.tables import Satisfaction, Ticket
from core.wiring.demo.catalogue import ASKS, DemoCatalogue, since
from core.wiring.demo.office import Office, open_office
from core.wiring.demo.people import COLLEAGUES, MEMBERS_ONLY, REQUESTERS
from core.wiring.demo.requesters import ACCOUNT, add_requesters, address_of
from core.wiring.demo.stories import STORIES, Story
from core.wiring.demo.support import register_call
from core.wiring.duties import reactors_of
from core.wiring.parts import Parts

_SEED = 11
DAYS = 60
"""How long the desk has been at work."""

_OPEN_NOW = 9  # of the latest tickets, so that the queue is not empty


@dataclass(slots=True)
class Clock:
    """A clock that the demonstration puts where its story is."""

    at: datetime = field(default_factory=lambda: datetime.now(UTC))

    def __call__(self) -> datetime:
        return self.at


@dataclass(frozen=True, slots=True, kw_only=True)
class Seeded:
    """What there is afterwards."""

    agents: Mapping[str, str]  # one-time sign-in tokens, by e-mail address
    tickets: int


class Demo:
    """Makes the demonstration, through the same services that people use."""

    def __init__(self, parts: Parts, say: Callable[[str], None], days: int = DAYS) -> None:
        self._parts = parts
        self._say = say
        self._days = days

    async def fill(self) -> Seeded:
        """Fill the desk.

        Raises:
            Conflict: it has tickets already; nothing is changed.
        """
        async with storage_errors(), self._parts.sessions() as session:
            if await session.scalar(select(exists().where(Ticket.id.is_not(None)))):
                raise Conflict(
                    "this desk has tickets already: seed an empty one (another DESK_HOME)"
                )
        office = await open_office(self._parts, self._say)
        self._say("requesters and their computers")
        contacts = await add_requesters(self._parts, office)
        telling = _Telling(self._parts, office, contacts, self._say)
        tickets = await telling.tickets(self._days) + await telling.call()
        self._say("the request catalogue")
        return Seeded(agents=office.staff.links, tickets=tickets + await telling.asks())


class _Telling:
    """What was said at the desk, told from the first day to today."""

    def __init__(
        self,
        parts: Parts,
        office: Office,
        contacts: Mapping[str, ContactId],
        say: Callable[[str], None],
    ) -> None:
        self._parts = parts
        self._office = office
        self._contacts = contacts  # by e-mail address
        self._say = say
        self._deck: list[Story] = []
        self._clock = Clock()
        self._chance = Random(_SEED)  # noqa: S311 - a demonstration, the same each time

    async def asks(self) -> int:
        """Fill the catalogue, and have things asked for; return how many."""
        catalogue = DemoCatalogue(self._parts, self._clock, self._office)
        await catalogue.fill()
        reactors = reactors_of(self._parts)
        reactions = Reactions(self._parts.sessions, self._parts.accounts, reactors, self._clock)
        requesters = {one.email: one for one in REQUESTERS}
        for ask in ASKS:
            who = requesters[ask.email]
            self._clock.at = since(ask, datetime.now(UTC))
            author = Author(address=address_of(who), name=who.name, email=who.email)
            contact = self._contacts[who.email]
            await catalogue.ask(ask, (contact, author, who.language), reactions.advance)
        return len(ASKS)

    async def tickets(self, days: int) -> int:
        """Tell the stories of so many days; return how many."""
        now = datetime.now(UTC)
        moments = sorted(
            moment
            for day in range(days)
            for moment in self._moments_of((now - timedelta(days=day)).date())
            if moment < now - timedelta(minutes=20)
        )
        for number, moment in enumerate(moments):
            await self._tell(self._story(), moment, ends=number < len(moments) - _OPEN_NOW)
            if number % 10 == 9:
                self._say(f"tickets: {number + 1} of {len(moments)}")
        return len(moments)

    async def call(self) -> int:
        """Have somebody call whom an agent registers a ticket for; return how many that is."""
        parts, self._clock.at = self._parts, datetime.now(UTC) - timedelta(minutes=25)
        letters = Letters(parts.channels)
        ticket = await register_call(
            Registrations(parts.sessions, parts.accounts, letters, self._clock),
            self._contacts["emma@unisur.example"],
            Sorting(category=self._office.categories["Hardware"]),
            self._office.staff.agents["Tom Becker"],
        )
        async with storage_errors(), parts.sessions() as session:
            conversation = (await session.get_one(Ticket, ticket)).conversation_id
        reactors = reactors_of(parts)
        reactions = Reactions(parts.sessions, parts.accounts, reactors, self._clock)
        await reactions.advance(ConversationId(conversation))
        return 1

    def _story(self) -> Story:
        """Return the next story: each once before any comes again."""
        if not self._deck:
            self._deck = self._chance.sample(STORIES, len(STORIES))
        return self._deck.pop()

    def _moments_of(self, day: date) -> list[datetime]:
        count = self._chance.choice((0, 1, 1, 2) if day.weekday() < 5 else (0, 0, 0, 1))
        return [
            datetime(day.year, day.month, day.day, tzinfo=UTC)
            + timedelta(minutes=self._chance.randrange(7 * 60, 17 * 60))
            for _ in range(count)
        ]

    async def _tell(self, story: Story, moment: datetime, *, ends: bool) -> None:
        parts, chance = self._parts, self._chance
        requester = chance.choice([one for one in REQUESTERS if one.language == story.language])
        self._clock.at = moment
        async with storage_errors(), parts.sessions.begin() as session:
            ledger = Ledger(parts.accounts, moment)
            case = await register(
                session,
                ledger,
                Matter(
                    account=ACCOUNT,
                    contact=self._contacts[requester.email],
                    author=Author(
                        address=address_of(requester), name=requester.name, email=requester.email
                    ),
                    subject=story.said.partition(".")[0][:100],
                    text=story.said,
                    reason=story.reason,
                    kind=story.kind,
                    language=story.language,
                ),
                actor="assistant",
            )
            ticket = TicketId(case.ticket.id)
            conversation = ConversationId(case.conversation.id)
            await ledger.write(session)
        reactions = Reactions(parts.sessions, parts.accounts, reactors_of(parts), self._clock)
        await reactions.advance(conversation)
        sorting = TicketSorting(parts.sessions, parts.accounts, self._clock)
        wanted = Sorting(category=self._office.categories[story.category], tags=story.tags)
        helpers = [one for one in COLLEAGUES if one.capacity and one.team not in MEMBERS_ONLY]
        agent = self._office.staff.agents[chance.choice(helpers).name]
        tickets = Tickets(parts.sessions, parts.accounts, self._clock)
        if not ends and chance.random() < 0.5:
            return  # nobody has looked at it yet
        self._clock.at += timedelta(minutes=chance.randrange(4, 150))
        self._clock.at = min(self._clock.at, datetime.now(UTC))
        await sorting.sort(ticket, wanted, agent)
        await tickets.take(ticket, agent)
        await reactions.advance(conversation)
        if not ends:
            return
        self._clock.at += timedelta(minutes=chance.randrange(10, 400))
        self._clock.at = min(self._clock.at, datetime.now(UTC))
        await tickets.reply(ticket, agent, story.answer, then=TicketStatus.SOLVED)
        await reactions.advance(conversation)
        await self._rate(ticket)
        await reactions.advance(conversation)

    async def _rate(self, ticket: TicketId) -> None:
        if self._chance.random() < 0.45:
            return
        self._clock.at = min(self._clock.at + timedelta(minutes=30), datetime.now(UTC))
        async with storage_errors(), self._parts.sessions.begin() as session:
            case = await open_case(session, Ledger(self._parts.accounts, self._clock.at), ticket)
            survey = await session.scalar(
                select(Satisfaction).where(Satisfaction.ticket_id == ticket).with_for_update()
            )
            if survey is None or survey.asked_at is None:
                return
            # A desk that runs meanwhile finds the old survey's time to be over.
            survey.status, survey.due_at = SurveyStatus.ASKED, None
            score = self._chance.choices((1, 2, 3, 4, 5), weights=(1, 2, 3, 8, 16))[0]
            keep_answer(case, survey, score)
            await case.ledger.write(session)
