"""How far each consumer of facts has come in each stream: the audit export, notifications."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    number = sa.Integer().with_variant(sa.BigInteger, "postgresql")
    op.create_table(
        "consumer_cursor",
        sa.Column("consumer", sa.Text, nullable=False, primary_key=True),
        sa.Column("stream", sa.Text, sa.ForeignKey("stream.id"), nullable=False, primary_key=True),
        sa.Column("position", number, nullable=False),
    )
