"""What people write stays words: nothing of it becomes markup in a page or in the chat."""

from __future__ import annotations

from html.parser import HTMLParser

import httpx
import pytest

from tests.support.staff import Staff, number_told
from tests.support.visitor import Visitor

ATTACKS = [
    "<script>fetch('/steal')</script>",
    "<img src=x onerror=alert(1)>",
    '"><svg onload=alert(1)>',
    "[click](javascript:alert(1))",
    "[click](data:text/html;base64,PHNjcmlwdD4=)",
    "![x](https://tracker.example/p.gif)",
    "<a href='https://evil.example' style='position:fixed;inset:0'>x</a>",
    '[a](https://ok.example "\'onmouseover=alert(1)")',
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "{{ 7 * 7 }} {% include 'x' %} ${7*7}",
    "<!-- --><style>*{display:none}</style>",
]


class Seen(HTMLParser):
    """Notes elements and attributes that can do something."""

    def __init__(self) -> None:
        super().__init__()
        self.dangers: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        if tag in {"script", "iframe", "img", "svg", "style", "object", "embed", "form", "link"}:
            self.dangers.append(tag)
        for name, value in attributes:
            scheme = (value or "").strip().lower().partition(":")[0]
            if name.startswith("on") or name == "style" or scheme in {"javascript", "data"}:
                self.dangers.append(f"{tag} {name}={value}")


def dangers(html: str) -> list[str]:
    """Return what in `html` a browser would run, fetch or lay over the page."""
    seen = Seen()
    seen.feed(html)
    return seen.dangers


@pytest.mark.parametrize("attack", ATTACKS)
async def test_an_attack_is_shown_as_it_was_written(
    visitor: Visitor, ana: Staff, attack: str
) -> None:
    number = number_told(await visitor.ask("I want to talk to a human"))
    await visitor.say(attack)
    await ana.do(number, "take")
    await ana.do(number, "replies", text=attack)
    (own, answer) = (await visitor.messages())[-2:]
    assert own["text"] == answer["text"] == attack
    assert own["html"] is None  # the page shows a visitor's own words as text
    assert dangers(answer["html"]) == []


async def test_the_console_shows_an_attack_as_words(
    visitor: Visitor, ana: Staff, console: httpx.AsyncClient
) -> None:
    number = number_told(await visitor.ask("I want to talk to a human"))
    page = (await console.get(f"/console/tickets/{number}")).text
    usual = dangers(page)  # the page's own scripts, style sheets and forms
    for attack in ATTACKS:
        await visitor.say(attack)
        await ana.do(number, "notes", text=attack)
    page = (await console.get(f"/console/tickets/{number}")).text
    assert "tracker.example" in page
    assert [found for found in dangers(page) if found not in usual] == []
    assert dangers(page).count("script") == usual.count("script")
