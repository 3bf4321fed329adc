"""What an entry of the audit log holds is shown as the forms call it, with names for ids."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from typing import Any
from uuid import UUID

import pytest

from console.audit_details import Details, named_in
from console.texts import translate
from console.times import Times
from core.storage.queries.audit import AuditView

TEAM = "01a21e46-b8c2-74c9-a4cb-e986600edc0d"
FIELD = "01a21e46-ba79-76b9-aa89-c0ef7b843e5e"
NOTHING = "\N{EN DASH}"


def entry(action: str, *, old: Any = None, new: Any = None) -> AuditView:
    return AuditView(
        id=1,
        at=datetime(2026, 11, 2, tzinfo=UTC),
        actor="agent:1",
        actor_name="Ana",
        remote=None,
        action=action,
        subject_kind="rule",
        subject_id="2",
        subject_name="VPN",
        old=old,
        new=new,
    )


def told(language: str = "en") -> Details:
    return Details(
        t=partial(translate, language),
        language=language,
        times=Times(language, "UTC"),
        names={TEAM: "Service desk", FIELD: "Host"},
        settings={"smtp_port": "SMTP port"},
    )


def shown(action: str, key: str, value: object, language: str = "en") -> str:
    (detail,) = told(language).of(entry(action, new={key: value}))
    assert detail.old is None
    assert detail.new is not None
    return f"{detail.label} = {detail.new}"


@pytest.mark.parametrize(
    ("action", "key", "value", "expected"),
    [
        ("team.changed", "strategy", "least_loaded", "Assignment method = Load balanced"),
        ("rule.added", "team", TEAM, "Team = Service desk"),
        ("rule.added", "level", 2, "Level = 2"),
        ("rule.changed", "is_on", False, "On = No"),
        ("agent.abilities_changed", "languages", ["en", "es"],
         "Languages they answer in = English, Spanish"),
        ("satisfaction.rules_changed", "lasts", 1_209_600, "The survey expires after = 14 days"),
        ("satisfaction.rules_changed", "delay", 5_400,
         "Send the survey after = 90 minutes"),
        ("satisfaction.rules_changed", "delay", 0,
         "Send the survey after = 0 seconds"),
        ("sla_policy.added", "targets", {"first_response": 60, "resolution": 480},
         "Targets = First response: 1 h; Resolution: 8 h"),
        ("priorities.changed", "high, low", "urgent", "Impact: High, Urgency: Low = Urgent"),
        ("team.changed", "level_1", [30, None, "lead"],
         "Level 1 = Nobody wrote for (minutes): 30; Escalate to: a lead"),
        ("category.added", "names", {"es": "Accesos"},
         "Name in other languages = Spanish: Accesos"),
        ("account.changed", "smtp_port", 25, "SMTP port = 25"),
        ("webhook.secret_renewed", "old_secret", "void", "The old secret = is void at once"),
        ("token.created", "expires_at", "2026-12-01T10:00:00+00:00",
         "Valid until = December 1, 2026, 10:00:00\N{NARROW NO-BREAK SPACE}AM UTC"),
        ("incoming_hook.added", "mapping", {"key": "a.id", "fields": {"It": "a.host"}},
         "Mapping = Key of the matter: a.id; Fields: It: a.host"),
        ("macro.added", "actions",
         [{"kind": "set_status", "value": "pending"}, {"kind": f"set_field:{FIELD}", "value": "a"}],
         "Actions = Set the status to: Pending\nSet the field Host: a"),
        ("rule.added", "conditions",
         {"every": [{"field": "team", "comparison": "is", "value": f"{TEAM} | gone"}],
          "some": [{"field": f"custom:{FIELD}", "comparison": "filled", "value": ""}]},
         ("Conditions = All of these conditions: Team is Service desk | gone;"
          " Any of these conditions: Host is filled")),
        ("moon.landed", "first_step", "small", "first step = small"),
        ("team.changed", "level_1", [30, "lead"], "Level 1 = 30, lead"),
        ("team.changed", "level_1", {"minutes": 30}, "Level 1 = minutes: 30"),
        ("token.created", "expires_at", "never", "Valid until = never"),
    ],
)  # fmt: skip
def test_fields_and_values_are_called_as_forms_call_them(
    action: str, key: str, value: object, expected: str
) -> None:
    assert shown(action, key, value) == expected


def test_they_are_told_in_the_readers_language() -> None:
    assert shown("rule.changed", "is_on", True, "es") == "Activada = Sí"
    assert shown("satisfaction.rules_changed", "lasts", 86_400, "es").endswith("= 1 día")
    assert shown("agent.abilities_changed", "languages", ["en"], "es").endswith("= inglés")
    typed = shown("account.changed", "signature", "Open", "es")
    assert typed.endswith("= Open")  # what somebody typed stays as it is


def test_what_was_and_what_is_stand_side_by_side() -> None:
    name, role = told().of(
        entry("agent.role_changed", old={"role": "agent"}, new={"role": "lead", "name": "Leo"})
    )
    assert (role.label, role.old, role.new) == ("Role", "Agent", "Lead")
    assert (name.old, name.new) == (None, "Leo")


def test_what_says_nothing_is_left_out_unless_it_was_changed_to_that() -> None:
    assert told().of(entry("team.created", new={"description": "", "escalates_to": None})) == []
    (detail,) = told().of(
        entry("team.changed", old={"description": "Old"}, new={"description": ""})
    )
    assert (detail.old, detail.new) == ("Old", NOTHING)


def test_every_id_is_looked_up_wherever_it_stands() -> None:
    kept = {"team": TEAM, "actions": [{"kind": f"set_field:{FIELD}", "value": "x | y"}]}
    assert named_in([entry("rule.added", new=kept)]) == {UUID(TEAM), UUID(FIELD)}
    assert (
        named_in([entry("rule.removed", old={"name": "36 signs that are no id are left alone."})])
        == set()
    )
