"""A mail's HTML, as text and as what the console may show."""

from __future__ import annotations

import time

import pytest

from channels.email.reading.defects import Defects
from channels.email.reading.markdown import to_markdown
from channels.email.reading.sanitising import sanitise
from channels.email.reading.trees import body_of, parse_html
from tests.unit.email.reading.builders import read


def text_of(page: str) -> str:
    root = parse_html(page, Defects())
    return "" if root is None else to_markdown(body_of(root))


def shown(page: str) -> str:
    root = parse_html(page, Defects())
    return "" if root is None else sanitise(root)


@pytest.mark.parametrize(
    ("page", "text"),
    [
        ("<p>One</p><p>Two</p>", "One\n\nTwo"),
        ("<div>One</div><div>Two</div>", "One\nTwo"),
        ("<ol start='3'><li>One</li></ol>", "3. One"),
        ("<ol start='\u00b2'><li>One</li></ol>", "1. One"),
        ("<div>One</div><div><br></div><div>Two</div>", "One\n\nTwo"),
        ("One<br>Two<br><br>Three", "One\nTwo\n\nThree"),
        ("<p>A <b>bold</b> and <i>slanted</i> word</p>", "A **bold** and *slanted* word"),
        (
            "<ul><li>One</li><li>Two<ol><li>a</li><li>b</li></ol></li></ul>",
            "- One\n- Two\n  1. a\n  2. b",
        ),
        ('<a href="https://shop.example/x">here</a>', "[here](https://shop.example/x)"),
        ('<a href="https://shop.example/">shop.example</a>', "shop.example"),
        ('<a href="javascript:alert(1)">here</a>', "here"),
        ('<a href="mailto:a@b.example">a@b.example</a>', "a@b.example"),
        (
            "<table><tr><th>Item</th><th>Price</th></tr><tr><td>Lamp</td><td>3</td></tr></table>",
            "| Item | Price |\n| --- | --- |\n| Lamp | 3 |",
        ),
        ("<table><tr><td><p>Layout</p></td></tr><tr><td>only</td></tr></table>", "Layout\n\nonly"),
        ("<blockquote><p>One</p><p>Two</p></blockquote>", "> One\n>\n> Two"),
        ("<pre>a\n  b</pre>", "```\na\n  b\n```"),
        ("<h2>Title</h2>Text", "## Title\n\nText"),
        ('<div style="display:none">preheader</div>Hello', "Hello"),
        ("<script>x</script><style>y</style>Hello<!-- z -->", "Hello"),
        ("a&nbsp;&nbsp;b\n\n c", "a b c"),
        ("<p>unclosed <b>bold", "unclosed **bold**"),
        ("", ""),
    ],
)
def test_html_becomes_markdown(page: str, text: str) -> None:
    assert text_of(page) == text


@pytest.mark.parametrize(
    "page",
    [
        "<script>alert(1)</script>",
        "<svg onload=alert(1)><script>1</script></svg>",
        '<form action="https://evil.example"><input name=password></form>',
        '<iframe src="https://evil.example"></iframe>',
        '<object data="https://evil.example"></object>',
        '<a href="javascript:alert(1)" onclick="x()">go</a>',
        '<a href="data:text/html,<script>">go</a>',
        '<p style="background:url(https://evil.example/p.png)">x</p>',
        '<p style="position:fixed;top:0">x</p>',
        '<img src="https://evil.example/p.png" width=1 height=1>',
        '<img src="data:image/svg+xml;base64,AAAA">',
        '<base href="https://evil.example"><meta http-equiv=refresh content=0>',
        '<link rel=stylesheet href="https://evil.example/a.css">',
        "<math><mtext></form><form><mglyph><svg><mtext><style><path id=</style><img onerror=alert(1) src>",
        '<input onfocus="x" autofocus><textarea>t</textarea><button>b</button>',
    ],
)
def test_nothing_that_acts_is_shown(page: str) -> None:
    clean = shown(page).lower()
    for word in (
        "script",
        "evil",
        "onclick",
        "onerror",
        "onload",
        "url(",
        "<form",
        "<input",
        "<svg",
        "position",
        "data:",
    ):
        assert word not in clean


def test_pictures_from_elsewhere_are_off_until_allowed() -> None:
    clean = shown('<img src="https://shop.example/a.png" width=300 alt="Lamp">')
    assert ' src="' not in clean
    assert 'data-remote-src="https://shop.example/a.png"' in clean


def test_a_links_target_is_told() -> None:
    clean = shown('<a href="https://elsewhere.example/" title="bank.example">bank.example</a>')
    assert 'title="https://elsewhere.example/"' in clean
    assert 'rel="noopener noreferrer nofollow"' in clean


@pytest.mark.parametrize(
    "piece",
    [
        "<div>",
        "<b>",
        "<p><b>x",
        "<table><tr><td>",
        "<ul><li>",
        "<blockquote>",
        "<a href=x>",
        "<",
        "<!--",
        "&amp;",
        "<![CDATA[",
    ],
)
def test_hostile_pages_take_no_time(piece: str) -> None:
    started = time.process_time()
    assert read(piece * (300_000 // len(piece)), Content_Type="text/html") is not None
    assert time.process_time() - started < 5  # seconds; far more than it takes


def test_an_element_with_many_attributes_takes_no_time() -> None:
    started = time.process_time()
    page = "<a " + " ".join(f"x{n}=1" for n in range(50_000)) + ">x</a>"
    assert read(page, Content_Type="text/html") is not None
    assert time.process_time() - started < 5


def test_a_page_without_end_is_cut_and_says_so() -> None:
    mail = read("<p>line</p>" * 20_000, Content_Type="text/html")
    assert mail.text.startswith("line\n\nline")
    assert "HTML too long: cut" in mail.defects
