from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.ids import CategoryId, OrganisationId, TeamId, new_id
from core.domain.routing import Conditions, RoutingFacts, Rule, first_that_fits, folded

TEAM, NETWORK, ACME = TeamId(new_id()), CategoryId(new_id()), OrganisationId(new_id())
FACTS = RoutingFacts(
    categories=frozenset({NETWORK}),
    channel="email",
    account="help",
    organisation=ACME,
    language="es-MX",
    said=folded("¡No puedo INICIAR sesión en la V.P.N. desde ayer!"),
    reason="angry",
)


@pytest.mark.parametrize(
    ("asked", "fits"),
    [
        (Conditions(), True),
        (Conditions(categories=frozenset({NETWORK})), True),
        (Conditions(categories=frozenset({CategoryId(new_id())})), False),
        (Conditions(channels=frozenset({"slack", "email"})), True),
        (Conditions(channels=frozenset({"slack"})), False),
        (Conditions(accounts=frozenset({"help"}), organisations=frozenset({ACME})), True),
        (Conditions(languages=frozenset({"es"})), True),
        (Conditions(languages=frozenset({"en"})), False),
        (Conditions(words=("iniciar sesion",)), True),
        (Conditions(words=("inicia",)), False),  # not the whole word
        (Conditions(words=("sesión iniciar",)), False),  # another order
        (Conditions(words=("impresora", "v.p.n.")), True),
        (Conditions(reasons=frozenset({"angry"})), True),
        (Conditions(vip_only=True), False),
        (Conditions(languages=frozenset({"es"}), reasons=frozenset({"emergency"})), False),
    ],
)
def test_of_each_kind_one_must_fit(asked: Conditions, fits: bool) -> None:
    assert asked.fit(FACTS) is fits


def test_the_first_rule_that_fits_counts() -> None:
    rules = [
        Rule(id=None, name=name, conditions=asked, team=TEAM)
        for name, asked in (
            ("vip", Conditions(vip_only=True)),
            ("mail", Conditions(channels=frozenset({"email"}))),
            ("all", Conditions()),
        )
    ]
    found = first_that_fits(rules, FACTS)
    assert found is not None
    assert found.name == "mail"


@given(
    st.builds(
        Conditions,
        categories=st.frozensets(st.builds(lambda: CategoryId(new_id())), max_size=3),
        channels=st.frozensets(st.text(max_size=5), max_size=3),
        languages=st.frozensets(st.text(max_size=5), max_size=3),
        words=st.lists(st.text(max_size=9), max_size=3).map(tuple),
        vip_only=st.booleans(),
    )
)
def test_conditions_are_kept_as_they_are(asked: Conditions) -> None:
    assert Conditions.from_json(asked.as_json()) == asked
