"""Marks: seen by others while their process lives, moved with the file, and in nobody's way."""

import subprocess
import sys

import pytest

from rotator.host.marks import Mark, held, is_marked, marked, marker

HOLDER = """
import sys, time
from pathlib import Path
from rotator.host.marks import Mark
mark = Mark(Path(sys.argv[1])); mark.follow()
print("marked", flush=True); time.sleep(60)
"""


@pytest.fixture
def file(tmp_path):
    found = tmp_path / "rotator.yaml"
    found.write_text("version: 1\n")
    return found


def test_a_file_is_marked_while_somebody_says_so(file):
    assert not is_marked(file)
    with marked(file):
        assert is_marked(file)
    assert not is_marked(file)


def test_several_may_mark_one_file_and_asking_takes_nothing_away(file):
    with marked(file), marked(file):
        assert [is_marked(file), is_marked(file)] == [True, True]
    assert not is_marked(file)


def test_a_mark_goes_with_its_process_however_that_ends(file):
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, str(file)], stdout=subprocess.PIPE, text=True)
    assert holder.stdout.readline() == "marked\n"
    assert is_marked(file)
    assert marker(file) in (holder.pid, None)
    holder.kill()
    holder.wait()
    holder.stdout.close()
    assert not is_marked(file)


def test_a_mark_follows_the_file_that_an_editor_put_in_its_place(file, tmp_path):
    with marked(file) as mark:
        new = tmp_path / "new"
        new.write_text("version: 1\n")
        new.replace(file)
        assert not is_marked(file)
        mark.follow()
        assert is_marked(file)


def test_a_file_that_may_only_be_read_can_be_marked(file):
    file.chmod(0o400)
    with marked(file):
        assert is_marked(file)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has /proc/locks")
def test_a_file_that_was_deleted_is_still_held_by_who_marked_it(file):
    with marked(file):
        file.unlink()
        assert b"version: 1\n" in held(100)
        assert b"vers" in held(4)
    assert b"version: 1\n" not in held(100)


def test_a_file_that_is_gone_is_not_marked_and_nothing_fails(file):
    file.unlink()
    mark = Mark(file)
    mark.follow()
    mark.release()
    mark.release()
    assert not is_marked(file)
    assert marker(file) is None
