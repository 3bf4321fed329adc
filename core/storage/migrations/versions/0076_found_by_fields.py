"""Tickets are found by what their fields hold."""

import sqlalchemy as sa
from alembic import op

revision = "0076"
down_revision = "0075"
branch_labels = None
depends_on = None

# Numbers are found whole and by their parts: "SN-4711" also by "4711". Dates are left out: each
# has a year that would be found in all of them. The cost keeps the planner from reading tickets one
# by one where an index knows.
_FILLED = r"""
CREATE FUNCTION search_filled(fields jsonb) RETURNS tsvector
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 1000
RETURN (SELECT setweight(search_document('', coalesce(said.words, ''))
                         || to_tsvector('pg_catalog.simple'::regconfig, regexp_replace(
                                search_folded(coalesce(said.words, '')),
                                '[^[:alnum:]]+', ' ', 'g')), 'B')
        FROM (SELECT string_agg(filled.value #>> '{}', E'\n') AS words
              FROM jsonb_each(fields) AS filled (key, value)
              WHERE jsonb_typeof(filled.value) IN ('string', 'number')
                AND (filled.value #>> '{}') !~ '^\d{4}-\d{2}-\d{2}$') AS said)
"""


def upgrade() -> None:
    op.execute(sa.text(_FILLED.replace(":", r"\:")))
    op.create_index(
        "ix_ticket_filled",
        "ticket",
        [sa.text("search_filled(fields)"), "fields"],
        postgresql_using="gin",
        postgresql_where=sa.text("fields <> '{}'"),
    )


def downgrade() -> None:
    raise NotImplementedError("a desk goes forward only; restore a backup to go back")
