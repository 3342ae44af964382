"""What the acceptance tests of the remote targets share: credentials that live for seconds, consumers that never rest.

A consumer reads a place as its users do and asks the provider about what it found. It judges what the product promises:
a value that was read lives at least `grace` longer, and nothing is published that was not verified before.
"""

import contextlib
import json
import re
import signal
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from rotator.core.protocol.view import View
from rotator.journal.open import JournalAbsent, open_journal
from tests.installation import Installation, eventually

GRACE = 3.0
"""Seconds. A consumer that needed longer than this between reading and asking has learned nothing."""

SHORT = {"every": "2s", "renew_before": "20s", "grace": f"{GRACE:.0f}s", "quiet": "1s", "soak": "0s"}
AWS_LOGIN = {
    "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "not-a-secret",
    "AWS_EC2_METADATA_DISABLED": "true",
}
REGION = "eu-central-1"


def short_lived(name: str, *targets: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """A credential that is rotated every few seconds, as long as somebody runs."""
    return {
        "name": name,
        "connection": "cf",
        "lifetime": "90s",
        "grants": [{"permissions": ["DNS Write"], "zones": ["example.com"]}],
        "rotation": SHORT,
        "targets": [dict(target) for target in targets],
        **more,
    }


class Away(Exception):
    """The place could not be read just now; that is no dead read."""


class Consumer:
    """Reads values without pause, on a thread, and asks the provider about each.

    `reads`, `dead`, `unverified` count values; `late` those whose answer came after the promise had ended, `away` the
    times when the place did not answer. Use as a context manager.
    """

    def __init__(self, name: str, place: Installation, read: Callable[[], Mapping[str, str]], pause: float = 0.05):
        """`read` answers what a consumer finds, by any name, and raises `Away` when it finds nobody."""
        self.name = name
        self.reads = self.dead = self.unverified = self.late = self.away = 0
        self.seen: dict[str, set[str]] = {}
        self._place, self._read, self._pause = place, read, pause
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def _run(self) -> None:
        while not self._stop.wait(self._pause):
            self._look()

    def _look(self) -> None:
        began = time.monotonic()
        try:
            found = self._read()
        except Away:
            self.away += 1
            return
        for key, value in found.items():
            known = self.seen.setdefault(key, set())
            if value not in known:
                known.add(value)
                self.unverified += not was_verified(self._place, value)
            alive = self._place.accepts(value)
            if time.monotonic() - began >= GRACE:
                self.late += 1
                continue
            self.reads += 1
            self.dead += not alive

    def __enter__(self) -> "Consumer":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(30)

    def found_only_the_living(self) -> None:
        """It read, nothing that it read was dead, and nothing stood there before the daemon had verified it."""
        assert self.reads > self.late, self
        assert (self.dead, self.unverified) == (0, 0), self

    def __repr__(self) -> str:
        return (
            f"{self.name}: {self.reads} reads, {self.dead} dead, {self.unverified} unverified, "
            f"{sum(map(len, self.seen.values()))} values, {self.late} late, {self.away} away"
        )


def was_verified(place: Installation, value: str) -> bool:
    """Whether somebody has used the value for a verify that the provider answered with 200."""
    holder = place.holder(value)
    rows = place.sandbox.gateway.recorder.after(0)
    return holder is not None and any(
        row["operation"] == "verify" and row["actor_token_id"] == holder.id and row["status"] == 200 for row in rows
    )


# ------------------------------------------------------------------------------------------------ what the journal says
def until(asked: Callable[[], Any], what: str, seconds: float = 60.0) -> Any:
    """Return the first true answer; gentler to the machine than `eventually`, and it says what it waited for."""
    end, pause = time.monotonic() + seconds, threading.Event()
    while not (answer := asked()):
        assert time.monotonic() < end, f"{what}: not within {seconds} s"
        pause.wait(0.2)
    return answer


def view(place: Installation, name: str) -> View | None:
    """The journal's view of a credential; None before its first start."""
    try:
        journal = open_journal(f"sqlite:///{place.folder / 'state' / 'state.db'}", None, mode="reader")
    except JournalAbsent:
        return None
    try:
        return next((journal.view(stream.id) for stream in journal.streams.all() if stream.name == name), None)
    finally:
        journal.close()


def rotations(place: Installation, name: str) -> int:
    """Confirmed rotations of a credential; the first creation is none."""
    found = view(place, name)
    return found.rotations if found else 0


def more_rotations(place: Installation, number: int, *names: str, seconds: float = 60.0) -> None:
    """Wait until each of these credentials was rotated that often from now on."""
    goals = {name: rotations(place, name) + number for name in names}
    until(lambda: all(rotations(place, n) >= goal for n, goal in goals.items()), f"{number} rotations", seconds)


def is_confirmed(place: Installation, name: str) -> bool:
    """Whether a credential has a published value."""
    found = view(place, name)
    return bool(found and found.current)


# --------------------------------------------------------------------------------------------------------- the program
@contextlib.contextmanager
def held_before_publication(place: Installation) -> Iterator[Callable[[str], Callable[[], bool]]]:
    """Yields what waits until a credential's new value is captured and stands still; it goes on when the context ends.

    The provider answers no question about a token meanwhile, and nothing unverified is published. The wait answers a
    question: whether it still stands still.
    """
    began = len(place.sandbox.gateway.recorder.after(0))
    place.arm(operation="get", kind="status", status=503, code=10000, message="busy", times=10**6)

    def stands(name: str) -> bool:
        found = view(place, name)
        if not found or not found.rotation or found.rotation.step.value != "captured":
            return False
        asked = f"/tokens/{found.rotation.token_id}"
        rows = place.sandbox.gateway.recorder.after(began)
        return any(row["fault"] == "status" and row["path"].endswith(asked) for row in rows)

    def wait(name: str) -> Callable[[], bool]:
        until(lambda: stands(name), "a rotation that stands still before its publication")
        return lambda: stands(name)

    try:
        yield wait
    finally:
        place.heal()


def listener(place: Installation, process: Any) -> str:
    """The address where a daemon answers /metrics."""
    found = re.search(r'"listener":\s*"([^"]+)"', place.said(process))
    assert found
    return found[1]


def metric(place: Installation, process: Any, series: str) -> float | None:
    """One series of the daemon's /metrics, None where it is not."""
    with urllib.request.urlopen(f"http://{listener(place, process)}/metrics", timeout=10) as answer:
        text = answer.read().decode()
    found = re.search(rf"^{re.escape(series)} (\S+)$", text, re.MULTILINE)
    return float(found[1]) if found else None


def status(place: Installation, name: str) -> dict[str, Any]:
    """One credential of `status -o json`."""
    done = place.run("status", "-o", "json")
    return next(one for one in json.loads(done.out)["credentials"] if one["name"] == name)


def kill(process: Any) -> None:
    """SIGKILL: no goodbye."""
    process.send_signal(signal.SIGKILL)
    process.wait()


def requests(place: Installation) -> int:
    """How many requests the program has made at the provider with its management token."""
    managing = set(place.world.roles.values())
    return sum(row["actor_token_id"] in managing for row in place.sandbox.gateway.recorder.after(0))


def kill_after(place: Installation, process: Any, number: int) -> None:
    """SIGKILL once a daemon has made that many more requests at the provider, wherever it is then."""
    goal = requests(place) + number
    eventually(lambda: requests(place) >= goal)
    kill(process)


def come_to_rest(place: Installation) -> None:
    """Without a daemon: nothing is due any more, and what is open is finished, retirements included."""
    for stanza in place.document["credentials"]:
        stanza["rotation"] = {key: value for key, value in stanza["rotation"].items() if key != "every"}
    place.write()
    done = place.run("once", "--wait", "30s")
    assert done.code == 0, done.err[-3000:]


def tell(record_property: Callable[[str, object], None], *consumers: Consumer, **numbers: int) -> None:
    """Print what was counted, and leave it in the report of the test."""
    reads = sum(consumer.reads for consumer in consumers)
    dead = sum(consumer.dead for consumer in consumers)
    for name, number in {**numbers, "reads": reads, "dead_reads": dead}.items():
        record_property(name, number)
    print("; ".join([*(f"{name}={number}" for name, number in numbers.items()), *map(repr, consumers)]))
