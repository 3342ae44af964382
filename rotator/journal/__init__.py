"""The durable truth: facts, sealed values, leases, spools and the rate budget.

`open.open_journal` is the one door. Nothing here is imported before a journal is opened, and SQLAlchemy and Alembic are
loaded only when a schema has to be made or migrated, so that `--help` and `status` stay fast.
"""
