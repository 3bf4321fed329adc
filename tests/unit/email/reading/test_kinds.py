"""Who sent a mail: people, programs, mail servers; and who vouches for it."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from channels.email.reading.mail import Mail, MailKind
from channels.email.reading.read import read_mail
from tests.unit.email.reading.builders import multipart, part, raw, read


@pytest.mark.parametrize(
    "headers",
    [
        {"Subject": "Where is my parcel?"},
        {"X-Auto-Response-Suppress": "All"},  # Exchange writes it on what people send
        {"Auto-Submitted": "no"},
        {"Subject": "Re: Automatic reply: Holidays"},
        {"Subject": "Out of office chairs, please help"},
        {"Subject": "Re: Undelivered Mail Returned to Sender"},
        {"Subject": "Fwd: Mail delivery failed: returning message to sender"},
        {"Subject": "Mail delivery failed when I wrote to bob@home.example"},
        {"X-Spam-Status": "No, score=-1.9"},
        {"Precedence": "first-class"},
        {"From": "noreply@form.example", "Reply-To": "ana@home.example"},
    ],
)
def test_people_write(headers: dict[str, str]) -> None:
    assert read("550 5.1.1 <bob@home.example>: unknown", **headers).kind is MailKind.HUMAN


@pytest.mark.parametrize(
    "headers",
    [
        {"Auto-Submitted": "auto-replied"},
        {"Auto-Submitted": "auto-replied (vacation)"},
        {"X-Autoreply": "yes"},
        {"X-Autorespond": "I am away"},
        {"Precedence": "auto_reply"},
        {"Return-Path": "<>"},
        {"X-POST-MessageClass": "9; Autoresponder"},
        {"From": "auto-reply@home.example"},
        *(
            {"Subject": subject}
            for subject in (
                "Automatic reply: Your parcel",
                "Auto: Re: Your parcel",
                "Out of Office",
                "Out of office: back on Monday",
                "Fuera de la oficina",
                "Respuesta automática: Su paquete",
                "Resposta automática: Encomenda",
                "Réponse automatique : Votre colis",
                "Automatische Antwort: Ihr Paket",
                "Abwesenheitsnotiz: Paket",
                "Risposta automatica: pacco",
                "Automatisch antwoord: pakket",
                "Automatyczna odpowiedź: paczka",
                "Автоответ: посылка",
                "Autosvar: Paket",
                "Automaattinen vastaus: paketti",
                "自动回复: 包裹",
                "自動返信: 荷物",
            )
        ),
    ],
)
def test_programs_answer(headers: dict[str, str]) -> None:
    assert read(**headers).kind is MailKind.AUTO_REPLY


@pytest.mark.parametrize(
    "headers",
    [
        {"List-Id": "<news.shop.example>"},
        {"List-Unsubscribe": "<mailto:u@shop.example>"},
        {"Precedence": "bulk"},
        {"Feedback-ID": "1:2:3"},
    ],
)
def test_lists_and_campaigns_are_bulk(headers: dict[str, str]) -> None:
    assert read(**headers).kind is MailKind.BULK


def test_a_list_that_is_the_desks_own_address_is_no_bulk() -> None:
    content = raw(List_Id="<desk.shop.example>", Precedence="list")
    assert read_mail(content, own_addresses=["desk@shop.example"]).kind is MailKind.HUMAN


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Spam-Flag": "YES"},
        {"X-Spam-Status": "Yes, score=9"},
        {"X-Spam": "Yes"},
        {"X-MS-Exchange-Organization-SCL": "6"},
        {"X-Forefront-Antispam-Report": "CIP:1.2.3.4;SFV:SPM;SCL:5"},
        {"X-Rspamd-Action": "add header"},
        {"Subject": "***SPAM*** win"},
    ],
)
def test_the_relay_says_spam(headers: dict[str, str]) -> None:
    assert read(**headers, List_Id="<x>").kind is MailKind.SPAM


def report(
    status: str, returned: str = "Message-ID: <m1@shop.example>\nReferences: <m0@shop.example>"
) -> Mail:
    kind, body = multipart(
        part("Your mail did not arrive."),
        part(f"Reporting-MTA: dns; mx.example\n\n{status}\n", "message/delivery-status"),
        part(returned, "text/rfc822-headers"),
        subtype="report; report-type=delivery-status",
    )
    return read(
        body,
        Content_Type=kind,
        From="MAILER-DAEMON@mx.example",
        Return_Path="<>",
        Subject="Undelivered Mail Returned to Sender",
    )


def test_a_failed_delivery_names_address_status_and_mail() -> None:
    mail = report(
        "Final-Recipient: rfc822; bob@home.example\nAction: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550 5.1.1 no such\n user"
    )
    assert mail.kind is MailKind.BOUNCE
    assert mail.bounce is not None
    (failed,) = mail.bounce.recipients
    assert (failed.address, failed.status, failed.is_permanent) == (
        "bob@home.example",
        "5.1.1",
        True,
    )
    assert failed.detail == "smtp; 550 5.1.1 no such user"
    assert mail.bounce.original_ids == ("<m1@shop.example>", "<m0@shop.example>")


def test_a_delay_is_temporary() -> None:
    mail = report("Final-Recipient: rfc822; bob@home.example\nAction: delayed\nStatus: 4.4.1")
    assert mail.bounce is not None
    assert [(one.is_permanent, one.is_delayed) for one in mail.bounce.recipients] == [(False, True)]


def test_a_mailbox_that_was_full_for_too_long_is_no_delay() -> None:
    mail = report("Final-Recipient: rfc822; bob@home.example\nAction: failed\nStatus: 4.2.2")
    assert mail.bounce is not None
    assert [(one.is_permanent, one.is_delayed) for one in mail.bounce.recipients] == [(True, False)]


def test_several_recipients_are_told_apart() -> None:
    mail = report(
        "Final-Recipient: rfc822; a@home.example\nAction: failed\nStatus: 5.1.1\n\n"
        "Final-Recipient: rfc822; b@home.example\nAction: delivered\nStatus: 2.0.0\n\n"
        "Final-Recipient: rfc822; c@home.example\nAction: delayed\nStatus: 4.2.2"
    )
    assert mail.bounce is not None
    assert {one.address: one.is_permanent for one in mail.bounce.recipients} == {
        "a@home.example": True,
        "c@home.example": False,
    }
    assert mail.bounce.delivered_to == ("b@home.example",)


def test_a_done_delivery_is_a_receipt() -> None:
    mail = report("Final-Recipient: rfc822; bob@home.example\nAction: delivered\nStatus: 2.0.0")
    assert mail.kind is MailKind.DELIVERY_RECEIPT
    assert mail.bounce is not None
    assert (mail.bounce.recipients, mail.bounce.delivered_to) == ((), ("bob@home.example",))


def test_an_opened_mail_is_a_receipt() -> None:
    status = "Final-Recipient: rfc822; bob@home.example\nOriginal-Message-ID: <m1@shop.example>\nDisposition: manual-action/MDN-sent-manually; displayed\n"
    kind, body = multipart(
        part("Opened."),
        part(status, "message/disposition-notification"),
        subtype="report; report-type=disposition-notification",
    )
    mail = read(body, Content_Type=kind, Subject="Read: Parcel")
    assert mail.kind is MailKind.DELIVERY_RECEIPT
    assert mail.bounce is not None
    assert mail.bounce.original_ids == ("<m1@shop.example>",)


def test_a_complaint_is_a_feedback_report() -> None:
    kind, body = multipart(
        part("Spam!"),
        part("Feedback-Type: abuse\n", "message/feedback-report"),
        subtype="report; report-type=feedback-report",
    )
    assert read(body, Content_Type=kind).kind is MailKind.FEEDBACK_REPORT


@pytest.mark.parametrize(
    ("text", "is_permanent", "is_delayed"),
    [
        (
            "Your message to bob@home.example couldn't be delivered.\n\nbob wasn't found at home.example.",
            True,
            False,
        ),
        (
            "No se pudo entregar su mensaje a:\n\n  bob@home.example\n\n550 5.1.1 usuario desconocido",
            True,
            False,
        ),
        (
            "El buzón de bob@home.example está lleno: 452 4.2.2 mailbox full",
            False,
            False,
        ),
        (
            "Ihre Nachricht an bob@home.example konnte noch nicht zugestellt werden.\n452 4.2.2 Mailbox full",
            False,
            True,
        ),
        (
            "Delivery to bob@home.example has been delayed. We will continue to try for 2 days.",
            False,
            True,
        ),
    ],
)
def test_a_bounce_of_no_standard_form_is_understood(
    text: str, is_permanent: bool, is_delayed: bool
) -> None:
    mail = read(
        text,
        From="Mail Delivery System <MAILER-DAEMON@mx.example>",
        Return_Path="<>",
        Subject="Delivery Status Notification",
    )
    assert mail.kind is MailKind.BOUNCE
    assert mail.bounce is not None
    (failed,) = mail.bounce.recipients
    assert failed.address == "bob@home.example"
    assert (failed.is_permanent, failed.is_delayed) == (is_permanent, is_delayed)


RESULTS = "mx.shop.example; dkim=pass header.d=home.example; spf=pass smtp.mailfrom=home.example; dmarc=pass header.from=home.example"


def trusted(*headers: str, author: str = "ana@home.example", received: bool = True) -> Mail:
    lines = [f"Authentication-Results: {one}" for one in headers]
    content = "\r\n".join(
        [*lines, *(["Received: from x by mx.shop.example"] if received else [])]
    ).encode()
    return read_mail(content + b"\r\n" + raw(From=author), trusted_authserv_ids=["mx.shop.example"])


FORGED = "mx.shop.example; dmarc=pass header.from=home.example"


def below(*headers: str) -> Mail:
    """Return a mail of a relay that writes what it found below its own Received."""
    lines = [
        one if one.startswith("Subject:") else f"Authentication-Results: {one}" for one in headers
    ]
    content = "\r\n".join(["Received: from x by mx.shop.example", *lines]).encode()
    mail = content + b"\r\n" + raw(From="ana@home.example")
    return read_mail(mail, trusted_authserv_ids=["mx.shop.example"])


@pytest.mark.parametrize(
    "headers",
    [
        (RESULTS,),
        (
            "mx.shop.example; dmarc=pass header.from=home.example",
            "mx.shop.example; spf=softfail smtp.mailfrom=lists.example",
            "mx.shop.example; dkim=pass header.d=mail.home.example",
        ),
        ("mx.shop.example; dmarc=pass header.from=home.example",),
    ],
    ids=["one header", "one of each filter", "nothing but DMARC"],
)
def test_a_relay_may_write_above_or_below_its_own_received(headers: Sequence[str]) -> None:
    assert trusted(*headers).authentication.is_verified
    assert below(*headers).authentication.is_verified


def test_a_sender_the_relay_vouches_for_is_verified() -> None:
    found = trusted(RESULTS).authentication
    assert (found.spf, found.dkim, found.dmarc, found.is_verified) == ("pass", "pass", "pass", True)


@pytest.mark.parametrize(
    "mail",
    [
        trusted(RESULTS.replace("mx.shop", "mx.evil")),
        trusted(RESULTS, author="ana@bank.example"),
        trusted(
            "mx.shop.example; dmarc=fail header.from=home.example; dkim=pass header.d=home.example"
        ),
        trusted("mx.shop.example; spf=pass smtp.mailfrom=evil.example"),
        trusted("mx.shop.example; spf=none; dkim=none (dmarc=pass header.from=home.example)"),
        trusted(
            "mx.shop.example; dmarc=pass header.from=home.example",
            author="ana@home.example, eve@evil.example",
        ),
        read_mail(raw(Received="from x by mx", Authentication_Results=RESULTS)),
        trusted("mx.shop.example; spf=pass smtp.mailfrom=evil.example", FORGED),
        trusted("mx.shop.example; spf=fail smtp.mailfrom=home.example; dkim=none", RESULTS),
        below("mx.shop.example; spf=pass smtp.mailfrom=evil.example", FORGED),
        below("Subject: Hello", RESULTS),
    ],
    ids=[
        "another relay",
        "another author",
        "dmarc failed",
        "another domain",
        "in a comment",
        "two authors",
        "nobody trusted",
        "not borne out",
        "said otherwise above",
        "not borne out, below",
        "among the sender's own headers",
    ],
)
def test_others_are_not_verified(mail: Mail) -> None:
    assert not mail.authentication.is_verified


def test_results_below_where_the_relay_writes_are_forged() -> None:
    content = f"Authentication-Results: mx.shop.example; spf=fail\r\nReceived: from x\r\nAuthentication-Results: {RESULTS}\r\n"
    mail = read_mail(content.encode() + raw(), trusted_authserv_ids=["mx.shop.example"])
    assert (mail.authentication.dmarc, mail.authentication.is_verified) == (None, False)


@pytest.mark.parametrize(
    ("author", "defect"),
    [
        ("Desk <desk@pаypal.example>", "sender's domain mixes scripts"),
        ("Desk <desk@xn--pypal-4ve.example>", "sender's domain mixes scripts"),
        ('"desk@bank.example" <eve@evil.example>', "sender's name is another address"),
    ],
)
def test_disguised_senders_are_noticed(author: str, defect: str) -> None:
    assert defect in read(From=author).defects


def test_the_first_author_of_a_forward_is_offered() -> None:
    mail = read(
        "FYI\n\n---------- Forwarded message ---------\nFrom: Bob Lee <bob@home.example>\nDate: Mon, 3 Mar 2025\nSubject: Lamp\nTo: <ana@home.example>\n\nIt is broken.",
        Subject="Fwd: Lamp",
    )
    assert mail.forwarded is not None
    assert mail.forwarded.author is not None
    assert (mail.forwarded.author.address, mail.forwarded.subject, mail.forwarded.text) == (
        "bob@home.example",
        "Lamp",
        "It is broken.",
    )
