"""Other people's saves: whatever was once visible at the path is kept, unless its own author replaced it.

The first half puts a save at one exact point of ours; the second half lets threads and processes run into each other.
"""

import itertools
import os
import random
import subprocess
import sys
import threading

import pytest

from rotator.core.errors import Conflict, Fenced, Refused, Unavailable
from rotator.host import files
from rotator.targets.env_file import writer as writer_module
from rotator.targets.env_file.access import read
from rotator.targets.env_file.document import Document
from rotator.targets.env_file.writer import How

ANY_TIME = [
    "before_file_lock",
    "after_file_lock",
    "before_file_temp_write",
    "after_file_temp_write",
    "before_file_temp_fsync",
    "after_file_temp_fsync",
    "before_file_exchange",
]

# -------------------------------------------------------------------------------------------------- one exact moment


@pytest.mark.parametrize("point", ANY_TIME)
def test_a_save_before_the_exchange_is_merged(env, point):
    env.save(b"TOKEN=old\n")
    env.at[point] = lambda: env.save(b"A=1\nTOKEN=old\n")
    assert env.write("new", expected="old") is How.EXCHANGED
    assert (env.content, env.names) == (b"A=1\nTOKEN=new\n", [".env"])


def test_a_save_that_is_seen_in_time_is_never_displaced_not_even_for_an_instant(env):
    env.save(b"TOKEN=old\n")
    env.at["after_file_temp_fsync"] = lambda: env.save(b"A=1\nTOKEN=old\n")
    env.write("new", expected="old")
    assert env.passed.count("after_file_exchange") == 1


@pytest.mark.parametrize("point", ANY_TIME)
def test_a_save_of_the_managed_key_before_the_exchange_is_a_conflict_and_stays(env, point):
    env.save(b"TOKEN=old\n")
    env.at[point] = lambda: env.save(b"TOKEN=theirs\n")
    with pytest.raises(Conflict):
        env.write("new", expected="old")
    assert (env.content, env.names) == (b"TOKEN=theirs\n", [".env"])


@pytest.mark.parametrize(
    "point", ["before_file_lock", "after_file_lock", "before_file_temp_write", "before_file_exchange"]
)
def test_a_file_that_is_deleted_meanwhile_is_not_brought_back_where_creating_is_not_wanted(env, point):
    env.save(b"A=1\nTOKEN=old\n")
    env.at[point] = env.path.unlink
    with pytest.raises(Refused, match="does not exist"):
        env.write("new", create=False)
    assert env.names == []


def test_a_save_in_the_instant_of_the_exchange_is_put_back_and_merged(env, monkeypatch):
    """Between our last look and the system call: no crash point is that late, so the call itself is wrapped."""
    env.save(b"TOKEN=old\n")
    real, left = files.exchange, [lambda: env.save(b"A=1\nTOKEN=old\n")]

    def late(a, b, *, dir_fd=None):
        if left:
            left.pop()()
        real(a, b, dir_fd=dir_fd)

    monkeypatch.setattr(files, "exchange", late)
    assert env.write("new", expected="old") is How.EXCHANGED
    assert (env.content, env.names) == (b"A=1\nTOKEN=new\n", [".env"])
    assert "after_file_exchange_back" in env.passed


def test_a_managed_key_saved_in_the_instant_of_the_exchange_is_put_back(env, monkeypatch):
    env.save(b"TOKEN=old\n")
    real, left = files.exchange, [lambda: env.save(b"TOKEN=theirs\n")]

    def late(a, b, *, dir_fd=None):
        if left:
            left.pop()()
        real(a, b, dir_fd=dir_fd)

    monkeypatch.setattr(files, "exchange", late)
    with pytest.raises(Conflict):
        env.write("new", expected="old")
    assert (env.content, env.names) == (b"TOKEN=theirs\n", [".env"])


def test_a_lease_lost_while_a_save_was_put_back_stops_the_second_try(env, monkeypatch):
    env.save(b"TOKEN=old\n")
    real, left, asked = files.exchange, [lambda: env.save(b"A=1\nTOKEN=old\n")], []

    def late(a, b, *, dir_fd=None):
        if left:
            left.pop()()
        real(a, b, dir_fd=dir_fd)

    def still_mine():
        asked.append(None)
        if len(asked) > 1:
            raise Fenced("the lease belongs to somebody else")

    monkeypatch.setattr(files, "exchange", late)
    with pytest.raises(Fenced):
        env.write("new", still_mine=still_mine)
    assert (env.content, env.names) == (b"A=1\nTOKEN=old\n", [".env"])


@pytest.mark.parametrize(
    "second", [lambda env: env.save(b"B=2\nTOKEN=old\n"), lambda env: env.path.unlink()], ids=["saved", "deleted"]
)
def test_a_second_save_on_top_of_ours_while_the_first_is_put_back_leaves_the_last_one(env, monkeypatch, second):
    env.save(b"TOKEN=old\n")
    real, left = files.exchange, [lambda: second(env), lambda: env.save(b"A=1\nTOKEN=old\n")]

    def late(a, b, *, dir_fd=None):
        if left:
            left.pop()()
        real(a, b, dir_fd=dir_fd)

    monkeypatch.setattr(files, "exchange", late)
    assert env.write("new", expected="old") is How.EXCHANGED
    assert env.names == [".env"]
    assert env.content in (b"B=2\nTOKEN=new\n", b"A=1\nTOKEN=new\n")


def test_a_file_that_vanishes_in_the_instant_of_the_exchange_is_made_anew(env, monkeypatch):
    env.save(b"A=1\nTOKEN=old\n")
    real, left = files.exchange, [env.path.unlink]

    def late(a, b, *, dir_fd=None):
        if left:
            left.pop()()
        real(a, b, dir_fd=dir_fd)

    monkeypatch.setattr(files, "exchange", late)
    assert env.write("new") is How.CREATED
    assert (env.content, env.names) == (b"TOKEN=new\n", [".env"])


@pytest.mark.parametrize("point", ["after_file_exchange", "after_file_displaced_check", "after_file_dir_fsync"])
def test_an_editor_that_writes_into_the_displaced_file_is_merged_until_the_last_moment(env, point):
    env.save(b"TOKEN=old\n")
    editor = os.open(env.path, os.O_WRONLY | os.O_APPEND)
    env.at[point] = lambda: os.write(editor, b"A=1\n")
    assert env.write("new", expected="old") is How.EXCHANGED
    os.close(editor)
    assert (env.content, env.names) == (b"TOKEN=new\nA=1\n", [".env"])


@pytest.mark.parametrize("point", ["after_file_exchange", "before_file_dir_fsync", "before_file_unlink"])
def test_a_save_on_top_of_ours_is_simply_later(env, point):
    env.save(b"TOKEN=old\n")
    env.at[point] = lambda: env.save(b"TOKEN=theirs\n")
    assert env.write("new", expected="old") is How.EXCHANGED
    assert (env.content, env.names) == (b"TOKEN=theirs\n", [".env"])


def test_a_pipe_that_takes_the_place_of_the_file_is_put_back(env, monkeypatch):
    env.save(b"TOKEN=old\n")
    real = files.exchange

    def late(a, b, *, dir_fd=None):
        monkeypatch.setattr(files, "exchange", real)
        env.path.unlink()
        os.mkfifo(env.path)
        real(a, b, dir_fd=dir_fd)

    monkeypatch.setattr(files, "exchange", late)
    with pytest.raises(Refused, match="not a regular file"):
        env.write("new")
    assert env.path.is_fifo()
    assert env.names == [".env"]


def test_a_save_before_writing_in_place_is_merged(env):
    env.save(b"TOKEN=old\n")
    os.link(env.path, env.folder / "twin")
    env.at["after_file_lock"] = lambda: env.path.write_bytes(b"A=1\nTOKEN=old\n")
    assert env.write("new", expected="old") is How.IN_PLACE
    assert env.content == b"A=1\nTOKEN=new\n"


def test_a_file_that_is_replaced_while_we_write_into_it_gets_the_value_too(env):
    env.save(b"TOKEN=old\n")
    os.link(env.path, env.folder / "twin")
    env.at["after_file_in_place"] = lambda: env.save(b"A=1\nTOKEN=old\n")
    assert env.write("new", expected="old") is How.EXCHANGED
    assert env.content == b"A=1\nTOKEN=new\n"


def test_a_file_that_somebody_saves_without_end_is_left_alone(env, monkeypatch):
    monkeypatch.setattr(writer_module, "ATTEMPTS", 3)
    env.save(b"TOKEN=old\n")
    numbers = itertools.count()
    with pytest.raises(Unavailable, match="keeps changing"):
        env.write("new", still_mine=lambda: env.save(b"A=%d\nTOKEN=old\n" % next(numbers)))
    assert (env.content, env.names) == (b"A=2\nTOKEN=old\n", [".env"])


# --------------------------------------------------------------------------------------------------- threads, processes


def test_readers_see_only_complete_files(env, no_flush):
    bodies = {b"TOKEN=%b\n" % (letter * size) for letter, size in ((b"a", 40), (b"b", 4000), (b"c", 1))}
    env.save(b"TOKEN=a" + b"a" * 39 + b"\n")
    stop, torn = threading.Event(), []

    def reader():
        while not stop.is_set():
            content = env.path.read_bytes()
            if content not in bodies:
                torn.append(content)

    threads = [threading.Thread(target=reader) for _ in range(2)]
    for thread in threads:
        thread.start()
    for number in range(150):
        letter, size = ((b"a", 40), (b"b", 4000), (b"c", 1))[number % 3]
        env.write((letter * size).decode())
    stop.set()
    for thread in threads:
        thread.join()
    assert torn == []


class Editor:
    """Holds its own text, as editors do, and saves all of it; the value is the last that it saw in the file."""

    def __init__(self, env):
        self.env, self.saves = env, 0

    def save(self):
        token = Document(self.env.content).get("TOKEN")[0]
        self.env.save(b"COUNT=%d\nTOKEN=%b\n" % (self.saves + 1, token.encode()))
        self.saves += 1

    def lost(self):
        return Document(self.env.content).get("COUNT") != [str(self.saves)]


def test_two_thousand_saves_at_any_point_of_our_writes_are_all_kept(env, no_flush, monkeypatch):
    """The points, and the instant of the exchange itself, are hit by a repeatable lot."""
    env.save(b"COUNT=0\nTOKEN=v\n")
    editor, lot, real = Editor(env), random.Random(1), files.exchange

    def crash(point):
        if lot.random() < 0.1:
            editor.save()

    def exchange(a, b, *, dir_fd=None):
        if lot.random() < 0.3:
            editor.save()
        real(a, b, dir_fd=dir_fd)

    monkeypatch.setattr(files, "exchange", exchange)
    monkeypatch.setattr(env, "crash", crash)
    number, lost = 0, []
    while editor.saves < 2000:
        number += 1
        env.write(f"v{number}")
        lost += [editor.saves] if editor.lost() else []
    monkeypatch.undo()
    env.write("last")
    assert lost == []
    assert env.content == b"COUNT=%d\nTOKEN=last\n" % editor.saves
    assert env.names == [".env"]


def test_two_thousand_saves_of_an_editor_beside_us_are_all_kept(env, no_flush, monkeypatch):
    """In a thread of its own; it saves, then lets a few of our steps pass, as many as the lot says."""
    env.save(b"COUNT=0\nTOKEN=v\n")
    editor, lot, lost = Editor(env), random.Random(2), []
    steps, turn, done = threading.Semaphore(0), threading.Lock(), threading.Event()
    monkeypatch.setattr(env, "crash", lambda point: steps.release())

    def edit():
        while editor.saves < 2000:
            with turn:  # not while the judge looks
                editor.save()
            for _ in range(lot.randrange(2, 12)):
                steps.acquire(timeout=10)
        done.set()

    thread = threading.Thread(target=edit)
    thread.start()
    number = 0
    while not done.is_set():
        number += 1
        env.write(f"v{number}")
        with turn:
            lost += [editor.saves] if editor.lost() else []
    thread.join()
    env.write("last")
    assert lost == []
    assert env.content == b"COUNT=2000\nTOKEN=last\n"
    assert env.names == [".env"]


WRITE_MANY = """
import sys
from pathlib import Path
from rotator.targets.env_file.document import Document
from rotator.targets.env_file.writer import Writer
path, locks, key, count = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], int(sys.argv[4])
class Edit:
    def agrees(self, content):
        return True
    def apply(self, content):
        return Document(content).set({f"{key}_{self.number}": "x", f"{key}": f"v{self.number}"})
edit, writer = Edit(), Writer(locks)
for edit.number in range(count):
    writer.replace(path, edit, lambda: None)
"""


@pytest.mark.parametrize("same_locks", [True, False], ids=["one_instance", "two_instances"])
def test_processes_that_write_different_keys_lose_nothing(env, tmp_path, same_locks):
    env.save(b"# mine\n")
    started = [
        subprocess.Popen(
            [
                sys.executable,
                "-c",
                WRITE_MANY,
                env.path,
                tmp_path / ("locks" if same_locks else f"locks-{key}"),
                key,
                "25",
            ]
        )
        for key in ("A", "B", "C")
    ]
    assert [process.wait(60) for process in started] == [0, 0, 0]
    document = Document(env.content)
    assert env.content.startswith(b"# mine\n")
    for key in ("A", "B", "C"):
        assert document.get(key) == ["v24"]
        assert [document.get(f"{key}_{number}") for number in range(25)] == [["x"]] * 25
    assert env.names == [".env"]


def test_reading_while_others_write_gives_whole_files(env, no_flush):
    env.save(b"TOKEN=v0\n")
    found, done = [], threading.Event()

    def look():
        while not done.is_set():
            found.append(read(env.path).content)

    thread = threading.Thread(target=look)
    thread.start()
    for number in range(100):
        env.write(f"v{number}")
    done.set()
    thread.join()
    assert set(found) <= {b"TOKEN=v%d\n" % number for number in range(100)}
