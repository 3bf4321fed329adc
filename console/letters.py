"""The formatted side of a letter, as a page of its own that does nothing but show."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping

import nh3
from markupsafe import Markup

_REMOTE = re.compile(r"<img\b[^>]*?\bsrc\s*=\s*[\"']?\s*(?:https?:)?//", re.IGNORECASE)
_TAGS = {
    "a", "abbr", "b", "blockquote", "br", "caption", "center", "code", "col", "colgroup", "dd",
    "del", "div", "dl", "dt", "em", "figcaption", "figure", "font", "h1", "h2", "h3", "h4", "h5",
    "h6", "hr", "i", "img", "ins", "kbd", "li", "ol", "p", "pre", "q", "s", "small", "span",
    "strike", "strong", "sub", "sup", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "tt",
    "u", "ul",
}  # fmt: skip
_ATTRIBUTES = {
    "*": {"align", "dir", "lang", "style", "valign"},
    "a": {"href", "title"},
    "col": {"span", "width"},
    "font": {"color", "face", "size"},
    "img": {"alt", "height", "src", "width"},
    "ol": {"start", "type"},
    "table": {"bgcolor", "border", "cellpadding", "cellspacing", "width"},
    "td": {"bgcolor", "colspan", "height", "rowspan", "width"},
    "th": {"bgcolor", "colspan", "height", "rowspan", "width"},
    "tr": {"bgcolor"},
}
_STYLES = {
    "background-color", "border", "border-bottom", "border-collapse", "border-left",
    "border-radius", "border-right", "border-top", "color", "font-family", "font-size",
    "font-style", "font-weight", "line-height", "margin", "margin-bottom", "margin-left",
    "margin-right", "margin-top", "max-width", "padding", "padding-bottom", "padding-left",
    "padding-right", "padding-top", "text-align", "text-decoration", "vertical-align",
    "white-space", "width",
}  # fmt: skip
_LINK = re.compile(r"(?:https?|mailto|tel):", re.IGNORECASE)
_BLANK = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"
_STYLE = (
    "body{margin:0;padding:12px;font:14px/1.5 system-ui,sans-serif;color:#1c2426;background:#fff;"
    "overflow-wrap:anywhere}img{max-width:100%;height:auto}table{max-width:100%}"
    "blockquote{margin:0 0 0 .3em;padding-left:.8em;border-left:3px solid #c3cbc8;color:#55625f}"
    "a[href]::after{content:'\\2039'attr(href)'\\203a';margin-left:.35em;font-size:11px;color:#55625f;"
    "text-decoration:none;display:inline-block;max-width:26em;overflow:hidden;"
    "text-overflow:ellipsis;white-space:nowrap;vertical-align:bottom}"
)


def has_remote_pictures(html: str) -> bool:
    """Say whether showing `html` in full would tell somebody's server that it is read."""
    return _REMOTE.search(html) is not None


def headers(*, with_remote_pictures: bool) -> dict[str, str]:
    """Return the headers of a letter's page: it may show itself, and nothing else."""
    pictures = "data: https: http:" if with_remote_pictures else "data:"
    return {
        "Cache-Control": "no-store",
        "Content-Security-Policy": (
            f"default-src 'none'; style-src 'unsafe-inline'; img-src {pictures}; "
            "base-uri 'none'; form-action 'none'; frame-ancestors 'self'; "
            "sandbox allow-popups allow-popups-to-escape-sandbox"
        ),
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "SAMEORIGIN",
    }


def letter_page(
    html: str, pictures: Mapping[str, tuple[str, bytes]], *, with_remote_pictures: bool
) -> Markup:
    """Return the page that shows `html`, cleaned once more.

    `pictures` are those that came with the letter: media type and bytes by Content-ID. Behind
    each link stands where it leads.
    """

    def kept(tag: str, attribute: str, value: str) -> str | None:
        if attribute == "href":
            return value if _LINK.match(value) else None
        if tag != "img" or attribute != "src":
            return value
        if value.startswith("cid:"):
            found = pictures.get(value[4:])
            if found is None:
                return _BLANK
            return f"data:{found[0]};base64,{base64.b64encode(found[1]).decode('ascii')}"
        if value.startswith(("https:", "http:")):
            return value if with_remote_pictures else _BLANK
        return None

    clean = nh3.clean(
        html,
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        attribute_filter=kept,
        filter_style_properties=_STYLES,
        url_schemes={"http", "https", "mailto", "tel", "cid", "data"},
        link_rel="noopener noreferrer nofollow",
        set_tag_attribute_values={"a": {"target": "_blank"}},
    )
    page = Markup(
        '<!doctype html><html><head><meta charset="utf-8"><title>·</title>'
        "<style>{}</style></head><body>{}</body></html>"
    )
    return page.format(Markup(_STYLE), Markup(clean))  # noqa: S704  # just cleaned
