"""The alerts: promtool evaluates the rules' own tests, and rules, tests and metrics know the same names."""

import re
import subprocess
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from rotator.core.credential import State
from rotator.core.status import CredentialStatus, OpenRetirement, TargetStatus
from rotator.observability.connection_samples import ConnectionRow
from rotator.observability.families import FAMILIES
from rotator.observability.metrics import Metrics

FOLDER = Path(__file__).parents[2] / "deploy" / "prometheus"
RULES = FOLDER / "rotator.rules.yml"
TESTS = (FOLDER / "rotator.rules.test.yml", FOLDER / "rotator.rules.days.test.yml")


def rules() -> list[dict]:
    return [rule for group in YAML(typ="safe").load(RULES)["groups"] for rule in group["rules"]]


def moments() -> list[dict]:
    return [
        moment
        for path in TESTS
        for test in YAML(typ="safe").load(path)["tests"]
        for moment in test.get("promql_expr_test", [])
    ]


def test_the_rules_are_valid(promtool: Path) -> None:
    checked = subprocess.run([promtool, "check", "rules", RULES], capture_output=True, text=True)

    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.slow
def test_every_alert_fires_when_it_should_and_not_before(promtool: Path) -> None:
    checked = subprocess.run([promtool, "test", "rules", *TESTS], capture_output=True, text=True)

    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_a_rendered_page_follows_prometheus_own_advice(promtool: Path) -> None:
    status = CredentialStatus(
        name='odd "name"\\ü',
        connection="prod",
        owner="account",
        strategy="recreate",
        state=State.IDLE,
        ready=True,
        generation=1,
        token_id="t",
        token_name="n",
        expires_on=2e9,
        next_rotation=float("inf"),
        rotation_deadline=2e9,
        last_success=1e9,
        next_attempt=None,
        failing_since=None,
        rotation=None,
        retirements=(OpenRetirement(token_id="o", step="open", until=None, blocked="grace", last_used_on=None),),
        paused=None,
        needs_operator=None,
        message="",
        targets=(TargetStatus(name="vault:a", type="vault", required=True, in_sync=True, generation=1),),
    )
    row = ConnectionRow(
        name="prod",
        reachable=True,
        rate_remaining=1,
        token_expires_on={"management": float("inf")},
        quota_used=1,
        quota_limit=50,
    )
    page = Metrics(lambda: [status], lambda: [row], version="1").render()

    checked = subprocess.run([promtool, "check", "metrics"], input=page, capture_output=True)

    assert (checked.returncode, checked.stdout, checked.stderr) == (0, b"", b"")


def test_every_alert_has_a_moment_at_which_it_fires_and_one_at_which_it_does_not() -> None:
    fires, rests = set(), set()
    for moment in moments():
        for name in re.findall(r'alertname=~?"([^"]+)"', moment["expr"]):
            (fires if moment["exp_samples"] else rests).update(name.split("|"))
    alerts = {rule["alert"] for rule in rules()}

    # The management token's first stage is its own rest: the severity that does not fire yet.
    assert (alerts - fires, alerts - rests - {"RotatorManagementTokenExpiring"}) == (set(), set())


def test_metrics_and_alerts_name_each_other() -> None:
    alerts = {rule["alert"]: set(re.findall(r"\brotator_[a-z_]+", rule["expr"])) for rule in rules()}
    documented = {alert for family in FAMILIES for alert in family.alerts}
    known = {family.name for family in FAMILIES}

    assert documented == set(alerts)
    assert set().union(*alerts.values()) <= known
    for family in FAMILIES:
        assert set(family.alerts) == {name for name, metrics in alerts.items() if family.name in metrics}, family.name


def test_every_alert_says_how_bad_it_is_what_is_wrong_and_what_to_do() -> None:
    for rule in rules():
        assert re.fullmatch("Rotator([A-Z][a-z]+)+", rule["alert"])
        assert rule["labels"]["severity"] in {"critical", "warning"}
        assert set(rule["annotations"]) == {"summary", "description", "runbook"}
