"""What `desk mail parse` and `desk mail visible` print."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from channels.email.reading.mail import Mail
from channels.email.reading.read import read_visible
from core.domain.errors import InvalidInput


def as_json(file: str, mail: Mail) -> dict[str, Any]:
    """Return the object printed for the mail in `file`; all keys are always there."""
    bounce = mail.bounce
    return {
        "file": file,
        "kind": str(mail.kind),
        "from_address": mail.author.address if mail.author else None,
        "from_name": mail.author.name if mail.author else None,
        "to": [one.address for one in mail.to],
        "cc": [one.address for one in mail.cc],
        "reply_to": [one.address for one in mail.reply_to],
        "subject": mail.subject,
        "date": mail.date.isoformat() if mail.date else None,
        "message_id": mail.message_id,
        "in_reply_to": " ".join(mail.in_reply_to) or None,
        "references": list(mail.references),
        "text": mail.text,
        "visible": mail.visible,
        "quoted": mail.quoted,
        "signature": mail.signature,
        "html": mail.html,
        "attachments": [
            {
                "name": one.name,
                "media_type": one.media_type,
                "size": one.size_bytes,
                "content_id": one.content_id,
                "inline": one.is_inline,
            }
            for one in mail.attachments
        ],
        "bounce": None
        if bounce is None
        else {
            "recipients": [
                {"address": one.address, "status": one.status, "permanent": one.is_permanent}
                for one in bounce.recipients
            ]
        },
        "authentication": {
            "spf": mail.authentication.spf,
            "dkim": mail.authentication.dkim,
            "dmarc": mail.authentication.dmarc,
            "verified": mail.authentication.is_verified,
        },
        "defects": list(mail.defects),
    }


def visible_replies(file: Path) -> Iterator[dict[str, Any]]:
    """Give ``{"id", "visible"}`` for each ``{"id", "format": "text|html", "input"}`` in a file.

    Raises:
        InvalidInput: a line is none of these.
    """
    with file.open(encoding="utf-8", errors="replace") as lines:
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            try:
                asked = json.loads(line)
                identity, content, form = asked["id"], asked["input"], asked.get("format", "text")
            except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
                raise InvalidInput(f"line {number}: not an object with id and input") from error
            if not isinstance(content, str) or form not in {"text", "html"}:
                raise InvalidInput(f"line {number}: input is text; format is text or html")
            yield {"id": identity, "visible": read_visible(content, is_html=form == "html")}
