"""The schema as it is now: what the migrations add up to (a test compares the two).

Loaded by Alembic alone. The store speaks plain SQL, so that opening a journal does not cost SQLAlchemy's import.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)

metadata: Final = MetaData()

Number: Final = Integer().with_variant(BigInteger, "postgresql")
"""Numbers grow for years: eight bytes where the database counts them. A row id of SQLite must be called INTEGER."""

_CREDENTIAL: Final = text("kind = 'credential'")
_CAPTURED: Final = text("kind = 'captured'")

meta = Table(
    "meta",
    metadata,
    Column("name", Text, primary_key=True),  # `instance`, `secret`
    Column("value", Text, nullable=False),
)

stream = Table(
    "stream",
    metadata,
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),  # credential | connection
    Column("name", Text, nullable=False),
    Column("connection", Text, nullable=False),
    Column("managed", Boolean, nullable=False),
    Column("next_at", Float),  # provider time at which to look again
    Column("woken_at", Float),  # a wish that came while somebody worked on it
    Column("why", Text, nullable=False),  # the driver's last word, for `status`
    UniqueConstraint("kind", "name"),
)
Index("due", stream.c.connection, stream.c.next_at, sqlite_where=_CREDENTIAL, postgresql_where=_CREDENTIAL)

sealed = Table(
    "sealed",
    metadata,
    Column("sealed_id", Text, primary_key=True),
    Column("format", Number, nullable=False),
    Column("instance", Text, nullable=False),
    Column("credential", Text, ForeignKey("stream.id"), nullable=False),
    Column("rid", Text, nullable=False),
    Column("attempt", Number, nullable=False),
    Column("fingerprint", Text, nullable=False),
    Column("token_id", Text, nullable=False),
    Column("key_id", Text, nullable=False),
    Column("wrapped_key", LargeBinary),  # null once destroyed
    Column("nonce", LargeBinary, nullable=False),
    Column("ciphertext", LargeBinary, nullable=False),
    Column("destroyed_at", Float),
)
Index("sealed_by_fingerprint", sealed.c.credential, sealed.c.fingerprint)

fact = Table(
    "fact",
    metadata,
    Column("seq", Number, primary_key=True),
    Column("fact_id", Text, nullable=False, unique=True),
    Column("stream", Text, ForeignKey("stream.id"), nullable=False),
    Column("position", Number, nullable=False),
    Column("machine", Number, nullable=False),
    Column("kind", Text, nullable=False),
    Column("epoch", Number, nullable=False),
    Column("writer", Text, nullable=False),
    Column("instance", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("owner", Text, nullable=False),
    Column("principal", Text, nullable=False),
    Column("rid", Text, nullable=False),
    Column("attempt", Number, nullable=False),
    Column("token_id", Text, nullable=False),
    Column("token_name", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("generation", Number, nullable=False),
    Column("fingerprint", Text, nullable=False),
    Column("sealed_id", Text, nullable=False),  # or empty
    Column("at", Float, nullable=False),  # provider time
    Column("boot_id", Text, nullable=False),
    Column("boot_time", Float, nullable=False),
    Column("detail", Text, nullable=False),  # JSON
    Column("previous", Text, nullable=False),
    Column("hash", Text, nullable=False),
    UniqueConstraint("stream", "position"),
)
Index(
    "one_capture",
    fact.c.stream,
    fact.c.rid,
    fact.c.attempt,
    fact.c.fingerprint,
    unique=True,
    sqlite_where=_CAPTURED,
    postgresql_where=_CAPTURED,
)

lease = Table(
    "lease",
    metadata,
    Column("name", Text, primary_key=True),  # id of a stream, or `place:` and a place
    Column("holder", Text, nullable=False),  # empty: free
    Column("epoch", Number, nullable=False),
    Column("expires", Float, nullable=False),  # boot time
    Column("boot_id", Text, nullable=False),
)

process = Table(
    "process",
    metadata,
    Column("owner", Text, primary_key=True),
    Column("kind", Text, nullable=False),  # run | once
    Column("host", Text, nullable=False),
    Column("pid", Number, nullable=False),
    Column("started", Float, nullable=False),  # wall time, for people
    Column("heartbeat", Float, nullable=False),  # wall time, for people
    Column("beat", Float, nullable=False),  # boot time, for decisions
    Column("boot_id", Text, nullable=False),
    Column("listener", Text, nullable=False),
)

budget = Table(
    "budget",
    metadata,
    Column("connection", Text, primary_key=True),
    Column("boot_id", Text, primary_key=True),
    Column("ends", Float, primary_key=True),  # boot time at which the bucket closes
    Column("count", Number, nullable=False),
)

stop = Table(
    "stop",
    metadata,
    Column("connection", Text, primary_key=True),
    Column("boot_id", Text, nullable=False),
    Column("until", Float, nullable=False),  # boot time
    Column("until_wall", Float, nullable=False),  # for another boot
    Column("seconds", Float, nullable=False),
)

canary = Table(
    "canary",
    metadata,
    Column("owner", Text, primary_key=True),
    Column("record", Text, nullable=False),
)

pace = Table(
    "pace",
    metadata,
    Column("stream", Text, ForeignKey("stream.id"), primary_key=True),
    Column("connection", Text, nullable=False),
    Column("due_at", Float),  # provider time; null: no token yet
    Column("expires_at", Float),
    Column("lifetime", Float),  # seconds
    Column("planned_at", Float),
    Column("dead_at", Float),  # provider time at which the published value was first seen dead; null: it lives
    Column("dead_seen", Float),  # and last
)
Index("pace_of_connection", pace.c.connection)

consumer_cursor = Table(
    "consumer_cursor",
    metadata,
    Column("consumer", Text, primary_key=True),  # whoever passes facts on, e.g. a sink of the audit export
    Column("stream", Text, ForeignKey("stream.id"), primary_key=True),
    Column("position", Number, nullable=False),  # of the last fact that was passed on
)
