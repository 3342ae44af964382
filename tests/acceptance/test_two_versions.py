"""An upgrade, and the way back: an earlier version and today's on one journal, in turns and side by side."""

from __future__ import annotations

import io
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from rotator.journal.key_file import generate_key
from tests.installation import CHECKOUT, Installation, credential
from tests.servers.postgres import shared
from tests.servers.require import require

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

EARLIER = "978382492a48"
"""The commit whose installation is `tests/landings/2.tar.gz`."""

NAMES = [f"deploy-{number}" for number in range(6)]
ROTATION = {"renew_before": "20m", "grace": "1s", "quiet": "1s", "soak": "1s"}
DUE = 3000.0
"""Seconds of provider time after which every credential is due."""


@pytest.fixture(scope="module")
def earlier(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, ...]:
    """The command that starts the earlier program, with the libraries of today's lock."""
    done = subprocess.run(["git", "-C", CHECKOUT, "archive", EARLIER, "rotator"], capture_output=True, check=False)
    if done.returncode:
        require("history", "git does not have the earlier version: clone with the whole history")
    folder = tmp_path_factory.mktemp("earlier")
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
        archive.extractall(folder, filter="data")
    command = ("env", f"PYTHONPATH={folder}", sys.executable)
    tell = [*command, "-c", "import rotator; print(rotator.__file__)"]
    where = subprocess.run(tell, capture_output=True, check=True, cwd=folder.parent)
    assert Path(where.stdout.decode().strip()).is_relative_to(folder), "it is today's program that would run"
    return (*command, "-m", "rotator")


@contextmanager
def program(place: Installation, command: tuple[str, ...]) -> Iterator[None]:
    """Let an installation run another program than today's."""
    place.PROGRAM = command  # type: ignore[misc]  # of this installation alone
    try:
        yield
    finally:
        del place.PROGRAM


def installed(folder: Path, **sections: object) -> Installation:
    """Six credentials that publish into files."""
    target = {"type": "env_file", "name": "env", **({"node": "here"} if sections else {})}
    place = Installation(
        folder,
        *(credential(name, rotation=ROTATION, targets=[{**target, "path": f"app/{name}.env"}]) for name in NAMES),
        **sections,
    )
    for name in NAMES:
        place.file(f"app/{name}.env")
    return place


def published(place: Installation) -> list[str]:
    """What stands in the files; all of it is accepted by the provider at this moment."""
    found = []
    for name in NAMES:
        with place.world.lock:  # nothing dies between reading and asking
            value = place.value(f"app/{name}.env")
            if value is not None:
                assert place.accepts(value), f"{name} is published and dead"
                found.append(value)
    return found


def test_one_version_goes_on_where_the_other_stopped_and_back(tmp_path: Path, earlier: tuple[str, ...]) -> None:
    with installed(tmp_path) as place:
        seen: set[str] = set()
        for turn in range(5):
            with program(place, earlier if turn % 2 else place.PROGRAM):
                done = place.run("once", "--wait", "20s")
            assert done.code == 0, done.err[-3000:]
            values = published(place)
            assert (len(values), seen & set(values)) == (len(NAMES), set()), f"turn {turn} rotated every one"
            seen |= set(values)
            place.advance(DUE)

        for command in (place.PROGRAM, earlier):
            with program(place, command):
                assert "every chain is whole" in place.run("audit", "verify").out
        assert len(place.alive()) == len(NAMES)


@pytest.mark.postgres
def test_daemons_of_two_versions_share_the_work_on_one_database(tmp_path: Path, earlier: tuple[str, ...]) -> None:
    (tmp_path / "state").mkdir(mode=0o700)
    generate_key(tmp_path / "state/rotator.key")
    (tmp_path / "password").write_text(shared.cluster().password)
    (tmp_path / "password").chmod(0o600)
    state = {
        "url": shared.cluster().url(shared.database()),
        "password": {"file": "password"},
        "encryption_key": {"file": "state/rotator.key"},
    }
    with installed(tmp_path, state=state, node="here") as place:
        place.environment = {"STATE_DIRECTORY": str(tmp_path / "state")}
        today = place.daemon()  # the new version migrates first, as the page of an upgrade says
        with program(place, earlier):
            before = place.daemon()
        ends, confirmed = time.monotonic() + 240, (0, 0)
        while min(confirmed) < len(NAMES):
            assert time.monotonic() < ends, confirmed
            published(place)
            place.advance(60)
            time.sleep(0.2)
            confirmed = tuple(place.said(one).count('"rotation_confirmed"') for one in (today, before))

        assert [place.end(one) for one in (today, before)] == [0, 0]
        assert len(published(place)) == len(NAMES)
        assert not [line for one in (today, before) for line in place.said(one).splitlines() if '"error"' in line]
        assert "every chain is whole" in place.run("audit", "verify").out
