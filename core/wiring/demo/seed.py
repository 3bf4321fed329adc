"""Fills an empty desk with the demonstration, and tells its two months of tickets."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
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
from core.wiring.demo.chats import Chats
from core.wiring.demo.office import Office, open_office
from core.wiring.demo.people import COLLEAGUES, MEMBERS_ONLY, REQUESTERS, Requester
from core.wiring.demo.requesters import ACCOUNT, add_requesters, address_of
from core.wiring.demo.stories import ASKED_BACK, STORIES, Story
from core.wiring.demo.support import AGREED, register_call
from core.wiring.duties import reactors_of
from core.wiring.parts import STARTER_KNOWLEDGE, Parts

_SEED = 11
DAYS = 60
"""How long the desk has been at work."""

_OPEN_NOW = 9  # of the latest tickets, so that the queue is not empty
_TODAY = (140, 95, 60, 35, 20)  # minutes ago: what nobody has answered yet
_FRESH = timedelta(hours=3)
_SCORES = (5, 4, 5, 2, 5, 4, 5, 3, 5, 4)  # each once before any comes again
_LATE = 0.12  # of the answers


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
        await self._parts.knowledge.import_path(STARTER_KNOWLEDGE)
        telling = _Telling(self._parts, office, contacts, self._say)
        tickets = await telling.tickets(self._days) + await telling.call()
        self._say("what the assistant answers alone")
        await telling.answers(self._days)
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
        self._scores: list[int] = []
        self._clock = Clock()
        self._chance = Random(_SEED)  # noqa: S311 - a demonstration, the same each time
        self._chats = Chats(parts, Random(_SEED))  # noqa: S311 - as above
        self._reactions = Reactions(parts.sessions, parts.accounts, reactors_of(parts), self._clock)

    async def asks(self) -> int:
        """Fill the catalogue, and have things asked for; return how many."""
        catalogue = DemoCatalogue(self._parts, self._clock, self._office)
        await catalogue.fill()
        requesters = {one.email: one for one in REQUESTERS}
        for ask in ASKS:
            who = requesters[ask.email]
            self._clock.at = since(ask, datetime.now(UTC))
            author = Author(address=address_of(who), name=who.name, email=who.email)
            contact = self._contacts[who.email]
            await catalogue.ask(ask, (contact, author, who.language), self._reactions.advance)
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
        moments += [now - timedelta(minutes=minutes) for minutes in _TODAY]
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
        await self._reactions.advance(ConversationId(conversation))
        return 1

    async def answers(self, days: int) -> None:
        """Tell what the assistant answered alone in so many days."""
        now = datetime.now(UTC)
        for day in range(days):
            on = (now - timedelta(days=day)).date()
            for moment in self._moments_on(on, (0, 1, 1, 2) if on.weekday() < 5 else (0, 1)):
                if moment < now - timedelta(minutes=20):
                    await self._chats.answer(moment)

    def _story(self) -> Story:
        """Return the next story: each once before any comes again."""
        if not self._deck:
            self._deck = self._chance.sample(STORIES, len(STORIES))
        return self._deck.pop()

    def _moments_of(self, day: date) -> list[datetime]:
        return self._moments_on(day, (0, 1, 1, 2) if day.weekday() < 5 else (0, 0, 0, 1))

    def _moments_on(self, day: date, counts: Sequence[int]) -> list[datetime]:
        count = self._chance.choice(counts)
        return [
            datetime(day.year, day.month, day.day, tzinfo=UTC)
            + timedelta(minutes=self._chance.randrange(7 * 60, 17 * 60))
            for _ in range(count)
        ]

    async def _tell(self, story: Story, moment: datetime, *, ends: bool) -> None:
        requester = self._chance.choice(
            [one for one in REQUESTERS if one.language == story.language]
        )
        ticket, conversation = await self._open(story, requester, moment)
        await self._reactions.advance(conversation)
        helpers = [one for one in COLLEAGUES if one.capacity and one.team not in MEMBERS_ONLY]
        agent = self._office.staff.agents[self._chance.choice(helpers).name]
        is_fresh = not ends and datetime.now(UTC) - moment < _FRESH
        if is_fresh and self._chance.random() < 0.5:
            return  # nobody has looked at it yet
        self._pass(self._chance.randrange(2, 8))
        sorting = TicketSorting(self._parts.sessions, self._parts.accounts, self._clock)
        category = self._office.categories[story.category]
        await sorting.sort(ticket, Sorting(category=category, tags=story.tags), agent)
        tickets = Tickets(self._parts.sessions, self._parts.accounts, self._clock)
        await tickets.take(ticket, agent)
        if not is_fresh:
            words = story.answer if ends else ASKED_BACK[story.language]
            then = TicketStatus.SOLVED if ends else TicketStatus.PENDING
            self._pass(self._minutes_until_answer(requester))
            await tickets.reply(ticket, agent, words, then=then)
        await self._reactions.advance(conversation)
        if ends:
            await self._rate(ticket)
            await self._reactions.advance(conversation)

    async def _open(
        self, story: Story, requester: Requester, moment: datetime
    ) -> tuple[TicketId, ConversationId]:
        """Let `requester` bring `story` up, and the assistant pass it on."""
        parts, self._clock.at = self._parts, moment
        if story.shown is not None:
            place = await self._chats.hand_over(requester, story.said, story.shown, moment)
            self._pass(2)
            async with storage_errors(), parts.sessions() as session:
                opened = await session.scalar(
                    select(Ticket.id).where(Ticket.conversation_id == place)
                )
            assert opened is not None
            return TicketId(opened), place
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
            await ledger.write(session)
            return TicketId(case.ticket.id), ConversationId(case.conversation.id)

    def _pass(self, minutes: int) -> None:
        """Let so many minutes pass, at most until now."""
        self._clock.at = min(self._clock.at + timedelta(minutes=minutes), datetime.now(UTC))

    def _minutes_until_answer(self, requester: Requester) -> int:
        """Return how long an agent is at it: as their promise wants it, but for some."""
        if self._chance.random() < _LATE:
            return self._chance.randrange(280, 500)
        is_promised_sooner = requester.is_vip or requester.organisation in AGREED
        return self._chance.randrange(6, 20 if is_promised_sooner else 110)

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
            if not self._scores:
                self._scores = self._chance.sample(_SCORES, len(_SCORES))
            keep_answer(case, survey, self._scores.pop())
            await case.ledger.write(session)
