"""A call is taken down with the keyboard: who it is, what they say, and the ticket."""

from __future__ import annotations

from playwright.async_api import expect

from tests.browser.people import Opened
from tests.integration.console.world import Desk


async def test_a_call_is_registered_for_somebody_new(desk: Desk, opened: Opened) -> None:
    page = await opened("/console/queue")
    await page.keyboard.press("c")
    await expect(page.locator("#whom")).to_be_focused()
    await page.locator("#whom").type("Grace")
    await expect(page.locator("#people")).to_contain_text("Nobody was found.")
    await page.locator("#name").fill("Grace")
    await page.keyboard.press("Enter")
    await expect(page.locator("#reach")).to_contain_text("no e-mail account is connected")
    await expect(page.locator("#subject")).to_be_focused()
    await page.keyboard.type("The phone is silent")
    await page.locator("#words").fill("It does not ring since noon.")
    await page.get_by_role("button", name="Register").click()
    await expect(page.locator("h1")).to_have_text("The phone is silent")
    await expect(page.locator("#unread")).to_contain_text("Nobody can be written to here")
    await page.locator("#text").fill("Told her: a new one comes tomorrow.")
    await page.locator("#send").click()
    await expect(page.locator(".message").last).to_contain_text("a new one comes tomorrow")
    await page.keyboard.press("Escape")
    await page.goto("/console/tickets/new")
    await page.locator("#whom").type("Grac")
    await page.locator("#people a").click()
    await expect(page.locator(".their-latest")).to_contain_text("The phone is silent")
