"""How a letter of the desk to agents and approvers looks: the same words as text and as HTML."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

_PAGE = """<!DOCTYPE html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
</head>
<body style="font-family:sans-serif;font-size:15px;line-height:1.45;max-width:42em">
{paragraphs}
</body>
</html>
"""
_PARAGRAPH = '<p style="margin:0 0 1em">{inner}</p>'
_BUTTON = (
    '<a href="{link}" style="display:inline-block;padding:.5em 1.2em;border:1px solid;'
    'border-radius:6px;font-weight:bold;text-decoration:none">{words}</a>'
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Paragraph:
    """Some lines, which lead to `link` where there is one; as a button if they ask for a deed."""

    words: str
    link: str | None = None
    is_button: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """What one person is mailed. `closing` stands below the line that programs fold at."""

    language: str
    subject: str
    paragraphs: Sequence[Paragraph]
    closing: str = ""

    @property
    def text(self) -> str:
        """Return the letter as text, each link in a line of its own below its words."""
        parts = [_as_text(one) for one in self.paragraphs]
        if self.closing:
            parts.append(f"-- \n{self.closing}")  # two dashes and a space: RFC 3676, 4.3
        return "\n\n".join(parts) + "\n"

    @property
    def html(self) -> str:
        """Return the letter as an HTML page, without colours: programs may be light or dark."""
        parts = [_PARAGRAPH.format(inner=_as_html(one)) for one in self.paragraphs]
        if self.closing:
            small = f"<small>{escape(self.closing)}</small>"
            parts.append(_PARAGRAPH.format(inner=small))
        return _PAGE.format(language=escape(self.language), paragraphs="\n".join(parts))


def _as_text(paragraph: Paragraph) -> str:
    if paragraph.link is None:
        return paragraph.words
    return f"{paragraph.words}{':' if paragraph.is_button else ''}\n{paragraph.link}"


def _as_html(paragraph: Paragraph) -> str:
    words = escape(paragraph.words).replace("\n", "<br>\n")
    if paragraph.link is None:
        return words
    link = escape(paragraph.link)
    return (
        _BUTTON.format(link=link, words=words)
        if paragraph.is_button
        else (f'<a href="{link}">{words}</a>')
    )
