"""What a Markdown parser would take seconds for is sent as it was typed, on every channel."""

from __future__ import annotations

from html import escape

import pytest

from channels.email import markdown as email
from channels.slack import markdown as slack
from channels.telegram.markdown import to_styled
from channels.webchat.render import to_html

DEAR = [
    "[", "![", "[a](", "**a", "_a ", "`a", "<", "<a", "&", "~~a", "#", "\\", "+",
    "-\n", "- a\n", "1. a\n", "a\n\n", "=\n", "|a|\n", "> a\n",
]  # fmt: skip


@pytest.mark.parametrize("mark", DEAR)
def test_nothing_but_marks_is_sent_as_it_was_typed(mark: str) -> None:
    words = mark * (100_000 // len(mark))
    lines = words.splitlines()
    # Not compared in one: telling apart two texts so long takes a minute.
    assert (email.to_text(words) == "\n".join(lines).strip()) is True
    assert email.to_html(words).endswith(f">{'<br>'.join(map(escape, lines))}</p>") is True
    assert (to_html(words) == f"<p>{'<br>'.join(map(escape, lines))}</p>") is True
    (piece,) = slack.read(words)
    assert (piece.text == words) is True
    assert (to_styled(words).text == words) is True


def test_a_long_article_with_the_marks_that_people_write_is_sent_as_it_is_meant() -> None:
    steps = [
        f"{n}. Press **F{n % 12}**, wait, see [the page](https://x.example)" for n in range(180)
    ]
    words = "\n".join(["| key | what |", "|---|---|", "| a | b |", "", *steps])
    assert "<strong>" in email.to_html(words)
    assert "**" not in email.to_text(words)
    assert "<strong>" in to_html(words)
    assert len(slack.read(words)) > 100
    assert "**" not in to_styled(words).text


def test_bare_addresses_are_links_in_mail_and_on_the_web_alike() -> None:
    words = "See https://x.example/a_b, or (http://y.example/?q=1)."
    for html in (email.to_html(words), to_html(words)):
        assert 'href="https://x.example/a_b"' in html
        assert 'href="http://y.example/?q=1"' in html
