"""What a database is asked, and how it goes about it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine


class Asked:
    """Collects the statements that an engine is asked, with their values."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.statements: list[tuple[str, object]] = []
        event.listen(engine.sync_engine, "before_cursor_execute", self._note)

    def _note(self, _: object, __: object, statement: str, values: object, *___: object) -> None:
        if statement.lstrip().startswith(("SELECT", "WITH")):
            self.statements.append((statement, values))

    async def plans(self, engine: AsyncEngine) -> list[str]:
        """Return how the database goes about what was asked."""
        found = []
        for statement, values in list(self.statements):
            async with engine.connect() as connection:
                rows = await connection.exec_driver_sql(f"EXPLAIN {statement}", values)  # type: ignore[arg-type]
                found.append("\n".join(row[0] for row in rows))
        return found

    async def rows_read(self, engine: AsyncEngine, table: str) -> list[int]:
        """Return how many rows of `table` each of what was asked reads, asking it again."""

        def read(node: dict[str, Any]) -> int:
            own = node["Actual Rows"] + node.get("Rows Removed by Filter", 0)
            below = sum(read(one) for one in node.get("Plans", ()))
            return int(below + own * node["Actual Loops"] * (node.get("Relation Name") == table))

        found = []
        for statement, values in list(self.statements):
            async with engine.connect() as connection:
                again = f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}"
                rows = await connection.exec_driver_sql(again, values)  # type: ignore[arg-type]
                found.append(read(rows.scalar_one()[0]["Plan"]))
        return found

    async def scanned(self, engine: AsyncEngine, *tables: str) -> list[str]:
        """Return the plans of what was asked that read one of `tables` from end to end."""
        return [
            f"{table}:\n{plan}"
            for plan in await self.plans(engine)
            for table in tables
            if f"Seq Scan on {table} " in plan
        ]
