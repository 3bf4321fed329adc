"""Reads address headers (RFC 5322), as tolerant as people's mail programs."""

from __future__ import annotations

import re

from channels.email.reading.headers import decode_words
from channels.email.reading.limits import MAX_ADDRESSES
from channels.email.reading.mail import MailAddress
from channels.email.reading.plain import single_line

_MOST_CHARS = 320
_ADDRESS = re.compile(r"[^\s<>()\[\],;:\"]{1,128}@[^\s<>(),;:\"@]{1,255}")
_WHOLE = re.compile(
    r"(?:[^\s<>@]{1,128}|\"[^\"\n]{1,128}\")@(?:[^\s<>@,;()]{1,255}|\[[^\]]{1,60}\])"
)


def parse_addresses(value: str) -> tuple[MailAddress, ...]:
    """Return the mailboxes in a header value that is not yet decoded; what is none is left out.

    A single word without a domain, as local mail systems write, is an address too.
    """
    found: list[MailAddress] = []
    for item in _items(value):
        mailbox = _mailbox(item)
        if mailbox is not None and mailbox not in found:
            found.append(mailbox)
        if len(found) >= MAX_ADDRESSES:
            break
    return tuple(found)


def normal_address(text: str) -> str | None:
    """Return `text` as an address with its domain in lower case, or None if it is none."""
    text = single_line(text).strip(" <>'\"").strip()
    if ":" in text and text.startswith("@"):  # a source route: <@relay:person@example.org>
        text = text.rpartition(":")[2]
    text = text.removeprefix("mailto:").removeprefix("MAILTO:").rstrip(".,;")
    text = re.sub(r"\s*([@.])\s*", r"\1", text) if " " in text else text
    if len(text) > _MOST_CHARS or not _WHOLE.fullmatch(text):
        return None
    local, _, domain = text.rpartition("@")
    return f"{local}@{domain.lower().rstrip('.')}"


def _items(value: str, *, with_quotes: bool = True) -> list[str]:
    items: list[str] = []
    start = comment = 0
    in_quotes = in_angle = escaped = has_at = False
    for index, char in enumerate(value):
        if escaped:
            escaped = False
        elif char == "\\" and (in_quotes or comment):
            escaped = True
        elif in_quotes:
            in_quotes = char != '"'
        elif char == '"' and with_quotes and not comment:
            in_quotes = True
        elif char == "(" and not in_angle:
            comment += 1
        elif char == ")" and comment:
            comment -= 1
        elif comment:
            continue
        elif char == "<":
            in_angle = True
        elif char == ">":
            in_angle = False
        elif char == "@":
            has_at = True
        elif char in ",;\n" and (has_at or not in_angle):
            items.append(value[start:index])
            start, in_angle, has_at = index + 1, False, False
        elif char == ":" and not in_angle and not has_at and not _is_mailto(value[start:index]):
            start = index + 1  # the name of a group
    if (in_quotes or comment) and with_quotes:
        # A quote or a bracket that never closes would swallow all that follows.
        rest = _items(value[start:].replace("(", " "), with_quotes=False)
        return items + rest
    items.append(value[start:])
    return items


def _is_mailto(text: str) -> bool:
    return text[-10:].strip().lower() == "mailto"


def _mailbox(item: str) -> MailAddress | None:
    item = item.strip()
    if not item:
        return None
    if "@" not in item and "=?" in item:
        item = decode_words(item)
    opening = item.rfind("<")
    while opening > 0 and "@" not in item[opening:] and "@" in item[:opening]:
        earlier = item.rfind("<", 0, opening)
        if earlier == -1:
            break
        opening = earlier
    if opening != -1:
        inside, _, after = item[opening + 1 :].partition(">")
        address = normal_address(inside)
        if address is not None:
            return MailAddress(address=address, name=_name(f"{item[:opening]} {after}", address))
    bare = re.sub(r"\([^()]*\)", " ", item).strip()
    address = normal_address(bare)
    if address is not None:
        comment = re.search(r"\(([^()]*)\)", item)
        return MailAddress(
            address=address, name=_name(comment.group(1) if comment else "", address)
        )
    match = _ADDRESS.search(item)
    if match is not None:
        address = normal_address(match.group())
        if address is not None:
            rest = item[: match.start()] + " " + item[match.end() :]
            return MailAddress(address=address, name=_name(rest, address))
    if re.fullmatch(r"<?[\w.+-]{1,64}>?", bare) and bare.strip("<>"):
        return MailAddress(address=bare.strip("<>"))
    if opening > 0 and re.fullmatch(r"[\w.+-]{1,64}", item[opening + 1 :].strip("> ")):
        local = item[opening + 1 :].strip("> ")
        return MailAddress(address=local, name=_name(item[:opening], local))
    return None


def _name(text: str, address: str) -> str:
    text = decode_words(text.strip()).strip(" <>,;")
    if len(text) >= 2 and text[0] in "\"'" and text[-1] == text[0]:
        text = text[1:-1]
    text = re.sub(r"\\(.)", r"\1", text).replace('"', " ").strip()
    if text.startswith("(") and text.endswith(")"):
        text = text[1:-1]
    text = single_line(text)[:200]
    return "" if text.lower() == address.lower() else text
