"""Takes a mail's bytes apart: headers, and parts within parts (RFC 2045, 2046).

Written for hostile input: it looks at each byte a bounded number of times, copies nothing but
headers, and gives a tree whatever it is given. Python's own parser is not used because its time
and memory for a large mail are several times what is allowed here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from channels.email.reading.defects import Defects
from channels.email.reading.headers import Parameterised, parameterised, raw_text
from channels.email.reading.limits import (
    MAX_DEPTH,
    MAX_ENVELOPES,
    MAX_HEADER_BYTES,
    MAX_HEADERS,
    MAX_PARTS,
    MAX_SCANNED_BYTES,
)

_HEADER_LINE = re.compile(rb"([!-9;-~]{1,200})[ \t]*:[ \t]*(.*)", re.DOTALL)
_BLANK = re.compile(rb"\r?\n[ \t]{0,200}\r?\n")
_REST_OF_DELIMITER = re.compile(rb"(--)?[ \t]*(?:\r?\n|\Z)")
_FIRST_DELIMITER = re.compile(rb"(?:\A|\n)--([^\s][^\r\n]{0,100})\r?\n")


@dataclass(slots=True)
class Budget:
    """How much of one mail may still be read, with all that is enclosed in it."""

    parts: int = MAX_PARTS
    scanned: int = MAX_SCANNED_BYTES  # bytes
    envelopes: int = MAX_ENVELOPES


@dataclass(slots=True, kw_only=True)
class Part:
    """One entity. `content` is its body as it came, still encoded."""

    raw: bytes = field(repr=False)  # the whole mail
    budget: Budget = field(repr=False)  # of the whole mail, and of the one it came in
    start: int = 0  # where the body begins in `raw`
    end: int = 0
    header_start: int = 0
    headers: list[tuple[str, bytes]] = field(default_factory=list)
    children: list[Part] = field(default_factory=list)
    type: Parameterised = field(default_factory=Parameterised)
    disposition: Parameterised = field(default_factory=Parameterised)

    @property
    def content(self) -> bytes:
        """The body's bytes."""
        return self.raw[self.start : self.end]

    @property
    def whole(self) -> bytes:
        """The bytes of headers and body."""
        return self.raw[self.header_start : self.end]

    @property
    def media_type(self) -> str:
        """The type in lower case, such as "text/plain"."""
        return self.type.value

    def header(self, name: str) -> str | None:
        """Return the topmost header `name` as text, not yet decoded, or None."""
        return next((self._shown(value) for key, value in self.headers if key == name), None)

    def all(self, name: str) -> list[str]:
        """Return all headers `name`, topmost first, as text, not yet decoded."""
        return [self._shown(value) for key, value in self.headers if key == name]

    def _shown(self, value: bytes) -> str:
        # Who writes 8-bit headers without a charset means that of the text below.
        return raw_text(value, self.type.get("charset"))

    def walk(self) -> Iterator[Part]:
        """Give this part and all below it, in reading order."""
        waiting = [self]
        while waiting:
            part = waiting.pop()
            yield part
            waiting.extend(reversed(part.children))


def take_apart(raw: bytes, defects: Defects, *, within: Part | None = None) -> Part:
    """Return the tree of parts of the mail `raw`; what is wrong goes to `defects`.

    What a mail holds `within` one of its parts is read at the expense of that mail's limits.
    """
    if b"\n" not in raw[:65_536] and b"\r" in raw[:65_536]:
        raw = raw.replace(b"\r", b"\n")
    budget = Budget() if within is None else within.budget
    root = _entity(raw, 0, len(raw), budget, defects, default_type="text/plain")
    waiting = [(root, 1)]
    while waiting:
        part, depth = waiting.pop()
        if not part.media_type.startswith("multipart/"):
            continue
        if depth > MAX_DEPTH:
            defects.over_limits("parts nested too deep")
            continue
        _find_children(part, defects)
        waiting.extend((child, depth + 1) for child in part.children)
    return root


def _entity(
    raw: bytes, start: int, end: int, budget: Budget, defects: Defects, *, default_type: str
) -> Part:
    part = Part(raw=raw, budget=budget, header_start=start, start=start, end=end)
    first = start
    while raw[first : first + 5] == b"From " or raw[first : first + 6] == b">From ":
        line_end = raw.find(b"\n", first, end)
        if line_end == -1:
            break
        first = line_end + 1
    if raw.startswith((b"\n", b"\r\n"), first, end):
        part.start = min(end, raw.index(b"\n", first) + 1)
    else:
        _read_headers(part, first, defects)
    _read_type(part, default_type, defects)
    return part


def _read_headers(part: Part, first: int, defects: Defects) -> None:
    raw, end = part.raw, part.end
    header_end, part.start = _header_end(raw, first, end)
    if header_end - first > MAX_HEADER_BYTES:
        defects.over_limits("header too large")
        header_end = first + MAX_HEADER_BYTES
    name: str | None = None
    lines: list[bytes] = []
    position = first
    while position < header_end:
        line_end = raw.find(b"\n", position, header_end)
        line_end = header_end if line_end == -1 else line_end
        line = raw[position:line_end].rstrip(b"\r")
        if line[:1] in (b" ", b"\t"):
            lines.append(line)
        else:
            _keep(part, name, lines)
            match = _HEADER_LINE.fullmatch(line)
            if match is None and name is None and not part.headers:
                part.start = position  # no header at all: a body alone
                defects.note("no header")
                return
            if match is None:
                if not _more_headers(raw, line_end + 1, header_end):
                    defects.note("no empty line after the header")
                    part.start = position
                    return
                defects.note("malformed header line")
                name, lines = None, []
            else:
                name, lines = match.group(1).decode("ascii").lower(), [match.group(2)]
        if len(part.headers) >= MAX_HEADERS:
            defects.over_limits("too many headers")
            return
        position = line_end + 1
    _keep(part, name, lines)


def _header_end(raw: bytes, first: int, end: int) -> tuple[int, int]:
    """Return where the header ends and where the body begins."""
    blank = _BLANK.search(raw, first, min(end, first + MAX_HEADER_BYTES))
    if blank is not None:
        return blank.start(), blank.end()
    found = [
        (at, at + len(mark))
        for mark in (b"\n\n", b"\n\r\n")
        if (at := raw.find(mark, first, end)) != -1
    ]
    return min(found, default=(end, end))


def _keep(part: Part, name: str | None, lines: list[bytes]) -> None:
    if name is not None:
        part.headers.append((name, b"".join(lines)))


def _more_headers(raw: bytes, position: int, end: int) -> bool:
    for line in raw[position : min(end, position + 8_192)].split(b"\n")[:20]:
        if _HEADER_LINE.fullmatch(line.rstrip(b"\r")):
            return True
    return False


def _read_type(part: Part, default_type: str, defects: Defects) -> None:
    types = part.all("content-type")
    chosen = parameterised(types[0]) if types else Parameterised()
    if len(types) > 1:
        defects.note("several content types")
        chosen = next((kind for kind in map(parameterised, types) if "/" in kind.value), chosen)
    value = chosen.value.split(" ")[0].split(",")[0].strip("\"'")
    if not re.fullmatch(r"[a-z0-9!#$&^_.+-]+/[a-z0-9!#$&^_.+-]+", value):
        if types and value != "text":
            defects.note("malformed content type")
        value = default_type if not types or value in {"", "text"} else "text/plain"
    part.type = Parameterised(value=value, parameters=chosen.parameters)
    dispositions = part.all("content-disposition")
    if dispositions:
        part.disposition = parameterised(dispositions[0])


def _find_children(part: Part, defects: Defects) -> None:
    raw, budget = part.raw, part.budget
    boundary = part.type.get("boundary").rstrip().encode("utf-8", "surrogateescape")[:1_000]
    if not boundary or raw.find(b"--" + boundary, part.start, part.end) == -1:
        guess = _FIRST_DELIMITER.search(raw, max(0, part.start - 1), part.end)
        defects.note("boundary missing" if guess else "no parts between boundaries")
        if guess is None:
            return
        boundary = guess.group(1).rstrip()
    default = "message/rfc822" if part.media_type == "multipart/digest" else "text/plain"
    begin: int | None = None
    for delimiter, after, is_last in _delimiters(part, b"--" + boundary, defects):
        if begin is not None:
            if budget.parts <= 0:
                defects.over_limits("too many parts")
                return
            budget.parts -= 1
            stop = max(begin, delimiter)
            part.children.append(_entity(raw, begin, stop, budget, defects, default_type=default))
        begin = None if is_last else after
        if is_last:
            break
    if begin is not None and begin < part.end and budget.parts > 0:
        defects.note("closing boundary missing")
        budget.parts -= 1
        part.children.append(_entity(raw, begin, part.end, budget, defects, default_type=default))


def _delimiters(part: Part, delimiter: bytes, defects: Defects) -> Iterator[tuple[int, int, bool]]:
    """Give (end of what stands before, start of what follows, whether it is the last)."""
    raw, position = part.raw, part.start
    part.budget.scanned -= part.end - part.start
    if part.budget.scanned < 0:
        defects.over_limits("parts nested too deep")
        return
    tries = 0
    while (found := raw.find(delimiter, position, part.end)) != -1:
        position = found + len(delimiter)
        tries += 1
        if tries > 100 * MAX_PARTS:
            defects.over_limits("too many parts")
            return
        if found > part.start and raw[found - 1 : found] != b"\n":
            continue
        rest = _REST_OF_DELIMITER.match(raw, position, part.end)
        if rest is None:
            continue
        before = found
        if before > part.start:
            before -= 2 if raw[before - 2 : before] == b"\r\n" else 1
        position = rest.end()
        yield before, position, rest.group(1) is not None
