"""Names of files are shown as what they are, and refusals are kept and read again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.files import FileRefusal, Refused, ending_of, plain_name, refusal_of


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("report.pdf", "report.pdf"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\Ada\\a.txt", "a.txt"),
        ("invoice\u202efdp.exe", "invoicefdp.exe"),
        ("a\r\nb\x00.txt", "ab.txt"),
        ("", "file"),
        ("...", "file"),
        ("año nuevo.pdf", "año nuevo.pdf"),
    ],
)
def test_a_name_is_plain(name: str, shown: str) -> None:
    assert plain_name(name) == shown


@given(st.text())
def test_every_name_comes_to_something_short(name: str) -> None:
    assert 1 <= len(plain_name(name)) <= 180
    assert "/" not in plain_name(name)


def test_a_long_name_keeps_its_ending() -> None:
    assert plain_name("a" * 500 + ".pdf").endswith("a.pdf")


@pytest.mark.parametrize(("name", "ending"), [("a.PDF", "pdf"), ("a", ""), ("a.tar.gz", "gz")])
def test_an_ending_is_what_follows_the_last_dot(name: str, ending: str) -> None:
    assert ending_of(name) == ending


@pytest.mark.parametrize("detail", ["", "Eicar-Test: Signature"])
def test_a_refusal_can_be_read_again(detail: str) -> None:
    refused = Refused(reason=FileRefusal.INFECTED, detail=detail)
    assert refusal_of(str(refused)) == refused
