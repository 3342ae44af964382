"""The pages of what an operator watches: metrics and log events."""

from __future__ import annotations

from docs.pages.markdown import code, sentence, table


def metrics() -> str:
    """Return the page of the metrics, from their table."""
    from rotator.observability.families import metrics_reference
    from rotator.observability.process import PROCESS

    rows = []
    for row in metrics_reference():
        labels = ", ".join(code(label) for label in row["labels"].split(", ") if label)
        alerts = ", ".join(_runbook(alert) for alert in row["alert"].split(", ") if alert)
        rows.append((code(row["name"]), row["type"], labels, row["meaning"], alerts))
    return (
        "# Metrics reference\n\n"
        "Scraped at `/metrics`.\n"
        "Times are absolute unix seconds; subtract `time()` in a query.\n"
        "Labels come from the configuration and from closed lists, never from a provider.\n"
        "The alerts stand in `deploy/prometheus/rotator.rules.yml`; each links to what to do.\n"
        f"On Linux the page also has {', '.join(map(code, PROCESS))}, as every exporter has them.\n"
        "`deploy/grafana/rotator.json` is a dashboard of it.\n\n"
        + table(("metric", "type", "labels", "meaning", "watched by"), rows)
    )


def _runbook(alert: str) -> str:
    return f"[{alert}](../operations.md#{alert.lower()})"


def events() -> str:
    """Return the page of the log's events, from their enumeration."""
    from rotator.core.events import Event

    rows = [(code(event.value), event.level, sentence(event.text)) for event in Event]
    return (
        "# Log event reference\n\n"
        "Every line on standard error is one JSON object (or, on a terminal, one readable line)"
        " with `timestamp`, `level` and `event`.\n"
        "Where they apply it also has `credential`, `rotation`, `target`, `connection`, `step` and `attempt`.\n"
        "The list is closed, and `rotator_events_total` counts each.\n"
        "No value ever stands in a line; a known one that got there all the same is scrubbed.\n\n"
        + table(("event", "level", "meaning"), rows)
    )
