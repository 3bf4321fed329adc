"""CommonMark and Telegram's text with entities, there and back; and cut into pieces."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.telegram.entities import to_commonmark
from channels.telegram.markdown import to_styled
from channels.telegram.styled import Span, Styled, length, split

LETTERS = st.text(alphabet="ab \n😀*_`[]()<>#-.&~|\\>1👍🏽é", max_size=60)


def entity(kind: str, offset: int, count: int, **more: Any) -> dict[str, Any]:
    return {"type": kind, "offset": offset, "length": count, **more}


def bare(text: str) -> str:
    return "".join(text.split())


@pytest.mark.parametrize(
    ("text", "entities", "markdown"),
    [
        ("plain text", [], "plain text"),
        ("2 * 3 * 4 is my_file_name", [], "2 * 3 * 4 is my_file_name"),
        ("- a\n- b", [], "- a\n- b"),
        ("*not bold*", [], "\\*not bold\\*"),
        ("# no heading", [], "\\# no heading"),
        ("1986. A year", [], "1986. A year"),
        ("a bold word", [entity("bold", 2, 4)], "a **bold** word"),
        ("😀 bold", [entity("bold", 3, 4)], "😀 **bold**"),
        ("so it is", [entity("italic", 3, 2)], "so *it* is"),
        ("gone", [entity("strikethrough", 0, 4)], "~~gone~~"),
        ("run a`b now", [entity("code", 4, 3)], "run ``a`b`` now"),
        ("bold italic", [entity("bold", 0, 11), entity("italic", 5, 6)], "**bold *italic***"),
        (
            "here it is",
            [entity("text_link", 0, 4, url="https://a.b")],
            "[here](<https://a.b>) it is",
        ),
        (
            "ask Eva",
            [entity("text_mention", 4, 3, user={"id": 9})],
            "ask [Eva](<tg://user?id=9>)",
        ),
        ("trailing ", [entity("bold", 0, 9)], "**trailing** "),
        ("x\n1+1\ny", [entity("pre", 2, 3, language="bc")], "x\n\n```bc\n1+1\n```\n\ny"),
        ("he said\nno\nnever", [entity("blockquote", 8, 8)], "he said\n\n> no\n> never"),
        ("under", [entity("underline", 0, 5), entity("spoiler", 0, 5)], "under"),
        ("hi @eva", [entity("mention", 3, 4)], "hi @eva"),
        ("beyond", [entity("bold", 90, 5), entity("bold", 0, 0)], "beyond"),
    ],
)
def test_entities_become_commonmark(
    text: str, entities: list[dict[str, Any]], markdown: str
) -> None:
    assert to_commonmark(text, entities) == markdown


@given(
    text=LETTERS,
    entities=st.lists(
        st.builds(
            entity,
            st.sampled_from(
                ["bold", "italic", "code", "pre", "strikethrough", "blockquote", "text_link"]
            ),
            st.integers(0, 60),
            st.integers(0, 60),
            url=st.sampled_from(["https://a.b/c", "https://a.b/<x y>"]),
        ),
        max_size=4,
    ),
)
def test_no_character_is_lost_between_telegram_and_commonmark(
    text: str, entities: list[dict[str, Any]]
) -> None:
    """Whatever the styles, the words of the text are all there, and in order."""
    markdown = to_commonmark(text, entities)
    seen = bare(to_styled(markdown).text)
    for mark in "-*+•":
        seen, text = seen.replace(mark, ""), text.replace(mark, "")
    assert seen == bare(text)


@pytest.mark.parametrize(
    ("markdown", "text", "entities"),
    [
        ("plain", "plain", []),
        ("a **bold** word", "a bold word", [entity("bold", 2, 4)]),
        ("😀 *x*", "😀 x", [entity("italic", 3, 1)]),
        ("~~x~~ `y`", "x y", [entity("strikethrough", 0, 1), entity("code", 2, 1)]),
        ("[here](https://a.b)", "here", [entity("text_link", 0, 4, url="https://a.b")]),
        ("[mail](mailto:a@b.c)", "mail (a@b.c)", []),
        ("[a@b.c](mailto:a@b.c)", "a@b.c", []),
        ("[page](/help)", "page (/help)", []),
        ("# Title\n\ntext", "Title\n\ntext", [entity("bold", 0, 5)]),
        ("```py\nx = 1\n```", "x = 1", [entity("pre", 0, 5, language="py")]),
        ("> so\n> it is", "so\nit is", [entity("blockquote", 0, 8)]),
        ("- a\n- b\n  - c\n\n1. d\n2. e", "• a\n• b\n   • c\n\n1. d\n2. e", []),
        ("3. c\n\n4. d", "3. c\n4. d", []),
        ("| a | b |\n|---|---|\n| 1 | 2 |", "a | b\n1 | 2", []),
        ("a\n\n---\n\nb", "a\n\n———\n\nb", []),
        ("&amp; \\*x\\* <b>", "& *x* <b>", []),
    ],
)
def test_commonmark_becomes_text_and_entities(
    markdown: str, text: str, entities: list[dict[str, Any]]
) -> None:
    styled = to_styled(markdown)
    assert (styled.text, styled.entities()) == (text, entities)


@given(markdown=LETTERS)
def test_entities_lie_within_the_text_and_cut_no_character(markdown: str) -> None:
    styled = to_styled(markdown)
    encoded = styled.text.encode("utf-16-le")
    for one in styled.entities():
        assert one["length"] > 0
        piece = encoded[one["offset"] * 2 : (one["offset"] + one["length"]) * 2]
        assert len(piece) == one["length"] * 2
        piece.decode("utf-16-le")


@given(text=st.text(alphabet="ab \n😀👍🏽é", max_size=300), limit=st.integers(4, 40))
def test_pieces_fit_and_lose_nothing(text: str, limit: int) -> None:
    pieces = split(Styled(text), limit)
    assert all(0 < length(piece.text) <= limit for piece in pieces)
    assert bare("".join(piece.text for piece in pieces)) == bare(text)


def test_a_cut_prefers_paragraphs_then_lines_then_spaces() -> None:
    assert [p.text for p in split(Styled("aaaa aa\n\nbb bb"), 11)] == ["aaaa aa", "bb bb"]
    assert [p.text for p in split(Styled("aaaa aa\nbb bb"), 11)] == ["aaaa aa", "bb bb"]
    assert [p.text for p in split(Styled("aaaa aaa bbbb"), 11)] == ["aaaa aaa", "bbbb"]
    assert [p.text for p in split(Styled("a" * 25), 10)] == ["a" * 10, "a" * 10, "a" * 5]


def test_links_are_kept_whole_and_styles_go_on_in_the_next_piece() -> None:
    text = "look at https://example.org/a/long/way and more"
    assert [p.text for p in split(Styled(text), 34)][1].startswith("https://example.org/a/long/way")
    linked = Styled("see the very long words", (Span(kind="text_link", start=4, end=23, url="x:"),))
    assert [p.text for p in split(linked, 20)] == ["see", "the very long words"]
    bold = Styled("aaaa bbbb", (Span(kind="bold", start=0, end=9),))
    assert [p.spans for p in split(bold, 5)] == [
        (Span(kind="bold", start=0, end=4),),
        (Span(kind="bold", start=0, end=4),),
    ]


def test_an_emoji_of_several_characters_is_not_cut() -> None:
    family = "👨\u200d👩\u200d👧"
    pieces = [piece.text for piece in split(Styled("x" * 6 + family), 12)]
    assert pieces == ["x" * 6, family]
