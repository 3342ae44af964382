"""What happens to the state: damage, a wrong key, a full disk, its loss, two daemons, an end amid a mint."""

import os
import random
import shutil
import signal
import subprocess

import pytest

from tests import verdict
from tests.installation import Installation, eventually
from tests.prepared import LATER
from tests.servers.require import MOUNTS, require

pytestmark = pytest.mark.slow


def untouched(place: Installation, before: str) -> None:
    """The published value is the same as before, and alive; nothing was minted and nothing destroyed."""
    assert place.value() == before
    assert place.accepts(before)
    assert [token.status(place.world.clock.now()) for token in place.tokens()] == ["active"]


def flip(place: Installation, position: int, mask: int = 0xFF) -> None:
    with (place.folder / "state" / "state.db").open("r+b") as file:
        file.seek(position)
        byte = file.read(1)[0]
        file.seek(position)
        file.write(bytes([byte ^ mask]))


def test_a_damaged_state_stops_everything_and_destroys_nothing(renewal):
    before = renewal.value()
    size = (renewal.folder / "state" / "state.db").stat().st_size
    for position in range(4096 + 8, size, 4096):  # the header of every page but the first
        flip(renewal, position)
    done = renewal.run("once")
    assert done.code == 1
    assert "the file is damaged" in done.err
    assert "restore the last backup" in done.err
    untouched(renewal, before)


def test_a_state_that_is_no_database_is_said_and_kept(renewal):
    before, database = renewal.value(), renewal.folder / "state" / "state.db"
    database.write_bytes(b"this was a database" * 300)
    done = renewal.run("once")
    assert done.code == 1
    assert "state.db" in done.err
    assert database.read_bytes().startswith(b"this was a database")
    untouched(renewal, before)


def test_a_fact_that_was_changed_by_hand_is_found_by_the_audit(fresh):
    database = fresh.folder / "state" / "state.db"
    at = database.read_bytes().index(fresh.tokens()[0].name.encode())
    flip(fresh, at + 2, 0x01)
    done = fresh.run("audit", "verify")
    assert done.code == 1
    assert "was changed" in done.out + done.err


@pytest.mark.parametrize("seed", range(int(os.environ.get("ROTATOR_FLIPS", "4"))))
def test_a_flipped_bit_anywhere_kills_no_published_value(renewal, seed):
    before, dice = renewal.value(), random.Random(seed)
    size = (renewal.folder / "state" / "state.db").stat().st_size
    flip(renewal, dice.randrange(size), 1 << dice.randrange(8))
    done = renewal.run("once", "--wait", "6s")
    assert done.code in (0, 1, 3), done.err
    assert "Traceback" not in done.err
    assert "internal_error" not in done.events, done.err
    assert renewal.accepts(renewal.value())
    if done.code != 0:
        assert renewal.accepts(before)
        assert any(line.startswith("error: ") for line in done.err.splitlines()) or "failing" in done.out, done.err


def test_a_wrong_key_opens_nothing_and_says_so(renewal):
    before, key = renewal.value(), renewal.folder / "state" / "rotator.key"
    right = key.read_bytes()
    key.unlink()
    assert renewal.run("keygen", str(key)).code == 0
    done = renewal.run("once")
    assert done.code == 1
    assert "key" in done.err.splitlines()[-1] + done.err.splitlines()[-2]
    untouched(renewal, before)
    key.write_bytes(right)
    assert renewal.run("once", "--wait", "20s").code == 0
    assert renewal.value() != before
    verdict.is_at_rest(renewal, "deploy", {"env": renewal.value()})


def test_a_key_that_is_gone_is_never_made_anew_beside_an_old_state(renewal):
    before, key = renewal.value(), renewal.folder / "state" / "rotator.key"
    key.unlink()
    done = renewal.run("once")
    assert done.code in (1, 2)
    assert "rotator.key" in done.err
    assert not key.exists()
    untouched(renewal, before)


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 3 MiB; needs root and mount(8)."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=3m,mode=700", "tmpfs", str(disk)]
    if os.geteuid() != 0 or shutil.which("mount") is None or subprocess.run(mount, capture_output=True).returncode:
        require(*MOUNTS)
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


def fill(folder):
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            return ballast


def test_a_full_disk_under_the_state_mints_nothing_until_there_is_room(renewal, small_disk):
    before, state = renewal.value(), renewal.folder / "state"
    for file in ("state.db", "rotator.key"):
        shutil.move(state / file, small_disk / file)
    shutil.rmtree(state)
    state.symlink_to(small_disk)
    ballast = fill(small_disk)
    done = renewal.run("once", "--wait", "2s")
    assert done.code == 1
    assert "journal_unsafe" in done.events or "error: " in done.err, done.err
    untouched(renewal, before)
    ballast.unlink()
    assert renewal.run("once", "--wait", "20s").code == 0
    verdict.is_at_rest(renewal, "deploy", {"env": renewal.value()})


def test_a_full_disk_under_a_target_leaves_the_old_file_whole(renewal, small_disk):
    before, app = renewal.value(), renewal.folder / "app"
    content = (app / ".env").read_bytes()
    shutil.copy2(app / ".env", small_disk / ".env")
    shutil.rmtree(app)
    app.symlink_to(small_disk)
    ballast = fill(small_disk)
    done = renewal.run("once", "--wait", "2s")
    assert done.code == 1
    assert "target_failed" in done.events
    assert (app / ".env").read_bytes() == content
    assert renewal.accepts(before)
    ballast.unlink()
    renewal.advance(LATER)
    assert renewal.run("once", "--wait", "20s").code == 0
    verdict.is_at_rest(renewal, "deploy", {"env": renewal.value()})


def test_a_lost_state_is_made_again_from_what_is_published(renewal):
    renewal.run("once")  # confirmed; the old token still waits for its retirement when the state is lost
    old, current = renewal.alive()
    shutil.rmtree(renewal.folder / "state")
    done = renewal.run("once", "--wait", "3s")
    assert done.code == 0, done.err
    assert {"value_adopted", "journal_behind"} <= set(done.events)
    assert [token.id for token in renewal.alive()] == [old.id, current.id]  # nothing was minted, nothing swept
    assert renewal.value() == current.value
    status = renewal.run("status", "-o", "json")
    assert '"restored_journal"' in status.out
    assert renewal.run("resolve", "deploy", "--retry").code == 0
    renewal.advance(LATER)
    assert renewal.run("once", "--wait", "20s").code == 0
    verdict.is_at_rest(renewal, "deploy", {"env": current.value})


def test_a_second_daemon_on_one_state_ends_and_says_who_runs(fresh):
    first = fresh.daemon()
    done = fresh.run("run")
    assert done.code == 1
    assert f"process {first.pid}" in done.err
    assert first.poll() is None
    assert fresh.end(first) == 0


@pytest.mark.parametrize("ended_by", ["SIGTERM", "SIGINT"])
def test_an_end_in_the_middle_of_a_mint_captures_the_value_and_is_no_failure(renewal, ended_by):
    before = renewal.value()
    renewal.arm(operation="create", kind="delay", seconds=3)
    process = renewal.daemon()
    eventually(lambda: any(fault["hits"] for fault in renewal.sandbox.gateway.faults.list()))
    process.send_signal(getattr(signal, ended_by))
    assert process.wait(30) == 0
    assert renewal.value() == before  # it was captured, and nothing more was begun
    minted = renewal.alive()[-1].value
    assert minted != before
    verdict.published_values_are_durable(renewal, [before], renewal.folder / "scratch")
    assert renewal.run("once", "--wait", "20s").code == 0
    assert renewal.value() == minted
    verdict.is_at_rest(renewal, "deploy", {"env": minted})
