from __future__ import annotations

from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.email.headers import one_line, reply_subject
from channels.email.reading.read import read_mail
from channels.email.render import EnclosedFile, Letter, render
from core.domain.channel import Outbound
from core.domain.content import Body, Choice, Envelope, FileRef, Intent
from core.domain.conversation import Speaker
from core.domain.errors import Rejected
from core.domain.ids import Address, ChoiceId, RemoteId, ThreadKey, new_id
from tests.unit.email.transport.builders import (
    ANA,
    DESK,
    NOW,
    THREAD,
    outbound,
    settings,
    tokens,
)


def letter(message: Outbound, *files: EnclosedFile, **changes: Any) -> Letter:
    return render(message, settings(**changes), tokens(), files, NOW)


def read(found: Letter) -> EmailMessage:
    parsed = message_from_bytes(found.content, policy=default)
    assert isinstance(parsed, EmailMessage)
    return parsed


def text_of(found: Letter) -> str:
    body = read(found).get_body(("plain",))
    assert body is not None
    return "\n".join(str(body.get_content()).splitlines()).strip()


def html_of(found: Letter) -> str:
    body = read(found).get_body(("html",))
    assert body is not None
    return str(body.get_content())


def test_an_agents_words_go_to_the_requester_as_text_and_as_html() -> None:
    found = letter(outbound("Try **this**: https://desk.example/help.\n\n1. one\n2. two"))
    mail = read(found)
    assert mail["To"] == ANA
    assert mail["From"] == DESK
    assert mail["Subject"] == "Re: Printer"
    assert text_of(found) == "Try this: https://desk.example/help.\n\n1. one\n2. two"
    assert '<a href="https://desk.example/help">' in html_of(found)
    assert "<strong>this</strong>" in html_of(found)
    assert mail["Auto-Submitted"] is None


def test_the_same_message_always_has_the_same_name() -> None:
    assert letter(outbound()).message_id == letter(outbound("changed")).message_id


def test_it_answers_the_last_mail_and_names_the_thread() -> None:
    ids = tuple(RemoteId(f"{'long' * 15}.{number}@people.example") for number in range(30))
    mail = read(letter(outbound(thread_ids=ids, answers=ids[-2])))
    assert mail["In-Reply-To"] == f"<{ids[-2]}>"
    named = str(mail["References"]).split()
    assert named[0] == f"<{ids[0]}>"
    assert named[-1] == f"<{ids[-2]}>"
    assert len(named) == 20
    assert b"=?" not in letter(outbound(thread_ids=ids)).content.partition(b"\r\n\r\n")[0]


def test_names_that_cannot_stand_in_a_header_are_left_out() -> None:
    ids = (RemoteId("evil\r\nBcc: eve@else.example"), RemoteId("été@x"), RemoteId("good@x"))
    mail = read(letter(outbound(thread_ids=ids, answers=ids[0])))
    assert mail["Bcc"] is None
    assert mail["References"] == "<good@x>"


@pytest.mark.parametrize("speaker", [Speaker.BOT, Speaker.SYSTEM])
def test_a_machines_words_say_so_and_go_to_nobody_else(speaker: Speaker) -> None:
    found = letter(outbound(speaker=speaker, participants=(Address("bob@people.example"),)))
    mail = read(found)
    assert mail["Auto-Submitted"] == "auto-replied"
    assert mail["X-Auto-Response-Suppress"] == "All"
    assert tokens().is_loop_mark(mail["X-Ventanilla-Loop"])
    assert found.to == (ANA,)
    assert found.copies == ()


@pytest.mark.parametrize(
    ("language", "greeting", "person"),
    [("en", "Hello,", "a person will read it."), ("es", "Hola:", "lo leerá una persona.")],
)
def test_the_assistant_greets_and_says_how_to_reach_a_person(
    language: str, greeting: str, person: str
) -> None:
    text = text_of(letter(outbound("The answer.", speaker=Speaker.BOT, language=language)))
    assert text.startswith(f"{greeting}\n\nThe answer.")
    assert text.endswith(person)


def test_choices_are_a_numbered_list() -> None:
    choices = tuple(
        Choice(id=ChoiceId(new_id()), label=label, intent=Intent(name="x"))
        for label in ("Reset *it*", "Call us")
    )
    text = text_of(letter(outbound("Which?", speaker=Speaker.BOT, choices=choices)))
    assert "Reply with the number that fits:\n\n1. Reset *it*\n2. Call us" in text


def test_everybody_in_the_thread_gets_an_agents_answer() -> None:
    bob = Address("bob@people.example")
    message = outbound(participants=(bob, Address(ANA), Address("HELP@desk.example")))
    assert letter(message).copies == (bob,)
    assert read(letter(message))["Cc"] == bob
    assert letter(message, reply_all=False).copies == ()


def test_the_agents_own_addressing_counts() -> None:
    envelope = Envelope(
        to=(Address("carol@x.example"),), bcc=(Address("dan@x.example"),), subject="New subject"
    )
    found = letter(outbound(envelope=envelope))
    mail = read(found)
    assert (mail["To"], mail["Subject"], mail["Bcc"]) == ("carol@x.example", "New subject", None)
    assert found.copies == ("dan@x.example",)


@pytest.mark.parametrize(
    "address", ["", "(unknown)", "no at", "a@b\r\nBcc: c@d", "a b@c.example", "<a@b.example>"]
)
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(Rejected):
        letter(outbound(requester=Address(address) if address else None))


def test_templates_stand_around_the_words_in_the_requesters_language() -> None:
    changes = {
        "header_es": "**Soporte**",
        "footer_es": "Horario: 9 a 17",
        "signature_es": "Saludos,\n{agent}",
        "header_en": "Support",
    }
    found = letter(outbound("Listo.", language="es", speaker_name="Ana_1"), **changes)
    assert text_of(found) == "Soporte\n\nListo.\n\nSaludos,\nAna_1\n\nHorario: 9 a 17"


def test_what_is_answered_is_repeated_where_that_is_set() -> None:
    message = outbound(body=Body(text="Yes.", quoted="Is it\nopen?"))
    assert text_of(letter(message)) == "Yes."
    text = text_of(letter(message, quote_last=True))
    assert text == "Yes.\n\nYou wrote:\n> Is it\n> open?"


def test_a_reply_to_what_the_desk_writes_is_read_without_the_quotation() -> None:
    sent = letter(outbound("Yes."), plus_addressing=True)
    reply_to = read_mail(sent.content).reply_to[0].address
    assert tokens().thread_in([reply_to]) == THREAD


def test_where_the_mailbox_has_no_plus_there_is_no_reply_to() -> None:
    assert read(letter(outbound()))["Reply-To"] is None


def test_pictures_are_within_and_files_beside_the_text() -> None:
    picture = FileRef(
        name="a.png", media_type="image/png", remote="k", content_id="c1", is_inline=True
    )
    report = FileRef(name="../é\r\nx.pdf", media_type="application/pdf", remote="k")
    found = letter(
        outbound("Look: ![screen](cid:c1) ![spy](https://else.example/p.png)"),
        EnclosedFile(file=picture, content=b"png"),
        EnclosedFile(file=report, content=b"pdf"),
    )
    html = html_of(found)
    assert 'src="cid:c1"' in html
    assert "else.example/p.png" not in html
    attached = list(read(found).iter_attachments())
    assert [part.get_filename() for part in attached] == [".._é x.pdf"]
    again = read_mail(found.content)
    assert {file.name: file.is_inline for file in again.attachments}["a.png"]


def test_a_mail_is_never_enclosed_as_a_mail() -> None:
    file = FileRef(name="a.eml", media_type="message/rfc822", remote="k")
    found = letter(outbound(), EnclosedFile(file=file, content=b"Subject: x\r\n\r\ny"))
    (attached,) = read(found).iter_attachments()
    assert attached.get_content_type() == "application/octet-stream"
    assert attached.get_payload(decode=True) == b"Subject: x\r\n\r\ny"


@pytest.mark.parametrize(
    ("speaker", "link", "headers"),
    [
        (Speaker.SYSTEM, "mailto:leave@desk.example", ("<mailto:leave@desk.example>", None)),
        (
            Speaker.SYSTEM,
            "https://desk.example/leave",
            ("<https://desk.example/leave>", "List-Unsubscribe=One-Click"),
        ),
        (Speaker.SYSTEM, "", (None, None)),
        (Speaker.BOT, "https://desk.example/leave", (None, None)),
        (Speaker.AGENT, "https://desk.example/leave", (None, None)),
    ],
)
def test_notices_say_where_to_leave_them(
    speaker: Speaker, link: str, headers: tuple[str | None, str | None]
) -> None:
    mail = read(letter(outbound("It is solved", speaker=speaker), unsubscribe=link))
    assert (mail["List-Unsubscribe"], mail["List-Unsubscribe-Post"]) == headers


def test_markup_in_the_words_stays_words() -> None:
    html = html_of(letter(outbound("<script>alert(1)</script> [x](javascript:alert(1))")))
    assert "<script" not in html
    assert 'href="javascript' not in html


def test_lines_are_short_and_end_as_they_must() -> None:
    content = letter(outbound("word " * 4_000 + "ñ" * 2_000)).content
    lines = content.split(b"\r\n")
    assert max(map(len, lines)) <= 998
    assert b"\n" not in b"".join(lines)
    assert content.isascii()


@given(st.text(max_size=60), st.text(max_size=60))
def test_nothing_that_is_said_becomes_a_header(subject: str, name: str) -> None:
    message = outbound("Hello", subject=subject, speaker_name=name, thread=ThreadKey(f"x{name}"))
    found = letter(message, name="Help\tdesk".replace("\t", " "))
    allowed = {
        *("message-id", "x-ventanilla-loop", "from", "to", "subject", "date"),
        *("content-language", "mime-version", "content-type"),
    }
    assert {key.lower() for key in read(found)} <= allowed
    assert one_line(subject) == one_line(one_line(subject))


@pytest.mark.parametrize(
    ("subject", "reply"),
    [
        ("Printer", "Re: Printer"),
        ("RE: Re: AW: Printer", "Re: Printer"),
        ("Re[2]: Printer", "Re: Printer"),
        ("Regarding: Printer", "Re: Regarding: Printer"),
        ("two\r\nlines", "Re: two lines"),
        ("", "Your message"),
        (None, "Your message"),
    ],
)
def test_the_subject_of_an_answer_has_one_re(subject: str | None, reply: str) -> None:
    assert reply_subject(subject, "Your message") == reply
