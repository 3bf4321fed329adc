"""What the console says of what it cannot show."""

from __future__ import annotations

from functools import partial

from channels.email.parse import ENCRYPTED
from console.texts import translate
from console.words.contents import CONTENT, content_in_words, reaction_in_words

_IN_SPANISH = partial(translate, "es")


def test_what_cannot_be_shown_is_named_in_the_agents_language() -> None:
    assert content_in_words("poll", _IN_SPANISH) == "encuesta"
    assert content_in_words(ENCRYPTED, _IN_SPANISH).startswith("correo cifrado")


def test_who_wrote_what_was_forwarded_is_named() -> None:
    assert content_in_words("forwarded from Ana {x}", _IN_SPANISH) == "reenviado de Ana {x}"


def test_a_kind_that_nobody_has_words_for_is_shown_as_it_is() -> None:
    assert "hologram" not in CONTENT
    assert content_in_words("hologram", _IN_SPANISH) == "hologram"


def test_a_reaction_that_only_its_platform_can_show_is_named() -> None:
    assert reaction_in_words("👍", _IN_SPANISH) == "👍"
    assert reaction_in_words("custom:5368324170671202286", _IN_SPANISH) == "emoji personalizado"
