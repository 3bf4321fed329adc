"""A desk with a mail account, and the people who write to it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from channels.simulator.email import MailPlatform
from core.storage.engine import Sessions
from tests.support.mail_desk import MailDesk, mail_desk

DESK = "help@desk.example"


@pytest.fixture
async def people() -> AsyncIterator[MailPlatform]:
    async with MailPlatform.running(DESK) as platform:
        yield platform


@pytest.fixture
async def desk(sessions: Sessions, tmp_path: Path, people: MailPlatform) -> AsyncIterator[MailDesk]:
    async with mail_desk(sessions, tmp_path, DESK, smtp_port=people.smtp_port) as desk:
        people.lmtp_port = desk.lmtp_port
        yield desk
