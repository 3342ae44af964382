"""Where an installation of the tests has its journal: in a file, or on PostgreSQL where the environment says so.

`make crash` runs the crash matrix on both. A database is copied with its installation, like a file would be.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rotator.journal.key_file import generate_key
from rotator.journal.open import open_journal
from rotator.journal.store import SqlJournal
from tests.contract.journal.benches import PostgresPlace
from tests.servers.postgres import shared

ON_POSTGRES = os.environ.get("ROTATOR_TEST_JOURNAL") == "postgres"

_PASSWORD = "state/database-password"
_KEY = "state/rotator.key"


def section(folder: Path) -> dict[str, Any]:
    """The `state` of a new installation in `folder`, whose place is made."""
    if not ON_POSTGRES:
        return {"url": "sqlite:///state/state.db"}
    (folder / "state").mkdir(mode=0o700, parents=True, exist_ok=True)
    generate_key(folder / _KEY)
    _private(folder / _PASSWORD, shared.cluster().password)
    return {
        "url": shared.cluster().url(shared.database("template_clock")),
        "password": {"file": _PASSWORD},
        "encryption_key": {"file": _KEY},
    }


def copied(state: Mapping[str, Any]) -> dict[str, Any]:
    """The `state` of a copied installation; a database is copied, too. Nobody works on the first one any more."""
    address, _, name = str(state["url"]).rpartition("/")
    if not ON_POSTGRES or not address.startswith("postgresql"):
        return dict(state)
    shared.cluster().sql(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
    return {**state, "url": f"{address}/{shared.database(name)}"}


def on_one_machine(document: dict[str, Any]) -> None:
    """Name the machine that the files are on, as a journal that several could share wants it."""
    if ON_POSTGRES:
        document["node"] = "here"
        files = (t for c in document["credentials"] for t in c.get("targets", ()) if t["type"] == "env_file")
        for target in files:
            target["node"] = "here"


def environment(folder: Path) -> dict[str, str]:
    """What the program is told about this machine."""
    return {"STATE_DIRECTORY": str(folder / "state")} if ON_POSTGRES else {}


def leases_end(state: Mapping[str, Any]) -> None:
    """Let a minute pass on the database's clock, so that nobody waits for the lease of a killed process.

    On one machine with a file the kernel says at once that a process is gone.
    """
    if ON_POSTGRES:
        shared.move(str(state["url"]).rpartition("/")[2], 60)


def reader(state: Mapping[str, Any], folder: Path, copy: Path | None = None) -> SqlJournal:
    """The journal of an installation for reading; of a file, the one in `copy` where its folder was copied to."""
    if str(state["url"]).startswith("postgresql"):
        return open_journal(PostgresPlace(state["url"], folder / "state"), folder / _KEY, mode="reader")
    found = copy or folder / "state"
    return open_journal(f"sqlite:///{found / 'state.db'}", found / "rotator.key", mode="reader")


def _private(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o600)
