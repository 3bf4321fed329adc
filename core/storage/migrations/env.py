"""Runs migrations on the connection that `core.storage.migrate` hands over."""

from alembic import context

from core.storage.tables import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    transaction_per_migration=False,
)
with context.begin_transaction():
    context.run_migrations()
