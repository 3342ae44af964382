"""What is counted from the stream of events and requests: pure sums in memory, from zero at every start of the process.

Every label value is checked against a closed list here, so that nothing a provider says can become a series. Which of
the sums are shown is not decided here.
"""

from __future__ import annotations

import re
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from rotator.core.events import Event

TRIES: Final = ("sent", "failed", "put_aside")
"""What may come of a try to send a notification."""

RESULTS: Final = ("confirmed", "displaced", "republished")
"""How a rotation ends; closed."""

WRITES: Final = ("written", "failed", "unknown")
"""How a publication at one target ends; closed."""

HOOKS: Final = ("done", "failed")
"""How what follows a publication ends at one target; closed."""

RENEWALS: Final = ("renewed", "failed")
"""How a renewal of a management token ends; closed."""

OPERATIONS: Final = (
    "create",
    "get",
    "list",
    "update",
    "roll",
    "delete",
    "verify",
    "permission_groups",
    "zones",
    "accounts",
    "other",
)
"""What a provider is asked for; closed."""

STATUSES: Final = ("200", "429", "lost", "unsent")
"""Statuses that stand at 0 from the start; any other HTTP status appears with its first answer."""

BUCKETS: Final = (1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1200.0, 1800.0, 3600.0)
"""Upper bounds of the duration of a rotation in seconds."""

_STATUS: Final = re.compile(r"[1-5][0-9][0-9]\Z", re.ASCII)
_ENDS: Final = frozenset({Event.ROTATION_CONFIRMED, Event.VALUE_ADOPTED})

Place = tuple[str, str]
"""Name of a credential and of one of its targets."""


class Tally:
    """Sums. Safe to share between threads."""

    def __init__(
        self, places: Callable[[str], Mapping[str, str]], monotonic: Callable[[], float], strategy: Callable[[str], str]
    ) -> None:
        """Start at zero.

        Args:
            places: the targets of a credential by name, each with its type; empty for an unknown credential.
            monotonic: a clock in seconds that never goes back.
            strategy: the strategy of a credential that already has a value, else empty.
        """
        self._places = places
        self._monotonic = monotonic
        self._strategy = strategy
        self._lock = threading.Lock()
        self._dead_since: dict[Place, float] = {}
        self._dead: dict[Place, float] = {}
        self.events: Counter[str] = Counter()
        self.rotations: Counter[tuple[str, str]] = Counter()
        self.writes: Counter[tuple[str, str]] = Counter()
        self.hooks: Counter[str] = Counter()
        self.requests: Counter[tuple[str, str, str]] = Counter()
        self.renewals: Counter[tuple[str, str, str]] = Counter()
        self.durations = [0] * (len(BUCKETS) + 1)
        self.duration_sum = 0.0

    def observe(self, event: Event, fields: Mapping[str, object]) -> None:
        """Count one event; fields that are absent or of another type count as nothing."""
        credential, target = _text(fields, "credential"), _text(fields, "target")
        strategy = _text(fields, "strategy")
        with self._lock:
            self.events[event.value] += 1
            match event:
                case Event.ROTATION_CONFIRMED:
                    healed = strategy == "republish"
                    self.rotations[credential, "republished" if healed else "confirmed"] += 1
                    if not healed:
                        self._duration(fields.get("duration"))
                case Event.ROTATION_DISPLACED:
                    self.rotations[credential, "displaced"] += 1
                case Event.TARGET_WRITTEN | Event.TARGET_FAILED | Event.OUTCOME_UNKNOWN if target and _writing(fields):
                    kind = _text(fields, "target_type") or self._places(credential).get(target, "other")
                    self.writes[kind, _WRITE[event]] += 1
                case Event.HOOKS_DONE:
                    self.hooks["done"] += 1
                case Event.HOOK_FAILED:
                    self.hooks["failed"] += 1
                case Event.LOGIN_RENEWED | Event.LOGIN_UNRENEWED if role := _text(fields, "role"):
                    result = "renewed" if event is Event.LOGIN_RENEWED else "failed"
                    self.renewals[_text(fields, "connection"), role, result] += 1
                case _:
                    pass
            self._life(event, credential, target, strategy)

    def request(self, connection: str, operation: str, status: str) -> None:
        """Count one request to a provider; `status` is the HTTP status as text, `unsent` or `lost`."""
        known = status if status in STATUSES or _STATUS.match(status) else "other"
        with self._lock:
            self.requests[connection, operation if operation in OPERATIONS else "other", known] += 1

    def dead_seconds(self) -> Mapping[Place, float]:
        """Return the seconds of each place with a dead value, those that still run included."""
        with self._lock:
            now = self._monotonic()
            found = dict(self._dead)
            for place, since in self._dead_since.items():
                found[place] = found.get(place, 0.0) + now - since
            return found

    def dead_now(self) -> frozenset[Place]:
        """Return the places at which a dead value is known to stand."""
        with self._lock:
            return frozenset(self._dead_since)

    def _life(self, event: Event, credential: str, target: str, strategy: str) -> None:
        published = self._strategy(credential)
        rolled = event is Event.ROTATION_CAPTURED and published and (strategy or published) == "roll"
        if event is Event.VALUE_DEAD or rolled:  # a roll kills the value that stands at every target
            now = self._monotonic()
            for name in self._meant(credential, target):
                self._dead_since.setdefault((credential, name), now)
        elif event in _ENDS or (event is Event.TARGET_WRITTEN and target):
            now = self._monotonic()
            ended = [p for p in self._dead_since if p[0] == credential and target in ("", p[1])]
            for place in ended:
                self._dead[place] = self._dead.get(place, 0.0) + now - self._dead_since.pop(place)

    def _meant(self, credential: str, target: str) -> Iterable[str]:
        return (target,) if target else tuple(self._places(credential))

    def _duration(self, given: object) -> None:
        if not isinstance(given, int | float) or not 0 <= given < float("inf"):
            return
        index = next((i for i, bound in enumerate(BUCKETS) if given <= bound), len(BUCKETS))
        self.durations[index] += 1
        self.duration_sum += float(given)


_WRITE: Final[Mapping[Event, str]] = {
    Event.TARGET_WRITTEN: "written",
    Event.TARGET_FAILED: "failed",
    Event.OUTCOME_UNKNOWN: "unknown",
}


def _writing(fields: Mapping[str, object]) -> bool:
    """Whether it was a write that ended, or was refused before it began; `act` says what was being done."""
    return _text(fields, "act") in ("", "write", "check")


def _text(fields: Mapping[str, object], key: str) -> str:
    found = fields.get(key)
    return found if isinstance(found, str) else ""
