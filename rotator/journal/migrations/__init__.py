"""Alembic's environment of the journal; shipped inside the package, run by `schema.migrate` alone."""
