"""The spool: whole records or none, in room that was reserved, wiped once the journal has them."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from rotator.journal.spool import ROOM, Spool, records
from tests.contract.journal.benches import no_crash


@pytest.fixture
def spool(tmp_path: Path):
    made = Spool(tmp_path / "spool", no_crash)
    yield made
    made.close()


def test_what_was_written_is_read_in_order(spool: Spool):
    for content in (b"one", b"", b"three" * 5000):
        spool.write(content)
    assert records(spool.path) == [b"one", b"", b"three" * 5000]


def test_a_file_that_is_gone_or_empty_holds_nothing(spool: Spool):
    assert records(spool.path) == []
    assert records(spool.path.with_name("nothing")) == []


def test_reserved_room_holds_no_records_and_is_real(spool: Spool):
    spool.reserve()
    assert records(spool.path) == []
    assert spool.path.stat().st_blocks * 512 >= ROOM


def test_room_is_reserved_once_and_again_when_half_of_it_is_used(tmp_path: Path):
    passed: list[str] = []
    spool = Spool(tmp_path / "spool", passed.append)
    spool.reserve()
    spool.reserve()
    assert passed == ["before_spool_preallocate", "after_spool_preallocate"]
    spool.write(b"x" * (ROOM // 2 + 1))
    spool.reserve()
    assert passed.count("after_spool_preallocate") == 2
    assert len(records(spool.path)) == 1
    spool.close()


def test_room_can_be_reserved_where_the_system_has_no_call_for_it(spool: Spool, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delattr(os, "posix_fallocate")
    spool.reserve()
    assert spool.path.stat().st_size == ROOM


def test_a_dropped_record_is_wiped_and_the_others_stay(spool: Spool):
    spool.write(b"first-canary")
    handle = spool.write(b"second-canary")
    spool.write(b"third-canary")
    spool.drop(handle)
    assert records(spool.path) == [b"first-canary", b"third-canary"]
    assert b"second-canary" not in spool.path.read_bytes()
    assert spool.pending() == 2


def test_the_last_drop_leaves_nothing_but_zeros(spool: Spool):
    handles = [spool.write(b"canary-%d" % number) for number in range(3)]
    for handle in handles:
        spool.drop(handle)
    assert not any(spool.path.read_bytes())
    assert spool.pending() == 0


def test_dropping_twice_does_not_touch_a_later_record(spool: Spool):
    handle = spool.write(b"one")
    spool.drop(handle)
    spool.drop(handle)
    again = spool.write(b"two")
    assert again == handle
    assert records(spool.path) == [b"two"]


@pytest.mark.parametrize("cut", [1, 3, 20, 45])
def test_a_torn_record_is_passed_over_and_the_whole_ones_before_it_are_read(spool: Spool, cut: int):
    spool.write(b"whole")
    spool.write(b"torn-record")
    size = spool.path.stat().st_size
    with spool.path.open("r+b") as file:
        file.truncate(size - cut)
        file.truncate(size)
    assert records(spool.path) == [b"whole"]


def test_a_crash_between_write_and_acknowledgement_leaves_the_record(tmp_path: Path):
    class Stop(BaseException):
        pass

    def crash(name: str) -> None:
        if name == "after_spool_write":
            raise Stop

    spool = Spool(tmp_path / "spool", crash)
    with pytest.raises(Stop):
        spool.write(b"precious")
    assert records(spool.path) == [b"precious"]
    spool.close()


def test_the_file_is_private_and_no_link_is_followed(tmp_path: Path):
    Spool(tmp_path / "spool", no_crash).close()
    assert stat.S_IMODE((tmp_path / "spool").stat().st_mode) == 0o600
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="link"):
        Spool(tmp_path / "link", no_crash)


def test_after_its_end_it_takes_nothing_more(tmp_path: Path):
    """Its descriptor's number may be another file's by then."""
    spool = Spool(tmp_path / "spool", no_crash)
    assert spool.close()
    with (tmp_path / "other").open("w+b") as other:
        assert other.fileno() >= 0
        with pytest.raises(OSError, match="Bad file descriptor"):
            spool.write(b"late")
        assert other.read() == b""
    assert spool.close(), "a second end is harmless"


def test_its_end_tells_whether_anything_is_pending(tmp_path: Path):
    spool = Spool(tmp_path / "spool", no_crash)
    spool.write(b"kept")
    assert not spool.close()
    assert records(spool.path) == [b"kept"]


def test_a_wipe_that_the_disk_breaks_off_hides_no_later_record(spool: Spool, monkeypatch: pytest.MonkeyPatch):
    """Where overwriting needs a free block (btrfs, ZFS) a full disk refuses the wipe half-way."""
    handle = spool.write(b"committed")

    def full(fd: int, content: bytes, offset: int) -> None:
        os.pwrite(fd, content[:8], offset)
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as disk:
        disk.setattr("rotator.journal.spool.write_all", full)
        with pytest.raises(OSError, match="No space"):
            spool.drop(handle)
    spool.write(b"the only copy")
    assert records(spool.path) == [b"the only copy"]
