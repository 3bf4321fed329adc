"""Finds the quotation in a reply's HTML by the marks that mail programs leave."""

from __future__ import annotations

import copy
import re
from dataclasses import dataclass

from lxml import etree
from lxml.html import HtmlElement

from channels.email.reading.markdown import to_markdown
from channels.email.reading.trees import body_of, drop

# Names of classes and ids; Outlook puts "x_" before those of others.
_QUOTE = re.compile(
    r"(?:^|\s)(?:x_)*(?:gmail_quote|gmail_quote_container|gmail_extra|yahoo_quoted(?:_\w+)?|yahoo-quoted"
    r"|ydp\w*yahoo_quoted|moz-forward-container|protonmail_quote|tutanota_quote|zmail_extra"
    r"|zmail_extra_hr|quoted-mail|front-blockquote|airmail_ext_on|history_container|freshdesk_quote"
    r"|bloop_original_html|mailbox_replied|sh-quoted-content|quotedtext|hs_reply|skiff_quote"
    r"|OLK_SRC_BODY_SECTION|mail-editor-reference-message-container|isForwardContent|isReplyContent"
    r"|replySplit|reply_quote|gwQuote|wmQuoted|oldmessage|zimbra-quoted)(?:\s|$)",
    re.I,
)
_REST = re.compile(
    r"^(?:x_)*(?:divRplyFwdMsg|appendonsend|stopSpelling|zwchr|OutlookMessageHeader"
    r"|_rc_quote|reply-intro|lineBreakAtBeginningOfMessage-quote|divTagReplyFwd|spamark|origbody"
    r"|ms-outlook-mobile-body-separator-line|qc-separator)$",
    re.I,
)
_REST_CLASS = re.compile(r"(?:^|\s)(?:x_)*(?:OutlookMessageHeader|moz-email-headers-table)(?:\s|$)")
_CITE_PREFIX = re.compile(
    r"(?:^|\s)(?:x_)*(?:moz-cite-prefix|gmail_attr|gmail_default_attr|airmail_on|moz-email-headers)"
    r"(?:\s|$)"
)
_SIGNATURE = re.compile(
    r"(?:^|\s)(?:x_)*(?:[\w-]*signature|signature-body|gmail_signature_prefix|AppleMailSignatureView"
    r"|protonmail_signature_block(?:-user|-proton)?|bloop_sign\w*|Zm-_Id_-Sgn\d*)(?:\s|$)",
    re.I,
)
_TOP_RULE = re.compile(
    r"border\s*:\s*none\s*;\s*border-top\s*:\s*solid\s+(?:#?\w+\s+1\.0pt|#?\w+\s*)", re.I
)
_HEADER_WORDS = re.compile(
    r"^\W*(?:From|De|Von|Da|Van|Od|От|Från|Fra|Lähettäjä|发件人|寄件者|差出人|Kimden|Feladó)"
    r"\W{0,6}[:：]",
    re.I,
)
_MOST_TEXT = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitHtml:
    """A reply taken apart by its program's marks, as CommonMark."""

    reply: str
    quoted: str
    signature: str


def split_by_marks(root: HtmlElement) -> SplitHtml | None:
    """Return reply, quotation and signature, or None where no program left a mark.

    Also None where the author wrote between the quotations, or under them: then the lines
    themselves must tell.
    """
    body = copy.deepcopy(body_of(root))
    signature = _take(_outermost(body, _is_signature), body)
    quotes = _take_rest(body)
    subtrees = _outermost(body, _is_quote)
    if any(_has_words_between(quote) for quote in subtrees):
        return None
    if subtrees and _has_words_after(subtrees[0], body, subtrees):
        return None
    for prefix in _outermost(body, _is_prefix):
        if subtrees:
            subtrees.insert(0, prefix)
    quotes = _take(subtrees, body) + quotes
    if not quotes and not signature:
        return None
    reply = to_markdown(body)
    if not reply.strip():
        return None  # a forward, or a signature that holds all there is
    return SplitHtml(
        reply=reply, quoted="\n\n".join(filter(None, quotes)), signature="\n\n".join(signature)
    )


def _names(element: HtmlElement) -> list[str]:
    return [name for name in (element.get("class"), element.get("id")) if name]


def _is_quote(element: HtmlElement) -> bool:
    if any(_QUOTE.search(name) for name in _names(element)):
        # Gmail wraps a reply together with its quotation in "gmail_extra".
        return "gmail_extra" not in (element.get("class") or "")
    if element.tag == "blockquote":
        return (element.get("type") or "").lower() == "cite" or element.get("cite") is not None
    name = (element.get("name") or "").lower()
    return (
        name in {"quote", "messagereplysection"} or element.get("data-marker") == "__QUOTED_TEXT__"
    )


def _is_prefix(element: HtmlElement) -> bool:
    return bool(_CITE_PREFIX.search(element.get("class") or ""))


def _is_signature(element: HtmlElement) -> bool:
    if any(_SIGNATURE.search(name) for name in _names(element)):
        return True
    return (element.get("data-smartmail") or "") == "gmail_signature"


def _starts_rest(element: HtmlElement) -> bool:
    if _REST.match(element.get("id") or "") or _REST_CLASS.search(element.get("class") or ""):
        return True
    if element.tag == "div" and _TOP_RULE.search(element.get("style") or ""):
        return bool(_HEADER_WORDS.match("".join(_first_words(element))))
    if element.tag == "hr" and element.get("tabindex") == "-1":
        following = element.getnext()
        return following is not None and bool(_HEADER_WORDS.match("".join(_first_words(following))))
    return False


def _first_words(element: HtmlElement) -> list[str]:
    words: list[str] = []
    length = 0
    for piece in element.itertext():
        words.append(str(piece))
        length += len(words[-1])
        if length > _MOST_TEXT:
            break
    return words


def _outermost(body: HtmlElement, is_wanted: object) -> list[HtmlElement]:
    assert callable(is_wanted)
    found: list[HtmlElement] = []
    inside: HtmlElement | None = None
    for event, element in etree.iterwalk(body, events=("start", "end")):
        if event == "end":
            inside = None if element is inside else inside
        elif inside is None and element is not body and is_wanted(element):
            found.append(element)
            inside = element
    return found


def _take(elements: list[HtmlElement], body: HtmlElement) -> list[str]:
    texts: list[str] = []
    for element in elements:
        if element is not body and element.getparent() is not None:
            texts.append(to_markdown(element))
            drop(element)
    return [text for text in texts if text]


def _take_rest(body: HtmlElement) -> list[str]:
    start = next((one for one in body.iter(etree.Element) if _starts_rest(one)), None)
    if start is None or start is body:
        return []
    texts: list[str] = []
    element: HtmlElement | None = start
    while element is not None and element is not body:
        parent = element.getparent()
        for following in [*element.itersiblings()]:
            texts.append((following.tail or "").strip())
            texts.insert(-1, to_markdown(following))
            parent.remove(following)
        if element is start:
            texts.insert(0, to_markdown(element))
            texts.insert(1, (element.tail or "").strip())
            element.tail = None
            parent.remove(element)
        else:
            texts.append((element.tail or "").strip())
            element.tail = None
        element = parent
    return [text for text in texts if text]


def _has_words_between(quote: HtmlElement) -> bool:
    """Return whether a program's wrapper holds words of the author beside the quoted ones."""
    inner = [one for one in quote.iter("blockquote") if one is not quote]
    if quote.tag == "blockquote" or not inner:
        return False
    return any(_words(piece) for piece in _text_after(inner[0], quote))


def _has_words_after(first: HtmlElement, body: HtmlElement, quotes: list[HtmlElement]) -> bool:
    known = set(quotes)
    return any(_words(piece) for piece in _text_after(first, body, known))


def _text_after(
    element: HtmlElement, top: HtmlElement, apart: set[HtmlElement] | None = None
) -> list[str]:
    """Return the text behind `element` within `top`, except what stands in quotations."""
    texts: list[str] = []
    current = element
    while current is not top:
        texts.append(current.tail or "")
        for following in current.itersiblings():
            is_apart = following.tag == "blockquote" or (apart is not None and following in apart)
            if not is_apart and not _is_prefix(following) and not _is_signature(following):
                texts.append(_text_outside_quotes(following, apart or set()))
            texts.append(following.tail or "")
        parent = current.getparent()
        if parent is None:
            break
        current = parent
    return texts


def _text_outside_quotes(element: HtmlElement, apart: set[HtmlElement]) -> str:
    pieces = [element.text or ""]
    for child in element:
        if child.tag != "blockquote" and child not in apart and not _is_prefix(child):
            pieces.append(_text_outside_quotes(child, apart))
        pieces.append(child.tail or "")
    return "".join(pieces)


_WROTE = re.compile(r"\d.*[:：]\s*$", re.DOTALL)


def _words(text: str) -> bool:
    """Return whether `text` holds words; a line that only introduces a quotation does not count."""
    text = text.strip()
    return any(char.isalnum() for char in text) and not _WROTE.search(text)
