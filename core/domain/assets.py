"""Assets as people write them down, and the tables they are imported from."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from types import MappingProxyType

from core.domain.errors import InvalidInput
from core.domain.routing import folded

MAX_CHARS = 200
MAX_NOTES_CHARS = 5_000
MAX_LINES = 50_000


class AssetStatus(StrEnum):
    """Where an asset is in its life."""

    IN_USE = "in_use"
    IN_STOCK = "in_stock"
    IN_REPAIR = "in_repair"
    RETIRED = "retired"


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetDraft:
    """An asset as somebody wants it; owner and organisation by what they are called."""

    tag: str
    kind: str = ""
    model: str = ""
    serial: str = ""
    status: AssetStatus = AssetStatus.IN_USE
    warranty_until: date | None = None
    owner: str = ""  # an e-mail address of a requester, or their id
    organisation: str = ""  # a name, or an id
    notes: str = ""


def checked(draft: AssetDraft) -> AssetDraft:
    """Return `draft` if it can be kept.

    Raises:
        InvalidInput: the message says what to change.
    """
    if not draft.tag.strip():
        raise InvalidInput("an asset needs a tag")
    short = (draft.tag, draft.kind, draft.model, draft.serial, draft.owner, draft.organisation)
    if any(len(words) > MAX_CHARS for words in short):
        raise InvalidInput("an asset's tag, kind, model and serial have 200 characters at most")
    if len(draft.notes) > MAX_NOTES_CHARS:
        raise InvalidInput("notes have 5,000 characters at most")
    if any("\x00" in words for words in (*short, draft.notes)):
        raise InvalidInput("an asset's words hold no NUL characters")
    return draft


COLUMNS: Mapping[str, Sequence[str]] = MappingProxyType(
    {
        "tag": ("tag", "asset tag", "etiqueta", "activo"),
        "kind": ("kind", "type", "tipo", "clase"),
        "model": ("model", "modelo"),
        "serial": ("serial", "serial number", "serie", "numero de serie"),
        "status": ("status", "estado"),
        "warranty_until": ("warranty until", "warranty", "garantia", "garantia hasta"),
        "owner": (
            "owner",
            "owner e mail",
            "email",
            "e mail",
            "propietario",
            "propietario correo",
            "correo",
            "usuario",
        ),
        "organisation": ("organisation", "organization", "organizacion", "empresa"),
        "notes": ("notes", "notas", "comments", "comentarios"),
    }
)
"""What the columns of a table may be called, as `folded` leaves it."""

_IN_SPANISH = ("garantia", "garantia hasta")
_DAY_FIRST = ("%d/%m/%Y", "%d-%m-%Y", "%d.%m.%Y")
"""How spreadsheets in Spanish write a date; in English the month may come first, so that `03/04`
means nothing for sure."""

_STATUS = {
    "": AssetStatus.IN_USE,
    "in use": AssetStatus.IN_USE,
    "en uso": AssetStatus.IN_USE,
    "in stock": AssetStatus.IN_STOCK,
    "en almacén": AssetStatus.IN_STOCK,
    "en almacen": AssetStatus.IN_STOCK,
    "in repair": AssetStatus.IN_REPAIR,
    "en reparación": AssetStatus.IN_REPAIR,
    "en reparacion": AssetStatus.IN_REPAIR,
    "retired": AssetStatus.RETIRED,
    "retirado": AssetStatus.RETIRED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of a table: an asset, or what is wrong with it."""

    number: int  # in the file, the headings' line being 1
    draft: AssetDraft | None = None
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetTable:
    """A table whose headings have been read."""

    fields: Collection[str]  # of `AssetDraft`, which it has columns for
    ignored: Sequence[str]  # headings of other columns
    lines: Iterator[Line]  # raises InvalidInput where what follows is no table, or too long


def read_table(text: str) -> AssetTable:
    """Read a table with headings, separated by commas, semicolons or tabs.

    Raises:
        InvalidInput: it has no column of tags, or one that others have too.
    """
    head = text.partition("\n")[0]
    separator = max(";,\t", key=head.count)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    with _told():
        headings = next(rows, [])
    names = [_column(cell) for cell in headings]
    fields = [name for name in names if name]
    if "tag" not in fields:
        raise InvalidInput("the table needs a column with the heading Tag")
    if len(set(fields)) < len(fields):
        raise InvalidInput("two columns of the table mean the same")
    ignored = [cell.strip() for cell, name in zip(headings, names, strict=True) if not name]
    return AssetTable(
        fields=frozenset(fields),
        ignored=[heading for heading in ignored if heading],
        lines=_lines(
            ((rows.line_num, row) for row in rows),
            names,
            _DAY_FIRST if any(_plain(cell) in _IN_SPANISH for cell in headings) else (),
        ),
    )


def _lines(
    rows: Iterator[tuple[int, list[str]]], names: Sequence[str | None], dates: Sequence[str]
) -> Iterator[Line]:
    with _told():
        for count, (number, row) in enumerate(rows):
            if count >= MAX_LINES:
                raise InvalidInput("a table has 50,000 lines at most")
            if any(cell.strip() for cell in row):
                yield _line(number, names, row, dates)


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except csv.Error:
        raise InvalidInput("the file is not a table of comma-separated values") from None


def _plain(heading: str) -> str:
    return folded(heading.replace("_", " ")).strip()


def _column(heading: str) -> str | None:
    words = _plain(heading)
    return next((name for name, called in COLUMNS.items() if words in called), None)


def _line(
    number: int, names: Sequence[str | None], row: Sequence[str], dates: Sequence[str]
) -> Line:
    cells = {name: _unescaped(cell.strip()) for name, cell in zip(names, row, strict=False) if name}
    status = _STATUS.get(cells.pop("status", "").casefold().replace("_", " "))
    if status is None:
        return Line(number=number, problem="there is no such status")
    warranty = cells.pop("warranty_until", "")
    try:
        until = _day(warranty, dates) if warranty else None
    except ValueError:
        return Line(number=number, problem="a date is written as 2030-12-31")
    try:
        draft = checked(AssetDraft(status=status, warranty_until=until, **cells))
    except InvalidInput as error:
        return Line(number=number, problem=str(error))
    return Line(number=number, draft=draft)


def _day(words: str, others: Sequence[str]) -> date:
    for pattern in others:
        with suppress(ValueError):
            return datetime.strptime(words, pattern).date()  # noqa: DTZ007 (a day has no zone)
    return date.fromisoformat(words)


_FORMULA = r"=+\-@\uff1d\uff0b\uff0d\uff20"  # East Asian programs take the wide ones, too
# Where numbers have a comma, spreadsheets part cells at semicolons, and quotation marks that do not
# stand at the beginning of such a cell hold nothing together: lines end where they end.
_PARTS = r";\t\r\n"
_FORMULA_FIRST = re.compile(rf'\A(?=[\t\r\n]|[\s"]*+[{_FORMULA}])')
# Both match where nothing follows, too, so that no run of separators is looked at twice.
_FORMULA_WITHIN = re.compile(rf'([{_PARTS}][\s";]*+)([{_FORMULA}]?)')
_MARKED_FIRST = re.compile(rf"\A'(?=[\t\r\n]|[\s\"]*+[{_FORMULA}])")
_MARKED_WITHIN = re.compile(rf"([{_PARTS}][\s\";]*+)(?:'(?=[{_FORMULA}]))?")


def harmless(cell: str) -> str:
    """Return `cell` so that a spreadsheet takes it for text, wherever it sees a cell begin in it.

    An apostrophe stands before what would be a formula.
    """
    within = _FORMULA_WITHIN.sub(lambda of: f"{of[1]}'{of[2]}" if of[2] else of[0], cell)
    return _FORMULA_FIRST.sub("'", within)


def _unescaped(cell: str) -> str:
    """Return what `harmless` was given."""
    return _MARKED_WITHIN.sub(r"\1", _MARKED_FIRST.sub("", cell))


def write_table(rows: Sequence[AssetDraft]) -> str:
    """Return a table that `read_table` reads, safe to open in a spreadsheet."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow([called[0].capitalize() for called in COLUMNS.values()])
    for row in rows:
        until = "" if row.warranty_until is None else row.warranty_until.isoformat()
        cells = (row.tag, row.kind, row.model, row.serial, row.status.replace("_", " "), until)
        writer.writerow([harmless(c) for c in (*cells, row.owner, row.organisation, row.notes)])
    return out.getvalue()
