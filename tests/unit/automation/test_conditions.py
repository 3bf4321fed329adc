"""What conditions say of facts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.automation.actions import Action, ActionKind
from core.domain.automation.conditions import (
    FITTING,
    KINDS,
    Comparison,
    Condition,
    Conditions,
    Fact,
    Facts,
    Field,
    Kind,
    compiled,
)
from core.domain.automation.rule import Rule, Trigger
from core.domain.errors import InvalidInput


def holds(field: Field, comparison: Comparison, value: str, fact: Fact) -> bool:
    condition = Condition(field=field, comparison=comparison, value=value)
    return compiled(Conditions(every=(condition,)))(Facts({field: fact}))


@pytest.mark.parametrize(
    ("field", "comparison", "value", "fact", "expected"),
    [
        (Field.STATUS, Comparison.IS, "open | pending", "pending", True),
        (Field.STATUS, Comparison.IS_NOT, "open | pending", "solved", True),
        (Field.SUBJECT, Comparison.HAS, "contraseña", "Olvide mi CONTRASENA", True),
        (Field.SUBJECT, Comparison.HAS_NOT, "vpn", "The printer", True),
        (Field.TAGS, Comparison.HAS, "VIP", frozenset({"vip", "x"}), True),
        (Field.TAGS, Comparison.HAS, "vi", frozenset({"vip"}), False),
        (Field.TAGS, Comparison.EMPTY, "", frozenset(), True),
        (Field.HOURS_IDLE, Comparison.MORE, "2,5", 2.5, True),
        (Field.HOURS_IDLE, Comparison.LESS, "2", 2.0, False),
        (Field.SCORE, Comparison.LESS, "3", None, False),
        (Field.TEAM, Comparison.EMPTY, "", None, True),
        (Field.TEAM, Comparison.FILLED, "", "id", True),
        (Field.VIP, Comparison.IS, "no", False, True),
    ],
)
def test_a_condition_compares_as_its_kind_does(
    field: Field, comparison: Comparison, value: str, fact: Fact, expected: bool
) -> None:
    assert holds(field, comparison, value, fact) is expected


@pytest.mark.parametrize(
    ("field", "comparison", "value"),
    [
        (Field.SUBJECT, Comparison.MORE, "3"),
        (Field.LEVEL, Comparison.MORE, "two"),
        (Field.VIP, Comparison.IS, "maybe"),
        (Field.STATUS, Comparison.IS, "  | "),
        (Field.SUBJECT, Comparison.HAS, "x" * 2001),
    ],
)
def test_what_cannot_be_compared_is_refused(
    field: Field, comparison: Comparison, value: str
) -> None:
    with pytest.raises(InvalidInput):
        Condition(field=field, comparison=comparison, value=value)


def test_one_of_the_others_is_enough_where_there_are_any() -> None:
    test = compiled(
        Conditions(
            every=(Condition(field=Field.VIP, comparison=Comparison.IS, value="yes"),),
            some=(
                Condition(field=Field.STATUS, comparison=Comparison.IS, value="new"),
                Condition(field=Field.STATUS, comparison=Comparison.IS, value="open"),
            ),
        )
    )
    assert test(Facts({Field.VIP: True, Field.STATUS: "open"}))
    assert not test(Facts({Field.VIP: True, Field.STATUS: "solved"}))
    assert not test(Facts({Field.VIP: False, Field.STATUS: "open"}))


_WORDS = st.text(max_size=20)
_FACTS: dict[Kind, st.SearchStrategy[Fact]] = {
    Kind.CHOICE: _WORDS,
    Kind.WORDS: _WORDS,
    Kind.NUMBER: st.floats(allow_nan=False),
    Kind.TAGS: st.frozensets(_WORDS),
    Kind.FLAG: st.booleans(),
}
_OPPOSITE = {
    Comparison.IS: Comparison.IS_NOT,
    Comparison.HAS: Comparison.HAS_NOT,
    Comparison.EMPTY: Comparison.FILLED,
    Comparison.MORE: Comparison.LESS,
}


@given(st.data(), st.sampled_from(list(Field)))
def test_a_comparison_and_its_opposite_never_agree(data: st.DataObject, field: Field) -> None:
    kind = KINDS[field]
    pairs = [(a, b) for a, b in _OPPOSITE.items() if a in FITTING[kind] and b in FITTING[kind]]
    if not pairs:
        return
    one, other = data.draw(st.sampled_from(pairs))
    value = "3" if kind is Kind.NUMBER else data.draw(_WORDS.filter(lambda w: w.strip(" |\x00")))
    value = value.replace("\x00", "")
    fact = data.draw(_FACTS[kind])
    assert holds(field, one, value or "x", fact) is not holds(field, other, value or "x", fact)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (ActionKind.SET_PRIORITY, "highest"),
        (ActionKind.SET_STATUS, "new"),
        (ActionKind.SET_TEAM, "Help desk"),
        (ActionKind.ADD_TAG, " "),
        (ActionKind.ADD_TAG, "x" * 61),
        (ActionKind.NOTE, "a\x00b"),
    ],
)
def test_what_cannot_be_done_is_refused(kind: ActionKind, value: str) -> None:
    with pytest.raises(InvalidInput):
        Action(kind=kind, value=value)


def test_a_rule_does_something_and_one_by_the_clock_waits_for_something() -> None:
    tag = Action(kind=ActionKind.ADD_TAG, value="x")
    with pytest.raises(InvalidInput, match="add an action"):
        Rule(name="x", trigger=Trigger.OPENED, conditions=Conditions(), actions=())
    with pytest.raises(InvalidInput, match="by the clock"):
        Rule(name="x", trigger=Trigger.IDLE, conditions=Conditions(), actions=(tag,))
