"""Field values of a log line as plain data: what JSON can hold, of bounded size, with no door to a secret.

Never raises, whatever an object does when it is asked for its text. It must not know which fields exist.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from datetime import UTC, date, datetime
from typing import Any, Final

from rotator.core.errors import RotatorError

LONGEST: Final = 8000
"""Characters of one text; the rest is cut and the cut is said."""

WIDEST: Final = 100
"""Items of one list or mapping."""

DEEPEST: Final = 6
"""Levels of nesting."""


def plain(value: object, depth: int = 0) -> Any:
    """Return `value` as text, number, boolean, None, list or dict; times as RFC 3339 UTC with `Z`.

    Numbers that JSON does not know become `"inf"`, `"-inf"` or `"nan"`. An error becomes its type and message. Anything
    else is shown by its `repr`, which for a `Secret` is a placeholder.
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else str(float(value))
    if isinstance(value, str):
        return shorten(str.__str__(value))
    if isinstance(value, datetime):
        return moment(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, BaseException):
        return error_text(value)
    if depth >= DEEPEST:
        return "..."
    if isinstance(value, Mapping):
        return {text(key): plain(found, depth + 1) for key, found in list(value.items())[:WIDEST]}
    if isinstance(value, list | tuple | AbstractSet):
        return [plain(found, depth + 1) for found in list(value)[:WIDEST]]
    return text(value)


def text(value: object) -> str:
    """Return the text of a mapping's key, or the `repr` of any other object, cut to length."""
    try:
        return shorten(value if isinstance(value, str) else repr(value))
    except Exception:  # noqa: BLE001 - a broken __repr__ must not cost the line
        return f"<{type(value).__name__} without a text form>"


def error_text(error: BaseException) -> str:
    """Return the message of an error of ours, or type and message of any other."""
    if isinstance(error, RotatorError):
        return shorten(error.message)
    try:
        said = str(error)
    except Exception:  # noqa: BLE001 - as above
        said = ""
    name = type(error).__name__
    return shorten(f"{name}: {said}" if said else name)


def moment(at: datetime) -> str:
    """Return a time as RFC 3339 UTC with `Z`; one without a zone is taken as UTC."""
    known = at if at.tzinfo else at.replace(tzinfo=UTC)
    return known.astimezone(UTC).isoformat().replace("+00:00", "Z")


def shorten(found: str) -> str:
    """Return the text, cut to `LONGEST` characters."""
    return found if len(found) <= LONGEST else f"{found[:LONGEST]}... ({len(found)} characters)"


def printable(found: str, keep: str = "") -> str:
    """Return the text with every control, direction and surrogate character escaped, those in `keep` excepted.

    A terminal that is sent a name with an escape sequence must show it, not obey it.
    """
    if found.isprintable():
        return found
    return "".join(
        c if c.isprintable() or c in keep else c.encode("unicode_escape", "surrogatepass").decode("ascii")
        for c in found
    )
