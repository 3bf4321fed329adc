"""Decides which lines of a mail its author wrote this time.

The order of the rules: where the quotation begins, whether the author wrote under or between it,
and last what hangs below the author's own words (signature, device, small print).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from channels.email.reading import reply_words
from channels.email.reading.footers import without_banner, without_footer
from channels.email.reading.limits import MAX_REPLY_LINES
from channels.email.reading.reply_lines import Line, LineKind, classify

_K = LineKind
_SEAMS = frozenset({_K.MARKER, _K.FORWARD, _K.HEAD})
_OWN = frozenset({_K.WORDS, _K.CODE})
_LONG_QUOTE = 10  # lines; a longer one repeats the mail, a shorter one is what is answered
_NAME_QUOTE = re.compile(r"\s{0,3}[A-Z][A-Za-z]{0,8}>")
_GOODBYE_LINES = 6
_GOODBYE = re.compile(rf"\W*(?:{'|'.join(reply_words.GOODBYE)})", re.I)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A mail's text, taken apart. Nothing of it is in none of the three."""

    visible: str
    quoted: str = ""
    signature: str = ""
    forwarded: str | None = None  # the passed-on mail with its head, where it is one


def split_reply(text: str) -> Reply:
    """Return what the author of `text` wrote, and what the mail repeats or adds.

    Where nothing remains, as in a mere forward, what was passed on is what is visible.
    """
    head, rest = _within_reason(text)
    if rest:
        reply = split_reply(head)
        if reply.quoted and head.rstrip().endswith(reply.quoted[-200:].rstrip()):
            return replace(reply, quoted=f"{reply.quoted}\n{rest}")
        return replace(reply, visible=f"{reply.visible}\n{rest}")
    banner, lines = without_banner(classify(text))
    reply = _taken_apart(lines)
    if banner:
        return replace(reply, signature=_joined(_text(banner), reply.signature))
    return reply


def _taken_apart(lines: list[Line]) -> Reply:
    seam = _first(lines, _SEAMS)
    if seam is None:
        return _without_seam(lines)
    above = lines[:seam]
    if any(line.kind in _OWN and not line.is_quoted for line in above):
        return _below_own_words(lines, seam)
    if any(line.is_quoted for line in above):
        return _all_quoted(lines, seam)
    return _from_the_top(lines, seam)


def _within_reason(text: str) -> tuple[str, str]:
    lines = text.split("\n", MAX_REPLY_LINES)
    if len(lines) <= MAX_REPLY_LINES:
        return text, ""
    return "\n".join(lines[:-1]), lines[-1]


def _first(lines: list[Line], kinds: frozenset[LineKind], start: int = 0) -> int | None:
    return next((at for at in range(start, len(lines)) if lines[at].kind in kinds), None)


def _text(lines: list[Line]) -> str:
    return "\n".join(line.text for line in lines).strip("\n").rstrip()


def _has_own(lines: list[Line]) -> bool:
    return any(line.kind in _OWN and not line.is_quoted for line in lines)


def _without_seam(lines: list[Line]) -> Reply:
    body, footer = without_footer(lines)
    end = len(body)
    while end and (body[end - 1].is_quoted or body[end - 1].kind is _K.EMPTY):
        end -= 1
    if not _has_own(body[:end]):
        return Reply(visible=_text(body), signature=_text(footer))
    body, quoted = body[:end], body[end:]
    body, above_quote = without_footer(body)
    return Reply(
        visible=_text(body),
        quoted=_text(quoted),
        signature=_joined(_text(above_quote), _text(footer)),
    )


def _below_own_words(lines: list[Line], seam: int) -> Reply:
    above, below = lines[:seam], lines[seam:]
    is_forward = _is_forward(below)
    if lines[seam].kind is _K.MARKER:
        after = _after_marker(below)
        if not _NAME_QUOTE.match(below[after].text if after < len(below) else ""):
            under = _own_words_under(below[after:])
            if under is not None:
                return _answered_between(above, below[:after], under)
    own, footer = without_footer(above)
    return Reply(
        visible=_text(own),
        quoted=_text(below),
        signature=_text(footer),
        forwarded=_text(below) if is_forward else None,
    )


def _after_marker(below: list[Line]) -> int:
    """Return where the quotation begins: behind the lines that introduce it."""
    at = 0
    while at < len(below) and below[at].kind in {_K.MARKER, _K.HEAD, _K.EMPTY}:
        at += 1
    return at


@dataclass(frozen=True, slots=True, kw_only=True)
class _Under:
    runs: list[tuple[bool, list[Line]]]  # (is quotation, its lines), beginning with a quotation
    rest: list[Line]  # a further quotation, or a footer


def _own_words_under(lines: list[Line]) -> _Under | None:
    """Return what alternates under a marker, or None where nobody wrote under it.

    Text without quote marks right below a marker is the quotation, as Outlook makes it.
    """
    if not lines or not lines[0].is_quoted:
        return None
    stop = len(lines)
    for at, line in enumerate(lines):
        if line.kind in _SEAMS and not line.is_quoted:
            stop = at
            break
    inner, rest = lines[:stop], lines[stop:]
    inner, footer = without_footer(inner)
    runs: list[tuple[bool, list[Line]]] = []
    for at, line in enumerate(inner):
        is_quoted = line.is_quoted or _is_wrapped_quote(inner, at)
        if line.kind is _K.EMPTY and runs:
            runs[-1][1].append(line)
        elif runs and runs[-1][0] == is_quoted:
            runs[-1][1].append(line)
        else:
            runs.append((is_quoted, [line]))
    if not any(not is_quotation and _has_own(run) for is_quotation, run in runs):
        return None
    return _Under(runs=runs, rest=footer + rest)


def _is_wrapped_quote(lines: list[Line], at: int) -> bool:
    """Return whether a line is the tail of a quoted one that was too long for some program."""
    if not 0 < at < len(lines) - 1:
        return False
    before, after = lines[at - 1], lines[at + 1]
    start = lines[at].text.lstrip()[:1]
    return (
        before.is_quoted
        and after.is_quoted
        and len(before.text) >= 60
        and (start.islower() or start in "(<[")
    )


def _answered_between(above: list[Line], marker: list[Line], under: _Under) -> Reply:
    runs = list(under.runs)
    tail: list[Line] = []
    if runs[-1][0]:  # a quotation that nobody answered
        tail = runs.pop()[1]
    quotations = [run for is_quotation, run in runs if is_quotation]
    own = [line for is_quotation, run in runs if not is_quotation for line in run]
    dropped: list[Line] = []
    is_once = len(quotations) == 1
    is_long = is_once and sum(bool(line.text.strip("> \t")) for line in quotations[0]) > _LONG_QUOTE
    if is_once and (is_long or _is_goodbye(own)):
        dropped = quotations[0]
        runs = [run for run in runs if not run[0]]
    elif not _has_own(above) and is_once:
        dropped = quotations[0]
        runs = [run for run in runs if not run[0]]
    head, footer = without_footer(above)
    body = [line for _, run in runs for line in run]
    body, bottom = without_footer(body)
    parts = [_text(head), _text(body)]
    joint = "\n" if head and body and body[0].is_quoted else "\n\n"
    rest = _text(under.rest)
    is_more_mail = any(line.kind in _SEAMS for line in under.rest)
    return Reply(
        visible=joint.join(part for part in parts if part),
        quoted=_joined(_text(marker), _text(dropped), _text(tail), rest if is_more_mail else ""),
        signature=_joined(_text(footer), _text(bottom), "" if is_more_mail else rest),
    )


def _is_goodbye(own: list[Line]) -> bool:
    words = [line.text for line in own if line.text.strip()]
    return len(words) <= _GOODBYE_LINES and bool(words and _GOODBYE.match(words[0]))


def _all_quoted(lines: list[Line], seam: int) -> Reply:
    """A quotation stands first, and holds the seam or is followed by one."""
    if lines[seam].is_quoted:
        after = next(
            (
                at
                for at in range(seam, len(lines))
                if lines[at].kind in _OWN and not lines[at].is_quoted
            ),
            None,
        )
        if after is None:
            return Reply(visible="", quoted=_text(lines))
        body, footer = without_footer(lines)
        return Reply(visible=_text(body), signature=_text(footer))
    return Reply(visible=_text(lines[:seam]), quoted=_text(lines[seam:]))


def _from_the_top(lines: list[Line], seam: int) -> Reply:
    """Nothing of the author's stands above the first seam."""
    below = lines[seam:]
    if _is_forward(below) or below[0].kind is _K.HEAD or _has_head_next(below):
        return _mere_forward(lines[:seam], below)
    after = _after_marker(below)
    rest = below[after:]
    if not rest:
        return Reply(visible="", quoted=_text(lines))
    if not rest[0].is_quoted:
        inner = split_reply(_text(rest))
        return Reply(
            visible=inner.visible,
            quoted=_joined(_text(lines[: seam + after]), inner.quoted),
            signature=inner.signature,
        )
    under = _own_words_under(rest)
    if under is None:
        own, footer = without_footer(rest)
        return Reply(visible="", quoted=_text(lines[: seam + after] + own), signature=_text(footer))
    return _answered_between([], below[:after], under)


def _has_head_next(below: list[Line]) -> bool:
    after = next((line for line in below[1:] if line.kind is not _K.EMPTY), None)
    return after is not None and after.kind is _K.HEAD


def _is_forward(below: list[Line]) -> bool:
    return any(line.kind is _K.FORWARD for line in below[:4])


def _mere_forward(above: list[Line], below: list[Line]) -> Reply:
    at = 0
    while at < len(below) and below[at].kind in _SEAMS | {_K.EMPTY, _K.RULE}:
        at += 1
    passed_on = below[at:]
    if passed_on and all(line.is_quoted or line.kind is _K.EMPTY for line in passed_on):
        text = "\n".join(re.sub(r"^\s{0,3}>\s?", "", line.text) for line in passed_on)
    else:
        text = "\n".join(line.text for line in passed_on)
    visible = text.strip("\n").rstrip()
    return Reply(visible=visible, signature=_text(above), forwarded=_text(below))


def _joined(*texts: str) -> str:
    return "\n\n".join(text for text in texts if text)
