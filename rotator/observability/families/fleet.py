"""Metrics of all credentials together; exported at every fleet size."""

from __future__ import annotations

from typing import Final

from rotator.observability.families.family import Family

FLEET: Final = (
    Family(
        "rotator_credentials",
        "gauge",
        ("state",),
        "Credentials in each state; exported at every fleet size.",
        ("RotatorFleetNeedsAttention", "RotatorMetricsAbsent"),
    ),
    Family(
        "rotator_credentials_not_ready",
        "gauge",
        (),
        "Managed credentials without a live value at every required target; exported at every fleet size.",
        ("RotatorFleetNeedsAttention", "RotatorMetricsAbsent"),
    ),
    Family(
        "rotator_rotation_duration_seconds",
        "histogram",
        (),
        "From planned to confirmed; republications are not counted.",
    ),
    Family(
        "rotator_target_writes_total",
        "counter",
        ("target_type", "result"),
        "Publications at targets: written, failed (before the write or in it), or unknown (sent, and no answer came).",
    ),
    Family(
        "rotator_after_publish_total",
        "counter",
        ("result",),
        "Times that the hooks of a target ran after a publication: done, or failed (and tried again).",
    ),
    Family(
        "rotator_targets_failing",
        "gauge",
        ("target_type",),
        "Targets whose last check, write or read failed; exported at every fleet size.",
        ("RotatorTargetWritesFailing",),
    ),
    Family(
        "rotator_credentials_restored",
        "gauge",
        (),
        "Credentials that are ahead of the journal, which was lost or restored, until an operator confirms it.",
        ("RotatorIncident",),
    ),
    Family("rotator_retirements", "gauge", ("state",), "Open retirements by the step that they stand at."),
)
