"""Chooses which parts of a mail are its text; every other leaf is an attachment."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from channels.email.reading import charsets, cms
from channels.email.reading.attachments import attachments_of, is_file, is_text, unpacked_tnef
from channels.email.reading.defects import Defects
from channels.email.reading.flowed import unflowed
from channels.email.reading.limits import MAX_FILES, MAX_HTML_CHARS, MAX_TEXT_CHARS
from channels.email.reading.mail import Attachment
from channels.email.reading.parts import Part
from channels.email.reading.plain import storable, unframed
from channels.email.reading.transfer import decoded_content, without_uuencoded

_META_CHARSET = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?([A-Za-z0-9_:.+-]{2,40})", re.I)
_ENRICHED_COMMAND = re.compile(r"<(?!<)[^<>\n]{1,60}>")


@dataclass(slots=True, kw_only=True)
class Block:
    """A stretch of the text, in one form or as the same in two."""

    plain: str | None = None
    html: str | None = None


@dataclass(slots=True, kw_only=True)
class Bodies:
    """The text in reading order, and all that is not text."""

    blocks: list[Block] = field(default_factory=list)
    attachments: list[Attachment] = field(default_factory=list)
    is_locked: bool = False  # something of it is encrypted


def choose_bodies(root: Part, defects: Defects) -> Bodies:
    """Sort the leaves below `root` into text and attachments. No leaf is left out.

    Envelopes are opened, for whoever walks through `root` afterwards too. Of more files than
    `MAX_FILES` the first are returned.
    """
    chosen = Bodies()
    cms.open_envelopes(root, defects)
    _visit(root, chosen, defects)
    if len(chosen.attachments) > MAX_FILES:
        defects.over_limits("too many files")
        del chosen.attachments[MAX_FILES:]
    if not any(block.plain or block.html for block in chosen.blocks):
        _text_from_tnef(root, chosen, defects)
    return chosen


def _visit(part: Part, chosen: Bodies, defects: Defects) -> None:
    if part.media_type.startswith("multipart/"):
        children = part.children
        if not children:
            _text_of_broken_multipart(part, chosen, defects)
        elif part.media_type == "multipart/alternative":
            _alternative(children, chosen, defects)
        else:
            chosen.is_locked = chosen.is_locked or part.media_type == "multipart/encrypted"
            for child in children:
                _visit(child, chosen, defects)
    elif is_text(part) and not is_file(part):
        if part.content.strip():
            chosen.blocks.append(_block(part, chosen, defects))
    else:
        found = attachments_of(part, defects)
        chosen.attachments += found
        if cms.is_envelope(part) and len(found) == 1:
            chosen.is_locked = chosen.is_locked or cms.is_locked(found[0].content)
            for child in part.children:  # what it holds, where it is only signed
                _visit(child, chosen, defects)


def _alternative(children: list[Part], chosen: Bodies, defects: Defects) -> None:
    """Take all of the forms in which people can read it; the last of a form is the best."""
    block = Block()
    nested: list[Block] = []
    for child in children:
        if child.media_type.startswith("multipart/"):
            inner = Bodies()
            _visit(child, inner, defects)
            chosen.attachments += inner.attachments
            chosen.is_locked = chosen.is_locked or inner.is_locked
            nested += inner.blocks
        elif is_text(child) and not is_file(child):
            if child.content.strip():
                found = _block(child, chosen, defects)
                block.plain = found.plain or block.plain
                block.html = found.html or block.html
        else:
            chosen.attachments += attachments_of(child, defects)
    htmls = [inner.html for inner in nested if inner.html]
    plains = [inner.plain for inner in nested if inner.plain]
    if htmls:
        block.html = "\n".join(htmls)
    if plains and (block.plain is None or not htmls):
        block.plain = "\n\n".join(plains)
    if block.plain or block.html:
        chosen.blocks.append(block)


def _block(part: Part, chosen: Bodies, defects: Defects) -> Block:
    content = decoded_content(part, defects)
    is_html = part.media_type == "text/html"
    limit = MAX_HTML_CHARS if is_html else MAX_TEXT_CHARS
    if len(content) > 4 * limit:
        chosen.attachments.append(_as_file(part, content, defects))
        content = content[: 4 * limit]
    label = part.type.get("charset")
    if is_html and not label and (declared := _META_CHARSET.search(content[:4_096])):
        label = declared.group(1).decode("ascii")
    text, defect = charsets.decode(content, label)
    if defect:
        defects.note(defect)
    if len(text) > limit:
        if len(content) < 4 * limit:
            chosen.attachments.append(_as_file(part, content, defects))
        text = text[:limit]
    text = storable(text)
    if is_html:
        return Block(html=text)
    if part.media_type in {"text/enriched", "text/richtext"}:
        text = _ENRICHED_COMMAND.sub("", text).replace("<<", "<")
    if part.type.get("format").lower() == "flowed":
        text = unflowed(text, delete_space=part.type.get("delsp").lower() == "yes")
    text, files = without_uuencoded(unframed(text), defects)
    for file in files:
        chosen.attachments.append(
            Attachment(
                name=storable(file.name),
                media_type="application/octet-stream",
                content=file.content,
            )
        )
    if not is_html and re.match(r"\s*<(!doctype html|html)[\s>]", text, re.I):
        return Block(html=text)
    return Block(plain=text)


def _as_file(part: Part, content: bytes, defects: Defects) -> Attachment:
    defects.note("text too long: attached as a file")
    name = "text.html" if part.media_type == "text/html" else "text.txt"
    return Attachment(name=name, media_type=part.media_type, content=content)


def _text_of_broken_multipart(part: Part, chosen: Bodies, defects: Defects) -> None:
    if part.content.strip():
        part.type = type(part.type)(value="text/plain", parameters=part.type.parameters)
        chosen.blocks.append(_block(part, chosen, defects))


def _text_from_tnef(root: Part, chosen: Bodies, defects: Defects) -> None:
    for part in root.walk():
        if part.media_type == "application/ms-tnef":
            unpacked = unpacked_tnef(decoded_content(part, defects), defects)
            if unpacked is not None and (unpacked.text or unpacked.html):
                chosen.blocks.append(
                    Block(
                        plain=storable(unpacked.text[:MAX_TEXT_CHARS]) if unpacked.text else None,
                        html=storable(unpacked.html[:MAX_HTML_CHARS]) if unpacked.html else None,
                    )
                )
                return
