"""Makes a mail's HTML fit to be shown in the console: nothing runs, loads or asks.

Pictures from elsewhere have `data-remote-src` in place of `src` until an agent allows them;
`cid:` sources stay for the console to map to attachments. A link's target stands in its `title`.
"""

from __future__ import annotations

import copy
import re

import nh3
from lxml.html import HtmlElement, tostring

from channels.email.reading.trees import body_of, drop

_TAGS = set(
    "a abbr address b big blockquote br caption center cite code col colgroup dd del dfn div dl dt"  # noqa: SIM905
    " em figcaption figure font h1 h2 h3 h4 h5 h6 hr i img ins kbd li mark ol p pre q s samp small"
    " span strike strong sub sup table tbody td tfoot th thead tr tt u ul var wbr".split()
)
_ATTRIBUTES = {
    "*": {"title", "dir", "lang", "align", "valign", "style"},
    "a": {"href", "title"},
    "img": {"src", "alt", "width", "height", "data-remote-src"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan"},
    "ol": {"start", "type"},
    "table": {"border", "cellpadding", "cellspacing"},
}
_STYLES = {
    *("font-weight", "font-style", "text-align", "text-decoration", "vertical-align"),
    *("white-space", "list-style-type", "padding-left", "border-collapse"),
}
_PICTURE = re.compile(r"data:image/(?:png|jpe?g|gif|webp);base64,[A-Za-z0-9+/=\s]*", re.ASCII)
_LONGEST_TARGET = 2_000
_LEADS_SOMEWHERE = re.compile(r"(?:https?|mailto|tel):", re.I)


def sanitise(root: HtmlElement) -> str:
    """Return the HTML of `root`'s body, sanitised. `root` stays as it is."""
    tree = copy.deepcopy(body_of(root))
    for image in list(tree.iter("img")):
        _quieten(image)
    for link in tree.iter("a"):
        target = (link.get("href") or "").strip()
        link.attrib.pop("title", None)
        if len(target) <= _LONGEST_TARGET and _LEADS_SOMEWHERE.match(target):
            link.set("title", target)
    text = tostring(tree, encoding="unicode", method="html")
    clean: str = nh3.clean(
        text,
        tags=_TAGS,
        clean_content_tags={"script", "style", "title", "textarea", "select", "noscript", "svg"},
        attributes=_ATTRIBUTES,
        url_schemes={"http", "https", "mailto", "tel", "cid", "data"},
        link_rel="noopener noreferrer nofollow",
        strip_comments=True,
        filter_style_properties=_STYLES,
        set_tag_attribute_values={"a": {"target": "_blank"}},
        attribute_filter=_allowed,
    )
    return clean.strip()


def _allowed(tag: str, attribute: str, value: str) -> str | None:
    lowered = value.strip().lower()
    if attribute == "href" and lowered.startswith(("data:", "cid:")):
        return None
    if tag == "img" and attribute == "src":
        return value if lowered.startswith("cid:") or _PICTURE.fullmatch(value) else None
    if attribute == "data-remote-src":
        return value if lowered.startswith(("http://", "https://")) else None
    if attribute == "style" and ("url(" in lowered or "expression" in lowered):
        return None
    return value


def _quieten(image: HtmlElement) -> None:
    source = (image.get("src") or "").strip()
    image.attrib.pop("data-remote-src", None)
    if source.startswith("//"):
        source = "https:" + source
    if source.lower().startswith(("http://", "https://")):
        del image.attrib["src"]
        sizes = [(image.get(name) or "").strip().removesuffix("px") for name in ("width", "height")]
        if any(size in {"0", "1"} for size in sizes):
            drop(image)  # a tracking pixel shows nothing, even when allowed
        else:
            image.set("data-remote-src", source)
