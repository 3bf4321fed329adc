"""Pressed buttons, and how they are answered."""

from __future__ import annotations

from typing import Any

import pytest

from channels.telegram.presses import Press, answer_to, press_in
from core.domain.ids import EventKey
from core.ports import Acceptance, Refusal


def became(refusal: Refusal | None) -> list[Acceptance]:
    return [Acceptance(key=EventKey("press:7"), is_new=True, refusal=refusal)]


@pytest.mark.parametrize(
    ("update", "press"),
    [
        ({"message": {}}, None),
        ({"callback_query": "x"}, None),
        ({"callback_query": {"id": 7}}, None),
        ({"callback_query": {"id": "7", "from": []}}, Press(callback="7", language=None)),
        (
            {"callback_query": {"id": "7", "from": {"language_code": "es"}}},
            Press(callback="7", language="es"),
        ),
    ],
)
def test_a_pressed_button_is_found_in_any_update(update: dict[str, Any], press: object) -> None:
    assert press_in(update) == press


def test_a_press_that_is_taken_is_answered_without_words() -> None:
    press = Press(callback="7", language="es")
    assert answer_to(press, became(None), "en") == {"callback_query_id": "7"}


@pytest.mark.parametrize(
    ("language", "default", "words"),
    [
        ("es-MX", "en", "Esto ya se respondió. Escríbanos si necesita algo más."),
        ("pt_BR", "es", "Esto ya se respondió. Escríbanos si necesita algo más."),
        (None, "en", "This was answered already. Write to us if you need anything else."),
    ],
)
def test_who_presses_too_late_is_told_in_their_language(
    language: str | None, default: str, words: str
) -> None:
    press = Press(callback="7", language=language)
    assert answer_to(press, became(Refusal.ALREADY_CHOSEN), default)["text"] == words


@pytest.mark.parametrize("refusal", [Refusal.ALREADY_CHOSEN, Refusal.UNKNOWN_CHOICE])
@pytest.mark.parametrize("language", ["en", "es"])
def test_what_is_told_is_as_short_as_telegram_wants_it(refusal: Refusal, language: str) -> None:
    words = answer_to(Press(callback="7", language=language), became(refusal), "en")["text"]
    assert 0 < len(words) <= 200
