"""Entries of the audit log are shown in words."""

from __future__ import annotations

import pytest

from console.audit_table import recorded

NOTHING = "\N{EN DASH}"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, NOTHING),
        ("", NOTHING),
        ({}, NOTHING),
        ([], NOTHING),
        (0, "0"),
        (False, "false"),
        ("open", "open"),
        (["vip", "es"], "vip, es"),
        ({"es": "Acceso", "en": None}, "es: Acceso"),
        ({"es": ""}, NOTHING),
        (
            [{"title": "Order it", "team": None}, {"title": "Send it", "labels": {"es": "Enviar"}}],
            "title: Order it; title: Send it, labels: es: Enviar",
        ),
    ],
)
def test_a_value_is_shown_without_marks_of_a_program(value: object, shown: str) -> None:
    assert recorded(value) == shown
