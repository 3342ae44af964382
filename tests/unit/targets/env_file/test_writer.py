"""How one file is replaced: whole, with its own mode and owner, through links, and never what is no file."""

import errno
import os
import socket
import stat

import pytest

from rotator.core.errors import Conflict, Fenced, OutcomeUnknown, Refused, Unavailable
from rotator.host import files
from rotator.host.locks import FileLock
from rotator.targets.env_file import access
from rotator.targets.env_file import place as place_module
from rotator.targets.env_file import writer as writer_module
from rotator.targets.env_file.access import read
from rotator.targets.env_file.document import DocumentError
from rotator.targets.env_file.likeness import Ownership
from rotator.targets.env_file.writer import How
from tests.servers.require import ATTRIBUTES, require
from tests.unit.targets.env_file.conftest import SetKey


def refuse(code):
    def call(*args, **kwargs):
        raise OSError(code, os.strerror(code))

    return call


def probe(path, **options):
    return access.probe(path, SetKey("new").apply, **options)


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


# ----------------------------------------------------------------------------------------------------------- create


def test_a_missing_file_is_created_for_its_owner_only(env):
    assert env.write("new") is How.CREATED
    assert (env.content, mode(env.path), env.names) == (b"TOKEN=new\n", 0o600, [".env"])


def test_a_file_is_created_with_the_mode_that_is_asked_for_whatever_the_umask(env):
    before = os.umask(0o077)
    try:
        env.write("new", ownership=Ownership(mode=0o640))
    finally:
        os.umask(before)
    assert mode(env.path) == 0o640


def test_a_missing_file_is_not_created_where_that_is_not_wanted(env):
    with pytest.raises(Refused, match="does not exist") as caught:
        env.write("new", create=False)
    assert (caught.value.code, env.names) == ("not_found", [])


def test_a_missing_folder_is_never_created(env):
    with pytest.raises(Unavailable, match="folder"):
        env.write("new", path=env.folder / "sub" / ".env")
    assert env.names == []


def test_a_file_that_root_creates_belongs_to_the_owner_of_its_folder(env, root):
    os.chown(env.folder, 1234, 5678)
    env.write("new")
    assert (env.path.stat().st_uid, env.path.stat().st_gid) == (1234, 5678)


def test_a_file_that_appears_while_ours_is_made_is_kept_and_merged(env):
    env.at["before_file_exchange"] = lambda: env.save(b"A=1\n")
    assert env.write("new") is How.EXCHANGED
    assert (env.content, env.names) == (b"A=1\nTOKEN=new\n", [".env"])


# ---------------------------------------------------------------------------------------------------------- replace


def test_a_file_is_exchanged_and_nothing_is_left_beside_it(env):
    env.save(b"A=1\nTOKEN=old # why\r\n")
    assert env.write("new", expected="old") is How.EXCHANGED
    assert (env.content, env.names) == (b"A=1\nTOKEN=new # why\r\n", [".env"])


def test_a_change_that_is_there_already_touches_nothing(env):
    env.save(b"TOKEN=new\n")
    before = env.path.stat()
    assert env.write("new", expected="something else") is How.UNCHANGED
    assert env.path.stat() == before


def test_a_managed_key_that_holds_something_else_is_a_conflict(env):
    env.save(b"TOKEN=theirs\n")
    with pytest.raises(Conflict, match="nothing was written"):
        env.write("new", expected="old")
    assert (env.content, env.names) == (b"TOKEN=theirs\n", [".env"])


def test_a_writer_that_is_fenced_at_the_last_moment_leaves_no_trace(env):
    def lost():
        raise Fenced("the lease belongs to somebody else")

    with pytest.raises(Fenced):
        env.write("new", still_mine=lost)
    assert env.names == []
    env.save(b"TOKEN=old\n")
    with pytest.raises(Fenced):
        env.write("new", still_mine=lost)
    os.link(env.path, env.folder / "twin")
    with pytest.raises(Fenced):
        env.write("new", still_mine=lost)
    assert (env.content, env.names) == (b"TOKEN=old\n", [".env", "twin"])


def test_a_value_that_cannot_be_written_leaves_no_trace(env):
    env.save(b"TOKEN=old\n")
    with pytest.raises(DocumentError):
        env.write("it's")
    assert (env.content, env.names) == (b"TOKEN=old\n", [".env"])


@pytest.mark.parametrize("bits", [0o600, 0o640, 0o644, 0o400])
def test_a_file_keeps_its_mode(env, bits):
    env.save(b"TOKEN=old\n")
    env.path.chmod(bits)
    env.write("new")
    assert mode(env.path) == bits


def test_a_mode_that_is_asked_for_holds_for_an_existing_file(env):
    env.save(b"TOKEN=old\n")
    env.path.chmod(0o644)
    env.write("new", ownership=Ownership(mode=0o600))
    assert mode(env.path) == 0o600
    os.link(env.path, env.folder / "twin")
    env.write("newer", ownership=Ownership(mode=0o640))
    assert mode(env.path) == 0o640


def test_a_file_keeps_its_owner_and_takes_another_that_is_asked_for(env, root):
    env.save(b"TOKEN=old\n")
    os.chown(env.path, 1234, 5678)
    env.write("new")
    assert (env.path.stat().st_uid, env.path.stat().st_gid) == (1234, 5678)
    env.write("newer", ownership=Ownership(uid=99, gid=98))
    assert (env.path.stat().st_uid, env.path.stat().st_gid) == (99, 98)


def test_the_temporary_file_is_never_open_to_more_people_than_the_file(env):
    env.save(b"TOKEN=old\n")
    env.path.chmod(0o640)
    seen = []

    def look():
        seen.extend(mode(path) for path in env.folder.iterdir() if path.name.endswith(".env") and path.name != ".env")

    for point in ("before_file_temp_write", "before_file_temp_fsync", "before_file_exchange"):
        env.at[point] = look
    env.write("new")
    assert seen == [0o640, 0o640, 0o640]


def test_extended_attributes_are_kept(env):
    env.save(b"TOKEN=old\n")
    try:
        os.setxattr(env.path, "user.note", b"mine")
    except OSError:
        require(*ATTRIBUTES)
    env.write("new")
    assert os.getxattr(env.path, "user.note") == b"mine"


@pytest.mark.parametrize("name, how", [("system.posix_acl_access", How.IN_PLACE), ("user.note", How.EXCHANGED)])
def test_only_an_access_list_that_cannot_be_copied_keeps_the_file_itself(env, monkeypatch, name, how):
    monkeypatch.setattr(os, "listxattr", lambda *args, **kwargs: [name, "security.ima"])
    monkeypatch.setattr(os, "getxattr", lambda *args, **kwargs: b"")
    monkeypatch.setattr(os, "setxattr", refuse(errno.EPERM))
    env.save(b"TOKEN=old\n")
    assert env.write("new") is how
    assert env.content == b"TOKEN=new\n"


@pytest.mark.parametrize("missing", ["call", "support"])
def test_a_system_without_extended_attributes_does_without(env, monkeypatch, missing):
    if missing == "call":
        monkeypatch.delattr(os, "listxattr")
    else:
        monkeypatch.setattr(os, "listxattr", refuse(errno.ENOTSUP))
    env.save(b"TOKEN=old\n")
    assert env.write("new") is How.EXCHANGED


def test_a_very_long_name_still_has_room_for_a_temporary_one(env):
    path = env.folder / ("x" * 250)
    path.write_bytes(b"TOKEN=old\n")
    assert env.write("new", path=path) is How.EXCHANGED
    assert (path.read_bytes(), env.names) == (b"TOKEN=new\n", [path.name])


# ------------------------------------------------------------------------------------------------------------ links


def test_a_link_is_followed_and_stays_a_link(env, tmp_path):
    real = tmp_path / "real.env"
    real.write_bytes(b"TOKEN=old\n")
    env.path.symlink_to("../real.env")
    assert env.write("new") is How.EXCHANGED
    assert (env.path.readlink().as_posix(), real.read_bytes()) == ("../real.env", b"TOKEN=new\n")


def test_a_link_to_nothing_creates_what_it_names(env, tmp_path):
    env.path.symlink_to(tmp_path / "real.env")
    assert env.write("new") is How.CREATED
    assert env.path.is_symlink()
    assert (tmp_path / "real.env").read_bytes() == b"TOKEN=new\n"


def test_a_link_that_is_turned_while_we_wait_for_the_lock_is_followed_anew(env, tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    first.write_bytes(b"TOKEN=1\n")
    second.write_bytes(b"TOKEN=2\n")
    env.path.symlink_to(first)

    def turn():
        env.path.unlink()
        env.path.symlink_to(second)

    env.at["before_file_lock"] = turn
    env.write("new")
    assert (first.read_bytes(), second.read_bytes()) == (b"TOKEN=1\n", b"TOKEN=new\n")


def test_a_link_of_another_user_does_not_lead_us_to_files_of_a_third(env, root, tmp_path):
    secret = tmp_path / "root-only"
    secret.write_bytes(b"TOKEN=old\n")
    env.path.symlink_to(secret)
    os.lchown(env.path, 1234, 1234)
    with pytest.raises(Refused, match="link of another user"):
        env.write("new")
    os.chown(secret, 1234, 1234)
    assert env.write("new") is How.EXCHANGED


def test_a_loop_of_links_is_refused(env):
    env.path.symlink_to(".env")
    with pytest.raises(Refused):
        env.write("new")


def test_both_names_of_a_hard_link_get_the_value(env):
    env.save(b"TOKEN=old\nA=1\n")
    os.link(env.path, env.folder / "twin")
    for value in ("a-longer-value-than-before", "short", "shorts"):
        assert env.write(value) is How.IN_PLACE
        assert (env.folder / "twin").read_bytes() == env.content == b"TOKEN=%b\nA=1\n" % value.encode()


# ------------------------------------------------------------------------------------------- strange things at the path


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


# ----------------------------------------------------------------------------------------- what the system cannot do


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


# ------------------------------------------------------------------------------------------------------- preflight


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
