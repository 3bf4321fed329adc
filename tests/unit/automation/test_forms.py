"""Conditions and actions are read again as they were kept."""

from __future__ import annotations

from string import Formatter
from typing import Any
from uuid import UUID

import pytest

from core.domain.automation.actions import Action, ActionKind
from core.domain.automation.alerts import HookFormat, ReportMapping
from core.domain.automation.conditions import Condition, Conditions
from core.domain.automation.fields import Comparison, Field
from core.domain.errors import IllegalTransition, InvalidInput
from core.services.automation.failures import (
    SENTENCES,
    STATUS,
    failure_from_json,
    failure_in_words,
    failure_json,
    failure_of,
)
from core.services.automation.forms import (
    actions_from_json,
    actions_json,
    conditions_from_json,
    conditions_json,
)
from core.services.automation.incoming import HookForm
from core.texts import text


def test_a_condition_about_a_field_of_a_form_names_it() -> None:
    conditions = Conditions(
        every=(
            Condition(
                field=Field.CUSTOM, custom=UUID(int=3), comparison=Comparison.CHANGED_TO, value="x"
            ),
        )
    )
    kept = conditions_json(conditions)
    assert kept["every"][0]["field"] == f"field:{UUID(int=3)}"
    assert conditions_from_json(kept) == conditions


def test_an_action_that_sets_a_field_of_a_form_names_it() -> None:
    actions = (
        Action(kind=ActionKind.SET_FIELD, custom=UUID(int=3), value="x"),
        Action(kind=ActionKind.MARK_SPAM),
    )
    kept = actions_json(actions)
    assert kept[0] == {"kind": f"set_field:{UUID(int=3)}", "value": "x"}
    assert actions_from_json([kept[0], {"kind": "mark_spam"}]) == actions


@pytest.mark.parametrize("kind", ["set_field", "set_field:3", "assign:x", "fly"])
def test_an_action_that_is_none_is_refused(kind: str) -> None:
    with pytest.raises(InvalidInput, match="not understood"):
        actions_from_json([{"kind": kind, "value": "x"}])


def test_why_an_action_was_left_out_is_read_in_the_readers_language() -> None:
    failure = failure_of(IllegalTransition("ticket", "solved", "escalate"))
    kept = failure_json(failure)
    assert failure_from_json(kept) == failure
    assert failure_in_words(failure, "en") == "this does not fit a ticket that is solved"
    assert failure_in_words(failure, "es") == "esto no encaja con un ticket que está resuelto"
    assert failure_from_json({"failure": ""}) is None
    older = failure_from_json({"failure": "there is no such team"})
    assert older is not None
    assert failure_in_words(older, "es") == "no existe ese equipo"


@pytest.mark.parametrize("sentence", [*SENTENCES, *STATUS.values()])
def test_why_an_action_was_left_out_is_known_in_spanish(sentence: str) -> None:
    values = {name: "x" for _, name, _, _ in Formatter().parse(sentence) if name}
    assert text("es", sentence, **values) != text("en", sentence, **values)


@pytest.mark.parametrize("field", ["field", "field:3", "status:x", "mood", "fields:"])
def test_a_field_that_is_none_is_refused(field: str) -> None:
    with pytest.raises(InvalidInput, match="not understood"):
        conditions_from_json({"every": [{"field": field, "comparison": "filled"}]})


@pytest.mark.parametrize(
    "large",
    [
        {"over_values": tuple(map(str, range(21)))},
        {"over_values": ("x" * 201,)},
        {"text": "x" * 201},
        {"fields": (("Host", "a"), ("Host", "b"))},
    ],
)
def test_a_mapping_that_the_api_could_not_tell_is_not_kept(large: dict[str, Any]) -> None:
    mapping = ReportMapping(key="id", subject="what", **large)
    with pytest.raises(InvalidInput, match="mapping"):
        HookForm(name="Checks", format=HookFormat.MAPPED, mapping=mapping)
