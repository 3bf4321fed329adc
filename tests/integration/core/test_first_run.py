from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import func, select

from core.settings import Settings
from core.storage.engine import Sessions
from core.storage.tables import AgentRow, ArticleRow
from core.wiring import commands


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    return Settings(home=tmp_path, database_url=SecretStr(database_url))


async def test_the_first_run_makes_an_admin_and_brings_the_starter_articles_once(
    settings: Settings, sessions: Sessions
) -> None:
    # A token made before the first run is no reason to leave the desk without its articles.
    await commands.create_token(settings, email="me@example.org", role="admin")
    links = await asyncio.gather(commands.first_run(settings), commands.first_run(settings))

    (link,) = [link for link in links if link is not None]
    assert "/console/sign-in/" in link
    async with sessions() as session:
        articles = await session.scalar(select(func.count()).select_from(ArticleRow))
        admins = (await session.scalars(select(AgentRow.email))).all()
    assert articles is not None
    assert articles >= 80
    assert sorted(admins) == ["admin@localhost", "me@example.org"]
