"""A file as a sink: appended to, rotated by others, and whole after a kill and a full disk."""

from __future__ import annotations

import errno
import os
import shutil
import stat
from pathlib import Path

import pytest

from rotator.audit.file import FileSink
from rotator.audit.lines import linked
from rotator.audit.ports import Found, SinkDown
from rotator.audit.verify import Line, verify
from tests.unit.audit.bench import Bench, signed_by


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "audit.jsonl"


@pytest.fixture
def sink(path: Path):
    made = FileSink(path)
    yield made
    made.close()


def line(word: str) -> str:
    return linked({"type": "fact", "word": word}, "before")[0]


def exported(path: Path, *files: Path):
    lines = []
    for file in (*files, path):
        content = file.read_text().splitlines(keepends=True)
        lines += [Line(file.name, n, text.removesuffix("\n"), text.endswith("\n")) for n, text in enumerate(content, 1)]
    return verify(lines, signed_by)


def exporting(path: Path) -> Bench:
    bench = Bench(sink=FileSink(path))  # type: ignore[arg-type]
    bench.book.add("a", 3)
    bench.book.add("b", 2)
    bench.settle()
    return bench


def test_the_file_is_made_for_its_owner_alone(path: Path, sink: FileSink):
    before = os.umask(0)
    try:
        assert sink.look() is Found.NOTHING
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_lines_are_appended_to_what_is_there(path: Path, sink: FileSink):
    sink.look()
    sink.write([line("one"), line("two")])
    assert sink.look() is Found.THE_LINE_BEFORE
    sink.write([line("three")])
    assert path.read_text() == "".join(f"{line(word)}\n" for word in ("one", "two", "three"))


def test_a_renamed_file_is_let_go_and_a_new_one_begins_with_a_checkpoint(path: Path):
    bench = exporting(path)
    old = path.rename(path.with_suffix(".1"))
    bench.book.add("a", 2)
    bench.settle()
    assert exported(old).facts == 5
    alone, both = exported(path), exported(path, old)
    assert (alone.problems, alone.whole, alone.facts) == ((), False, 2)
    assert (both.problems, both.whole, both.facts, both.duplicates) == ((), True, 7, 0)


def test_a_file_that_was_removed_is_made_again(path: Path):
    bench = exporting(path)
    path.unlink()
    bench.book.add("a")
    bench.settle()
    assert (exported(path).problems, exported(path).facts) == ((), 1)


def test_a_file_that_was_copied_and_cut_gets_again_what_the_copy_may_lack(path: Path):
    bench = exporting(path)
    copy = Path(shutil.copy(path, path.with_suffix(".1")))
    bench.book.add("a", 2)
    bench.exporter.step()  # between copy and cut: neither has it
    os.truncate(path, 0)
    bench.settle()
    both = exported(path, copy)
    assert (both.problems, both.facts, both.whole) == ((), 7, True)
    assert (exported(path).problems, exported(copy).problems) == ((), ())


def test_what_is_written_right_after_the_cut_is_written_again_behind_an_opening_checkpoint(path: Path):
    bench = exporting(path)
    copy = Path(shutil.copy(path, path.with_suffix(".1")))
    look, bench.sink.look = bench.sink.look, lambda: Found.THE_LINE_BEFORE  # type: ignore[method-assign]
    os.truncate(path, 0)
    bench.book.add("b")
    bench.exporter.step()
    bench.sink.look = look  # type: ignore[method-assign]
    bench.settle()
    both = exported(path, copy)
    assert (both.problems, both.facts) == ((), 6)
    assert (exported(path).problems, exported(path).facts) == ((), 1)


@pytest.mark.parametrize("cut", [1, 40, 200])
def test_half_a_line_that_a_kill_left_is_set_off_and_told_again(path: Path, cut: int):
    bench = exporting(path)
    come, keep = dict(bench.book.come), bench.book.keep
    bench.book.add("a", 3)
    bench.settle()
    bench.book.come, bench.book.keep = come, keep  # killed before it was noted
    content = path.read_bytes()
    path.write_bytes(content[: content.rindex(b"\n", 0, -1) - cut])
    bench.sink.close()
    bench.sink = FileSink(path)  # type: ignore[assignment]
    bench.now += 5
    bench.process()
    bench.settle()
    found = exported(path)
    assert (found.problems, found.half_lines, found.facts, found.unsigned) == ((), 1, 8, 0)
    assert found.duplicates > 0
    bench.sink.close()


def test_a_whole_line_without_its_line_break_is_a_line(path: Path, sink: FileSink):
    path.write_text(line("one"))
    assert sink.look() is Found.THE_LINE_BEFORE
    sink.write([line("two")])
    assert path.read_text().splitlines() == [line("one"), line("two")]


def test_half_a_line_that_somebody_ended_is_still_half_a_line(path: Path, sink: FileSink):
    path.write_text(f"{line('one')}\n{line('two')[:50]}\n")
    assert sink.look() is Found.HALF_A_LINE
    sink.write([line("three")])
    assert sink.look() is Found.THE_LINE_BEFORE


def test_a_full_disk_leaves_no_half_line_and_the_facts_wait(path: Path, monkeypatch):
    bench = exporting(path)
    before = path.read_bytes()
    write, room = os.write, 300

    def fills_up(fd: int, content: bytes) -> int:
        nonlocal room
        if room <= 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        done = write(fd, content[:room])
        room -= done
        return done

    bench.book.add("a", 3)
    with monkeypatch.context() as patched:
        patched.setattr("rotator.audit.file.os.write", fills_up)
        assert bench.exporter.step() == 1.0
    assert path.read_bytes() == before
    assert [str(trouble).partition(":")[0] for trouble in bench.troubles] == [f"writing to {path}"]
    assert "free space" in bench.troubles[0].remedy
    bench.now += 2
    bench.settle()
    found = exported(path)
    assert (found.problems, found.facts, found.duplicates) == ((), 8, 0)
    assert bench.troubles[-1] is None


def test_a_disk_that_does_not_even_let_a_part_be_cut_off_leaves_it_set_off(path: Path, monkeypatch):
    bench = exporting(path)
    write, taken = os.write, []

    def breaks(fd: int, content: bytes) -> int:
        if taken:
            raise OSError(errno.EIO, "Input/output error")
        taken.append(write(fd, content[:700]))
        return taken[0]

    def refuses(fd: int, size: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    bench.book.add("a", 3)
    with monkeypatch.context() as patched:
        patched.setattr("rotator.audit.file.os.write", breaks)
        patched.setattr("rotator.audit.file.os.ftruncate", refuses)
        bench.exporter.step()
    bench.now += 2
    bench.settle()
    found = exported(path)
    assert (found.problems, found.half_lines, found.facts) == ((), 1, 8)


def test_a_folder_that_is_not_there_is_named_and_nothing_is_made(tmp_path: Path):
    sink = FileSink(tmp_path / "logs" / "audit.jsonl")
    with pytest.raises(SinkDown, match=r"opening .*audit\.jsonl: No such file or directory") as refused:
        sink.look()
    assert "make its folder" in refused.value.remedy
    assert not (tmp_path / "logs").exists()


@pytest.mark.parametrize("make", [os.mkfifo, lambda path: path.mkdir(), lambda path: path.symlink_to("/tmp/elsewhere")])
def test_what_is_no_regular_file_is_refused(path: Path, sink: FileSink, make):
    make(path)
    with pytest.raises(SinkDown):
        sink.look()


def test_two_processes_never_mix_their_lines_in_one_file(path: Path, sink: FileSink):
    sink.look()
    other = FileSink(path)
    with pytest.raises(SinkDown, match="another process exports to it"):
        other.look()
    sink.close()
    assert other.look() is Found.NOTHING
    other.close()
