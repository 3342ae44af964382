"""Syslog as a sink: RFC 5424 messages over UDP (RFC 5426), TCP (RFC 6587, octet counting) and TLS (RFC 5425).

Syslog answers nothing. Over UDP a message may get lost and nobody knows; over TCP and TLS what the kernel took may be
lost when the other side goes away. So the last messages before a connection broke are sent again, and what an export
proves shows whether something is missing.
"""

from __future__ import annotations

import os
import re
import socket
import ssl
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from rotator.audit.ports import Found, SinkDown
from rotator.host.network.errors import NotConnected

if TYPE_CHECKING:
    from rotator.host.network.dial import Network
    from rotator.host.network.tunnel import Wire

PATIENCE: Final = 10.0
"""Seconds that connecting, and each write, may take."""

PRIORITY: Final = 13 * 8 + 6
"""Facility log audit (13), severity informational (6): RFC 5424 section 6.2.1."""

REPEATED: Final = 200
"""Messages that are sent once more over a new connection: what the kernel still held when the old one broke."""

_PRINTABLE: Final = re.compile(r"[^!-~]")


@dataclass(frozen=True, slots=True)
class Address:
    """Where a syslog server listens; `way` is udp, tcp or tls."""

    way: str
    host: str
    port: int

    def __str__(self) -> str:
        """The address as it is configured."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.way}://{host}:{self.port}"


def message(line: str, host: str, at: float, process: int) -> bytes:
    """Return a line as a message of RFC 5424, without a frame; it holds no line break."""
    stamp = datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    name = _PRINTABLE.sub("-", host)[:255] or "-"
    return f"<{PRIORITY}>1 {stamp} {name} rotator {process} audit - {line}".encode()


def framed(content: bytes) -> bytes:
    """Return a message behind its length: RFC 6587 section 3.4.1."""
    return b"%d %b" % (len(content), content)


class SyslogSink:
    """One syslog server."""

    def __init__(self, address: Address, network: Network, host: str, *, wall: Callable[[], float] = time.time) -> None:
        """Nothing is connected yet.

        Args:
            address: of the server.
            network: where TCP and TLS connections come from.
            host: what this machine calls itself.
            wall: unix seconds.
        """
        self._address, self._network, self._host, self._wall = address, network, host, wall
        self._wire: Wire | None = None
        self._datagrams: socket.socket | None = None
        self._last: deque[bytes] = deque(maxlen=REPEATED)

    def look(self) -> Found:
        """Syslog tells nothing of what it holds."""
        return Found.THE_LINE_BEFORE

    def write(self, lines: Sequence[str]) -> None:
        """Send a message per line; see `Sink.write`."""
        process, at = os.getpid(), self._wall()
        messages = [message(line, self._host, at, process) for line in lines]
        try:
            if self._address.way == "udp":
                self._send_datagrams(messages)
            else:
                self._send_frames([framed(one) for one in messages])
        except NotConnected as error:
            self.close()
            raise SinkDown(f"syslog {self._address}: {error.message}", error.remedy) from None
        except OSError as error:
            self.close()
            remedy = "look whether it runs, and can be reached from here; facts wait in the journal meanwhile"
            raise SinkDown(f"sending to syslog {self._address}: {error.strerror or error}", remedy) from None

    def close(self) -> None:
        """Close the connection."""
        for one in (self._wire, self._datagrams):
            if one is not None:
                with suppress(OSError):
                    one.close()
        self._wire = self._datagrams = None

    def _send_datagrams(self, messages: Sequence[bytes]) -> None:
        if self._datagrams is None:
            found = socket.getaddrinfo(self._address.host, self._address.port, type=socket.SOCK_DGRAM)
            family, kind, protocol, _, address = found[0]
            made = socket.socket(family, kind, protocol)
            try:
                made.settimeout(PATIENCE)
                made.connect(address)
            except BaseException:
                made.close()
                raise
            self._datagrams = made
        for one in messages:
            self._datagrams.send(one)

    def _send_frames(self, frames: Sequence[bytes]) -> None:
        if self._wire is not None and self._left():
            self.close()
        if self._wire is None:
            self._wire = self._network.dial(
                self._address.host, self._address.port, tls=self._address.way == "tls", timeout=PATIENCE
            )
            self._wire.sendall(b"".join(self._last))
        self._wire.sendall(b"".join(frames))
        self._last.extend(frames)

    def _left(self) -> bool:
        """Whether the server closed the connection since the last message: what is written then gets lost unseen."""
        wire = self._wire
        if wire is None:
            return True
        wire.settimeout(0.0)
        try:
            while wire.recv(4096):  # servers of syslog say nothing; what one says all the same is dropped
                continue
        except (BlockingIOError, ssl.SSLWantReadError):
            return False
        except OSError:
            return True
        finally:
            wire.settimeout(PATIENCE)
        return True
