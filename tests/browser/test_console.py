"""The console in a real browser, over real services: live, and never in the agent's way."""

from __future__ import annotations

import asyncio
from urllib.parse import parse_qs

from playwright.async_api import Request, Route, expect
from sqlalchemy import select, update

from core.domain.actor import Agent
from core.domain.assistant import Say
from core.domain.ids import ConversationId, new_id
from core.domain.ticket import TicketStatus
from core.runtime.machine.polling import until
from core.services.classification.similarity import WordsOfTickets
from core.services.reactions import Reactions
from core.storage.queries.tickets.tickets import ticket_of_conversation
from core.storage.tables import Category, FormField, Team, Ticket
from tests.browser.people import Opened, agent_called
from tests.integration.console.world import Desk


async def test_an_agent_answers_and_solves_while_the_requester_writes(
    desk: Desk, opened: Opened
) -> None:
    conversation = await desk.queued("The VPN is broken")
    page = await opened("/console/queue")
    await page.get_by_text("The VPN is broken").click()
    await page.get_by_role("button", name="Take", exact=True).click()
    await expect(page.locator("#head")).to_contain_text("You have it")

    await page.get_by_label("Your message").fill("Which error do **you** see?")
    await page.keyboard.press("Control+Enter")
    reply = page.locator(".message.agent").last
    await expect(reply).to_contain_text("Which error do you see?")
    await expect(reply.locator("strong")).to_have_text("you")
    await expect(page.get_by_label("Your message")).to_have_value("")

    await desk.says("Error 809")
    await expect(page.locator(".message.customer").last).to_contain_text("Error 809")

    await page.get_by_label("Internal note").check()
    await page.get_by_label("Your message").fill("It is the router.")
    await page.get_by_role("button", name="Save note").click()
    await expect(page.locator(".message.note")).to_contain_text("It is the router.")

    await page.get_by_label("Your message").fill("Restart the router, please.")
    await page.get_by_role("button", name="Reply and solve").click()
    await expect(page.locator("#head")).to_contain_text("Solved")
    await expect(page.locator(".message.system").last).to_contain_text("is solved")
    async with desk.sessions() as session:
        assert await ticket_of_conversation(session, conversation) is not None


async def test_news_never_wipe_what_is_being_typed(desk: Desk, opened: Opened) -> None:
    await desk.queued()
    page = await opened("/console/tickets/1001")
    text = page.get_by_label("Your message")
    await text.fill("I was just about to")
    await page.evaluate("document.getElementById('text').setSelectionRange(2, 5)")
    for n in range(3):
        await desk.says(f"more {n}")
        await expect(page.locator(".message.customer").last).to_contain_text(f"more {n}")
    await expect(text).to_have_value("I was just about to")
    await expect(text).to_be_focused()
    assert await page.evaluate("document.getElementById('text').selectionEnd") == 5
    await page.reload()
    await expect(text).to_have_value("I was just about to")


async def test_what_is_begun_beside_the_reply_stays_until_it_is_taken(
    desk: Desk, opened: Opened
) -> None:
    async with desk.sessions() as session, session.begin():
        session.add(Team(id=new_id(), name="Network"))
    await desk.queued()
    page = await opened("/console/tickets/1001")
    tag = page.locator("#add-tag")
    await tag.fill("printer")
    await page.locator("#escalate summary").click()
    reason = page.locator("#escalation-reason")
    await reason.fill("It needs a router")
    for n in range(2):
        await desk.says(f"more {n}")
        await expect(page.locator(".message.customer").last).to_contain_text(f"more {n}")
    await expect(reason).to_have_value("It needs a router")
    await page.get_by_role("button", name="To the team Network").click()
    await expect(page.locator("#details")).to_contain_text("It needs a router")
    await expect(reason).to_have_value("")
    await expect(tag).to_have_value("printer")
    await tag.press("Enter")
    await expect(page.locator(".ticket-tag")).to_contain_text(["printer"])
    await expect(tag).to_have_value("")


async def test_a_due_date_is_taken_once_its_year_is_typed_and_not_at_each_digit(
    desk: Desk, opened: Opened
) -> None:
    await desk.queued()
    page = await opened("/console/tickets/1001")
    taken: list[str] = []

    def note(request: Request) -> None:
        if request.method == "POST" and "/sort" in request.url:
            taken.append(parse_qs(request.post_data or "")["due_at"][0])

    page.on("request", note)
    due = page.locator("#sort-due")
    await due.focus()
    async with page.expect_response(lambda answer: "/sort" in answer.url):
        await page.keyboard.type("123120270530P")
    await expect(due).to_have_value("2027-12-31T17:30")
    await page.locator("#add-tag").focus()
    await due.focus()
    await page.keyboard.press("Tab")
    await page.keyboard.press("Tab")
    async with page.expect_response(lambda answer: "/sort" in answer.url):
        await page.keyboard.type("2028", delay=50)
    assert taken == ["2027-12-31T17:30", "2028-12-31T17:30"]
    await expect(due).to_have_value("2028-12-31T17:30")


async def test_what_is_typed_on_while_it_is_being_saved_stays_and_is_saved_too(
    desk: Desk, opened: Opened
) -> None:
    await desk.queued()
    category = new_id()
    async with desk.sessions() as session, session.begin():
        session.add(Category(id=category, name="Hardware"))
        await session.flush()
        session.add(FormField(id=new_id(), category_id=category, label="Serial", kind="text"))
        await session.execute(update(Ticket).values(category_id=category))
    page = await opened("/console/tickets/1001")
    go_on = asyncio.Event()

    async def hold(route: Route) -> None:
        await go_on.wait()
        await route.continue_()

    await page.route("**/sort*", hold)
    serial = page.get_by_label("Serial")
    async with page.expect_request("**/sort*"):
        await serial.press_sequentially("SN-1")
        await page.keyboard.press("Tab")
    await page.keyboard.press("Shift+Tab")
    await page.keyboard.press("End")
    async with page.expect_response("**/sort*"):
        await serial.press_sequentially("234")
        go_on.set()
    await desk.says("still there?")
    await expect(page.locator(".message.customer").last).to_contain_text("still there?")
    await expect(serial).to_have_value("SN-1234")
    await page.keyboard.press("Tab")

    async def is_saved() -> bool:
        async with desk.sessions() as session:
            return "SN-1234" in (await session.scalars(select(Ticket.fields))).one().values()

    assert await until(is_saved, every=0.05, seconds=10.0)


async def test_a_date_is_saved_though_its_page_is_left_at_once(desk: Desk, opened: Opened) -> None:
    await desk.queued()
    page = await opened("/console/tickets/1001")
    await page.locator("#sort-due").fill("2027-12-31T17:30")
    await page.goto("/console/queue")

    async def is_saved() -> bool:
        async with desk.sessions() as session:
            return (await session.scalars(select(Ticket.due_at))).one() is not None

    assert await until(is_saved, every=0.05, seconds=10.0)


async def test_a_date_that_cannot_be_is_said_to_be_none(desk: Desk, opened: Opened) -> None:
    await desk.queued()
    page = await opened("/console/tickets/1001")
    due = page.locator("#sort-due")
    await due.fill("1999-12-31T17:30")
    await due.blur()
    await expect(due).to_be_focused()  # where the browser says what is wrong with it


async def test_what_never_reached_the_desk_is_said_and_does_not_look_saved(
    desk: Desk, opened: Opened
) -> None:
    await desk.queued()
    page = await opened("/console/tickets/1001")
    await page.route("**/sort*", lambda route: route.abort())
    await page.locator("#sort-priority").select_option("urgent")
    await expect(page.locator("#notice")).to_contain_text("was not saved")
    await expect(page.locator("#sort-priority")).to_have_value("normal")


async def test_reading_back_is_not_disturbed(desk: Desk, opened: Opened) -> None:
    await desk.queued()
    for n in range(40):
        await desk.says(f"line {n}")
    page = await opened("/console/tickets/1001")
    pane = page.locator("#messages")
    await expect(pane.get_by_text("line 39")).to_be_in_viewport()
    await pane.evaluate("pane => { pane.scrollTop = 100; }")
    await page.evaluate(
        "getSelection().selectAllChildren(document.querySelector('.message.customer .said'))"
    )
    await desk.says("something new")
    await expect(page.get_by_role("button", name="New messages")).to_be_visible()
    assert await pane.evaluate("pane => pane.scrollTop") == 100
    assert await page.evaluate("getSelection().toString()") == "I need a person"
    await page.get_by_role("button", name="New messages").click()
    await expect(pane.get_by_text("something new")).to_be_in_viewport()
    await expect(page.get_by_role("button", name="New messages")).to_be_hidden()


async def test_the_queue_the_title_and_the_icon_are_live(desk: Desk, opened: Opened) -> None:
    page = await opened("/console/queue?tab=unassigned")
    await expect(page.get_by_text("Nobody is waiting")).to_be_visible()
    await expect(page).to_have_title("Queue · Ventanilla")
    await desk.queued("one", thread="a", who="ada")
    await desk.queued("two", thread="b", who="bob")
    await expect(page.locator("a.row")).to_have_count(2)
    await expect(page).to_have_title("(2) Queue · Ventanilla")
    assert "waiting" in str(await page.locator("#favicon").get_attribute("href"))


async def test_two_agents_do_not_take_the_same_ticket(desk: Desk, opened: Opened) -> None:
    conversation = await desk.queued()
    bea = await agent_called(desk, "Bea")
    page = await opened("/console/tickets/1001")
    # Bea is faster than the news: the page still offers the ticket.
    await page.route("**/live**", lambda route: route.abort())
    async with desk.sessions() as session:
        ticket = await ticket_of_conversation(session, conversation)
    assert ticket is not None
    await desk.tickets.take(ticket, bea)
    await page.get_by_role("button", name="Take", exact=True).click()
    await expect(page.get_by_role("alert")).to_contain_text("Bea has this ticket already.")
    await expect(page.locator("#head")).to_contain_text("Bea has it")


async def test_open_menus_survive_news(desk: Desk, opened: Opened) -> None:
    await desk.queued()
    page = await opened("/console/tickets/1001")
    await page.locator("#status summary").click()
    await expect(page.get_by_role("button", name="On hold")).to_be_visible()
    await desk.says("still there?")
    await expect(page.locator(".message.customer").last).to_contain_text("still there?")
    await page.get_by_role("button", name="On hold").click()
    await expect(page.locator("#head .chip")).to_have_text("On hold")
    await expect(page.locator("#status")).not_to_have_attribute("open", "")


async def test_many_tabs_share_one_stream(desk: Desk, opened: Opened) -> None:
    await desk.queued("first", thread="a")
    tabs = [await opened("/console/queue?tab=all") for _ in range(8)]
    await desk.queued("second", thread="b", who="bob")
    for tab in tabs:
        await expect(tab.locator("a.row")).to_have_count(2)
    await tabs[0].close()  # the one that held the stream
    await desk.queued("third", thread="c", who="cy")
    for tab in tabs[1:]:
        await expect(tab.locator("a.row")).to_have_count(3)


async def test_what_people_write_is_only_ever_words(desk: Desk, opened: Opened) -> None:
    await desk.queued('<img src=x onerror="alert(1)"><script>alert(2)</script>', who="<b>x</b>")
    await desk.says("[press](javascript:alert(3)) ![x](https://evil.example/pixel.png)")
    page = await opened("/console/tickets/1001")
    await expect(page.locator(".message.customer").first).to_contain_text("<script>alert(2)")
    assert (
        await page.locator("#messages :is(img, script, [onerror], [href^=javascript])").count() == 0
    )


async def test_a_phone_shows_one_thing_at_a_time(desk: Desk, opened: Opened) -> None:
    await desk.queued("The VPN is broken")
    page = await opened("/console/queue?tab=unassigned", width=390)
    await page.get_by_text("The VPN is broken").click()
    await expect(page.get_by_label("Your message")).to_be_in_viewport()
    await expect(page.locator("#queue")).to_be_hidden()
    await expect(page.locator("#details")).to_be_hidden()
    await page.get_by_role("button", name="Details").click()
    await expect(page.locator("#details")).to_be_visible()
    await page.get_by_role("link", name="Back to the queue").click(position={"x": 5, "y": 5})
    await expect(page.locator("#queue")).to_be_visible()
    width = await page.evaluate("document.documentElement.scrollWidth")
    assert width == 390


async def test_keys_lead_through_the_queue(desk: Desk, opened: Opened) -> None:
    for n in range(3):
        await desk.queued(f"number {n}", thread=f"t{n}", who=f"u{n}")
    page = await opened("/console/queue?tab=unassigned")
    await page.keyboard.press("j")
    await page.keyboard.press("j")
    await page.keyboard.press("Enter")
    await expect(page.locator("#head h1")).to_have_text("number 1")
    await page.keyboard.press("n")
    await page.keyboard.type("a note")
    await expect(page.get_by_label("Internal note")).to_be_checked()
    text = page.get_by_label("Your message")
    await expect(text).to_have_value("a note")
    await page.keyboard.press("Escape")
    await expect(text).not_to_be_focused()
    await page.keyboard.press("n")
    await expect(text).to_be_focused()
    await expect(text).to_have_value("a note")


async def test_a_few_messages_stand_at_the_top(desk: Desk, opened: Opened) -> None:
    await desk.queued("number 1")
    page = await opened("/console/tickets/1001")
    pane = await page.locator("#messages").bounding_box()
    message = await page.locator("#messages .message").first.bounding_box()
    assert pane is not None
    assert message is not None
    assert pane["y"] < message["y"] < pane["y"] + 100


async def test_a_conversation_of_the_assistant_is_taken_over(desk: Desk, opened: Opened) -> None:
    held: ConversationId = await desk.says("How do I book a room?")
    await desk.answers(held, Say(text="In the calendar."))
    page = await opened("/console/queue?tab=assistant")
    await page.get_by_text("How do I book a room?").click()
    await expect(page.locator(".message.bot")).to_contain_text("In the calendar.")
    await page.get_by_role("button", name="Take over").click()
    await expect(page.locator("#head")).to_contain_text("#1001")
    await expect(page.locator("#head")).to_contain_text("You have it")


async def test_a_changed_status_shows_elsewhere(desk: Desk, opened: Opened, ana: Agent) -> None:
    conversation = await desk.queued()
    page = await opened("/console/tickets/1001")
    async with desk.sessions() as session:
        ticket = await ticket_of_conversation(session, conversation)
    assert ticket is not None
    await desk.tickets.set_status(ticket, TicketStatus.ON_HOLD, ana)
    await expect(page.locator("#head .chip")).to_have_text("On hold")
    await expect(page.locator("#details .history")).to_contain_text("Ana set it to: On hold")


async def test_an_answer_of_a_similar_ticket_becomes_a_draft_that_names_its_source(
    desk: Desk, opened: Opened
) -> None:
    bo = await agent_called(desk, "Bo")
    reactions = Reactions(desk.sessions, desk.accounts, [WordsOfTickets()], desk.clock)
    earlier = await desk.queued("The printer jams", thread="old", who="old")
    await reactions.advance(earlier)
    async with desk.sessions() as session:
        ticket = await ticket_of_conversation(session, earlier)
    assert ticket is not None
    await desk.tickets.reply(ticket, bo, "Clean the **rollers**.", then=TicketStatus.SOLVED)
    await reactions.advance(earlier)
    await reactions.advance(await desk.queued("The printer jams again"))
    page = await opened("/console/tickets/1002")
    await page.get_by_label("Your message").fill("Hello Ada,")
    await page.get_by_text("Earlier answers").click()
    await page.locator("#earlier-answers .use-answer").click()
    await expect(page.get_by_label("Your message")).to_have_value(
        "Hello Ada,\n\nClean the **rollers**."
    )
    await expect(page.locator("#drafted")).to_contain_text("ticket #1001")
    await page.keyboard.press("Control+Enter")
    await expect(page.locator(".message.agent").last).to_contain_text("Clean the rollers.")
    await expect(page.locator("#drafted")).to_be_hidden()


async def test_on_a_phone_the_conversation_has_the_room_until_somebody_writes(
    desk: Desk, opened: Opened
) -> None:
    await desk.queued()
    page = await opened("/console/tickets/1001", width=360)
    text, send = page.locator("#text"), page.locator("#send")
    await expect(send).to_be_hidden()
    await text.focus()
    await expect(send).to_be_visible()
    await text.fill("Hello")
    await page.locator("#head h1").click()
    await expect(send).to_be_visible()
    await send.click()
    await expect(page.locator(".held, .message.agent").last).to_contain_text("Hello")


async def test_what_a_menu_opens_is_not_cut_off(desk: Desk, opened: Opened) -> None:
    await desk.queued()
    async with desk.sessions.begin() as session:
        session.add(Team(id=new_id(), name="Networks and everything that hangs on them"))
    page = await opened("/console/tickets/1001")
    await page.get_by_role("button", name="Take", exact=True).click()
    await expect(page.locator("#head")).to_contain_text("You have it")
    for width in (1440, 1000, 360):
        await page.set_viewport_size({"width": width, "height": 800})
        for name in ("assign", "escalate", "status", "merge", "return"):
            menu = page.locator(f"details#{name}")
            await menu.locator("summary").first.click()
            sheet = menu.locator(".sheet").first
            await expect(sheet).to_be_in_viewport(ratio=0.99)
            edges = await sheet.evaluate(
                "one => { const [at, head] = [one, document.getElementById('head')]"
                ".map((each) => each.getBoundingClientRect());"
                "return [at.left - head.left, head.right - at.right]; }"
            )
            assert min(edges) >= 0, (width, name, edges)
            await menu.locator("summary").first.click()


async def test_the_reply_goes_when_the_ticket_is_closed_and_a_follow_up_takes_it(
    desk: Desk, opened: Opened
) -> None:
    await desk.queued()
    page = await opened("/console/tickets/1001")
    text, reply = page.locator("#text"), page.locator("#mode-reply")
    await text.fill("Half an answer")
    await page.locator("#status summary").click()
    await page.locator("#status button[value=closed]").click()
    await expect(reply).to_be_disabled()
    await expect(page.locator("#send")).to_be_hidden()
    await expect(text).to_have_value("")
    await text.fill("For the record")
    await page.locator("#save-note").click()
    await expect(page.locator("#messages")).to_contain_text("For the record")
    await page.get_by_role("button", name="Open a follow-up").click()
    await page.wait_for_url("**/console/tickets/1002?tab=mine")
    await expect(text).to_have_value("Half an answer")
    await page.locator("#send").click()
    await expect(page.locator("#messages, #held")).to_contain_text(["Half an answer"])
