"""What came over the wire, as plain values: an answer, its envelope, its headers. Parsing here never raises.

Nothing in this file knows what an answer means (`errors`) or what a token looks like (`tokens`). Bodies may hold a
value, so no repr shows one.
"""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Final

LOCKED_WAIT: Final = 300.0
"""Seconds to wait after a 429 that does not say how long: Cloudflare blocks for the next five minutes."""
LONGEST_WAIT: Final = 3600.0
"""Longest wait that a `Retry-After` is believed; a wrong one must not stop a connection for days."""

_RATELIMIT = re.compile(r"\br\s*=\s*(\d{1,9})\b.*?\bt\s*=\s*(\d{1,9})\b")


@dataclass(frozen=True, slots=True)
class Answer:
    """One complete HTTP answer.

    Attributes:
        status: HTTP status, 100..599.
        headers: names in lower case; of a repeated one the last.
        body: decoded from its transfer and content coding.
    """

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Said:
    """One entry of an envelope's `errors` (or of an entry's `error_chain`)."""

    code: int
    message: str


@dataclass(frozen=True, slots=True)
class Envelope:
    """Cloudflare's JSON frame around every result.

    Source: `ResponseInfo` in https://github.com/cloudflare/api-schemas

    Attributes:
        success: whether the API says that it did what was asked.
        errors: what it complains about, chains flattened.
        result: the payload, of any JSON type.
        info: `result_info` of a list, or empty.
    """

    success: bool
    errors: tuple[Said, ...] = ()
    result: object = field(default=None, repr=False)
    info: Mapping[str, object] = field(default_factory=dict)


def read_envelope(answer: Answer) -> Envelope | None:
    """Return the envelope of an answer; None for HTML, `null`, a truncated text, or JSON of another shape."""
    try:
        data = json.loads(answer.body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(data, dict) or not isinstance(data.get("success"), bool):
        return None
    info = data.get("result_info")
    return Envelope(
        success=data["success"],
        errors=tuple(_said(data.get("errors"))),
        result=data.get("result"),
        info=info if isinstance(info, dict) else {},
    )


def _said(entries: object, depth: int = 0) -> list[Said]:
    found: list[Said] = []
    if isinstance(entries, list) and depth < 4:
        for entry in entries:
            if isinstance(entry, dict):
                code, message = entry.get("code"), entry.get("message")
                found.append(
                    Said(
                        code if isinstance(code, int) and not isinstance(code, bool) else 0,
                        message if isinstance(message, str) else "",
                    )
                )
                found.extend(_said(entry.get("error_chain"), depth + 1))
    return found


def date_of(headers: Mapping[str, str]) -> float | None:
    """Return the `Date` header in unix seconds, None where it is absent or unreadable (RFC 9110 section 6.6.1)."""
    return _http_date(headers.get("date", ""))


def retry_after(headers: Mapping[str, str]) -> float:
    """Return how long to wait after a 429, in seconds, 1 .. `LONGEST_WAIT`.

    `Retry-After` may be seconds or a date (RFC 9110 section 10.2.3); absent, past or unreadable means `LOCKED_WAIT`.
    """
    text = headers.get("retry-after", "").strip()
    seconds = 0.0
    if re.fullmatch(r"\d{1,18}", text):
        seconds = float(text)
    else:
        then, now = _http_date(text), date_of(headers)
        if then is not None and now is not None:
            seconds = then - now
    return min(seconds, LONGEST_WAIT) if seconds > 0 else LOCKED_WAIT


def rate_limit_of(headers: Mapping[str, str]) -> tuple[int, float] | None:
    """Return (requests left, seconds until they are renewed) of `Ratelimit: "default";r=50;t=30`, or None.

    Source: https://developers.cloudflare.com/fundamentals/api/reference/limits/
    """
    found = _RATELIMIT.search(headers.get("ratelimit", ""))
    return (int(found[1]), float(found[2])) if found else None


@lru_cache(maxsize=16)  # all answers of one second have the same
def _http_date(text: str) -> float | None:
    if not text:
        return None
    try:
        then = parsedate_to_datetime(text)
        return (then if then.tzinfo else then.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError, IndexError, TypeError):
        return None


def seen_address(answer: Answer) -> str | None:
    """Return the `ip=` line of a trace of the edge, None where there is none or it holds no address."""
    found = re.search(rb"^ip=([0-9a-fA-F.:]{2,45})\r?$", answer.body, re.MULTILINE) if answer.status == 200 else None
    try:
        return str(ipaddress.ip_address(found[1].decode())) if found else None
    except ValueError:
        return None
