"""The opened connections of a process: opened when first needed, kept over a reload while their options stay the same.

One whose options changed, or that left the configuration, is closed as soon as nobody can be in the middle of a call
on it: a request that is under way is never cut off. It decides nothing about what is sent on them.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from rotator.config.models import ConnectionStanza
from rotator.core.errors import ConfigError


@dataclass(slots=True)
class _Opened:
    """A connection that was opened, and the options that it was opened with."""

    options: Any
    adapter: Any


class Connections:
    """Opened connections by name. Safe to share between threads."""

    def __init__(self, open_connection: Callable[[ConnectionStanza], Any]) -> None:
        """None is configured yet; `open_connection` makes the adapter of a stanza."""
        self._open = open_connection
        self._lock = threading.RLock()
        self._stanzas: Mapping[str, ConnectionStanza] = {}
        self._opened: dict[str, _Opened] = {}
        self._generation = 0
        self._users: dict[int, int] = {}
        self._outdated: list[tuple[int, Any]] = []

    def configure(self, stanzas: Mapping[str, ConnectionStanza]) -> set[str]:
        """Take the configured connections; return the names of those that have to be opened anew or are gone."""
        with self._lock:
            self._stanzas = stanzas
            left = {
                name
                for name, opened in self._opened.items()
                if name not in stanzas or stanzas[name].options != opened.options
            }
            self._outdated += [(self._generation, self._opened.pop(name).adapter) for name in sorted(left)]
            self._generation += 1
        self._close_outdated()
        return left

    def get(self, name: str) -> Any:
        """Return an opened connection.

        Raises:
            ConfigError: no such connection is configured.
        """
        with self._lock:
            stanza = self._stanzas.get(name)
            if stanza is None:
                raise ConfigError(
                    f"the connection {name} is not configured any more", f"add {name} to connections again"
                )
            if name not in self._opened:
                self._opened[name] = _Opened(stanza.options, self._open(stanza))
            return self._opened[name].adapter

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """Within the block no connection that could be had at its beginning is closed."""
        with self._lock:
            mine = self._generation
            self._users[mine] = self._users.get(mine, 0) + 1
        try:
            yield
        finally:
            with self._lock:
                self._users[mine] -= 1
                if not self._users[mine]:
                    del self._users[mine]
            self._close_outdated()

    def close(self) -> None:
        """Close all of them, used or not."""
        with self._lock:
            adapters = [adapter for _, adapter in self._outdated] + [o.adapter for o in self._opened.values()]
            self._outdated, self._opened = [], {}
        for adapter in adapters:
            _close(adapter)

    def _close_outdated(self) -> None:
        with self._lock:
            oldest = min(self._users, default=self._generation)
            ended = [adapter for generation, adapter in self._outdated if generation < oldest]
            self._outdated = [(generation, adapter) for generation, adapter in self._outdated if generation >= oldest]
        for adapter in ended:
            _close(adapter)


def _close(adapter: Any) -> None:
    close = getattr(adapter, "close", None)
    if close is not None:
        close()
