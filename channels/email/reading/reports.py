"""Reads what mail servers report: failed, delayed and done deliveries, opened mail, complaints.

RFC 3464 (delivery status), RFC 8098 (disposition), RFC 5965 (feedback), and `failures` for the
many servers that write what they like.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from channels.email.reading import cms
from channels.email.reading.addresses import normal_address, parse_addresses
from channels.email.reading.defects import Defects
from channels.email.reading.failures import failed_recipients, looks_like_bounce, worded_failures
from channels.email.reading.headers import decode_words
from channels.email.reading.mail import Bounce, FailedRecipient, MailAddress, MailKind
from channels.email.reading.parts import Part
from channels.email.reading.plain import single_line
from channels.email.reading.threads import parse_ids
from channels.email.reading.transfer import decoded_content

_STATUS_TYPES = frozenset({"message/delivery-status", "message/global-delivery-status"})
_DISPOSITION_TYPES = frozenset(
    {"message/disposition-notification", "message/global-disposition-notification"}
)
_RETURNED_TYPES = frozenset(
    {"message/rfc822", "message/global", "text/rfc822-headers", "message/rfc822-headers"}
)
_MOST_BYTES = 200_000
_MOST_RECIPIENTS = 1_000
_FIELD = re.compile(r"([A-Za-z0-9-]{1,60}):[ \t]*(.*)")
_STATUS = re.compile(r"\b([245])\.(\d{1,3})\.(\d{1,3})\b")
_ID_LINE = re.compile(r"^[>\s]{0,6}message-id:\s*(<[^<>\s]{1,500}>)", re.I | re.M)
_THREAD_LINE = re.compile(
    r"^(message-id|in-reply-to|references):((?:.*)(?:\n[ \t].*)*)", re.I | re.M
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A report: its kind, and what it is about."""

    kind: MailKind
    about: Bounce


def read_report(
    root: Part, *, subject: str, author: MailAddress | None, text: str, defects: Defects
) -> Report | None:
    """Return what a mail reports, or None if it is no report."""
    parts = list(root.walk())
    if any(part.media_type == "message/feedback-report" for part in parts):
        about = Bounce(original_ids=_original_ids(root, parts, text, defects))
        return Report(kind=MailKind.FEEDBACK_REPORT, about=about)
    entity = cms.entity_of(root)
    report_type = entity.type.get("report-type").lower()
    groups = _delivery_groups(parts, defects)
    if groups and _is_report(root, entity):
        return _delivery_report(root, parts, groups, text, defects)
    if any(part.media_type in _DISPOSITION_TYPES for part in parts) and (
        report_type == "disposition-notification" or entity.media_type == "multipart/report"
    ):
        return _disposition_report(root, parts, text, defects)
    certainty = looks_like_bounce(root, subject=subject, author=author)
    if certainty is None:
        return None
    failed = failed_recipients(root, text, defects) or worded_failures(root, text, author)
    is_returned = any(part.media_type in _RETURNED_TYPES for part in parts)
    if not failed and not certainty and not is_returned:
        return None
    about = Bounce(
        recipients=tuple(failed[:_MOST_RECIPIENTS]),
        original_ids=_original_ids(root, parts, text, defects),
    )
    return Report(kind=MailKind.BOUNCE, about=about)


_REFUSED = re.compile(r"reject|refus|quota|over|full|denied|virus|spam", re.I)


def _disposition_report(root: Part, parts: list[Part], text: str, defects: Defects) -> Report:
    """Somebody opened the mail, or deleted it; or a server says so and means that it refused it."""
    groups = [
        group
        for part in parts
        if part.media_type in _DISPOSITION_TYPES
        for group in _groups(_head_text(part, defects))
    ]
    recipients = {
        address: group.get("disposition", "")
        for group in groups
        if (address := _address(group.get("original-recipient", "")))
        or (address := _address(group.get("final-recipient", "")))
    }
    subject = decode_words(root.header("subject") or "")
    is_refused = any(
        re.search(r"deleted|failed|denied|dispatched", disposition, re.I)
        and "automatic" in disposition.lower()
        for disposition in recipients.values()
    ) and bool(_REFUSED.search(subject) or _REFUSED.search(text[:1_000]))
    ids = _original_ids(root, parts, text, defects)
    named = [found for group in groups for found in parse_ids(group.get("original-message-id", ""))]
    ids = tuple(dict.fromkeys([*named, *ids]))
    if not is_refused:
        about = Bounce(original_ids=ids, delivered_to=tuple(recipients))
        return Report(kind=MailKind.DELIVERY_RECEIPT, about=about)
    failed = tuple(
        FailedRecipient(address=address, detail=single_line(text)[:500]) for address in recipients
    )
    return Report(kind=MailKind.BOUNCE, about=Bounce(recipients=failed, original_ids=ids))


def _is_report(root: Part, entity: Part) -> bool:
    """Return whether the mail itself is a report, and not one that has a report attached."""
    if entity.media_type == "multipart/report":
        return True
    return any(child.media_type in _STATUS_TYPES for child in entity.children) and (
        looks_like_bounce(root, subject=decode_words(root.header("subject") or ""), author=None)
        is not None
        or not (root.header("from") or "").strip()
    )


def _delivery_report(
    root: Part, parts: list[Part], groups: list[dict[str, str]], text: str, defects: Defects
) -> Report | None:
    failed: dict[str, FailedRecipient] = {}
    delivered: list[str] = []
    for group in groups:
        address = _address(group.get("original-recipient", "")) or _address(
            group.get("final-recipient", "")
        )
        action = group.get("action", "").split("(")[0].split(";")[0].strip().lower()
        status = _STATUS.search(group.get("status", "")) or _STATUS.search(
            group.get("diagnostic-code", "")
        )
        if address is None:
            continue
        is_done = action in {"delivered", "relayed", "expanded"} or (
            not action and status is not None and status.group(1) == "2"
        )
        if is_done:
            delivered.append(address)
            continue
        failed[address.lower()] = FailedRecipient(
            address=address,
            status=status.group() if status else None,
            is_permanent=_is_permanent(action, status.group(1) if status else ""),
            is_delayed=action == "delayed",
            detail=single_line(group.get("diagnostic-code", ""))[:500],
        )
    ids = _original_ids(root, parts, text, defects)
    if not failed and delivered:
        about = Bounce(original_ids=ids, delivered_to=tuple(dict.fromkeys(delivered)))
        return Report(kind=MailKind.DELIVERY_RECEIPT, about=about)
    worded = [] if failed else failed_recipients(root, text, defects)
    about = Bounce(
        recipients=(*failed.values(), *worded)[:_MOST_RECIPIENTS],
        original_ids=ids,
        delivered_to=tuple(dict.fromkeys(delivered)),
    )
    return Report(kind=MailKind.BOUNCE, about=about)


def _is_permanent(action: str, status_class: str) -> bool:
    if action == "delayed":
        return False
    if action == "failed":
        return True
    return status_class != "4"


def _delivery_groups(parts: list[Part], defects: Defects) -> list[dict[str, str]]:
    found: list[dict[str, str]] = []
    for part in parts:
        if part.media_type in _STATUS_TYPES:
            found += [
                group
                for group in _groups(_head_text(part, defects))
                if "final-recipient" in group or "original-recipient" in group
            ]
    return found[:_MOST_RECIPIENTS]


def _head_text(part: Part, defects: Defects) -> str:
    content = decoded_content(part, defects)[:_MOST_BYTES]
    return content.decode("utf-8", "replace").replace("\r\n", "\n")


def _groups(text: str) -> list[dict[str, str]]:
    groups: list[dict[str, str]] = []
    group: dict[str, str] = {}
    name = ""
    for line in text.split("\n"):
        if not line.strip():
            if group:
                groups.append(group)
            group, name = {}, ""
        elif line[0] in " \t" and name:
            group[name] += " " + line.strip()
        elif match := _FIELD.match(line):
            name = match.group(1).lower()
            if name in group:  # a server that leaves out the empty lines
                if name in {"final-recipient", "original-recipient"}:
                    groups.append(group)
                    group = {}
                else:
                    name = f"{name}-again"
            group[name] = match.group(2).strip()
    if group:
        groups.append(group)
    return groups


def _address(value: str) -> str | None:
    kind, separator, rest = value.partition(";")
    text = rest if separator and "@" not in kind else value
    text = text.strip().strip("<>").strip()
    address = normal_address(text)
    if address is None:
        found = parse_addresses(text)
        address = found[0].address if found and "@" in found[0].address else None
    return None if address is None or ".." in address else address


def _original_ids(root: Part, parts: list[Part], text: str, defects: Defects) -> tuple[str, ...]:
    ids: list[str] = []
    for part in parts:
        if part.media_type in _RETURNED_TYPES:
            head = re.split(r"\n[ \t]*\n", _head_text(part, defects).lstrip("\n"), maxsplit=1)[0]
            fields = [(name.lower(), value) for name, value in _THREAD_LINE.findall(head)]
            for wanted in ("message-id", "in-reply-to", "references"):
                for name, value in fields:
                    if name == wanted:
                        ids += reversed(parse_ids(value))
    ids += _ID_LINE.findall(text[:_MOST_BYTES])
    for name in ("in-reply-to", "references"):
        for value in root.all(name):
            ids += reversed(parse_ids(value))
    return tuple(dict.fromkeys(ids))
