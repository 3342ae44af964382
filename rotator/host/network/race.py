"""TCP to the first address of a name that answers: families take turns, and a slow one does not hold up the next.

RFC 8305 (Happy Eyeballs): a name with three dead IPv6 addresses and a living IPv4 one is reached in a quarter of a
second, not after three timeouts. The time given is for all addresses together.
"""

from __future__ import annotations

import errno
import os
import selectors
import socket
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from itertools import zip_longest
from typing import Any, Final

STAGGER: Final = 0.25
"""Seconds between two attempts, RFC 8305 section 5: "Connection Attempt Delay" recommended as 250 ms."""

Address = tuple[socket.AddressFamily, Any]
"""Family and socket address."""

Resolve = Callable[[str, int], Sequence[Address]]


class NoName(Exception):
    """The name has no address; the text is the resolver's."""


class NoAnswer(Exception):
    """No address answered. `silent` where that is because the time was over."""

    def __init__(self, message: str, *, silent: bool) -> None:
        super().__init__(message)
        self.silent = silent


def look_up(host: str, port: int) -> Sequence[Address]:
    """Return the addresses of a name in the system's order of preference (RFC 6724).

    Raises:
        NoName: it has none, or is no name.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise NoName(error.strerror or "no answer") from None
    except UnicodeError:
        raise NoName("not a name") from None
    return list(dict.fromkeys((family, address) for family, _, _, _, address in found))


def in_turns(addresses: Iterable[Address]) -> list[Address]:
    """Return the addresses with their families taking turns, beginning with the family of the first one."""
    families: dict[socket.AddressFamily, list[Address]] = {}
    for address in addresses:
        families.setdefault(address[0], []).append(address)
    return [one for turn in zip_longest(*families.values()) for one in turn if one is not None]


def connect(addresses: Sequence[Address], timeout: float) -> tuple[socket.socket, Address]:
    """Return a blocking socket connected to the first of the addresses that answers, and which that was.

    Args:
        addresses: in the order in which to try them; at least one.
        timeout: seconds for all together.

    Raises:
        NoAnswer: none did; every socket is closed.
    """
    waiting, trouble = deque(addresses), 0
    ends = time.monotonic() + timeout
    starts = time.monotonic()  # when the next attempt may begin
    running: dict[socket.socket, Address] = {}
    with selectors.DefaultSelector() as selector:
        try:
            while waiting or running:
                now = time.monotonic()
                if now >= ends:
                    raise NoAnswer(_in_vain(len(addresses)), silent=True)
                if waiting and (now >= starts or not running):
                    address = waiting.popleft()
                    starts = now + STAGGER
                    begun, code = _begin(address)
                    trouble = code or trouble
                    if begun is not None:
                        running[begun] = address
                        selector.register(begun, selectors.EVENT_WRITE)
                    continue
                for key, _ in selector.select(min(ends, starts if waiting else ends) - now):
                    found: socket.socket = key.fileobj  # type: ignore[assignment]  # only sockets are registered
                    selector.unregister(found)
                    address = running.pop(found)
                    code = found.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                    if code == 0:
                        return _ready(found), address
                    found.close()
                    trouble, starts = code, now  # the next one need not wait for its turn
        finally:
            for left in running:
                left.close()
    raise NoAnswer(os.strerror(trouble or errno.EHOSTUNREACH).lower(), silent=False)


def _begin(address: Address) -> tuple[socket.socket | None, int]:
    """Begin to connect: a socket on its way, or the number of the system's error."""
    family, where = address
    try:
        made = socket.socket(family, socket.SOCK_STREAM)
    except OSError as error:
        return None, error.errno or errno.EAFNOSUPPORT
    made.setblocking(False)
    code = made.connect_ex(where)
    if code in (0, errno.EINPROGRESS):
        return made, 0
    made.close()
    return None, code


def _ready(found: socket.socket) -> socket.socket:
    found.setblocking(True)
    found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return found


def _in_vain(count: int) -> str:
    return "no connection in time" if count == 1 else f"no connection in time to any of {count} addresses"
