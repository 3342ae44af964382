"""Which configuration a verb works with: the file, or, while that is wrong or gone, what the running daemon works with.

A daemon keeps the last good configuration in its journal. A mistake in the file therefore blinds nobody: who looks at
the daemon or asks something of it sees what the daemon sees. It must not be used to start anything.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic_core import PydanticCustomError

from rotator.config.document import LARGEST_FILE
from rotator.config.find import find, places
from rotator.config.load import load
from rotator.config.models import Config
from rotator.config.state import StatePlace, place_of
from rotator.core.errors import ConfigError, RotatorError
from rotator.host.marks import held, is_marked, marker
from rotator.journal.open import open_journal
from rotator.registry import kinds

DYING: Final = 20
"""Tenths of a second in which a process that was killed lets go of all that it held."""

_URL: Final = re.compile(rb"""\burl["']?\s*:\s*["']?(sqlite:///[^\s"',}#]+)""")
"""What looks like the place of a journal in a file that nobody can parse; what it names proves itself or is passed."""


@dataclass(frozen=True, slots=True)
class Effective:
    """A configuration, and why it is not the file's.

    Attributes:
        config: what to work with.
        problem: the first error of the file where this is what the running daemon took last; empty else.
    """

    config: Config
    problem: str = ""


def effective_for(named: str | None) -> Effective:
    """Return what `effective` does for the file that `-c` names or, with None, for the first of the usual places.

    Raises:
        ConfigError: as `effective`; or no file is named and none is found, and no daemon runs with one that is gone.
    """
    try:
        path = find(named)
    except ConfigError as error:
        for place in places(os.environ):
            if (kept := _kept(place)) is not None:
                return Effective(kept, f"{kept.path}: there is no such file")
        raise error from None
    return effective(path)


def effective(path: Path) -> Effective:
    """Return the configuration of the file, or the one that a daemon which runs on it took last.

    Raises:
        ConfigError: the file is wrong or gone, and no daemon runs that has a better one.
    """
    try:
        return Effective(load(path, kinds()))
    except ConfigError as error:
        kept = _kept(path)
        if kept is None:
            raise
        messages = getattr(error, "messages", ()) or (error.message,)
        return Effective(kept, messages[0])


def one_journal(config: Config) -> None:
    """Refuse another journal than the one of the daemon that works with this configuration, be it there already or not.

    Raises:
        ConfigError: such a daemon runs; this process would look at, or make, another journal than that one's.
    """
    there = False
    for _ in range(
        DYING
    ):  # who was killed a moment ago may hold its mark a little longer than its place in the journal
        if not is_marked(config.path):
            return
        there = config.state.there()
        if there and _has_daemon(config.state):
            return
        time.sleep(0.1)
    what = "the journal at {} has no daemon" if there else "there is no journal at {}"
    pid = marker(config.path)
    who = f"the process {pid}" if pid else "a process"
    if config.state.database is None:
        raise ConfigError(
            f"{what.format(config.state.name)}, but {who} uses {config.path}",
            "if the database was away a moment ago, its daemons are heard of within a minute: try once more; else "
            f"restart {who}, which works on the database that the file named before",
        )
    raise ConfigError(
        f"{what.format(config.state.name)}, but {who} uses {config.path} with a journal elsewhere",
        "write `state: {url: ...}` into the configuration, which counts for every process; until then use the daemon's "
        "user and its STATE_DIRECTORY",
    )


def _has_daemon(state: StatePlace) -> bool:
    """Whether a daemon lives on the journal; True where it cannot be read, because whoever opens it says why."""
    try:
        journal = open_journal(state, None, mode="reader")
    except RotatorError:
        return True
    try:
        return (journal.presence.daemon() or journal.presence.hanging()) is not None
    finally:
        journal.close()


def _kept(path: Path) -> Config | None:
    absolute = Path(os.path.abspath(path))  # noqa: PTH100 - as the daemon notes it
    for url in dict.fromkeys(_urls(absolute)):
        try:
            journal = open_journal(url, None, mode="reader")
        except RotatorError:
            continue
        try:
            kept = journal.presence.kept()
            runs = (journal.presence.daemon() or journal.presence.hanging()) is not None
        finally:
            journal.close()
        # by another link, or from another folder, it is the same file
        if kept is not None and runs and os.path.realpath(kept.path) == os.path.realpath(absolute):
            folder = str(Path(url.removeprefix("sqlite:///")).parent)
            try:
                return load(
                    absolute,
                    kinds(),
                    {**os.environ, "STATE_DIRECTORY": folder},
                    content=kept.content,
                    inventory=kept.inventory,
                )
            except ConfigError:  # another version's
                return None
    return None


def _urls(path: Path) -> Iterator[str]:
    """Where the journal of a wrong file could be: what looks like its address, then the usual place.

    Of a file that is gone, or that may not be read, a living daemon still holds the one that it took.
    """
    try:
        with path.open("rb") as file:
            texts = [file.read(LARGEST_FILE)]
    except OSError:
        texts = list(held(LARGEST_FILE))
    found = [url for text in texts for url in _URL.findall(text)]
    for url in [*(one.decode("utf-8", "replace") for one in found), None]:
        try:
            yield place_of(url, None, path.parent, os.environ, os.geteuid()).url
        except PydanticCustomError:
            continue  # a guess that is none
