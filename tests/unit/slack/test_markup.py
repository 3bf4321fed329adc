"""Slack's two markups to CommonMark."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.slack import mrkdwn, rich_text
from channels.slack.fields import Fields


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain words", "plain words"),
        ("*bold* and _italic_ and ~gone~", "**bold** and *italic* and ~~gone~~"),
        ("2 * 3 * 4", "2 * 3 * 4"),
        ("snake_case_name stays", "snake_case_name stays"),
        ("`a *b* &lt;c&gt;`", "`a *b* <c>`"),
        ("```if a &lt; b:\n  *c*```", "```\nif a < b:\n  *c*\n```"),
        ("<https://example.com|our page>", "[our page](https://example.com)"),
        ("<https://example.com>", "<https://example.com>"),
        ("<mailto:a@example.com|a@example.com>", "[a@example.com](mailto:a@example.com)"),
        ("<@U123|ana> in <#C123|general>", "@ana in #general"),
        ("<@U123> <#C123>", "@U123 #C123"),
        ("<!here> <!channel|channel>", "@here @channel"),
        ("<!subteam^S1|@helpers>", "@helpers"),
        ("<!date^1392734382^{date}|Feb 18>", "Feb 18"),
        ("a &lt; b &amp;&amp; c &gt; d", "a < b && c > d"),
        ("&gt; quoted", "> quoted"),
        ("• one\n• two", "- one\n- two"),
        (":wave: hello", ":wave: hello"),
    ],
)
def test_message_texts(text: str, expected: str) -> None:
    assert mrkdwn.to_commonmark(text) == expected


@given(st.text(alphabet="ab*_~`<>|&;#@!\n ", max_size=40))
def test_any_text_becomes_something(text: str) -> None:
    assert isinstance(mrkdwn.to_commonmark(text), str)


@given(st.text(alphabet="ab<>&;!@", max_size=30))
def test_what_is_escaped_reads_the_same_and_holds_no_markup(text: str) -> None:
    assert mrkdwn.unescape(mrkdwn.escape(text)) == text
    assert "<" not in mrkdwn.escape(text)


def section(*parts: dict[str, Any]) -> dict[str, Any]:
    return {"type": "rich_text_section", "elements": list(parts)}


def words(text: str, **style: bool) -> dict[str, Any]:
    return {"type": "text", "text": text} | ({"style": style} if style else {})


def commonmark(*elements: dict[str, Any]) -> str | None:
    return rich_text.to_commonmark([Fields({"type": "rich_text", "elements": list(elements)})])


def test_styles_keep_spaces_outside_their_marks() -> None:
    assert commonmark(section(words("so "), words("bold ", bold=True), words("it is"))) == (
        "so **bold** it is"
    )


def test_styles_nest() -> None:
    assert commonmark(section(words("x", bold=True, italic=True, strike=True))) == "~~***x***~~"


def test_lists_keep_numbers_and_depth() -> None:
    outer = {"type": "rich_text_list", "style": "ordered", "elements": [section(words("one"))]}
    inner = outer | {"style": "bullet", "indent": 1, "elements": [section(words("deeper"))]}
    after = outer | {"offset": 1, "elements": [section(words("two"))]}
    assert commonmark(outer, inner, after) == "1. one\n\n   - deeper\n\n2. two"


def test_code_is_taken_as_it_is() -> None:
    block = {"type": "rich_text_preformatted", "elements": [words("a = *b*\n```\n")]}
    assert commonmark(block) == "````\na = *b*\n```\n````"
    assert commonmark(section(words("`x`", code=True))) == "`` `x` ``"


def test_quotations_are_quoted_line_by_line() -> None:
    quote = {"type": "rich_text_quote", "elements": [words("one\ntwo")]}
    assert commonmark(quote) == "> one\n> two"


def test_mentions_links_and_emoji_are_words() -> None:
    text = commonmark(
        section(
            {"type": "user", "user_id": "U1"},
            words(" see "),
            {"type": "link", "url": "https://example.com", "text": "this"},
            words(" in "),
            {"type": "channel", "channel_id": "C1"},
            {"type": "broadcast", "range": "here"},
            {"type": "emoji", "name": "wave", "unicode": "1f44b"},
            {"type": "emoji", "name": "partyparrot"},
        )
    )
    assert text == "@U1 see [this](https://example.com) in #C1@here👋:partyparrot:"


def test_what_people_typed_literally_means_itself() -> None:
    assert commonmark(section(words("*not bold*"))) == "\\*not bold\\*"
    assert commonmark(section(words("# no heading"))) == "\\# no heading"
    assert commonmark(section(words("my_file_name"))) == "my_file_name"


def test_blocks_of_programs_are_not_what_people_typed() -> None:
    assert rich_text.to_commonmark([Fields({"type": "section"})]) is None
