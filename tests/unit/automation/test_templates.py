"""Templates fill in values, and do nothing else."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.errors import InvalidInput
from core.services.automation.templates import Values, check_template, fill_in
from core.services.automation.webhooks import WebhookForm, signature

VALUES: Values = {
    "ticket": {"number": 7},
    "requester": {"name": "Ada", "first_name": None},
    "agent": {},
}


def test_values_are_filled_in_and_missing_ones_leave_nothing() -> None:
    assert fill_in("Hi {{ requester.name }}, #{{ ticket.number }}{{ agent.name }}.", VALUES) == (
        "Hi Ada, #7."
    )
    assert fill_in("{{ requester.first_name | default('-') }}", VALUES) == "-"
    assert fill_in("{{ requester.first_name or 'you' | upper }}", VALUES) == "YOU"
    assert fill_in("{% if ticket.number %}yes{% else %}no{% endif %}", VALUES) == "yes"


@pytest.mark.parametrize(
    "text",
    [
        "{{ ().__class__.__bases__[0].__subclasses__() }}",
        "{{ ticket.__class__ }}",
        "{{ requester['name'] }}",
        "{{ range(9999999) }}",
        "{% for x in ticket %}x{% endfor %}",
        "{% set x = 1 %}",
        "{% include 'base.html' %}",
        "{% macro a() %}{% endmacro %}",
        "{{ ticket.number * 999999999 }}",
        "{{ 'x' * 10**9 }}",
        "{{ requester.name | attr('__class__') }}",
        "{{ requester.name.format(ticket) }}",
        "{{ self }}",
        "{{ cycler }}",
        "{{ ticket.secret }}",
        "{{ nothing.here }}",
        "{{ unclosed",
        "{% endif %}",
        "{{" * 400,
        "{{ ticket.subject" + "|upper" * 150 + " }}",
        "{{ ticket.subject" + "|upper" * 3_000 + " }}",
        "{{ " + " or ".join(["ticket.subject"] * 1_300) + " }}",
    ],
)
def test_a_template_that_would_do_more_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        check_template(text)


def test_as_much_as_people_nest_is_filled_in() -> None:
    nested = "{% if ticket.number %}" * 10 + "{{ ticket.number | e | upper }}" + "{% endif %}" * 10
    assert fill_in(nested, VALUES) == "7"
    first = " or ".join(["ticket.subject"] * 20)
    assert fill_in(f"{{{{ {first} or ticket.number }}}}", VALUES) == "7"


@given(st.text())
def test_whatever_is_written_is_filled_in_or_refused(text: str) -> None:
    with contextlib.suppress(InvalidInput):
        fill_in(text, VALUES)


def test_a_signature_covers_the_time_and_the_body() -> None:
    one = signature(["secret"], b"{}", 1_700_000_000)
    assert one.startswith("t=1700000000,v1=")
    assert len({one, signature(["secret"], b"{ }", 1_700_000_000), signature(["s"], b"{}", 1)}) == 3


@pytest.mark.parametrize("url", ["ftp://x", "https://", "javascript:alert(1)", "http://a:b@c"])
def test_a_webhook_has_an_address_that_can_be_called(url: str) -> None:
    with pytest.raises(InvalidInput):
        WebhookForm(name="x", url=url)
