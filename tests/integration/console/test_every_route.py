"""No route lets in who is not signed in, and no page changes anything for another site."""

from __future__ import annotations

from collections.abc import Iterator

from fastapi.routing import APIRoute

from console import api, pages
from core.domain.actor import Role
from tests.integration.console.browser import signed_in
from tests.integration.console.world import Desk

ID = "00000000-0000-0000-0000-000000000001"

FOR_EVERYBODY = frozenset(
    {
        "/",
        "/console",  # leads on
        "/console/sign-in",
        "/console/sign-in/{token}",
        "/console/sign-in-language/{language}",
        "/help/{article}",
        "/agents/{agent}/{version}",
        # Who has these addresses may do what they are for: what is in them cannot be guessed.
        "/survey/{token}",
        "/survey/{token}/reopen",
        "/approval/{token}",
        "/api/v1/hooks/{token}",
    }
)


def routes() -> Iterator[tuple[str, str, str]]:
    """Yield method, path as it is declared, and an address, of every route."""
    parts = [("", part) for part in pages._PAGES] + [("/api/v1", part) for part in api._PARTS]
    for prefix, part in parts:
        for route in part.router.routes:
            assert isinstance(route, APIRoute)
            shape = f"{prefix}{route.path_format}"
            values = {name: "1001" if name == "ticket" else ID for name in route.param_convertors}
            for method in (route.methods or set()) - {"HEAD"}:
                yield method, shape, shape.format(**values)


async def test_who_is_not_signed_in_gets_nothing_but_what_is_for_everybody(desk: Desk) -> None:
    await desk.queued()
    asked = 0
    async with desk.client() as nobody:
        for method, shape, address in routes():
            if shape in FOR_EVERYBODY:
                continue
            answer = await nobody.request(method, address)
            told = f"{method} {shape}: {answer.status_code} {answer.headers.get('location')}"
            if shape.startswith("/api/") or shape == "/console/events":
                assert answer.status_code == 401, told
            else:
                leads_to = answer.headers.get("location", "")
                assert (answer.status_code, leads_to.partition("?")[0]) == (
                    303,
                    "/console/sign-in",
                ), told
            asked += 1
    assert asked > 450


async def test_no_page_changes_anything_without_its_token_or_for_another_site(desk: Desk) -> None:
    await desk.queued()
    browser = await signed_in(desk, role=Role.ADMIN)
    asked = 0
    for method, shape, address in routes():
        if method == "GET" or shape.startswith("/api/") or shape in FOR_EVERYBODY:
            continue
        bare = await browser.client.request(method, address)
        other = await browser.client.request(
            method,
            address,
            data={"csrf": browser.csrf},
            headers={"Sec-Fetch-Site": "cross-site"},
        )
        assert (bare.status_code, other.status_code) == (403, 403), f"{method} {shape}"
        asked += 1
    assert asked > 120
    await browser.see("/console/queue")
