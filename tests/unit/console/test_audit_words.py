"""The audit log says in sentences who did what; its codes are for exports and programs."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import get_args

import pytest

from console.texts import translate
from console.words.audit import AREA, DONE, choices_in_words, sentence
from core.domain.audited import Deed
from core.storage.queries.audit import AuditView

ENTRY = AuditView(
    id=1,
    at=datetime(2026, 11, 2, tzinfo=UTC),
    actor="agent:1",
    actor_name="Ana",
    remote=None,
    action="agent.role_changed",
    subject_kind="agent",
    subject_id="2",
    subject_name="Leo",
    old={"role": "agent"},
    new={"role": "lead"},
)


def said(entry: AuditView, language: str = "en") -> str:
    return re.sub(r"<[^>]+>", "", sentence(entry, partial(translate, language)))


def test_every_deed_that_the_desk_writes_down_has_words() -> None:
    assert set(DONE) == set(get_args(Deed))  # the type of what is recorded
    assert set(AREA) == {deed.partition(".")[0] for deed in DONE}


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("deed", get_args(Deed))
def test_each_names_who_did_it(deed: str, language: str) -> None:
    words = said(replace(ENTRY, action=deed), language)
    assert "Ana" in words
    assert not set("{}") & set(words)


def test_a_role_is_called_as_people_call_it() -> None:
    assert said(ENTRY) == "Ana changed the role of Leo to: lead"
    assert said(ENTRY, "es").startswith("Ana cambió el rol de Leo a: ")


def test_a_ticket_is_named_with_its_number() -> None:
    entry = replace(
        ENTRY, action="ticket.split", subject_kind="ticket", subject_id="7", subject_name="VPN"
    )
    assert said(entry) == "Ana split off a part of ticket #7 VPN"


def test_whoever_is_no_agent_is_named_in_words() -> None:
    entry = replace(ENTRY, actor="command", actor_name=None, action="agent.added")
    assert said(entry) == "The command line added the agent Leo"


@pytest.mark.parametrize(
    ("actor", "name", "expected"),
    [
        ("rule:1", "VIPs first", "The rule “VIPs first” marked ticket #7 VPN as spam"),
        ("rule:1", None, "A rule that was removed marked ticket #7 VPN as spam"),
        ("hook:1", "Prometheus", "The webhook “Prometheus” marked ticket #7 VPN as spam"),
        ("approver:eva@example.org", None, "eva@example.org marked ticket #7 VPN as spam"),
        ("approver", None, "An approver marked ticket #7 VPN as spam"),
    ],
)
def test_rules_webhooks_and_approvers_are_named(
    actor: str, name: str | None, expected: str
) -> None:
    entry = replace(
        ENTRY,
        actor=actor,
        actor_name=name,
        action="ticket.marked_spam",
        subject_kind="ticket",
        subject_id="7",
        subject_name="VPN",
    )
    assert said(entry) == expected


def test_a_code_that_is_not_known_is_shown_as_it_is() -> None:
    assert said(replace(ENTRY, action="moon.landed")) == "Ana: moon.landed Leo"


def test_names_are_no_markup_and_no_templates() -> None:
    entry = replace(ENTRY, subject_name="<b>{who}</b>", action="team.created")
    assert "&lt;b&gt;{who}&lt;/b&gt;" in sentence(entry, partial(translate, "en"))


def test_what_can_be_searched_by_is_in_words() -> None:
    found = choices_in_words(
        ["agent.", "agent.role_changed", "team.", "team.created"], partial(translate, "en")
    )
    assert found == [
        ("Agents", [("agent.", "all of them"), ("agent.role_changed", "changed the role of … to")]),
        ("Teams", [("team.", "all of them"), ("team.created", "created the team")]),
    ]
