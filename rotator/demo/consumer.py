"""The consumer: what a deployed program does. It re-reads its file every 100 ms and calls the API with what it finds.

It uses nothing of the product: plain files and plain HTTP.
"""

from __future__ import annotations

import http.client
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from rotator.demo.stage import ACCOUNT, Role

EVERY: Final = 0.1
"""Seconds between two reads."""

PATHS: Final = {"user": "/user/tokens/verify", "account": f"/accounts/{ACCOUNT}/tokens/verify"}


class Consumer:
    """Reads one credential until it is stopped."""

    def __init__(self, role: Role, folder: Path, url: str) -> None:
        """`url` is the base of the API."""
        self.role = role
        self.reads = 0
        self.dead = 0
        self.dead_seconds = 0.0
        self.last = ""
        self.answers: Counter[int] = Counter()
        self._file = folder / role.file
        parts = urlsplit(url)
        self._host, self._port, self._base = parts.hostname or "127.0.0.1", parts.port or 80, parts.path
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._loop, name=f"consumer-{role.credential}", daemon=True)

    def start(self) -> None:
        """Start reading."""
        self._thread.start()

    def stop(self) -> None:
        """Stop reading."""
        self._stop.set()
        self._thread.join(5)

    def value(self) -> str | None:
        """Return what stands in the file now, as any reader of dotenv files would see it."""
        found = None
        for line in self._file.read_text().splitlines():
            key, equals, value = line.partition("=")
            if equals and key.strip() == self.role.key:
                found = value.strip()
        return found

    def accepted(self, value: str) -> bool:
        """Whether the API accepts a value."""
        connection = http.client.HTTPConnection(self._host, self._port, timeout=10)
        try:
            connection.request("GET", self._base + PATHS[self.role.owner], headers={"Authorization": f"Bearer {value}"})
            answer = connection.getresponse()
            answer.read()
            self.answers[answer.status] += 1
            return answer.status == 200
        finally:
            connection.close()

    def _loop(self) -> None:
        dead_since = 0.0
        while not self._stop.wait(EVERY):
            value = self.value()
            if value is None:
                continue  # nothing was ever published
            alive = self.accepted(value)
            now = time.monotonic()
            self.reads += 1
            self.last = "200" if alive else "401"
            if alive:
                self.dead_seconds += now - dead_since if dead_since else 0.0
                dead_since = 0.0
            else:
                self.dead += 1
                dead_since = dead_since or now
