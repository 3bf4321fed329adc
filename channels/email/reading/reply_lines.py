"""Says of each line of a mail's text what it is: words, quotation, or the seam between them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from channels.email.reading import reply_words as words

_LONGEST_MARKER = 400
_MOST_MARKER_LINES = 5


class LineKind(StrEnum):
    """What a line is."""

    EMPTY = "empty"
    WORDS = "words"
    QUOTE = "quote"  # begins with > or |, or with a name and >
    MARKER = "marker"  # "On … wrote:", "-----Original Message-----"
    FORWARD = "forward"  # "Forwarded message"
    HEAD = "head"  # From:, Sent:, To: of a quoted mail
    RULE = "rule"  # ------, ______
    SIGNATURE = "signature"  # the line "--"
    SENT_FROM = "sent_from"  # "Sent from my telephone"
    CODE = "code"  # in a fenced block


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line and what it is."""

    text: str
    kind: LineKind
    is_quoted: bool = False  # it begins with a quote mark, whatever else it is


def _any(*tables: tuple[str, ...]) -> str:
    return "|".join(piece for table in tables for piece in table)


_QUOTE = re.compile(r"\s{0,3}(?:>|\|(?!.*\|)|(?-i:[A-Z][A-Za-z]{0,8})>)")
_QUOTE_MARKS = re.compile(r"(?:\s{0,3}[>|])+\s?")
_RULE = re.compile(r"-{3,}|_{3,}|\*{3,}|#{3,}|~{3,}|={3,}|\+{3,}|—+|–{2,}")
_RULE_CHARS = frozenset("-_*=~ —–")
_FENCE = re.compile(r"\s{0,3}(?:```|~~~~)")
_DIRECTION_MARKS = dict.fromkeys([0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)])

_EMAIL = r"[^\s<>@()\[\]\"]{1,80}@[^\s<>@()\[\]\"]{1,120}"
_HAS_EMAIL = re.compile(_EMAIL)
_HAS_DATE = re.compile(
    r"\d{1,4}\s?[./\-年년]\s?\d{1,2}\s?[./\-月월]|\b(?:19|20)\d\d\b"
    r"|\b\d{1,2}[:.h]\d\d\b|\d{1,2}\s?[日시点點時]"
)
_WROTE = re.compile(
    rf"(?<!\w)(?:{_any(words.WROTE)})(?!\w)|写道|寫道|書きました|のメール|作成", re.I
)
_HAS_TIME = re.compile(r"\d[:.h]\d\d")
_IN_BRACKETS = re.compile(rf"<{_EMAIL}>")
_WROTE_ALONE = re.compile(rf"(?:{_any(words.WROTE)})\s?[:：]?", re.I)
_ENDS = re.compile(r"(?:[:：]|-{2,}|={2,}|—)\s*\*{0,2}\s*$")
_BEGINS = re.compile(
    rf"[-=*\s\"“]*+(?:(?:{_any(words.BEGINS, words.DAYS)})(?=[\s.,،\d])"
    r"|\d{1,4}[./\-\s年년]|[在于於])",
    re.I,
)
_BEGINS_DAY = re.compile(
    rf"[-*\s]*+(?:(?:{_any(words.DAYS)})[.,]?\s|\d{{1,4}}[./\-年년 ]\s?\w)", re.I
)
_NAME_ADDRESS = re.compile(rf"[^<>@:\n]{{0,90}}[<(\[]\s?(?:mailto:)?{_EMAIL}")
_DATE_NAME_ADDRESS = re.compile(
    rf"[^<>:]{{0,12}}\d[^<>@\n]{{5,140}}[<(\[]\s*(?:mailto:)?{_EMAIL}[^\n]{{0,140}}[>)\]]\s*[:：]?"
)
_DATE_NAME = re.compile(
    r"\d{4}[-/]\d{1,2}[-/]\d{1,2} \d{1,2}:\d\d (?:GMT|UTC)?[+-]\d\d:?\d\d \S.{1,80}"
)
_NAME_WROTE = re.compile(rf".{{1,160}}?(?:{_any(words.WROTE)})\s?:?", re.I)

# Yahoo on telephones: the introduction and the quotation in one line.
_GLUED = re.compile(rf"(.{{10,300}}?>\s?(?:{_any(words.WROTE)})\s?[:：])\s{{2,}}\S", re.I)

_DECORATION = " \t*>_=-:：|\\"
_ORIGINAL = re.compile(_any(words.ORIGINAL), re.I)
_REPLY_ABOVE = re.compile(
    r"(?:please )?(?:reply above this line|type your reply above this line"
    r"|write your reply above this line|do not write below this line|responda? (?:por )?encima de "
    r"esta l[ií]nea|escriba su respuesta (?:por )?encima de esta l[ií]nea"
    r"|bitte antworten sie oberhalb dieser (?:linie|zeile)|r[eé]pondre au-dessus de cette ligne)"
    r".{0,40}",
    re.I,
)
_FORWARD = re.compile(rf"(?:{_any(words.FORWARDED)}).{{0,60}}", re.I)
_ANNOUNCES = re.compile(r"begin|start|in[ií]c|anfang|d[eé]but|pocz|начало|alkaa|p[aå]b", re.I)
_SENT_FROM = re.compile(_any(words.SENT_FROM), re.I)


def _head(table: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(rf"[>\s*_|]{{0,10}}(?:{_any(table)})[\s*_|]{{0,6}}[:：]\**(?:\s|$|\S)", re.I)


_HEADS = {
    "from": _head(words.FROM),
    "to": _head(words.TO),
    "sent": _head(words.SENT),
    "subject": _head(words.SUBJECT),
    "other": _head(words.OTHERS),
}
_MOST_HEAD_GAP = 2  # lines that continue a header, or are empty


def classify(text: str) -> list[Line]:
    """Return the lines of `text`, each with what it is. Looks at each a bounded number of times."""
    raw = text.split("\n")
    shown = raw if text.isascii() else text.translate(_DIRECTION_MARKS).split("\n")
    kinds = [LineKind.WORDS] * len(raw)
    _mark_code(raw, kinds)
    quoted = [
        kind is not LineKind.CODE and bool(_QUOTE.match(line))
        for line, kind in zip(shown, kinds, strict=True)
    ]
    bare = [
        _QUOTE_MARKS.sub("", line, count=1) if is_quoted else line
        for line, is_quoted in zip(shown, quoted, strict=True)
    ]
    index = 0
    while index < len(raw):
        if kinds[index] is LineKind.CODE:
            index += 1
            continue
        kind, count = _kind_at(bare, quoted, index)
        kinds[index : index + count] = [kind] * count
        index += count
    _mark_heads(bare, kinds)
    return [
        Line(text=line, kind=kind, is_quoted=is_quoted)
        for line, kind, is_quoted in zip(raw, kinds, quoted, strict=True)
    ]


def _mark_code(raw: list[str], kinds: list[LineKind]) -> None:
    fences = [index for index, line in enumerate(raw) if _FENCE.match(line)]
    for begin, end in zip(fences[::2], fences[1::2], strict=False):
        kinds[begin : end + 1] = [LineKind.CODE] * (end + 1 - begin)


def _kind_at(bare: list[str], quoted: list[bool], index: int) -> tuple[LineKind, int]:
    line = bare[index]
    is_quoted = quoted[index]
    glued = _GLUED.match(line)
    if glued and _BEGINS.match(line) and _is_marker(glued[1].strip(), begins=True):
        return LineKind.MARKER, 1
    if not line.strip(" \t>|\u200b\u1427\u00a0"):
        return (LineKind.QUOTE if is_quoted else LineKind.EMPTY), 1
    if len(line) <= _LONGEST_MARKER:
        stripped = line.strip()
        if _is_original(stripped) or _REPLY_ABOVE.fullmatch(stripped.strip(_DECORATION + "#")):
            return LineKind.MARKER, 1
        is_framed = stripped.startswith("--") and stripped.endswith("--")
        if is_framed and _NAME_WROTE.fullmatch(stripped.strip("- ")):
            return LineKind.MARKER, 1
        if _is_forward(stripped):
            return LineKind.FORWARD, 1
        if count := _marker_lines(bare, index):
            return LineKind.MARKER, count
        if is_quoted:
            return LineKind.QUOTE, 1
        if stripped in {"--", "—", "–"} and line[:2].strip():
            return LineKind.SIGNATURE, 1
        if _RULE.fullmatch(stripped) or (len(stripped) >= 5 and _RULE_CHARS.issuperset(stripped)):
            return LineKind.RULE, 1
        if _SENT_FROM.fullmatch(stripped.strip("*_<>()[]-. !")):
            return LineKind.SENT_FROM, 1
    return (LineKind.QUOTE if is_quoted else LineKind.WORDS), 1


def _is_original(stripped: str) -> bool:
    """Return whether a line is "Original message" between rules."""
    core = stripped.strip(_DECORATION)
    edge = stripped[: len(stripped) - len(stripped.lstrip(_DECORATION))]
    is_framed = any(rule in edge for rule in ("--", "__", "==", "**"))
    return is_framed and bool(_ORIGINAL.fullmatch(core))


def _is_forward(stripped: str) -> bool:
    """Return whether a line says that what follows was passed on, in a frame or with a colon."""
    core = stripped.strip(_DECORATION)
    if not _FORWARD.fullmatch(core):
        return False
    return (
        "--" in stripped
        or "__" in stripped
        or "==" in stripped
        or (stripped.rstrip("*_ ").endswith((":", "：")) or bool(_ANNOUNCES.match(core)))
    )


def _marker_lines(bare: list[str], index: int) -> int:
    """Return how many lines from `index` say who wrote the quotation and when; 0 for none."""
    first = bare[index].strip()
    begins = bool(_BEGINS.match(first))
    named = not begins and bool(_NAME_ADDRESS.match(first) or _may_be_named(bare, index))
    is_apart = index == 0 or not bare[index - 1].strip()
    if not begins and not named and not (is_apart and any(map(str.isdigit, first))):
        return 0
    joined = ""
    taken = 0
    for offset in range(_MOST_MARKER_LINES * 2):
        if index + offset >= len(bare):
            break
        piece = bare[index + offset].strip()
        if piece:
            joined = f"{joined} {piece}".strip()
            taken += 1
        elif taken > 3 or offset > 6:
            break
        if taken > _MOST_MARKER_LINES or len(joined) > _LONGEST_MARKER:
            break
        if piece and _is_marker(joined, begins=begins):
            if _begins_later(bare, index, offset):
                return 0
            return offset + 1 + _ends_later(bare, index + offset + 1, joined)
        # A paragraph ends at an empty line; only an address may still follow one.
        following = bare[index + offset + 1].lstrip() if index + offset + 1 < len(bare) else ""
        if not piece and not following.startswith(("<", "mailto:")):
            break
    return 0


def _begins_later(bare: list[str], index: int, offset: int) -> bool:
    """Return whether a later line alone introduces the quotation; then the first is the reply's."""
    if _HAS_DATE.search(bare[index]):
        return False
    for start in range(index + 1, index + offset + 1):
        if _BEGINS.match(bare[start]):
            joined = " ".join(" ".join(bare[start : index + offset + 1]).split())
            if _HAS_DATE.search(joined) and _is_marker(joined, begins=True):
                return True
    return False


def _ends_later(bare: list[str], following: int, joined: str) -> int:
    """Return 1 where the line that follows holds nothing but the word for "wrote"."""
    line = bare[following].strip() if following < len(bare) else ""
    is_open = not _ENDS.search(joined)
    return int(is_open and len(line) < 40 and bool(_WROTE_ALONE.fullmatch(line)))


def _may_be_named(bare: list[str], index: int) -> bool:
    following = bare[index + 1].strip() if index + 1 < len(bare) else ""
    return bare[index].rstrip().endswith("<") and bool(_HAS_EMAIL.match(following))


def _is_marker(joined: str, *, begins: bool) -> bool:
    if begins:
        if _DATE_NAME.fullmatch(joined):
            return True
        if _BEGINS_DAY.match(joined) and _DATE_NAME_ADDRESS.fullmatch(joined):
            return True
    if not _ENDS.search(joined):
        return False
    has_email = bool(_HAS_EMAIL.search(joined))
    has_date = bool(_HAS_DATE.search(joined))
    if _WROTE.search(joined):
        if begins:
            return has_date or has_email
        return bool(_NAME_ADDRESS.match(joined)) or (has_date and has_email)
    if begins:
        # Languages not listed: a date and an address, or a date, a time and a name.
        return has_date and (
            has_email or bool(_BEGINS_DAY.match(joined) and _HAS_TIME.search(joined))
        )
    # Languages of which not even the first word is: an address in brackets, a date and a time.
    return has_date and bool(_IN_BRACKETS.search(joined) and _HAS_TIME.search(joined))


def head_name(line: str) -> str | None:
    """Return which header of a quoted mail a line is: from, to, sent, subject or other."""
    if len(line) > 2_000:
        return None
    return next((name for name, pattern in _HEADS.items() if pattern.match(line)), None)


def _mark_heads(bare: list[str], kinds: list[LineKind]) -> None:
    """Mark the heads of quoted mails: lines that together can be nothing else."""
    index = 0
    while index < len(bare):
        if kinds[index] not in {LineKind.WORDS, LineKind.QUOTE} or not _starts_head(bare[index]):
            index += 1
            continue
        end, names = _head_block(bare, kinds, index)
        if _is_head_block(names, "\n".join(bare[index:end]), bare, kinds, index):
            for position in range(index, end):
                if bare[position].strip():
                    kinds[position] = LineKind.HEAD
            index = end
        else:
            index += 1


def _starts_head(line: str) -> bool:
    return head_name(line) in {"from", "sent", "to", "subject"}


def _head_block(bare: list[str], kinds: list[LineKind], index: int) -> tuple[int, list[str]]:
    names: list[str] = []
    end = position = index
    gap = empty = 0
    while position < len(bare) and len(names) < 12:
        line = bare[position]
        name = head_name(line)
        if name is not None:
            names.append(name)
            end = position + 1
            gap = empty = 0
        elif not line.strip():
            empty += 1
            if empty > 1:
                break
        elif kinds[position] in {LineKind.MARKER, LineKind.FORWARD, LineKind.CODE}:
            break
        else:
            gap += 1
            if gap > _MOST_HEAD_GAP or empty:
                break
        position += 1
    # A subject may go on in the next line, which ends where an empty one follows.
    if names and names[-1] == "subject" and end < len(bare) - 1 and bare[end][:1] in " \t":
        end += bool(bare[end].strip())
    return end, names


def _is_head_block(
    names: list[str], text: str, bare: list[str], kinds: list[LineKind], index: int
) -> bool:
    known = set(names)
    if len(names) < 2 or not known & {"from", "sent"}:
        return False
    has_email = bool(_HAS_EMAIL.search(text))
    if {"from", "sent", "subject"} <= known:
        return True
    if len(known) >= 3 and has_email:
        return True
    if has_email and known & {"to", "subject", "from"} and _HAS_DATE.search(text):
        return True
    before = next(
        (kinds[at] for at in range(index - 1, max(-1, index - 4), -1) if bare[at].strip()), None
    )
    is_after_seam = before in {LineKind.RULE, LineKind.MARKER, LineKind.FORWARD}
    return is_after_seam and len(known) >= 2
