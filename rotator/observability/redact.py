"""The second line against a value in a log: known secrets and the shapes of secrets are removed from finished text.

The first line is `Secret`, which has no text form. This one catches what a library puts into a message or an exception.
It keeps no value: a registered secret is remembered as hashes (SipHash under the key of this process) of its pieces of
eight characters, in every form in which text carries it, so a *part* of a value is caught too, and nothing here makes a
value live longer in memory. It must not know what a line is about.
"""

from __future__ import annotations

import base64
import json
import re
import threading
from collections import OrderedDict
from collections.abc import Iterator
from typing import Final
from urllib.parse import quote, quote_plus

from rotator.core.secret import Secret

MASK: Final = "[redacted]"

PIECE: Final = 8
"""Characters of the pieces that are compared: no part of a value of this length or more passes."""

SHORTEST: Final = 4
"""A shorter secret is not looked for: it would blank ordinary words everywhere."""

LIMIT: Final = 128
"""Values remembered beside the pinned ones; the least recently added is forgotten first."""

PATTERNS: Final = (
    re.compile(r"(?i)\b(?:bearer|basic)\s+([A-Za-z0-9._~+/=-]{16,})"),
    re.compile(r"\b(hv[sbr]\.[A-Za-z0-9_-]{8,})"),
    re.compile(r"\b(cf(?:ut|at|k)_[A-Za-z0-9_-]{8,})"),
    re.compile(r"(?i)\bx-(?:vault-token|auth-key|amz-security-token)\W{1,6}([A-Za-z0-9._~+/=-]{4,})"),
    re.compile(r"://[^/\s:@\"']*:([^/\s@\"']+)@"),
)
"""Shapes of secrets that nobody registered: headers, tokens of Vault and Cloudflare, passwords in URLs."""


_HEX_RUN: Final = re.compile(r"[0-9A-Fa-f]{16,}")
# Hexadecimal is compared in pieces of sixteen: ids are hexadecimal too, and eight digits would meet by chance.


class Redactor:
    """Removes secrets from finished text. Safe to share between threads."""

    def __init__(self, limit: int = LIMIT) -> None:
        """`limit` >= 1: how many values are remembered beside the pinned ones."""
        self._limit = limit
        self._lock = threading.Lock()
        self._pinned: set[int] = set()
        self._recent: OrderedDict[int, frozenset[int]] = OrderedDict()
        self._pieces: frozenset[int] = frozenset()
        self._fixed: frozenset[int] = frozenset()
        self._sizes: tuple[int, ...] = ()

    def add(self, secret: Secret, *, pin: bool = False) -> None:
        """Look for `secret` in every text from now on; harmless to repeat.

        Args:
            secret: a value that is about to be used.
            pin: never forget it: for what a connection logs in with.
        """
        value = secret.reveal()
        if len(value) < SHORTEST:
            return
        key = hash(value)
        with self._lock:
            if key in self._pinned:
                return
            if not pin and key in self._recent:
                self._recent.move_to_end(key)
                return
            pieces = frozenset(_pieces(value))
            if pin:
                self._pinned.add(key)
                self._recent.pop(key, None)
                self._fixed |= pieces
            else:
                self._recent[key] = pieces
                if len(self._recent) > self._limit:
                    self._recent.popitem(last=False)
            self._pieces = self._fixed.union(*self._recent.values())
            self._sizes = tuple(sorted({*self._sizes, min(PIECE, len(value))}))

    def scrub(self, text: str) -> str:
        """Return `text` with every known secret, piece of one, or shape of one replaced by `[redacted]`."""
        spans = [match.span(1) for pattern in PATTERNS for match in pattern.finditer(text)]
        for size in self._sizes:
            spans += self._found(text, 0, size)
        if self._sizes:
            for run in _HEX_RUN.finditer(text):
                spans += self._found(run[0].lower(), run.start(), 2 * PIECE)
        if not spans:
            return text
        spans.sort()
        parts: list[str] = []
        end = 0
        for start, stop in spans:
            if start > end or not parts:
                parts += [text[end:start], MASK]
            end = max(end, stop)
        return "".join([*parts, text[end:]])

    def _found(self, text: str, offset: int, size: int) -> list[tuple[int, int]]:
        pieces = self._pieces
        return [
            (offset + i, offset + i + size) for i in range(len(text) - size + 1) if hash(text[i : i + size]) in pieces
        ]


def forms(value: str) -> Iterator[str]:
    """Yield the forms in which text carries a value: plain, reversed, escaped for JSON, Python and URLs, base64.

    Base64 in all three alignments, without the characters at either end that depend on the neighbours of the value.
    """
    yield value
    yield value[::-1]
    for ascii_only in (True, False):
        once = json.dumps(value, ensure_ascii=ascii_only)[1:-1]
        yield once
        yield json.dumps(once, ensure_ascii=ascii_only)[1:-1]
    yield repr(value)[1:-1]
    for escaped in (quote(value, safe=""), quote(value), quote_plus(value)):
        yield escaped
        yield re.sub("%[0-9A-F]{2}", lambda match: match[0].lower(), escaped)
    raw = value.encode("utf-8", "surrogatepass")
    for shift in range(3):
        whole = base64.b64encode(bytes(shift) + raw).decode()
        inner = whole[(0, 2, 3)[shift] :].rstrip("=")
        inner = inner if (len(raw) + shift) % 3 == 0 else inner[:-1]
        yield inner
        yield inner.translate(str.maketrans("+/", "-_"))


def _pieces(value: str) -> Iterator[int]:
    size = min(PIECE, len(value))
    for form in set(forms(value)):
        for start in range(len(form) - size + 1):
            yield hash(form[start : start + size])
    digits = value.encode("utf-8", "surrogatepass").hex()
    for start in range(0, len(digits) - 2 * PIECE + 1):
        yield hash(digits[start : start + 2 * PIECE])
