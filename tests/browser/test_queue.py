"""Choosing several tickets with keys and the mouse, and doing one thing with them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from playwright.async_api import expect
from sqlalchemy import update

from core.domain.actor import Agent
from core.domain.ticket import TicketStatus
from core.services.automation.macros import MacroForm, Macros
from core.storage.queries.tickets.tickets import ticket_named
from core.storage.tables import Ticket
from tests.browser.people import Opened, agent_called
from tests.integration.console.world import Desk


async def test_several_tickets_are_chosen_tagged_and_untagged_again(
    desk: Desk,
    opened: Opened,
) -> None:
    for n in range(4):
        await desk.queued(f"number {n}", thread=f"t{n}", who=f"u{n}")
    page = await opened("/console/queue?tab=unassigned")
    await page.keyboard.press("j")
    await page.keyboard.press("x")
    await expect(page.locator("#bulk-bar")).to_contain_text("1 chosen")
    await page.locator("input.choose").nth(2).click(modifiers=["Shift"])
    await expect(page.locator("#bulk-bar")).to_contain_text("3 chosen")
    await desk.queued("number 4", thread="t4", who="u4")  # the list is shown anew
    await expect(page.locator("a.row")).to_have_count(5)
    await expect(page.locator("#bulk-bar")).to_contain_text("3 chosen")

    await page.locator("#bulk-bar summary", has_text="Tag").click()
    await page.locator("#bulk-tag").fill("VPN")
    await page.keyboard.press("Enter")
    await expect(page.locator("#notice")).to_contain_text("Done: 3")
    await expect(page.locator("#bulk-bar")).to_be_hidden()
    await expect(page.locator("a.row")).to_have_count(5)  # nobody was assigned anything
    client = page.context.request
    assert "999+" not in await (await client.get("/console/queue/count")).text()
    await page.locator("#notice button", has_text="Undo").click()
    await expect(page.locator("#notice")).to_contain_text("Done: 3")
    await expect(page.locator("#notice button", has_text="Undo")).to_have_count(0)


async def test_what_requesters_hear_of_is_asked_first_and_goes_on_after_the_list_was_shown_anew(
    desk: Desk,
    opened: Opened,
) -> None:
    for n in range(3):
        await desk.queued(f"number {n}", thread=f"t{n}", who=f"u{n}")
    page = await opened("/console/queue?tab=all")
    await page.locator("#choose-all").click()
    bar, ask, notice = (page.locator(f"#{one}") for one in ("bulk-bar", "bulk-ask", "notice"))
    solve = bar.locator("button[value='status:solved']")
    await bar.locator("summary", has_text="Status").click()
    await solve.click()
    await expect(ask).to_contain_text("3 chosen. Set the chosen tickets to “Solved”?")
    await page.keyboard.press("Enter")  # that is "Cancel"
    await expect(ask).to_be_hidden()
    await expect(solve).to_be_hidden()  # its menu closed when it was pressed
    await expect(page.locator("a.row")).to_have_count(3)

    await bar.locator("summary", has_text="Status").click()
    await solve.click()
    await expect(ask).to_be_visible()
    # Every element of the list is another one by the time the question is answered.
    await desk.queued("one more", thread="t9", who="u9")
    await expect(page.locator("a.row")).to_have_count(4)
    await page.evaluate(
        "() => { const bar = document.getElementById('bulk-bar'); bar.innerHTML = bar.innerHTML; }"
    )
    await ask.get_by_role("button", name="Go on").click()
    await expect(notice).to_contain_text("Done: 3")
    await expect(page.locator("a.row")).to_have_count(1)


async def test_what_a_colleague_takes_while_it_is_ticked_is_theirs_until_one_insists(
    desk: Desk, opened: Opened
) -> None:
    bea = await agent_called(desk, "Bea")
    for n in range(2):
        await desk.queued(f"number {n}", thread=f"t{n}", who=f"u{n}")
    page = await opened("/console/queue?tab=all")
    await page.locator("#choose-all").click()
    async with desk.sessions() as session:
        ticket = await ticket_named(session, "1001")
    await desk.tickets.take(ticket, bea)
    await expect(page.locator("#tr-1001 td.at-assignee")).to_have_text("Bea")
    bar, notice = page.locator("#bulk-bar"), page.locator("#notice")
    await bar.locator("summary", has_text="Assign").click()
    await bar.get_by_role("button", name="To me").click()
    await expect(notice).to_contain_text("Done: 1 · Not done: 1")
    await expect(notice.locator("li")).to_contain_text("#1001: Bea has this ticket already.")
    await bar.locator("summary", has_text="Assign").click()
    await bar.get_by_role("button", name="To me").click()
    await expect(notice).to_contain_text("Done: 1")
    await expect(page.locator("#tr-1001 td.at-assignee")).to_have_text("you")


async def test_what_refused_stays_chosen_and_a_row_opens_with_a_click_beside_its_link(
    desk: Desk,
    opened: Opened,
    ana: Agent,
) -> None:
    for n in range(2):
        await desk.queued(f"number {n}", thread=f"t{n}", who=f"u{n}")
    for number, status in (("1001", TicketStatus.SOLVED), ("1002", TicketStatus.CLOSED)):
        async with desk.sessions() as session:
            ticket = await ticket_named(session, number)
        await desk.tickets.set_status(ticket, status, ana)
    page = await opened("/console/queue?tab=solved")
    await expect(page.locator("a.row")).to_have_count(2)
    await page.locator("#choose-all").click()
    bar, notice = page.locator("#bulk-bar"), page.locator("#notice")
    await bar.locator("summary", has_text="Status").click()
    await bar.locator("button[value='status:open']").click()
    await expect(notice).to_contain_text("Done: 1 · Not done: 1")
    await expect(notice.locator("li")).to_contain_text("#1002: This does not fit a ticket")
    await expect(page.locator("#choose-1002")).to_be_checked()
    await expect(bar).to_contain_text("1 chosen")
    await page.locator("#tr-1002 td.at-requester").click()
    await page.wait_for_url("**/console/tickets/1002?tab=solved")


async def test_a_macro_of_one_language_says_how_many_of_the_chosen_tickets_are_in_another(
    desk: Desk, opened: Opened, ana: Agent
) -> None:
    macros = Macros(desk.sessions, desk.accounts, "http://desk.test")
    await macros.save(None, MacroForm(name="Hello", text="Hello.", language="en"), ana)
    await macros.save(None, MacroForm(name="Either", text="Hello. Hola."), ana)
    both = MacroForm(name="Each", text="Hi.", language="en", translations={"es": "Hola."})
    await macros.save(None, both, ana)
    for n, language in enumerate(("en", "es", "es")):
        await desk.queued(f"number {n}", thread=f"t{n}", who=f"u{n}", language=language)
    page = await opened("/console/queue?tab=all")
    await page.locator("#choose-all").click()
    bar, ask = page.locator("#bulk-bar"), page.locator("#bulk-ask")

    async def asked(macro: str) -> str:
        await bar.locator("summary", has_text="Macro").click()
        await bar.get_by_role("button", name=macro).click()
        await expect(ask).to_be_visible()
        words = await page.locator("#bulk-question").text_content()
        await page.keyboard.press("Enter")  # that is "Cancel"
        await expect(ask).to_be_hidden()
        return words or ""

    question = "3 chosen. Send “Either” in every chosen ticket?"
    assert await asked("Either") == question
    assert await asked("Each") == question.replace("Either", "Each")
    assert await asked("Hello") == (
        question.replace("Either", "Hello")
        + " 2 of them are in another language: their requesters would get English."
    )
    await page.locator("#choose-1003").click()
    assert (await asked("Hello")).endswith(
        "1 of them is in another language: its requester would get English."
    )


async def test_the_time_of_an_sla_and_a_due_date_of_ones_own_are_both_read_in_full(
    desk: Desk, opened: Opened
) -> None:
    await desk.queued()
    async with desk.sessions.begin() as session:
        due = {"sla_due_at": datetime(2020, 1, 1, tzinfo=UTC), "sla_due_kind": "first_response"}
        soon = datetime.now(UTC) + timedelta(minutes=50)
        await session.execute(update(Ticket).values(due_at=soon, **due))
    page = await opened("/console/queue?tab=all", width=1280)
    cell = page.locator("#tr-1001 td.at-due")
    await expect(cell.locator(".due")).to_have_count(2)
    assert await cell.evaluate("cell => cell.scrollWidth <= cell.clientWidth")
