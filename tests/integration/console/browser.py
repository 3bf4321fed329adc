"""A browser without a screen: keeps cookies, fills in forms, follows redirects when told to."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import httpx

from core.domain.actor import Role
from tests.integration.console.world import Desk

PASSWORD = "correct horse battery"


class Browser:
    """One signed-in agent's browser."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client
        self.csrf = ""

    @classmethod
    async def signed_in(cls, desk: Desk, email: str) -> Browser:
        """Sign in with the password and read the page's CSRF token."""
        browser = cls(desk.client())
        answer = await browser.client.post(
            "/console/sign-in", data={"email": email, "password": PASSWORD}
        )
        assert answer.status_code == 303, answer.text
        await browser.see("/console/queue")
        return browser

    async def see(self, path: str, status: int = 200) -> str:
        """Load a page."""
        answer = await self.client.get(path)
        assert answer.status_code == status, answer.text
        if found := re.search(r'name="csrf" value="([^"]+)"', answer.text):
            self.csrf = found[1]
        return answer.text

    async def send(
        self, path: str, *, form: Mapping[str, Any] | None = None, htmx: bool = False, **more: str
    ) -> httpx.Response:
        """Send a form as the page would."""
        fields: dict[str, Any] = {**(form or {}), **more}
        headers = {"HX-Request": "true", "X-CSRF-Token": self.csrf} if htmx else {}
        data = fields if htmx else {"csrf": self.csrf, **fields}
        return await self.client.post(path, data=data, headers=headers)


async def signed_in(
    desk: Desk, name: str = "Ana", role: Role = Role.AGENT, language: str = "en"
) -> Browser:
    """Add an agent who reads `language`; return the browser in which they are signed in."""
    agent = await desk.agent(f"{name.lower()}@example.org", name, role)
    await desk.access.passwords.set(agent.id, PASSWORD)
    await desk.access.set_language(agent.id, language)
    return await Browser.signed_in(desk, agent.email)
