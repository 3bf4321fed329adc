"""Finds the failed addresses in bounces that follow no standard."""

from __future__ import annotations

import email
import re
from email import policy

from flufl.bounce import all_failures

from channels.email.reading import kind_words
from channels.email.reading.addresses import normal_address, parse_addresses
from channels.email.reading.automation import is_null_return_path
from channels.email.reading.defects import Defects
from channels.email.reading.mail import FailedRecipient, MailAddress
from channels.email.reading.parts import Part

_MOST_BYTES = 200_000
_MOST_PARTS = 50
_SURE_DAEMON = re.compile(
    r"mailer[-_. ]?daemon|mail[-_. ]?daemon|post[-_. ]?master|mail[-_. ]?delivery.*|mdaemon|mmdf"
    r"|microsoftexchange.*",
    re.I,
)
# Enough together with a subject that speaks of failure: no person is called so.
_DAEMON = re.compile(
    r"smtp|gateway|virus|admin|system|server|deliver|daemon|bounce|robot|postmaster|majordomo"
    r"|mailnull|^imss|^ndr$|^mail$|^mta|^mrelay|no-?reply|mailsweeper|uucp|exchange",
    re.I,
)
_FAILED_SUBJECT = re.compile("|".join(kind_words.FAILED), re.I)
_REPLY_SUBJECT = re.compile(r"\s*(?:re|aw|sv|rv|fwd?|wg|antw|odp|ref|vs|tr|i)\s*:", re.I)
_WILL_RETRY = re.compile("|".join(kind_words.WILL_RETRY), re.I)
_STATUS = re.compile(r"(?<![\d.])([45])\.\d{1,3}\.\d{1,3}(?![\d.])")
_REPLY_CODE = re.compile(r"(?<![\d.])([45])[0-7]\d(?=[ \-:][^\d.])")
_ADDRESS = re.compile(r"[A-Za-z0-9!#$%&*+/=?^_{|}~.\-]{1,64}@[A-Za-z0-9\-.]{1,200}[A-Za-z]")
_ORIGINAL = re.compile(
    r"^[-= ]*(?:original message|the following is the|this is a copy of|below this line"
    r"|begin(?:ning)? of (?:the )?original|included is|message header|mensaje"
    r" original|message d'origine|urspr[uü]ngliche nachricht|return-path:|received:|message-id:)",
    re.I,
)
_FAILURE_LINE = re.compile(
    r"fail|undeliver|not (?:be )?deliver|unknown|reject|does(?:n't| not) exist|couldn't|could not"
    r"|unable|no such|invalid|not found|bounce|recipient|following address|mailbox|quota|full|said:"
    r"|wasn't|5\d\d|4\d\d|no (?:existe|se)|inconnu|unbekannt|non esiste|onbekend|nieznan|неизвест"
    r"|nicht|n[aã]o|okänd|ukjent|ukendt|不存在|存在しません",
    re.I,
)


def looks_like_bounce(root: Part, *, subject: str, author: MailAddress | None) -> bool | None:
    """Return True for a bounce beyond doubt, False for what may be one, None for what is none.

    Who writes about a bounce, or answers one, is a person and no mail system.
    """
    is_null = is_null_return_path(root)
    if root.header("x-failed-recipients"):
        return True
    names = [author.address.rpartition("@")[0] or author.address, author.name] if author else []
    names += [(root.header("return-path") or "").strip("<> ").partition("@")[0]]
    if author is None:
        names += ["mailer-daemon"] if "daemon" in (root.header("from") or "").lower() else []
    is_sure = any(_SURE_DAEMON.fullmatch(name.strip()) for name in names)
    is_daemon = is_sure or any(_DAEMON.search(name) for name in names)
    is_answer = bool(_REPLY_SUBJECT.match(subject)) or bool(root.header("user-agent"))
    says_failed = bool(_FAILED_SUBJECT.search(subject))
    if is_answer:
        return False if is_null or is_sure else None
    if says_failed and (is_null or is_sure):
        return True
    if is_sure or is_null or (says_failed and (is_daemon or _has_no_author(author))):
        return False
    return None


def _has_no_author(author: MailAddress | None) -> bool:
    return author is None or "@" not in author.address


def failed_recipients(root: Part, text: str, defects: Defects) -> list[FailedRecipient]:
    """Return the failed addresses that the known forms of servers give; see `flufl.bounce`."""
    if sum(1 for _ in root.walk()) > _MOST_PARTS or defects.is_over_limits:
        return []
    message = email.message_from_bytes(
        root.raw[root.header_start : root.header_start + _MOST_BYTES], policy=policy.compat32
    )
    try:
        temporary, permanent = all_failures(message)
    except (ValueError, LookupError, TypeError, AttributeError, AssertionError, RecursionError):
        defects.note("bounce of an odd form")
        return []
    found: list[FailedRecipient] = []
    for raw, is_permanent in [(one, True) for one in permanent] + [
        (one, False) for one in temporary
    ]:
        shown = raw.decode("utf-8", "replace") if isinstance(raw, bytes) else raw
        address = normal_address(shown)
        if address is not None and "..." not in address:
            found.append(_with_detail(address, text, root, is_permanent=is_permanent))
    return sorted(found, key=lambda one: one.address)


def worded_failures(root: Part, text: str, author: MailAddress | None) -> list[FailedRecipient]:
    """Return the failed addresses that the text of a bounce names in its own words."""
    head = root.header("x-failed-recipients")
    if head:
        return [
            _with_detail(one.address, text, root, is_permanent=not _is_for_now(text, root))
            for one in parse_addresses(head)
            if "@" in one.address
        ]
    ours = {one.address.lower() for one in parse_addresses(root.header("to") or "")}
    ours |= {author.address.lower()} if author else set()
    likely: dict[str, None] = {}
    named: dict[str, None] = {}
    lines = text[:_MOST_BYTES].split("\n")[:400]
    for at, line in enumerate(lines):
        if _ORIGINAL.match(line.strip()):
            break
        around = " ".join(lines[max(0, at - 3) : at + 3])
        for match in _ADDRESS.findall(line[:2_000]):
            address = normal_address(match)
            if address is None or ".." in address or address.lower() in ours:
                continue
            if _is_servers(address):
                continue
            named[address] = None
            if _FAILURE_LINE.search(around[:4_000]):
                likely[address] = None
    chosen = list(likely) or (list(named) if len(named) == 1 else [])
    is_permanent = not _is_for_now(text, root)
    return [_with_detail(one, text, root, is_permanent=is_permanent) for one in chosen[:50]]


def _is_servers(address: str) -> bool:
    local, _, domain = address.partition("@")
    return bool(_SURE_DAEMON.fullmatch(local)) or domain.startswith(("mail.gmail.com", "mx."))


def _will_retry(text: str, root: Part) -> bool:
    """Return whether a server says that it has not given up."""
    return bool(
        _WILL_RETRY.search(root.header("subject") or "") or _WILL_RETRY.search(text[:4_000])
    )


def _is_for_now(text: str, root: Part) -> bool:
    head = text[:4_000]
    if _WILL_RETRY.search(root.header("subject") or ""):
        return True
    status = _STATUS.search(head) or _REPLY_CODE.search(head)
    if status is not None:
        return status.group(1) == "4"
    return bool(_WILL_RETRY.search(head))


def _with_detail(address: str, text: str, root: Part, *, is_permanent: bool) -> FailedRecipient:
    at = text.lower().find(address.lower())
    near = text[max(0, at - 300) : at + 1_200] if at != -1 else text[:2_000]
    wanted = "5" if is_permanent else "4"
    status = next((one for one in _STATUS.finditer(near) if one.group(1) == wanted), None)
    detail = ""
    if status is not None:
        begin = near.rfind("\n", 0, status.start()) + 1
        detail = " ".join(near[begin:].split("\n")[0].split())[:500]
    return FailedRecipient(
        address=address,
        status=status.group() if status else None,
        is_permanent=is_permanent,
        is_delayed=not is_permanent and _will_retry(text, root),
        detail=detail,
    )
