"""A dotenv file as bytes, of which only the values of managed keys ever change.

There is no standard for such files: the readers (dotenv libraries of Python, Node and Go, wrangler, compose, shells,
systemd, docker, kubectl) disagree about quotes, escapes and continued lines. So this module keeps every byte that it
need not touch, writes only encodings that all of them read alike, and refuses to edit a place that two of them would
read differently. It knows nothing of paths, locks or what the values are for.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Final

from rotator.targets.env_file.encrypted import encrypted_entry, encrypted_file
from rotator.targets.env_file.hidden import HiddenLines
from rotator.targets.env_file.parse import BOM, Assignment, parse, split_lines
from rotator.targets.env_file.yaml_like import looks_like_yaml

KEY: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z", re.ASCII)
"""What every reader takes for a key."""

_CONTROLS = re.compile(rb"[\x01-\x08\x0e-\x1a\x1c-\x1f]")
_JSON = re.compile(rb"(?:\xef\xbb\xbf)?\s*\{")
"""No line of a dotenv file begins so, and programs that read JSON take no line behind the last brace."""
_UNQUOTED_EVERYWHERE = re.compile(r"[A-Za-z0-9_./:@%+=,-]*\Z", re.ASCII)


class DocumentError(ValueError):
    """The file cannot be read or changed safely, or a value cannot be written so that all readers agree.

    Says where (a line number) or which key, never what stands there. `remedy` says what to do next; `code` is
    `format` or `encrypted`.
    """

    def __init__(self, message: str, remedy: str = "", *, code: str = "format") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy
        self.code = code


class Document:
    """A parsed dotenv file; immutable. Its `repr` holds no content."""

    def __init__(self, content: bytes, *, shell: bool = False, yaml: bool = False) -> None:
        """Parse `content`, of a file that a shell runs where `shell` says so: there, keys are added as `export`.

        `yaml` says that the file is named like YAML: a single line `key: value` then tells that it is.

        Bytes that are not UTF-8 are kept; in values they show as surrogate escapes (PEP 383).

        Raises:
            DocumentError: it is encrypted, or not a text file.
        """
        _refuse_no_text(content)
        self._content = content
        self._shell = shell
        self._yaml = yaml
        self._lines = split_lines(content)
        self._hidden = HiddenLines(content, self._lines)
        self._parsed = parse(content, self._lines, self._hidden)
        key, by = encrypted_entry((found.key, found.value) for found in self._parsed.assignments)
        if by:
            raise _encrypted(f"holds an encrypted value, {key}", by)

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

    def commented(self, key: str) -> list[int]:
        """The lines on which a comment follows the value of `key`."""
        places = [found for found in self._parsed.assignments if found.key == key]
        return [found.line for found in places if self._content[found.after : found.stop].strip(b" \t")]

    def set(self, values: Mapping[str, str]) -> bytes:
        """The file's bytes with every assignment of each key set to its value; absent keys are added at the end.

        `export`, inline comments, line ends, a byte order mark and everything else stay as they are; but blanks around
        the `=` of a changed line go, because a shell would run the value as a command; `KEY: value` becomes
        `KEY=value`, because few programs take a colon; and `KEY=…; export KEY` becomes `export KEY=…`, because the rest
        of the line would be a part of the value elsewhere.
        An assignment that reads as the wanted value everywhere is left alone, so repeating it changes nothing.

        Raises:
            DocumentError: a value or key that not all readers understand alike, a place in the file that they read
                differently, or a file of YAML. Nothing was changed.
        """
        if looks_like_yaml(self._content, values, named=self._yaml):
            raise DocumentError(
                "the file looks like YAML (`key: value`, and no line with `=`), and a line `KEY=value` would break it",
                "name a dotenv file in `path`; if this is one, write its lines as `KEY=value`",
            )
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
        doubt = self._parsed.doubts.get(key)
        if doubt is not None:
            raise DocumentError(f"{doubt.message}, so programs disagree on {key}", doubt.remedy)

    def _edit(self, found: Assignment, value: str) -> tuple[int, int, bytes]:
        tail = self._content[found.after : found.stop]
        comment = tail.strip(b" \t") != b""
        written = encode(found.key, value, comment_follows=comment)
        begin, written = found.sign, b"=" + written
        if found.after > found.end and found.begin is not None:
            begin, written = found.begin, b"export " + found.key.encode() + written
        if not comment:  # blanks at the end of the line would become part of the value for docker and kubectl
            return begin, found.stop, written
        return begin, found.after, written + (b" " if tail.startswith(b"#") else b"")

    def _appendix(self, missing: Sequence[tuple[str, str]], before: bytes) -> bytes:
        newline = self._newline()
        # In a file that a shell sources, a variable without `export` would not reach the program.
        all_exported = bool(self._parsed.assignments) and all(found.exported for found in self._parsed.assignments)
        prefix = b"export " if self._shell or all_exported else b""
        gap = newline if before not in (b"", BOM) and not before.endswith(b"\n") else b""
        if self._hidden.end_goes_on:
            if gap:  # a line break after the backslash would change what a shell reads there
                raise DocumentError(
                    "the last line ends in a backslash and has no line break, so a line after it would be joined to it",
                    "put an empty line at the end of the file",
                )
            gap = newline
        added = b"".join(prefix + key.encode() + b"=" + encode(key, value) + newline for key, value in missing)
        return gap + added

    def _newline(self) -> bytes:
        ends = [self._content[stop:end] for _, stop, end in self._lines]
        return max((b"\n", b"\r\n"), key=ends.count)

    def _prove(self, changed: bytes, values: Mapping[str, str]) -> None:
        """Read `changed` again: the managed keys hold their values everywhere, and every other key what it held."""
        again = Document(changed, shell=self._shell, yaml=self._yaml)
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


def _same(found: Assignment, value: str) -> bool:
    """Whether this assignment can stay: never a colon, nor backticks, quotes for Node and a command for a shell."""
    plain = found.start - found.sign == 1 and found.equals
    return found.value == value and found.quote != b"`" and found.after == found.end and plain


def _refuse_no_text(content: bytes) -> None:
    by = encrypted_file(content)
    if by:
        raise _encrypted("is encrypted as a whole", by)
    if _JSON.match(content):
        raise DocumentError(
            "the file holds JSON or a template, and a line `KEY=value` would break it",
            "name a dotenv file in `path`",
        )
    if b"\0" in content:
        raise DocumentError(
            "the file holds NUL bytes, so it is not a text file in UTF-8 (perhaps it is UTF-16)",
            "save it as UTF-8, or name another file",
        )
    if _CONTROLS.search(content):
        raise DocumentError(
            "the file holds control characters, so it is not a text file (perhaps it is encrypted or compressed)",
            "name the plain file in `path`",
        )
    if b"\r" in content and b"\n" not in content:
        raise DocumentError(
            "the lines of the file end in CR alone (as on old Macs), and most programs read them all as one line",
            "save it with LF as line end",
        )


def _encrypted(what: str, by: str) -> DocumentError:
    return DocumentError(
        f"the file {what} (by {by}), and a value in clear would make it unreadable or be published with it",
        "name in `path` the plain file that is made from it, or publish to another kind of target",
        code="encrypted",
    )


def _splice(content: bytes, edits: Sequence[tuple[int, int, bytes]]) -> bytes:
    pieces, position = [], 0
    for start, end, written in sorted(edits):
        pieces += [content[position:start], written]
        position = end
    return b"".join([*pieces, content[position:]])
