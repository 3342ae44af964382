"""What is said of a metric: name, type, labels, meaning, alerts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["gauge", "counter", "histogram"]


@dataclass(frozen=True, slots=True)
class Family:
    """One metric: its name as it is scraped, type, labels, what it means, and the alerts that watch it."""

    name: str
    kind: Kind
    labels: tuple[str, ...]
    meaning: str
    alerts: tuple[str, ...] = ()
