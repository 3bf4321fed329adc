"""Two agents write in one ticket: they see each other, and nothing that was typed is lost."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest
from playwright.async_api import Browser, Route, expect
from sqlalchemy import select

from core.domain.ids import TicketId
from core.domain.ticket import TicketStatus
from core.services.links.problems import Problems
from core.storage.engine import Sessions
from core.storage.tables import Ticket
from tests.browser.people import PASSWORD, Opened, agent_called
from tests.integration.console.world import Desk, build_desk

TICKET = "/console/tickets/1001"


@pytest.fixture
async def desk(sessions: Sessions, database_url: str, tmp_path: Path) -> Desk:
    return build_desk(sessions, database_url, tmp_path, take_back_seconds=30)


async def test_two_agents_in_one_ticket(
    desk: Desk,
    opened: Opened,
) -> None:
    await desk.queued("The VPN is broken")
    bea = await agent_called(desk, "Bea")
    page, other = await opened(TICKET), await opened(TICKET, bea)
    text, theirs = page.get_by_label("Your message"), other.get_by_label("Your message")

    # Who else is here, and writes.
    await expect(page.locator("#visitors")).to_contain_text("Bea is looking at this")
    await theirs.press_sequentially("Hello, I am Bea")
    await expect(page.locator("#visitors")).to_contain_text("Bea is writing a reply")

    # Drafts of replies and notes are apart, and there on another machine.
    await page.keyboard.press("n")
    await page.keyboard.type("a note")
    await page.get_by_label("Reply", exact=True).check()
    await expect(text).to_have_value("")
    await page.keyboard.type("Hello Ada")
    await expect(page.locator("#draft-state")).to_have_text("Draft saved")
    elsewhere = await opened(TICKET)
    await expect(elsewhere.get_by_label("Your message")).to_have_value("Hello Ada")
    await elsewhere.get_by_label("Internal note").check()
    await expect(elsewhere.get_by_label("Your message")).to_have_value("a note")
    await elsewhere.close()

    # Who was second is asked; what was sent can be taken back.
    await other.get_by_role("button", name="Send reply").click()
    await expect(other.locator(".held")).to_contain_text("Leaves in")
    await page.get_by_role("button", name="Send reply").click()
    await expect(page.locator("#collision")).to_contain_text("Bea is answering right now.")
    await expect(text).to_have_value("Hello Ada")
    await page.get_by_role("button", name="Send anyway").click()
    await expect(text).to_have_value("")
    await expect(page.locator(".held")).to_have_count(2)
    await page.keyboard.type("and")
    await page.locator(".held").last.get_by_role("button", name="Undo").click()
    await expect(text).to_have_value("Hello Ada\n\nand")
    await expect(page.locator(".held")).to_have_count(1)
    await other.get_by_role("button", name="Send now").click()
    await expect(page.locator(".message.agent:not(.held)")).to_contain_text("Hello, I am Bea")

    # Keys of the ticket, where nothing is being typed; a file that is dropped is shown and kept.
    await page.locator("#head h1").click()
    await page.keyboard.press("s")
    await expect(page.locator("#status").get_by_role("button", name="Solved")).to_be_focused()
    await page.keyboard.press("Escape")
    await page.get_by_label("Internal note").check()
    drop = """() => {
        const carried = new DataTransfer();
        carried.items.add(new File(["a"], "trace.txt", { type: "text/plain" }));
        document.querySelector("#messages").dispatchEvent(
            new DragEvent("drop", { dataTransfer: carried, bubbles: true, cancelable: true }));
    }"""
    await page.evaluate(drop)
    await expect(page.locator("#enclosed [data-id]")).to_contain_text("trace.txt")
    await expect(page.locator("#draft-state")).to_have_text("Draft saved")
    await page.reload()
    await page.get_by_label("Internal note").check()
    await expect(page.locator("#enclosed [data-id]")).to_contain_text("trace.txt")


async def _soon(event: asyncio.Event) -> None:
    async with asyncio.timeout(30):
        await event.wait()


@pytest.mark.parametrize("comes", ["late", "never"])
async def test_who_presses_before_the_scripts_are_there_sends_once_and_loses_nothing(
    desk: Desk, opened: Opened, browser: Browser, address: str, comes: str
) -> None:
    await desk.queued("The VPN is broken")
    signed_in = await (await opened("/console/preferences")).context.storage_state()
    context = await browser.new_context(base_url=address, storage_state=signed_in)
    page = await context.new_page()  # of a browser that has none of the scripts yet
    wanted, arrive = asyncio.Event(), asyncio.Event()

    async def delay(route: Route) -> None:
        wanted.set()
        await arrive.wait()
        await (route.continue_() if comes == "late" else route.abort())

    await page.route("**/htmx.min.js*", delay)
    await page.goto(TICKET, wait_until="commit")
    try:
        await _soon(wanted)
        text = page.get_by_label("Your message")
        await text.fill("Hello Ada")
        await page.evaluate("document.documentElement.dataset.opened = 'once'")
        for _ in range(2):
            await page.get_by_role("button", name="Send reply").click(no_wait_after=True)
        await page.locator("#watch").click(no_wait_after=True)
        await text.press_sequentially(" and then")
    finally:
        arrive.set()
    held = page.locator(".held")
    await expect(held).to_have_count(1)
    await expect(held).to_contain_text("Hello Ada and then")
    is_same = await page.evaluate("document.documentElement.dataset.opened === 'once'")
    assert is_same == (comes == "late")
    if is_same:  # without the scripts the first press leaves the page
        await expect(page.locator("#watch")).to_have_count(0)
    await context.close()


async def test_which_button_was_pressed_before_the_scripts_were_there_is_remembered(
    desk: Desk, opened: Opened, browser: Browser, address: str
) -> None:
    await desk.queued("The VPN is broken")
    signed_in = await (await opened("/console/preferences")).context.storage_state()
    context = await browser.new_context(base_url=address, storage_state=signed_in)
    page = await context.new_page()
    wanted, arrive = asyncio.Event(), asyncio.Event()

    async def delay(route: Route) -> None:
        wanted.set()
        await arrive.wait()
        await route.continue_()

    await page.route("**/htmx.min.js*", delay)
    await page.goto(TICKET, wait_until="commit")
    try:
        await _soon(wanted)
        await page.get_by_label("Your message").fill("It works again")
        await page.get_by_role("button", name="Reply and solve").click(no_wait_after=True)
    finally:
        arrive.set()
    await expect(page.locator(".held")).to_contain_text("It works again")
    await page.get_by_role("button", name="Send now").click()
    await expect(page.locator("#head")).to_contain_text("Solved")
    await context.close()


async def test_what_is_typed_while_a_reply_is_taken_back_stands_after_it(
    desk: Desk, opened: Opened
) -> None:
    await desk.queued("The VPN is broken")
    page = await opened(TICKET)
    text = page.get_by_label("Your message")
    await text.fill("Hello Ada")
    await page.get_by_role("button", name="Send reply").click()
    await expect(page.locator(".held")).to_contain_text("Hello Ada")
    taken, heard = asyncio.Event(), asyncio.Event()

    async def answer_late(route: Route) -> None:
        answer = await route.fetch()
        taken.set()
        await heard.wait()
        await route.fulfill(response=answer)

    await page.route("**/take-back?*", answer_late)
    await text.press_sequentially("and")
    await page.locator(".held").get_by_role("button", name="Undo").click()
    try:
        await _soon(taken)
        await text.press_sequentially(" more")
        for mode in ("Internal note", "Reply"):  # each saves the other's draft
            await page.get_by_label(mode, exact=True).check()
    finally:
        heard.set()
    await expect(text).to_have_value("Hello Ada\n\nand more")
    await expect(page.locator("#draft-state")).to_have_text("Draft saved")
    await page.reload()
    await expect(text).to_have_value("Hello Ada\n\nand more")


async def test_a_page_that_is_left_keeps_all_that_was_begun_and_not_only_what_is_shown(
    desk: Desk, opened: Opened
) -> None:
    await desk.queued("The VPN is broken")
    page = await opened(TICKET)
    await page.route("**/drafts/*", lambda route: route.abort())
    text = page.get_by_label("Your message")
    await text.fill("Hello Ada")
    await page.get_by_label("Internal note").check()
    await text.fill("She called twice")
    await page.unroute("**/drafts/*")
    await page.route("**/drafts/*", lambda route: route.abort(), times=2)  # as the page goes
    await page.reload()
    await expect(page.get_by_label("Internal note")).to_be_checked()
    await expect(text).to_have_value("She called twice")
    await page.get_by_label("Reply", exact=True).check()
    await expect(text).to_have_value("Hello Ada")
    elsewhere = await opened(TICKET)
    await expect(elsewhere.get_by_label("Your message")).to_have_value("Hello Ada")


async def test_a_reply_that_was_not_saved_before_its_ticket_was_closed_waits_as_its_draft(
    desk: Desk, opened: Opened
) -> None:
    conversation = await desk.queued("The VPN is broken")
    closer = await agent_called(desk, "Bea")
    page = await opened(TICKET)
    text = page.get_by_label("Your message")
    drafts = f"**/console/conversations/{conversation}/drafts/*"
    await page.route(drafts, lambda route: route.abort())
    await text.fill("Hello Ada")
    await expect(page.locator("#draft-state")).to_have_class(re.compile(r"\bbad\b"))
    await page.goto("/console/preferences")
    await page.unroute(drafts)
    async with desk.sessions() as session:
        ticket = TicketId((await session.scalars(select(Ticket.id))).one())
    await desk.tickets.set_status(ticket, TicketStatus.CLOSED, closer)
    async with page.expect_response(drafts) as saved:
        await page.goto(TICKET)
    assert (await saved.value).ok
    await expect(page.get_by_label("Internal note")).to_be_checked()
    await expect(text).to_have_value("")
    answer = await page.request.get(f"/console/conversations/{conversation}/drafts")
    kept = await answer.json()
    assert kept["reply"]["text"] == "Hello Ada"
    assert "note" not in kept


async def test_of_a_problem_that_nobody_reported_each_note_stays_a_note(
    desk: Desk, opened: Opened
) -> None:
    bea = await agent_called(desk, "Bea")
    problems = Problems(desk.sessions, desk.accounts, desk.clock)
    await problems.begin("Mail server", "Its disk is full", bea)
    page = await opened(TICKET)
    text = page.get_by_label("Your message")
    for n, words in enumerate(("It was the log", "It is mended"), start=1):
        await text.fill(words)
        await expect(page.locator("#draft-state")).to_have_text("Draft saved")
        await page.get_by_role("button", name="Save note").click()
        await expect(page.locator(".message.note")).to_have_count(n)
        await expect(text).to_have_value("")
    await expect(page.locator(".held")).to_have_count(0)
    await text.fill("And a third")
    await expect(page.locator("#draft-state")).to_have_text("Draft saved")
    await page.reload()
    await expect(text).to_have_value("And a third")


async def test_who_is_signed_out_while_a_reply_is_taken_back_is_told_and_loses_nothing(
    desk: Desk, opened: Opened
) -> None:
    await desk.queued("The VPN is broken")
    page = await opened(TICKET)
    text = page.get_by_label("Your message")
    await text.fill("Hello Ada")
    await page.get_by_role("button", name="Send reply").click()
    await expect(page.locator(".held")).to_contain_text("Hello Ada")
    await text.fill("and more")
    await expect(page.locator("#draft-state")).to_have_text("Draft saved")

    async def sign_out(route: Route) -> None:
        answer = await route.fetch()
        await page.context.clear_cookies()
        await text.press_sequentially(" still")
        await route.fulfill(response=answer)

    await page.route("**/take-back?*", sign_out)
    await page.locator(".held").get_by_role("button", name="Undo").click()
    await expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    await page.context.request.post(
        "/console/sign-in", form={"email": "ana@example.org", "password": PASSWORD}
    )
    await page.goto(TICKET)
    await expect(text).to_have_value("Hello Ada\n\nand more still")
