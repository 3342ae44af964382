"""YAML (and JSON, which is YAML) to a tree in which every value and every key knows its line and column.

It is YAML 1.2 (`compose`): `yes` is a text, duplicate keys are errors (here), no tag makes an object.
What a file may cost is bounded: bytes, depth, and the values that aliases unfold to. Knows nothing of what keys mean.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from sys import intern
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from rotator.config.compose import TAG, YamlNode, compose
from rotator.config.fields import WrittenFloat, WrittenInt

if TYPE_CHECKING:
    from ruamel.yaml.error import MarkedYAMLError

LARGEST_FILE: Final = 5 * 1024 * 1024
"""Bytes."""
DEEPEST: Final = 40
"""Nested lists and mappings; the configuration needs nine."""
UNFOLDED: Final = 100_000
"""Values that aliases may add to those that are written out."""

_MERGE: Final = TAG + "merge"
_CONTAINERS: Final = frozenset({TAG + "map", TAG + "seq"})

Loc = Sequence[str | int]


class Spot(NamedTuple):
    """A place in a file; line and column count from 1. `file` is empty for the configuration file itself."""

    line: int
    column: int
    file: str = ""

    def said(self) -> str:
        """Return the line for a text about another place."""
        return f"line {self.line} of {self.file}" if self.file else f"line {self.line}"


_START: Final = Spot(1, 1)


class DocumentError(Exception):
    """The file is no usable YAML.

    Attributes:
        problems: (spot, text) of each; no text repeats a value.
        tree: what the file says all the same, with the first of each duplicate key, None where that cannot be known.
    """

    def __init__(self, *problems: tuple[Spot, str], tree: Tree | None = None) -> None:
        super().__init__("; ".join(text for _, text in problems))
        self.problems = problems
        self.tree = tree


@dataclass(slots=True)
class Tree:
    """A value of the file.

    Attributes:
        spot: where it starts.
        value: None, a bool, str, int, float, a list of trees, or a dict of trees.
        keys: of a dict, where each key stands.
    """

    spot: Spot
    value: Any
    keys: dict[str, Spot] = field(default_factory=dict)

    @classmethod
    def of(cls, value: Any, spot: Spot = _START) -> Tree:
        """Return the tree of plain data, everything at one spot."""
        if isinstance(value, dict):
            return cls(spot, {key: cls.of(inner, spot) for key, inner in value.items()}, dict.fromkeys(value, spot))
        if isinstance(value, list):
            return cls(spot, [cls.of(inner, spot) for inner in value])
        return cls(spot, value)

    def plain(self) -> Any:
        """Return the value without spots, fresh lists, dicts and texts.

        What is made of it then holds no memory between the pieces of a large tree, which goes as a whole.
        """
        if isinstance(self.value, dict):
            return {intern(key): tree.plain() for key, tree in self.value.items()}
        if isinstance(self.value, list):
            return [tree.plain() for tree in self.value]
        if isinstance(self.value, str):
            return self.value.encode("utf-8", "surrogatepass").decode("utf-8", "surrogatepass")
        return self.value

    def get(self, key: str) -> Tree | None:
        """Return what stands at `key`, None where this is no mapping, has no such key, or it is left empty."""
        found = self.value.get(key) if isinstance(self.value, dict) else None
        return found if found is not None and found.value is not None else None

    def items(self) -> Iterator[tuple[str, Tree]]:
        """Iterate over a mapping's keys and trees; nothing for anything else."""
        return iter(self.value.items() if isinstance(self.value, dict) else ())

    def at(self, loc: Loc, *, key: bool = False) -> Spot:
        """Return the spot of the value at `loc`, or of its key; of the innermost thing on the way that exists.

        Parts of `loc` that do not exist are passed over: validators put names of alternatives between keys.
        """
        here, spot = self, self.spot
        for part in loc:
            if isinstance(part, str) and isinstance(here.value, dict) and part in here.value:
                spot = here.keys[part]
                here = here.value[part]
            elif isinstance(part, int) and isinstance(here.value, list) and part < len(here.value):
                here = here.value[part]
                spot = here.spot
        return spot if key else here.spot

    def only(self, keys: Collection[str]) -> Tree:
        """Return this mapping with only some of its keys."""
        found = {key: tree for key, tree in self.items() if key in keys}
        return Tree(self.spot, found, {key: self.keys[key] for key in found})

    def over(self, below: Tree, deep: Collection[str] = ()) -> Tree:
        """Return this mapping laid over another: its keys win; below a key of `deep`, too, they win one by one."""
        merged = Tree(self.spot, dict(below.value), dict(below.keys))
        for key, tree in self.items():
            lower = merged.value.get(key) if key in deep else None
            both = lower is not None and isinstance(lower.value, dict) and isinstance(tree.value, dict)
            merged.value[key] = tree.over(lower) if both and lower is not None else tree
            merged.keys[key] = self.keys[key]
        return merged


def parse(content: bytes) -> Tree:
    """Return the tree of a configuration file.

    Raises:
        DocumentError: too large, not text, not one YAML document, empty, duplicate keys, custom tags, or built to be
            costly. A syntax error is one problem, everything else is reported together.
    """
    if len(content) > LARGEST_FILE:
        raise DocumentError(
            (
                Spot(1, 1),
                f"the file is larger than {LARGEST_FILE // 2**20} MiB; expected a configuration; check the path",
            )
        )
    text = _text(content)
    try:
        root = compose(text)
    except Exception as error:  # noqa: BLE001 - the kinds of errors are loaded only where there is one
        raise DocumentError(_unusable(error, text)) from None
    if root is None:
        raise DocumentError((Spot(1, 1), "the file is empty; expected a configuration; begin with `version: 1`"))
    builder = _Builder()
    tree = builder.build(root, 0)
    if builder.problems:
        raise DocumentError(*builder.problems, *builder.twice)
    if builder.twice:
        raise DocumentError(*builder.twice, tree=tree)
    return tree


def _text(content: bytes) -> str:
    binary = "expected a configuration in UTF-8; check the path, or save the file as UTF-8"
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        column = error.start - (content.rfind(b"\n", 0, error.start) + 1) + 1
        raise DocumentError((Spot(line, column), f"the file is not text in UTF-8; {binary}")) from None
    for number, line_text in enumerate(text.splitlines(), 1):
        for column_number, character in enumerate(line_text, 1):
            if character < " " and character != "\t":
                raise DocumentError((Spot(number, column_number), f"the file holds binary data; {binary}"))
    return text


def _unusable(error: Exception, text: str) -> tuple[Spot, str]:
    """What keeps a text from being YAML; raises anything that is no error of the text."""
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    if isinstance(error, MarkedYAMLError):
        return _syntax(error, text)
    if isinstance(error, RecursionError):
        return Spot(1, 1), f"nested deeper than {DEEPEST} levels; expected a configuration; flatten it"
    if isinstance(error, YAMLError | ValueError):
        return Spot(1, 1), "the file is not YAML; expected a configuration; check the path, or see `rotator schema`"
    raise error


def _syntax(error: MarkedYAMLError, text: str) -> tuple[Spot, str]:
    mark = error.problem_mark or error.context_mark
    spot = Spot(mark.line + 1, mark.column + 1) if mark is not None else Spot(1, 1)
    problem = " ".join(str(part) for part in (error.context, error.problem) if part)
    if "'\\t'" in problem:
        return spot, "a tab stands in the indentation; expected spaces; write two spaces for each level"
    if "another document" in problem:
        return spot, "a second document begins here; expected one; remove the line `---` and what follows"
    if "undefined alias" in problem:
        return (
            spot,
            "the alias has no anchor; expected a `&name` before its `*name`; quote a text that begins with *",
        )
    if "mapping values are not allowed" in problem:
        return (
            spot,
            "a `: ` stands where no key can be; expected `key: value`; check the indentation, or quote the text",
        )
    if "duplicate anchor" in problem:
        return spot, "two anchors have one name; expected one `&name` each; rename one"
    if "quoted scalar" in problem:
        return spot, "a quote is not closed; expected its second half; close it where the text ends"
    if "cannot start any token" in problem:
        return spot, "a text begins with a character that YAML reserves; expected a quoted text; put it in quotes"
    if "flow" in problem:
        return (
            spot,
            "a list or mapping in brackets is not closed or lacks a comma; expected `[a, b]` or `{a: b}`; close it",
        )
    return spot, "the line does not fit the ones before it; expected YAML; check indentation, colons and dashes here"


class _Builder:
    """Turns composed nodes into trees, once for each time that an alias is used, and collects what is wrong."""

    def __init__(self) -> None:
        self.problems: list[tuple[Spot, str]] = []
        self.twice: list[tuple[Spot, str]] = []
        self._known: set[int] = set()
        self._open: set[int] = set()
        self._unfolded = 0

    def build(self, node: YamlNode, depth: int) -> Tree:
        spot = Spot(node.start_mark.line + 1, node.start_mark.column + 1)
        if id(node) in self._open:
            raise DocumentError((spot, "an alias contains itself; expected a finite value; write it out"))
        if depth > DEEPEST:
            raise DocumentError((spot, f"nested deeper than {DEEPEST} levels; expected a configuration; flatten it"))
        if id(node) in self._known:
            self._unfolded += 1
            if self._unfolded > UNFOLDED:
                raise DocumentError(
                    (spot, f"aliases unfold to more than {UNFOLDED} values; expected a few; write them out")
                )
        self._known.add(id(node))
        if node.id == "scalar":
            return Tree(spot, self._scalar(node, spot))
        if node.tag not in _CONTAINERS:
            self._refuse_tag(spot)
        self._open.add(id(node))
        try:
            if node.id == "sequence":
                return Tree(spot, [self.build(item, depth + 1) for item in node.value])
            return self._mapping(node, spot, depth)
        finally:
            self._open.discard(id(node))

    def _mapping(self, node: YamlNode, spot: Spot, depth: int) -> Tree:
        tree = Tree(spot, {})
        below: list[Tree] = []
        for key_node, value_node in node.value:
            key_spot = Spot(key_node.start_mark.line + 1, key_node.start_mark.column + 1)
            value = self.build(value_node, depth + 1)
            if key_node.tag == _MERGE:
                below += value.value if isinstance(value.value, list) else [value]
                continue
            if key_node.id != "scalar":
                self.problems.append((key_spot, "a key is a list or a mapping; expected a text; write `key: value`"))
                continue
            key = self._string(str(key_node.value), key_spot)
            if key in tree.value:
                first = tree.keys[key]
                self.twice.append(
                    (
                        key_spot,
                        f"the key `{shown(key)}` stands here twice, first in line {first.line}; "
                        "expected each key once; remove one of them",
                    )
                )
                continue
            tree.value[key], tree.keys[key] = value, key_spot
        for lower in below:
            if isinstance(lower.value, dict):
                for key, value in lower.items():
                    if key not in tree.value:
                        tree.value[key], tree.keys[key] = value, lower.keys[key]
            else:
                self.problems.append((spot, "`<<` merges something else; expected a mapping; write `<<: *name` of one"))
        return tree

    def _scalar(self, node: YamlNode, spot: Spot) -> Any:
        text = str(node.value)
        match node.tag.removeprefix(TAG) if node.tag else "str":
            case "null":
                return None
            case "bool" if text.lower() in {"true", "false"}:
                return text.lower() == "true"
            case "int" | "float" as kind:
                try:
                    return _integer(text) if kind == "int" else _real(text)
                except ValueError:
                    self.problems.append(
                        (spot, "this number cannot be read; expected a smaller one; put a text in quotes")
                    )
                    return None
            case "str" | "timestamp" | "value" | "bool":  # the last two where a file asks for YAML 1.1
                return self._string(text, spot)
        self._refuse_tag(spot)
        return None

    def _string(self, text: str, spot: Spot) -> str:
        try:
            # JSON writes characters beyond the first plane as two escapes, which the parser leaves apart.
            return text.encode("utf-16", "surrogatepass").decode("utf-16")
        except UnicodeDecodeError:
            self.problems.append((spot, "half of a character is escaped here; expected text; write the character"))
            return ""

    def _refuse_tag(self, spot: Spot) -> None:
        self.problems.append((spot, "a tag (`!…`) stands here; expected a plain value; remove the tag"))


def _integer(text: str) -> WrittenInt:
    """ValueError where Python cannot read it: not a number in spite of its tag, or longer than 4,300 digits."""
    digits = text.replace("_", "").lower()
    sign, digits = (-1, digits[1:]) if digits.startswith("-") else (1, digits.removeprefix("+"))
    base = {"0b": 2, "0o": 8, "0x": 16}.get(digits[:2], 10)
    number = WrittenInt(sign * int(digits if base == 10 else digits[2:], base))
    number.text = text
    return number


def _real(text: str) -> WrittenFloat:
    number = WrittenFloat(text.replace("_", "").lower().replace(".inf", "inf").replace(".nan", "nan"))
    number.text = text
    return number


def shown(key: str) -> str:
    """Return a key for an error text: shortened and printable, for a key may be a pasted secret."""
    printable = "".join(character if character.isprintable() else "?" for character in key)
    return printable if len(printable) <= 32 else printable[:6] + "…"
