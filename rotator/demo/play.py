"""The play: put the stage up, let everybody act until the curtain may fall, score."""

from __future__ import annotations

import json
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Final

from rotator.app import App
from rotator.core.errors import RotatorError
from rotator.core.protocol.view import View
from rotator.demo.chaos import ENOUGH, Chaos
from rotator.demo.consumer import Consumer
from rotator.demo.picture import Picture, board
from rotator.demo.scoreboard import Score, owned, score, strays
from rotator.demo.stage import ROLES, Stage

FIRST: Final = 60.0
"""Seconds in which the first values must stand in the files."""

PATIENCE: Final = 120.0
"""Seconds that each round of rotations may take before the demo is called stuck."""

REST: Final = 45.0
"""Seconds in which everything must have come to rest at the end; what is left then is scored as it is."""


def main(
    rotations: int | None = None,
    *,
    seconds: float | None = None,
    chaos: bool = False,
    keep: bool = False,
    output: str = "text",
) -> int:
    """Run the demo; 0 when nothing was lost or dead, else 1.

    Args:
        rotations: end after every credential has rotated that often, first creations not counted; None for no such end.
        seconds: end after that long.
        chaos: kill the daemon at random moments, at least three times.
        keep: leave the folder.
        output: `text` or `json`.

    Raises:
        RotatorError: the daemon ended on its own, or nothing moves any more; the folder is left then.
    """
    folder = Path(tempfile.mkdtemp(prefix="rotator-demo-"))
    picture = Picture(live=sys.stderr.isatty() and output != "json")
    picture.ends = end_of(rotations, seconds)
    with _curtain(seconds) as ended:
        stage = Stage(folder)
        try:
            result = Play(stage, picture, ended).run(rotations, chaos=chaos, keep=keep)
        finally:
            picture.close()
            stage.close()
    if not keep:
        shutil.rmtree(folder, ignore_errors=True)
    print(json.dumps(result.document()) if output == "json" else board(result))  # noqa: T201 - the result of a command
    return 0 if result.clean else 1


def end_of(rotations: int | None, seconds: float | None) -> str:
    """Return when the demo ends, in words."""
    ends = [f"after every credential has rotated {_times(rotations)}"] if rotations else []
    ends += [f"after {seconds:.0f} s"] if seconds else []
    return f"ends {' or '.join(ends)}; Ctrl-C ends it earlier" if ends else "goes on until Ctrl-C, which ends it"


def _times(number: int) -> str:
    return {1: "once", 2: "twice"}.get(number, f"{number} times")


@contextmanager
def _curtain(seconds: float | None) -> Iterator[threading.Event]:
    """An event that Ctrl-C, SIGTERM or the given time sets; the signal handlers are given back."""
    ended = threading.Event()

    def end(number: int, frame: FrameType | None) -> None:
        ended.set()

    before = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
    timer = threading.Timer(seconds, ended.set) if seconds else None
    if timer:
        timer.daemon = True
        timer.start()
    try:
        yield ended
    finally:
        if timer:
            timer.cancel()
        for number, handler in before.items():
            signal.signal(number, handler)


class Play:
    """One run of the demo on a stage."""

    def __init__(self, stage: Stage, picture: Picture, ended: threading.Event) -> None:
        """`ended` is set when the curtain should fall."""
        self._stage, self._picture, self._ended = stage, picture, ended
        self._consumers = [Consumer(role, stage.folder, stage.sandbox.url) for role in ROLES]

    def run(self, rotations: int | None, *, chaos: bool, keep: bool) -> Score:
        """Act, come to rest, score."""
        stage, picture, began = self._stage, self._picture, time.monotonic()
        picture.say(f"rotator demo {picture.ends}")
        picture.say(f"a local Cloudflare at {stage.sandbox.url}")
        picture.say(f"everything is in {stage.folder}; look with: rotator -c {stage.config} status")
        stage.start()
        for consumer in self._consumers:
            consumer.start()
        self._wait(lambda: all(c.reads for c in self._consumers), FIRST, "the first values")
        killer = Chaos(stage, picture.say, ENOUGH + 2 * rotations if rotations else None)
        if chaos:
            killer.start()

        def enough() -> bool:
            return bool(rotations) and self._least() >= (rotations or 0) and (killer.enough or not chaos)

        limit = PATIENCE * rotations if rotations else float("inf")
        self._wait(enough, limit, "the rotations", watched=not chaos)
        if chaos:
            killer.stop()
        picture.say("coming to rest: what is under way finishes, orphans are swept")
        self._ended.clear()
        self._wait(self._resting, REST, "rest", fatal=False)
        for consumer in self._consumers:
            consumer.stop()
        stage.end()
        return score(stage, self._consumers, time.monotonic() - began, stage.folder if keep else None)

    def _wait(
        self, condition: Callable[[], bool], limit: float, what: str, *, watched: bool = True, fatal: bool = True
    ) -> None:
        until = time.monotonic() + limit
        while not self._ended.is_set() and not condition():
            if watched:
                self._stage.check()
            if time.monotonic() > until:
                if fatal:
                    text = f"waiting for {what} took longer than {limit:.0f} s"
                    raise RotatorError(text, f"see {self._stage.folder}/daemon.log")
                return
            with App.open(self._stage.config) as app:
                statuses = app.queries.statuses()
            self._picture.show(statuses, self._consumers, self._stage.kills, self._stage.now())
            self._ended.wait(0.2)

    def _views(self) -> dict[str, View]:
        """The views by name of credential; empty before the first start."""
        with App.open(self._stage.config) as app:
            views = app.journal.views() if app.journal else {}
            return {name: views[stream] for name, stream in app.ids.items() if stream in views}

    def _least(self) -> int:
        views = self._views()
        return min(view.rotations for view in views.values()) if len(views) == len(ROLES) else 0

    def _resting(self) -> bool:
        """No rotation is open and no token is without an owner."""
        views = self._views().values()
        return not any(view.rotation for view in views) and not strays(self._stage, owned(views))
