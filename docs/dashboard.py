"""The Grafana dashboard `deploy/grafana/rotator.json`, out of a table of panels: `make docs` writes it.

`dashboard()` has no effect, so that a test can hold the committed file against it, and every query of `PANELS` against
what a daemon really exports.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

FILE: Final = Path(__file__).parents[1] / "deploy/grafana/rotator.json"

_ALL: Final = 'job=~"$job"'
_ONE: Final = f'{_ALL}, credential=~"$credential"'
_DATASOURCE: Final = {"type": "prometheus", "uid": "${datasource}"}
_COLUMNS: Final = 24
_HEIGHT: Final = 7


@dataclass(frozen=True, slots=True)
class Query:
    """A PromQL expression, and how its series are called in the legend."""

    expression: str
    legend: str = ""


@dataclass(frozen=True, slots=True)
class Panel:
    """One picture: what it is called, what it answers, its queries, and at which value it becomes red."""

    title: str
    question: str
    queries: tuple[Query, ...]
    kind: Literal["stat", "timeseries"] = "timeseries"
    unit: str = "short"
    width: int = 12
    bad: float | None = None


def _count(title: str, question: str, expression: str) -> Panel:
    return Panel(title, question, (Query(expression),), kind="stat", width=4, bad=1)


ROWS: Final[tuple[tuple[str, tuple[Panel, ...]], ...]] = (
    (
        "What needs somebody",
        (
            _count("Not ready", "How many have no live value?", f"sum(rotator_credentials_not_ready{{{_ALL}}})"),
            _count(
                "Need an operator",
                "How many wait for a decision?",
                f'sum(rotator_credentials{{{_ALL}, state="needs_operator"}})',
            ),
            _count("Failing", "How many try again?", f'sum(rotator_credentials{{{_ALL}, state="failing"}})'),
            _count("Dead values", "At how many targets?", f"sum(rotator_target_value_dead{{{_ALL}}})"),
            _count(
                "Unreachable connections",
                "How many did not answer last time?",
                f"sum(1 - rotator_connection_reachable{{{_ALL}}})",
            ),
            _count("Journals not readable", "On how many daemons?", f"sum(1 - rotator_journal_readable{{{_ALL}}})"),
        ),
    ),
    (
        "Credentials",
        (
            Panel(
                "States",
                "How many credentials are in which state?",
                (Query(f"sum by (state) (rotator_credentials{{{_ALL}}})", "{{state}}"),),
            ),
            Panel(
                "Time to expiry",
                "Which ends first?",
                (
                    Query(
                        "bottomk(10, max by (credential) "
                        f"(rotator_credential_expiration_timestamp_seconds{{{_ONE}}}) - time())",
                        "{{credential}}",
                    ),
                ),
                unit="s",
            ),
            Panel(
                "Time to renewal",
                "Which is rotated next? Below zero: overdue.",
                (
                    Query(
                        "bottomk(10, max by (credential) "
                        f"(rotator_credential_renewal_timestamp_seconds{{{_ONE}}}) - time())",
                        "{{credential}}",
                    ),
                ),
                unit="s",
            ),
            Panel(
                "Rotations",
                "What ended, and how?",
                (
                    Query(
                        f"sum by (result) (increase(rotator_rotations_total{{{_ONE}}}[$__rate_interval]))", "{{result}}"
                    ),
                ),
            ),
            Panel(
                "Dead seconds",
                "How long did a dead value stand somewhere?",
                (
                    Query(
                        "sum by (credential, target) "
                        f"(increase(rotator_dead_value_seconds_total{{{_ONE}}}[$__rate_interval]))",
                        "{{credential}} at {{target}}",
                    ),
                ),
                unit="s",
            ),
            Panel(
                "Duration of a rotation",
                "How long from planned to confirmed?",
                (
                    Query(
                        f"sum(rotator_rotation_duration_seconds_sum{{{_ALL}}}) / "
                        f"clamp_min(sum(rotator_rotation_duration_seconds_count{{{_ALL}}}), 1)",
                        "mean",
                    ),
                ),
                unit="s",
            ),
            Panel(
                "Retirements",
                "At which step do old tokens stand?",
                (Query(f"sum by (state) (rotator_retirements{{{_ALL}}})", "{{state}}"),),
            ),
            Panel(
                "What a retirement waits for",
                "Why does an old token still live?",
                (Query(f"sum by (reason) (rotator_retirement_blocked{{{_ONE}}})", "{{reason}}"),),
            ),
        ),
    ),
    (
        "Targets",
        (
            Panel(
                "Out of sync",
                "Which targets do not hold the current value?",
                (
                    Query(
                        f"sum by (credential, target) (1 - rotator_target_in_sync{{{_ONE}}})",
                        "{{credential}} at {{target}}",
                    ),
                ),
            ),
            Panel(
                "Writes",
                "Do publications succeed?",
                (
                    Query(
                        f"sum by (target_type, result) (rate(rotator_target_writes_total{{{_ALL}}}[$__rate_interval]))",
                        "{{target_type}} {{result}}",
                    ),
                ),
                unit="ops",
            ),
        ),
    ),
    (
        "Connections",
        (
            Panel(
                "Reachable",
                "Did each connection answer last time?",
                (Query(f"min by (connection) (rotator_connection_reachable{{{_ALL}}})", "{{connection}}"),),
            ),
            Panel(
                "Requests",
                "What is asked, and what is answered?",
                (
                    Query(
                        "sum by (connection, status) "
                        f"(rate(rotator_provider_requests_total{{{_ALL}}}[$__rate_interval]))",
                        "{{connection}} {{status}}",
                    ),
                ),
                unit="reqps",
            ),
            Panel(
                "Budget left",
                "How near is the rate limit?",
                (Query(f"min by (connection) (rotator_rate_limit_remaining_requests{{{_ALL}}})", "{{connection}}"),),
            ),
            Panel(
                "Orphans",
                "How many tokens of ours does nothing own?",
                (Query(f"max by (connection) (rotator_orphans{{{_ALL}}})", "{{connection}}"),),
            ),
        ),
    ),
    (
        "The process",
        (
            Panel(
                "Since the last tick",
                "Does the loop live?",
                (Query(f"time() - rotator_scheduler_last_tick_timestamp_seconds{{{_ALL}}}", "{{instance}}"),),
                unit="s",
            ),
            Panel(
                "Memory",
                "How much does the process hold?",
                (Query(f"process_resident_memory_bytes{{{_ALL}}}", "{{instance}}"),),
                unit="bytes",
            ),
            Panel(
                "Processor",
                "How many cores does it use?",
                (Query(f"rate(process_cpu_seconds_total{{{_ALL}}}[$__rate_interval])", "{{instance}}"),),
            ),
            Panel(
                "Open files",
                "How near is the limit?",
                (Query(f"process_open_fds{{{_ALL}}} / process_max_fds{{{_ALL}}}", "{{instance}}"),),
                unit="percentunit",
            ),
        ),
    ),
)
"""What is shown, row by row."""

PANELS: Final = tuple(panel for _, panels in ROWS for panel in panels)


def dashboard() -> str:
    """Return the dashboard as Grafana's JSON, the same text each time."""
    panels: list[dict[str, Any]] = []
    top = 0
    for title, row in ROWS:
        panels.append(
            {
                "id": len(panels) + 1,
                "type": "row",
                "title": title,
                "collapsed": False,
                "panels": [],
                "gridPos": {"h": 1, "w": _COLUMNS, "x": 0, "y": top},
            }
        )
        left, top = 0, top + 1
        for panel in row:
            if left + panel.width > _COLUMNS:
                left, top = 0, top + _HEIGHT
            panels.append(_panel(panel, len(panels) + 1, {"h": _HEIGHT, "w": panel.width, "x": left, "y": top}))
            left += panel.width
        top += _HEIGHT
    return json.dumps(_frame(panels), indent=2) + "\n"


def _frame(panels: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "uid": "rotator",
        "title": "rotator",
        "description": "Generated by `make docs`; change docs/dashboard.py instead.",
        "tags": ["rotator"],
        "schemaVersion": 39,
        "editable": True,
        "refresh": "1m",
        "time": {"from": "now-24h", "to": "now"},
        "timezone": "",
        "templating": {
            "list": [
                {"name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus"},
                _variable("job", "Job", "label_values(rotator_build_info, job)"),
                _variable("credential", "Credential", 'label_values(rotator_credential_info{job=~"$job"}, credential)'),
            ]
        },
        "panels": panels,
    }


def _variable(name: str, label: str, query: str) -> dict[str, Any]:
    return {
        "name": name,
        "label": label,
        "type": "query",
        "datasource": _DATASOURCE,
        "query": {"query": query, "refId": name},
        "refresh": 2,
        "includeAll": True,
        "allValue": ".+",
        "multi": True,
        "current": {"text": "All", "value": "$__all"},
    }


def _panel(panel: Panel, number: int, place: dict[str, int]) -> dict[str, Any]:
    steps: list[dict[str, Any]] = [{"color": "green", "value": None}]
    if panel.bad is not None:
        steps.append({"color": "red", "value": panel.bad})
    return {
        "id": number,
        "type": panel.kind,
        "title": panel.title,
        "description": panel.question,
        "datasource": _DATASOURCE,
        "gridPos": place,
        "fieldConfig": {
            "defaults": {"unit": panel.unit, "thresholds": {"mode": "absolute", "steps": steps}},
            "overrides": [],
        },
        "targets": [
            {
                "refId": chr(ord("A") + index),
                "datasource": _DATASOURCE,
                "expr": query.expression,
                "legendFormat": query.legend or "__auto",
                "instant": panel.kind == "stat",
                "range": panel.kind != "stat",
            }
            for index, query in enumerate(panel.queries)
        ],
    }


def write() -> None:
    """Write the file."""
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_text(dashboard())
