from __future__ import annotations

from channels.email.reading.mail import MailAddress
from channels.email.threading import key_of, trail_of
from tests.unit.email.transport.builders import MESSAGE, THREAD, mail, tokens


def test_a_copy_by_another_way_has_the_same_key() -> None:
    through_a_relay = b"Received: from somewhere\r\nSubject: Printer\r\n\r\nHello.\r\n"
    assert key_of(mail(), b"Subject: Printer\n\nHello.\n") == key_of(mail(), through_a_relay)


def test_another_mail_with_the_same_message_id_has_another_key() -> None:
    assert key_of(mail(), b"A: b\n\nHello.") != key_of(mail(), b"A: b\n\nGoodbye.")
    assert key_of(mail(), b"A: b\n\nHello.") != key_of(mail(subject="Mouse"), b"A: b\n\nHello.")


def test_mails_that_say_nothing_of_themselves_differ_by_their_bytes() -> None:
    silent = mail(author=None, date=None, message_id=None)
    assert key_of(silent, b"one") != key_of(silent, b"two")
    assert key_of(silent, b"one") == key_of(silent, b"one")


def test_a_token_in_any_recipient_decides() -> None:
    address = str(tokens().reply_address(THREAD))
    for found in (
        mail(cc=(MailAddress(address=address),)),
        mail(headers=(("delivered-to", address),)),
        mail(headers=(("x-original-to", f"<{address}>"),)),
    ):
        assert trail_of(found, b"", tokens()).signed == THREAD


def test_a_message_id_of_ours_among_the_references_decides() -> None:
    ours = f"<{tokens().message_id(THREAD, MESSAGE)}>"
    trail = trail_of(mail(references=("<0@x>", ours), in_reply_to=("<9@x>",)), b"", tokens())
    assert trail.signed == THREAD


def test_what_is_answered_is_named_nearest_first() -> None:
    trail = trail_of(
        mail(references=("<1@x>", "<2@x>", "<3@x>"), in_reply_to=("<3@x>",)), b"", tokens()
    )
    assert trail.named == ("3@x", "2@x", "1@x")


def test_an_answer_that_comes_before_its_beginning_meets_it() -> None:
    first = trail_of(mail(message_id="<1@x>"), b"", tokens())
    answer = trail_of(mail(message_id="<2@x>", references=("<1@x>",)), b"", tokens())
    assert answer.root == first.root


def test_whoever_only_names_a_message_of_somebody_else_is_not_let_in() -> None:
    first = trail_of(mail(message_id="<1@x>"), b"", tokens())
    stranger = mail(
        author=MailAddress(address="eve@else.example"), message_id="<2@x>", references=("<1@x>",)
    )
    assert trail_of(stranger, b"", tokens()).root != first.root


def test_the_subject_never_decides() -> None:
    one = trail_of(mail(message_id="<1@x>", subject="Re: Ticket #12"), b"", tokens())
    two = trail_of(mail(message_id="<2@x>", subject="Re: Ticket #12"), b"", tokens())
    assert one.signed is two.signed is None
    assert one.root != two.root
