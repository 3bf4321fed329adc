"""What IMAP servers answer, with what they add unasked."""

from __future__ import annotations

from aioimaplib import Response

from channels.email.imap_answers import contents, listed

_FLAGGED = b"2 FETCH (UID 2 FLAGS (\\Seen \\Recent))"
_DONE = b"Fetch completed (0.001 + 0.000 secs)."


def test_a_mail_that_somebody_flags_while_it_is_loaded_keeps_its_content() -> None:
    lines = [
        _FLAGGED,
        b"2 FETCH (UID 2 BODY[] {5}",
        bytearray(b"hello"),
        b")",
        _FLAGGED,
        b"3 FETCH (UID 3 BODY[] {3}",
        bytearray(b"you"),
        b")",
        b"9 EXISTS",
        _DONE,
    ]
    assert contents(Response("OK", lines)) == {2: b"hello", 3: b"you"}


def test_a_mail_that_is_gone_has_no_content_whatever_is_said_of_it() -> None:
    assert contents(Response("OK", [_FLAGGED, _DONE])) == {}


def test_a_mail_that_somebody_flags_while_it_is_listed_keeps_its_size() -> None:
    described = b'2 FETCH (UID 2 RFC822.SIZE 512 INTERNALDATE "17-Jul-1996 02:44:25 -0700")'
    found = listed(Response("OK", [_FLAGGED, described, _FLAGGED, _DONE]))
    assert [mail.size_bytes for mail in found.values()] == [512]
