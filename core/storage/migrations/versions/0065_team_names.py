"""Teams are told apart by their names whatever their capitals, as they are looked for."""

import sqlalchemy as sa
from alembic import op

revision = "0065"
down_revision = "0064"
branch_labels = None
depends_on = None

_MAX_CHARS = 60

_RENAMED = """
INSERT INTO audit_entry (actor, action, subject_kind, subject_id, subject_name, old, new)
VALUES ('command', 'team.changed', 'team', :id, :name,
        jsonb_build_object('name', CAST(:old AS text)),
        jsonb_build_object('name', CAST(:name AS text)))
"""


def upgrade() -> None:
    desk = op.get_bind()
    desk.execute(sa.text("LOCK TABLE team IN SHARE ROW EXCLUSIVE MODE"))
    rows = desk.execute(
        sa.text("SELECT id, name, lower(name) AS small FROM team ORDER BY created_at, id")
    ).all()
    taken = {row.small for row in rows}
    seen: set[str] = set()
    for row in rows:
        if row.small in seen:
            name = _another(desk, row.name, taken)
            desk.execute(
                sa.text("UPDATE team SET name = :name WHERE id = :id"), {"name": name, "id": row.id}
            )
            desk.execute(sa.text(_RENAMED), {"id": str(row.id), "name": name, "old": row.name})
        seen.add(row.small)
    op.drop_constraint(op.f("uq_team_name"), "team", type_="unique")
    op.create_index("uq_team_name", "team", [sa.text("lower(name)")], unique=True)


def _another(desk: sa.Connection, name: str, taken: set[str]) -> str:
    """Return `name` with a number that makes it another than all that are `taken`, and take it."""
    number = 2
    while True:
        suffix = f" ({number})"
        found = name[: _MAX_CHARS - len(suffix)] + suffix
        # The database's small letters decide: Python makes others of some ("ΟΔΟΣ").
        small = desk.scalar(sa.text("SELECT lower(CAST(:name AS text))"), {"name": found})
        if small not in taken:
            taken.add(small)
            return found
        number += 1


def downgrade() -> None:
    raise NotImplementedError("a desk goes forward only; restore a backup to go back")
