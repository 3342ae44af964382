"""A time limit for all of a conversation: a peer that sends one byte a second would never time out by itself."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rotator.host.network.tunnel import Wire


@contextmanager
def guarded(wire: Callable[[], Wire | None], within: float) -> Iterator[None]:
    """Hold what is done inside to a time limit, by cutting the wire off.

    Args:
        wire: the wire of now; TLS that begins in the middle puts another one in its place.
        within: seconds.

    Raises:
        TimeoutError: the time is over, whatever the cut wire or what was read of it made of that.
    """
    late = threading.Event()
    timer = threading.Timer(within, _cut_off, (wire, late))
    timer.daemon = True
    timer.start()
    try:
        yield
    except Exception:
        if late.is_set():
            raise TimeoutError from None
        raise
    finally:
        timer.cancel()
    if late.is_set():
        raise TimeoutError


def _cut_off(wire: Callable[[], Wire | None], late: threading.Event) -> None:
    """Wake whoever reads from the wire; what was read so far is no answer."""
    late.set()
    found = wire()
    with suppress(OSError):
        if isinstance(found, socket.socket):
            socket.socket.shutdown(found, socket.SHUT_RDWR)  # of the socket itself, below its TLS
        elif found is not None:
            found.close()
