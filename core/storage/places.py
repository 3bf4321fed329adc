"""Pairs of an account and a name in it, asked for by a statement that is the same for any number.

Written into a statement one by one, each number of pairs would be a statement of its own, which is
put together, parsed and planned anew.
"""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import ColumnElement, Text, bindparam, func, select, tuple_
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.sql.selectable import TableValuedAlias

Pair = tuple[str, str]


def listed(pairs: Collection[Pair]) -> TableValuedAlias:
    """Return `pairs` as a table with the columns `account` and `name`."""
    ordered = sorted(pairs)
    unnested = func.unnest(
        bindparam("accounts", [account for account, _ in ordered], ARRAY(Text), unique=True),
        bindparam("names", [name for _, name in ordered], ARRAY(Text), unique=True),
    )
    return unnested.table_valued("account", "name", name="listed").render_derived()


def is_listed(
    account: InstrumentedAttribute[str], name: InstrumentedAttribute[str], pairs: Collection[Pair]
) -> ColumnElement[bool]:
    """Return the condition that `account` and `name` are one of `pairs`.

    Beside another condition by OR it has every row read, instead of an index asked.
    """
    wanted = listed(pairs)
    return tuple_(account, name).in_(select(wanted.c.account, wanted.c.name))
