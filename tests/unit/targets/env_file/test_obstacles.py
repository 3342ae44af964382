"""What stands in the way of a write is found before it, and said by its true cause with its own remedy."""

import errno
import os
import shutil
import stat
import struct
import subprocess
from pathlib import Path

import pytest

from rotator.core.errors import Refused, Unavailable
from rotator.host import files
from rotator.targets.env_file import access
from rotator.targets.env_file.obstacles import explain
from rotator.targets.env_file.writer import How
from tests.servers.require import ATTRIBUTES, require
from tests.unit.targets.env_file.conftest import SetKey


def probe(env):
    return access.probe(env.path, SetKey("new").apply)


@pytest.fixture
def chattr(root):
    """`chattr(path, "+i")`, taken back afterwards."""
    if shutil.which("chattr") is None:
        require("chattr", "install e2fsprogs")
    changed = []

    def change(path: Path, flag: str) -> None:
        if subprocess.run(["chattr", flag, path], check=False, capture_output=True).returncode != 0:
            require(*ATTRIBUTES)
        changed.append((path, flag.replace("+", "-")))

    yield change
    for path, flag in reversed(changed):
        subprocess.run(["chattr", flag, path], check=True)


# ------------------------------------------------------------------------------------------------------------ chattr


@pytest.mark.parametrize("flag, code", [("+i", "immutable"), ("+a", "append_only")])
def test_a_file_that_nobody_may_change_is_refused_with_the_command_that_changes_that(env, chattr, flag, code):
    env.save(b"TOKEN=old\n")
    chattr(env.path, flag)
    for act in (lambda: probe(env), lambda: env.write("new")):
        with pytest.raises(Refused) as caught:
            act()
        assert (caught.value.code, caught.value.remedy) == (code, f"`chattr {flag.replace('+', '-')} {env.path}`")
    assert (env.content, env.names) == (b"TOKEN=old\n", [".env"])


@pytest.mark.parametrize("flag, code", [("+i", "immutable"), ("+a", "append_only")])
def test_a_folder_where_nothing_can_be_exchanged_has_its_file_written_in_place_and_nothing_left_in_it(
    env, chattr, flag, code
):
    env.save(b"TOKEN=old\n")
    chattr(env.folder, flag)
    assert probe(env).code == code
    assert env.write("new") is How.IN_PLACE
    assert (env.content, env.names) == (b"TOKEN=new\n", [".env"])


@pytest.mark.parametrize("flag, code", [("+i", "immutable"), ("+a", "append_only")])
def test_a_file_cannot_be_created_in_such_a_folder_and_that_is_said(env, chattr, flag, code):
    chattr(env.folder, flag)
    for act in (lambda: probe(env), lambda: env.write("new")):
        with pytest.raises(Refused) as caught:
            act()
        assert caught.value.code == code
    assert env.names == []


# ------------------------------------------------------------------------------------------------- who may read it

_USER, _NAMED, _GROUP, _MASK, _OTHER = 0x01, 0x02, 0x04, 0x10, 0x20
_NOBODY = 0xFFFFFFFF


def acl(*entries):
    """An access list as Linux stores it: version 2, then (tag, permissions, id) each."""
    return struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries)


OPEN = acl((_USER, 7, _NOBODY), (_NAMED, 7, 1234), (_GROUP, 5, _NOBODY), (_MASK, 7, _NOBODY), (_OTHER, 5, _NOBODY))


@pytest.fixture
def handed_down(env):
    """The folder hands an access list down to every new file: user 1234 may read, and everybody else."""
    env.save(b"TOKEN=old\n")
    env.path.chmod(0o640)
    try:
        os.setxattr(env.folder, "system.posix_acl_default", OPEN)
    except OSError:
        require(*ATTRIBUTES)
    return env


def test_a_folder_that_hands_down_access_lets_nobody_else_read_the_file_after_a_write(handed_down):
    seen = []

    def look():
        for path in handed_down.folder.iterdir():
            seen.append((stat.S_IMODE(path.stat().st_mode), "system.posix_acl_access" in os.listxattr(path)))

    for point in ("before_file_temp_write", "before_file_exchange", "after_file_exchange"):
        handed_down.at[point] = look
    assert handed_down.write("new") is How.EXCHANGED
    assert {*seen} == {(0o640, False)}
    assert stat.S_IMODE(handed_down.path.stat().st_mode) == 0o640


def test_a_file_that_is_created_there_is_for_its_owner_only(handed_down):
    handed_down.path.unlink()
    handed_down.write("new")
    assert "system.posix_acl_access" not in os.listxattr(handed_down.path)
    assert stat.S_IMODE(handed_down.path.stat().st_mode) == 0o600


def test_an_access_list_of_the_file_itself_is_kept_as_it_was(handed_down):
    os.setxattr(handed_down.path, "system.posix_acl_access", OPEN)
    before = os.getxattr(handed_down.path, "system.posix_acl_access")
    handed_down.write("new")
    assert os.getxattr(handed_down.path, "system.posix_acl_access") == before


def test_an_inherited_list_that_cannot_be_taken_away_keeps_the_file_itself(env, monkeypatch):
    def denied(*args, **kwargs):
        raise OSError(errno.EPERM, "denied")

    env.save(b"TOKEN=old\n")
    monkeypatch.setattr(os, "removexattr", denied)
    assert env.write("new") is How.IN_PLACE


@pytest.mark.parametrize("point", ["before_file_temp_write", "before_file_exchange"])
def test_a_file_that_is_closed_to_others_during_the_write_stays_closed(env, point):
    env.save(b"TOKEN=old\n")
    env.path.chmod(0o644)
    env.at[point] = lambda: env.path.chmod(0o600)
    assert env.write("new") is How.EXCHANGED
    assert (stat.S_IMODE(env.path.stat().st_mode), env.content, env.names) == (0o600, b"TOKEN=new\n", [".env"])


def test_a_file_that_is_closed_before_the_exchange_never_shows_the_new_value_to_others(env):
    env.save(b"TOKEN=old\n")
    env.path.chmod(0o644)
    seen = []
    env.at["before_file_temp_write"] = lambda: env.path.chmod(0o600)
    env.at["after_file_exchange"] = lambda: seen.append(stat.S_IMODE(env.path.stat().st_mode))
    env.write("new")
    assert seen == [0o600]


# ---------------------------------------------------------------------------------------------------- the rehearsal


def test_the_preflight_leaves_neither_a_name_nor_a_new_time(env):
    env.save(b"TOKEN=old\n")
    before = [env.folder.stat(), env.path.stat()]
    assert probe(env) is None
    after = [env.folder.stat(), env.path.stat()]
    assert [(s.st_mtime_ns, s.st_ctime_ns, s.st_ino) for s in after] == [
        (s.st_mtime_ns, s.st_ctime_ns, s.st_ino) for s in before
    ]


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
def test_a_quota_that_is_used_up_is_found_by_the_preflight(env, monkeypatch, code):
    def full(*args):
        raise OSError(code, os.strerror(code))

    env.save(b"TOKEN=old\n")
    monkeypatch.setattr(files, "write_all", full)
    with pytest.raises(Unavailable, match=r"quota|space"):
        probe(env)


def test_a_system_without_unnamed_files_is_looked_at_only(env, monkeypatch):
    env.save(b"TOKEN=old\n")
    monkeypatch.delattr(os, "O_TMPFILE")
    assert probe(env) is None


def test_a_file_that_cannot_be_given_to_its_owner_is_foreseen_to_be_written_in_place(env, root, monkeypatch):
    def denied(*args):
        raise PermissionError(errno.EPERM, "denied")

    env.save(b"TOKEN=old\n")
    os.chown(env.path, 1234, 1234)
    monkeypatch.setattr(os, "fchown", denied)
    assert probe(env).code == "owner"
    assert env.write("new") is How.IN_PLACE


def test_two_names_of_one_file_are_foreseen_to_be_written_in_place(env):
    env.save(b"TOKEN=old\n")
    os.link(env.path, env.folder / "twin")
    assert probe(env).code == "hard_link"


# ------------------------------------------------------------------------------------------------ causes of errors


@pytest.mark.parametrize(
    "code, kind, message, remedy",
    [
        (errno.EROFS, Refused, "mounted read-only", "mount it writable"),
        (errno.EACCES, Refused, "may not be written by this user", "give the daemon's user"),
        (errno.EPERM, Refused, "forbids", "lsattr"),
        (errno.ELOOP, Refused, "circle", "link"),
        (errno.ENAMETOOLONG, Refused, "too long", "shorter"),
        (errno.ETXTBSY, Refused, "executed", "program"),
        (errno.ENOSPC, Unavailable, "no space", "df -i"),
        (errno.EDQUOT, Unavailable, "quota", "quota"),
        (errno.EFBIG, Unavailable, "grow", "ulimit -f"),
        (errno.EIO, Unavailable, "error", "dmesg"),
        (errno.ESTALE, Unavailable, "network", "mount"),
        (errno.EMFILE, Unavailable, "too many files", "ulimit -n"),
        (errno.ENFILE, Unavailable, "too many files", "opens"),
        (errno.ECONNRESET, Unavailable, "could not be written", "disk"),
    ],
)
def test_every_error_of_the_system_has_its_own_remedy(code, kind, message, remedy):
    error = explain(Path("/app/.env"), OSError(code, os.strerror(code)))
    assert type(error) is kind
    assert "/app/.env" in error.message
    assert message in error.message
    assert remedy in error.remedy


def test_a_folder_for_locks_that_cannot_be_used_is_named_instead_of_the_file(env):
    env.locks.write_bytes(b"in the way")
    with pytest.raises((Refused, Unavailable), match="locks"):
        env.write("new")
