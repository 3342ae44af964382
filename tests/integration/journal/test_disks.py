"""Real file systems that are full, read-only or out of bounds."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rotator.core.errors import JournalUnsafe
from rotator.core.secret import Secret
from rotator.journal.open import open_journal
from tests.contract.journal.benches import SqliteBench, Template
from tests.contract.journal.drafts import VALUE, captured, claimed, intent, planned
from tests.integration.journal.conftest import Child
from tests.servers.require import MOUNTS, require


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 2 MiB; needs root and mount(8)."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(disk)]
    if os.geteuid() != 0 or shutil.which("mount") is None or subprocess.run(mount, capture_output=True).returncode:
        require(*MOUNTS)
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


def fill(folder: Path) -> Path:
    """Take every free byte."""
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            return ballast


def test_a_full_disk_stops_mints_and_keeps_a_capture_that_was_on_its_way(small_disk: Path, template: Template):
    path = template.copy(small_disk)
    journal = open_journal(f"sqlite:///{path}", template.key)
    stream = journal.streams.register([("a", "prod", None)])["a"]
    lease = claimed(journal, stream)
    journal.append(lease, planned())
    journal.canary()
    journal.append(lease, intent())
    ballast = fill(small_disk)
    big = Secret("v" * 60_000)
    journal.spool(stream, captured(), big)
    with pytest.raises(JournalUnsafe, match=r"SQLITE_FULL|SQLITE_IOERR") as refused:
        journal.capture(stream, captured(), big)
    assert refused.value.remedy
    with pytest.raises(JournalUnsafe):
        journal.canary()
    ballast.unlink()
    journal.capture(stream, captured(), big)
    assert journal.reveal(stream, journal.fingerprint(big)) == big
    assert journal.audit.verify().breaks == ()
    journal.close()


def test_a_disk_without_room_for_the_spool_fails_the_canary(small_disk: Path, template: Template):
    path = template.copy(small_disk)
    journal = open_journal(f"sqlite:///{path}", template.key)
    ballast = small_disk / "ballast"
    with ballast.open("wb") as file:
        free = os.statvfs(small_disk)
        os.posix_fallocate(file.fileno(), 0, free.f_bavail * free.f_frsize - 600_000)
    with pytest.raises(JournalUnsafe, match="reserving room in the spool"):
        journal.canary()
    ballast.unlink()
    journal.canary()
    journal.close()


def test_files_that_may_not_grow_stop_mints_and_lose_nothing(
    bench: SqliteBench, spawn: Callable[..., Child], template: Template
):
    """The stand-in for a full disk where nobody is root: a limit on the size of files."""
    stream = bench.stream("a")
    child = spawn()
    child.ask("import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); journal = open()")
    child.ask(
        f"lease = claimed(journal, {stream!r}); journal.append(lease, planned()); journal.append(lease, intent())"
    )
    child.ask("resource.setrlimit(resource.RLIMIT_FSIZE, (131072, resource.RLIM_INFINITY))")
    child.ask(f"journal.spool({stream!r}, captured(), VALUE)")
    big = "detail={'x': 'y' * 30000}"
    answers = [child.ask(f"journal.append(lease, seen({big})).position") for _ in range(8)]
    assert answers[-1].startswith("!JournalUnsafe")
    assert child.ask("journal.canary()").startswith("!JournalUnsafe")
    child.process.kill()
    child.dies()
    with bench.opening() as journal:
        claimed(journal, stream)
        assert journal.reveal(stream, journal.fingerprint(VALUE)) == VALUE
        assert journal.audit.verify().breaks == ()


@pytest.fixture
def read_only(bench: SqliteBench, tmp_path: Path) -> Iterator[Path]:
    """The journal seen through a read-only mount, which stops even root."""
    bench.stream("a")
    place = tmp_path / "read-only"
    place.mkdir()
    source = str(bench.path.parent)
    if (
        os.geteuid() != 0
        or subprocess.run(["mount", "--bind", source, str(place)], capture_output=True).returncode
        or subprocess.run(["mount", "-o", "remount,ro,bind", str(place)], capture_output=True).returncode
    ):
        subprocess.run(["umount", "-l", str(place)], capture_output=True, check=False)
        require(*MOUNTS)
    yield place / "state.db"
    subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_read_only_file_system_is_refused_by_a_writer(bench: SqliteBench, read_only: Path):
    with pytest.raises(JournalUnsafe) as refused:
        open_journal(f"sqlite:///{read_only}", bench.key)
    assert "writable" in refused.value.remedy


@pytest.mark.parametrize("what", ["file", "folder"])
def test_what_the_user_may_not_write_is_refused(bench: SqliteBench, spawn: Callable[..., Child], what: str):
    place = {"file": bench.path, "folder": bench.path.parent}[what]
    place.chmod(0o400 if what == "file" else 0o500)
    prefix = ("setpriv", "--bounding-set=-dac_override") if os.geteuid() == 0 else ()
    if prefix and shutil.which(prefix[0]) is None:
        require("setpriv", "install util-linux; root passes every permission without it")
    answer = spawn(prefix=prefix).ask("open()")
    place.chmod(0o700)
    assert answer.startswith("!JournalUnsafe")
    assert "EACCES" in answer
