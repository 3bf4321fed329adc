"""What people write about linking an e-mail address is understood, and nothing else is."""

from __future__ import annotations

import pytest

from channels.slack import mrkdwn
from core.domain.linking import LINK, code_in, digest_of, is_code, masked, wish_in
from core.services.linking.asking import HOW
from core.texts import text


@pytest.mark.parametrize(
    ("words", "email"),
    [
        ("/link Ada@Example.org", "ada@example.org"),
        ("link ada@example.org", "ada@example.org"),
        ("link my e-mail ada@example.org", "ada@example.org"),
        ("  Link my email address  ", None),
        ("/link", None),
        ("/vincular ada@example.org", "ada@example.org"),
        ("Vincular mi correo electrónico ada@example.org", "ada@example.org"),
        ("vincular mi correo.", None),
        ("link [ada@example.org](mailto:ada@example.org)", "ada@example.org"),
        ("/link [Ada@Example.org](mailto:ada@example.org)", "ada@example.org"),
        ("link my e-mail [ada@example.org](mailto:ada@example.org)", "ada@example.org"),
        ("vincular <mailto:ada@example.org>", "ada@example.org"),
    ],
)
def test_a_wish_is_understood_in_both_languages(words: str, email: str | None) -> None:
    wish = wish_in(words)
    assert wish is not None
    assert (wish.name, wish.entities.get("email")) == (LINK, email)


@pytest.mark.parametrize(
    "words",
    [
        "link",
        "the link is broken",
        "link ada",
        "please link my e-mail to the printer",
        "/linked ada@example.org",
        "/link ada@example.org and bob@example.org",
        "/link <ada@example.org>",
        "link [ada@example.org](mailto:bob@example.org)",
        "link [ada@example.org](https://example.org)",
        "/link ada@example.org\nand more",
        "x" * 20_000,
    ],
)
def test_other_words_are_no_wish(words: str) -> None:
    assert wish_in(words) is None


def test_an_address_as_slack_sends_it_is_understood() -> None:
    typed = mrkdwn.to_commonmark("link <mailto:ada@example.org|ada@example.org>")
    wish = wish_in(typed)
    assert wish is not None
    assert wish.entities == {"email": "ada@example.org"}


@pytest.mark.parametrize("language", ["en", "es"])
def test_what_people_are_told_to_write_is_understood_in_every_client(language: str) -> None:
    _, _, example = text(language, HOW).rpartition(": ")
    assert not example.startswith("/")
    assert wish_in(example) is not None


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("123456", "123456"),
        (" 012 345 ", "012345"),
        ("123-456", "123456"),
        ("12345", None),
        ("1234567", None),
        ("the code is 123456", None),
        ("١٢٣٤٥٦", None),
    ],
)
def test_a_code_stands_alone(words: str, code: str | None) -> None:
    assert code_in(words) == code


def test_a_code_is_kept_as_a_digest_of_its_own() -> None:
    digest = digest_of(b"salt", "123456")
    assert is_code(digest, b"salt", "123456")
    assert not is_code(digest, b"salt", "123457")
    assert not is_code(digest, b"other", "123456")


def test_an_address_is_told_to_its_owner_alone() -> None:
    assert masked("ada@example.org") == "a…@example.org"
