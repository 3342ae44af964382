"""A real SIGKILL at every point inside a write: the old or the new file, whole, and a clean folder later."""

import os
import signal
import subprocess
import sys
from fnmatch import fnmatchcase

import pytest

from rotator.core.errors import Refused
from rotator.host import files
from rotator.host.crashpoints import Point
from rotator.targets.env_file.place import Identity, Place
from rotator.targets.env_file.writer import How

PROGRAM = """
import sys
from pathlib import Path
from rotator.host import files
from rotator.targets.env_file.document import Document
from rotator.targets.env_file.writer import Writer
path, locks, value, meddle = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], sys.argv[4]
apart = sys.argv[5:] == ["apart"]
class Edit:
    def agrees(self, content):
        return True
    def apply(self, content):
        return Document(content).set({"TOKEN": value})
real, left = files.exchange, [meddle] if meddle else []
def exchange(a, b, *, dir_fd=None):
    if left:
        (path.parent / "editor~").write_bytes(left.pop().encode())
        (path.parent / "editor~").rename(path)
    real(a, b, dir_fd=dir_fd)
files.exchange = exchange
Writer(locks).replace(path, Edit(), lambda: None, apart=apart)
"""

INSIDE = [point for point in Point if "env_file" in point.paths]
BACK = [
    Point.AFTER_FILE_EXCHANGE,
    Point.BEFORE_FILE_DISPLACED_CHECK,
    Point.BEFORE_FILE_EXCHANGE_BACK,
    Point.AFTER_FILE_EXCHANGE_BACK,
]


def crash(env, point, value="new", meddle="", *more):
    result = subprocess.run(
        [sys.executable, "-c", PROGRAM, env.path, env.locks, value, meddle, *more],
        env={**os.environ, "ROTATOR_TESTING": "1", "ROTATOR_CRASH_AT": str(point)},
        check=False,
        timeout=60,
    )
    assert result.returncode == -signal.SIGKILL, f"{point} was not passed"


@pytest.mark.parametrize("point", INSIDE)
def test_a_crash_leaves_the_old_or_the_new_file_and_the_next_write_cleans_up(env, point):
    env.save(b"A=1\nTOKEN=old\n")
    crash(env, point)
    assert env.content in (b"A=1\nTOKEN=old\n", b"A=1\nTOKEN=new\n")
    visible = env.content
    assert env.write("new") in (How.EXCHANGED, How.UNCHANGED)
    assert (env.write("new"), env.content, env.names) == (How.UNCHANGED, b"A=1\nTOKEN=new\n", [".env"])
    if point in (Point.BEFORE_FILE_LOCK, Point.BEFORE_FILE_EXCHANGE):
        assert visible == b"A=1\nTOKEN=old\n"
    if point in (Point.AFTER_FILE_EXCHANGE, Point.AFTER_FILE_UNLINK):
        assert visible == b"A=1\nTOKEN=new\n"


@pytest.mark.parametrize("next_apart", [True, False])
@pytest.mark.parametrize(
    ("point", "meddle"),
    [
        *((point, "") for point in (Point.BEFORE_FILE_TEMP_FSYNC, Point.BEFORE_FILE_EXCHANGE, Point.AFTER_FILE_UNLINK)),
        *((point, "THEIRS=1\nTOKEN=old\n") for point in BACK),
    ],
)
def test_what_a_crash_leaves_in_the_folder_apart_is_ignored_and_cleaned_up(env, point, meddle, next_apart):
    env.save(b"TOKEN=old\n")
    crash(env, point, "new", meddle, "apart")
    (folder,) = set(env.names) - {".env"}
    assert (env.folder / folder / ".gitignore").read_text() == "*\n"
    env.write("newer", apart=next_apart)
    saved = meddle.replace("old", "newer").encode() or b"TOKEN=newer\n"
    assert (env.content, env.names) == (saved, [".env"])


def test_a_folder_of_somebody_else_in_its_place_is_not_used(env, root):
    env.save(b"TOKEN=old\n")
    planted = env.folder / ".env.rotator-uid0.env"
    planted.mkdir()
    os.chown(planted, 1234, 1234)
    with pytest.raises(Refused, match="in the way"):
        env.write("new", apart=True)
    assert env.content == b"TOKEN=old\n"


@pytest.mark.parametrize("point", [Point.AFTER_FILE_TEMP_FSYNC, Point.BEFORE_FILE_EXCHANGE, Point.AFTER_FILE_EXCHANGE])
def test_a_crash_while_creating_leaves_nothing_or_the_whole_file(env, point):
    crash(env, point)
    assert not env.path.exists() or env.content == b"TOKEN=new\n"
    env.write("newer")
    assert (env.content, env.names) == (b"TOKEN=newer\n", [".env"])


@pytest.mark.parametrize("point", BACK)
def test_a_save_that_we_displaced_survives_our_crash(env, point):
    env.save(b"TOKEN=old\n")
    crash(env, point, meddle="THEIRS=1\nTOKEN=old\n")
    env.write("newer")
    assert (env.content, env.names) == (b"THEIRS=1\nTOKEN=newer\n", [".env"])


def test_a_save_that_we_displaced_does_not_replace_a_later_one(env):
    env.save(b"TOKEN=old\n")
    crash(env, Point.AFTER_FILE_EXCHANGE, meddle="EARLIER=1\nTOKEN=old\n")
    env.save(b"LATER=1\nTOKEN=old\n")
    env.write("newer")
    assert (env.content, env.names) == (b"LATER=1\nTOKEN=newer\n", [".env"])


def test_a_save_into_the_displaced_file_after_our_crash_is_brought_back(env):
    env.save(b"TOKEN=old\n")
    editor = os.open(env.path, os.O_WRONLY | os.O_APPEND)
    crash(env, Point.BEFORE_FILE_UNLINK)
    os.write(editor, b"A=1\n")
    os.close(editor)
    env.write("newer")
    assert (env.content, env.names) == (b"TOKEN=newer\nA=1\n", [".env"])


def test_a_displaced_save_is_brought_back_without_exchange_too(env, monkeypatch):
    env.save(b"TOKEN=old\n")
    crash(env, Point.AFTER_FILE_EXCHANGE, meddle="THEIRS=1\nTOKEN=old\n")

    def unsupported(*args, **kwargs):
        raise OSError(next(iter(files.EXCHANGE_UNSUPPORTED)), "unsupported")

    monkeypatch.setattr(files, "exchange", unsupported)
    env.write("newer")
    assert (env.content, env.names) == (b"THEIRS=1\nTOKEN=newer\n", [".env"])


def test_a_crash_while_writing_in_place_leaves_a_whole_file(env):
    env.save(b"A=1\nTOKEN=old\n")
    os.link(env.path, env.folder / "twin")
    for point, expected in (("before_file_in_place", b"old"), ("after_file_in_place", b"much-longer")):
        crash(env, point, value="much-longer")
        assert env.content == b"A=1\nTOKEN=%b\n" % expected


def test_only_our_own_leftovers_of_this_file_are_removed(env, root):
    env.save(b"TOKEN=old\n")
    kept = [
        ".env.local.rotator-0123abcd.env.local",
        ".env.rotator-xyz.env",
        ".env.rotator-0123abcd.env.bak",
        ".env.env",
    ]
    for name in kept:
        (env.folder / name).write_bytes(b"x")
    (env.folder / ".env.rotator-0123abcd.env").write_bytes(b"TOKEN=x")
    foreign = env.folder / ".env.rotator-89abcdef.env"
    foreign.write_bytes(b"TOKEN=planted")
    os.chown(foreign, 1234, 1234)
    folder = env.folder / ".env.rotator-00000000.env"
    folder.mkdir()
    env.write("new")
    assert env.names == sorted([".env", foreign.name, folder.name, *kept])


def test_a_planted_leftover_is_not_exchanged_into_the_file(env, root):
    env.save(b"TOKEN=old\n")
    standing = Identity.of(env.path.stat())
    planted = env.folder / f".env.rotator-89abcdef{standing}-1-1-1.env"
    planted.write_bytes(b"TOKEN=planted\nEVIL=1\n")
    os.chown(planted, 1234, 1234)
    env.write("new")
    assert env.content == b"TOKEN=new\n"


@pytest.mark.parametrize(
    "name, patterns",
    [
        (".env", [".env*", ".env.*", "*.env", ".*.env", ".env.*env"]),
        (".dev.vars", [".dev.vars*", ".dev.vars.*", "*.vars", ".dev.*"]),
        (".env.local", [".env*", ".env*.local", ".env.*.local", "*.local"]),
        (".envrc", [".env*", ".envrc*"]),
        ("prod.env", ["*.env", "*.env*"]),
    ],
)
def test_what_a_crash_leaves_is_covered_by_the_patterns_that_people_write_for_the_file(tmp_path, name, patterns):
    with Place(tmp_path / name) as place:
        left = [place.temporary_name(), place.temporary_name(Identity(2**64, 2**20, 2**63), Identity(1, 2, 3))]
    assert [(one, pattern) for one in left for pattern in patterns if not fnmatchcase(one, pattern)] == []
    assert all(one.startswith(".") for one in left)
