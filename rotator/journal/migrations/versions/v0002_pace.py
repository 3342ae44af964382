"""What all processes share about the pace of a connection: when each credential is due, which values died."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "pace",
        sa.Column("stream", sa.Text, sa.ForeignKey("stream.id"), nullable=False, primary_key=True),
        sa.Column("connection", sa.Text, nullable=False),
        sa.Column("due_at", sa.Float),
        sa.Column("expires_at", sa.Float),
        sa.Column("lifetime", sa.Float),
        sa.Column("planned_at", sa.Float),
        sa.Column("dead_at", sa.Float),
        sa.Column("dead_seen", sa.Float),
    )
    op.create_index("pace_of_connection", "pace", ["connection"])
