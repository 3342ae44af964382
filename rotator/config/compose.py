"""Text to YAML nodes that know their place, by the fastest parser that can: libyaml's, else ruamel.yaml's own.

libyaml parses some thirty times faster, but reads YAML 1.1 and explains little. So it is given the tags of YAML 1.2
here, and whatever it refuses is parsed again by ruamel.yaml, whose errors are the ones that people see. Knows nothing
of keys.
"""

from __future__ import annotations

import gc
import io
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, Protocol

TAG: Final = "tag:yaml.org,2002:"
DEEP: Final = 200
"""Nested deeper than that, the other parser decides what is wrong."""

_DIFFERS = re.compile("%YAML|[\\t\\x85\\u2028\\u2029\\ufeff]")
"""Where the two versions of YAML mean different things: another version asked for, tabs, line ends of Unicode."""

_INT = re.compile(r"[-+]?(?:0b[01_]+|0o?[0-7_]+|[0-9_]+|0x[0-9a-fA-F_]+)\Z")
_FLOAT = re.compile(
    r"(?:[-+]?(?:[0-9][0-9_]*)\.[0-9_]*(?:[eE][-+]?[0-9]+)?|[-+]?(?:[0-9][0-9_]*)(?:[eE][-+]?[0-9]+)"
    r"|[-+]?\.[0-9_]+(?:[eE][-+][0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))\Z"
)
_WORDS: Final = {"": "null", "~": "null", "null": "null", "Null": "null", "NULL": "null", "<<": "merge", "=": "value"}
_WORDS_TOO: Final = dict.fromkeys(("true", "True", "TRUE", "false", "False", "FALSE"), "bool")
_PLAIN: Final = {word: TAG + tag for word, tag in {**_WORDS, **_WORDS_TOO}.items()}


class Mark(Protocol):
    """A place in the text; both count from 0."""

    line: int
    column: int


class YamlNode(Protocol):
    """What both parsers make of a value: `id` is `scalar`, `sequence` or `mapping`."""

    id: str
    tag: str
    value: Any
    start_mark: Mark


@dataclass(slots=True)
class _Node:
    id: str
    tag: str
    value: Any
    start_mark: Mark


def compose(text: str) -> YamlNode | None:
    """Return the root of the one document in `text`, None where there is none.

    Raises:
        ruamel.yaml.error.YAMLError: it is no YAML, or holds several documents.
        RecursionError: it is nested too deeply.
    """
    try:
        from yaml import YAMLError
        from yaml.cyaml import CParser  # type: ignore[attr-defined]  # its stubs do not export it
    except ImportError:  # PyYAML was built without libyaml
        return _by_ruamel(text)
    try:
        return _by_libyaml(text, CParser)
    except (YAMLError, ValueError, KeyError, RecursionError):  # the other parser explains it
        return _by_ruamel(text)


def _by_ruamel(text: str) -> YamlNode | None:
    from ruamel.yaml import YAML

    yaml = YAML(typ="safe", pure=True)
    yaml.composer.warn_double_anchors = False
    return yaml.compose(io.StringIO(text))  # type: ignore[no-any-return]


def _by_libyaml(text: str, parser_type: Callable[[str], Any]) -> YamlNode | None:
    """Compose without recursion: libyaml's own composer overflows the stack of C where a file is nested deeply."""
    from yaml import events

    if _DIFFERS.search(text):
        raise ValueError("not for this parser")
    parser = parser_type(text)
    anchors: dict[str, _Node] = {}
    open_: list[_Node] = []
    roots: list[_Node] = []
    while (event := parser.get_event()) is not None:
        kind = type(event)
        if kind is events.ScalarEvent:
            tag = event.tag or (tag_of(event.value) if event.implicit[0] else TAG + "str")
            node = _Node("scalar", tag, event.value, event.start_mark)
        elif kind is events.MappingStartEvent:
            node = _Node("mapping", event.tag or TAG + "map", [], event.start_mark)
        elif kind is events.SequenceStartEvent:
            node = _Node("sequence", event.tag or TAG + "seq", [], event.start_mark)
        elif kind is events.AliasEvent:
            node = anchors[event.anchor]
        else:
            if kind is events.MappingEndEvent or kind is events.SequenceEndEvent:
                done = open_.pop()
                if done.id == "mapping":
                    done.value = list(zip(done.value[::2], done.value[1::2], strict=True))
            continue
        if kind is not events.AliasEvent and event.anchor is not None:
            anchors[event.anchor] = node
        (open_[-1].value if open_ else roots).append(node)
        if kind is events.MappingStartEvent or kind is events.SequenceStartEvent:
            open_.append(node)
            if len(open_) > DEEP:
                raise RecursionError
    if len(roots) > 1:
        raise ValueError("several documents")
    return roots[0] if roots else None


def tag_of(text: str) -> str:
    """Return the tag that YAML 1.2 gives to a plain scalar."""
    if found := _PLAIN.get(text):
        return found
    if text[0] in "-+.0123456789":
        if _INT.match(text):
            return TAG + "int"
        if _FLOAT.match(text):
            return TAG + "float"
    return TAG + "str"


@contextmanager
def no_collection() -> Iterator[None]:
    """Keep the collector of cycles from walking over a growing tree again and again: it costs more than the parsing."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()
