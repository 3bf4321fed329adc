from __future__ import annotations

from base64 import b64encode

import dkim
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from channels.email.channel import EmailChannel
from channels.email.dkim import signed
from channels.email.ids import raw_key, raw_name
from channels.email.kind import KIND
from channels.email.settings import EmailSettings
from channels.simulator.email import MailPlatform, Person, write
from core.domain.content import FileRef
from core.domain.errors import BadCredentials, IgnoredPayload, Rejected, StorageUnavailable
from core.domain.events import DeliveryReported, MessagePosted
from core.ports import Channel, FetchesFiles, ReadsPayloads
from tests.unit.email.transport.builders import ACCOUNT, ANA, DESK, NOW, THREAD, outbound, settings
from tests.unit.email.transport.memory import MemoryBlobs, context

WITH_FILES = write(
    Person(address=ANA),
    DESK,
    "Two files.",
    message_id="<1@people.example>",
    at=NOW,
    files=[("a.bin", b"one"), ("b.bin", b"two" * 200_000)],
).raw


def test_its_kind_opens_it() -> None:
    channel = KIND.open(ACCOUNT, settings(), context())
    assert isinstance(channel, Channel)
    assert isinstance(channel, FetchesFiles)
    assert isinstance(channel, ReadsPayloads)
    assert KIND.settings is EmailSettings


async def test_files_of_a_mail_are_fetched_from_the_mail_that_was_kept() -> None:
    blobs = MemoryBlobs()
    channel = EmailChannel(ACCOUNT, settings(), context(blobs))
    await blobs.put(raw_key(ACCOUNT, raw_name(WITH_FILES)), WITH_FILES)
    (event,) = channel.read(WITH_FILES)
    assert isinstance(event, MessagePosted)
    contents = [
        b"".join([piece async for piece in channel.fetch(file)]) for file in event.body.files
    ]
    assert contents == [b"one", b"two" * 200_000]


async def test_a_mail_is_read_once_for_all_its_files_and_kept_no_longer() -> None:
    blobs = MemoryBlobs()
    channel = EmailChannel(ACCOUNT, settings(), context(blobs))
    await blobs.put(raw_key(ACCOUNT, raw_name(WITH_FILES)), WITH_FILES)
    (event,) = channel.read(WITH_FILES)
    assert isinstance(event, MessagePosted)
    first, last = event.body.files
    assert [piece async for piece in channel.fetch(first)] == [b"one"]
    blobs.is_away = True
    assert b"".join([piece async for piece in channel.fetch(last)]) == b"two" * 200_000
    with pytest.raises(StorageUnavailable):
        [piece async for piece in channel.fetch(first)]


@pytest.mark.parametrize("remote", ["", "../../etc/passwd", f"{'0' * 64}/0", f"{'0' * 64}/x"])
async def test_a_file_that_was_not_kept_will_never_be_given(remote: str) -> None:
    channel = EmailChannel(ACCOUNT, settings(), context())
    file = FileRef(name="a", media_type="text/plain", remote=remote)
    with pytest.raises(Rejected):
        [piece async for piece in channel.fetch(file)]


async def test_what_was_put_aside_is_read_as_it_would_be_now() -> None:
    channel = EmailChannel(ACCOUNT, settings(), context())
    async with MailPlatform.running(DESK) as people:
        sender = EmailChannel(
            ACCOUNT,
            settings(smtp_host="127.0.0.1", smtp_port=people.smtp_port, smtp_security="none"),
            context(),
        )
        await sender.deliver(outbound())
        await sender.close()
        with pytest.raises(IgnoredPayload):
            channel.read(people.received[0].raw)


@pytest.mark.parametrize(("status", "is_permanent"), [("5.1.1", True), ("4.4.1", False)])
async def test_what_a_mail_server_says_of_a_sent_mail_names_that_mail(
    status: str, is_permanent: bool
) -> None:
    async with MailPlatform.running(DESK) as people:
        channel = EmailChannel(
            ACCOUNT,
            settings(smtp_host="127.0.0.1", smtp_port=people.smtp_port, smtp_security="none"),
            context(),
        )
        receipt = await channel.deliver(outbound())
        await channel.close()
        (report,) = channel.read(people.compose_bounce(people.received[0], ANA, status=status).raw)
    assert isinstance(report, DeliveryReported)
    assert (report.remote_id,) == receipt.remote_ids
    assert report.thread == THREAD
    assert report.recipient == ANA
    assert report.is_permanent is is_permanent
    assert not report.delivered


def test_an_out_of_office_reply_is_automatic() -> None:
    raw = write(
        Person(address=ANA),
        DESK,
        "I am away.",
        message_id="<2@people.example>",
        at=NOW,
        subject="Automatic reply: Printer",
        headers=[("Auto-Submitted", "auto-replied")],
    ).raw
    (event,) = EmailChannel(ACCOUNT, settings(), context()).read(raw)
    assert isinstance(event, MessagePosted)
    assert event.is_automatic


def test_mail_is_signed_with_the_domains_key() -> None:
    key = rsa.generate_private_key(65537, 2048)
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()
    public = key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    content = signed(WITH_FILES, domain="desk.example", selector="s1", private_key=private)

    def record(name: bytes, timeout: int = 5) -> bytes:
        assert name == b"s1._domainkey.desk.example."
        return b"v=DKIM1; k=rsa; p=" + b64encode(public)

    assert dkim.verify(content, dnsfunc=record)
    assert not dkim.verify(content.replace(b"Two files", b"Ten files"), dnsfunc=record)


def test_a_key_that_cannot_sign_needs_an_admin() -> None:
    with pytest.raises(BadCredentials) as raised:
        signed(WITH_FILES, domain="desk.example", selector="s1", private_key="hidden")
    assert "hidden" not in str(raised.value)
