"""A JSON object as text: read its members, replace some, and leave every other byte as it was.

Places that several writers share hold numbers, spacing and duplicate keys that a decode-and-encode round trip would
change. This module therefore only splices. It knows neither Vault nor AWS, and nothing of secrets: callers wrap values.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

_SPACE = re.compile(r"[ \t\r\n]*")


def _no_constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is not JSON")


_DECODER = json.JSONDecoder(parse_constant=_no_constant)


@dataclass(frozen=True, slots=True)
class _Member:
    """One member: its decoded key and the span of its value in the text."""

    key: str
    start: int
    end: int


class JsonObject:
    """A JSON object (RFC 8259) that remembers its own text."""

    def __init__(self, text: str) -> None:
        """Parse `text`, one JSON object with optional white space around it.

        Raises:
            ValueError: the text is not exactly one JSON object. The message never quotes the text.
        """
        self.text = text
        try:
            self._members, self._close = _scan(text)
        except (ValueError, IndexError, RecursionError, StopIteration):
            # The decoder's own message may quote the text, and the text may hold a value.
            raise ValueError("not a JSON object") from None

    def __contains__(self, key: str) -> bool:
        return any(member.key == key for member in self._members)

    def raw(self, key: str) -> str | None:
        """The JSON text of the value at `key`, None where it is absent; of several equal keys the last one counts."""
        for member in reversed(self._members):
            if member.key == key:
                return self.text[member.start : member.end]
        return None

    def value(self, key: str) -> Any:
        """The decoded value at `key`, None where it is absent or null."""
        raw = self.raw(key)
        return None if raw is None else json.loads(raw)

    def string(self, key: str) -> str:
        """The value at `key` as one string: a string as it is, absent and null as empty, anything else as its JSON."""
        found = self.value(key)
        if found is None:
            return ""
        if isinstance(found, str) and _encodable(found):
            return found
        return str(self.raw(key))

    def with_strings(self, values: Mapping[str, str]) -> str:
        """The text with `values` set: present members are replaced where they stand, new ones are added at the end.

        A key that stands there twice is set twice, so that every reader sees the same whichever one it believes.
        """
        text = self.text
        close = self._close
        for member in reversed(self._members):
            if member.key in values:
                encoded = json.dumps(values[member.key], ensure_ascii=False)
                text = text[: member.start] + encoded + text[member.end :]
                close += len(encoded) - (member.end - member.start)
        added = [f"{_key(key)}{json.dumps(new, ensure_ascii=False)}" for key, new in values.items() if key not in self]
        if not added:
            return text
        last = len(text[:close].rstrip(" \t\r\n"))
        lead = ", " if self._members else ""
        return text[:last] + lead + ", ".join(added) + text[last:]


def _encodable(text: str) -> bool:
    """False for a lone surrogate, which JSON may escape and no encoding can carry."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _key(key: str) -> str:
    return f"{json.dumps(key, ensure_ascii=False)}: "


def _skip(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at


def _scan(text: str) -> tuple[list[_Member], int]:
    """The members and the position of the closing brace; ValueError, IndexError or RecursionError on anything else."""
    at = _expect(text, _skip(text, 0), "{")
    members: list[_Member] = []
    if text[_skip(text, at)] != "}":
        while True:
            at = _skip(text, at)
            _expect(text, at, '"')
            key, at = _DECODER.raw_decode(text, at)
            start = _skip(text, _expect(text, _skip(text, at), ":"))
            _, at = _DECODER.raw_decode(text, start)
            members.append(_Member(key, start, at))
            at = _skip(text, at)
            if text[at] != ",":
                break
            at += 1
    close = _skip(text, at)
    if _skip(text, _expect(text, close, "}")) != len(text):
        raise ValueError("something follows the object")
    return members, close


def _expect(text: str, at: int, mark: str) -> int:
    if text[at] != mark:
        raise ValueError("unexpected character")
    return at + 1
