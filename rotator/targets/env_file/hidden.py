"""Lines that one reader sees as assignments and another as a part of something else, and why.

Most readers of dotenv files go line by line. Shells do not: a quote in the middle of a word (`NAME=Bob's`), a command
or a here-document goes on over line breaks. Nor does systemd: it joins the line after a backslash, after a comment too
(https://github.com/systemd/systemd/issues/27975). A CR without LF ends a line for some and not for others. Some take a
byte order mark for a part of the first key. An assignment of ours must stand where all of them see it. This module
knows lines and offsets; it changes nothing.

Sources: POSIX.1-2017, Shell Command Language, 2.2 (quoting), 2.3 (tokens), 2.7.4 (here-documents); systemd's
src/basic/env-file.c; both tried on the real programs.
"""

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

Line = tuple[int, int, int]
"""Start, end of the text, end of the line break."""

_HERE = re.compile(rb"<<-?[ \t]*(?P<quote>['\"]?)(?P<word>[A-Za-z_][A-Za-z0-9_]*)(?P=quote)")
_BEFORE_COMMENT: Final = frozenset({b"", b" ", b"\t", b"\n", b";", b"&", b"|", b"("})
_NAMES: Final = {b"'": "quote", b'"': "double quote", b"`": "backtick", b"(": "command `$(`", b"<": "here-document"}
_CLOSED_BY: Final = {b"'": b"'", b'"': b'"', b"`": b"`", b"(": b")"}
_NEXT: Final = {b"'": re.compile(rb"'"), b'"': re.compile(rb"[\\\"`(]")}
_NEXT_ELSEWHERE: Final = re.compile(rb"[\\'\"`()#<]")
_NEXT_OR_LINE: Final = re.compile(rb"[\\'\"`()#<\n]")


@dataclass(frozen=True, slots=True)
class Doubt:
    """Why a line is no assignment for some reader; `message` and `remedy` name lines and hold no content."""

    message: str
    remedy: str


@dataclass(frozen=True, slots=True)
class _Span:
    """What a shell reads in one piece although it has line breaks."""

    start: int
    end: int
    opener: bytes


class HiddenLines:
    """Which lines of one file are hidden from some reader."""

    def __init__(self, content: bytes, lines: Sequence[Line]) -> None:
        """Look at the whole of `content`; `lines` are all its lines in order."""
        self._lines = lines
        self._starts = [start for start, _, _ in lines]
        self._joined = {index + 1 for index, line in enumerate(lines) if goes_on(content, line)}
        self._lone = {index for index, (_, stop, end) in enumerate(lines) if content[stop:end] == b"\r"}
        self._spans = {index: span for span in _spans(content) for index in self._inside(span)}

    def why(self, index: int) -> Doubt | None:
        """Return why the line at `index` (from 0) is hidden from some reader, if it is."""
        span = self._spans.get(index)
        if span is not None:
            opened = bisect_left(self._starts, span.start + 1)  # counted from 1
            what = _NAMES[span.opener]
            return Doubt(
                f"line {index + 1}: a shell reads it as a part of what the {what} on line {opened} opens",
                f"close the {what} on line {opened}, or put the whole value there in quotes",
            )
        if index in self._joined:
            return Doubt(
                f"line {index + 1}: some programs (systemd, shells) join it to line {index}, which ends in a backslash",
                f"put an empty line after line {index}",
            )
        if {index - 1, index} & self._lone:
            return Doubt(
                f"line {index + 1}: a CR without LF stands before or behind it, a line break for some programs only",
                "save the file with LF as line end",
            )
        return None

    @property
    def end_goes_on(self) -> bool:
        """Whether the last line ends in a backslash, so that a line added after it would be joined to it."""
        return len(self._lines) in self._joined

    def _inside(self, span: _Span) -> Iterator[int]:
        first = bisect_left(self._starts, span.start + 1)
        last = bisect_left(self._starts, span.end + 1)
        yield from range(first, last)


def goes_on(content: bytes, line: Line) -> bool:
    """Whether `line` ends in a backslash that some readers take for "goes on in the next line"."""
    start, stop, end = line
    text = content[start:stop]
    odd = (len(text) - len(text.rstrip(b"\\"))) % 2 == 1
    return odd and end - stop < 2  # before CRLF the backslash stands for the CR, and LF ends the line


def _spans(content: bytes) -> Iterator[_Span]:
    """What a shell reads as one piece and has a line break in it; of nested ones the outermost comes last."""
    stack: list[tuple[bytes, int]] = []
    here: list[bytes] = []
    position = 0
    while True:
        inside = stack[-1][0] if stack else b""
        waits = here and inside in (b"", b"(")
        found = (_NEXT_OR_LINE if waits else _NEXT.get(inside, _NEXT_ELSEWHERE)).search(content, position)
        if found is None:
            break
        start, char = found.start(), found.group()
        position = start + 1
        if char == b"\\":
            position = start + 2
        elif char == b"\n":
            position = _after_here(content, position, here)
            yield _Span(start, position, b"<")
            here = []
        elif char == _CLOSED_BY.get(inside):
            _, opened = stack.pop()
            if b"\n" in content[opened:start]:
                yield _Span(opened, start, content[opened : opened + 1])
        elif char == b"#":
            word = start - 2 if content[max(start - 2, 0) : start] == b"\\\n" else start  # a joined line goes on
            if content[max(word - 1, 0) : word] in _BEFORE_COMMENT:
                position = _end_of_line(content, start)
        elif char == b"<":
            document = _HERE.match(content, start)
            if document and content[start - 1 : start] != b"<":
                here.append(document["word"])
                position = document.end()
        elif char in (b"'", b'"', b"`") or (char == b"(" and (inside == b"(" or content[start - 1 : start] == b"$")):
            stack.append((char, start))
    if stack:
        opener, opened = stack[0]
        yield _Span(opened, len(content), opener)


def _after_here(content: bytes, position: int, words: Sequence[bytes]) -> int:
    """Return where the here-documents that begin at `position` end: behind their last delimiter, or with the file."""
    for word in words:
        found = re.compile(rb"^\t*%b$" % word, re.MULTILINE).search(content, position)
        if found is None:
            return len(content)
        position = found.end()
    return position


def _end_of_line(content: bytes, position: int) -> int:
    end = content.find(b"\n", position)
    return len(content) if end < 0 else end
