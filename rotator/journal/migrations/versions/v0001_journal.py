"""The journal: streams, facts, sealed values, leases, processes, the rate budget."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

APPLICATION_ID = 0x526F7461
"""`Rota`: tells our files from those of other programs (https://www.sqlite.org/pragma.html#pragma_application_id)."""


def _text(name: str, *, primary_key: bool = False, unique: bool | None = None) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False, primary_key=primary_key, unique=unique)


def _integer(name: str, *, primary_key: bool = False) -> sa.Column[int]:
    # Numbers grow for years: eight bytes where the database counts them. A row id of SQLite must be called INTEGER.
    kind = sa.Integer().with_variant(sa.BigInteger, "postgresql")
    return sa.Column(name, kind, nullable=False, primary_key=primary_key)


def _time(name: str, *, nullable: bool = False, primary_key: bool = False) -> sa.Column[float]:
    return sa.Column(name, sa.Float, nullable=nullable, primary_key=primary_key)


def upgrade() -> None:
    sqlite = op.get_context().dialect.name == "sqlite"
    if sqlite:
        op.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    op.create_table("meta", _text("name", primary_key=True), _text("value"))
    op.create_table(
        "stream",
        _text("id", primary_key=True),
        _text("kind"),
        _text("name"),
        _text("connection"),
        sa.Column("managed", sa.Boolean, nullable=False),
        _time("next_at", nullable=True),
        _time("woken_at", nullable=True),
        _text("why"),
        sa.UniqueConstraint("kind", "name"),
    )
    of_credentials = sa.text("kind = 'credential'")
    op.create_index(
        "due",
        "stream",
        ["connection", "next_at"],
        sqlite_where=of_credentials,
        postgresql_where=of_credentials,
    )
    op.create_table(
        "sealed",
        _text("sealed_id", primary_key=True),
        _integer("format"),
        _text("instance"),
        sa.Column("credential", sa.Text, sa.ForeignKey("stream.id"), nullable=False),
        _text("rid"),
        _integer("attempt"),
        _text("fingerprint"),
        _text("token_id"),
        _text("key_id"),
        sa.Column("wrapped_key", sa.LargeBinary),
        sa.Column("nonce", sa.LargeBinary, nullable=False),
        sa.Column("ciphertext", sa.LargeBinary, nullable=False),
        _time("destroyed_at", nullable=True),
    )
    op.create_index("sealed_by_fingerprint", "sealed", ["credential", "fingerprint"])
    op.create_table(
        "fact",
        _integer("seq", primary_key=True),
        _text("fact_id", unique=True),
        sa.Column("stream", sa.Text, sa.ForeignKey("stream.id"), nullable=False),
        _integer("position"),
        _integer("machine"),
        _text("kind"),
        _integer("epoch"),
        _text("writer"),
        _text("instance"),
        _text("actor"),
        _text("owner"),
        _text("principal"),
        _text("rid"),
        _integer("attempt"),
        _text("token_id"),
        _text("token_name"),
        _text("target"),
        _integer("generation"),
        _text("fingerprint"),
        _text("sealed_id"),
        _time("at"),
        _text("boot_id"),
        _time("boot_time"),
        _text("detail"),
        _text("previous"),
        _text("hash"),
        sa.UniqueConstraint("stream", "position"),
    )
    op.create_index(
        "one_capture",
        "fact",
        ["stream", "rid", "attempt", "fingerprint"],
        unique=True,
        sqlite_where=sa.text("kind = 'captured'"),
        postgresql_where=sa.text("kind = 'captured'"),
    )
    if sqlite:
        for act in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER fact_no_{act.lower()} BEFORE {act} ON fact "
                "BEGIN SELECT RAISE(ABORT, 'facts are append-only'); END"
            )
    else:
        op.execute(
            "CREATE FUNCTION fact_is_append_only() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'facts are append-only'; END $$"
        )
        for act in ("UPDATE", "DELETE", "TRUNCATE"):
            op.execute(
                f"CREATE TRIGGER fact_no_{act.lower()} BEFORE {act} ON fact "
                "FOR EACH STATEMENT EXECUTE FUNCTION fact_is_append_only()"
            )
    op.create_table(
        "lease", _text("name", primary_key=True), _text("holder"), _integer("epoch"), _time("expires"), _text("boot_id")
    )
    op.create_table(
        "process",
        _text("owner", primary_key=True),
        _text("kind"),
        _text("host"),
        _integer("pid"),
        _time("started"),
        _time("heartbeat"),
        _time("beat"),
        _text("boot_id"),
        _text("listener"),
    )
    op.create_table(
        "budget",
        _text("connection", primary_key=True),
        _text("boot_id", primary_key=True),
        _time("ends", primary_key=True),
        _integer("count"),
    )
    op.create_table(
        "stop",
        _text("connection", primary_key=True),
        _text("boot_id"),
        _time("until"),
        _time("until_wall"),
        _time("seconds"),
    )
    op.create_table("canary", _text("owner", primary_key=True), _text("record"))
