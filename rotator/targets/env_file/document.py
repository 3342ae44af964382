"""A dotenv file as bytes, of which only the values of managed keys ever change.

There is no standard for such files: fourteen readers (dotenv libraries of Python and Node, wrangler, compose, shells,
systemd, docker, kubectl) disagree about quotes, escapes and continued lines. So this module keeps every byte that it
need not touch, writes only encodings that all of them read alike, and refuses to edit a place that two of them would
read differently. It knows nothing of paths, locks or what the values are for.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

BOM: Final = b"\xef\xbb\xbf"
KEY: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z", re.ASCII)
"""What every reader takes for a key."""

_LINE = re.compile(rb"[^\r\n]*(?:\r\n|\n|\r|\Z)")
_ASSIGNMENT = re.compile(
    rb"[ \t\f\v]*(?P<export>export[ \t]+)?(?P<quote>['\"]?)(?P<key>[A-Za-z_][A-Za-z0-9_.-]*)(?P=quote)"
    rb"(?:[ \t]*=[ \t]*|:[ \t]+)"
)
_CLEAN_TAIL = re.compile(rb"[ \t]*(?:#[^\r\n]*)?\Z")
_UNQUOTED_EVERYWHERE = re.compile(r"[A-Za-z0-9_./:@%+=,-]*\Z", re.ASCII)
_CLOSING = {
    quote: re.compile(rb"[^%b\\]*(?:\\.[^%b\\]*)*%b" % (quote, quote, quote), re.DOTALL) for quote in (b"'", b'"', b"`")
}
_ESCAPES = {b"n": b"\n", b"r": b"\r", b"t": b"\t"}


class DocumentError(ValueError):
    """The file cannot be read or changed safely, or a value cannot be written so that all readers agree.

    Says where (a line number) or which key, never what stands there. `remedy` says what to do next.
    """

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy


@dataclass(frozen=True, slots=True, repr=False)
class _Assignment:
    """One `KEY=value`; `start` to `end` is the raw value with its quotes, `stop` the end of its last line's text."""

    key: str
    line: int
    start: int
    end: int
    stop: int
    value: str
    exported: bool
    quote: bytes
    doubtful: bool


@dataclass(slots=True, repr=False)
class _Parsed:
    assignments: list[_Assignment] = field(default_factory=list)
    doubts: dict[str, int] = field(default_factory=dict)
    """Keys that some reader finds where another sees a part of a value: key -> line."""


class Document:
    """A parsed dotenv file; immutable. Its `repr` holds no content."""

    def __init__(self, content: bytes) -> None:
        """Parse `content`; anything is accepted but NUL bytes (DocumentError): that is no text, or UTF-16.

        Bytes that are not UTF-8 are kept; in values they show as surrogate escapes (PEP 383).
        """
        if b"\0" in content:
            raise DocumentError(
                "the file holds NUL bytes, so it is not a text file in UTF-8 (perhaps it is UTF-16)",
                "save it as UTF-8, or name another file",
            )
        self._content = content
        self._lines = _split(content)
        self._parsed = _parse(content, self._lines)

    def keys(self) -> tuple[str, ...]:
        """The assigned keys in the order of the file, duplicates included, commented ones not."""
        return tuple(found.key for found in self._parsed.assignments)

    def get(self, key: str) -> list[str]:
        """The values of all assignments of `key`, in order; empty when there is none.

        Raises:
            DocumentError: readers disagree on whether or where `key` is assigned.
        """
        self._certain(key)
        return [found.value for found in self._parsed.assignments if found.key == key]

    def set(self, values: Mapping[str, str]) -> bytes:
        """The file's bytes with every assignment of each key set to its value; absent keys are added at the end.

        `export`, spaces around `=`, `KEY: value`, inline comments, line ends, a byte order mark and everything else
        stay as they are. An assignment that reads as the wanted value already is left alone, so repeating it changes
        nothing.

        Raises:
            DocumentError: a value or key that not all readers understand alike, or a place in the file that they read
                differently. Nothing was changed.
        """
        edits: list[tuple[int, int, bytes]] = []
        missing: list[tuple[str, str]] = []
        for key, value in values.items():
            if not KEY.match(key):
                raise DocumentError(
                    f"{key!r} cannot be a key of a dotenv file",
                    "use letters, digits and underscores, and no digit first",
                )
            encode(key, value)
            self._certain(key)
            places = [found for found in self._parsed.assignments if found.key == key]
            edits += [self._edit(found, value) for found in places if not _same(found, value)]
            if not places:
                missing.append((key, value))
        changed = _splice(self._content, edits)
        if missing:
            changed += self._appendix(missing, changed)
        self._prove(changed, values)
        return changed

    def _certain(self, key: str) -> None:
        line = self._parsed.doubts.get(key)
        if line is not None:
            raise DocumentError(
                f"line {line}: programs disagree on how to read {key} there (a quote that is not closed, text after a "
                "closing quote, a line that ends in a backslash, or a key in quotes)",
                f"write line {line} and the lines above it without that, or move {key} to the top of the file",
            )

    def _edit(self, found: _Assignment, value: str) -> tuple[int, int, bytes]:
        tail = self._content[found.end : found.stop]
        comment = tail.strip(b" \t") != b""
        written = encode(found.key, value, comment_follows=comment)
        if not comment:  # blanks at the end of the line would become part of the value for docker and kubectl
            return found.start, found.stop, written
        return found.start, found.end, written + (b" " if tail.startswith(b"#") else b"")

    def _appendix(self, missing: Sequence[tuple[str, str]], before: bytes) -> bytes:
        newline = self._newline()
        # In a file that a shell sources, a variable without `export` would not reach the program.
        exported = bool(self._parsed.assignments) and all(found.exported for found in self._parsed.assignments)
        prefix = b"export " if exported else b""
        open_line = before not in (b"", BOM) and not before.endswith((b"\n", b"\r"))
        added = b"".join(prefix + key.encode() + b"=" + encode(key, value) + newline for key, value in missing)
        return (newline if open_line else b"") + added

    def _newline(self) -> bytes:
        ends = [self._content[stop:end] for _, stop, end in self._lines]
        return max((b"\n", b"\r\n", b"\r"), key=ends.count)

    def _prove(self, changed: bytes, values: Mapping[str, str]) -> None:
        """Read `changed` again: the managed keys hold their values everywhere, and every other key what it held."""
        again = Document(changed)
        for key, value in values.items():
            found = again.get(key)
            if not found or any(one != value for one in found):
                raise DocumentError(
                    f"{key} would not be read back as it was written",
                    "put it on a line of its own, away from quotes that are not closed",
                )
        if self._others(values) != again._others(values):
            raise DocumentError(
                "other keys of the file would be read differently afterwards",
                "close the quotes that are open in it",
            )

    def _others(self, values: Mapping[str, str]) -> list[tuple[str, str]]:
        return [(found.key, found.value) for found in self._parsed.assignments if found.key not in values]


def encode(key: str, value: str, *, comment_follows: bool = False) -> bytes:
    """`value` as every reader understands it: bare if it is made of safe characters, else in single quotes.

    Bare values read alike in all fourteen readers, single-quoted ones in the eleven that know quotes (docker run,
    kubectl and compose's raw format keep the quotes). An empty value before a comment is quoted: python-dotenv would
    take the comment for the value.

    Raises:
        DocumentError: the value holds a quote, a backslash, a dollar sign, a control character or a lone surrogate.
    """
    if _UNQUOTED_EVERYWHERE.match(value) and not (value == "" and comment_follows):
        return value.encode("ascii")
    if set(value) & set("'\\$") or any(unicodedata.category(char) in {"Cc", "Cs", "Zl", "Zp"} for char in value):
        raise DocumentError(
            f"the value for {key} cannot be written to a dotenv file so that all programs read it alike "
            "(it holds a single quote, a backslash, a dollar sign or a control character)",
            "publish it to another kind of target, or choose a value without these",
        )
    return b"'" + value.encode() + b"'"


def _same(found: _Assignment, value: str) -> bool:
    """Whether this assignment can stay as it is. Backticks are quotes for Node and a command for a shell: never."""
    return found.value == value and found.quote != b"`"


def _splice(content: bytes, edits: Sequence[tuple[int, int, bytes]]) -> bytes:
    pieces, position = [], 0
    for start, end, written in sorted(edits):
        pieces += [content[position:start], written]
        position = end
    return b"".join([*pieces, content[position:]])


def _split(content: bytes) -> list[tuple[int, int, int]]:
    """Every line as (start, end of its text, end of its line break). A final line without a break is a line too."""
    lines = []
    for match in _LINE.finditer(content):
        if match.start() == match.end():
            break
        text = match.group().rstrip(b"\r\n")
        lines.append((match.start(), match.start() + len(text), match.end()))
    return lines


def _parse(content: bytes, lines: Sequence[tuple[int, int, int]]) -> _Parsed:
    parsed = _Parsed()
    doubtful_lines: set[int] = set()
    index = 0
    while index < len(lines):
        start, stop, _ = lines[index]
        if index == 0 and content.startswith(BOM):
            start += len(BOM)
        match = _ASSIGNMENT.match(content, start, stop)
        if match is None:
            index += 1
            continue
        found, last, readings = _assignment(content, lines, index, match)
        parsed.assignments.append(found)
        if found.doubtful:
            parsed.doubts.setdefault(found.key, found.line)
        doubtful_lines.update(range(index + 1, max(readings) + 1) if len(readings) > 1 else ())
        index = last + 1
    for number in sorted(doubtful_lines):
        start, stop, _ = lines[number]
        hidden = _ASSIGNMENT.match(content, start, stop)
        if hidden is not None:
            parsed.doubts.setdefault(hidden["key"].decode(), number + 1)
    return parsed


def _assignment(
    content: bytes, lines: Sequence[tuple[int, int, int]], index: int, match: "re.Match[bytes]"
) -> tuple[_Assignment, int, set[int]]:
    """The assignment that begins on line `index`, its last line, and the last lines that some reader or other sees."""
    start, stop = match.end(), lines[index][1]
    quote = content[start : start + 1]
    readings = {index}
    end, last = None, index
    if start < stop and quote in (b"'", b'"', b"`"):
        readings = set()
        for close in _closings(content, start, quote):
            if close is None:
                readings.add(index)
                continue
            line = _line_of(lines, close, index)
            clean = _CLEAN_TAIL.match(content, close + 1, lines[line][1]) is not None
            # Text after the closing quote: python-dotenv skips the whole value, npm dotenv reads one line.
            readings |= {line} if clean else {line, index}
            if clean and end is None:
                end, last = close + 1, line
    if end is None:
        quote = b""
        end = start + len(_bare(content, match.start(), start, stop))
        ended_by_backslash = len(content[start:stop]) - len(content[start:stop].rstrip(b"\\"))
        if ended_by_backslash % 2 and index + 1 < len(lines):
            readings.add(index + 1)
    found = _Assignment(
        key=match["key"].decode(),
        line=index + 1,
        start=start,
        end=end,
        stop=lines[last][1],
        value=_decode(content[start:end], quote),
        exported=match["export"] is not None,
        quote=quote,
        doubtful=len(readings) > 1 or match["quote"] != b"",
    )
    return found, last, readings


def _closings(content: bytes, start: int, quote: bytes) -> Iterator[int | None]:
    """Where the quote at `start` closes: for readers that know escaped quotes, then for others (shells, Node)."""
    escaped = _CLOSING[quote].match(content, start + 1)
    yield escaped.end() - 1 if escaped else None
    plain = content.find(quote, start + 1)
    yield plain if plain >= 0 else None


def _line_of(lines: Sequence[tuple[int, int, int]], offset: int, first: int) -> int:
    while lines[first][2] <= offset:
        first += 1
    return first


def _bare(content: bytes, line_start: int, start: int, stop: int) -> bytes:
    """The unquoted value: up to a `#` that follows a blank, without the blanks at its end."""
    text = content[start:stop]
    if text.startswith(b"#") and content[start - 1 : start] in (b" ", b"\t") and start > line_start:
        return b""
    return re.split(rb"[ \t]+#", text, maxsplit=1)[0].rstrip(b" \t")


def _decode(raw: bytes, quote: bytes) -> str:
    inner = raw[1:-1] if quote else raw
    if quote == b'"':
        inner = re.sub(rb"\\(.)", lambda escape: _ESCAPES.get(escape[1], escape[1]), inner, flags=re.DOTALL)
    return inner.decode("utf-8", "surrogateescape")
