"""Prepared installations: made once in a process, copied for each test, provider included."""

import json
import shutil
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from tests import journals
from tests.installation import Done, Installation

RENEWAL = 45 * 60
"""Seconds after which a token of an hour is due, and not yet in the emergency window."""

LATER = 30
"""Seconds of provider time between the crash and the recovery, so that nobody waits for settles."""


def settled(done: Done) -> None:
    """The process ended well."""
    assert done.code == 0, f"exit code {done.code}:\n{done.out}\n{done.err[-3000:]}"


def created(folder: Path, *credentials: Mapping[str, Any], later: float = 0.0) -> None:
    """First creation done, into a file that stood there; `later` seconds of provider time have passed since."""
    with Installation(folder, *credentials) as place:
        place.file()
        settled(place.run("once"))
        place.advance(later)


def due(folder: Path, *credentials: Mapping[str, Any]) -> None:
    """First creation done; the next rotation is due."""
    created(folder, *credentials, later=RENEWAL)


class Templates:
    """Prepared folders, each made once in this process, by whoever needs it first."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._numbers = iter(range(10**6))

    def copy(self, prepare: Callable[[Path], object]) -> Path:
        """Return a fresh copy of what `prepare(folder)` made."""
        name = prepare.__name__
        template = self._folder / name
        with self._lock:
            if not template.exists():
                made = Path(mkdtemp(prefix=f"{name}-in-the-making-", dir=self._folder))
                prepare(made)
                made.rename(template)
            target = self._folder / f"{name}-{next(self._numbers)}"
        shutil.copytree(template, target)
        config = target / "rotator.yaml"
        document = json.loads(config.read_text())
        with self._lock:
            document["state"] = journals.copied(document["state"])
        config.write_text(json.dumps(document, indent=1))
        return target
