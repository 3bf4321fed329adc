"""Which policy is for a ticket, and which policies there can be."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest

from core.domain.errors import InvalidInput
from core.domain.sla.policy import (
    ClockKind,
    Conditions,
    Policy,
    PolicyId,
    TicketFacts,
    check,
    first_match,
    fits,
)
from core.domain.ticket import Priority

ACME, HARDWARE, LAPTOPS, TEAM = (UUID(int=number) for number in range(4))
TICKET = TicketFacts(
    organisation=ACME,
    priority=Priority.HIGH,
    categories=frozenset({LAPTOPS, HARDWARE}),
    channel="email",
    team=None,
)


def policy(name: str = "usual", **conditions: frozenset[object]) -> Policy:
    return Policy(
        id=PolicyId(UUID(int=9)),
        name=name,
        conditions=Conditions(**conditions),  # type: ignore[arg-type]
        targets={ClockKind.RESOLUTION: timedelta(hours=8)},
    )


def test_a_policy_without_conditions_is_for_every_ticket() -> None:
    assert fits(Conditions(), TICKET)


def test_every_condition_must_hold_and_one_value_of_each_is_enough() -> None:
    wanted = Conditions(
        organisations=frozenset({ACME}), priorities=frozenset({Priority.HIGH, Priority.URGENT})
    )
    assert fits(wanted, TICKET)
    assert not fits(Conditions(organisations=frozenset({ACME}), teams=frozenset({TEAM})), TICKET)


def test_a_category_takes_in_those_below_it() -> None:
    assert fits(Conditions(categories=frozenset({HARDWARE})), TICKET)


def test_the_first_policy_that_fits_counts() -> None:
    chat, mail, usual = (
        policy("chat", channels=frozenset({"webchat"})),
        policy("mail", channels=frozenset({"email"})),
        policy(),
    )
    assert first_match([chat, mail, usual], TICKET) is mail
    assert first_match([usual, mail], TICKET) is usual
    assert first_match([chat], TICKET) is None


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"name": " "}, "name"),
        ({"targets": {}}, "at least one"),
        ({"targets": {ClockKind.RESOLUTION: timedelta(seconds=59)}}, "one minute"),
        ({"targets": {ClockKind.RESOLUTION: timedelta(days=400)}}, "a year"),
        ({"warn_percent": 100}, "99 percent"),
    ],
)
def test_policies_that_cannot_be_kept_are_refused(wrong: dict[str, object], said: str) -> None:
    values: dict[str, object] = {"targets": {ClockKind.RESOLUTION: timedelta(hours=1)}} | wrong
    with pytest.raises(InvalidInput, match=said):
        check(Policy(id=PolicyId(UUID(int=1)), **{"name": "any", **values}))  # type: ignore[arg-type]
