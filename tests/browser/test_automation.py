"""The form of a rule in a browser."""

from __future__ import annotations

from playwright.async_api import expect

from core.domain.actor import Role
from tests.browser.people import PASSWORD, Opened
from tests.integration.console.world import Desk


async def test_a_rule_gets_more_rows_without_being_saved(desk: Desk, opened: Opened) -> None:
    lead = await desk.agent("lea@example.org", "Lea", Role.LEAD)
    await desk.access.passwords.set(lead.id, PASSWORD)
    page = await opened("/console/admin/rules/new", agent=lead)
    every = page.locator("fieldset", has_text="All of these conditions")
    await expect(every.locator(".condition")).to_have_count(2)
    await every.get_by_role("button", name="One more row").click()
    third = every.locator(".condition").nth(2)
    await expect(third.locator("select").first).to_be_focused()
    await third.locator("select").first.select_option("subject")
    await third.locator("input").fill("printer")
    await page.locator("#name").fill("Printers")
    await page.locator("select[name='action-kind-0']").select_option("add_tag")
    await page.locator("[name='action-value-0']").fill("printer")
    await page.get_by_role("button", name="Save", exact=True).click()
    await page.get_by_role("link", name="Printers").click()
    await expect(page.locator("[name='every-value-0']")).to_have_value("printer")
