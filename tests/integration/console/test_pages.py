"""The console's pages do what they show, for those who may, and say what went wrong."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import text

from core.domain.actor import Role
from core.domain.assistant import HandoffReason, Say
from core.domain.ids import ArticleId
from core.domain.knowledge import Article
from core.domain.ticket import Priority
from tests.integration.console.browser import signed_in
from tests.integration.console.world import Desk

TRICK = "<script>alert(1)</script><img src=x onerror=alert(1)> [x](javascript:alert(1)) **bold**"


PAGES = [
    "/console/queue",
    "/console/queue?tab=all",
    "/console/queue?tab=assistant",
    "/console/queue?tab=solved",
    "/console/queue/table?tab=breaching&order=due",
    "/console/search?q=printer%00",
    "/console/search/quick?q=pr",
    "/console/views/new",
    "/console/queue/list?tab=unassigned&open=1001",
    "/console/queue/count",
    "/console/tickets/1001",
    "/console/tickets/1001?tab=all&show=1",
    "/console/tickets/1001/live",
    "/console/password",
    "/console/picture",
    "/console/knowledge",
    "/console/knowledge?q=vpn&language=es",
    "/console/knowledge/articles/vpn",
]


ADMIN_PAGES = [
    "/console/knowledge/new",
    "/console/admin/agents",
    "/console/admin/synonyms",
    "/console/admin/quarantine",
    "/console/admin/status",
]


async def some_work(desk: Desk) -> None:
    await desk.queued(TRICK, priority=Priority.URGENT, reason=HandoffReason.ANGRY)
    held = await desk.says("hello", thread="held", who="bob")
    await desk.answers(held, Say(text="Hello, I am the assistant."))
    await desk.knowledge.create(
        Article(id=ArticleId("vpn"), language="en", title="Connect to the VPN", body="Do *this*.")
    )


@pytest.mark.parametrize("language", ["en", "es"])
async def test_every_page_shows_in_each_language(desk: Desk, language: str) -> None:
    await some_work(desk)
    browser = await signed_in(desk, role=Role.ADMIN, language=language)
    for path in PAGES + ADMIN_PAGES:
        shown = await browser.see(path)
        assert "<script>alert" not in shown, path
        assert "<img" not in shown, path
        assert "javascript:alert" not in re.sub(r">[^<]*<", "><", shown), path
        if "<html" in shown:
            assert f'<html lang="{language}">' in shown


async def test_pages_forbid_what_they_do_not_need(desk: Desk) -> None:
    browser = await signed_in(desk)
    answer = await browser.client.get("/console/queue")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["cache-control"] == "no-store"
    assert "style=" not in answer.text
    assert not re.search(r"<script(?![^>]*src=)", answer.text)
    assert not re.search(r"\son\w+=", answer.text)


async def test_who_is_not_signed_in_is_asked_to(desk: Desk) -> None:
    async with desk.client() as client:
        for path in PAGES + ADMIN_PAGES:
            answer = await client.get(path)
            assert answer.status_code == 303, path
            assert answer.headers["location"].startswith("/console/sign-in?next=/")
        part = await client.get("/console/queue/list", headers={"HX-Request": "true"})
        assert part.status_code == 401
        assert part.headers["hx-redirect"].startswith("/console/sign-in")
        assert (await client.post("/console/tickets/1/take")).status_code == 303
        assert (await client.get("/console/events")).status_code == 401


async def test_agents_do_not_see_what_admins_do(desk: Desk) -> None:
    await some_work(desk)
    browser = await signed_in(desk)
    for path in ADMIN_PAGES:
        assert "Only admins" in await browser.see(path, 403)
    answer = await browser.send("/console/knowledge/articles/vpn/delete")
    assert answer.status_code == 403


@pytest.mark.parametrize("htmx", [False, True])
async def test_an_agent_works_a_ticket(desk: Desk, htmx: bool) -> None:
    await desk.queued("The VPN is broken")
    browser = await signed_in(desk)
    path = "/console/tickets/1001"

    async def does(action: str, **fields: str) -> None:
        answer = await browser.send(f"{path}/{action}", form=fields, htmx=htmx)
        assert answer.status_code == (200 if htmx else 303), answer.text

    await does("take")
    assert "You have it" in await browser.see(path)
    await does("say", mode="reply", text="Hello,\r\nI am **Ana**.")
    await does("say", mode="note", text="It is the router.")
    shown = await browser.see(path)
    assert "Hello,<br>\nI am <strong>Ana</strong>." in shown
    assert "internal note" in shown
    assert "Ana took it" in shown
    await does("status", status="pending")
    assert "Ana set it to: Pending" in await browser.see(path)
    await does("say", mode="reply", text="Done.", then="solved")
    assert "Ana set it to: Solved" in await browser.see(path)
    await does("status", status="open")
    await does("assign", agent="")
    assert "Ana put it back in the queue" in await browser.see(path)
    await does("return")
    assert "The assistant is answering. A reply" in await browser.see(path)
    await does("status", status="closed")
    assert "This ticket is closed" in await browser.see(path)


async def test_parts_come_back_for_their_places(desk: Desk) -> None:
    await desk.queued()
    browser = await signed_in(desk)
    answer = await browser.send("/console/tickets/1001/say", htmx=True, mode="reply", text="Hi")
    assert answer.headers["hx-trigger"] == "said"
    for part in ("head", "messages", "details"):
        assert re.search(rf'id="{part}"[^>]*hx-swap-oob="morph"', answer.text), part
    refused = await browser.send("/console/tickets/1001/say", htmx=True, mode="reply", text=" ")
    assert refused.status_code == 422
    assert "hx-trigger" not in refused.headers
    assert "The text is empty" in refused.text


async def test_who_comes_second_is_told_who_was_first(desk: Desk) -> None:
    await desk.queued()
    ana, bea = await signed_in(desk), await signed_in(desk, "Bea", language="es")
    await ana.send("/console/tickets/1001/take", htmx=True)
    late = await bea.send("/console/tickets/1001/take", htmx=True)
    assert late.status_code == 409
    assert "Ana ya tiene este ticket." in late.text
    assert (await bea.send("/console/tickets/1001/take")).status_code == 409


async def test_an_agent_takes_a_conversation_over_from_the_assistant(desk: Desk) -> None:
    held = await desk.says("How do I book a room?", who="bob")
    await desk.answers(held, Say(text="In the calendar."))
    browser = await signed_in(desk)
    assert "How do I book a room?" in await browser.see("/console/queue?tab=assistant")
    assert "Take over" in await browser.see(f"/console/conversations/{held}")
    await browser.see(f"/console/conversations/{held}/live")
    taken = await browser.send(f"/console/conversations/{held}/take-over")
    assert taken.headers["location"] == "/console/tickets/1001?tab=mine"
    assert "Taken over from the assistant" in await browser.see("/console/tickets/1001")
    again = await browser.send(f"/console/conversations/{held}/take-over", htmx=True)
    assert again.status_code == 409
    assert again.headers["hx-reswap"] == "none"


async def test_earlier_tickets_and_conversations_are_linked(desk: Desk) -> None:
    await desk.queued("first thing", thread="one")
    second = await desk.queued("second thing", thread="two")
    browser = await signed_in(desk)
    shown = await browser.see("/console/tickets/1001")
    assert 'href="/console/tickets/1002"' in shown
    assert f'href="/console/conversations/{second}"' in shown


async def test_the_queue_is_sorted_by_urgency_and_wait(desk: Desk) -> None:
    for n, priority in enumerate((Priority.LOW, Priority.NORMAL, Priority.NORMAL, Priority.URGENT)):
        await desk.queued(f"n{n}", thread=f"t{n}", who=f"u{n}", priority=priority)
    browser = await signed_in(desk)
    shown = await browser.see("/console/queue/list?tab=unassigned")
    assert re.findall(r'id="row-(\d+)"', shown) == ["1004", "1002", "1003", "1001"]
    assert 'data-count="4"' in await browser.see("/console/queue/count")


async def test_all_that_the_assistant_holds_is_counted(desk: Desk) -> None:
    await desk.says("hello")
    same = "contact_id, responder, last_seq, last_message_at"
    async with desk.sessions.begin() as session:
        await session.execute(
            text(
                f"INSERT INTO conversation (id, account_id, thread, {same}) "
                f"SELECT gen_random_uuid(), account_id, 'more ' || n, {same} "
                "FROM conversation, generate_series(1, 104) n"
            )
        )
    browser = await signed_in(desk)
    shown = await browser.see("/console/queue?tab=assistant")
    assert 'Assistant</span><span class="count">105</span>' in shown
    assert len(re.findall(r'<li id="li-', shown)) == 100
    assert "Only the latest 100 are shown." in shown
    beside = await browser.see("/console/queue/list?tab=all")
    assert 'Assistant<span class="count">105</span>' in beside


ODD_ADDRESSES = [
    ("/console/tickets/999", 404),
    ("/console/tickets/x%00y", 404),
    ("/console/tickets/" + "9" * 50, 404),
    ("/console/tickets/1001?show=0", 422),
    ("/console/tickets/1001?show=" + "9" * 5000, 422),
    ("/console/conversations/x", 422),
    ("/console/conversations/00000000-0000-0000-0000-000000000000", 404),
    ("/console/conversations/00000000-0000-0000-0000-000000000000?show=-" + "9" * 40, 422),
    ("/console/knowledge?cursor=x", 422),
    ("/console/knowledge/articles/none", 404),
    ("/console/nothing", 404),
    ("/console/vendor/htmx.org/package.json", 404),
    ("/console/vendor/..%2f..%2fpyproject.toml", 404),
    ("/console/static/..%2f__init__.py", 404),
]


async def test_odd_addresses_are_refused_politely(desk: Desk, subtests: pytest.Subtests) -> None:
    await desk.queued()
    browser = await signed_in(desk)
    for path, status in ODD_ADDRESSES:
        with subtests.test(path=path[:100]):
            answer = await browser.client.get(path)
            assert answer.status_code == status


async def test_fields_that_are_not_text_are_refused(desk: Desk) -> None:
    await desk.queued()
    browser = await signed_in(desk)
    for fields in ({"mode": "reply", "text": "a\x00b"}, {"mode": "reply", "text": "x" * 20_001}):
        answer = await browser.send("/console/tickets/1001/say", form=fields)
        assert answer.status_code in {413, 422}
    file = {"text": ("a.txt", b"x"), "csrf": (None, browser.csrf.encode())}
    answer = await browser.client.post("/console/tickets/1001/say", files=file)
    assert answer.status_code == 422
    garbage = await browser.client.post(
        "/console/tickets/1001/say",
        content=b"\xff\xfe",
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )
    assert garbage.status_code == 403
