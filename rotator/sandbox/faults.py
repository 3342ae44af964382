"""What goes wrong on purpose: armed faults, and what each kind does to one request.

A kind is a function of the fault and of `do`, which performs the request and returns its response. A kind that
returns None closes the connection without a byte. `KINDS` is the table; nothing else decides. Faults are asked in the
order in which they were armed; one that fires hides the request from those behind it.
"""

from __future__ import annotations

import dataclasses
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from rotator.sandbox.message import Response, json_response
from rotator.sandbox.routes import ANY, OPERATIONS

_HTML: Final = b"<!DOCTYPE html><html><head><title>%d</title></head><body><h1>%d</h1><hr>cloudflare</body></html>"

# What a `status` fault says when it does not say it itself: the code and text that go with that status.
_USUAL: Final = {
    400: (1001, "Bad Request"),
    401: (1000, "Invalid API Token"),
    403: (10000, "Authentication error"),
    404: (1003, "token not found"),
    429: (971, "Please wait and consider throttling your request speed"),
}


class Handle(Protocol):
    """The request that a fault holds in its hand."""

    def do(self) -> Response:
        """Perform it and record it."""

    def skip(self, status: int | None) -> None:
        """Record that it was not performed; `status` is what the client sees, None for nothing."""

    def later(self, seconds: float) -> None:
        """Perform it `seconds` from now, unless the sandbox stops before."""

    def headers(self) -> list[tuple[str, str]]:
        """The headers that every answer of the API has, for an answer that it did not make."""


def _lose_request(fault: Fault, handle: Handle) -> Response | None:
    handle.skip(None)
    return None


def _lose_answer(fault: Fault, handle: Handle) -> Response | None:
    handle.do()
    return None


def _late(fault: Fault, handle: Handle) -> Response | None:
    handle.later(fault.seconds)
    return None


def _twin(fault: Fault, handle: Handle) -> Response | None:
    answer = handle.do()
    handle.do()
    return answer


def _status(fault: Fault, handle: Handle) -> Response | None:
    handle.skip(fault.status)
    headers = handle.headers()
    if fault.retry_after is not None:
        headers.append(("Retry-After", str(fault.retry_after)))
    if fault.body is not None:
        return Response(fault.status, fault.body.encode(), headers, "text/html; charset=UTF-8")
    usual_code, usual_message = _USUAL.get(fault.status, (1000, "Internal Server Error"))
    code = usual_code if fault.code is None else fault.code
    message = usual_message if fault.message is None else fault.message
    error = {"code": code, "message": message}
    return json_response(fault.status, {"success": False, "errors": [error], "messages": [], "result": None}, headers)


def _delay(fault: Fault, handle: Handle) -> Response | None:
    time.sleep(fault.seconds)
    return handle.do()


def _truncate(fault: Fault, handle: Handle) -> Response | None:
    return dataclasses.replace(handle.do(), half=True)


def _garbage(fault: Fault, handle: Handle) -> Response | None:
    done = handle.do()
    return Response(200, _HTML % (200, 200), done.headers, "text/html; charset=UTF-8")


KINDS: Final[dict[str, Callable[[Fault, Handle], Response | None]]] = {
    "lose_request": _lose_request,  # closed before anything was done
    "lose_answer": _lose_answer,  # done, then closed
    "late": _late,  # closed now, done later
    "twin": _twin,  # done twice, answered once, with the first answer
    "status": _status,  # refused, not done
    "delay": _delay,  # done later, answered then
    "truncate": _truncate,  # done, half an answer
    "garbage": _garbage,  # done, answered with a page of HTML and status 200
}


@dataclass
class Fault:
    """One armed fault. `times` it fires, after letting `skip` requests pass; `hits` counts how often it fired."""

    id: str
    operation: str
    kind: str
    times: int = 1
    skip: int = 0
    seconds: float = 1.0
    status: int = 500
    code: int | None = None
    message: str | None = None
    retry_after: int | str | None = None
    body: str | None = None
    hits: int = 0
    passed: int = 0


@dataclass
class Faults:
    """The armed faults. Safe for threads."""

    _armed: list[Fault] = field(default_factory=list)
    _count: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def arm(self, wish: dict[str, Any]) -> str:
        """Arm what the control interface was sent and return the fault's id.

        Raises:
            ValueError: an unknown key, operation or kind, or a value of the wrong type; says which.
        """
        checked = _check(wish)
        with self._lock:
            self._count += 1
            fault = Fault(id=f"f{self._count}", **checked)
            self._armed.append(fault)
        return fault.id

    def clear(self) -> int:
        """Disarm all; returns how many there were."""
        with self._lock:
            count = len(self._armed)
            self._armed = []
        return count

    def list(self) -> list[dict[str, Any]]:
        """All faults, spent ones too, in the order in which they were armed."""
        shown = ("id", "operation", "kind", "hits", "times", "skip")
        with self._lock:
            return [{key: getattr(fault, key) for key in shown} for fault in self._armed]

    def take(self, operation: str) -> Fault | None:
        """The fault that strikes this request, if any; counts it as fired."""
        with self._lock:
            for fault in self._armed:
                if fault.operation not in (operation, ANY) or fault.hits >= fault.times:
                    continue
                if fault.passed < fault.skip:
                    fault.passed += 1
                    continue
                fault.hits += 1
                return fault
        return None


def _whole(least: int, most: int) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


_FIELDS: Final[dict[str, tuple[Callable[[Any], bool], str]]] = {
    "operation": (lambda value: value in OPERATIONS, f"one of {', '.join(sorted(OPERATIONS))}"),
    "kind": (lambda value: value in KINDS, f"one of {', '.join(KINDS)}"),
    "times": (_whole(1, 10**9), "a whole number from 1"),
    "skip": (_whole(0, 10**9), "a whole number from 0"),
    "seconds": (
        lambda value: isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 86400,
        "a number from 0 to 86400",
    ),
    "status": (_whole(200, 599), "an HTTP status from 200 to 599"),
    "code": (_whole(0, 10**9), "a whole number"),
    "message": (lambda value: isinstance(value, str), "a string"),
    "retry_after": (
        lambda value: isinstance(value, int | str) and not isinstance(value, bool) and str(value).isprintable(),
        "seconds or an HTTP date",
    ),
    "body": (lambda value: isinstance(value, str), "a string, sent as HTML"),
}


def _check(wish: dict[str, Any]) -> dict[str, Any]:
    for key in ("operation", "kind"):
        if key not in wish:
            raise ValueError(f"{key} is missing; expected {_FIELDS[key][1]}")
    given = {key: value for key, value in wish.items() if value is not None}
    for key, value in given.items():
        if key not in _FIELDS:
            raise ValueError(f"unknown key {key!r}; expected some of {', '.join(_FIELDS)}")
        fits, expected = _FIELDS[key]
        try:
            good = fits(value)
        except TypeError:  # an unhashable value asked of a set
            good = False
        if not good:
            raise ValueError(f"{key} must be {expected}")
    return given
