"""A desk with a platform of letters, and the ticket of one."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from core.ports import capabilities_of
from core.storage.tables import (
    Conversation,
)
from tests.integration.console.browser import signed_in
from tests.integration.console.conftest import api, desk
from tests.integration.console.world import Desk
from tests.integration.letters.world import (
    Post,
    letter,
)

__all__ = ["api", "desk", "post", "ticket"]


@pytest.fixture
async def post(desk: Desk) -> Post:
    """The platform of letters."""
    post = Post(desk.loopback.account, desk.loopback.platform)
    desk.channels[post.account] = post
    desk.accounts[post.account] = capabilities_of(post)
    return post


@pytest.fixture
async def ticket(desk: Desk, post: Post) -> str:
    """The path of the ticket of a letter."""
    await desk.intake.accept(letter(desk, "It does not connect", name="first"))
    async with desk.sessions() as session:
        conversation = (await session.scalars(select(Conversation.id))).one()
    browser = await signed_in(desk, "Eva")
    answer = await browser.send(f"/console/conversations/{conversation}/take-over")
    return answer.headers["location"].partition("?")[0]
