"""The chat page in a real browser, over a desk kept in memory."""

from __future__ import annotations

from playwright.async_api import (
    Browser,
    BrowserContext,
    FilePayload,
    Page,
    Route,
    expect,
)

from channels.webchat.channel import WebChat
from channels.webchat.limits import Limits, Rate
from channels.webchat.parse import MAX_SENT_CHARS
from core.domain.conversation import Speaker
from core.domain.events import ChoicePressed, MessagePosted
from core.domain.ids import EventKey
from tests.browser.chat.visitor import converse, texts, thread_of, write
from tests.support.serving import served
from tests.unit.files.builders import square
from tests.unit.webchat.memory import ACCOUNT, KEY, MemoryDeposit, MemoryDesk, application


async def test_a_reply_arrives_live_and_ends_the_typing_sign(page: Page, desk: MemoryDesk) -> None:
    await write(page, "Hello")
    own = page.locator(".from-customer")
    await expect(own).to_have_attribute("data-state", "sent")
    await expect(own.locator(".delivery")).to_have_text("Sent")
    await expect(page.locator("#typing")).to_be_visible()
    desk.say(await thread_of(desk), "**Welcome** to the [desk](https://desk.example)")
    bubble = page.locator(".from-bot .bubble")
    await expect(bubble.locator("strong")).to_have_text("Welcome")
    await expect(bubble.locator("a")).to_have_attribute("target", "_blank")
    await expect(page.locator("#typing")).to_be_hidden()


async def test_files_are_attached_by_button_drop_and_paste_and_sent_with_a_message(
    context: BrowserContext, desk: MemoryDesk
) -> None:
    deposit = MemoryDeposit()
    async with served(application(desk, WebChat(ACCOUNT, KEY, deposit=deposit))) as address:
        page = await context.new_page()
        await page.goto(f"{address}/chat")
        async with page.expect_file_chooser() as chooser:
            await page.get_by_role("button", name="Attach files").click()
        picture = square(40)
        await (await chooser.value).set_files(
            [
                FilePayload(name="screen.png", mimeType="image/png", buffer=picture),
                FilePayload(name="setup.exe", mimeType="application/x-msdos", buffer=b"MZ"),
                FilePayload(name="film.mp4", mimeType="video/mp4", buffer=bytes(100_001)),
            ]
        )
        chips = page.locator(".chip")
        await expect(chips).to_have_count(1)
        await expect(chips).to_contain_text("screen.png")
        await expect(chips.locator("img")).to_be_visible()
        await expect(page.locator("#note")).to_contain_text("“setup.exe” cannot be sent")
        await expect(page.locator("#note")).to_contain_text("“film.mp4” is too large: 100 kB")
        for kind, carrier in (("drop", "dataTransfer"), ("paste", "clipboardData")):
            await page.locator("#text").evaluate(
                """(field, [event, carrier]) => {
                    const data = new DataTransfer();
                    data.items.add(new File(["log"], `${event}.log`, { type: "text/plain" }));
                    const options = { bubbles: true, cancelable: true, [carrier]: data };
                    const made = event === "drop"
                        ? new DragEvent(event, options) : new ClipboardEvent(event, options);
                    field.dispatchEvent(made);
                }""",
                [kind, carrier],
            )
        await expect(chips).to_have_count(3)
        await expect(page.locator('.chip[data-state="coming"]')).to_have_count(0)
        await page.get_by_role("button", name="Remove drop.log").click()
        await page.get_by_role("button", name="Send").click()
        await expect(page.locator(".from-customer")).to_have_attribute("data-state", "sent")
        await expect(chips).to_have_count(0)
        files = page.locator(".from-customer .file")
        await expect(files).to_contain_text(["screen.png", "paste.log"])
        await expect(page.locator(".from-customer .picture")).to_be_visible()
        (event,) = desk.events
        assert isinstance(event, MessagePosted)
        assert [deposit.left[file.remote] for file in event.body.files] == [picture, b"log"]
        await page.reload()
        await expect(files).to_contain_text(["screen.png", "paste.log"])
        await page.close()


async def test_an_agent_is_named_and_is_not_said_to_be_typing(page: Page, desk: MemoryDesk) -> None:
    thread = await converse(page, desk)
    desk.say(thread, "Ana has joined.", speaker=Speaker.SYSTEM)
    desk.say(thread, "Hello, Ana here.", speaker=Speaker.AGENT, name="Ana García")
    await expect(page.locator(".from-agent .name")).to_have_text("Ana García")
    await expect(page.locator(".from-system .bubble")).to_have_text("Ana has joined.")
    await write(page, "Good")
    await expect(page.locator(".from-customer").last).to_have_attribute("data-state", "sent")
    await expect(page.locator("#typing")).to_be_hidden()


async def test_nothing_that_people_write_becomes_markup(page: Page, desk: MemoryDesk) -> None:
    attack = "<img src=x onerror=\"document.title='taken'\"> **not bold**"
    await write(page, attack)
    await expect(page.locator(".from-customer .bubble")).to_have_text(attack)
    for speaker in (Speaker.BOT, Speaker.AGENT, Speaker.SYSTEM):
        desk.say(await thread_of(desk), attack, speaker=speaker, name=attack)
        await expect(page.locator(f".from-{speaker} .bubble")).to_contain_text("<img src=x")
    await page.reload()
    await expect(page.locator(".message")).to_have_count(4)
    assert await page.locator(".bubble img, .name img").count() == 0
    assert await page.title() == "Service desk"


async def test_a_choice_is_pressed_once_and_shown_in_every_tab(
    page: Page, context: BrowserContext, address: str, desk: MemoryDesk
) -> None:
    await converse(page, desk, "Yes", "No")
    other = await context.new_page()
    await other.goto(f"{address}/chat")
    await expect(other.get_by_role("button", name="No")).to_be_enabled()
    await page.get_by_role("button", name="No").click()
    for tab in (page, other):
        await expect(tab.locator(".from-customer .bubble")).to_have_text(["Hello", "No"])
        await expect(tab.get_by_role("button", name="Yes")).to_be_disabled()
        await expect(tab.locator(".chosen")).to_have_text("No")
    await page.reload()
    await expect(page.locator(".chosen")).to_have_text("No")
    assert len(desk.events) == 2


async def test_a_question_answered_elsewhere_shows_that_answer(
    page: Page, desk: MemoryDesk
) -> None:
    thread = await converse(page, desk, "Yes", "No")
    await page.route("**/chat/events", lambda route: route.abort())
    await page.reload()
    await expect(page.get_by_role("button", name="Yes")).to_be_enabled()
    (asked,) = [entry for entry in await desk.since(ACCOUNT, thread, 0) if entry.choices]
    await desk.accept(
        ChoicePressed(
            account=ACCOUNT,
            key=EventKey("press:elsewhere"),
            thread=thread,
            author=desk.events[0].author,
            at=asked.at,
            choice=asked.choices[1].id,
        )
    )
    await page.get_by_role("button", name="Yes").click()
    await expect(page.locator(".chosen")).to_have_text("No")
    await expect(page.locator(".bubble")).to_have_text(["Hello", "How can I help?", "No"])


async def test_a_choice_that_is_refused_can_be_pressed_again(page: Page, desk: MemoryDesk) -> None:
    thread = await converse(page, desk, "Yes")
    desk.forget(thread)
    await page.get_by_role("button", name="Yes").click()
    failed = page.locator('[data-state="failed"]')
    await expect(failed.locator(".delivery")).to_contain_text("Not sent.")
    await expect(page.get_by_role("button", name="Yes")).to_be_enabled()
    await failed.get_by_role("button", name="Discard").click()
    await expect(failed).to_have_count(0)


async def test_messages_written_offline_are_sent_in_order(
    page: Page, context: BrowserContext, desk: MemoryDesk
) -> None:
    await converse(page, desk)
    await context.set_offline(True)
    for text in ("one", "two", "three"):
        await write(page, text)
    waiting = page.locator('[data-state="waiting"] .delivery')
    await expect(waiting).to_contain_text(["Waiting for a connection"] * 3)
    assert texts(desk) == ["Hello"]
    await context.set_offline(False)
    await expect(page.locator('.from-customer[data-state="sent"]')).to_have_count(4)
    assert texts(desk) == ["Hello", "one", "two", "three"]


async def test_unsent_messages_survive_a_reload(page: Page, desk: MemoryDesk) -> None:
    await converse(page, desk)
    desk.is_down = True
    await write(page, "one")
    await expect(page.locator('[data-state="waiting"]')).to_have_count(1)
    await page.reload()
    desk.is_down = False
    await expect(page.locator(".from-customer .bubble")).to_have_text(["Hello", "one"])
    await thread_of(desk, 2)
    assert texts(desk) == ["Hello", "one"]


async def test_messages_over_the_limit_are_sent_later_in_order(
    context: BrowserContext, desk: MemoryDesk
) -> None:
    slowly = Limits(messages_of_session=Rate(burst=1, per_second=0.4), this_machine_is_free=False)
    app = application(desk, WebChat(ACCOUNT, KEY, limits=slowly))
    refusals: list[str] = []
    async with served(app) as address:
        page = await context.new_page()
        page.on(
            "response",
            lambda response: refusals.append(response.url) if response.status == 429 else None,
        )
        await page.goto(f"{address}/chat")
        for text in ("one", "two", "three", "four"):
            await write(page, text)
        sent = page.locator('.from-customer[data-state="sent"]')
        await expect(sent).to_have_count(4, timeout=15_000)
        await page.close()
    assert texts(desk) == ["one", "two", "three", "four"]
    assert 1 <= len(refusals) <= 4  # it waits as long as it is told


async def test_an_answer_lost_on_the_way_doubles_nothing(page: Page, desk: MemoryDesk) -> None:
    lost = 0

    async def lose_the_first_answer(route: Route) -> None:
        nonlocal lost
        if route.request.method == "POST" and lost == 0:
            lost += 1
            await route.fetch()
            await route.abort()
        else:
            await route.continue_()

    await page.route("**/chat/messages", lose_the_first_answer)
    await write(page, "Hello")
    await expect(page.locator(".from-customer")).to_have_attribute("data-state", "sent")
    await expect(page.locator(".message")).to_have_count(1)
    assert (lost, texts(desk)) == (1, ["Hello"])


async def test_the_stream_comes_back_with_what_was_missed(page: Page, desk: MemoryDesk) -> None:
    thread = await converse(page, desk)
    desk.is_down = True
    desk.wake(thread)
    await expect(page.locator("#banner")).to_contain_text("No connection", timeout=10_000)
    desk.is_down = False
    desk.say(thread, "missed")
    missed = page.locator(".from-bot .bubble").last
    await expect(missed).to_have_text("missed", timeout=15_000)
    await expect(page.locator("#banner")).to_be_hidden()
    await expect(page.locator(".message")).to_have_count(3)


async def test_a_session_that_is_not_ours_is_replaced(page: Page, desk: MemoryDesk) -> None:
    token = "A" * 72
    await page.evaluate("token => localStorage.setItem('ventanilla.chat.token', token)", token)
    await page.reload()
    await expect(page.locator("#note")).to_contain_text("The earlier conversation has ended")
    await converse(page, desk)


async def test_a_session_refused_while_writing_loses_no_message(
    page: Page, desk: MemoryDesk
) -> None:
    await page.evaluate("localStorage.setItem('ventanilla.chat.token', 'forged')")
    await write(page, "Hello")
    await expect(page.locator(".from-customer")).to_have_attribute("data-state", "sent")
    await expect(page.locator(".message")).to_have_count(1)
    assert texts(desk) == ["Hello"]


async def test_a_reload_shows_the_conversation_again(page: Page, desk: MemoryDesk) -> None:
    await converse(page, desk)
    await page.reload()
    await expect(page.locator(".bubble")).to_have_text(["Hello", "How can I help?"])
    await expect(page.locator(".day")).to_have_text("Today")


async def test_a_new_conversation_leaves_the_old_one(page: Page, desk: MemoryDesk) -> None:
    await converse(page, desk)
    await page.get_by_role("button", name="New conversation").click()
    await page.get_by_role("button", name="Cancel").click()
    await expect(page.locator(".message")).to_have_count(2)
    await page.get_by_role("button", name="New conversation").click()
    await page.locator("#confirm").get_by_role("button", name="New conversation").click()
    await expect(page.locator("#welcome")).to_be_visible()
    await write(page, "Hello again")
    await expect(page.locator(".from-customer")).to_have_attribute("data-state", "sent")
    assert len({event.thread for event in desk.events}) == 2


async def test_the_language_changes_and_the_draft_stays(page: Page, desk: MemoryDesk) -> None:
    await converse(page, desk)
    await page.locator("#text").fill("a draft")
    await page.get_by_role("link", name="Español").click()
    await expect(page.locator("h1")).to_have_text("Mesa de ayuda")
    await expect(page.locator("#text")).to_have_value("a draft")
    await expect(page.locator(".message")).to_have_count(2)
    await page.locator("#text").press("Enter")
    await thread_of(desk, 2)
    assert [event.author.language for event in desk.events] == ["en", "es"]


async def test_shift_and_enter_make_a_new_line(page: Page, desk: MemoryDesk) -> None:
    await page.locator("#text").press_sequentially("one")
    await page.locator("#text").press("Shift+Enter")
    await page.locator("#text").press_sequentially("two")
    await page.locator("#text").press("Enter")
    await thread_of(desk)
    assert texts(desk) == ["one\ntwo"]


async def test_a_text_that_is_too_long_is_not_sent(page: Page, desk: MemoryDesk) -> None:
    await write(page, "a" * (MAX_SENT_CHARS + 1))
    await expect(page.locator("#note")).to_contain_text("too long")
    await expect(page.locator("#send")).to_be_disabled()
    await expect(page.locator(".message")).to_have_count(0)


async def test_a_starter_question_is_sent_with_one_press(page: Page, desk: MemoryDesk) -> None:
    await page.get_by_role("button", name="I forgot my password").click()
    await thread_of(desk)
    assert texts(desk) == ["I forgot my password"]
    await expect(page.locator("#welcome")).to_be_hidden()


async def test_a_phone_shows_everything_without_scrolling_sideways(
    browser: Browser, address: str, desk: MemoryDesk
) -> None:
    context = await browser.new_context(
        viewport={"width": 360, "height": 640}, is_mobile=True, has_touch=True
    )
    page = await context.new_page()
    await page.goto(f"{address}/chat?lang=es")
    await write(page, "W" * 200)
    thread = await thread_of(desk)
    desk.say(thread, "```\n" + "x" * 300 + "\n```\n| a | b |\n|---|---|\n| " + "y" * 90 + " | z |")
    await expect(page.locator(".from-bot")).to_be_visible()
    measure = (
        "[document.documentElement.scrollWidth, document.querySelector('#scroller').scrollWidth]"
    )
    assert all(width <= 360 for width in await page.evaluate(measure))
    await expect(page.locator("#send")).to_be_in_viewport()
    await context.close()
