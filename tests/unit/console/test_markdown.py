"""Markdown from anybody is shown as what it means and can do no harm."""

from __future__ import annotations

import asyncio
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markupsafe import Markup

from console.markdown import (
    KeptHtml,
    message_html,
    plain_of_parsed,
    render_ahead,
    to_html,
    to_plain,
)
from core.domain.marks import outside_fences


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("**bold** and *not*", "<p><strong>bold</strong> and <em>not</em></p>\n"),
        ("one\ntwo", "<p>one<br>\ntwo</p>\n"),
        ("- a\n- b", "<ul>\n<li>a</li>\n<li>b</li>\n</ul>\n"),
        ("3. c", '<ol start="3">\n<li>c</li>\n</ol>\n'),
        ("<b>x</b>", "<p>&lt;b&gt;x&lt;/b&gt;</p>\n"),
    ],
)
def test_the_usual_marks_work(words: str, shown: str) -> None:
    assert to_html(words) == shown


@pytest.mark.parametrize(
    "words",
    [
        "[x](javascript:alert(1))",
        "[x](data:text/html,<script>)",
        "![x](https://evil.example/pixel.png)",
        '<img src=x onerror="alert(1)">',
        "<javascript:alert(1)>",
        '[x](https://a.example "onmouseover=alert(1)")',
        "`<script>`",
    ],
)
def test_tricks_do_not(words: str) -> None:
    tags = re.findall(r"<[^>]*>", to_html(words))
    assert not any(re.search(r"script|img|on\w+=|javascript:|data:", tag) for tag in tags)


@given(st.text(alphabet=st.sampled_from("<>*_`[]()!#&;:\"'\\ \n\tabon=script/-1.")))
@settings(max_examples=300, deadline=None)
def test_nothing_but_harmless_tags_comes_out(words: str) -> None:
    for tag in re.findall(r"<(/?[a-zA-Z][^>]*)>", to_html(words)):
        assert re.fullmatch(
            r"/?(a|blockquote|br|code|del|em|h[1-6]|hr|li|ol|p|pre|strong|ul)"
            r'( (href|rel|target|start)="[^"<>]*")*|p class="typed"',
            tag,
        ), tag


def test_links_leave_without_telling_where_from() -> None:
    shown = to_html("[x](https://a.example)")
    assert 'rel="noopener noreferrer nofollow"' in shown
    assert 'target="_blank"' in shown


def test_deep_nesting_is_no_trap() -> None:
    assert "x" in to_html(">" * 5_000 + "x")
    assert to_html("[" * 5_000)
    assert "<i>" not in to_html(">" * 30 + "<i>x</i>")


@pytest.mark.parametrize("dear", ["***[&", "* a\n", "- - - - a\n", ")\n\n", "1. 1. 1. a\n", "["])
def test_what_a_parser_would_take_too_long_for_is_shown_as_it_was_typed(dear: str) -> None:
    words = dear * (20_000 // len(dear))
    shown = message_html(words)
    is_as_typed = shown == Markup('<p class="typed">{}</p>').format("\n".join(words.splitlines()))
    assert is_as_typed  # not in one: telling apart two texts so long takes a minute
    assert to_plain(words) == " ".join(words.split())


def test_a_long_message_with_the_marks_that_people_write_is_shown_as_it_is_meant() -> None:
    words = "\n".join(f"- Step {number}: press **F{number}** and `wait`" for number in range(120))
    assert message_html(words).count("<strong>") == 120


@pytest.mark.parametrize("fence", ["```", "~~~~"])
def test_a_long_log_within_a_fence_is_one(fence: str) -> None:
    log = "\n".join(f"2026-11-27 [{number}] <warn>   #_*`-  a=b" for number in range(400))
    shown = message_html(f"This is it:\r\n{fence}text\r\n{log}\r\n{fence}\r\n**Please** look.")
    assert shown.count("<pre>") == 1
    assert "<strong>Please</strong>" in shown


def test_what_only_looks_like_a_fence_hides_no_marks() -> None:
    for opening in (" ```\n```\n", "- ```\n", "```a`\n", "\t~~~\n", "```\n```\n", "~~~\n~~~~ \t\n"):
        assert 'class="typed"' in message_html(opening + "[" * 19_000)


@given(
    words=st.lists(
        st.sampled_from(
            ["```", "~~~", "`", "~", "\n", "\r", "\n\n", " ", "\t", "\f", "- ", "> ", "a"]
        ),
        max_size=14,
    ).map("".join)
)
@settings(max_examples=500, deadline=None)
def test_nothing_is_taken_for_fenced_that_a_parser_looks_into(words: str) -> None:
    numbered = re.sub(r"a", "[", words)
    blocks = MarkdownIt("commonmark", {"html": False}).parse(numbered)
    fenced = sum(block.content.count("[") for block in blocks if block.type == "fence")
    hidden = numbered.count("[") - "\n".join(outside_fences(numbered)).count("[")
    assert hidden <= fenced


def test_the_kept_html_stays_within_its_bytes_whatever_is_written() -> None:
    kept = KeptHtml(1_000_000)
    for number in range(200):
        kept.html_of(f"{number} \U0001f600" + '"' * 5_000)
        assert kept.bytes <= 1_000_000
    assert kept.html_of("last") is kept.html_of("last")
    assert kept.bytes > 900_000


def test_a_message_is_parsed_once_for_all_the_pages_that_show_it() -> None:
    for words in ("*short*", "*long* " * 400):
        assert message_html(words) is message_html(words)


async def test_others_have_their_turn_while_the_messages_of_a_page_are_parsed() -> None:
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    task = asyncio.create_task(other())
    await render_ahead(f"{number}" + " *a*" * 100 for number in range(20))
    task.cancel()
    assert turns >= 20


def test_plain_words_have_no_marks() -> None:
    assert to_plain("Hi **you**\n\n- a `b`\n- [c](http://d)") == "Hi you a b c"


@given(
    words=st.lists(
        st.sampled_from(
            [
                "a",
                "ñ",
                "1.",
                "2)",
                "-",
                "+",
                "=",
                "===",
                "---",
                "#",
                "*",
                "_",
                "`",
                "~~~",
                "[x](y)",
                "<b>",
                "&amp;",
                "\\",
                "\n",
                "\r",
                "\n\n",
                "    ",
                "\t",
                " ",
                "!",
                ":",
                "|",
                "http://x.es",
            ]
        ),
        max_size=8,
    ).map("".join)
)
def test_words_without_marks_need_no_parser(words: str) -> None:
    """What is taken for plain without a look by the parser is what the parser makes of it."""
    assert to_plain(words) == plain_of_parsed(words)
