"""The whole desk in Chromium: a requester in one browser, an agent in another, nothing reloaded."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid4

from playwright.async_api import Browser, ConsoleMessage, Page, expect

from tests.support.running_desk import RunningDesk

PATIENCE_MS = 30_000.0


@asynccontextmanager
async def person(browser: Browser, locale: str = "en-GB") -> AsyncIterator[Page]:
    """A browser of somebody's own; nothing in it may fail or break a page's policy."""
    faults: list[str] = []

    def note(line: ConsoleMessage) -> None:
        if line.type in {"error", "warning"}:
            faults.append(line.text)

    context = await browser.new_context(locale=locale, reduced_motion="reduce")
    context.set_default_timeout(PATIENCE_MS)
    try:
        page = await context.new_page()
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", note)
        yield page
    finally:
        await context.close()
    assert faults == []


async def write(page: Page, text: str) -> None:
    await page.locator("#text").fill(text)
    await page.locator("#text").press("Enter")


async def stays_loaded(page: Page) -> None:
    """Mark the document, so that `was_not_reloaded` can tell."""
    await page.evaluate("document.documentElement.dataset.opened = 'once'")


async def was_not_reloaded(page: Page) -> bool:
    return bool(await page.evaluate("document.documentElement.dataset.opened === 'once'"))


async def sign_in_for_the_first_time(page: Page, link: str, password: str) -> None:
    await page.goto(link)
    await page.get_by_role("button", name="Sign in").click()
    await page.get_by_label("New password").fill(password)
    await page.get_by_label("The same again").fill(password)
    await page.get_by_role("button", name="Save password").click()
    await expect(page.get_by_role("navigation", name="Views")).to_be_visible()


async def test_from_the_first_question_to_the_notice_that_all_is_solved(
    whole_desk: RunningDesk, browser: Browser
) -> None:
    email = f"{uuid4()}@example.org"
    link = await whole_desk.command("user", "add", "--email", email, "--name", "Eva")
    async with person(browser) as chat, person(browser) as console:
        expect.set_options(timeout=PATIENCE_MS)

        # The requester asks, gets an article, and wants a human all the same.
        await chat.goto(f"{whole_desk.url}/chat")
        await expect(chat.get_by_role("heading", name="How can we help?")).to_be_visible()
        await stays_loaded(chat)
        await write(chat, "How do I connect to the VPN?")
        answer = chat.locator(".from-bot .bubble").first
        await expect(answer).to_contain_text("Connect to the VPN")
        await expect(answer.get_by_role("link", name="Open this article")).to_be_visible()
        await chat.get_by_role("button", name="Yes", exact=True).click()
        await expect(chat.locator(".from-bot .bubble").last).to_contain_text("glad that helped")
        await write(chat, "I want to talk to a human about my monitor")
        notice = chat.locator(".from-system .bubble").first
        await expect(notice).to_contain_text("Your ticket is #")
        told = re.search(r"#(\d+)", await notice.inner_text())
        assert told is not None
        number = told[1]

        # The agent signs in for the first time, finds the ticket, takes it and answers.
        await sign_in_for_the_first_time(console, link, "four plain words here")
        await console.get_by_role("link", name=re.compile("Unassigned")).click()
        await console.locator(f"#row-{number}").click()
        messages = console.get_by_role("log", name="Messages")
        await expect(messages).to_contain_text("I want to talk to a human about my monitor")
        await expect(messages).to_contain_text("Connect to the VPN")
        await stays_loaded(console)
        await console.get_by_role("button", name="Take", exact=True).click()
        await expect(console.locator("#head")).to_contain_text("You have it")
        await console.get_by_label("Your message").fill("Good morning, **Eva** here.")
        await console.get_by_role("button", name="Send reply").click()

        # It arrives in the open chat, and what the requester writes in the open console.
        reply = chat.locator(".from-agent .bubble").last
        await expect(reply).to_have_text("Good morning, Eva here.")
        await expect(chat.locator(".from-agent .name").last).to_have_text("Eva")
        await write(chat, "Hello Eva, <b>thanks</b> for looking!")
        await expect(messages).to_contain_text("Hello Eva, <b>thanks</b> for looking!")

        # A note stays inside; solved is told to the requester at once.
        await console.get_by_role("radio", name="Internal note").check()
        await console.get_by_label("Your message").fill("Monitor ordered, do not tell yet.")
        await console.get_by_role("button", name="Save note").click()
        await expect(messages).to_contain_text("Monitor ordered")
        await console.locator("#status summary").click()
        await console.locator("#status").get_by_role("button", name="Solved").click()
        notices = chat.locator(".from-system .bubble")
        await expect(notices.filter(has_text=f"Your ticket #{number} is solved")).to_have_count(1)
        await expect(notices.last).to_contain_text("How did we help you")
        await expect(console.locator("#head")).to_contain_text("Solved")
        assert "Monitor ordered" not in await chat.locator("#log").inner_text()
        assert await was_not_reloaded(chat)
        assert await was_not_reloaded(console)


async def test_de_la_pregunta_a_la_persona_en_español(
    whole_desk: RunningDesk, browser: Browser
) -> None:
    async with person(browser, "es-ES") as chat:
        expect.set_options(timeout=PATIENCE_MS)
        await chat.goto(f"{whole_desk.url}/chat")
        await expect(chat.get_by_role("heading", name="¿En qué podemos ayudarle?")).to_be_visible()
        await write(chat, "¿Cómo me conecto a la VPN?")
        await expect(chat.locator(".from-bot .bubble").first).to_contain_text("Conectarse a la VPN")
        await chat.get_by_role("button", name="Sí", exact=True).click()
        await expect(chat.locator(".from-bot .bubble").last).to_contain_text("Me alegro")
        await write(chat, "Quiero hablar con una persona")
        await expect(chat.locator(".from-system .bubble")).to_contain_text("Su ticket es el #")


async def test_a_reader_who_comes_back_finds_the_conversation(
    whole_desk: RunningDesk, browser: Browser
) -> None:
    async with person(browser) as chat:
        expect.set_options(timeout=PATIENCE_MS)
        await chat.goto(f"{whole_desk.url}/chat")
        await write(chat, "How do I book a meeting room?")
        await expect(chat.locator(".from-bot .bubble").first).to_contain_text("meeting room")
        await chat.reload()
        await expect(chat.locator(".from-customer .bubble")).to_have_text(
            "How do I book a meeting room?"
        )
        await expect(chat.locator(".from-bot .bubble")).to_have_count(1)
