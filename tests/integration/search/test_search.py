"""What the search finds, what it forgives, and whom it shows what."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from core.domain.actor import Role
from core.domain.content import MAX_TEXT_CHARS
from core.domain.search import question_of
from core.domain.ticket import TicketStatus
from core.services.search.searching import Findings, find, tickets_with
from core.services.search.vocabulary import Vocabulary
from core.storage.queries.tickets.filter import TicketFilter
from tests.integration.console.api import Api
from tests.integration.console.browser import PASSWORD, Browser
from tests.integration.console.world import Desk


async def search(desk: Desk, typed: str, **more: object) -> Findings:
    async with desk.sessions() as session:
        return await find(session, question_of(typed), None, **more)  # type: ignore[arg-type]


async def numbers(desk: Desk, typed: str) -> list[int | None]:
    findings = await search(desk, typed)
    return [None if one.ticket is None else one.ticket.number for one in findings.found]


async def learn(desk: Desk) -> None:
    later = datetime.now(UTC) + timedelta(hours=1)
    vocabulary = Vocabulary(desk.sessions, lambda: later)
    while await vocabulary.learn():
        pass


@pytest.fixture
async def filled(desk: Desk) -> Desk:
    """Two tickets, and a conversation that the assistant holds."""
    await desk.queued("The printer on the third floor is jammed", thread="a", who="ada")
    await desk.queued(
        "No funciona la conexión de mi teléfono", thread="b", who="maria", language="es"
    )
    await desk.says("Where is the canteen menu?", thread="c", who="bob")
    return desk


FOUND: Sequence[tuple[str, list[int | None]]] = (
    ("printer", [1001]),
    ("PRINTERS jamming", [1001]),  # endings do not matter
    ("conexion telefonos", [1002]),  # nor do accents
    ("conexión", [1002]),
    ("funcionar", [1002]),
    ("the printer", [1001]),  # common words are passed over
    ("maria", [1002]),  # the requester
    ("maria conexion", [1002]),  # the requester and what they say
    ("mar", [1002]),  # how names begin
    ("canteen", [None]),  # without a ticket
    ("printer canteen", []),
    ("printer%", [1001]),
    ("#1002", [1002]),
    ("1002", [1002]),
    ("& | ! :* <-> ' \\", []),
    ("la the", []),
)


async def test_words_are_found_wherever_they_stand(filled: Desk, subtests: pytest.Subtests) -> None:
    for typed, found in FOUND:
        with subtests.test(typed=typed):
            assert await numbers(filled, typed) == found


async def test_words_may_be_spread_over_a_conversation(filled: Desk) -> None:
    await filled.says("It says error 809", thread="a", who="ada")
    assert await numbers(filled, "jammed 809") == [1001]
    assert await numbers(filled, "ada 809 printer") == [1001]
    assert await numbers(filled, "maria 809") == []


async def test_a_ticket_of_that_number_comes_before_what_says_it(filled: Desk) -> None:
    await filled.says("It is like 1002, I think", thread="a", who="ada")
    assert await numbers(filled, "1002") == [1002, 1001]


async def test_a_slip_is_forgiven_once_the_words_are_known(filled: Desk) -> None:
    assert await numbers(filled, "pritner") == []
    await learn(filled)
    for typed in ("pritner", "printr", "prunter", "cantten"):
        findings = await search(filled, typed)
        assert len(findings.found) == 1, typed
        assert list(findings.instead) == [typed]
    assert (await search(filled, "zebrq")).instead == {}
    assert (await search(filled, "printer")).instead == {}
    assert await numbers(filled, "print") == [1001]
    assert await numbers(filled, "teléfomo") == [1002]


async def test_two_slips_in_a_long_word_are_forgiven(filled: Desk) -> None:
    await learn(filled)
    for typed in ("conezixn", "coenxoin", "conxin", "cnnexxion"):
        expected = [1002] if len(typed) >= 8 else []
        assert await numbers(filled, typed) == expected, typed
    findings = await search(filled, "coenxoin")
    assert findings.instead == {"coenxoin": ["conexion"]}
    assert (await search(filled, "konezion")).instead == {}  # the first letter is one of the two
    assert (await search(filled, "prutter")).instead == {}  # short words lie close together


async def test_words_are_learnt_once_and_not_while_others_may_still_commit(filled: Desk) -> None:
    assert not await Vocabulary(filled.sessions).learn()
    await learn(filled)
    await learn(filled)
    async with filled.sessions() as session:
        uses = await session.scalar(text("SELECT uses FROM search_word WHERE word = 'conexion'"))
        assert uses == 2  # in a message, and in the subject of its ticket


async def test_what_was_found_stands_out(filled: Desk) -> None:
    (found,) = (await search(filled, "conexion")).found
    assert found.said is not None
    assert "conexión" in (await search(filled, "conexion")).matched
    browser = await _signed_in(filled)
    shown = await browser.see("/console/search?q=conexion")
    assert "No funciona la <mark>conexión</mark>" in shown
    assert "<mark>#1002</mark>" in await browser.see("/console/search?q=1002")
    assert "Maria" in await browser.see("/console/search/quick?q=mar")
    assert "Nothing has all of these words" in await browser.see("/console/search?q=zebra")
    assert "too common" in await browser.see("/console/search?q=the")


async def test_people_are_found_by_name_and_by_address_first(filled: Desk) -> None:
    await filled.says("hello", thread="d", who="ada@example.org")
    people = (await search(filled, "ada@example.org")).people
    assert [one.email for one in people] == ["ada@example.org", "ada@example.org@example.org"]
    assert [one.name for one in (await search(filled, "bob")).people] == ["Bob"]


async def test_pages_follow_each_other_without_gaps(desk: Desk, api: Api) -> None:
    for n in range(7):
        await desk.queued(f"printer number {n}", thread=f"t{n}", who=f"u{n}")
    client = await api()
    seen: list[int] = []
    params = {"q": "printer", "limit": "3"}
    while True:
        page = (await client.get("/api/v1/search", params=params)).json()
        seen += [one["ticket"]["number"] for one in page["items"]]
        assert all(any(part["found"] for part in one["subject"]) for one in page["items"])
        if page["next"] is None:
            break
        params["cursor"] = page["next"]
    assert sorted(seen) == list(range(1001, 1008))
    assert (await client.get("/api/v1/search?q=x&cursor=nan~x")).status_code == 422
    assert (await client.get("/api/v1/search?q=x&cursor=")).status_code == 422


async def test_what_was_taken_back_is_not_found(filled: Desk) -> None:
    async with filled.sessions.begin() as session:
        await session.execute(text("UPDATE message SET removed_at = now()"))
    assert await numbers(filled, "canteen") == []


async def test_an_agent_finds_no_other_teams_tickets(filled: Desk, api: Api) -> None:
    client = await api()
    async with filled.sessions.begin() as session:
        await session.execute(text("INSERT INTO team (id, name) VALUES (uuidv7(), 'Others')"))
        await session.execute(
            text("UPDATE ticket SET team_id = (SELECT id FROM team) WHERE number = 1001")
        )
        await session.execute(text("UPDATE assignment_policy SET own_tickets_only = true"))
    for typed in ("printer", "1001", "ada"):
        assert (await client.get("/api/v1/search", params={"q": typed})).json()["items"] == []
    await learn(filled)
    slipped = (await client.get("/api/v1/search?q=pritner")).json()
    assert (slipped["items"], slipped["instead"]) == ([], {})  # not even that there is such a word
    assert len((await client.get("/api/v1/search?q=conexion")).json()["items"]) == 1
    lead = await api(role=Role.ADMIN, email="admin@example.org")
    assert len((await lead.get("/api/v1/search?q=printer")).json()["items"]) == 1


async def test_a_list_of_tickets_is_narrowed_by_words(filled: Desk) -> None:
    async with filled.sessions() as session:
        assert len(await tickets_with(session, question_of("printer"), TicketFilter())) == 1
        assert not await tickets_with(session, question_of("9999"), TicketFilter())
        solved = TicketFilter(statuses=[TicketStatus.SOLVED])
        assert not await tickets_with(session, question_of("printer"), solved)


@pytest.fixture
async def laptop(filled: Desk, api: Api) -> Desk:
    """Ticket 1001 has a field of each kind filled in."""
    lead = await api(role=Role.ADMIN, email="admin@example.org")
    made = (await lead.post("/api/v1/categories", json={"name": "Laptop"})).json()
    asked = (
        ({"label": "Serial"}, "SN-4711/AB"),
        ({"label": "Where"}, "Oficina de Córdoba"),
        ({"label": "Order", "kind": "number"}, 80_123),
        ({"label": "Model", "kind": "choice", "choices": ["Thin", "Thick"]}, "Thick"),
        ({"label": "Bought", "kind": "date"}, "2024-03-01"),
        ({"label": "Insured", "kind": "yes_no"}, True),
    )
    values: dict[str, object] = {}
    for field, value in asked:
        path = f"/api/v1/categories/{made['id']}/fields"
        answer = await lead.post(path, json=field)
        assert answer.status_code == 201, answer.text
        made = answer.json()
        values |= {one["id"]: value for one in made["fields"] if one["label"] == field["label"]}
    kept = await lead.patch("/api/v1/tickets/1001", json={"category": made["id"], "fields": values})
    assert kept.status_code == 200, kept.text
    return filled


FILLED: Sequence[tuple[str, list[int | None]]] = (
    ("SN-4711/AB", [1001]),
    ("sn-4711", [1001]),
    ("4711", [1001]),  # a part of it
    ("80123", [1001]),  # a number
    ("cordoba", [1001]),
    ("oficinas", [1001]),
    ("printer 80123", [1001]),  # with words of the conversation
    ("ada cordoba sn-4711", [1001]),  # and of who wrote
    ("conexion 80123", []),
    ("thick", []),  # views find choices
    ("2024", []),  # dates would all be found by their year
    ("true", []),
)


async def test_tickets_are_found_by_what_their_fields_hold(
    laptop: Desk, subtests: pytest.Subtests
) -> None:
    for typed, found in FILLED:
        with subtests.test(typed=typed):
            assert await numbers(laptop, typed) == found


@pytest.mark.parametrize(
    ("number", "typed"),
    [
        (1_234_567_890_123_456, "1234567890123456"),
        (12_345_678_901_234_567_890, "12345678901234567890"),  # more digits than a float has
        (-1_234_567_890_123_456, "1234567890123456"),
        (-42.5, "42.5"),
        (-42.5, "-42.5"),
        (-42.5, "42,5"),
        (0.00001, "0.00001"),
    ],
)
async def test_a_number_in_a_field_is_found_by_its_digits(
    laptop: Desk, api: Api, number: float, typed: str
) -> None:
    client = await api()
    fields = (await client.get("/api/v1/tickets/1001")).json()["fields"]
    (order,) = (key for key, value in fields.items() if value == 80_123)
    await client.patch("/api/v1/tickets/1001", json={"fields": {order: number}})
    assert await numbers(laptop, typed) == [1001]


async def test_what_a_field_holds_no_more_is_not_found(laptop: Desk, api: Api) -> None:
    client = await api()
    fields = (await client.get("/api/v1/tickets/1001")).json()["fields"]
    assert await numbers(laptop, "80123") == [1001]
    (order,) = (key for key, value in fields.items() if value == 80_123)
    await client.patch("/api/v1/tickets/1001", json={"fields": {order: None}})
    assert await numbers(laptop, "80123") == []


async def test_fields_of_other_teams_tickets_are_not_found(laptop: Desk, api: Api) -> None:
    client = await api()
    assert len((await client.get("/api/v1/search?q=80123")).json()["items"]) == 1
    async with laptop.sessions.begin() as session:
        await session.execute(text("INSERT INTO team (id, name) VALUES (uuidv7(), 'Others')"))
        await session.execute(
            text("UPDATE ticket SET team_id = (SELECT id FROM team) WHERE number = 1001")
        )
        await session.execute(text("UPDATE assignment_policy SET own_tickets_only = true"))
    for typed in ("80123", "cordoba sn-4711"):
        found = (await client.get("/api/v1/search", params={"q": typed})).json()
        assert found["items"] == []


async def test_a_list_is_narrowed_by_a_number_that_a_field_holds(laptop: Desk) -> None:
    async with laptop.sessions() as session:
        assert len(await tickets_with(session, question_of("80123"), TicketFilter())) == 1
        solved = TicketFilter(statuses=[TicketStatus.SOLVED])
        assert not await tickets_with(session, question_of("80123"), solved)


async def test_a_huge_text_of_odd_letters_is_stored_and_found(desk: Desk) -> None:
    odd = "".join(chr(0x3300 + n % 80) + f" w{n} " for n in range(15_000))
    await desk.queued(f"needle {odd}"[:MAX_TEXT_CHARS], thread="a")
    assert await numbers(desk, "needle") == [1001]


async def _signed_in(desk: Desk) -> Browser:
    agent = await desk.agent()
    await desk.access.passwords.set(agent.id, PASSWORD)
    return await Browser.signed_in(desk, agent.email)
