"""What the tests of open share."""

from __future__ import annotations

from tests.contract.journal.benches import SqliteBench


def files(bench: SqliteBench) -> dict[str, bytes]:
    """What lies in the folder, but for what SQLite itself keeps beside an open database."""
    found = [file for file in bench.path.parent.iterdir() if not file.name.endswith(("-wal", "-shm"))]
    return {file.name: file.read_bytes() for file in found}
