"""Markdown to HTML: what agents and articles may format, and what never gets through."""

from __future__ import annotations

from datetime import UTC, datetime
from html.parser import HTMLParser
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from channels.webchat.render import to_html, to_json
from core.domain.content import Choice, Intent
from core.domain.conversation import Speaker
from core.domain.ids import ChoiceId, MessageId
from core.ports import TranscriptEntry

TAGS = {
    *("a", "blockquote", "br", "code", "del", "em", "h3", "h4", "h5", "h6", "hr", "li", "ol"),
    *("p", "pre", "s", "strong", "table", "tbody", "td", "th", "thead", "tr", "ul"),
}
unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
CHOICE = Choice(id=ChoiceId(UUID(int=5)), label="Yes", intent=Intent(name="affirm"))


class Audit(HTMLParser):
    """Fails on any tag, attribute or address that a message must not have."""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in TAGS
        for name, value in attrs:
            assert (tag, name) in {
                *(("a", "href"), ("a", "title"), ("a", "rel"), ("a", "target")),
                ("ol", "start"),
            }
            if name == "href":
                scheme, colon, _ = (value or "").partition(":")
                assert not colon or not scheme.isalpha() or scheme.lower() in SCHEMES


SCHEMES = {"http", "https", "mailto", "tel"}


def audit(html: str) -> None:
    parser = Audit()
    parser.feed(html)
    parser.close()


def entry(speaker: Speaker, text: str = "**Hi**") -> TranscriptEntry:
    return TranscriptEntry(
        id=MessageId(UUID(int=4)),
        seq=3,
        speaker=speaker,
        speaker_name="Ana",
        text=text,
        choices=(CHOICE,),
        chosen=CHOICE.id,
        at=datetime(2026, 3, 1, 12, 0, tzinfo=UTC),
    )


def test_an_entry_has_the_fields_of_the_interface() -> None:
    shown = to_json(entry(Speaker.AGENT), str)
    assert shown == {
        "seq": 3,
        "from": "agent",
        "text": "**Hi**",
        "choices": [{"id": str(CHOICE.id), "label": "Yes"}],
        "at": "2026-03-01T12:00:00.000+00:00",
        "id": str(UUID(int=4)),
        "name": "Ana",
        "html": "<p><strong>Hi</strong></p>",
        "files": [],
        "chosen": str(CHOICE.id),
    }


def test_a_requesters_own_words_stay_plain_text() -> None:
    assert to_json(entry(Speaker.CUSTOMER), str)["html"] is None


@pytest.mark.parametrize(
    ("markdown", "html"),
    [
        ("one\ntwo", "<p>one<br>\ntwo</p>"),
        ("# Title", "<h3>Title</h3>"),
        ("3. c", '<ol start="3">\n<li>c</li>\n</ol>'),
        ("~~no~~", "<p><s>no</s></p>"),
        ("<b>x</b>", "<p>&lt;b&gt;x&lt;/b&gt;</p>"),
    ],
)
def test_markdown_is_formatted(markdown: str, html: str) -> None:
    assert to_html(markdown) == html


@pytest.mark.parametrize(
    ("markdown", "address", "after"),
    [
        ("see https://a.example/b?c=1&d=2.", "https://a.example/b?c=1&amp;d=2", "."),
        ("(https://a.example)", "https://a.example", ")"),
        ("[https://a.example](https://a.example)", "https://a.example", ""),
    ],
)
def test_a_web_address_becomes_one_link_in_a_new_tab(
    markdown: str, address: str, after: str
) -> None:
    rel = 'target="_blank" rel="noopener noreferrer nofollow"'
    assert f'<a href="{address}" {rel}>{address}</a>{after}' in to_html(markdown)
    assert to_html(markdown).count("<a ") == 1


@pytest.mark.parametrize(
    "markdown",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "![x](https://tracker.example/pixel.png)",
        "[x](javascript:alert(1))",
        "[x](JaVaScRiPt:alert(1))",
        "[x](data:text/html;base64,PHNjcmlwdD4=)",
        "[x](vbscript:x)",
        "<javascript:alert(1)>",
        '[x](https://a.example "\\" onclick=alert(1) ")',
        'https://a.example/"onmouseover="alert(1)',
        "https://a.example/<script>alert(1)</script>",
        "```\n</code></pre><script>alert(1)</script>\n```",
        '<a href="https://a.example" style="position:fixed">x</a>',
        "<style>*{display:none}</style>",
        "&lt;script&gt;alert(1)&lt;/script&gt;",
        "| <svg onload=alert(1)> |\n|---|\n| x |",
    ],
)
def test_nothing_that_could_run_or_load_survives(markdown: str) -> None:
    audit(to_html(markdown))


@unhurried
@given(
    markdown=st.lists(
        st.text(max_size=20)
        | st.sampled_from(
            [
                *("<", ">", '"', "'", "&", "\n", "\n\n", "`", "```\n", "*", "_", "[", "](", ")"),
                *(
                    "<script>",
                    "</p>",
                    "<!--",
                    "<a href=",
                    "javascript:",
                    "https://",
                    "| a |\n|-|\n",
                ),
                *("onload=x", "<svg/", "&#x3c;", "![", "    ", "> ", "- ", "1. ", "data:"),
            ]
        ),
        max_size=12,
    ).map("".join)
)
def test_whatever_the_text_the_html_is_safe(markdown: str) -> None:
    audit(to_html(markdown))
