"""The long run: a daemon that is killed and stopped at random while twenty credentials rotate under their consumers.

Lifetimes are an hour of provider time, which passes in seconds. At every moment every published value is accepted; at
the end there is one living token for each credential, no trace of the others, and no value where none may be.

`ROTATOR_SOAK=200` makes it as many rotations (default 40), `ROTATOR_SOAK_SEED` repeats a run.
"""

import os
import random
import re
import signal
import threading
import time
import urllib.request
from collections import defaultdict

import pytest

from tests import canaries, verdict
from tests.installation import BESIDE, Installation, credential, eventually

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]

ROTATIONS = int(os.environ.get("ROTATOR_SOAK", "40"))
SEED = int(os.environ.get("ROTATOR_SOAK_SEED", "1"))
FLEET = 20
GRACE = 2.0
MINUTE = 60.0


class Consumers:
    """Everybody who uses the values: reads each file and asks the provider, in one instant of the provider's world.

    No token can die between the reading and the asking, so a refusal means that a dead value was published.
    """

    def __init__(self, place: Installation, paths: list[str]) -> None:
        self.place, self.paths = place, paths
        self.seen: dict[str, list[str]] = defaultdict(list)
        self.reads = 0
        self.dead: list[str] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._loop, daemon=True)
        self._thread.start()

    @property
    def rotations(self) -> int:
        """Publications that consumers saw, first ones not counted."""
        return sum(len(values) - 1 for values in self.seen.values())

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(10)

    def _loop(self) -> None:
        while not self._stop.wait(0.05):
            for path in self.paths:
                with self.place.world.lock:
                    value = self.place.value(path)
                    if value is None:
                        continue  # before the first creation
                    self.reads += 1
                    if not self.place.accepts(value):
                        self.dead.append(f"{path}, read {self.reads}")
                if value not in self.seen[path]:
                    self.seen[path].append(value)


def left(place: Installation, paths: list[str]) -> float:
    """Seconds of provider time until the first published value expires."""
    now = place.world.clock.now()
    holders = [place.holder(place.value(path)) for path in paths]
    return min((token.expires_on - now for token in holders if token and token.expires_on), default=0.0)


class Chaos:
    """Kills and stops the daemon; it always leaves a running one behind."""

    def __init__(self, place: Installation, dice: random.Random) -> None:
        self.place, self.dice = place, dice
        self.counts: dict[str, int] = defaultdict(int)
        self.process = place.daemon()

    def act(self) -> None:
        acts = [self.kill, self.kill, self.kill_and_once, self.stop, self.once, self.lose, self.nothing, self.nothing]
        if ROTATIONS >= 100:
            acts.append(self.stop_past_the_lease)
        act = self.dice.choice(acts)
        self.counts[act.__name__] += 1
        act()
        assert self.process.poll() is None, self.place.said(self.process)[-3000:]

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        self.process = self.place.daemon()

    def kill_and_once(self) -> None:
        self.process.kill()
        self.process.wait()
        self._once()
        self.process = self.place.daemon()

    def stop(self) -> None:
        """It sleeps past the grace and wakes up with plans of long ago, after another process went on."""
        self.process.send_signal(signal.SIGSTOP)
        self.place.advance(GRACE)
        time.sleep(GRACE + self.dice.uniform(0.5, 2))
        if self.dice.random() < 0.5:
            self._once()
        self.process.send_signal(signal.SIGCONT)

    def stop_past_the_lease(self) -> None:
        self.process.send_signal(signal.SIGSTOP)
        time.sleep(31)
        self._once("--wait", "5s")
        self.process.send_signal(signal.SIGCONT)

    def once(self) -> None:
        self._once()

    def _once(self, *more: str) -> None:
        """Beside a daemon it may find its work in other hands (1), and never anything worse."""
        done = self.place.run("once", *more)
        assert done.code in (0, 1), done.err[-3000:]

    def lose(self) -> None:
        kind = self.dice.choice(["lose_answer", "lose_request", "garbage", "twin"])
        self.place.arm(operation="create", kind=kind)

    def nothing(self) -> None:
        time.sleep(1)


def at_rest(place: Installation) -> bool:
    """Whether no rotation and no retirement is open, and one token lives for each credential."""
    place.advance(5)
    with place.reader() as app:
        settled = all(s.ready and s.rotation is None and not s.retirements for s in app.queries.statuses())
    return settled and len(place.alive()) == FLEET


def test_rotations_under_kills_and_stops_lose_nothing_and_leave_nothing(tmp_path):
    names = [f"deploy-{number:02}" for number in range(FLEET)]
    paths = [f"app/{name}.env" for name in names]
    rotation = {"renew_before": "20m", "grace": f"{GRACE:g}s", "quiet": "1s", "soak": "1s"}
    credentials = [
        credential(name, rotation=rotation, targets=[{"type": "env_file", "name": "env", "path": path}])
        for name, path in zip(names, paths, strict=True)
    ]
    dice, began = random.Random(SEED), time.monotonic()
    with Installation(tmp_path, *credentials, advanced={"watch": "5s", "sweep": "5s"}) as place:
        for path in paths:
            place.file(path)
        chaos = Chaos(place, dice)
        consumers = Consumers(place, paths)
        try:
            eventually(lambda: all(place.value(path) for path in paths))
            while consumers.rotations < ROTATIONS:
                if left(place, paths) > 15 * MINUTE:  # never faster than a daemon that is up now and then can follow
                    place.advance(dice.uniform(4, 8) * MINUTE)
                chaos.act()
                assert not consumers.dead, consumers.dead
            place.heal()
            eventually(lambda: at_rest(place), 120)
            page = metrics(place, chaos.process)
            assert place.end(chaos.process) == 0
        finally:
            consumers.stop()
        assert not consumers.dead, consumers.dead
        assert consumers.reads > 100
        for name, path in zip(names, paths, strict=True):
            verdict.is_at_rest(place, name, {path: place.value(path)})
            verdict.other_bytes_are_kept(tmp_path / path, BESIDE)
        values = [token.value for token in place.world.tokens.values()]
        logs = [*tmp_path.glob("err-*"), *tmp_path.glob("out-*")]
        assert not canaries.leaks(values, [tmp_path / "state", place.config, *logs], [page])
        assert canaries.leaks([place.value(paths[0])], [tmp_path / paths[0]])  # the search itself can find
        print(
            f"\n{consumers.rotations} rotations of {FLEET} credentials in {time.monotonic() - began:.0f} s,"
            f" {dict(chaos.counts)}, {consumers.reads} reads, none dead; {len(values)} tokens ever, seed {SEED}"
        )


def metrics(place: Installation, process) -> bytes:
    """The metrics page of a running daemon."""
    address = re.search(r'"listener":"(?:http://)?([^"/]+)', place.said(process))
    assert address, place.said(process)
    with urllib.request.urlopen(f"http://{address[1]}/metrics", timeout=10) as answer:
        return answer.read()
