"""A survey that came by mail is answered by replying with a score, and with nothing else."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select, update

from channels.simulator.email import MailPlatform, Person
from core.domain.actor import Agent, Role
from core.domain.assistant import Handoff, HandoffReason
from core.domain.content import Caution
from core.domain.ids import AgentId, ConversationId, TicketId, new_id
from core.domain.satisfaction import SurveyStatus
from core.domain.ticket import TicketStatus
from core.services.reactions import Reactions
from core.services.satisfaction.asking import SurveysOfTickets
from core.services.satisfaction.links import SurveyLinks
from core.services.tickets.tickets import Tickets
from core.storage.tables import (
    AgentRow,
    ContactAddress,
    Conversation,
    Message,
    Satisfaction,
    Ticket,
)
from tests.support.mail_desk import MailDesk

LINKS = SurveyLinks(b"a key", "http://desk.test")
ADA = Person(address="ada@people.example", name="Ada")


async def _asked(desk: MailDesk, people: MailPlatform, *, language: str = "en") -> str:
    """Have a ticket that came by mail solved; return the name of the letter that asks about it."""
    desk.steps = (Handoff(reason=HandoffReason.ASKED_FOR_HUMAN),)
    words = "My screen is broken." if language == "en" else "No me funciona la pantalla."
    await people.hand_in(people.compose(ADA, words))
    await desk.work()
    accounts = desk.accounts
    ana = Agent(id=AgentId(new_id()), email="ana@desk.test", name="Ana", role=Role.AGENT)
    async with desk.sessions.begin() as session:
        session.add(AgentRow(id=ana.id, email=ana.email, name=ana.name, role=ana.role))
        await session.execute(update(Conversation).values(language=language))
        ticket = (await session.scalars(select(Ticket))).one()
    conversation = ConversationId(ticket.conversation_id)
    tickets = Tickets(desk.sessions, accounts)
    await tickets.set_status(TicketId(ticket.id), TicketStatus.SOLVED, ana)
    await Reactions(desk.sessions, accounts, [SurveysOfTickets(LINKS)]).advance(conversation)
    await desk.work()
    letter = people.received[-1]
    assert f"5. {'Very good' if language == 'en' else 'Muy bien'}" in letter.text
    assert all(f"?score={score}" in letter.text for score in range(1, 6))
    return str(letter.mail["Message-ID"])


async def _answered(
    desk: MailDesk, people: MailPlatform, letter: str, reply: str, who: Person = ADA
) -> tuple[Satisfaction, Ticket]:
    await people.hand_in(people.compose(who, reply, answers=[letter]))
    await desk.work()
    async with desk.sessions() as session:
        survey = (await session.scalars(select(Satisfaction))).one()
        return survey, await session.get_one(Ticket, survey.ticket_id)


@pytest.mark.parametrize(
    ("reply", "language", "score"),
    [
        ("5", "en", 5),
        ("4/5", "en", 4),
        ("very good!", "en", 5),
        ("5 - Very good", "en", 5),
        ("5\n\n-- \nAda\nSales", "en", 5),
        ("3\n\nOn Mon, 5 May 2031, Help wrote:\n> How did we help you?\n> 1. Very bad", "en", 3),
        ("Muy bien", "es", 5),
        ("5 de 5", "es", 5),
    ],
)
async def test_a_score_alone_is_the_answer_and_the_ticket_stays_solved(
    desk: MailDesk, people: MailPlatform, reply: str, language: str, score: int
) -> None:
    letter = await _asked(desk, people, language=language)
    survey, ticket = await _answered(desk, people, letter, reply)
    assert (survey.score, survey.status) == (score, SurveyStatus.ANSWERED)
    assert ticket.status == TicketStatus.SOLVED
    thanks = "Thank you for telling us." if language == "en" else "Gracias por decírnoslo."
    assert thanks in people.received[-1].text


@pytest.mark.parametrize(
    "reply", ["5 of the printers are still broken", "6", "5/10", "1 - Very good", "It was not good"]
)
async def test_other_words_are_no_score_and_open_the_ticket_again(
    desk: MailDesk, people: MailPlatform, reply: str
) -> None:
    letter = await _asked(desk, people)
    survey, ticket = await _answered(desk, people, letter, reply)
    assert survey.score is None
    assert ticket.status == TicketStatus.OPEN


async def test_an_answer_by_mail_can_be_changed_and_a_low_one_offers_to_open_the_ticket_again(
    desk: MailDesk, people: MailPlatform
) -> None:
    letter = await _asked(desk, people)
    await _answered(desk, people, letter, "5")
    survey, ticket = await _answered(desk, people, letter, "1")
    assert (survey.score, ticket.status) == (1, TicketStatus.SOLVED)
    offer = people.received[-1]
    assert "1. Yes, open it again" in offer.text
    _, ticket = await _answered(desk, people, str(offer.mail["Message-ID"]), "1")
    assert ticket.status == TicketStatus.OPEN


async def test_a_score_that_comes_after_the_end_is_a_message_like_any_other(
    desk: MailDesk, people: MailPlatform
) -> None:
    letter = await _asked(desk, people)
    async with desk.sessions.begin() as session:
        await session.execute(update(Satisfaction).values(expires_at=Satisfaction.asked_at))
    survey, ticket = await _answered(desk, people, letter, "5")
    assert survey.score is None
    assert ticket.status == TicketStatus.OPEN


@pytest.mark.parametrize(
    ("address", "caution"),
    [("eve@people.example", Caution.STRANGER), ("ana@desk.test", Caution.CLAIMS_AGENT)],
)
async def test_a_score_of_whoever_else_has_the_letter_is_kept_and_does_not_count(
    desk: MailDesk, people: MailPlatform, address: str, caution: Caution
) -> None:
    letter = await _asked(desk, people)
    sent = len(people.received)
    survey, ticket = await _answered(desk, people, letter, "1", Person(address=address, name="E"))
    assert (survey.score, survey.status) == (None, SurveyStatus.ASKED)
    assert ticket.status == TicketStatus.SOLVED
    assert len(people.received) == sent
    async with desk.sessions() as session:
        kept = (await session.scalars(select(Message).where(Message.text == "1"))).one()
    assert (kept.text, kept.caution) == ("1", caution)
    survey, _ = await _answered(desk, people, letter, "5")
    assert survey.score == 5


async def test_a_score_of_a_blocked_sender_is_kept_as_spam_and_nobody_is_thanked(
    desk: MailDesk, people: MailPlatform
) -> None:
    letter = await _asked(desk, people)
    async with desk.sessions.begin() as session:
        ticket = TicketId((await session.scalars(select(Ticket.id))).one())
        await session.execute(update(ContactAddress).values(blocked_at=func.now()))
        agent = (await session.scalars(select(AgentRow))).one()
    ana = Agent(id=AgentId(agent.id), email=agent.email, name=agent.name, role=Role.AGENT)
    await Tickets(desk.sessions, desk.accounts).set_status(ticket, TicketStatus.CLOSED, ana)
    await desk.work()
    sent = len(people.received)
    survey, _ = await _answered(desk, people, letter, "5")
    assert survey.score is None
    assert len(people.received) == sent
    async with desk.sessions() as session:
        assert (await session.scalars(select(Conversation.is_spam))).all() == [True]
