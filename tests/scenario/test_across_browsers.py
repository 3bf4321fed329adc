"""The whole desk in Chromium: a requester in one browser, an agent in another, nothing reloaded."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

import httpx
import pytest
from playwright.async_api import Browser, ConsoleMessage, Page, expect

from console.texts import translate
from core.runtime.machine.polling import until
from tests.support.running_desk import RunningDesk
from tests.support.staff import Staff

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


async def sign_in_for_the_first_time(page: Page, link: str, language: str) -> None:
    """Use a one-time link, set a password, and choose a language; the browser speaks it too."""
    t = partial(translate, language)
    await page.goto(link)
    await page.locator("main form button.primary").click()
    await page.get_by_label(t("New password")).fill("four plain words here")
    await page.get_by_label(t("The same again")).fill("four plain words here")
    await page.get_by_role("button", name=t("Save password")).click()
    await page.locator("details.me summary").click()
    await page.locator(f'button[name="language"][value="{language}"]').click()
    await expect(page.locator("html")).to_have_attribute("lang", language)
    await expect(page.locator("#connection")).to_have_text(t("Live"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What is said in one language from the first question to the thanks."""

    language: str
    locale: str
    greeting: str
    question: str
    article: str
    yes: str
    glad: str
    wish: str
    about: str  # the word of it that a rule goes by
    passed_on: str
    solved: str
    asked: str
    thanks: str
    best: str  # the mean of answers of five


CASES = (
    Case(
        language="en",
        locale="en-GB",
        greeting="How can we help?",
        question="How do I connect to the VPN?",
        article="Connect to the VPN",
        yes="Yes",
        glad="glad that helped",
        wish="I want to talk to a human about my dockingstation",
        about="dockingstation",
        passed_on="Your ticket is #",
        solved="is solved",
        asked="How did we help you",
        thanks="Thank you",
        best="5.0",
    ),
    Case(
        language="es",
        locale="es-ES",
        greeting="¿En qué podemos ayudarle?",
        question="¿Cómo me conecto a la VPN?",
        article="Conectarse a la VPN",
        yes="Sí",
        glad="Me alegro",
        wish="Quiero hablar con una persona sobre el microteclado",
        about="microteclado",
        passed_on="Su ticket es el #",
        solved="está resuelto",
        asked="¿Cómo le ayudamos",
        thanks="racias",
        best="5,0",
    ),
)


@pytest.fixture(scope="module")
async def boss(whole_desk: RunningDesk) -> AsyncIterator[Staff]:
    """An admin at the API."""
    token = await whole_desk.command("token", "create", "--email", "b@desk.test", "--role", "admin")
    async with httpx.AsyncClient(base_url=whole_desk.url, trust_env=False, timeout=30.0) as http:
        yield Staff(http, "b@desk.test", token)


async def _team(boss: Staff, case: Case, levels: Mapping[int, str]) -> None:
    """Let a team of these people, by level, get what `case` is about by itself."""
    made = await boss.request(
        "POST", "/teams", json={"name": f"Desks {case.language}", "strategy": "least_loaded"}
    )
    assert made.status_code == 201, made.text
    team = made.json()["id"]
    for level, email in levels.items():
        joined = await boss.request(
            "PUT", f"/teams/{team}/members/{email}", json={"level": level, "lead": level == 2}
        )
        assert joined.is_success, joined.text
    rule = {"name": case.about, "team": team, "conditions": {"words": [case.about]}}
    assert (await boss.request("POST", "/routing/rules", json=rule)).status_code == 201


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.language)
async def test_from_the_first_question_to_the_figures(
    whole_desk: RunningDesk, browser: Browser, boss: Staff, case: Case
) -> None:
    t = partial(translate, case.language)
    names = {1: f"Ana {case.language}", 2: f"Leo {case.language}"}
    emails = {
        level: f"{name[:3].lower()}-{case.language}@desk.test" for level, name in names.items()
    }
    links = {
        level: await whole_desk.command(
            "user", "add", "--email", emails[level], "--name", names[level], "--role", role
        )
        for level, role in ((1, "agent"), (2, "lead"))
    }
    await _team(boss, case, emails)
    async with (
        person(browser, case.locale) as chat,
        person(browser, case.locale) as first,
        person(browser, case.locale) as second,
    ):
        expect.set_options(timeout=PATIENCE_MS)
        await sign_in_for_the_first_time(first, links[1], case.language)
        await sign_in_for_the_first_time(second, links[2], case.language)
        await first.goto(f"{whole_desk.url}/console/queue?tab=mine")

        # The requester asks, gets an article, and wants a human all the same.
        await chat.goto(f"{whole_desk.url}/chat")
        await expect(chat.get_by_role("heading", name=case.greeting)).to_be_visible()
        await stays_loaded(chat)
        await write(chat, case.question)
        await expect(chat.locator(".from-bot .bubble").first).to_contain_text(case.article)
        await chat.get_by_role("button", name=case.yes, exact=True).click()
        await expect(chat.locator(".from-bot .bubble").last).to_contain_text(case.glad)
        await write(chat, case.wish)
        notice = chat.locator(".from-system .bubble").first
        await expect(notice).to_contain_text(case.passed_on)
        told = re.search(r"#(\d+)", await notice.inner_text())
        assert told is not None
        number = told[1]

        # It is given by the rule to whoever is there at level 1, who answers.
        await first.locator(f"#row-{number}").click()
        messages = first.get_by_role("log", name=t("Messages"))
        await expect(messages).to_contain_text(case.wish)
        await expect(messages).to_contain_text(case.article)
        await expect(first.locator("#head")).to_contain_text(t("You have it"))
        await stays_loaded(first)
        await first.get_by_label(t("Your message")).fill("**Ana** <b>1</b>")
        await first.locator("#send").click()
        await expect(chat.locator(".from-agent .bubble").last).to_have_text("Ana <b>1</b>")
        await expect(chat.locator(".from-agent .name").last).to_have_text(names[1])
        await write(chat, "<i>2</i>")
        await expect(messages).to_contain_text("<i>2</i>")
        await first.get_by_role("radio", name=t("Internal note")).check()
        await first.get_by_label(t("Your message")).fill("3 4 5")
        await first.get_by_role("button", name=t("Save note")).click()
        await expect(messages).to_contain_text("3 4 5")
        assert await was_not_reloaded(first)

        # Escalated, it is level 2's, who reads why, and solves it.
        await first.locator("#escalate summary").click()
        await first.locator("#escalation-reason").fill("6 7 8")
        await first.get_by_role("button", name=t("To the next level")).click()
        await expect(first.locator("#head")).to_contain_text(t("{name} has it", name=names[2]))
        await second.goto(f"{whole_desk.url}/console/queue?tab=mine")
        await second.locator(f"#row-{number}").click()
        await expect(second.locator("#head")).to_contain_text(t("You have it"))
        await expect(second.locator("body")).to_contain_text("6 7 8")
        await second.get_by_label(t("Your message")).fill("9")
        await second.get_by_role("button", name=t("Reply and solve")).click()

        # The requester is told at once, asked, and content.
        await expect(chat.locator(".from-agent .bubble").last).to_have_text("9")
        notices = chat.locator(".from-system .bubble")
        await expect(notices.filter(has_text=case.solved)).to_have_count(1)
        await expect(notices.filter(has_text=f"#{number} {case.solved}")).to_have_count(1)
        await expect(notices.last).to_contain_text(case.asked)
        await expect(second.locator("#head")).to_contain_text(t("Solved"))
        await chat.locator("#log button").last.click()
        await expect(notices.last).to_contain_text(case.thanks)
        assert "3 4 5" not in await chat.locator("#log").inner_text()
        assert await was_not_reloaded(chat)

        # The figures have it.
        line = second.get_by_role("row", name=names[2])
        report = f"{whole_desk.url}/console/reports?by=agent"

        async def is_counted() -> bool:
            await second.goto(report)
            cells = await line.locator("td").all_inner_texts()
            return bool(cells) and cells[-1] == case.best and cells[1] == "1"

        assert await until(is_counted, every=0.5, seconds=PATIENCE_MS / 1_000)


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
