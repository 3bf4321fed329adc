"""Finds who first wrote a mail that somebody passed on."""

from __future__ import annotations

import re

from channels.email.reading.addresses import parse_addresses
from channels.email.reading.mail import Forwarded, MailAddress
from channels.email.reading.plain import single_line
from channels.email.reading.reply_lines import head_name

_MARKS = re.compile(r"^(?:\s{0,3}>)+\s?")
_STARS = re.compile(r"\*+|^[\s|]+|[\s|]+$")
_FORWARD_SUBJECT = re.compile(
    r"\s*(?:fwd?|fw|wg|rv|reenv|res?v|tr|enc|i|doorst|pd|vb|vs|vl|fs|vyz|转发|轉寄|転送|пересл|прд)\s*[:：]",
    re.I,
)
_MOST_LINES = 40


def is_forward_subject(subject: str) -> bool:
    """Return whether a subject begins as programs begin that of a mail passed on."""
    return bool(_FORWARD_SUBJECT.match(subject))


def read_forwarded(text: str) -> Forwarded:
    """Return author, subject and text of a passed-on mail, whose head stands first in `text`."""
    lines = text.split("\n")
    author = None
    subject = ""
    end = 0
    name = None
    for at, raw in enumerate(lines[:_MOST_LINES]):
        line = _STARS.sub("", _MARKS.sub("", raw))
        found = head_name(line)
        value = re.split(r"[:：]", line, maxsplit=1)[-1].strip() if found else line
        if found == "from" and author is None:
            author = _first_mailbox(value)
        elif found == "subject" and not subject:
            subject = single_line(value)
        elif found is None and line.strip():
            if name == "subject" and end == at and subject:
                subject = single_line(f"{subject} {line}")
            elif name == "from" and end == at and author is None:
                author = _first_mailbox(line)
            elif name is not None and end == at and at + 1 < len(lines) and _is_head(lines[at + 1]):
                pass  # a header that went on in the next line
            elif name is not None:
                break
            else:
                continue
        elif found is None:
            continue
        name = found or name
        end = at + 1
    body = "\n".join(lines[end:]).strip("\n")
    return Forwarded(author=author, subject=subject, text=body)


def _is_head(line: str) -> bool:
    return head_name(_STARS.sub("", _MARKS.sub("", line))) is not None


def _first_mailbox(value: str) -> MailAddress | None:
    value = re.sub(r"\[mailto:([^\]\s]{1,200})\]", r"<\1>", value)
    value = re.sub(r"<?mailto:([^>\s]{1,200})>{0,2}", r"<\1>", value)
    value = re.sub(r"\[([^\]]{1,100})\]\(<?[^)]{1,200}>?\)", r"\1", value)
    return next((one for one in parse_addresses(value) if "@" in one.address), None)
