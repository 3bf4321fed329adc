from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from pydantic import SecretStr

from channels.email.channel import EmailChannel
from channels.simulator.email import MailPlatform
from channels.simulator.faults import Fault
from core.domain.channel import NotTaken
from core.domain.content import Body, Envelope, FileRef
from core.domain.errors import (
    BadCredentials,
    DeliveryError,
    Rejected,
    Throttled,
    ThrottleScope,
    Unavailable,
    Uncertain,
)
from core.domain.ids import Address, MessageId, new_id
from tests.support.running_desk import free_port
from tests.unit.email.transport.builders import ACCOUNT, ANA, DESK, outbound, settings
from tests.unit.email.transport.memory import MemoryBlobs, context


@pytest.fixture
async def people() -> AsyncIterator[MailPlatform]:
    async with MailPlatform.running(DESK) as platform:
        yield platform


@pytest.fixture
async def channel(people: MailPlatform) -> AsyncIterator[EmailChannel]:
    channel = account(people.smtp_port)
    yield channel
    await channel.close()


def account(port: int, blobs: MemoryBlobs | None = None, **changes: Any) -> EmailChannel:
    values = {
        "smtp_host": "127.0.0.1",
        "smtp_port": port,
        "smtp_security": "none",
        "timeout_seconds": 2,
        **changes,
    }
    return EmailChannel(ACCOUNT, settings(**values), context(blobs))


async def test_a_mail_arrives_and_its_name_is_the_receipt(
    channel: EmailChannel, people: MailPlatform
) -> None:
    receipt = await channel.deliver(outbound("Good morning"))
    (taken,) = people.received
    assert taken.text == "Good morning"
    assert taken.recipients == (ANA,)
    assert taken.sender == DESK
    assert taken.mail["Message-ID"] == f"<{receipt.remote_ids[0]}>"
    assert receipt.detail == ""


async def test_connections_are_kept_and_shared(people: MailPlatform) -> None:
    channel = account(people.smtp_port, smtp_connections=2)
    messages = [outbound(message=MessageId(new_id())) for _ in range(10)]
    await asyncio.gather(*(channel.deliver(message) for message in messages))
    await channel.close()
    assert len(people.received) == 10
    assert people.server.connections == 2


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        ("550 5.1.1 No such user", Rejected),
        ("554 5.7.1 Spam", Rejected),
        ("451 4.3.0 Try again later", Unavailable),
        ("450 4.2.0 Greylisted, try again in 300 seconds", Unavailable),
        ("452 4.7.28 Too many mails from you", Throttled),
        ("452 4.2.2 The account you tried to reach is over its quota", Unavailable),
        ("452 Mailbox full, quota exceeded", Unavailable),
        ("450 4.2.1 The user you try to reach receives mail at too high a rate", Unavailable),
        ("530 5.7.0 Sign in first", BadCredentials),
    ],
)
async def test_a_refusal_says_what_comes_next(
    channel: EmailChannel, people: MailPlatform, reply: str, error: type[DeliveryError]
) -> None:
    people.server.refused[ANA] = reply
    with pytest.raises(error) as raised:
        await channel.deliver(outbound())
    assert people.received == []
    if error is not Throttled:
        assert reply.partition(" ")[2] in str(raised.value)


async def test_a_limit_says_how_long_to_wait(channel: EmailChannel, people: MailPlatform) -> None:
    people.server.refused[ANA] = "421 4.7.0 Rate limit exceeded, try again in 5 minutes"
    with pytest.raises(Throttled) as raised:
        await channel.deliver(outbound())
    assert raised.value.retry_after == 300
    assert raised.value.scope is ThrottleScope.ACCOUNT


async def test_greylisting_passes_with_time(channel: EmailChannel, people: MailPlatform) -> None:
    people.server.greylists = True
    with pytest.raises(Unavailable):
        await channel.deliver(outbound())
    await channel.deliver(outbound())
    assert len(people.received) == 1


async def test_a_copy_that_is_refused_is_told_and_the_mail_is_sent(
    channel: EmailChannel, people: MailPlatform
) -> None:
    people.server.refused["bob@gone.example"] = "550 5.1.1 No such user"
    receipt = await channel.deliver(outbound(participants=(Address("bob@gone.example"),)))
    bob = NotTaken(address=Address("bob@gone.example"), reason="550 5.1.1 No such user")
    assert receipt.refused == (bob,)
    assert people.received[0].recipients == (ANA,)


async def test_a_copy_that_is_put_off_holds_up_nobody_and_is_sent_alone_later(
    channel: EmailChannel, people: MailPlatform
) -> None:
    bob = Address("bob@slow.example")
    people.server.refused[bob] = "450 4.2.0 Greylisted"
    message = outbound(participants=(bob, Address("eve@people.example")))
    receipt = await channel.deliver(message)
    assert receipt.put_off == (NotTaken(address=bob, reason="450 4.2.0 Greylisted"),)
    assert receipt.refused == ()
    rest = replace(message, only_to=(bob,))
    with pytest.raises(Unavailable, match=r"450 4\.2\.0 Greylisted"):
        await channel.deliver(rest)
    people.server.refused.clear()
    assert (await channel.deliver(rest)).put_off == ()
    first, second = people.received
    assert (first.recipients, second.recipients) == ((ANA, "eve@people.example"), (bob,))
    assert first.mail["Message-ID"] == second.mail["Message-ID"]


@pytest.mark.parametrize("to", [(ANA,), (ANA, "eve@people.example")])
async def test_where_nobody_who_is_written_to_is_there_for_now_the_copies_wait_too(
    channel: EmailChannel, people: MailPlatform, to: tuple[str, ...]
) -> None:
    people.server.refused.update(dict.fromkeys(to, "450 4.2.0 Greylisted"))
    envelope = Envelope(to=tuple(map(Address, to)), cc=(Address("bob@people.example"),))
    with pytest.raises(Unavailable):
        await channel.deliver(outbound(envelope=envelope))
    assert people.received == []


async def test_of_several_who_are_written_to_one_that_is_put_off_waits_alone(
    channel: EmailChannel, people: MailPlatform
) -> None:
    people.server.refused[ANA] = "452 4.2.2 Mailbox full"
    envelope = Envelope(to=(Address(ANA), Address("eve@people.example")))
    receipt = await channel.deliver(outbound(envelope=envelope))
    assert [one.address for one in receipt.put_off] == [ANA]
    assert people.received[0].recipients == ("eve@people.example",)


@pytest.mark.parametrize(
    "reply",
    [
        "452 4.5.3 Error: too many recipients",
        "552 Too many recipients",
        "450 4.7.1 Rate limit exceeded for recipient",
        "452 4.7.28 Too many mails from you",
    ],
)
async def test_a_limit_that_one_of_several_meets_puts_off_that_one_alone(
    channel: EmailChannel, people: MailPlatform, reply: str
) -> None:
    bob = Address("bob@people.example")
    people.server.refused[bob] = reply
    receipt = await channel.deliver(outbound(participants=(bob,)))
    assert receipt.put_off == (NotTaken(address=bob, reason=reply),)
    assert people.received[0].recipients == (ANA,)


async def test_a_limit_that_all_meet_is_the_accounts(
    channel: EmailChannel, people: MailPlatform
) -> None:
    bob = Address("bob@people.example")
    people.server.refused |= dict.fromkeys((ANA, bob), "452 4.7.28 Too many mails from you")
    with pytest.raises(Throttled):
        await channel.deliver(outbound(participants=(bob,)))
    del people.server.refused[bob]
    with pytest.raises(Unavailable, match="Too many mails"):  # hers alone, but it is for her
        await channel.deliver(outbound(participants=(bob,)))
    assert people.received == []


async def test_of_a_rest_that_nobody_takes_each_has_their_own_reason(
    channel: EmailChannel, people: MailPlatform
) -> None:
    bob, eve = Address("bob@gone.example"), Address("eve@slow.example")
    people.server.refused |= {bob: "550 5.1.1 No such user", eve: "450 4.2.0 Greylisted"}
    receipt = await channel.deliver(outbound(participants=(bob, eve), only_to=(bob, eve)))
    assert receipt.refused == (NotTaken(address=bob, reason="550 5.1.1 No such user"),)
    assert receipt.put_off == (NotTaken(address=eve, reason="450 4.2.0 Greylisted"),)
    assert people.received == []


async def test_where_all_of_a_letter_without_to_are_refused_each_is_named(
    channel: EmailChannel, people: MailPlatform
) -> None:
    bob, eve = Address("bob@gone.example"), Address("eve@gone.example")
    people.server.refused |= {bob: "550 5.1.1 No such user", eve: "554 5.7.1 Spam"}
    said = "bob@gone.example: 550 5.1.1 No such user; eve@gone.example: 554 5.7.1 Spam"
    with pytest.raises(Rejected, match=re.escape(said)):
        await channel.deliver(outbound(envelope=Envelope(bcc=(bob, eve))))


async def test_a_mail_that_may_have_left_is_uncertain_and_the_same_when_sent_again(
    channel: EmailChannel, people: MailPlatform
) -> None:
    people.faults.plan(Fault.CUT_AFTER)
    with pytest.raises(Uncertain):
        await channel.deliver(outbound())
    await channel.deliver(outbound())
    first, second = people.received
    assert first.mail["Message-ID"] == second.mail["Message-ID"]


async def test_after_a_cut_the_next_mail_has_a_new_connection(
    channel: EmailChannel, people: MailPlatform
) -> None:
    await channel.deliver(outbound())
    people.faults.plan(Fault.CUT_BEFORE)
    with pytest.raises(Unavailable):
        await channel.deliver(outbound())
    await channel.deliver(outbound())
    assert len(people.received) == 2


async def test_a_server_that_is_not_there_is_unavailable() -> None:
    with pytest.raises(Unavailable):
        await account(free_port()).deliver(outbound())


async def test_a_wrong_password_needs_an_admin() -> None:
    async with MailPlatform.running(DESK, credentials=(DESK, "right")) as people:
        channel = account(people.smtp_port, smtp_password=SecretStr("wrong"))
        with pytest.raises(BadCredentials) as raised:
            await channel.deliver(outbound())
        assert raised.value.remedy
        assert "wrong" not in str(raised.value)
        right = account(people.smtp_port, smtp_password=SecretStr("right"))
        await right.deliver(outbound())
        await right.close()
        assert len(people.received) == 1


async def test_without_a_server_an_admin_has_to_name_one() -> None:
    channel = EmailChannel(ACCOUNT, settings(), context())
    with pytest.raises(BadCredentials, match="no SMTP server"):
        await channel.deliver(outbound())


async def test_a_server_that_does_not_offer_tls_gets_nothing(people: MailPlatform) -> None:
    channel = account(people.smtp_port, smtp_security="starttls")
    with pytest.raises(DeliveryError):
        await channel.deliver(outbound())
    assert people.received == []


async def test_files_come_from_where_the_desk_keeps_them(people: MailPlatform) -> None:
    blobs = MemoryBlobs()
    await blobs.put("kept", b"content")
    channel = account(people.smtp_port, blobs)
    file = FileRef(name="a.txt", media_type="text/plain", remote="kept")
    await channel.deliver(outbound(body=Body(text="Here.", files=(file,))))
    (attached,) = people.received[0].mail.iter_attachments()
    assert attached.get_content() == "content"
    gone = FileRef(name="b.txt", media_type="text/plain", remote="gone")
    with pytest.raises(Rejected, match=r"b\.txt"):
        await channel.deliver(outbound(body=Body(text="Here.", files=(gone,))))
    await channel.close()


async def test_a_file_that_cannot_be_read_now_leaves_the_mail_for_later(
    people: MailPlatform,
) -> None:
    blobs = MemoryBlobs()
    await blobs.put("kept", b"content")
    channel = account(people.smtp_port, blobs)
    file = FileRef(name="a.txt", media_type="text/plain", remote="kept")
    mail = outbound(body=Body(text="Here.", files=(file,)))
    blobs.is_away = True
    with pytest.raises(Unavailable, match=r"a\.txt' cannot be read now"):
        await channel.deliver(mail)
    assert people.received == []
    blobs.is_away = False
    await channel.deliver(mail)
    assert len(people.received) == 1
    await channel.close()


async def test_a_mail_that_is_too_large_is_refused_before_it_leaves(people: MailPlatform) -> None:
    channel = account(people.smtp_port, max_sent_bytes=1_000)
    with pytest.raises(Rejected, match="1,000 are allowed"):
        await channel.deliver(outbound("word " * 1_000))
