"""Where the assignments of a dotenv file stand, and which of them programs read differently.

It reads as most programs do (npm dotenv, python-dotenv), compares with what the others would see, and changes nothing.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from rotator.targets.env_file.hidden import Doubt, HiddenLines, Line, goes_on

BOM: Final = b"\xef\xbb\xbf"

_LINE = re.compile(rb"[^\r\n]*(?:\r\n|\n|\r|\Z)")
_ASSIGNMENT = re.compile(
    rb"[ \t\f\v]*(?P<export>export[ \t]+)?(?P<quote>['\"]?)(?P<key>[A-Za-z_][A-Za-z0-9_.-]*)(?P=quote)"
    rb"(?P<sign>[ \t]*=[ \t]*|[ \t]*:(?:[ \t]+|\Z))"
)
_EXPORTED_AFTER = re.compile(rb"[ \t]*(?:;|&&)[ \t]*export[ \t]+(?P<key>[A-Za-z_][A-Za-z0-9_]*)[ \t]*;?[ \t]*(?=#|\Z)")
"""`KEY=value; export KEY`: how the oldest shells export."""
_CLEAN_TAIL = re.compile(rb"[ \t]*(?:#[^\r\n]*)?\Z")
_CLOSING = {
    quote: re.compile(rb"[^%b\\]*(?:\\.[^%b\\]*)*%b" % (quote, quote, quote), re.DOTALL) for quote in (b"'", b'"', b"`")
}
_HASH = re.compile(rb"#(?:[ \t]|\Z)")
_COMMENT = re.compile(rb"[ \t]+#")
_COMMAND_END = re.compile(rb";|&&")
_ESCAPES = {b"n": b"\n", b"r": b"\r", b"t": b"\t"}


@dataclass(frozen=True, slots=True, repr=False)
class Assignment:
    """One `KEY=value`; `start` to `end` is the raw value with its quotes, `stop` the end of its last line's text.

    `begin` is where the key begins, None behind `export`; `sign` is where it ends; `after` is where a command behind
    the value ends that exports the key, else `end`.
    """

    key: str
    line: int
    begin: int | None
    sign: int
    start: int
    end: int
    after: int
    stop: int
    value: str
    exported: bool
    equals: bool
    quote: bytes


@dataclass(slots=True, repr=False)
class Parsed:
    """What a file assigns, in order."""

    assignments: list[Assignment] = field(default_factory=list)
    doubts: dict[str, Doubt] = field(default_factory=dict)
    """Keys that some reader finds where another sees a part of something else."""


def split_lines(content: bytes) -> list[Line]:
    """Every line as (start, end of its text, end of its line break). A final line without a break is a line too."""
    lines = []
    for match in _LINE.finditer(content):
        if match.start() == match.end():
            break
        text = match.group().rstrip(b"\r\n")
        lines.append((match.start(), match.start() + len(text), match.end()))
    return lines


def parse(content: bytes, lines: Sequence[Line], hidden: HiddenLines) -> Parsed:
    """Find the assignments of `content`, whose lines are `lines`; those in `hidden` are doubtful."""
    parsed = Parsed()
    doubtful_lines: dict[int, int] = {}
    unclosed: Doubt | None = None
    index = 0
    while index < len(lines):
        start, stop, _ = lines[index]
        marked = index == 0 and content.startswith(BOM)
        match = _ASSIGNMENT.match(content, start + len(BOM) if marked else start, stop)
        if match is None:
            index += 1
            continue
        found, last, readings = _assignment(content, lines, index, match)
        ambiguous = len(readings) > 1 or match["quote"] != b""
        doubt = unclosed or _doubt(content, found, hidden, ambiguous, first=not parsed.assignments)
        if doubt is not None:
            parsed.doubts.setdefault(found.key, doubt)
        parsed.assignments.append(found)
        unclosed = unclosed or _unclosed(content, found)
        if len(readings) > 1 or doubt is not None:
            doubtful_lines |= dict.fromkeys(range(index + 1, max(*readings, last) + 1), index + 1)
        if match["sign"].endswith(b":"):  # npm dotenv takes the next line for its value
            doubtful_lines[last + 1] = index + 1
        index = last + 1
    for number, above in sorted(doubtful_lines.items()):
        if number == len(lines):
            break
        start, stop, _ = lines[number]
        within = _ASSIGNMENT.match(content, start, stop)
        if within is not None:
            message = f"line {number + 1}: for some programs it is a part of the value that begins on line {above}"
            parsed.doubts.setdefault(within["key"].decode(), Doubt(message, _PLAINLY.format(line=above)))
    return parsed


def _unclosed(content: bytes, found: Assignment) -> Doubt | None:
    quote = content[found.start : found.start + 1]
    if quote not in (b"'", b'"', b"`") or content.find(quote, found.start + 1) >= 0:
        return None
    return Doubt(
        f"line {found.line} opens a quote that is never closed, which some programs read until the end of the file",
        f"close the quote on line {found.line}",
    )


_PLAINLY: Final = "write line {line} as KEY=value on one line of its own, without text after a closing quote"


def _doubt(content: bytes, found: Assignment, hidden: HiddenLines, ambiguous: bool, *, first: bool) -> Doubt | None:
    if first and content.startswith(BOM):
        return Doubt(
            "line 1: a byte order mark stands there, which Node, systemd and shells take for a part of the first key",
            "save the file as UTF-8 without a byte order mark",
        )
    if ambiguous:
        return Doubt(
            f"line {found.line}: it holds a quote that is not closed, text after a closing quote, a backslash at its "
            "end, or a key in quotes",
            f"write line {found.line} as KEY=value",
        )
    return hidden.why(found.line - 1)


def _assignment(
    content: bytes, lines: Sequence[Line], index: int, match: "re.Match[bytes]"
) -> tuple[Assignment, int, set[int]]:
    """The assignment that begins on line `index`, its last line, and the last lines that some reader or other sees."""
    start, stop = match.end(), lines[index][1]
    quote = content[start : start + 1]
    readings = {index}
    end, after, last = None, None, index
    if start < stop and quote in (b"'", b'"', b"`"):
        readings = set()
        for close in _closings(content, start, quote):
            if close is None:
                readings.add(index)
                continue
            line = _line_of(lines, close, index)
            exported = _exported_after(content, match, close + 1, lines[line][1])
            clean = exported is not None or _CLEAN_TAIL.match(content, close + 1, lines[line][1]) is not None
            # Text after the closing quote: python-dotenv skips the whole value, npm dotenv reads one line.
            readings |= {line} if clean else {line, index}
            if quote == b"`":
                readings.add(index)  # a quote for Node alone
            if clean and end is None:
                end, after, last = close + 1, exported, line
    if end is None:
        quote = b""
        end, after = _bare(content, match, stop)
        if goes_on(content, lines[index]) and index + 1 < len(lines):
            readings.add(index + 1)
    found = Assignment(
        key=match["key"].decode(),
        line=index + 1,
        begin=None if match["export"] else match.start("key"),
        sign=match.start("sign"),
        start=start,
        end=end,
        after=end if after is None else after,
        stop=lines[last][1],
        value=_decode(content[start:end], quote),
        exported=match["export"] is not None or after is not None,
        equals=b"=" in match["sign"],
        quote=quote,
    )
    return found, last, readings


def _exported_after(content: bytes, match: "re.Match[bytes]", start: int, stop: int) -> int | None:
    """Where `; export KEY` ends, if that stands at `start`."""
    found = _EXPORTED_AFTER.match(content, start, stop)
    return found.end() if found is not None and found["key"] == match["key"] else None


def _closings(content: bytes, start: int, quote: bytes) -> Iterator[int | None]:
    """Where the quote at `start` closes: for readers that know escaped quotes, then for others (shells, Node)."""
    escaped = _CLOSING[quote].match(content, start + 1)
    yield escaped.end() - 1 if escaped else None
    plain = content.find(quote, start + 1)
    yield plain if plain >= 0 else None


def _line_of(lines: Sequence[Line], offset: int, first: int) -> int:
    while lines[first][2] <= offset:
        first += 1
    return first


def _bare(content: bytes, match: "re.Match[bytes]", stop: int) -> tuple[int, int | None]:
    """The end of the unquoted value that begins behind `match`, and the end of `; export KEY` behind it.

    It ends before a `#` that follows a blank, without the blanks at its end. `KEY=# text` is empty for some programs
    and `# text` for others, and nobody means the latter.
    """
    start = match.end()
    text = content[start:stop]
    if _HASH.match(text) or (text.startswith(b"#") and match["sign"][-1:] in (b" ", b"\t")):
        return start, None
    text = _COMMENT.split(text, maxsplit=1)[0]
    command = _COMMAND_END.search(text)
    if command is not None:
        exported = _exported_after(content, match, start + command.start(), stop)
        if exported is not None:
            return start + len(text[: command.start()].rstrip(b" \t")), exported
    return start + len(text.rstrip(b" \t")), None


def _decode(raw: bytes, quote: bytes) -> str:
    inner = raw[1:-1] if quote else raw
    if quote == b'"':
        inner = re.sub(rb"\\(.)", lambda escape: _ESCAPES.get(escape[1], escape[1]), inner, flags=re.DOTALL)
    return inner.decode("utf-8", "surrogateescape")
