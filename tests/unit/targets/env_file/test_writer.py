"""How one file is replaced: whole, with its own mode and owner, through links, and never what is no file."""

import errno
import os
import stat

import pytest

from rotator.core.errors import Conflict, Fenced, Refused, Unavailable
from rotator.targets.env_file.document import DocumentError
from rotator.targets.env_file.likeness import Ownership
from rotator.targets.env_file.writer import How
from tests.servers.require import ATTRIBUTES, require
from tests.unit.targets.env_file.writing import refuse


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


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
