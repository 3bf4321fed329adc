"""Text becomes comparable without losing anything a search needs."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from core.services.knowledge.plaintext import blocks, folded, split, storable

ANY_TEXT = st.text(st.characters())  # halves of surrogate pairs included


def test_accents_and_case_do_not_matter() -> None:
    assert folded("¿Olvidó su CONTRASEÑA?") == folded("¿olvido su contrasena?")


@given(ANY_TEXT)
def test_whatever_comes_can_be_stored(text: str) -> None:
    stored = folded(text)
    assert "\0" not in stored
    stored.encode()


@given(ANY_TEXT)
def test_storable_text_is_left_alone(text: str) -> None:
    assert storable(storable(text)) == storable(text)


def test_markdown_is_read_without_its_marks() -> None:
    body = "Open **Settings**:\n\n1. Choose [Accounts](https://example.org/a)\n2. Type `reset`\n"
    assert list(blocks(body)) == ["Open Settings:", "Choose Accounts", "Type reset"]


def test_short_paragraphs_share_a_piece() -> None:
    assert split("One.\n\nTwo.\n\nThree.", max_chars=9) == ["One. Two.", "Three."]


@given(st.text(alphabet="ab .!\n", max_size=400), st.integers(5, 60))
def test_no_piece_is_longer_than_allowed_and_no_word_is_lost(text: str, max_chars: int) -> None:
    pieces = split(text, max_chars=max_chars)
    assert all(0 < len(piece) <= max_chars for piece in pieces)
    letters = "".join("".join(blocks(text)).split())
    assert "".join("".join(pieces).split()) == letters
