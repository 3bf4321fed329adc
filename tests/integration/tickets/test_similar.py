"""Earlier tickets suggest category and team, with the reason; assets stand beside the ticket."""

from __future__ import annotations

from collections.abc import Sequence

import httpx
import pytest
from sqlalchemy import func, select, text

from core.domain.actor import Role
from core.domain.assistant import Handoff, HandoffReason
from core.domain.errors import EmbedderUnavailable
from core.domain.ids import AssetId, ConversationId, TicketId
from core.domain.ticket import TicketStatus
from core.services.classification.categories import Categories, CategoryDraft
from core.services.classification.similarity import VectorsOfTickets, WordsOfTickets
from core.services.classification.sorting import Sorting, TicketSorting
from core.services.reactions import Reactions
from core.storage.queries.classification import similar
from core.storage.queries.classification.categories import category_tree
from core.storage.queries.classification.similar import Suggestions, suggestions_for
from core.storage.queries.tickets.tickets import ticket_of_conversation
from core.storage.tables import TicketVector
from tests.integration.console.api import Api
from tests.integration.console.browser import signed_in
from tests.integration.console.world import Desk
from tests.support.desk import Rig


class Axes:
    """Embeds by what a text mentions: one axis for each subject, in both languages."""

    model = "axes"
    dimensions = 384
    away = False

    async def embed_query(self, text: str) -> Sequence[float]:
        return (await self.embed_passages([text]))[0]

    async def embed_passages(self, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        if self.away:
            raise EmbedderUnavailable("away")
        subjects = [("printer", "impresora"), ("laptop", "portátil")]
        return [
            [float(any(name in text for name in names)) for names in subjects] + [0.1] * 382
            for text in texts
        ]


async def _ticket(rig: Rig, words: str, thread: str) -> TicketId:
    conversation = await rig.hear(words, thread=thread)
    await rig.reply(conversation, Handoff(reason=HandoffReason.PROBLEM_REPORTED))
    await Reactions(rig.sessions, rig.accounts, [WordsOfTickets()], rig.clock).advance(conversation)
    return await rig.ticket_id(thread)


async def _suggested(rig: Rig, ticket: TicketId) -> Suggestions:
    async with rig.sessions() as session:
        return await suggestions_for(session, ticket, await category_tree(session))


@pytest.mark.parametrize("with_vectors", [True, False])
async def test_most_similar_tickets_suggest_their_category_and_show_how_they_ended(
    rig: Rig, *, with_vectors: bool
) -> None:
    ana, sorting = await rig.agent(), TicketSorting(rig.sessions, rig.accounts, rig.clock)
    categories = Categories(rig.sessions, rig.clock)
    printers = await categories.add(CategoryDraft(name="Printers"), ana)
    others = await categories.add(CategoryDraft(name="Others"), ana)
    said = ["the printer jams", "my printer jams again", "printer jams", "the laptop is slow"]
    earlier = [await _ticket(rig, words, f"t{n}") for n, words in enumerate(said)]
    for ticket, category in zip(earlier, (printers, printers, others, others), strict=True):
        await sorting.sort(ticket, Sorting(category=category), ana)
    await rig.tickets.reply(earlier[0], ana, "Cleaned the rollers.", then=TicketStatus.SOLVED)
    ticket = await _ticket(rig, "printer jams here too", "new")
    if with_vectors:
        vectors = VectorsOfTickets(rig.sessions, Axes(), rig.clock)
        while await vectors.embed_due():
            pass
    found = await _suggested(rig, ticket)
    assert found.by_vectors is with_vectors
    assert found.category is not None
    assert (found.category.id, found.category.votes, found.category.of) == (printers, 2, 3)
    assert "Cleaned the rollers." in {one.resolution for one in found.similar}
    assert "the laptop is slow" not in {one.subject for one in found.similar}
    await sorting.sort(ticket, Sorting(category=printers), ana)
    assert (await _suggested(rig, ticket)).category is None


async def test_a_word_that_most_tickets_have_leads_to_none_but_counts_beside_a_rare_one(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    alike = await _ticket(rig, "the printer jams", "t1")
    await _ticket(rig, "the printer", "t2")
    ticket = await _ticket(rig, "printer jams", "new")
    assert len((await _suggested(rig, ticket)).similar) == 2
    monkeypatch.setattr(similar, "_MOST_TICKETS", 2)
    async with rig.sessions.begin() as session:
        await session.execute(text("ANALYZE ticket_vector"))
    assert [one.id for one in (await _suggested(rig, ticket)).similar] == [alike]


@pytest.mark.parametrize(
    ("earlier", "words"),
    [
        ("portal.example.org", "portal.example.org down"),
        ("login/vpn fails", "login/vpn slow"),
        ("version 10.4.2", "10.4.2 crashes"),
        ("/etc/hosts wrong", "/etc/hosts"),
    ],
)
async def test_hosts_paths_and_versions_are_words(rig: Rig, earlier: str, words: str) -> None:
    alike = await _ticket(rig, earlier, "t1")
    ticket = await _ticket(rig, words, "new")
    assert [one.id for one in (await _suggested(rig, ticket)).similar] == [alike]


async def test_vectors_find_tickets_in_the_other_language(rig: Rig) -> None:
    spanish = await _ticket(rig, "la impresora no imprime", "es")
    english = await _ticket(rig, "the printer is broken", "en")
    vectors = VectorsOfTickets(rig.sessions, Axes(), rig.clock)
    assert await vectors.embed_due() == 2
    assert [one.id for one in (await _suggested(rig, english)).similar] == [spanish]


async def test_while_the_embedder_is_away_tickets_wait_for_their_vectors(rig: Rig) -> None:
    await _ticket(rig, "the printer is broken", "t1")
    embedder = Axes()
    embedder.away = True
    vectors = VectorsOfTickets(rig.sessions, embedder, rig.clock)
    assert await vectors.embed_due() == 0
    embedder.away = False
    assert await vectors.embed_due() == 0  # not at once
    rig.clock.advance(seconds=31)
    assert await vectors.embed_due() == 1
    async with rig.sessions() as session:
        assert await session.scalar(select(func.count(TicketVector.vector))) == 1


async def test_assets_are_imported_and_offered_beside_the_ticket(desk: Desk, api: Api) -> None:
    await desk.queued("PC-0042 does not start", who="ada")
    client: httpx.AsyncClient = await api(Role.LEAD)
    lines = ["Tag;Modelo;Propietario", "PC-0042;ThinkPad;", "PC-7;MacBook;ada@example.org"]
    table = "\n".join([*lines, "X;Y;nobody@x.org"])
    done = await client.post("/api/v1/assets/import", content=table.encode("utf-16"))
    assert done.json() == {
        "added": 2,
        "changed": 0,
        "unchanged": 0,
        "left_out": 1,
        "ignored": [],
        "problems": [{"line": 4, "problem": "there is no requester with this e-mail address"}],
    }
    found = (await client.get("/api/v1/assets?q=thinkpad")).json()["items"]
    assert [one["tag"] for one in found] == ["PC-0042"]
    asset = AssetId(found[0]["id"])
    moved = await client.post(
        "/api/v1/assets/import", content=b"Tag,Status,Site\nPC-7,in repair,A\n"
    )
    assert (moved.json()["changed"], moved.json()["ignored"]) == (1, ["Site"])
    (kept,) = (await client.get("/api/v1/assets?q=pc-7")).json()["items"]
    assert (kept["model"], kept["owner"]["email"]) == ("MacBook", "ada@example.org")
    assert kept["status"] == "in_repair"
    assert (await client.post("/api/v1/assets/import", content=b"Tag\nPC-7\n")).status_code == 200
    (kept,) = (await client.get("/api/v1/assets?q=pc-7")).json()["items"]
    assert kept["status"] == "in_repair"  # no column of it, so nothing is said of it
    place = f"/api/v1/assets/{asset}"
    read = await client.get(place)
    body = {"tag": "pc-7"}
    assert (await client.put(place, json=body)).status_code == 409
    body = {"tag": "PC-0042", "model": "=cmd()", "warranty_until": "2031-01-31"}
    match = {"If-Match": read.headers["etag"]}
    assert (await client.put(place, json=body, headers=match)).json()["model"] == "=cmd()"
    assert (await client.put(place, json=body, headers=match)).status_code == 412

    lea = await signed_in(desk, "Lea", Role.LEAD)
    shown = await lea.see("/console/tickets/1001")
    assert "named in the ticket" in shown
    assert "MacBook" in shown
    changed = await lea.send("/console/tickets/1001/sort", htmx=True, asset=str(asset))
    assert "Lea said that it is about PC-0042" in changed.text
    exported = await lea.client.get("/console/assets/export.csv")
    assert "'=cmd()" in exported.text
    assert "PC-7" in await lea.see("/console/assets?q=ada")
    assert "ThinkPad" not in await lea.see(f"/console/assets/{asset}")
    refused = await lea.send("/console/assets", tag=" ", status="in_use")
    assert (refused.status_code, "an asset needs a tag" in refused.text.lower()) == (422, True)


async def test_an_answer_in_a_similar_ticket_is_offered_as_a_draft_with_its_source(
    desk: Desk,
) -> None:
    ana = await desk.agent("bo@example.org", "Bo")
    answers = {"the printer jams": "Clean the <rollers>.", "my laptop is slow": "Restart it."}
    for place, (words, answer) in enumerate(answers.items()):
        conversation = await desk.queued(words, thread=f"old{place}", who=f"old{place}")
        await _react(desk, conversation)
        async with desk.sessions() as session:
            ticket = await ticket_of_conversation(session, conversation)
        assert ticket is not None
        await desk.tickets.reply(ticket, ana, answer, then=TicketStatus.SOLVED)
        await _react(desk, conversation)
    conversation = await desk.queued("the printer jams again", thread="new", who="eve")
    await _react(desk, conversation)
    lea = await signed_in(desk, "Lea", Role.AGENT)
    offered = await lea.see("/console/tickets/1003/earlier-answers")
    assert "<template>Clean the &lt;rollers&gt;.</template>" in offered
    assert "Drafted from ticket #1001" in offered
    assert "Restart it." not in offered
    assert "use-answer" in await lea.see("/console/tickets/1003")
    await desk.queued("something else entirely", thread="other", who="zoe")
    assert "No similar ticket" in await lea.see("/console/tickets/1004/earlier-answers")


async def _react(desk: Desk, conversation: ConversationId) -> None:
    reactors = [WordsOfTickets()]
    await Reactions(desk.sessions, desk.accounts, reactors, desk.clock).advance(conversation)
