"""Teams are told apart by their names whatever their capitals, as they are looked for."""

import sqlalchemy as sa
from alembic import op

revision = "0065"
down_revision = "0064"
branch_labels = None
depends_on = None

_MAX_CHARS = 60


def upgrade() -> None:
    desk = op.get_bind()
    desk.execute(sa.text("LOCK TABLE team IN SHARE ROW EXCLUSIVE MODE"))
    rows = desk.execute(sa.text("SELECT id, name FROM team ORDER BY created_at, id")).all()
    names = {row.name.lower() for row in rows}
    seen: set[str] = set()
    for row in rows:
        if row.name.lower() in seen:
            name = _another(row.name, names)
            desk.execute(
                sa.text("UPDATE team SET name = :name WHERE id = :id"), {"name": name, "id": row.id}
            )
            names.add(name.lower())
        seen.add(row.name.lower())
    op.drop_constraint(op.f("uq_team_name"), "team", type_="unique")
    op.create_index("uq_team_name", "team", [sa.text("lower(name)")], unique=True)


def _another(name: str, taken: set[str]) -> str:
    number = 2
    while True:
        suffix = f" ({number})"
        found = name[: _MAX_CHARS - len(suffix)] + suffix
        if found.lower() not in taken:
            return found
        number += 1


def downgrade() -> None:
    raise NotImplementedError("a desk goes forward only; restore a backup to go back")
