"""Mails that wrap what they say: invitations, signatures, encryption, mails in mails."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.hazmat.primitives.serialization.pkcs7 import (
    PKCS7Options,
    PKCS7SignatureBuilder,
)
from cryptography.x509.oid import NameOID

from channels.email.parse import ENCRYPTED, Reader
from channels.email.reading import cms
from channels.email.reading.defects import Defects
from channels.email.reading.mail import Mail, MailKind
from channels.email.reading.parts import take_apart
from channels.email.reading.read import read_mail
from channels.email.settings import EmailSettings
from channels.email.tokens import Tokens
from core.domain.content import MAX_FILES, Body
from core.domain.events import MessagePosted
from core.domain.ids import AccountId
from tests.unit.email.reading.builders import multipart, part, raw, read

INVITATION = """BEGIN:VCALENDAR
METHOD:REQUEST
VERSION:2.0
BEGIN:VEVENT
SUMMARY;LANGUAGE=es-ES:Revisión del pro
 yecto\\, *final*
DTSTART;TZID="Romance Standard Time":20261201T100000
DTEND;TZID="Romance Standard Time":20261201T113000
LOCATION:Sala 3\\, planta 2
BEGIN:VALARM
SUMMARY:Aviso
END:VALARM
END:VEVENT
END:VCALENDAR
"""


def meeting(**properties: str) -> str:
    lines = [f"{name}:{value}" for name, value in properties.items()]
    return "\n".join(["BEGIN:VCALENDAR", "BEGIN:VEVENT", *lines, "END:VEVENT", "END:VCALENDAR"])


def calendar(content: str, method: str = "REQUEST") -> bytes:
    return part(content, f"text/calendar; charset=utf-8; method={method}")


def invited(content: str, words: str = "", method: str = "REQUEST") -> Mail:
    kind, body = multipart(part(words), calendar(content, method), subtype="alternative")
    return read(body, Content_Type=kind, Subject="Revisión")


def message_of(content: bytes) -> Body:
    """Return what an agent is shown of a mail."""
    account = AccountId("email:help")
    settings = EmailSettings(
        address="desk@shop.example", lmtp_host="127.0.0.1", smtp_host="127.0.0.1"
    )
    reader = Reader(
        account=account, settings=settings, tokens=Tokens(account, b"k" * 32, "desk@shop.example")
    )
    (event,) = reader.events_alone(read_mail(content), content, datetime.now(UTC))
    assert isinstance(event, MessagePosted)
    return event.body


def test_an_invitation_says_what_when_and_where() -> None:
    mail = invited(INVITATION, "Traed el informe")
    assert mail.invitation == (
        "**Revisión del proyecto, \\*final\\***  \n"
        "2026-12-01 10:00 – 11:30 (Romance Standard Time)  \n"
        "Sala 3, planta 2"
    )
    kind, body = multipart(part("Traed el informe"), calendar(INVITATION), subtype="alternative")
    shown = message_of(raw(body, Content_Type=kind))
    assert shown.text == f"Traed el informe\n\n{mail.invitation}"
    assert [file.name for file in shown.files] == ["invite.ics"]


@pytest.mark.parametrize(
    ("begins", "ends", "shown"),
    [
        ("20261201T100000Z", "20261201T110000Z", "2026-12-01 10:00 – 11:00 (UTC)"),
        ("20261231T230000", "20270101T010000", "2026-12-31 23:00 – 2027-01-01 01:00"),
        ("20261201", "20261202", "2026-12-01"),
        ("20261201", "20261204", "2026-12-01 – 2026-12-03"),
        ("20261201T100000", "", "2026-12-01 10:00"),
        ("20260101", "00010101", "2026-01-01"),
        ("20260101T100000", "00010101", "2026-01-01 10:00"),
        ("next week", "20261201", ""),
        ("20269999T100000", "20261201", ""),
    ],
)
def test_when_a_meeting_is_is_read_however_it_is_given(begins: str, ends: str, shown: str) -> None:
    assert invited(meeting(DTSTART=begins, DTEND=ends)).invitation == shown


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ('"(UTC+01:00) Amsterdam, Berlin"', "(UTC+01:00) Amsterdam, Berlin"),
        ('"Customized; zone"', "Customized; zone"),
        ("Europe/Madrid;X=1", "Europe/Madrid"),
    ],
)
def test_a_zone_is_called_as_it_is_given(given: str, shown: str) -> None:
    mail = invited(meeting(**{f"DTSTART;TZID={given}": "20261201T100000"}))
    assert mail.invitation == f"2026-12-01 10:00 ({shown})"


def test_a_mail_of_a_calendar_alone_is_an_invitation() -> None:
    mail = read(INVITATION, Content_Type="text/calendar; charset=utf-8; method=REQUEST")
    assert mail.invitation.startswith("**Revisión")
    assert mail.kind is MailKind.HUMAN


def test_an_attached_calendar_is_a_file_and_nothing_else() -> None:
    kind, body = multipart(
        part("Hello"),
        part(INVITATION, "text/calendar; method=PUBLISH", Content_Disposition="attachment"),
    )
    mail = read(body, Content_Type=kind)
    assert mail.invitation == ""
    assert len(mail.attachments) == 1


def test_an_answer_to_an_invitation_is_a_machines_unless_somebody_wrote_to_it() -> None:
    assert invited(INVITATION, method="REPLY").kind is MailKind.AUTO_REPLY
    assert invited(INVITATION, "Llego tarde", method="REPLY").kind is MailKind.HUMAN


@pytest.mark.parametrize(
    "content",
    ["", "BEGIN:VEVENT", "BEGIN:VEVENT\n" * 9_000, "SUMMARY" + ";X=1" * 50_000 + ":a", "\0" * 99],
)
def test_a_broken_calendar_invites_to_nothing(content: str) -> None:
    assert invited(content, "Hello").invitation == ""


ENTITY = "Content-Type: text/plain; charset=utf-8\r\n\r\nNo puedo entrar en la nómina"


def signed(entity: str = ENTITY) -> bytes:
    """Return S/MIME's envelope of `entity`, signed by somebody."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "ana@home.example")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=1))
        .sign(key, SHA256())
    )
    builder = PKCS7SignatureBuilder().set_data(entity.encode())
    return builder.add_signer(certificate, key, SHA256()).sign(Encoding.DER, [PKCS7Options.Binary])


def enveloped(content: bytes) -> bytes:
    return raw(
        base64.encodebytes(content),
        Content_Type='application/pkcs7-mime; name="smime.p7m"',
        Content_Transfer_Encoding="base64",
    )


def indefinite(entity: str = ENTITY) -> bytes:
    """Return the same with lengths left open and content in pieces, as Outlook writes it."""
    signed_data = bytes.fromhex("06092a864886f70d010702")
    plain_data = bytes.fromhex("06092a864886f70d010701")
    content = entity.encode()
    pieces = b"".join(
        bytes([0x04, len(content[at : at + 40])]) + content[at : at + 40]
        for at in range(0, len(content), 40)
    )
    octets = b"\x24\x80" + pieces + b"\0\0"
    inner = b"\x30\x80" + plain_data + b"\xa0\x80" + octets + b"\0\0" + b"\0\0"
    digests = b"\x31\x80\x30\x80\0\0\0\0"
    data = b"\x30\x80\x02\x01\x01" + digests + inner + b"\0\0"
    return b"\x30\x80" + signed_data + b"\xa0\x80" + data + b"\0\0\0\0"


def test_what_is_signed_within_an_envelope_is_read_and_the_envelope_kept() -> None:
    for content in (signed(), indefinite()):
        mail = read_mail(enveloped(content))
        assert mail.visible == "No puedo entrar en la nómina"
        assert not mail.is_locked
        assert [file.name for file in mail.attachments] == ["smime.p7m"]


def test_an_envelope_cut_anywhere_is_no_content() -> None:
    for content in (signed(), indefinite()):
        end = content.index("nómina".encode())
        for length in range(0, end, 3):
            assert cms.signed_content(content[:length]) is None


def test_an_envelope_within_an_envelope_stays_closed() -> None:
    mail = read_mail(enveloped(signed(enveloped(signed()).decode())))
    assert mail.visible == ""
    assert len(mail.attachments) == 2


def entity(kind: str, body: bytes) -> str:
    return f"Content-Type: {kind}\r\n\r\n{body.decode()}"


def signed_meeting(words: str, method: str) -> Mail:
    kind, body = multipart(part(words), calendar(INVITATION, method), subtype="alternative")
    return read_mail(enveloped(signed(entity(kind, body))))


def test_an_invitation_in_an_envelope_is_shown() -> None:
    mail = signed_meeting("Traed el informe", "REQUEST")
    assert mail.visible == "Traed el informe"
    assert mail.invitation.startswith("**Revisión")
    assert [file.name for file in mail.attachments] == ["smime.p7m", "invite.ics"]


def test_an_answer_in_an_envelope_is_a_machines_unless_somebody_wrote_to_it() -> None:
    assert signed_meeting("", "REPLY").kind is MailKind.AUTO_REPLY
    assert signed_meeting("Llego tarde", "REPLY").kind is MailKind.HUMAN


@pytest.mark.parametrize(
    ("report", "fields", "kind"),
    [
        (
            "delivery-status",
            "Final-Recipient: rfc822;bob@x.example\nAction: failed\nStatus: 5.1.1",
            MailKind.BOUNCE,
        ),
        (
            "disposition-notification",
            "Final-Recipient: rfc822;bob@x.example\nDisposition: manual-action; displayed",
            MailKind.DELIVERY_RECEIPT,
        ),
    ],
)
def test_a_report_in_an_envelope_is_a_report(report: str, fields: str, kind: MailKind) -> None:
    reported = part(f"Reporting-MTA: dns;mx\n\n{fields}", f"message/{report}")
    form, body = multipart(part("As follows"), reported, subtype="report")
    mail = read_mail(enveloped(signed(entity(f"{form}; report-type={report}", body))))
    assert mail.kind is kind
    assert mail.bounce is not None


def test_a_mail_passed_on_in_an_envelope_is_what_is_said() -> None:
    kind, body = multipart(part(PASSED_ON, "message/rfc822"))
    mail = read_mail(enveloped(signed(entity(kind, body))))
    assert mail.forwarded is not None
    assert mail.forwarded.text == "No puedo pagar"


def signed_beside(header: str) -> bytes:
    """Return a mail whose signature stands beside what it is of, as most write it."""
    kind, body = multipart(
        header.encode() + b"\r\n" + part("I am away"),
        part(b"0\x82", "application/pkcs7-signature"),
        subtype="signed",
    )
    return raw(body, Content_Type=kind)


def below_a_footer(header: str) -> bytes:
    """Return a mail with what a list put beneath what was signed."""
    envelope = part(signed(f"{header}\r\n{ENTITY}"), "application/pkcs7-mime; name=smime.p7m")
    kind, body = multipart(envelope, part("To leave the list, write to us"))
    return raw(body, Content_Type=kind)


def as_a_mail_within(header: str) -> bytes:
    """Return a mail in the form in which RFC 8551 protects its header."""
    within = raw("I am away", **dict([header.split(": ")])).decode()
    kind = "Content-Type: message/rfc822; forwarded=no"
    return enveloped(signed(f"{kind}\r\n\r\n{within}"))


@pytest.mark.parametrize(
    ("header", "kind"),
    [
        ("Auto-Submitted: auto-replied", MailKind.AUTO_REPLY),
        ("Precedence: auto_reply", MailKind.AUTO_REPLY),
        ("Precedence: bulk", MailKind.BULK),
        ("Auto-Submitted: no", MailKind.HUMAN),
    ],
)
@pytest.mark.parametrize(
    "wrapped",
    [
        lambda header: enveloped(signed(f"{header}\r\n{ENTITY}")),
        signed_beside,
        below_a_footer,
        as_a_mail_within,
    ],
)
def test_what_a_program_says_of_its_mail_counts_within_a_signature(
    wrapped: Callable[[str], bytes], header: str, kind: MailKind
) -> None:
    assert read_mail(wrapped(header)).kind is kind


def test_a_mail_within_a_mail_without_an_end_is_read_to_a_bounded_depth() -> None:
    layer = b"Content-Type: message/rfc822; forwarded=no\r\n\r\n"
    layers = list(cms.signed_entities(take_apart(layer * 50_000, Defects())))
    assert len(layers) < 10


def test_a_machines_mail_that_somebody_passes_on_signed_is_a_persons() -> None:
    within = raw("I am away", Auto_Submitted="auto-replied").decode()
    assert read_mail(enveloped(signed(f"Content-Type: message/rfc822\r\n\r\n{within}"))).kind is (
        MailKind.HUMAN
    )


def test_many_envelopes_are_over_the_limits_of_their_mail() -> None:
    kind, parts = multipart(*[part("", "image/png")] * 400, boundary="b2")
    for content, count in ((entity(kind, parts), 3), (ENTITY, 11)):
        envelope = part(signed(content), "application/pkcs7-mime; name=smime.p7m")
        kind, body = multipart(*[envelope] * count)
        mail = read(body, Content_Type=kind)
        assert mail.is_over_limits
        assert len(mail.attachments) < MAX_FILES


@pytest.mark.parametrize(
    "content",
    [
        enveloped(bytes.fromhex("3082012606092a864886f70d010703a0820117")),
        enveloped(bytes.fromhex("30820126060b2a864886f70d0109100117a0820117")),
        raw("-----BEGIN PGP MESSAGE-----\n\nhQEMA0abc\n-----END PGP MESSAGE-----"),
        raw(
            multipart(
                part("Version: 1", "application/pgp-encrypted"),
                part("-----BEGIN PGP MESSAGE-----", "application/octet-stream"),
            )[1],
            Content_Type="multipart/encrypted; boundary=b1",
        ),
    ],
)
def test_an_encrypted_mail_says_that_it_is(content: bytes) -> None:
    assert message_of(content).unsupported == (ENCRYPTED,)


def test_a_signature_that_stands_beside_the_text_changes_nothing() -> None:
    kind, body = multipart(
        part("Hola"), part(b"0\x82", "application/pkcs7-signature"), subtype="signed"
    )
    mail = read(body, Content_Type=kind)
    assert (mail.visible, mail.is_locked) == ("Hola", False)


def test_the_frame_of_a_signed_text_is_taken_off() -> None:
    mail = read(
        "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\nNo puedo entrar.\n- - ayer\n"
        "-----BEGIN PGP SIGNATURE-----\n\niQEz\n=abcd\n-----END PGP SIGNATURE-----\n"
    )
    assert mail.visible == "No puedo entrar.\n- ayer"


@pytest.mark.parametrize(
    "head", ["", " \n", "\t", "\nHash: SHA512", "\nComment: GPG Tools\nHash: SHA256\n "]
)
def test_a_signed_text_is_whole_with_and_without_names_of_hashes(head: str) -> None:
    mail = read(
        f"-----BEGIN PGP SIGNED MESSAGE-----{head}\n\nHola:\n\nNo puedo entrar.\n"
        "-----BEGIN PGP SIGNATURE-----\n\niQEz\n=abcd\n-----END PGP SIGNATURE-----\n"
    )
    assert mail.visible == "Hola:\n\nNo puedo entrar."


@pytest.mark.parametrize(
    "text",
    [
        "-----BEGIN PGP SIGNED MESSAGE-----\nHello",
        "-----BEGIN PGP SIGNATURE-----\n\n-----BEGIN PGP SIGNED MESSAGE-----\n\nHello",
        "-----END PGP SIGNATURE-----",
        "-----BEGIN PGP SIGNED MESSAGE-----\nHello\n\nworld\n"
        "-----BEGIN PGP SIGNATURE-----\n=abcd\n-----END PGP SIGNATURE-----",
    ],
)
def test_half_a_frame_stays(text: str) -> None:
    assert read(text).text == text


PASSED_ON = "From: Bob <bob@x.example>\r\nSubject: Factura\r\n\r\nNo puedo pagar\r\n\r\n-- \r\nBob"


def test_a_mail_passed_on_as_a_file_is_what_is_said() -> None:
    kind, body = multipart(part(PASSED_ON, "message/rfc822"))
    content = raw(body, Content_Type=kind, Subject="RV: Factura")
    mail = read_mail(content)
    assert mail.forwarded is not None
    assert mail.forwarded.author is not None
    assert mail.forwarded.author.address == "bob@x.example"
    assert message_of(content).text == "No puedo pagar"


def test_a_mail_enclosed_with_words_of_ones_own_is_a_file_unless_it_is_passed_on() -> None:
    kind, body = multipart(part("Mira esto"), part(PASSED_ON, "message/rfc822"))
    assert read(body, Content_Type=kind, Subject="Facturas").forwarded is None
    content = raw(body, Content_Type=kind, Subject="RV: Factura")
    assert message_of(content).text == "Mira esto"
    assert read_mail(content).forwarded is not None


def test_of_several_mails_enclosed_none_is_the_one_passed_on() -> None:
    kind, body = multipart(*[part(PASSED_ON, "message/rfc822")] * 2)
    assert read(body, Content_Type=kind, Subject="RV: Facturas").forwarded is None
