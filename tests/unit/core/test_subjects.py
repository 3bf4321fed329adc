from __future__ import annotations

import pytest

from core.services.tickets.handoff import SUBJECT_CHARS, subject_from


@pytest.mark.parametrize(
    ("words", "subject"),
    [
        ("My **printer** is `offline`", "My printer is offline"),
        ("It says:\n- error 809\n- timeout", "It says: error 809 timeout"),
        ("# Help\n\n> quoted", "Help quoted"),
        ("anti-virus in snake_case", "anti-virus in snake_case"),
        ("  \n ", "?"),
        ("x" * 500, "x" * SUBJECT_CHARS),
    ],
)
def test_a_subject_is_one_plain_line(words: str, subject: str) -> None:
    assert subject_from(words) == subject
