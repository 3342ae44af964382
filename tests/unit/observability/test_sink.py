"""A stream that is full, stuck or closed costs lines, never the thread that speaks."""

import contextlib
import io
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

import pytest

from rotator.observability.sink import Sink


@pytest.fixture
def pipe() -> Iterator[tuple[int, TextIO]]:
    reader, writer = os.pipe()
    stream = os.fdopen(writer, "w")
    yield reader, stream
    for close in (lambda: os.close(reader), stream.close):
        with contextlib.suppress(OSError):
            close()


def drain(reader: int) -> bytes:
    os.set_blocking(reader, False)
    found = b""
    with contextlib.suppress(BlockingIOError):
        while data := os.read(reader, 65536):
            found += data
    return found


def test_lines_arrive_whole_and_in_order(tmp_path: Path) -> None:
    path = tmp_path / "log"
    with path.open("w") as stream:
        sink = Sink(stream)
        sink.write("one")
        sink.write("zwei \N{LATIN SMALL LETTER U WITH DIAERESIS}")
        sink.write("x" * 100_000)

    assert path.read_text("utf-8").split("\n") == ["one", "zwei \u00fc", "x" * 100_000, ""]
    assert sink.dropped == 0


def test_a_line_is_out_when_write_returns(pipe: tuple[int, TextIO]) -> None:
    reader, stream = pipe
    Sink(stream).write("said before the kill")

    assert drain(reader) == b"said before the kill\n"


def test_a_stream_in_memory_is_written_as_it_is() -> None:
    stream = io.StringIO()
    Sink(stream).write("one")

    assert stream.getvalue() == "one\n"


def test_a_closed_stream_in_memory_drops() -> None:
    stream = io.StringIO()
    sink = Sink(stream)
    stream.close()
    sink.write("one")

    assert sink.dropped == 1


def test_a_pipe_without_a_reader_drops_and_counts(pipe: tuple[int, TextIO]) -> None:
    reader, stream = pipe
    sink = Sink(stream)
    os.close(reader)
    sink.write("one")
    sink.write("two")

    assert sink.dropped == 2


def test_a_full_disk_drops_and_counts() -> None:
    with Path("/dev/full").open("w") as stream:
        sink = Sink(stream)
        sink.write("one")

        assert sink.dropped == 1


def test_a_stuck_reader_never_blocks_the_speaker(pipe: tuple[int, TextIO]) -> None:
    reader, stream = pipe
    sink = Sink(stream, patience=0.01)
    speaker = threading.Thread(target=lambda: [sink.write("x" * 1000) for _ in range(500)], daemon=True)
    speaker.start()
    speaker.join(30)

    assert not speaker.is_alive()
    assert sink.dropped + drain(reader).count(b"x" * 1000 + b"\n") == 500
    assert sink.dropped > 400


def test_a_reader_that_comes_back_gets_whole_lines_again(pipe: tuple[int, TextIO]) -> None:
    reader, stream = pipe
    sink = Sink(stream, patience=0)
    sink.write("x" * 100_000)
    torn = drain(reader)
    sink.write("back")

    assert sink.dropped == 1
    assert (torn + drain(reader)).split(b"\n")[-2:] == [b"back", b""]


def test_text_that_no_encoding_takes_is_escaped(pipe: tuple[int, TextIO]) -> None:
    reader, stream = pipe
    Sink(stream).write("\ud800")

    assert drain(reader) == b"\\ud800\n"
