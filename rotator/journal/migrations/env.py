"""What Alembic runs: the steps that it is told to, on the connection that it is given, each in one transaction."""

from __future__ import annotations

from alembic import context

from rotator.journal.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()
