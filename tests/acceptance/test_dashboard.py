"""Every query of the dashboard finds something on the page of a real daemon, calm or in trouble.

The page is given to promtool, which evaluates the queries with the engine of Prometheus.
"""

import json
import math
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from docs.dashboard import PANELS
from tests.acceptance.stage import until
from tests.acceptance.test_alerts import TROUBLES, Page, calm, page
from tests.installation import Installation, credential

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

MINUTES = 10


def asked(expression: str) -> str:
    """A query as Grafana sends it, with everything chosen."""
    return expression.replace("$job", ".+").replace("$credential", ".+").replace("$__rate_interval", f"{MINUTES // 2}m")


def standing(number: float) -> str:
    """A value that stays, once a minute; promtool repeats no infinity by itself."""
    return f"{number}x{MINUTES}" if math.isfinite(number) else " ".join(["+Inf"] * (MINUTES + 1))


def find_something(promtool: Path, folder: Path, seen: Page) -> subprocess.CompletedProcess[str]:
    """Ask every query of the dashboard about a page that stood for ten minutes."""
    one = [{"labels": "{}", "value": 1}]
    expressions = [query.expression for panel in PANELS for query in panel.queries]
    story = {
        "name": "the dashboard",
        "interval": "1m",
        "input_series": [{"series": name, "values": standing(number)} for name, number in seen.items()],
        "promql_expr_test": [
            {"expr": f"count({asked(expression)}) > bool 0", "eval_time": f"{MINUTES}m", "exp_samples": one}
            for expression in expressions
        ],
    }
    file = folder / "dashboard.test.yml"
    file.write_text(json.dumps({"rule_files": [], "evaluation_interval": "1m", "tests": [story]}))
    return subprocess.run([promtool, "test", "rules", file], capture_output=True, text=True, check=False)


def test_no_panel_is_empty_calm_or_in_trouble(
    tmp_path: Path, opened: Callable[..., Installation], promtool: Path
) -> None:
    place = opened(tmp_path, credential(lifetime="90d", rotation={"grace": "0s", "quiet": "1s", "soak": "0s"}))
    place.daemon()
    trouble = TROUBLES["a provider that answers nothing usable"]
    seen: list[Page] = []

    def shows(state: Callable[[Page], bool]) -> bool:
        seen[:] = [page(place)]
        return state(seen[0])

    until(lambda: shows(calm), "a calm page")
    found = find_something(promtool, tmp_path, seen[0])
    assert found.returncode == 0, found.stdout + found.stderr

    without = {name: number for name, number in seen[0].items() if not name.startswith("process_open_fds{")}
    assert "process_open_fds" in find_something(promtool, tmp_path, without).stderr, "an empty panel is found"

    trouble.begin(place)
    until(lambda: shows(trouble.shows), "the trouble")
    found = find_something(promtool, tmp_path, seen[0])
    assert found.returncode == 0, found.stdout + found.stderr
