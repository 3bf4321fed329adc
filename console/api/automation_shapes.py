"""What rules and macros are made of in the API."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from console.api.shapes import Body, Text


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
