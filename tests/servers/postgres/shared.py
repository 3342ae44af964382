"""One cluster per test process, and databases in it that are copied from a template: an empty one or a migrated one."""

import itertools
import threading

from tests.servers.postgres import HOW, Postgres, binaries
from tests.servers.postgres.pooler import HOW as POOLER_HOW
from tests.servers.postgres.pooler import Pooler, binary
from tests.servers.require import require

_names = itertools.count(1)
_cluster: Postgres | None = None
_pooler: Pooler | None = None
_making = threading.Lock()

CLOCK = """
CREATE TABLE clock (at timestamptz NOT NULL);
INSERT INTO clock VALUES ('2026-01-01');
CREATE FUNCTION clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE AS 'SELECT at FROM tests.clock';
"""
"""The database's clock as a test moves it: a function that is found before the one of PostgreSQL."""


def cluster() -> Postgres:
    """The running cluster of this test process; skips, or fails where everything is required, when there is none."""
    if binaries() is None:
        require("PostgreSQL", HOW)
    with _making:
        return _made()


def _made() -> Postgres:
    global _cluster
    if _cluster is None:
        made = Postgres()
        made.start()
        made.sql(f"CREATE ROLE rotator LOGIN PASSWORD '{made.password}'")
        made.sql("CREATE DATABASE template_empty OWNER rotator")
        made.sql("CREATE DATABASE template_clock OWNER rotator")
        made.sql(f"CREATE SCHEMA tests AUTHORIZATION rotator; SET ROLE rotator; SET search_path = tests; {CLOCK}",
                 "template_clock")  # fmt: skip
        _cluster = made
    return _cluster


def pooler() -> Pooler:
    """The running pooler before the cluster; skips, or fails where everything is required, when there is none."""
    global _pooler
    if binary() is None:
        require("PgBouncer", POOLER_HOW)
    if _pooler is None:
        _pooler = Pooler(cluster())
    return _pooler


def move(database: str, seconds: float) -> None:
    """Let time pass on the clock of a database that was copied from `template_clock`."""
    cluster().sql(f"UPDATE tests.clock SET at = at + {seconds} * interval '1 second'", database)


def database(template: str = "template_empty", name: str | None = None) -> str:
    """The name of a database of its own."""
    made = name or f"test_{next(_names)}"
    cluster().sql(f"CREATE DATABASE {made} TEMPLATE {template} OWNER rotator")
    # it is no part of a copy; without a `tests` schema it changes nothing
    cluster().sql(f"ALTER DATABASE {made} SET search_path = public, tests, pg_catalog")
    return made


def end() -> None:
    """End the cluster of this test process and what stands before it, if there is one."""
    global _cluster, _pooler
    if _pooler is not None:
        _pooler.close()
        _pooler = None
    if _cluster is not None:
        _cluster.close()
        _cluster = None
