"""What rules and macros are made of in the API, and what their actions would do."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field

from console.api.shapes import Body, Text
from core.services.automation.failures import failure_in_words
from core.services.automation.simulating import WouldDo


class ConditionBody(Body):
    """One comparison; several values, between `|`, mean any of them.

    `field:<id>` is a field of a category's form.
    """

    field: Annotated[Text, Field(max_length=60)]
    comparison: Annotated[Text, Field(max_length=40)]
    value: Annotated[Text, Field(max_length=2_000)] = ""


class ActionBody(Body):
    """One thing to do, with its value: a name, an id, a tag or a template.

    `set_field:<id>` sets a field of a category's form.
    """

    kind: Annotated[Text, Field(max_length=60)]
    value: Annotated[Text, Field(max_length=20_000)] = ""


class WouldChangeOut(BaseModel):
    """A change, as the ticket's history would have it."""

    field: str
    old: str | None
    new: str | None
    old_name: str | None = Field(description="Of an agent, a team or a category.")
    new_name: str | None


class WouldDoOut(BaseModel):
    """What an action would do to a ticket as it is now, after the actions before it."""

    kind: str
    value: str
    left_out: str | None = Field(description="Why it would not be done; null where it would.")
    changes: list[WouldChangeOut]
    says: list[str] = Field(description="What the requester would read.")
    notes: list[str]
    tells: list[str] = Field(description="Agents who would get a notice, by name.")

    @classmethod
    def of(cls, would: WouldDo) -> WouldDoOut:
        """Return what the API tells of `would`."""
        return cls(
            kind=would.action.key,
            value=would.action.value,
            left_out=None if would.failure is None else failure_in_words(would.failure, "en"),
            changes=[
                WouldChangeOut.model_validate(one, from_attributes=True) for one in would.changes
            ],
            says=list(would.says),
            notes=list(would.notes),
            tells=list(would.tells),
        )
