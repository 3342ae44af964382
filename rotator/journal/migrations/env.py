"""What Alembic runs: the steps that it is told to, on the connection that it is given, each in one transaction.

Without a connection it writes down what it would do on PostgreSQL.
"""

from __future__ import annotations

from alembic import context

from rotator.journal.tables import metadata

if context.is_offline_mode():
    context.configure(dialect_name="postgresql", target_metadata=metadata)
else:
    context.configure(
        connection=context.config.attributes["connection"],
        target_metadata=metadata,
        transactional_ddl=True,
        transaction_per_migration=True,
    )
with context.begin_transaction():
    context.run_migrations()
