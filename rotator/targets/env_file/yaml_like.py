"""Whether what lies at the place of a dotenv file is YAML instead, which a line `KEY=value` would break.

A colon instead of `=` is a slip on one line of a dotenv file, and how every line of a YAML file is written.
"""

import re
from collections.abc import Collection
from pathlib import PurePath
from typing import Final

_COLON: Final = re.compile(
    rb"^[ \t]*(?:-[ \t]+)*(?P<quote>['\"]?)(?P<key>[A-Za-z0-9_./-]+)(?P=quote)[ \t]*:(?=[ \t\r\n]|\Z)", re.MULTILINE
)
_EQUALS: Final = re.compile(rb"^(?:\xef\xbb\xbf)?(?:export[ \t]+)?[A-Za-z_][A-Za-z0-9_.-]*[ \t]*=", re.MULTILINE)
"""Not indented: in YAML such a line is a part of a longer text."""
_MARKER: Final = re.compile(rb"^(?:---|%YAML|[ \t]*-)(?:[ \t\r\n]|\Z)", re.MULTILINE)


def named_like_yaml(path: PurePath) -> bool:
    """Whether a file of this name is read as YAML."""
    return path.suffix.lower() in {".yaml", ".yml"}


def looks_like_yaml(content: bytes, ours: Collection[str], *, named: bool = False) -> bool:
    """Return whether `content` has lines `key: value`, beside one of ours or under a name or mark of YAML, but no `=`.

    Args:
        content: the whole file.
        ours: the managed keys.
        named: whether the file is named like YAML.
    """
    if _EQUALS.search(content):
        return False
    found = [match["key"].decode() for match in _COLON.finditer(content)]
    marked = named or _MARKER.search(content) is not None
    return len(found) > 1 or (bool(found) and (marked or found[0] not in ours))
