"""Somebody tries the desk with the mail server that comes with it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import func, select
from typer.testing import CliRunner

from channels.email.settings import EmailSettings
from channels.simulator.email.correspondent import answer, letter, person, post
from channels.simulator.email.kept import KeptMail
from channels.simulator.email.post_office import PostOffice, readable
from channels.simulator.email.server import Taken
from core.cli.mail import mail_app
from core.domain.errors import InvalidInput
from core.runtime.machine.addresses import free_ports
from core.runtime.machine.polling import until
from core.storage.engine import Sessions
from core.storage.tables import Conversation, Message
from tests.support.mail_desk import MailDesk, mail_desk

DESK = "help@desk.example"
ANA = person("Ana Ruiz <ana@people.example>")


class Terminal:
    """What the mail server has printed, and its folder."""

    def __init__(self, folder: Path) -> None:
        self.mails = KeptMail(folder)
        self.said: list[str] = []

    async def shows(self, words: str) -> None:
        async def it_does() -> bool:
            return any(words in said for said in self.said)

        assert await until(it_does, every=0.01, seconds=10), self.said


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    return Terminal(tmp_path / "mails")


@pytest.fixture
async def office(terminal: Terminal) -> AsyncIterator[PostOffice]:
    (lmtp_port,) = free_ports(1)
    async with PostOffice.running(
        DESK, smtp_port=0, lmtp_port=lmtp_port, mails=terminal.mails, say=terminal.said.append
    ) as office:
        yield office


@pytest.fixture
async def desk(sessions: Sessions, tmp_path: Path, office: PostOffice) -> AsyncIterator[MailDesk]:
    async with mail_desk(
        sessions, tmp_path, DESK, smtp_port=office.smtp_port, lmtp_port=office.lmtp_port
    ) as desk:
        yield desk


async def test_a_mail_is_answered_and_the_reply_to_that_stays_in_the_conversation(
    desk: MailDesk, office: PostOffice, terminal: Terminal
) -> None:
    question = letter(ANA, DESK, "VPN", "How do I connect to the VPN?")
    await asyncio.to_thread(post, question, office.smtp_port)
    await terminal.shows("the desk has taken it")
    await desk.work()
    await terminal.shows("I am not sure. Could you say it otherwise?")
    kept = terminal.mails.last_of_desk("ANA@people.example")
    assert kept is not None
    assert kept.recipients == (ANA.address,)
    terminal.said.clear()
    await asyncio.to_thread(post, answer(kept, ANA, "From my telephone."), office.smtp_port)
    await terminal.shows("the desk has taken it")
    async with desk.sessions() as session:
        assert await session.scalar(select(func.count()).select_from(Conversation)) == 1
        heard = select(Message.text).where(Message.speaker == "customer").order_by(Message.seq)
        assert (await session.scalars(heard)).all() == [
            "How do I connect to the VPN?",
            "From my telephone.",
        ]


async def test_mail_waits_until_the_desk_is_there(
    sessions: Sessions, tmp_path: Path, office: PostOffice, terminal: Terminal
) -> None:
    await asyncio.to_thread(post, letter(ANA, DESK, "VPN", "Hello?"), office.smtp_port)
    await terminal.shows("the mail waits here")
    async with mail_desk(
        sessions, tmp_path, DESK, smtp_port=office.smtp_port, lmtp_port=office.lmtp_port
    ) as desk:
        await terminal.shows("the desk has taken it")
        assert await desk.heard() == 1


async def test_the_settings_it_tells_are_those_of_an_account(office: PostOffice) -> None:
    settings = EmailSettings.model_validate(office.settings())
    assert settings.smtp_port == office.smtp_port


@pytest.mark.parametrize("address", [DESK, "Help@Desk.example", "help+t.abc@desk.example"])
async def test_plus_addresses_are_the_desks(office: PostOffice, address: str) -> None:
    assert office.is_desk(address)
    assert not office.is_desk(f"x{address}")


def test_a_mail_cannot_command_the_terminal() -> None:
    raw = b"From: a@b.example\r\nSubject: x\r\n\r\n\x1b[2Jgone\x07\r\n"
    shown = readable(Taken(sender="a@b.example", recipients=("c@d.example",), raw=raw))
    assert "gone" in shown
    assert "\x1b" not in shown
    assert "\x07" not in shown


def test_the_last_mail_of_the_desk_is_found_among_all(tmp_path: Path) -> None:
    mails = KeptMail(tmp_path)
    for number in range(11):
        raw = f"From: {DESK}\r\nSubject: {number}\r\n\r\n".encode()
        to_ana = Taken(sender=DESK, recipients=(ANA.address,), raw=raw)
        mails.keep(to_ana, is_of_desk=True)
    mails.keep(Taken(sender=DESK, recipients=("b@x.example",), raw=b"\r\n"), is_of_desk=True)
    mails.keep(Taken(sender="../../c", recipients=(DESK,), raw=b"\r\n"), is_of_desk=False)
    found = mails.last_of_desk(ANA.address)
    assert found is not None
    assert found.mail["Subject"] == "10"
    assert len(list(tmp_path.iterdir())) == 13


@pytest.mark.parametrize("words", ["", "ana", "ana@", "a b@c.example", "a@b.example\r\nBcc: c@d.e"])
def test_what_is_no_address_is_refused(words: str) -> None:
    with pytest.raises(InvalidInput):
        person(words)


def test_a_reply_to_nothing_says_so(tmp_path: Path) -> None:
    result = CliRunner().invoke(mail_app, ["reply", "Thanks", "--folder", str(tmp_path)])
    assert isinstance(result.exception, InvalidInput)
    assert "has written no mail to anybody yet" in str(result.exception)


def test_without_a_mail_server_the_command_to_start_one_is_told() -> None:
    (port,) = free_ports(1)
    with pytest.raises(InvalidInput, match="desk mail server"):
        post(letter(ANA, DESK, "VPN", "Hello?"), port)
