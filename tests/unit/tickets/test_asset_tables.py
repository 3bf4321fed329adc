"""Tables of assets are read in any dress, line by line, and written harmless."""

from __future__ import annotations

from datetime import date

import pytest

from console.tables.files import decoded
from core.domain.assets import AssetDraft, AssetStatus, harmless, read_table, write_table
from core.domain.errors import InvalidInput

SPANISH = "Etiqueta;Modelo;Garantía;Estado;Notas\nPC-1;Año 5;2030-01-31;En reparación;Señor Núñez\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_a_table_is_read_in_whatever_characters_it_came(encoding: str) -> None:
    (line,) = read_table(decoded(SPANISH.encode(encoding))).lines
    assert line.draft == AssetDraft(
        tag="PC-1",
        model="Año 5",
        warranty_until=date(2030, 1, 31),
        status=AssetStatus.IN_REPAIR,
        notes="Señor Núñez",
    )


def test_wrong_lines_are_told_and_the_others_read() -> None:
    text = (
        "Tag,Status,Warranty until\nA,,\n,,\nB,lost,\n,in use,\nC,,31.1.2030\nD,retired,2030-01-31"
    )
    found = {
        line.number: line.draft.tag if line.draft else line.problem
        for line in read_table(text).lines
    }
    assert found == {
        2: "A",
        4: "there is no such status",
        5: "an asset needs a tag",
        6: "a date is written as 2030-12-31",
        7: "D",
    }


def test_days_come_first_under_spanish_headings_alone() -> None:
    rows = "PC-1,03/04/2030\nPC-2,2030-04-03\nPC-3,31/02/2030\n"
    spanish = [line.draft for line in read_table(f"Etiqueta,Garantía\n{rows}").lines]
    assert [draft and draft.warranty_until for draft in spanish] == [
        date(2030, 4, 3),
        date(2030, 4, 3),
        None,
    ]
    english = [line.problem for line in read_table(f"Tag,Warranty\n{rows}").lines]
    assert english == ["a date is written as 2030-12-31", "", "a date is written as 2030-12-31"]


def test_headings_are_read_in_any_dress_and_others_are_told() -> None:
    table = read_table("ETIQUETA;Número de serie;Propietario (correo);Garantía hasta;Sede;\n")
    assert table.fields == {"tag", "serial", "owner", "warranty_until"}
    assert table.ignored == ["Sede"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('Tag,Kind\n"PC-1,Laptop\nPC-2,Laptop\n', "comma-separated"),
        ("Tag,Owner,E-mail\n", "mean the same"),
    ],
)
def test_a_table_that_can_be_read_in_two_ways_is_refused(text: str, problem: str) -> None:
    with pytest.raises(InvalidInput, match=problem):
        list(read_table(text).lines)


@pytest.mark.parametrize("text", ["", "Model,Serial\nX1,7\n", "nothing at all"])
def test_a_table_without_tags_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="Tag"):
        read_table(text)


def test_bytes_that_are_no_text_are_refused() -> None:
    with pytest.raises(InvalidInput):
        decoded(bytes(range(256)) * 4)


@pytest.mark.parametrize(
    "cell", ["=1+1", "+44", "-1", "@SUM(A1)", "\t=1", " =1", "\uff1d1", "plain", "'quoted"]
)
def test_what_is_written_is_no_formula_and_is_read_back(cell: str) -> None:
    assert harmless(cell)[0] not in "=+-@\t\r \uff1d"
    draft = AssetDraft(tag=cell.strip(), notes="two\nlines, and a comma")
    assert [line.draft for line in read_table(write_table([draft])).lines] == [draft]


@pytest.mark.parametrize(
    "words", ["laptop;=1+1;x", "two lines\n=1+1", 'a; "=1+1', "a;\r\n ;@SUM(A1)", "a;b - c; d=e"]
)
def test_no_cell_is_a_formula_where_numbers_have_a_comma_and_cells_part_at_semicolons(
    words: str,
) -> None:
    draft = AssetDraft(tag="PC-1", model=words.partition("\n")[0].strip(), notes=words)
    written = write_table([draft])
    # As such a spreadsheet parts it: marks within a cell hold neither lines nor cells together.
    cells = [cell.strip(' "') for line in written.splitlines() for cell in line.split(";") if cell]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))]
    (line,) = read_table(written).lines
    assert line.draft is not None
    assert line.draft.notes == draft.notes


def test_a_long_cell_of_separators_alone_stays_as_it_is() -> None:
    cell = ";\n" * 200_000  # would take an hour, were each run looked at from each of its places
    assert harmless(cell) == cell
