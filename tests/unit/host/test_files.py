"""Durable files, exchange, locks and file system kinds."""

import errno
import os
import stat
import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest

from rotator.host import files, filesystems, locks
from rotator.host.locks import FileLock, is_locked


def refuse(code):
    def call(*args, **kwargs):
        raise OSError(code, os.strerror(code))

    return call


# ------------------------------------------------------------------------------------------------------ exchange


def test_an_exchange_swaps_two_files(tmp_path):
    (tmp_path / "a").write_text("one")
    (tmp_path / "b").write_text("two")
    files.exchange(tmp_path / "a", tmp_path / "b")
    assert [(tmp_path / name).read_text() for name in "ab"] == ["two", "one"]


def test_an_exchange_takes_names_relative_to_a_folder(tmp_path):
    (tmp_path / "a").write_text("one")
    (tmp_path / "b").write_text("two")
    folder = os.open(tmp_path, os.O_RDONLY)
    try:
        files.exchange("a", "b", dir_fd=folder)
    finally:
        os.close(folder)
    assert (tmp_path / "a").read_text() == "two"


def test_an_exchange_with_a_missing_file_changes_nothing(tmp_path):
    (tmp_path / "a").write_text("one")
    with pytest.raises(FileNotFoundError):
        files.exchange(tmp_path / "a", tmp_path / "b")
    assert (tmp_path / "a").read_text() == "one"


def test_a_c_library_without_the_call_counts_as_unsupported(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "_libc", lambda: SimpleNamespace())
    with pytest.raises(OSError, match=os.strerror(errno.ENOSYS)) as caught:
        files.exchange(tmp_path / "a", tmp_path / "b")
    assert caught.value.errno in files.EXCHANGE_UNSUPPORTED


# -------------------------------------------------------------------------------------------------------- create


def test_a_created_file_is_whole_private_and_alone(tmp_path):
    files.create_whole(tmp_path / "key", b"content")
    assert (tmp_path / "key").read_bytes() == b"content"
    assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["key"]


@pytest.mark.parametrize("rename", ["native", "link", "look"])
def test_creating_never_overwrites_and_leaves_nothing_behind(tmp_path, monkeypatch, rename):
    if rename != "native":
        monkeypatch.setattr(files, "_rename_with", refuse(errno.EINVAL))
    if rename == "look":
        monkeypatch.setattr(os, "link", refuse(errno.EPERM))
    files.create_whole(tmp_path / "key", b"first")
    with pytest.raises(FileExistsError):
        files.create_whole(tmp_path / "key", b"second")
    assert (tmp_path / "key").read_bytes() == b"first"
    assert [path.name for path in tmp_path.iterdir()] == ["key"]


def test_a_disk_error_while_moving_is_not_taken_for_a_missing_feature(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "_rename_with", refuse(errno.EINVAL))
    monkeypatch.setattr(os, "link", refuse(errno.EIO))
    with pytest.raises(OSError, match=os.strerror(errno.EIO)):
        files.create_whole(tmp_path / "key", b"first")
    monkeypatch.setattr(files, "_rename_with", refuse(errno.EIO))
    with pytest.raises(OSError, match=os.strerror(errno.EIO)):
        files.create_whole(tmp_path / "key", b"first")
    assert list(tmp_path.iterdir()) == []


def test_short_writes_are_continued(tmp_path, monkeypatch):
    real, fd = os.write, os.open(tmp_path / "a", os.O_RDWR | os.O_CREAT)
    monkeypatch.setattr(os, "write", lambda fd, view: real(fd, view[:3]))
    try:
        files.write_all(fd, b"0123456789")
        files.write_all(fd, b"AB", 4)
    finally:
        os.close(fd)
    assert (tmp_path / "a").read_bytes() == b"0123AB6789"


# --------------------------------------------------------------------------------------------------------- flush


# ------------------------------------------------------------------------------------------------------- folders


def test_a_folder_is_made_with_all_above_it_for_its_owner_alone(tmp_path):
    files.make_folder(tmp_path / "a" / "b")
    assert [stat.S_IMODE(made.stat().st_mode) for made in (tmp_path / "a", tmp_path / "a" / "b")] == [0o700, 0o700]


def test_a_folder_that_is_there_keeps_its_mode(tmp_path):
    (tmp_path / "a").mkdir(mode=0o755)
    files.make_folder(tmp_path / "a")
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o755


def test_a_folder_that_somebody_else_makes_in_the_same_moment_is_used(tmp_path, monkeypatch):
    make = os.mkdir

    def rival(*args, **kwargs):
        make(*args, **kwargs)
        make(*args, **kwargs)

    monkeypatch.setattr(os, "mkdir", rival)
    files.make_folder(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b").is_dir()


def test_a_file_in_the_way_of_a_folder_is_an_error(tmp_path):
    (tmp_path / "a").write_text("")
    for folder in (tmp_path / "a", tmp_path / "a" / "b"):
        with pytest.raises(NotADirectoryError):
            files.make_folder(folder)


def test_every_folder_that_is_made_is_flushed_above(tmp_path, monkeypatch):
    flushed = []
    monkeypatch.setattr(files, "flush_folder", flushed.append)
    files.make_folder(tmp_path / "a" / "b")
    assert flushed == [tmp_path, tmp_path / "a"]


def test_flushing_takes_descriptors_and_folders(tmp_path):
    fd = os.open(tmp_path / "a", os.O_RDWR | os.O_CREAT)
    files.flush(fd)
    files.flush_data(fd)
    os.close(fd)
    files.flush_folder(tmp_path)


def test_a_folder_that_cannot_be_flushed_is_passed_over_but_a_disk_error_is_not(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "fsync", refuse(errno.EINVAL))
    files.flush_folder(tmp_path)
    monkeypatch.setattr(os, "fsync", refuse(errno.EIO))
    with pytest.raises(OSError, match=os.strerror(errno.EIO)):
        files.flush_folder(tmp_path)


def test_where_the_drive_has_a_full_flush_it_is_asked_first(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(files.fcntl, "F_FULLFSYNC", 51, raising=False)
    monkeypatch.setattr(files.fcntl, "fcntl", lambda fd, what: asked.append(what))
    monkeypatch.setattr(os, "fsync", refuse(errno.EIO))
    fd = os.open(tmp_path / "a", os.O_RDWR | os.O_CREAT)
    try:
        files.flush(fd)
        files.flush_data(fd)
        monkeypatch.setattr(files.fcntl, "fcntl", refuse(errno.ENOTSUP))
        with pytest.raises(OSError, match=os.strerror(errno.EIO)):
            files.flush(fd)
    finally:
        os.close(fd)
    assert asked == [51, 51]


# --------------------------------------------------------------------------------------------------------- locks


def test_a_lock_excludes_another_object_of_the_same_process(tmp_path):
    with FileLock(tmp_path / "lock") as first:
        assert first.held
        assert is_locked(tmp_path / "lock")
        assert FileLock(tmp_path / "lock").acquire(timeout=0) is False
    assert not first.held
    assert not is_locked(tmp_path / "lock")
    assert FileLock(tmp_path / "lock").acquire(timeout=0) is True


@pytest.mark.usefixtures("root")
def test_what_root_makes_belongs_to_the_owner_of_its_folder(tmp_path):
    os.chown(tmp_path, 12345, 23456)
    with FileLock(tmp_path / "lock"):
        made = (tmp_path / "lock").stat()
    assert (made.st_uid, made.st_gid) == (12345, 23456)


@pytest.mark.usefixtures("root")
def test_what_was_there_keeps_its_owner(tmp_path):
    (tmp_path / "lock").touch()
    os.chown(tmp_path, 12345, 23456)
    with FileLock(tmp_path / "lock"):
        assert (tmp_path / "lock").stat().st_uid == 0


def test_who_asks_for_a_lock_is_not_taken_for_its_holder(tmp_path):
    with (tmp_path / "lock").open("w") as asking:
        locks.fcntl.flock(asking, locks.fcntl.LOCK_SH)
        assert not is_locked(tmp_path / "lock")


def test_a_file_that_we_may_not_open_counts_as_locked(tmp_path, monkeypatch):
    monkeypatch.setattr(locks.os, "open", refuse(errno.EACCES))
    assert is_locked(tmp_path / "lock")


def test_a_file_that_another_one_makes_in_the_same_instant_is_opened_at_the_next_try(tmp_path, monkeypatch):
    real, tries = os.open, []

    def raced(path, flags, *mode):
        if flags & os.O_CREAT and not tries:
            tries.append(path)
            Path(path).touch()
        return real(path, flags, *mode)

    monkeypatch.setattr(files.os, "open", raced)
    assert FileLock(tmp_path / "lock").acquire(timeout=5)
    assert tries


def test_a_waiting_lock_gets_its_turn(tmp_path):
    first, second = FileLock(tmp_path / "lock"), FileLock(tmp_path / "lock")
    first.acquire()
    answers = []
    waiter = threading.Thread(target=lambda: answers.append(second.acquire(timeout=30)))
    waiter.start()
    first.release()
    waiter.join(30)
    assert answers == [True]


def test_a_lock_that_stays_held_ends_the_wait_with_a_timeout(tmp_path):
    with FileLock(tmp_path / "lock"), pytest.raises(TimeoutError), FileLock(tmp_path / "lock", timeout=0.01):
        pass


def test_a_lock_is_not_reentrant_and_a_second_release_is_harmless(tmp_path):
    lock = FileLock(tmp_path / "lock")
    lock.acquire()
    with pytest.raises(RuntimeError, match="held already"):
        lock.acquire()
    lock.release()
    lock.release()


def test_a_lock_dies_with_its_process(tmp_path):
    program = (
        "import os, signal, sys\n"
        "from rotator.host.locks import FileLock\n"
        "FileLock(sys.argv[1]).acquire()\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    subprocess.run([sys.executable, "-c", program, str(tmp_path / "lock")], check=False, timeout=60)
    assert (tmp_path / "lock").exists()
    assert not is_locked(tmp_path / "lock")


def test_a_lock_file_that_is_removed_under_our_hands_is_not_taken_for_held(tmp_path, monkeypatch):
    path, real = tmp_path / "lock", locks.fcntl.flock
    removals = [path]

    def remove_first(fd, how):
        if removals:
            removals.pop().unlink()
        real(fd, how)

    monkeypatch.setattr(locks.fcntl, "flock", remove_first)
    lock = FileLock(path)
    assert lock.acquire(timeout=10)
    assert path.exists()
    lock.release()


def test_asking_for_the_lock_of_a_missing_file_does_not_create_it(tmp_path):
    assert is_locked(tmp_path / "lock") is False
    assert not (tmp_path / "lock").exists()


def test_an_error_other_than_a_held_lock_is_raised_and_leaks_no_descriptor(tmp_path, monkeypatch):
    monkeypatch.setattr(locks.fcntl, "flock", refuse(errno.ENOLCK))
    before = len(list(Path("/dev/fd").iterdir()))
    with pytest.raises(OSError, match=os.strerror(errno.ENOLCK)):
        FileLock(tmp_path / "lock").acquire(timeout=0)
    assert len(list(Path("/dev/fd").iterdir())) == before


# -------------------------------------------------------------------------------------------------- file systems


def test_a_local_folder_is_not_on_the_network_even_where_it_does_not_exist_yet(tmp_path):
    assert not filesystems.is_network_filesystem(tmp_path / "not" / "yet")


@pytest.mark.skipif(sys.platform != "linux", reason="reads Linux's /proc")
def test_the_kind_of_a_virtual_file_system_is_told_by_its_number():
    assert filesystems.filesystem_kind("/proc") == "0x9fa0"


@pytest.mark.parametrize(
    "kind, shared",
    [
        ("nfs", True),
        ("smb2", True),
        ("9p", True),
        ("fuse", True),
        ("fuse.sshfs", True),
        ("fuseblk", False),
        ("ext", False),
    ],
)
def test_file_systems_that_other_machines_may_share_are_told_apart(monkeypatch, kind, shared):
    monkeypatch.setattr(filesystems, "filesystem_kind", lambda path: kind)
    assert filesystems.is_network_filesystem("/anywhere") is shared


def test_a_fuse_mount_is_named_by_the_mount_table(monkeypatch, tmp_path):
    real = Path.read_text
    table = (
        "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n"
        f"30 22 0:50 / {str(tmp_path).replace(' ', chr(92) + '040')} rw - fuse.sshfs host:/ rw\n"
        "31 22 0:51 / /elsewhere rw - fuse.other x rw\n"
    )
    monkeypatch.setattr(
        Path, "read_text", lambda self, **how: table if str(self) == "/proc/self/mountinfo" else real(self, **how)
    )
    assert filesystems._mounted_type(tmp_path) == "fuse.sshfs"
    monkeypatch.setattr(Path, "read_text", refuse(errno.ENOENT))
    assert filesystems._mounted_type(tmp_path) is None


def test_a_path_that_cannot_be_asked_about_is_an_error():
    with pytest.raises(OSError, match=os.strerror(errno.ENAMETOOLONG)):
        filesystems.filesystem_kind("/" + "x" * 5000)
