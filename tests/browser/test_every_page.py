"""Every page of the console: no violation that axe finds, light and dark, none too wide, and
where lists stack on a narrow page, every cell with its column's name.

Pages are found, not listed: those of `console.rooms`, and one of each kind that they link to.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest
from playwright.async_api import Browser, Page
from sqlalchemy import select

from console.rooms import ROOMS, SECTIONS, TABS
from core.domain.actor import Role
from core.settings import Settings
from core.storage.queries.access.agents import agent_named
from core.storage.tables import ApprovalAsk, Satisfaction
from core.wiring.demo.seed import Demo
from core.wiring.parts import open_parts
from core.wiring.web import build_app
from tests.browser.people import PASSWORD
from tests.support.databases import Databases
from tests.support.serving import served

_AXE = resources.files("console") / "node_modules" / "axe-core" / "axe.min.js"
_RUN = """async (rules) => {
    const options = rules ? {runOnly: {type: "rule", values: rules}} : {};
    const found = await axe.run(document, {...options, resultTypes: ["violations"]});
    return found.violations.flatMap((one) => one.nodes.map((node) =>
        `${one.id}: ${node.html.slice(0, 160)} (${node.failureSummary.split("\\n")[1]?.trim()})`));
}"""
_TOO_WIDE = """() => {
    const most = document.documentElement.clientWidth;
    if (document.documentElement.scrollWidth <= most) return [];
    return [...document.querySelectorAll("body *")]
        .filter((one) => !one.closest(".rooms") && one.getBoundingClientRect().right > most + 1)
        .slice(0, 5).map((one) => `too wide: ${one.outerHTML.slice(0, 120)}`);
}"""
_UNNAMED = r"""() => {
    const tells = ".subject-cell, .at-status, .at-priority";  // say what they are by themselves
    const nameOf = (head) =>
        head.querySelector("input, .visually-hidden") ? ""
            : head.textContent.replaceAll(/\s+/g, " ").trim();
    const isNamed = (cell, head) => {
        const name = nameOf(head);
        if (!name || !cell.textContent.trim() || cell.matches(tells)) return true;
        return cell.checkVisibility() && getComputedStyle(cell, "::before").content.includes(name);
    };
    return [...document.querySelectorAll("table.stacks, table.tickets")].flatMap((table) =>
        [...table.tBodies[0].rows].flatMap((row) => [...row.querySelectorAll("td")])
            .filter((cell) => !isNamed(cell, table.tHead.rows[0].cells[cell.cellIndex]))
            .map((cell) => `without its column's name: ${cell.outerHTML.slice(0, 120)}`)
    ).slice(0, 5);
}"""
_PLACES = sorted({place.path for place in (*ROOMS, *SECTIONS, *TABS)})
_ID = re.compile(r"/[0-9a-f]{8}-[0-9a-f-]{27}|/\d+|view-[0-9a-f-]+|team-[0-9a-f-]+")
_NO_PAGES = re.compile(
    r"/static/|/reports/backlog|/vendor/|/export|\.csv|\.json|/files/|sign-out|/source|/events"
)


_READERS = {"boss": "en", "jefa": "es", "tom": "es", "nora": "es"}
"""Who looks, and the language in which: two admins, an agent and an auditor."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """The demonstration's desk, with a page open for each reader."""

    pages: Mapping[str, Page]
    public: Sequence[str]  # pages that are reached by links, and the chat

    def by(self, kind: str, *, other: bool = False) -> Page:
        """Return the page of one admin, drawn by what is looked at; with `other`, of the other."""
        return self.pages["jefa" if (crc32(kind.encode()) + other) % 2 else "boss"]


@pytest.fixture(scope="module")
async def desk(
    databases: Databases, browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Looked]:
    home: Path = tmp_path_factory.mktemp("every-page")
    async with databases.one() as url:
        settings = Settings(home=home, database_url=url)
        async with open_parts(settings, "test") as parts:
            await parts.directory.refresh()
            await Demo(parts, lambda _: None, days=10).fill()
            await parts.access.add_agent("jefa@desk.example", "Eva Jefa", Role.ADMIN)
            for name, language in _READERS.items():
                async with parts.sessions() as session:
                    agent = await agent_named(session, f"{name}@desk.example")
                await parts.access.passwords.set(agent, PASSWORD)
                await parts.access.set_language(agent, language)
            async with parts.sessions() as session:
                survey = await session.scalar(
                    select(Satisfaction.id).where(Satisfaction.asked_at.is_not(None)).limit(1)
                )
                asked = await session.scalar(select(ApprovalAsk.id).limit(1))
            assert survey is not None
            assert asked is not None
            links = (parts.survey_links.link(survey), parts.approval_links.link(asked))
            public = [link.removeprefix(settings.base_url) for link in links]
        async with (
            served(build_app(settings), lifespan="on") as address,
            AsyncExitStack() as opened,
        ):
            yield Looked(
                pages={
                    name: await opened.enter_async_context(_signed_in(browser, address, name))
                    for name in _READERS
                },
                public=[*public, "/chat"],
            )


@pytest.fixture(scope="module")
def links() -> dict[str, list[str]]:
    """The links of the places that have been opened so far."""
    return {}


@asynccontextmanager
async def _signed_in(browser: Browser, address: str, name: str) -> AsyncIterator[Page]:
    # Without motion: colours that fade in are judged half-way.
    context = await browser.new_context(base_url=address, reduced_motion="reduce", locale="en")
    page = await context.new_page()
    await page.goto("/console/sign-in")
    await page.get_by_label("E-mail").fill(f"{name}@desk.example")
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Sign in").click()
    await page.wait_for_url("**/console/queue**")
    yield page
    await context.close()


async def _complaints(page: Page, path: str) -> list[str]:
    """Return what is wrong with the page at `path`."""
    await page.set_viewport_size({"width": 1400, "height": 900})
    await page.emulate_media(color_scheme="light")
    answer = await page.goto(path, wait_until="domcontentloaded")
    assert answer is not None
    if answer.status != 200 or "text/html" not in answer.headers.get("content-type", ""):
        return [] if answer.status == 200 else [f"{path} answers {answer.status}"]
    await page.evaluate(_AXE.read_text())
    found: list[str] = await page.evaluate(_RUN, None)
    await page.emulate_media(color_scheme="dark")
    found += [f"dark: {one}" for one in await page.evaluate(_RUN, ["color-contrast"])]
    await page.set_viewport_size({"width": 360, "height": 740})
    found += await page.evaluate(_TOO_WIDE)
    found += await page.evaluate(_UNNAMED)
    return found


async def _links(page: Page) -> list[str]:
    found: list[str] = await page.evaluate(
        '[...document.querySelectorAll(\'main a[href^="/console"], header a[href^="/console"]\')]'
        ".map((one) => one.getAttribute('href'))"
    )
    return found


@pytest.mark.parametrize("path", _PLACES)
async def test_a_place_of_the_console_is_accessible(
    desk: Looked, links: dict[str, list[str]], path: str
) -> None:
    page = desk.by(path)
    assert await _complaints(page, path) == []
    links[path] = await _links(page)


@pytest.mark.parametrize("reader", ["tom", "nora"])
async def test_what_an_agent_and_an_auditor_see_is_accessible(desk: Looked, reader: str) -> None:
    page = desk.pages[reader]
    await page.goto("/console/queue?tab=all", wait_until="domcontentloaded")
    rooms = await page.evaluate(
        "[...document.querySelectorAll('.rooms a')].map((one) => one.getAttribute('href'))"
    )
    ticket = await page.locator('a[href*="/console/tickets/"]').first.get_attribute("href")
    assert len(rooms) >= 4
    assert ticket is not None
    complaints = {path: await _complaints(page, path) for path in [*rooms, ticket]}
    assert {path: found for path, found in complaints.items() if found} == {}


async def test_pages_without_signing_in_are_accessible(desk: Looked) -> None:
    page = await desk.pages["boss"].context.new_page()
    complaints = {path: await _complaints(page, path) for path in desk.public}
    await page.close()
    assert {path: found for path, found in complaints.items() if found} == {}


async def test_every_kind_of_page_that_is_linked_to_is_accessible(
    desk: Looked, links: dict[str, list[str]]
) -> None:
    page = desk.pages["boss"]
    seen = {_kind(path) for path in _PLACES}
    waiting: dict[str, str] = {}
    for path in _PLACES:
        if path not in links:  # where this test runs alone, or one before has failed
            await page.goto(path, wait_until="domcontentloaded")
            links[path] = await _links(page)
        waiting |= {_kind(link): link for link in links[path]}
    complaints: dict[str, Any] = {}
    while fresh := {kind: link for kind, link in waiting.items() if kind not in seen}:
        for kind, link in fresh.items():
            seen.add(kind)
            if _NO_PAGES.search(link):
                continue
            page = desk.by(kind, other=True)
            if found := await _complaints(page, link):
                complaints[link] = found
            waiting |= {_kind(one): one for one in await _links(page)}
    assert len(seen) > len(_PLACES) + 10
    assert not complaints, "\n".join(f"{path}: {found}" for path, found in complaints.items())


async def test_keys_and_what_is_found_while_typing_are_accessible(desk: Looked) -> None:
    page = desk.pages["boss"]
    await page.goto("/console/queue?tab=all")
    await page.evaluate(_AXE.read_text())
    await page.keyboard.press("?")
    assert await page.evaluate(_RUN, None) == []
    await page.keyboard.press("Escape")
    await page.keyboard.press("/")
    await page.keyboard.type("1001")
    await page.locator("#quick-found a").first.wait_for()
    assert await page.evaluate(_RUN, None) == []
    await page.locator("body").press("Escape")
    await page.locator("input.choose").first.check()
    assert await page.evaluate(_RUN, None) == []


def _kind(path: str) -> str:
    """Return which kind of page a path leads to: ids and all but the names of queries aside."""
    bare, _, query = path.partition("#")[0].partition("?")
    names = sorted(part.partition("=")[0] for part in query.split("&") if part)
    return "?".join([_ID.sub("/*", bare), *names])
