"""Tickets are made one: shown, answered and reopened together, and parted again."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import select

from core.domain.actor import Agent, Role
from core.domain.assistant import Handoff, HandoffReason
from core.domain.conversation import Responder
from core.domain.errors import Conflict, IllegalTransition, InvalidInput, NotFound
from core.domain.ids import AccountId, AgentId, ConversationId, TeamId, TicketId, new_id
from core.domain.search import question_of
from core.domain.ticket import ClosedAs, TicketStatus
from core.domain.views import Order
from core.services.links.merging import TicketMerging
from core.services.locks import locked
from core.services.search.searching import find
from core.services.tickets.answering import Reply
from core.services.writing.held import HeldReplies
from core.storage.queries.access.sight import OutOfSight, Sight, unseen_conversation
from core.storage.queries.links.links import links_of
from core.storage.queries.links.merges import merged_into, merged_tickets, said_together
from core.storage.queries.tickets.filter import TicketFilter
from core.storage.queries.tickets.queue import queue
from core.storage.tables import (
    AuditEntry,
    Conversation,
    FeedEntry,
    HeldReply,
    Team,
    Ticket,
    TicketEvent,
)
from tests.integration.console.api import Api
from tests.integration.console.browser import signed_in
from tests.integration.console.world import Desk
from tests.support.desk import LOOP, WEB, Rig, posted, somebody_waits


async def _ticket(rig: Rig, thread: str, account: AccountId = LOOP) -> TicketId:
    conversation = await rig.hear(f"help in {thread}", thread=thread, account=account)
    await rig.reply(conversation, Handoff(reason=HandoffReason.PROBLEM_REPORTED))
    return await rig.ticket_id(thread)


def _merging(rig: Rig) -> TicketMerging:
    return TicketMerging(rig.sessions, rig.accounts, rig.clock)


async def _together(rig: Rig, ticket: TicketId) -> list[str]:
    async with rig.sessions() as session:
        merged = await merged_tickets(session, ticket)
        home = ConversationId((await session.get_one(Ticket, ticket)).conversation_id)
        said = await said_together(session, home, merged, limit=50)
        return [message.text for message in reversed(said) if message.speaker != "system"]


async def _merged(rig: Rig) -> tuple[Agent, TicketMerging, TicketId, TicketId]:
    """Two tickets in two channels, b merged into a."""
    ana, merging = await rig.agent(), _merging(rig)
    a, b = await _ticket(rig, "a"), await _ticket(rig, "b", account=WEB)
    await rig.tickets.take(a, ana)
    await merging.merge(a, b, ana)
    return ana, merging, a, b


async def test_a_merged_ticket_is_closed_and_read_in_the_other_in_order_of_time(rig: Rig) -> None:
    _, _, a, b = await _merged(rig)
    gone = await rig.ticket("b")
    assert (gone.status, gone.closed_as) == (TicketStatus.CLOSED, ClosedAs.MERGED)
    assert (await rig.conversation("b")).responder == Responder.CLOSED
    await rig.hear("more of a", thread="a")
    await rig.hear("more of b", thread="b", account=WEB)
    await rig.hear("last of a", thread="a")
    said = ["help in a", "help in b", "more of a", "more of b", "last of a"]
    assert await _together(rig, a) == said
    told = [words for who, words in await rig.texts("b") if who == "system"]
    numbers = (await rig.ticket("b")).number, (await rig.ticket("a")).number
    assert f"**#{numbers[0]}** is about the same as **#{numbers[1]}**" in told[-1]
    async with rig.sessions() as session:
        assert [(one.side, one.number) for one in await links_of(session, b)] == [
            ("duplicate", numbers[1])
        ]
        into = await merged_into(session, b)
        assert into is not None
        assert into.number == numbers[1]
        events = await session.execute(
            select(TicketEvent.field, TicketEvent.new).where(
                TicketEvent.field.in_(("merged", "merged_into"))
            )
        )
        assert {tuple(row) for row in events} == {
            ("merged", str(numbers[0])),
            ("merged_into", str(numbers[1])),
        }


async def test_what_is_written_in_a_merged_conversation_reopens_the_kept_ticket(rig: Rig) -> None:
    ana, _, a, _ = await _merged(rig)
    await rig.tickets.set_status(a, TicketStatus.SOLVED, ana)
    for thread in ("a", "b"):
        assert "is solved" in (await rig.texts(thread))[-1][1]
    await rig.hear("it is not", thread="b", account=WEB)
    assert (await rig.ticket("a")).status == TicketStatus.OPEN
    assert (await rig.ticket("b")).status == TicketStatus.CLOSED
    assert (await rig.conversation("a")).responder == Responder.HUMAN
    async with rig.sessions() as session:
        waiting = await queue(session, TicketFilter(), Order.NEWEST)
    (row,) = [one for one in waiting if one.ticket.id == a]
    assert (row.last_words, row.is_unanswered) == ("it is not", True)


async def test_an_answer_goes_where_a_requester_wrote_last_or_where_the_agent_says(
    rig: Rig,
) -> None:
    ana, _, a, _ = await _merged(rig)
    homes = [await rig.conversation_id(thread) for thread in ("a", "b")]

    async def heard() -> list[list[str]]:
        return [
            [words for who, words in await rig.texts(thread) if who == "agent"]
            for thread in ("a", "b")
        ]

    await rig.tickets.reply(a, ana, "to b, who came last")
    await rig.hear("here again", thread="a")
    await rig.tickets.reply(a, ana, "to a, who wrote last")
    await rig.tickets.reply(a, ana, "to both", to=homes)
    await rig.tickets.reply(a, ana, "to b alone", to=homes[1:])
    assert await heard() == [
        ["to a, who wrote last", "to both"],
        ["to b, who came last", "to both", "to b alone"],
    ]
    other = await rig.hear("elsewhere", thread="c")
    with pytest.raises(InvalidInput):
        await rig.tickets.reply(a, ana, "not theirs", to=[other])


async def test_a_merge_is_undone_with_what_was_said_since(rig: Rig) -> None:
    ana, merging, a, b = await _merged(rig)
    await rig.hear("since then", thread="b", account=WEB)
    await rig.tickets.reply(a, ana, "an answer to b")
    await merging.undo(b, ana)
    assert await _together(rig, a) == ["help in a"]
    assert [words for who, words in await rig.texts("b") if who in {"customer", "agent"}] == [
        "help in b",
        "since then",
        "an answer to b",
    ]
    ticket, conversation = await rig.ticket("b"), await rig.conversation("b")
    assert (ticket.status, ticket.closed_as, ticket.closed_at) == (TicketStatus.NEW, None, None)
    assert (conversation.responder, conversation.merged_into) == (Responder.QUEUED, None)
    async with rig.sessions() as session:
        assert not await links_of(session, b)
    await rig.tickets.reply(b, ana, "to b alone")
    assert (await rig.texts("b"))[-1] == ("agent", "to b alone")
    with pytest.raises(NotFound):
        await merging.undo(b, ana)


async def test_after_an_undo_the_requester_is_told_of_a_merge_again_only_where_it_is_another_one(
    rig: Rig,
) -> None:
    ana, merging, a, b = await _merged(rig)
    c = await _ticket(rig, "c")

    async def told() -> int:
        return sum("is about the same as" in words for _, words in await rig.texts("b"))

    assert await told() == 1
    await merging.undo(b, ana)
    await merging.merge(a, b, ana)
    assert await told() == 1
    await merging.undo(b, ana)
    await merging.merge(c, b, ana, tells=False)
    await merging.undo(b, ana)
    await merging.merge(a, b, ana)
    assert await told() == 1
    await merging.undo(b, ana)
    await merging.merge(c, b, ana)
    assert await told() == 2
    await merging.undo(b, ana)
    await merging.merge(a, b, ana)
    assert await told() == 3
    rig.clock.advance(days=1)
    await merging.undo(b, ana)
    rig.clock.advance(days=7)
    await rig.hear("are you still at it?", thread="b", account=WEB)
    await merging.merge(a, b, ana)
    assert await told() == 4


async def test_who_wrote_meanwhile_has_an_open_ticket_after_the_undo(rig: Rig) -> None:
    ana, merging = await rig.agent(), _merging(rig)
    a, b = await _ticket(rig, "a"), await _ticket(rig, "b")
    await rig.tickets.take(b, ana)
    await rig.tickets.set_status(b, TicketStatus.PENDING, ana)
    await merging.merge(a, b, ana, tells=False)
    await rig.hear("the answer", thread="b")
    await merging.undo(b, ana)
    assert (await rig.ticket("b")).status == TicketStatus.OPEN
    assert (await rig.conversation("b")).responder == Responder.HUMAN


async def test_merges_over_others_follow_and_come_apart_one_by_one(rig: Rig) -> None:
    ana, merging = await rig.agent(), _merging(rig)
    a, b, c = [await _ticket(rig, thread) for thread in ("a", "b", "c")]
    await merging.merge(b, c, ana)
    await merging.merge(a, b, ana)
    await rig.hear("from c", thread="c")
    assert await _together(rig, a) == ["help in a", "help in b", "help in c", "from c"]
    assert (await rig.ticket("a")).status == TicketStatus.NEW
    await merging.undo(b, ana)
    assert await _together(rig, b) == ["help in b", "help in c", "from c"]
    await rig.tickets.set_status(b, TicketStatus.PENDING, ana)
    await rig.hear("c again", thread="c")
    assert (await rig.ticket("b")).status == TicketStatus.OPEN
    await merging.undo(c, ana)
    assert await _together(rig, b) == ["help in b"]


async def test_circles_and_second_merges_are_refused_and_audited(rig: Rig) -> None:
    ana, merging, a, b = await _merged(rig)
    c = await _ticket(rig, "c")
    with pytest.raises(InvalidInput, match="itself"):
        await merging.merge(a, a, ana)
    with pytest.raises(Conflict, match="already"):
        await merging.merge(c, b, ana)
    with pytest.raises(Conflict, match="the one that it is in"):
        await merging.merge(b, a, ana)
    await rig.tickets.set_status(c, TicketStatus.CLOSED, ana)
    with pytest.raises(Conflict, match="closed"):
        await merging.merge(a, c, ana)
    async with rig.sessions() as session:
        reasons = await session.scalars(
            select(AuditEntry.new["reason"].astext).where(
                AuditEntry.action == "ticket.merge_refused"
            )
        )
        assert len(reasons.all()) == 4


async def test_of_two_merges_against_each_other_one_wins(rig: Rig) -> None:
    ana, merging = await rig.agent(), _merging(rig)
    a, b = await _ticket(rig, "a"), await _ticket(rig, "b")
    results = await asyncio.gather(
        merging.merge(a, b, ana), merging.merge(b, a, ana), return_exceptions=True
    )
    assert sum(isinstance(result, Conflict) for result in results) == 1


async def test_after_a_month_or_in_another_ticket_it_stays(rig: Rig) -> None:
    ana, merging, a, b = await _merged(rig)
    await rig.tickets.set_status(a, TicketStatus.CLOSED, ana)
    conversation = await rig.hear("something new", thread="b", account=WEB)
    assert (await rig.conversation("b")).responder == Responder.BOT
    await rig.reply(conversation, Handoff(reason=HandoffReason.PROBLEM_REPORTED))
    new = await rig.ticket("b")
    assert new.follows_id == a
    assert await _together(rig, a) == ["help in a", "help in b"]
    with pytest.raises(Conflict, match="another ticket"):
        await merging.undo(b, ana)
    with pytest.raises(IllegalTransition):
        await rig.tickets.reply(b, ana, "closed")
    c, d = await _ticket(rig, "c"), await _ticket(rig, "d")
    await merging.merge(c, d, ana)
    rig.clock.advance(days=31)
    with pytest.raises(Conflict, match="30 days"):
        await merging.undo(d, ana)


async def test_a_message_and_a_merge_at_once_lose_nothing(rig: Rig) -> None:
    ana, merging = await rig.agent(), _merging(rig)
    a, b = await _ticket(rig, "a"), await _ticket(rig, "b")
    await asyncio.gather(
        merging.merge(a, b, ana),
        *(rig.intake.accept(posted(f"word {n}", thread="ab"[n % 2])) for n in range(10)),
        rig.tickets.reply(a, ana, "hello"),
    )
    said = await _together(rig, a)
    assert sorted(word for word in said if word.startswith("word")) == [
        f"word {n}" for n in range(10)
    ]


async def test_another_ticket_of_the_kept_conversation_is_not_the_merged_requesters(
    rig: Rig,
) -> None:
    ana, _, a, _ = await _merged(rig)
    await rig.hear("the last word of b", thread="b", account=WEB)
    await rig.tickets.set_status(a, TicketStatus.CLOSED, ana)
    conversation = await rig.hear("something else", thread="a")
    await rig.reply(conversation, Handoff(reason=HandoffReason.PROBLEM_REPORTED))
    new = await rig.ticket_id("a")
    before = await rig.texts("b")
    await rig.tickets.take(new, ana)
    await rig.tickets.reply(new, ana, "to a alone")
    with pytest.raises(InvalidInput):
        await rig.tickets.reply(new, ana, "not theirs", to=[await rig.conversation_id("b")])
    await rig.tickets.set_status(new, TicketStatus.SOLVED, ana)
    assert await rig.texts("b") == before
    assert (await rig.texts("a"))[-2] == ("agent", "to a alone")
    await rig.hear("b is back", thread="b", account=WEB)
    assert (await rig.ticket("a")).status == TicketStatus.SOLVED
    own = await rig.conversation("b")
    assert (own.responder, own.merged_into) == (Responder.BOT, None)
    assert await _together(rig, a) == [
        "help in a",
        "help in b",
        "the last word of b",
        "something else",
        "to a alone",
    ]


async def test_a_merged_conversation_is_seen_by_whoever_sees_the_ticket_it_goes_on_in(
    rig: Rig,
) -> None:
    ana, merging = await rig.agent(), _merging(rig)
    kept, middle, first = [await _ticket(rig, thread) for thread in ("a", "b", "c")]
    await merging.merge(middle, first, ana)
    await merging.merge(kept, middle, ana)
    await rig.hear("the last word of c", thread="c")
    await rig.tickets.set_status(kept, TicketStatus.CLOSED, ana)
    conversation = await rig.hear("something else", thread="a")
    await rig.reply(conversation, Handoff(reason=HandoffReason.PROBLEM_REPORTED))
    new = await rig.ticket_id("a")
    async with rig.sessions.begin() as session:
        ours, theirs = [Team(id=new_id(), name=name) for name in ("Ours", "Theirs")]
        session.add_all((ours, theirs))
        await session.flush()
        (await session.get_one(Ticket, kept)).team_id = ours.id
        (await session.get_one(Ticket, new)).team_id = theirs.id
    async with rig.sessions() as session:
        number = (await session.get_one(Ticket, kept)).number
        place = await rig.conversation_id("c")
        for team, hidden in ((ours, None), (theirs, OutOfSight(number=number))):
            sight = Sight(agent=AgentId(new_id()), teams=[TeamId(team.id)])
            assert await unseen_conversation(session, sight, place) == hidden
            seen = select(Conversation.id).where(
                Conversation.id == place, sight.holds_conversation()
            )
            assert await session.scalar(seen) == (place if hidden is None else None)
            found = await find(session, question_of("word"), sight)
            assert [one.ticket.id for one in found.found if one.ticket] == (
                [kept] if hidden is None else []
            )


async def test_a_ticket_parted_from_the_middle_takes_what_was_merged_into_it_along(
    rig: Rig,
) -> None:
    ana, merging = await rig.agent(), _merging(rig)
    x, a, b, c = [await _ticket(rig, thread) for thread in ("x", "a", "b", "c")]
    for kept, merged in ((a, x), (b, a), (c, b)):
        await merging.merge(kept, merged, ana)
    async with rig.sessions() as session:
        old = (await session.scalars(select(FeedEntry.id))).all()
    await merging.undo(a, ana)
    async with rig.sessions() as session:
        told = await session.scalars(select(FeedEntry.ticket_id).where(FeedEntry.id.not_in(old)))
        assert {a, b, c} <= set(told)
    home = await rig.conversation_id("a")
    assert (await rig.conversation("x")).merged_into == home
    await rig.hear("x again", thread="x")
    assert await _together(rig, a) == ["help in x", "help in a", "x again"]
    assert await _together(rig, c) == ["help in b", "help in c"]
    await rig.tickets.reply(c, ana, "not to x")
    assert ("agent", "not to x") not in await rig.texts("x")
    await rig.tickets.reply(a, ana, "to x")
    assert (await rig.texts("x"))[-1] == ("agent", "to x")


async def test_what_is_merged_while_another_merge_waits_goes_along(rig: Rig) -> None:
    ana, merging = await rig.agent(), _merging(rig)
    x, b, c = [await _ticket(rig, thread) for thread in ("x", "b", "c")]
    home = await rig.conversation_id("b")
    async with rig.sessions.begin() as session:
        await locked(session, home)
        first = asyncio.create_task(merging.merge(b, x, ana))
        await somebody_waits(rig.sessions, together=1)
        second = asyncio.create_task(merging.merge(c, b, ana))
        await somebody_waits(rig.sessions, together=2)
    await asyncio.gather(first, second)
    assert (await rig.conversation("x")).merged_into == await rig.conversation_id("c")
    await rig.hear("from x", thread="x")
    assert "from x" in await _together(rig, c)


async def test_a_solved_ticket_opens_again_after_it_was_merged_and_parted(rig: Rig) -> None:
    ana, merging = await rig.agent(), _merging(rig)
    a, b = await _ticket(rig, "a"), await _ticket(rig, "b")
    await rig.tickets.set_status(b, TicketStatus.SOLVED, ana)
    ended = (await rig.conversation("b")).closed_at
    rig.clock.advance(hours=1)
    await merging.merge(a, b, ana, tells=False)
    await merging.undo(b, ana)
    assert (await rig.ticket("b")).status == TicketStatus.SOLVED
    assert (await rig.conversation("b")).closed_at == ended
    await rig.hear("it is not solved", thread="b")
    assert (await rig.ticket("b")).status == TicketStatus.OPEN


async def test_replies_that_could_be_taken_back_leave_before_a_merge_and_its_undoing(
    rig: Rig,
) -> None:
    ana, merging = await rig.agent(), _merging(rig)
    a, b, c = [await _ticket(rig, thread) for thread in ("a", "b", "c")]
    held = HeldReplies(rig.sessions, rig.accounts, "", 10, rig.clock)
    await held.reply(a, ana, Reply(words="before the merge"))
    await merging.merge(b, a, ana)
    said = [words for _, words in await rig.texts("a")]
    assert said[-2] == "before the merge"
    assert "is about the same as" in said[-1]
    await merging.merge(c, b, ana)
    place = await rig.conversation_id("a")
    await held.reply(c, ana, Reply(words="before the parting", to=(place,)))
    await merging.undo(a, ana)
    assert (await rig.texts("a"))[-1] == ("agent", "before the parting")
    async with rig.sessions() as session:
        assert (await session.scalars(select(HeldReply))).all() == []


async def test_tickets_are_merged_on_the_page_and_over_the_api(desk: Desk, api: Api) -> None:
    await desk.queued("The mail is down", thread="t1", who="ada")
    await desk.queued("No mail here either", thread="t2", who="eve")
    ana = await signed_in(desk, "Ana", Role.AGENT)
    assert "Merge it into #1001" in await ana.see("/console/tickets/1001")
    gone = await ana.send("/console/tickets/1001/merge", htmx=True, number="9", into="this")
    assert (gone.status_code, "There is no such ticket" in gone.text) == (409, True)
    done = await ana.send(
        "/console/tickets/1002/merge", htmx=True, number="#1001", into="other", tell="yes"
    )
    assert done.headers["HX-Redirect"] == "/console/tickets/1001"
    shown = await ana.see("/console/tickets/1001")
    for words in ("No mail here either", "Ana merged #1002 into it", "Answer in", "All of them"):
        assert words in shown
    merged = await ana.see("/console/tickets/1002")
    assert "This ticket goes on in" in merged
    client = await api(Role.AGENT, "bea@example.org")
    (row,) = (await client.get("/api/v1/tickets/1001/merges")).json()["items"]
    assert (row["number"], row["requester"], row["goes_on"]) == (1002, "Eve", True)
    said = await client.post(
        "/api/v1/tickets/1001/replies",
        json={"text": "It is back", "conversations": [row["conversation"]]},
    )
    assert (said.status_code, said.json()["conversation"]) == (201, row["conversation"])
    assert (await client.get("/api/v1/tickets/1002")).json()["closed_as"] == "merged"
    again = await client.post("/api/v1/tickets/1001/merges", json={"ticket": "1002"})
    assert again.status_code == 409
    wrong = await client.post("/api/v1/tickets/1001/merges", json={"ticket": "nothing"})
    assert wrong.status_code == 422
    assert (await client.post("/api/v1/tickets/1002/unmerge")).status_code == 204
    assert "Answer in" not in await ana.see("/console/tickets/1001")
    made = await client.post("/api/v1/tickets/1001/merges", json={"ticket": "1002", "tell": False})
    assert made.status_code == 201
    parted = await ana.send("/console/tickets/1002/part", htmx=True)
    assert parted.headers["HX-Redirect"] == "/console/tickets/1002"
