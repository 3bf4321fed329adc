"""What conditions say of facts."""

from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.automation.actions import Action, ActionKind, checked_actions
from core.domain.automation.conditions import Condition, Conditions
from core.domain.automation.fields import (
    KINDS,
    Comparison,
    Field,
    Kind,
    fitting,
)
from core.domain.automation.matching import Changed, Fact, Facts, compiled
from core.domain.automation.rule import Rule, Trigger
from core.domain.errors import InvalidInput

CUSTOM = UUID(int=7)


def about(field: Field, comparison: Comparison, value: str = "") -> Condition:
    custom = CUSTOM if field is Field.CUSTOM else None
    return Condition(field=field, custom=custom, comparison=comparison, value=value)


def holds(field: Field, comparison: Comparison, value: str, fact: Fact) -> bool:
    condition = about(field, comparison, value)
    return compiled(Conditions(every=(condition,)))(Facts({condition.key: fact}))


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
        (Field.CATEGORY, Comparison.IS, "hardware", frozenset({"laptop", "hardware"}), True),
        (Field.CATEGORY, Comparison.IS, "ware", frozenset({"laptop", "hardware"}), False),
        (Field.CATEGORY, Comparison.IS_NOT, "vpn", None, True),
        (Field.CUSTOM, Comparison.IS, "2,0 | 3", 2.0, True),
        (Field.CUSTOM, Comparison.IS, "Lima", "LIMA", True),
        (Field.CUSTOM, Comparison.HAS, "im", "Lima", True),
        (Field.CUSTOM, Comparison.IS_NOT, "yes", "no", True),
        (Field.CUSTOM, Comparison.MORE, "10", 9.0, False),
        (Field.CUSTOM, Comparison.LESS, "2026-12-01", "2026-11-30", True),
        (Field.CUSTOM, Comparison.LESS, "2026-12-01", 3.0, False),
        # Eight digits are a date to a date, and a number to a number.
        (Field.CUSTOM, Comparison.MORE, "20240301", "2024-03-01", True),
        (Field.CUSTOM, Comparison.LESS, "20240301", "2024-03-01", False),
        (Field.CUSTOM, Comparison.MORE, "20240301", 20_240_301, True),
        (Field.CUSTOM, Comparison.AT_MOST, "20240301", 20_240_302, False),
        (Field.CUSTOM, Comparison.LESS, "30", "2024-03-01", False),
        (Field.CUSTOM, Comparison.IS, "Either | or", "Either | or", True),
        (Field.CUSTOM, Comparison.IS_NOT, "Either | or", "Either | or", False),
        (Field.CUSTOM, Comparison.EMPTY, "", None, True),
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
        (Field.SUBJECT, Comparison.CHANGED, ""),
        (Field.STATUS, Comparison.CHANGED_TO, " "),
        (Field.CUSTOM, Comparison.MORE, "soon"),
        (Field.CUSTOM, Comparison.MORE, "inf"),
        (Field.HOURS_IDLE, Comparison.MORE, "nan"),
        (Field.HOURS_IDLE, Comparison.MORE, "-inf"),
        (Field.HOURS_OPEN, Comparison.LESS, "1e12"),
        (Field.OUTSIDE_HOURS, Comparison.IS, "perhaps"),
    ],
)
def test_what_cannot_be_compared_is_refused(
    field: Field, comparison: Comparison, value: str
) -> None:
    with pytest.raises(InvalidInput):
        about(field, comparison, value)


@pytest.mark.parametrize("custom", [None, CUSTOM])
def test_only_a_condition_about_a_form_names_a_field_of_it(custom: UUID | None) -> None:
    field = Field.CUSTOM if custom is None else Field.STATUS
    with pytest.raises(InvalidInput, match="names the field"):
        Condition(field=field, custom=custom, comparison=Comparison.FILLED)


@pytest.mark.parametrize(
    ("field", "comparison", "value", "old", "new", "expected"),
    [
        (Field.STATUS, Comparison.CHANGED, "", "open", "solved", True),
        (Field.STATUS, Comparison.CHANGED_TO, "solved | closed", "open", "solved", True),
        (Field.STATUS, Comparison.CHANGED_TO, "solved | closed", "solved", "closed", False),
        (Field.STATUS, Comparison.CHANGED_FROM, "solved", "solved", "open", True),
        (Field.STATUS, Comparison.CHANGED_FROM, "solved", "open", "solved", False),
        (Field.LEVEL, Comparison.CHANGED_TO, "2", 1.0, 2.0, True),
        (Field.TAGS, Comparison.CHANGED_TO, "VIP", frozenset({"a"}), frozenset({"a", "vip"}), True),
        (Field.TAGS, Comparison.CHANGED_TO, "vip", frozenset({"vip"}), frozenset({"vip"}), False),
        (Field.TAGS, Comparison.CHANGED_FROM, "vip", frozenset({"vip"}), frozenset(), True),
        (Field.ASSIGNEE, Comparison.CHANGED_TO, "ana", None, "ana", True),
        (Field.CUSTOM, Comparison.CHANGED_TO, "3", 2.0, 3.0, True),
    ],
)
def test_a_condition_says_what_changed_and_from_what_to_what(
    field: Field, comparison: Comparison, value: str, old: Fact, new: Fact, *, expected: bool
) -> None:
    condition = about(field, comparison, value)
    test = compiled(Conditions(every=(condition,)))
    changed = Changed(key=condition.key, old=old, new=new)
    assert test(Facts({condition.key: new}, changed)) is expected
    other = Changed(key=Field.PRIORITY, old="low", new="high")
    assert not test(Facts({condition.key: new}, other))
    assert not test(Facts({condition.key: new}))


def test_a_category_below_another_is_no_change_to_it() -> None:
    laptops, phones = frozenset({"laptops", "hardware"}), frozenset({"phones", "hardware"})
    changed = Changed(key=Field.CATEGORY, old=laptops, new=phones)
    for value, expected in (("hardware", False), ("phones", True)):
        condition = about(Field.CATEGORY, Comparison.CHANGED_TO, value)
        assert compiled(Conditions(every=(condition,)))(Facts({}, changed)) is expected


def test_a_change_is_of_one_thing() -> None:
    became = about(Field.STATUS, Comparison.CHANGED_TO, "solved")
    raised = about(Field.PRIORITY, Comparison.CHANGED)
    Conditions(every=(became, about(Field.STATUS, Comparison.CHANGED_FROM, "open")))
    Conditions(some=(became, raised))
    with pytest.raises(InvalidInput, match="of one thing"):
        Conditions(every=(became, raised))


@pytest.mark.parametrize("trigger", [one for one in Trigger if one is not Trigger.CHANGED])
def test_only_a_rule_about_changes_looks_at_what_changed(trigger: Trigger) -> None:
    conditions = Conditions(some=(about(Field.STATUS, Comparison.CHANGED),))
    tag = Action(kind=ActionKind.ADD_TAG, value="x")
    with pytest.raises(InvalidInput, match="changed ticket"):
        Rule(name="x", trigger=trigger, conditions=conditions, actions=(tag,))


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
    Kind.ANY: _WORDS,
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
    fits = fitting(field)
    pairs = [(a, b) for a, b in _OPPOSITE.items() if a in fits and b in fits]
    if not pairs:
        return
    one, other = data.draw(st.sampled_from(pairs))
    if kind is Kind.ANY and one is Comparison.MORE:
        return  # words are neither more nor less
    words = _WORDS.map(lambda said: said.replace("\x00", ""))
    value = "3" if kind is Kind.NUMBER else data.draw(words.filter(_values))
    fact = data.draw(_FACTS[kind])
    assert holds(field, one, value, fact) is not holds(field, other, value, fact)


def _values(said: str) -> list[str]:
    return [value for value in said.split("|") if value.strip()]


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (ActionKind.SET_PRIORITY, "highest"),
        (ActionKind.SET_STATUS, "new"),
        (ActionKind.SET_TEAM, "Help desk"),
        (ActionKind.ADD_TAG, " "),
        (ActionKind.ADD_TAG, "x" * 41),
        (ActionKind.ADD_TAG, " , "),
        (ActionKind.SET_LEVEL, "4"),
        (ActionKind.SET_TYPE, "wish"),
        (ActionKind.SET_IMPACT, "urgent"),
        (ActionKind.ESCALATE, "up"),
        (ActionKind.NOTIFY, "lead | everybody"),
        (ActionKind.ADD_WATCHER, "nobody"),
        (ActionKind.SET_FIELD, "3"),
        (ActionKind.NOTE, "a\x00b"),
    ],
)
def test_what_cannot_be_done_is_refused(kind: ActionKind, value: str) -> None:
    with pytest.raises(InvalidInput):
        Action(kind=kind, value=value)


def test_what_is_marked_as_spam_is_left_alone() -> None:
    spam, tag = Action(kind=ActionKind.MARK_SPAM), Action(kind=ActionKind.ADD_TAG, value="x")
    assert checked_actions((tag, spam)) == (tag, spam)
    with pytest.raises(InvalidInput, match="last action"):
        checked_actions((spam, tag))


def test_a_rule_does_something_and_a_time_based_one_waits_for_something() -> None:
    tag = Action(kind=ActionKind.ADD_TAG, value="x")
    with pytest.raises(InvalidInput, match="add an action"):
        Rule(name="x", trigger=Trigger.OPENED, conditions=Conditions(), actions=())
    with pytest.raises(InvalidInput, match="time-based rule needs a condition"):
        Rule(name="x", trigger=Trigger.IDLE, conditions=Conditions(), actions=(tag,))
