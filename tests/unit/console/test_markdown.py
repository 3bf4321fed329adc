"""Markdown from anybody is shown as what it means and can do no harm."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from console.markdown import plain_of_parsed, to_html, to_plain


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
            r'( (href|rel|target|start)="[^"<>]*")*',
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
