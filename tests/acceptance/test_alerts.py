"""Every alert fires by its own trouble and is silent a scrape or two after the healing: real pages, synthetic hours.

A real daemon gets into a trouble and out of it again. Its metrics pages (before, in it, after it) are stretched over
hours and given to promtool with the shipped rules, so that nobody waits for the `for` of an alert.
"""

import json
import math
import subprocess
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.acceptance.stage import until
from tests.installation import Installation, credential

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

RULES = Path(__file__).parents[2] / "deploy" / "prometheus" / "rotator.rules.yml"
CALM, TROUBLED, HEALED = 15, 150, 10
"""Minutes of each part of the story."""

Page = dict[str, float]


def page(place: Installation) -> Page:
    """The metrics page of the running daemon: series -> value, with the time of the scrape as `now`."""
    process = place.processes[-1]
    ready = next(json.loads(line) for line in place.said(process).splitlines() if '"daemon_ready"' in line)
    with urllib.request.urlopen(f"http://{ready['listener']}/metrics", timeout=10) as answer:
        found = text_string_to_metric_families(answer.read().decode())
    series = {}
    for family in found:
        for sample in family.samples:
            labels = "".join(f', {key}="{value}"' for key, value in sorted(sample.labels.items()))
            series[f'{sample.name}{{job="r", instance="a"{labels}}}'] = sample.value
    return series


def value(seen: Page, name: str, **labels: str) -> float:
    """The largest value among the series of that name with those labels; -1 where there is none."""
    wanted = [f'{key}="{text}"' for key, text in labels.items()]
    return max(
        (v for key, v in seen.items() if key.startswith(f"{name}{{") and all(w in key for w in wanted)), default=-1
    )


def stretched(series: str, pages: tuple[Page, Page, Page]) -> str:
    """One series over the three parts, a sample a minute; a moment keeps its distance from the part that it is of."""
    parts, began = [], 0
    for seen, minutes in zip(pages, (CALM, TROUBLED, HEALED), strict=True):
        found, end = seen.get(series), minutes - 1
        if found is None:
            parts.append(f"_x{end}")
        elif math.isinf(found) or math.isnan(found):
            parts += ["+Inf"] * minutes
        elif "last_tick" in series:
            parts.append(f"{began * 60}+60x{end}")
        elif "_timestamp_seconds" in series and found > 0:
            parts.append(f"{max(1.0, began * 60 + found - seen['now'])}x{end}")
        else:
            parts.append(f"{found}x{end}")
        began += minutes
    return " ".join(parts)


def firing(promtool: Path, folder: Path, pages: tuple[Page, Page, Page], expected: set[str]) -> None:
    """Assert which alerts fire at the end of the trouble, and that none does before it and two scrapes after it."""
    names = sorted(set().union(*pages) - {"now"})
    everything = 'count by (alertname) (ALERTS{alertstate="firing"})'
    samples = [{"labels": f'{{alertname="{name}"}}', "value": 1} for name in sorted(expected)]
    story = {
        "name": "a trouble and its end",
        "interval": "1m",
        "input_series": [
            {"series": 'up{job="r", instance="a"}', "values": f"1x{CALM + TROUBLED + HEALED}"},
            *({"series": name, "values": stretched(name, pages)} for name in names),
        ],
        "promql_expr_test": [
            {"expr": everything, "eval_time": f"{CALM - 1}m", "exp_samples": []},
            {"expr": f"{everything} > bool 0", "eval_time": f"{CALM + TROUBLED - 1}m", "exp_samples": samples},
            {"expr": everything, "eval_time": f"{CALM + TROUBLED + 3}m", "exp_samples": []},
        ],
    }
    file = folder / "story.test.yml"
    file.write_text(json.dumps({"rule_files": [str(RULES)], "evaluation_interval": "1m", "tests": [story]}))
    checked = subprocess.run([promtool, "test", "rules", file], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr


@dataclass(frozen=True)
class Trouble:
    """How it begins and ends, how a page shows it, and the alerts that it raises."""

    begin: Callable[[Installation], object]
    shows: Callable[[Page], bool]
    end: Callable[[Installation], object]
    alerts: set[str]


def file(place: Installation) -> Path:
    return place.folder / "app" / ".env"


def block(place: Installation) -> None:
    """Nothing can be written where the file was; a rotation is asked for."""
    file(place).rename(place.folder / "aside")
    file(place).mkdir()
    place.run("rotate", "deploy")


def unblock(place: Installation) -> None:
    file(place).rmdir()
    (place.folder / "aside").rename(file(place))


def kill_value(place: Installation) -> None:
    """The published token is deleted by somebody, and no successor can be made."""
    place.arm(operation="create", kind="status", status=503, times=100000)
    holder = place.holder(place.value())
    assert holder is not None
    with place.world.lock:
        holder.deleted_on = place.world.clock.now()


def management(place: Installation, *, deleted_on: float | None) -> None:
    """The management token is deleted, or was never."""
    with place.world.lock:
        place.world.tokens[place.world.roles["account-management"]].deleted_on = deleted_on


def edit(place: Installation) -> None:
    (place.folder / "aside").write_bytes(file(place).read_bytes())
    file(place).write_text(file(place).read_text().replace(str(place.value()), "written-by-somebody-else"))


def put_back(place: Installation) -> None:
    file(place).write_bytes((place.folder / "aside").read_bytes())


def misspell(place: Installation) -> None:
    place.config.write_text(place.config.read_text() + "]")


TROUBLES = {
    "a target that cannot be written": Trouble(
        block,
        lambda seen: (
            value(seen, "rotator_credential_failing_since_timestamp_seconds") > 0
            and value(seen, "rotator_target_in_sync") == 0
            and value(seen, "rotator_target_writes_total", result="failed") > 0
        ),
        unblock,
        {"RotatorRotationFailing", "RotatorTargetOutOfSync", "RotatorTargetWritesFailing", "RotatorCredentialNotReady"},
    ),
    "a published value that died": Trouble(
        kill_value,
        lambda seen: (
            value(seen, "rotator_target_value_dead") == 1
            and value(seen, "rotator_credential_failing_since_timestamp_seconds") > 0
        ),
        Installation.heal,
        {"RotatorDeadValue", "RotatorRotationFailing", "RotatorCredentialNotReady", "RotatorTargetOutOfSync"},
    ),
    "a provider that answers nothing usable": Trouble(
        lambda place: place.arm(operation="any", kind="status", status=500, times=100000),
        lambda seen: value(seen, "rotator_connection_reachable") == 0,
        Installation.heal,
        {"RotatorConnectionUnreachable"},
    ),
    "a management token that was revoked": Trouble(
        lambda place: management(place, deleted_on=place.world.clock.now()),
        lambda seen: value(seen, "rotator_connection_token_accepted", role="management") == 0,
        lambda place: management(place, deleted_on=None),
        {"RotatorLoginRefused"},
    ),
    "a value of somebody else": Trouble(
        edit,
        lambda seen: value(seen, "rotator_credential_state", state="needs_operator") == 1,
        put_back,
        {"RotatorOperatorNeeded", "RotatorTargetOutOfSync", "RotatorCredentialNotReady"},
    ),
    "a configuration that is wrong": Trouble(
        misspell,
        lambda seen: value(seen, "rotator_config_last_reload_successful") == 0,
        Installation.write,
        {"RotatorConfigReloadFailed"},
    ),
}


def calm(seen: Page) -> bool:
    """Nothing is open and nothing is wrong."""
    return (
        value(seen, "rotator_credential_state", state="idle") == 1
        and value(seen, "rotator_credential_ready") == 1
        and value(seen, "rotator_target_in_sync") == 1
        and value(seen, "rotator_targets_failing") == 0
        and value(seen, "rotator_target_value_dead") == 0
        and value(seen, "rotator_connection_reachable") == 1
        and value(seen, "rotator_connection_token_accepted", role="management") == 1
        and value(seen, "rotator_token_quota_used") > 0
        and value(seen, "rotator_connection_token_expiration_timestamp_seconds", role="management") > 0
        and value(seen, "rotator_config_last_reload_successful") == 1
        and value(seen, "rotator_audit_export_lag_facts") <= 0
    )


@pytest.fixture
def place(tmp_path: Path, opened: Callable[..., Installation]) -> Installation:
    """A daemon with one credential of 90 days, published."""
    made = opened(tmp_path, credential(lifetime="90d", rotation={"grace": "0s", "quiet": "1s", "soak": "0s"}))
    made.daemon()
    return made


def without_a_folder(place: Installation) -> None:
    """The folder of the audit export is away, and there is something to export."""
    (place.folder / "logs").rename(place.folder / "aside")
    assert place.run("rotate", "deploy").code == 0


DEAD_SINK = Trouble(
    without_a_folder,
    lambda seen: (
        value(seen, "rotator_audit_export_lag_facts", sink="siem") > 0
        and value(seen, "rotator_events_total", event="audit_export_failed") > 0  # it was tried
        and value(seen, "rotator_rotations_total", result="confirmed") == 2
        and value(seen, "rotator_credential_state", state="idle") == 1
    ),
    lambda place: (place.folder / "aside").rename(place.folder / "logs"),
    {"RotatorAuditExportLags"},
)


def test_a_sink_that_takes_nothing_fires_its_alert_and_holds_up_no_rotation(opened, promtool, tmp_path):
    (tmp_path / "logs").mkdir()
    sink = {"name": "siem", "type": "file", "path": "logs/audit.jsonl"}
    stanza = credential(lifetime="90d", rotation={"grace": "0s", "quiet": "1s", "soak": "0s"})
    made = opened(tmp_path, stanza, audit=[sink])
    made.daemon()
    story(made, promtool, tmp_path, "a dead sink", DEAD_SINK)
    until(lambda: '"audit_export_resumed"' in made.said(made.processes[-1]), "the word that it goes on")


@pytest.mark.parametrize("name", TROUBLES)
def test_an_alert_fires_by_its_trouble_and_is_silent_after_the_healing(place, promtool, tmp_path, name):
    story(place, promtool, tmp_path, name, TROUBLES[name])


def story(place: Installation, promtool: Path, tmp_path: Path, name: str, trouble: Trouble) -> None:
    """Tell a trouble, from before it until after it, and what fires meanwhile."""
    pages: list[Page] = []

    def shown(good: Callable[[Page], bool]) -> bool:
        seen = page(place)
        seen["now"] = place.world.clock.now()
        pages[-1:] = [seen]
        return good(seen)

    pages.append({})
    until(lambda: shown(calm), "a calm page")
    pages.append({})
    trouble.begin(place)
    until(lambda: shown(trouble.shows), name)
    pages.append({})
    trouble.end(place)
    until(lambda: shown(calm), f"the end of {name}", 100)

    firing(promtool, tmp_path, (pages[0], pages[1], pages[2]), trouble.alerts)
