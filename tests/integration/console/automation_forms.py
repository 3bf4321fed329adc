"""Where automation is set up in the console, and a form as it is sent there."""

from __future__ import annotations

RULES, MACROS, HOOKS = (f"/console/admin/{room}" for room in ("rules", "macros", "webhooks"))
RULE = {
    "name": "Printers first",
    "trigger": "opened",
    "every-field-0": "message",
    "every-comparison-0": "has",
    "every-value-0": "printer | impresora",
    "action-kind-0": "set_team",
    "action-value-0": "printer team",
    "action-kind-1": "reply",
    "action-value-1": "Hello {{ requester.name }}",
    "is_on": "yes",
}
