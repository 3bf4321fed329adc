"""Texts with holes: `Hello {{ requester.name }}`, filled in without letting anything else run.

Jinja's sandbox alone allows loops and calls, which can still take memory and time. Here a template
may name values, choose with `if`, and use a handful of filters; everything else is refused when it
is saved.
"""

from __future__ import annotations

from collections.abc import Mapping

Values = Mapping[str, Mapping[str, str | int | None] | str | int | None]
"""What a template may name: `ticket.number`, `requester.name`, …"""

VARIABLES: Mapping[str, tuple[str, ...]] = {
    "ticket": ("number", "subject", "status", "priority", "category", "team", "link"),
    "requester": ("name", "first_name", "email", "organisation"),
    "agent": ("name", "email"),
}
"""The names a template may use, for help and for checking."""


def check_template(text: str) -> str:
    """Return `text`, or raise `InvalidInput` where it is not a template of the kind we run."""
    from core.services.automation import sandbox  # 5 MB that most workers never need

    sandbox.check(text)
    return text


def fill_in(text: str, values: Values) -> str:
    """Return `text` with its holes filled in from `values`.

    Raises:
        InvalidInput: it is not a template, or does what templates may not do.
    """
    from core.services.automation import sandbox

    # What is None is left out: it would be written as "None".
    known = {
        kind: {name: value for name, value in of.items() if value is not None}
        if isinstance(of, Mapping)
        else of
        for kind, of in values.items()
    }
    return sandbox.render(text, known)
