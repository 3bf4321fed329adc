"""Our messages as Slack's blocks; every one is checked against Slack's documented limits."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channels.simulator.slack.limits import check_arguments, check_message
from channels.slack.render import Post, address, render, speaker
from core.domain.channel import Outbound
from core.domain.content import Body, Choice, Intent
from core.domain.conversation import Speaker
from core.domain.ids import AccountId, ChoiceId, ConversationId, MessageId, ThreadKey, new_id

IDS = UUID("01890a5d-ac96-774b-bcce-b302099a8057")


def outbound(text: str = "", *labels: str, **fields: Any) -> Outbound:
    return Outbound(
        message=MessageId(IDS),
        account=AccountId("acme"),
        conversation=ConversationId(IDS),
        thread=fields.pop("thread", ThreadKey("D024BE91L")),
        speaker=fields.pop("by", Speaker.BOT),
        body=Body(text=text, **fields.pop("body", {})),
        choices=tuple(
            Choice(id=ChoiceId(new_id()), label=label, intent=Intent(name="affirm"))
            for label in labels
        ),
        **fields,
    )


def rendered(text: str, *labels: str) -> tuple[Post, ...]:
    posts = render(outbound(text, *labels))
    for post in posts:
        arguments = {"channel": "D024BE91L"} | post.arguments()
        check_arguments("chat.postMessage", arguments)
        check_message(arguments)
    return posts


def only(text: str, *labels: str) -> Post:
    (post,) = rendered(text, *labels)
    return post


def words_of(node: Any) -> str:
    if isinstance(node, list | tuple):
        return "".join(words_of(item) for item in node)
    if node.get("type") == "actions":
        return ""
    text = node.get("text", "")
    inner = words_of(node.get("elements", []))
    return (words_of(text) if isinstance(text, dict) else text) + inner


def test_styles_become_styles() -> None:
    (block,) = only("**bold** *italic* ~~gone~~ `code`").blocks
    (section,) = block["elements"]
    styled = {part["text"]: part.get("style") for part in section["elements"]}
    assert styled["bold"] == {"bold": True}
    assert styled["italic"] == {"italic": True}
    assert styled["gone"] == {"strike": True}
    assert styled["code"] == {"code": True}


def test_links_become_links_and_odd_ones_words() -> None:
    (block,) = only("[ours](https://example.com/a_b) [theirs](javascript:alert(1))").blocks
    (section,) = block["elements"]
    (link,) = (part for part in section["elements"] if part["type"] == "link")
    assert (link["url"], link["text"]) == ("https://example.com/a_b", "ours")
    assert "theirs" in words_of(block)


def test_headings_rules_lists_quotations_and_code_have_their_own_form() -> None:
    text = "# Title\n\nwords\n\n- a\n  - b\n\n3. c\n4. d\n\n> e\n\n---\n\n```\nf\n```"
    blocks = only(text).blocks
    kinds = [block["type"] for block in blocks]
    assert kinds == ["header", "rich_text", "divider", "rich_text"]
    elements = [element["type"] for block in blocks for element in block.get("elements", [])]
    assert elements == [
        "rich_text_section",
        "rich_text_list",
        "rich_text_list",
        "rich_text_list",
        "rich_text_quote",
        "rich_text_preformatted",
    ]
    lists = [e for e in blocks[1]["elements"] if e["type"] == "rich_text_list"]
    assert [(e["style"], e["indent"], e.get("offset")) for e in lists] == [
        ("bullet", 0, None),
        ("bullet", 1, None),
        ("ordered", 0, 2),
    ]


@pytest.mark.parametrize("text", ["<!channel> <!here> <@U123>", "@here @channel @everyone"])
def test_nothing_that_is_written_can_call_everybody(text: str) -> None:
    post = only(text)
    parts = [part for b in post.blocks for s in b["elements"] for part in s["elements"]]
    assert {part["type"] for part in parts} == {"text"}
    assert "<" not in post.text
    assert address(outbound(text))["link_names"] is False
    assert post.arguments()["parse"] == "none"


def test_the_plain_text_says_the_same() -> None:
    text = "Try **this**:\n\n1. open [our page](https://example.com)\n2. press `OK`"
    assert only(text, "Yes").text == (
        "Try this:\n\n1. open our page (https://example.com)\n2. press OK\n• Yes"
    )


def test_buttons_carry_the_choices_id() -> None:
    message = outbound("Did this help?", "Yes", "No")
    (post,) = render(message)
    buttons = post.blocks[-1]["elements"]
    assert [button["value"] for button in buttons] == [str(c.id) for c in message.choices]
    assert [button["text"]["text"] for button in buttons] == ["Yes", "No"]


def test_labels_are_cut_to_what_a_button_holds_and_many_buttons_take_several_rows() -> None:
    post = only("Choose", *["a long label " * 10] * 60)
    rows = [block for block in post.blocks if block["type"] == "actions"]
    assert [len(row["elements"]) for row in rows] == [25, 25, 10]


def test_buttons_without_words_can_be_sent() -> None:
    assert only("", "Yes").text == "• Yes"


def test_nothing_to_say_is_no_post() -> None:
    assert render(outbound("")) == ()


def test_what_has_no_text_form_is_named() -> None:
    (post,) = render(outbound("look", body={"unsupported": ("poll",)}))
    assert "[poll]" in words_of(post.blocks)


def test_a_long_text_splits_between_words_and_says_which_part_is_which() -> None:
    words = [f"word-{number}" for number in range(2_000)]
    posts = rendered(" ".join(words))
    assert " ".join(words_of(post.blocks) for post in posts).split() == words
    payloads = [post.metadata["event_payload"] for post in posts]
    assert [payload["part"] for payload in payloads] == list(range(1, len(posts) + 1))
    assert {payload["parts"] for payload in payloads} == {len(posts)}
    assert {payload["message"] for payload in payloads} == {str(IDS)}


def test_links_are_not_cut() -> None:
    address = "https://example.com/" + "a" * 50
    posts = rendered(" ".join(f"[link {n}]({address}/{n})" for n in range(300)))
    links = [
        part
        for post in posts
        for block in post.blocks
        for element in block["elements"]
        for part in element["elements"]
        if part["type"] == "link"
    ]
    assert [link["url"] for link in links] == [f"{address}/{n}" for n in range(300)]


def test_long_code_is_cut_between_lines_and_stays_code() -> None:
    lines = [f"line {number} of the program" for number in range(600)]
    posts = rendered("```\n" + "\n".join(lines) + "\n```")
    elements = [e for post in posts for block in post.blocks for e in block["elements"]]
    assert {element["type"] for element in elements} == {"rich_text_preformatted"}
    assert "\n".join(words_of(element) for element in elements).split("\n") == lines


def test_a_hundred_headings_do_not_burst_a_message() -> None:
    assert rendered("\n\n".join(f"# Title {n}\n\nwords\n\n---" for n in range(100)))


def test_a_threads_message_goes_into_the_thread_without_previews() -> None:
    where = address(outbound("x", thread=ThreadKey("C1/1355517523.000005")))
    assert where["channel"] == "C1"
    assert where["thread_ts"] == "1355517523.000005"
    assert where["unfurl_links"] is where["unfurl_media"] is False


def test_an_agent_speaks_in_their_own_name() -> None:
    by_agent = outbound(
        "x", by=Speaker.AGENT, speaker_name="Eva", speaker_picture="https://desk.example/eva.png"
    )
    assert speaker(by_agent) == {"username": "Eva", "icon_url": "https://desk.example/eva.png"}
    assert speaker(outbound("x", speaker_name="Eva")) == {}


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            ["# h\n\n", "- a\n", "1. b\n", "> q\n", "```\ncode\n", "```\n", "**b**", "`c`", "\n\n"]
        )
        | st.text(max_size=60)
        | st.builds(
            lambda c, n: c * n, st.sampled_from("ab é👨‍👩‍👧\n*_[]()<"), st.integers(0, 4_000)
        ),
        max_size=12,
    ),
    st.lists(st.text(min_size=1, max_size=100).filter(str.strip), max_size=30),
)
def test_any_text_gives_what_slack_accepts(parts: list[str], labels: list[str]) -> None:
    rendered("".join(parts), *labels)
