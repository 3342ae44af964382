"""What the tests of metrics share."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from rotator.core.credential import State
from rotator.core.events import Event
from rotator.core.status import CredentialStatus, TargetStatus
from rotator.observability.connection_samples import ConnectionRow
from rotator.observability.metrics import Metrics

TARGETS = (
    TargetStatus(name="vault:ci", type="vault", required=True, in_sync=True, generation=3, ends=1.7e9),
    TargetStatus(name="file", type="env_file", required=False, in_sync=None, generation=0),
)


IDLE = CredentialStatus(
    name="dns",
    connection="prod",
    owner="account",
    strategy="recreate",
    state=State.IDLE,
    ready=True,
    generation=3,
    token_id="0123456789abcdef0123456789abcdef",
    token_name="dns~i.r.1.1",
    expires_on=1800000000.0,
    next_rotation=1790000000.0,
    rotation_deadline=1799999000.0,
    last_success=1780000000.0,
    next_attempt=None,
    failing_since=None,
    rotation=None,
    retirements=(),
    paused=None,
    needs_operator=None,
    message="",
    targets=TARGETS,
)


NEW = dataclasses.replace(
    IDLE,
    state=State.UNINITIALIZED,
    ready=False,
    generation=0,
    expires_on=None,
    next_rotation=None,
    rotation_deadline=None,
    last_success=None,
)


class Clock:
    """Both clocks of a page."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


class Page:
    """A page over statuses that the test may change, with every sample by name and labels."""

    def __init__(self, *statuses: CredentialStatus, rows: Sequence[ConnectionRow] = (), **options: Any) -> None:
        self.statuses, self.rows, self.clock = list(statuses), list(rows), Clock()
        self.looks, self.lost, self.error = 0, 0, None
        self.metrics = Metrics(
            self._look,
            lambda: self.rows,
            version="1.2.3",
            dropped=lambda: self.lost,
            now=self.clock,
            monotonic=self.clock,
            **options,
        )

    def _look(self) -> list[CredentialStatus]:
        self.looks += 1
        if self.error is not None:
            raise self.error
        return self.statuses

    def say(self, event: Event, **fields: object) -> None:
        self.metrics.observe_event(event, fields)

    def scrape(self) -> Mapping[str, float]:
        self.clock.seconds += 10
        found: dict[str, float] = {}
        for family in text_string_to_metric_families(self.metrics.render().decode()):
            for sample in family.samples:
                labels = ",".join(f"{key}={value}" for key, value in sorted(sample.labels.items()))
                key = f"{sample.name}{{{labels}}}" if labels else sample.name
                assert key not in found, f"{key} stands twice on the page"
                found[key] = sample.value
        return found


def names(samples: Mapping[str, float]) -> set[str]:
    return {key.split("{")[0] for key in samples}
