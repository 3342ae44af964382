"""The file writer: strange things at the path, what the system cannot do, and the preflight."""

import errno
import os
import socket

import pytest

from rotator.core.errors import OutcomeUnknown, Refused, Unavailable
from rotator.host import files
from rotator.host.locks import FileLock
from rotator.targets.env_file import access
from rotator.targets.env_file import place as place_module
from rotator.targets.env_file import writer as writer_module
from rotator.targets.env_file.access import read
from rotator.targets.env_file.writer import How
from tests.unit.targets.env_file.conftest import SetKey
from tests.unit.targets.env_file.writing import refuse


def probe(path, **options):
    return access.probe(path, SetKey("new").apply, **options)


@pytest.mark.parametrize("kind", ["folder", "pipe", "socket", "device"])
def test_what_is_no_regular_file_is_neither_read_nor_written(env, kind, monkeypatch):
    path, server = env.path, None
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "socket":
        server = socket.socket(socket.AF_UNIX)
        monkeypatch.chdir(env.folder)  # the address of a socket has 108 bytes
        server.bind(".env")
    else:
        path = env.path.parent.joinpath("/dev/null")
    for act in (lambda: env.write("new", path=path), lambda: read(path), lambda: probe(path)):
        with pytest.raises(Refused, match="not a regular file"):
            act()
    if server:
        server.close()


def test_a_file_larger_than_a_mebibyte_is_refused_and_one_just_as_large_is_not(env):
    env.path.write_bytes(b"#" * (1 << 20))
    assert len(read(env.path).content) == 1 << 20
    env.path.write_bytes(b"#" * ((1 << 20) + 1))
    for act in (lambda: env.write("new"), lambda: read(env.path), lambda: probe(env.path)):
        with pytest.raises(Refused, match="1 MiB"):
            act()


def test_a_file_is_read_through_links_and_a_missing_one_is_none(env, tmp_path):
    assert read(env.path) is None
    (tmp_path / "real").write_bytes(b"A=1\n")
    env.path.symlink_to(tmp_path / "real")
    found = read(env.path)
    assert found.content == b"A=1\n"
    assert "A=1" not in repr(found)


def test_a_file_that_is_saved_while_it_is_read_is_read_again(env, monkeypatch):
    env.path.write_bytes(b"A=1\n")
    real, left = place_module._read_all, [None]

    def disturbed(fd):
        content = real(fd)
        if left:
            left.pop()
            env.path.write_bytes(b"A=1\nB=2\n")
        return content

    monkeypatch.setattr(place_module, "_read_all", disturbed)
    assert read(env.path).content == b"A=1\nB=2\n"


def test_a_file_that_never_rests_is_unavailable(env, monkeypatch):
    env.path.write_bytes(b"A=1\n")
    monkeypatch.setattr(place_module, "_read_all", lambda fd: b"A=")
    with pytest.raises(Unavailable, match="cannot be read"):
        read(env.path)


@pytest.mark.parametrize("code", sorted(files.EXCHANGE_UNSUPPORTED))
def test_without_exchange_the_file_is_compared_and_renamed(env, monkeypatch, code):
    monkeypatch.setattr(files, "exchange", refuse(code))
    env.save(b"TOKEN=old\n")
    assert env.write("new") is How.RENAMED
    assert (env.content, env.names) == (b"TOKEN=new\n", [".env"])


def test_without_exchange_a_save_before_the_rename_is_kept(env, monkeypatch):
    monkeypatch.setattr(files, "exchange", refuse(errno.EINVAL))
    env.save(b"TOKEN=old\n")
    env.at["before_file_exchange"] = lambda: env.save(b"TOKEN=old\nA=1\n")
    assert env.write("new") is How.RENAMED
    assert (env.content, env.names) == (b"TOKEN=new\nA=1\n", [".env"])


@pytest.mark.parametrize("code", [errno.EBUSY, errno.EXDEV, errno.EROFS, errno.EACCES, errno.EPERM])
def test_where_the_name_cannot_be_exchanged_the_file_is_written_in_place(env, monkeypatch, code):
    monkeypatch.setattr(files, "exchange", refuse(code))
    env.save(b"TOKEN=old\n")
    inode = env.path.stat().st_ino
    assert env.write("new") is How.IN_PLACE
    assert (env.content, env.names, env.path.stat().st_ino) == (b"TOKEN=new\n", [".env"], inode)


def test_where_no_file_can_be_made_beside_it_the_file_is_written_in_place(env, monkeypatch):
    env.save(b"TOKEN=old\n")
    monkeypatch.setattr(place_module.Place, "create", refuse(errno.EROFS))
    assert env.write("new") is How.IN_PLACE
    assert env.content == b"TOKEN=new\n"


def test_where_the_owner_cannot_be_kept_the_file_is_written_in_place(env, monkeypatch, root):
    env.save(b"TOKEN=old\n")
    os.chown(env.path, 1234, 1234)
    monkeypatch.setattr(os, "fchown", refuse(errno.EPERM))
    assert env.write("new") is How.IN_PLACE
    assert (env.content, env.path.stat().st_uid, env.names) == (b"TOKEN=new\n", 1234, [".env"])


@pytest.mark.parametrize(
    "point", ["before_file_temp_write", "after_file_temp_write", "before_file_temp_fsync", "before_file_exchange"]
)
@pytest.mark.parametrize("exists", [True, False])
def test_a_full_disk_leaves_the_old_file_and_nothing_beside_it(env, point, exists):
    if exists:
        env.save(b"TOKEN=old\n")
    env.at[point] = refuse(errno.ENOSPC)
    with pytest.raises(Unavailable, match="could not be written"):
        env.write("new")
    assert env.names == ([".env"] if exists else [])
    assert not exists or env.content == b"TOKEN=old\n"


def test_a_full_disk_is_found_out_before_the_old_content_is_touched_in_place(env, monkeypatch):
    env.save(b"TOKEN=old\n")
    os.link(env.path, env.folder / "twin")
    monkeypatch.setattr(files, "write_all", refuse(errno.ENOSPC))
    with pytest.raises(Unavailable):
        env.write("longer-than-before")
    assert env.content == b"TOKEN=old\n"


def test_a_write_in_place_that_breaks_off_has_an_unknown_outcome(env, monkeypatch):
    env.save(b"TOKEN=old\n")
    os.link(env.path, env.folder / "twin")
    monkeypatch.setattr(os, "ftruncate", refuse(errno.EIO))
    with pytest.raises(OutcomeUnknown, match="in place"):
        env.write("n")


def test_a_folder_that_cannot_be_flushed_has_an_unknown_outcome(env, monkeypatch):
    env.save(b"TOKEN=old\n")
    monkeypatch.setattr(files, "flush_folder", refuse(errno.EIO))
    with pytest.raises(OutcomeUnknown, match="flushed"):
        env.write("new")
    assert env.content == b"TOKEN=new\n"


def test_another_process_that_writes_for_too_long_is_waited_for_only_so_long(env, monkeypatch):
    env.write("old")
    (lock,) = env.locks.iterdir()
    monkeypatch.setattr(writer_module, "LOCK_TIMEOUT", 0.01)
    with FileLock(lock), pytest.raises(Unavailable, match="another process"):
        env.write("new")
    assert env.write("new") is How.EXCHANGED


def test_the_preflight_passes_where_a_write_would(env):
    probe(env.path)
    env.save(b"A=1\n")
    probe(env.path, create=False)
    assert env.names == [".env"]


def test_the_preflight_says_that_the_file_is_missing(env):
    with pytest.raises(Refused, match="create: false"):
        probe(env.path, create=False)


def test_the_preflight_says_that_the_folder_is_missing(env):
    with pytest.raises(Unavailable, match="folder"):
        probe(env.folder / "sub" / ".env")


def test_the_preflight_says_that_the_disk_is_full(env, monkeypatch):
    full = os.statvfs_result((4096, 4096, 100, 0, 0, 0, 0, 0, 0, 255))
    monkeypatch.setattr(os, "statvfs", lambda path: full)
    with pytest.raises(Unavailable, match="space"):
        probe(env.path)


def test_the_preflight_reports_an_error_of_the_system(env, monkeypatch):
    monkeypatch.setattr(os, "statvfs", refuse(errno.EIO))
    with pytest.raises(Unavailable):
        probe(env.path)


@pytest.mark.parametrize(
    "folder, file, passes", [(0o555, 0o644, True), (0o555, 0o444, False), (0o755, 0o444, True), (0o311, 0o644, True)]
)
def test_an_ordinary_user_may_write_into_the_file_or_beside_it(env, folder, file, passes):
    env.save(b"TOKEN=old\n")
    as_root = os.geteuid() == 0
    for path in (env.path, env.folder):
        if as_root:
            os.chown(path, 65534, 65534)
    env.path.chmod(file)
    env.folder.chmod(folder)
    env.locks.mkdir()
    env.locks.chmod(0o777)
    parents = [parent for parent in env.folder.parents if not parent.stat().st_mode & 0o001]
    for parent in parents:
        parent.chmod(0o755)
    if as_root:
        os.setegid(65534)
        os.seteuid(65534)
    try:
        for act in (lambda: probe(env.path), lambda: env.write("new")):
            if passes:
                act()
            else:
                with pytest.raises(Refused, match="written"):
                    act()
    finally:
        if as_root:
            os.seteuid(0)
            os.setegid(0)
        env.folder.chmod(0o755)
        for parent in parents:
            parent.chmod(0o700)
    assert env.content == (b"TOKEN=new\n" if passes else b"TOKEN=old\n")
    assert env.names == [".env"]


def test_a_lock_that_root_makes_first_is_of_use_to_the_daemon_of_another_user(env, root, tmp_path):
    os.chown(tmp_path, 12345, 23456)
    env.locks = tmp_path / "locks"
    env.write("new")
    assert {found.stat().st_uid for found in (env.locks, *env.locks.iterdir())} == {12345}
