"""Taking the configuration file again while the daemon runs: when it is looked at, what may not change, what is said.

A wrong file is refused as a whole and the last good one stays effective. It says each thing once, not at every look.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from rotator.app.app import App
from rotator.config.load import digest, load
from rotator.config.models import Config
from rotator.core.errors import ConfigError, RotatorError
from rotator.core.events import Event
from rotator.registry import kinds

PATIENCE: Final = 20
"""A refused file that did not change is read again after that many times as long as the last reading took."""


class Reload:
    """Compares the file of an opened writer with what is effective; call it as often as you like."""

    def __init__(self, app: App, taken: Callable[[], None], monotonic: Callable[[], float] = time.monotonic) -> None:
        """`taken` is called after a configuration became effective."""
        self._app, self._taken, self._monotonic = app, taken, monotonic
        self._refused_as, self._refusal, self._again_at = "", "", 0.0

    def __call__(self) -> None:
        """Take the file if it changed; say what became of that.

        A file that is what is effective already, after a wrong one was refused, is said to be loaded as well: the
        trouble is over.
        """
        app, found = self._app, _digest(self._app.config)
        began = self._monotonic()
        if found == app.config.sha256:
            if self._refusal:
                self._loaded()
            return
        if self._refusal and found == self._refused_as and began < self._again_at:
            return
        try:
            reload(app)
        except RotatorError as error:
            if error.message != self._refusal:
                app.say(Event.CONFIG_REJECTED.value, reason=error.message)
            ended = self._monotonic()
            self._refused_as, self._refusal = found, error.message
            self._again_at = ended + PATIENCE * (ended - began)
        else:
            self._taken()
            self._loaded()

    @property
    def refusal(self) -> str:
        """The first thing that is wrong with the file, empty where it is what is effective."""
        return self._refusal.partition("\n")[0]

    def _loaded(self) -> None:
        self._refused_as = self._refusal = ""
        self._app.say(Event.CONFIG_LOADED.value, credentials=len(self._app.ids))


def reload(app: App) -> bool:
    """Take the configuration again if its bytes changed, the inventory's included; True when it became effective.

    Raises:
        ConfigError: it is wrong, or wants what a running process cannot change; the last good one stays effective.
        JournalUnsafe: the journal did not take it; likewise.
    """
    if _digest(app.config) == app.config.sha256:
        return False
    config = load(app.config.path, kinds())
    _unchangeable(app.config, config)
    app.configure(config)
    return True


def _listens(config: Config) -> str | None:
    return config.page.listen if config.page else None


def _digest(config: Config) -> str:
    return digest(config.path, config.inventory)


def _unchangeable(now: Config, wanted: Config) -> None:
    """Raise `ConfigError` where something changed that a running process cannot change."""
    changed = [
        name
        for name, before, after in (
            ("state.url", now.state.url, wanted.state.url),
            ("state.password", now.state.password, wanted.state.password),
            ("node", now.node, wanted.node),
            ("state.encryption_key", now.state.encryption_key, wanted.state.encryption_key),
            ("http.listen", now.http.listen, wanted.http.listen),
            ("page.listen", _listens(now), _listens(wanted)),
        )
        if before != after
    ]
    if changed:
        named = " and ".join(changed)
        raise ConfigError(
            f"{named} changed, which takes effect at a start only; the rest of the file waits for it, too",
            f"restart the daemon, or write {named} as before",
        )
