"""Processes of one desk, as far as accounts go: each with a directory of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest

from channels.webchat.channel import WebChat
from core.adapters.blobs import ObjectBlobs
from core.domain.ids import AccountId
from core.ports import ChannelContext
from core.runtime.directory import Directory
from core.services.accounts.accounts import AccountBook, DeclaredAccount
from core.services.accounts.secrets import derived_key
from core.services.intake.inbox import Intake
from core.services.intake.placing import ArrivalRules
from core.services.turns.requester_tickets import TicketsOfRequesters
from core.storage.engine import Sessions
from core.storage.queries.accounts.accounts import AccountView
from tests.support import pager

KINDS = {"pager": pager.KIND}


@dataclass
class Process:
    """What one process of the desk has."""

    book: AccountBook
    directory: Directory
    intake: Intake

    async def look(self) -> None:
        """Look for changes, and once more, when what is new is let in."""
        await self.directory.refresh()
        await self.directory.refresh()

    def pager(self, name: str) -> pager.Pager:
        found = self.directory.channels[AccountId(name)]
        assert isinstance(found, pager.Pager)
        return found

    async def view(self, name: str) -> AccountView:
        (found,) = [account for account in await self.book.list() if account.id == name]
        return found


@dataclass
class Processes:
    """Makes processes on the test's database."""

    sessions: Sessions
    folder: Path
    made: list[Process] = field(default_factory=list)

    def __call__(self, *declared: DeclaredAccount, key: bytes = b"key") -> Process:
        blobs = ObjectBlobs.at(self.folder.as_uri())
        book = AccountBook(self.sessions, KINDS, key, [account.id for account in declared])

        def context(account: AccountId) -> ChannelContext:
            return ChannelContext(
                blobs=blobs,
                tickets=TicketsOfRequesters(self.sessions),
                base_url="http://desk.test",
                key=derived_key(key, "channel", account),
                default_language="en",
            )

        directory = Directory(
            self.sessions,
            book,
            KINDS,
            context,
            fixed={"webchat": WebChat(AccountId("webchat"), key)},
            declared=declared,
        )
        rules = ArrivalRules(reopen_window=timedelta(hours=1), default_language="en")
        intake = Intake(self.sessions, blobs, directory.capabilities, rules)
        self.made.append(Process(book, directory, intake))
        return self.made[-1]


@pytest.fixture
async def process(sessions: Sessions, tmp_path: Path) -> AsyncIterator[Callable[..., Process]]:
    """Makes processes of the desk."""
    processes = Processes(sessions, tmp_path)
    yield processes
    for made in processes.made:
        await made.directory.close()
