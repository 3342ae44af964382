"""What an earlier landing left behind goes on: its journal is read as it was meant, verified, and continued.

`NUMBER.tar.gz` was written by the program of that landing (`make.py`), and `said.json` in it is what that program said
of it. An archive is never made anew; each landing adds one.
"""

import json
import tarfile
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests import verdict
from tests.installation import Installation

HERE = Path(__file__).resolve().parent
ARCHIVES = sorted(HERE.glob("*.tar.gz"))
TOLD_BY_FACTS = (
    *("name", "connection", "owner", "strategy", "generation", "token_id", "token_name", "expires_on", "last_success"),
    "paused",
)
"""What `status` says of a credential whatever the time and the configuration are."""


@pytest.fixture(params=ARCHIVES, ids=lambda path: path.name.removesuffix(".tar.gz"))
def left(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """The folder of an installation as that landing left it, the provider's clock included."""
    with tarfile.open(request.param) as archive:
        archive.extractall(tmp_path, filter="data")
    sandbox = json.loads((tmp_path / "sandbox.json").read_text())
    then = datetime.fromisoformat(said(tmp_path)["status"]["time"]).timestamp()
    sandbox["advanced"] += then + 10 - time.time()
    (tmp_path / "sandbox.json").write_text(json.dumps(sandbox))
    return tmp_path


@pytest.fixture
def place(left: Path) -> Iterator[Installation]:
    """The same, with a provider that remembers its tokens."""
    with Installation(left) as found:
        yield found


def said(folder: Path) -> dict[str, Any]:
    """What the program of that day said."""
    found: dict[str, Any] = json.loads((folder / "said.json").read_text())
    return found


def still_says(then: Any, now: Any) -> bool:
    """Whether a document says everything that it said then; more is welcome."""
    if isinstance(then, dict):
        return isinstance(now, dict) and all(key in now and still_says(then[key], now[key]) for key in then)
    if isinstance(then, list):
        return isinstance(now, list) and len(then) == len(now) and all(map(still_says, then, now))
    return bool(then == now)


def test_there_is_an_archive():
    assert ARCHIVES


def test_its_chains_are_whole(place: Installation):
    journal = place.journal()
    try:
        assert not journal.audit.verify().breaks
    finally:
        journal.close()


def test_its_history_says_what_it_said(place: Installation):
    then, now = said(place.folder)["history"], json.loads(place.run("history", "-o", "json").out)["facts"]
    assert len(then) == len(now)
    for before, after in zip(then, now, strict=True):
        assert still_says(before, after), (before, after)


def test_its_status_says_what_it_said(place: Installation):
    now = json.loads(place.run("status", "-o", "json").out)["credentials"]
    for before, after in zip(said(place.folder)["status"]["credentials"], now, strict=True):
        for key in TOLD_BY_FACTS:
            assert still_says(before[key], after[key]), (before["name"], key, before[key], after[key])
        steps = [(r["token_id"], r["step"]) for r in before["retirements"]]
        assert [(r["token_id"], r["step"]) for r in after["retirements"]] == steps, before["name"]
        for key in ("id", "step", "strategy", "started", "attempt"):
            assert (before["rotation"] or {}).get(key) == (after["rotation"] or {}).get(key), before["name"]


@pytest.mark.slow
def test_it_is_continued(place: Installation, tmp_path: Path):
    before = {c["name"]: c for c in said(place.folder)["status"]["credentials"]}
    done = place.run("once", "--wait", "20s")
    assert done.code in (0, 3), done.err[-3000:]
    assert not {"journal_unsafe", "internal_error"} & set(done.events)
    after = {c["name"]: c for c in json.loads(place.run("status", "-o", "json").out)["credentials"]}
    assert after["midway"]["rotation"] is None, "an open rotation was not finished"
    assert after["midway"]["generation"] == before["midway"]["generation"]
    assert after["asked"]["generation"] == before["asked"]["generation"] + 1, "a request was not served"
    ours = [name for name in before if name != "heeded"]  # where an operator wanted somebody else's value
    published = [place.value(f"app/{'one' if name == 'twice' else name}.env") for name in ours]
    verdict.published_values_are_alive(place, published)
    (tmp_path / "scratch").mkdir()
    verdict.published_values_are_durable(place, published, tmp_path / "scratch")
