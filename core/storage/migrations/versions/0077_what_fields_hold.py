"""What the fields of tickets hold stands in a table of its own, by which they are found."""

import sqlalchemy as sa
from alembic import op

revision = "0077"
down_revision = "0076"
branch_labels = None
depends_on = None

# What no form asks for, such as what the assistant noted, is passed over.
_FILLED = r"""
CREATE FUNCTION filled_fields(fields jsonb)
RETURNS TABLE (field_id uuid, kind text, words text, number double precision)
LANGUAGE sql STABLE STRICT PARALLEL SAFE
BEGIN ATOMIC
    SELECT form_field.id, form_field.kind,
           CASE jsonb_typeof(filled.value)
               WHEN 'string' THEN search_folded(filled.value #>> '{}')
               WHEN 'boolean' THEN CASE WHEN filled.value = 'true' THEN 'yes' ELSE 'no' END
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

_KEEP = """
CREATE FUNCTION keep_ticket_fields() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM ticket_field WHERE ticket_id = NEW.id AND NOT NEW.fields ? field_id::text;
    INSERT INTO ticket_field AS kept (ticket_id, field_id, kind, words, number)
    SELECT NEW.id, filled.* FROM filled_fields(NEW.fields) AS filled
    ON CONFLICT (ticket_id, field_id) DO UPDATE
    SET words = excluded.words, number = excluded.number
    WHERE (kept.words, kept.number) IS DISTINCT FROM (excluded.words, excluded.number);
    RETURN NULL;
END $$
"""

_ON_INSERT = """
CREATE TRIGGER ticket_is_filled AFTER INSERT ON ticket FOR EACH ROW
WHEN (NEW.fields <> '{}') EXECUTE FUNCTION keep_ticket_fields()
"""

_ON_UPDATE = """
CREATE TRIGGER ticket_fields_changed AFTER UPDATE OF fields ON ticket FOR EACH ROW
WHEN (NEW.fields <> OLD.fields) EXECUTE FUNCTION keep_ticket_fields()
"""

_FILL = """
INSERT INTO ticket_field (ticket_id, field_id, kind, words, number)
SELECT ticket.id, filled.* FROM ticket CROSS JOIN LATERAL filled_fields(ticket.fields) AS filled
WHERE ticket.fields <> '{}'
"""


def upgrade() -> None:
    op.create_table(
        "ticket_field",
        sa.Column("ticket_id", sa.Uuid(), nullable=False),
        sa.Column("field_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("words", sa.Text(collation="C"), nullable=True),
        sa.Column("number", sa.Double(), nullable=True),
    )
    for statement in (_FILLED, _KEEP, _FILL):
        op.execute(sa.text(statement.replace(":", r"\:")))
    # Made afterwards they take a fraction of the time.
    op.create_primary_key("pk_ticket_field", "ticket_field", ["ticket_id", "field_id"])
    op.create_foreign_key(
        "fk_ticket_field_ticket_id",
        "ticket_field",
        "ticket",
        ["ticket_id"],
        ["id"],
        ondelete="CASCADE",
    )
    op.create_index(
        "ix_ticket_field_words",
        "ticket_field",
        ["field_id", sa.text("left(words, 100)"), "ticket_id"],
    )
    op.create_index(
        "ix_ticket_field_number",
        "ticket_field",
        ["field_id", "number", "ticket_id"],
        postgresql_where=sa.text("number IS NOT NULL"),
    )
    # A choice is of one field: taken for independent, the planner would expect far fewer.
    op.execute("CREATE STATISTICS ticket_field_values (mcv) ON field_id, words FROM ticket_field")
    for statement in (_ON_INSERT, _ON_UPDATE):
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("a desk goes forward only; restore a backup to go back")
