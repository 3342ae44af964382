"""Every metric by name, type, labels, meaning and the alert that watches it; the reference page is made from it.

Timestamps are absolute unix seconds: subtract `time()` in a query. Labels come from the configuration and from closed
lists, never from a provider: no token ids, no error texts.
"""

from __future__ import annotations

from typing import Final

from rotator.observability.families.connection import CONNECTION
from rotator.observability.families.credential import CREDENTIAL
from rotator.observability.families.family import Family as Family
from rotator.observability.families.fleet import FLEET
from rotator.observability.families.process import PROCESS

FAMILIES: Final = (*CREDENTIAL, *FLEET, *CONNECTION, *PROCESS)
"""In the order of the page."""


def metrics_reference() -> list[dict[str, str]]:
    """Return one row per metric (name, type, labels, meaning, alert), in the order of the page, for the docs."""
    return [
        {
            "name": family.name,
            "type": family.kind,
            "labels": ", ".join(family.labels),
            "meaning": family.meaning,
            "alert": ", ".join(family.alerts),
        }
        for family in FAMILIES
    ]
