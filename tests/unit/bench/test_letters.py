"""The mails that the measurement of the mail intake hands in."""

from __future__ import annotations

from email import message_from_bytes
from email.policy import default

from bench.channels.letters import letters

_TO = "help@desk.example"


def test_no_two_mails_are_the_same() -> None:
    written = letters(200, _TO)
    assert len(set(written)) == 200
    assert len({message_from_bytes(raw)["Message-ID"] for raw in written}) == 200


def test_all_forms_of_mail_are_among_them() -> None:
    mails = [message_from_bytes(raw, policy=default) for raw in letters(200, _TO)]
    assert sum(mail.get_content_type() == "multipart/alternative" for mail in mails) == 80
    assert sum(mail.get_content_type() == "multipart/mixed" for mail in mails) == 20
    assert sum("In-Reply-To" in mail for mail in mails) == 10


def test_an_answer_names_a_mail_of_the_same_person() -> None:
    mails = [message_from_bytes(raw, policy=default) for raw in letters(200, _TO)]
    senders = {mail["Message-ID"]: mail["From"] for mail in mails}
    answers = [mail for mail in mails if "In-Reply-To" in mail]
    assert all(senders[mail["In-Reply-To"]] == mail["From"] for mail in answers)
