"""Values of fields, tags and places in the tree are checked before anything is kept."""

from __future__ import annotations

from typing import Any

import pytest

from core.domain.classification import (
    FieldKind,
    FieldSpec,
    WrongField,
    check_place,
    checked_tags,
    missing,
)
from core.domain.errors import InvalidInput
from core.domain.ids import CategoryId, FormFieldId, new_id


def spec(kind: FieldKind, **more: Any) -> FieldSpec:
    return FieldSpec(
        id=FormFieldId(new_id()),
        owner=CategoryId(new_id()),
        label="Serial number",
        labels={"es": "Número de serie"},
        kind=kind,
        **more,
    )


@pytest.mark.parametrize(
    ("kind", "given", "kept"),
    [
        (FieldKind.TEXT, "  a1 ", "a1"),
        (FieldKind.TEXT, "  ", None),
        (FieldKind.NUMBER, "12", 12),
        (FieldKind.NUMBER, "1,5", 1.5),
        (FieldKind.NUMBER, 3, 3),
        (FieldKind.DATE, "2030-02-28", "2030-02-28"),
        (FieldKind.CHOICE, "red", "red"),
        (FieldKind.YES_NO, "no", False),
        (FieldKind.YES_NO, True, True),
        (FieldKind.YES_NO, "", None),
    ],
)
def test_a_value_is_kept_in_its_fields_own_form(kind: FieldKind, given: Any, kept: Any) -> None:
    found = spec(kind, choices=("red", "blue")).value(given)
    assert found == kept
    assert type(found) is type(kept)


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        (FieldKind.TEXT, 7),
        (FieldKind.TEXT, "x" * 2_001),
        (FieldKind.TEXT, "nul\x00"),
        (FieldKind.NUMBER, "twelve"),
        (FieldKind.NUMBER, "nan"),
        (FieldKind.NUMBER, "1e999"),
        (FieldKind.NUMBER, True),
        (FieldKind.DATE, "2030-02-30"),
        (FieldKind.DATE, "tomorrow"),
        (FieldKind.CHOICE, "green"),
        (FieldKind.YES_NO, "perhaps"),
    ],
)
def test_a_value_of_another_kind_is_refused_by_the_fields_name(kind: FieldKind, given: Any) -> None:
    with pytest.raises(WrongField, match="Serial number"):
        spec(kind, choices=("red",)).value(given)


def test_a_field_answered_with_no_is_not_missing() -> None:
    asked = spec(FieldKind.YES_NO, is_required=True)
    assert missing([asked], {}) == [asked]
    assert missing([asked], {asked.key: False}) == []


def test_tags_are_small_and_each_there_once() -> None:
    assert checked_tags(["VPN", " vpn ", "Main  Office", "", "a,b"]) == [
        "vpn",
        "main office",
        "a b",
    ]
    with pytest.raises(InvalidInput, match="40"):
        checked_tags(["x" * 41])
    with pytest.raises(InvalidInput, match="30"):
        checked_tags([str(n) for n in range(31)])


def test_a_category_stands_neither_below_itself_nor_too_deep() -> None:
    line = [CategoryId(new_id()) for _ in range(5)]
    parents = {one: (line[n - 1] if n else None) for n, one in enumerate(line)}
    check_place(parents, line[4], line[0])
    check_place(parents, None, line[3])
    for parent in (line[1], line[3]):
        with pytest.raises(InvalidInput, match="below itself"):
            check_place(parents, line[1], parent)
    with pytest.raises(InvalidInput, match="five levels"):
        check_place(parents, None, line[4])
    other = CategoryId(new_id())
    with pytest.raises(InvalidInput, match="five levels"):
        check_place(parents | {other: None}, line[0], other)
