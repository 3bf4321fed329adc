"""The way from a mail's bytes to a `Mail`, step by step."""

from __future__ import annotations

import html
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime

from channels.email.reading.addresses import parse_addresses
from channels.email.reading.attachments import with_distinct_names
from channels.email.reading.authentication import read_authentication
from channels.email.reading.automation import kind_of
from channels.email.reading.bodies import Block, Bodies, choose_bodies
from channels.email.reading.calendars import invitation_of, is_answer
from channels.email.reading.dates import parse_date
from channels.email.reading.defects import Defects
from channels.email.reading.disguises import note_disguises
from channels.email.reading.forwards import is_forward_subject, read_forwarded
from channels.email.reading.headers import decode_words, raw_text
from channels.email.reading.limits import MAX_HTML_CHARS, MAX_MAIL_BYTES, MAX_TEXT_CHARS
from channels.email.reading.mail import Attachment, Forwarded, Mail, MailAddress, MailKind
from channels.email.reading.parts import Part, take_apart
from channels.email.reading.plain import storable
from channels.email.reading.replies import Reply, split_reply
from channels.email.reading.reports import read_report
from channels.email.reading.threads import parse_ids, parse_message_id
from channels.email.reading.transfer import decoded_content

_MOST_HEADER_CHARS = 4_000
_LONGEST_SUBJECT = 998
_PGP_MESSAGE = "-----BEGIN PGP MESSAGE-----"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Texts:
    text: str
    reply: Reply
    html: str | None


def read_mail(
    raw: bytes, *, trusted_authserv_ids: Collection[str] = (), own_addresses: Collection[str] = ()
) -> Mail:
    """Read a mail. Total: whatever `raw` is, there is a `Mail`, with `defects`.

    Where `is_over_limits` is true, part of it was not read: the mail is built to be too much.

    Args:
        raw: the mail as it came over the wire.
        trusted_authserv_ids: relays whose `Authentication-Results` are believed.
        own_addresses: the desk's; a mailing list that is one of them does not make mail bulk.
    """
    defects = Defects()
    if len(raw) > MAX_MAIL_BYTES:
        defects.over_limits("mail too large")
        raw = raw[:MAX_MAIL_BYTES]
    root = take_apart(raw, defects)
    authors = _mailboxes(root, "from", defects)
    author = authors[0] if authors else None
    note_disguises(author, defects)
    subject = decode_words(root.header("subject") or "")[:_LONGEST_SUBJECT]
    date = _date(root, defects)
    bodies = choose_bodies(root, defects)
    texts = _texts(bodies, defects)
    mail = Mail(
        author=author,
        sender=next((one for one in _mailboxes(root, "sender", defects) if one != author), None),
        to=_mailboxes(root, "to", defects),
        cc=_mailboxes(root, "cc", defects),
        reply_to=_mailboxes(root, "reply-to", defects),
        subject=subject,
        date=date,
        message_id=parse_message_id(root.header("message-id")),
        in_reply_to=parse_ids(" ".join(root.all("in-reply-to"))),
        references=parse_ids(" ".join(root.all("references"))),
        text=texts.text,
        visible=texts.reply.visible,
        quoted=texts.reply.quoted,
        signature=texts.reply.signature,
        html=texts.html,
        attachments=_attachments(bodies.attachments, texts.html),
        forwarded=_forwarded(texts.reply, subject) or _enclosed(root, texts.reply, subject),
        invitation=invitation_of(root, defects),
        is_locked=bodies.is_locked or texts.reply.visible.startswith(_PGP_MESSAGE),
        headers=_headers(root),
    )
    mail = _with_kind(mail, root, own_addresses, defects)
    if len(authors) > 1:
        defects.note("several authors")
    verified = read_authentication(
        root,
        author=author if len(authors) == 1 and len(root.all("from")) == 1 else None,
        trusted=trusted_authserv_ids,
        defects=defects,
    )
    return replace(
        mail,
        authentication=verified,
        defects=tuple(defects),
        is_over_limits=defects.is_over_limits,
    )


def _with_kind(mail: Mail, root: Part, own_addresses: Collection[str], defects: Defects) -> Mail:
    """Return `mail` with what it is: a person's, a machine's, or a report on another."""
    subject, author = mail.subject, mail.author
    report = read_report(root, subject=subject, author=author, text=mail.text, defects=defects)
    if report is not None:
        return replace(mail, kind=report.kind, bounce=report.about, visible=mail.text)
    kind = kind_of(root, subject=subject, author=author, own_addresses=own_addresses)
    if kind is MailKind.HUMAN and is_answer(root) and not mail.visible:
        kind = MailKind.AUTO_REPLY  # a button was pressed, and nothing written
    return replace(mail, kind=kind)


def _date(root: Part, defects: Defects) -> datetime | None:
    value = root.header("date")
    date = parse_date(value) if value else None
    if value and date is None:
        defects.note("malformed date")
    return date


def read_visible(content: str, *, is_html: bool) -> str:
    """Return what the author wrote, of a mail's body alone."""
    content = storable(content)
    block = Block(html=content) if is_html else Block(plain=content)
    return _texts(Bodies(blocks=[block]), Defects()).reply.visible


def _mailboxes(root: Part, name: str, defects: Defects) -> tuple[MailAddress, ...]:
    values = root.all(name)
    found = parse_addresses(", ".join(values)) if values else ()
    if name == "from" and len(values) > 1:
        defects.note("several From headers")
    is_group = any(":" in value for value in values)  # "undisclosed-recipients:;" is nobody
    if not found and not is_group and any(value.strip() for value in values):
        defects.note(f"malformed {name.title()}")
    return found


def _headers(root: Part) -> tuple[tuple[str, str], ...]:
    return tuple(
        (name, decode_words(raw_text(value[:_MOST_HEADER_CHARS]))) for name, value in root.headers
    )


def _texts(bodies: Bodies, defects: Defects) -> _Texts:
    """Turn the blocks of text into one text, one reply, and one page for the console."""
    has_html = any(block.html for block in bodies.blocks)
    if not has_html:
        text = "\n\n".join(block.plain or "" for block in bodies.blocks)[:MAX_TEXT_CHARS].strip(
            "\n"
        )
        return _Texts(text=text.rstrip(), reply=split_reply(text), html=None)
    return _texts_of_html(bodies, defects)


def _texts_of_html(bodies: Bodies, defects: Defects) -> _Texts:
    from channels.email.reading.client_quotes import split_by_marks
    from channels.email.reading.markdown import to_markdown
    from channels.email.reading.sanitising import sanitise
    from channels.email.reading.trees import body_of, parse_html

    page = "\n".join(
        block.html
        if block.html
        else f'<div style="white-space:pre-wrap">{html.escape(block.plain or "")}</div>'
        for block in bodies.blocks
    )
    if len(page) > MAX_HTML_CHARS:
        defects.note("HTML too long: cut")
    root = parse_html(page, defects)
    if root is None:
        text = "\n\n".join(block.plain or "" for block in bodies.blocks).strip("\n")
        return _Texts(text=text, reply=split_reply(text), html=None)
    shown = to_markdown(body_of(root))
    plain = "\n\n".join(
        block.plain if block.plain and block.plain.strip() else "" for block in bodies.blocks
    ).strip("\n")
    if any(block.plain is None for block in bodies.blocks) or _says_less(plain, shown):
        plain = shown
    text = plain[:MAX_TEXT_CHARS].rstrip()
    marks = split_by_marks(root)
    if marks is None:
        reply = split_reply(text)
    else:
        inner = split_reply(marks.reply)
        reply = Reply(
            visible=inner.visible,
            quoted="\n\n".join(filter(None, [inner.quoted, marks.quoted])),
            signature="\n\n".join(filter(None, [inner.signature, marks.signature])),
            forwarded=inner.forwarded or split_reply(text).forwarded,
        )
    return _Texts(text=text, reply=reply, html=sanitise(root) or None)


def _says_less(plain: str, shown: str) -> bool:
    """Return whether a mail's plain form is only a notice that its other form should be read."""
    words, others = len(plain.split()), len(shown.split())
    return words == 0 or (words < 25 and words * 5 < others)


def _attachments(found: list[Attachment], page: str | None) -> tuple[Attachment, ...]:
    """Mark what the page shows as inline."""
    page = page or ""
    return with_distinct_names(
        [
            replace(one, is_inline=True)
            if one.content_id and f"cid:{html.escape(one.content_id)}" in page
            else one
            for one in found
        ]
    )


def _enclosed(root: Part, reply: Reply, subject: str) -> Forwarded | None:
    """Return the one mail that another encloses, where nothing else is what that is sent for."""
    enclosed = [part for part in root.walk() if part.media_type == "message/rfc822"]
    if len(enclosed) != 1 or not (is_forward_subject(subject) or not reply.visible):
        return None
    within = Defects()
    inner = take_apart(decoded_content(enclosed[0], within), within)
    if within.is_over_limits:
        return None
    authors = parse_addresses(inner.header("from") or "")
    texts = _texts(choose_bodies(inner, within), within)
    return Forwarded(
        author=authors[0] if authors else None,
        subject=decode_words(inner.header("subject") or "")[:_LONGEST_SUBJECT],
        text=texts.reply.visible,
    )


def _forwarded(reply: Reply, subject: str) -> Forwarded | None:
    if reply.forwarded is not None:
        return read_forwarded(reply.forwarded)
    if is_forward_subject(subject) and reply.quoted:
        forwarded = read_forwarded(reply.quoted)
        return forwarded if forwarded.author is not None else None
    return None
