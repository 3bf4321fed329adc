"""What a token is left with when its agent's role changes: never more than before."""

from __future__ import annotations

import pytest

from core.domain.actor import Role, Scope, narrowed

EVERYTHING = list(Scope)


@pytest.mark.parametrize("role", [Role.AGENT, Role.LEAD, Role.AUDITOR, Role.ADMIN])
def test_no_token_gains_by_a_promotion(role: Role) -> None:
    assert narrowed(role, [Scope.READ], Role.ADMIN) == (role, [Scope.READ])


@pytest.mark.parametrize("to", [Role.AGENT, Role.LEAD, Role.AUDITOR])
def test_an_admins_token_becomes_what_the_agent_becomes(to: Role) -> None:
    assert narrowed(Role.ADMIN, EVERYTHING, to) == (to, EVERYTHING)


@pytest.mark.parametrize(
    ("role", "to"),
    [(Role.AUDITOR, Role.AGENT), (Role.AUDITOR, Role.LEAD), (Role.LEAD, Role.AUDITOR)],
)
def test_between_auditors_and_working_roles_an_agents_looks_are_left(role: Role, to: Role) -> None:
    assert narrowed(role, EVERYTHING, to) == (Role.AGENT, [Scope.READ])
    assert narrowed(role, [Scope.TICKETS], to) == (Role.AGENT, [])
