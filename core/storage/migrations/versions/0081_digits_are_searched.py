"""The search finds long, broken and negative numbers of fields by the digits that tickets keep."""

import sqlalchemy as sa
from alembic import op

revision = "0081"
down_revision = "0080"
branch_labels = None
depends_on = None

# Of a number, the words are its digits: as `number` has it, it may have an exponent, and fewer.
_FILLED = r"""
CREATE OR REPLACE FUNCTION filled_fields(fields jsonb)
RETURNS TABLE (field_id uuid, kind text, words text, number double precision)
LANGUAGE sql STABLE STRICT PARALLEL SAFE
BEGIN ATOMIC
    SELECT form_field.id, form_field.kind,
           CASE jsonb_typeof(filled.value)
               WHEN 'string' THEN search_folded(filled.value #>> '{}')
               WHEN 'boolean' THEN CASE WHEN filled.value = 'true' THEN 'yes' ELSE 'no' END
               WHEN 'number' THEN filled.value #>> '{}'
           END,
           CASE jsonb_typeof(filled.value)
               WHEN 'number' THEN (filled.value #>> '{}')::double precision
           END
    FROM jsonb_each(fields) AS filled (key, value)
    JOIN form_field ON form_field.id = CASE
        WHEN filled.key ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' THEN filled.key::uuid END
    WHERE jsonb_typeof(filled.value) IN ('string', 'boolean', 'number');
END
"""

# "-42.5" is one word to the search, which "42.5" would not find.
_SEARCHED = r"""
CREATE OR REPLACE FUNCTION search_filled(words text, number double precision) RETURNS tsvector
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN setweight(
    search_document('', coalesce(words, ''))
    || search_document('', CASE WHEN number < 0 THEN ltrim(words, '-') ELSE '' END)
    || to_tsvector('pg_catalog.simple'::regconfig, regexp_replace(
           coalesce(words, ''), '[^[:alnum:]]+', ' ', 'g')), 'B')
"""

_FILL = """
UPDATE ticket_field AS kept SET words = ticket.fields ->> kept.field_id::text
FROM ticket WHERE ticket.id = kept.ticket_id AND kept.number IS NOT NULL
"""


def upgrade() -> None:
    for statement in (_FILLED, _SEARCHED, _FILL):
        op.execute(sa.text(statement.replace(":", r"\:")))


def downgrade() -> None:
    raise NotImplementedError("a desk goes forward only; restore a backup to go back")
