"""What `deploy/` has for Kubernetes: values that make sense, pods that may do nothing, configurations that load.

`make test-deploy` renders the chart and holds `deploy/kubernetes/` against it.
"""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator
from ruamel.yaml import YAML

from rotator import __version__
from rotator.config.load import load
from rotator.registry import kinds

ROOT = Path(__file__).parents[3]
CHART = ROOT / "deploy/helm/rotator"
KUSTOMIZE = ROOT / "deploy/kubernetes"
VARIANTS = ("single", "replicas")


def read(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = YAML(typ="safe", pure=True).load(path.read_text())
    return found


def wrong(values: dict[str, Any]) -> list[str]:
    schema = json.loads((CHART / "values.schema.json").read_text())
    Draft7Validator.check_schema(schema)
    return [error.json_path for error in Draft7Validator(schema).iter_errors(values)]


def test_the_values_of_the_chart_fit_their_schema() -> None:
    assert wrong(read(CHART / "values.yaml")) == []


def test_every_value_of_the_chart_is_in_its_schema() -> None:
    schema = json.loads((CHART / "values.schema.json").read_text())

    assert set(schema["properties"]) - {"global"} == set(read(CHART / "values.yaml"))


@pytest.mark.parametrize(
    "place, value",
    [
        ("mode", "cluster"),
        ("replicas", 0),
        ("schedule", "every hour"),
        ("existingSecret", ""),
        ("existingConfigMap", "Not A Name"),
        ("image.digest", "sha256:1234"),
        ("image.pullPolicy", "Sometimes"),
        ("persistence.size", "much"),
        ("service.port", 99999),
        ("networkPolicy.egressPorts", []),
        ("vaultToken.expirationSeconds", 1),
        ("serviceMonitor.interval", "often"),
        ("podLabels.team", 5),
        ("securityContext", {"runAsUser": 0}),
        ("image.repo", "misspelt"),
    ],
)
def test_a_value_that_makes_no_sense_is_refused(place: str, value: object) -> None:
    values = deepcopy(read(CHART / "values.yaml"))
    *folders, name = place.split(".")
    node = values
    for folder in folders:
        node = node[folder]
    node[name] = value

    assert wrong(values)


def test_the_chart_says_the_version_of_the_program() -> None:
    chart = read(CHART / "Chart.yaml")

    assert (chart["version"], chart["appVersion"]) == (__version__, __version__)


def test_the_chart_ships_the_alerts_of_the_program() -> None:
    shipped = ROOT / "deploy/prometheus/rotator.rules.yml"

    assert (CHART / "files/rotator.rules.yml").resolve() == shipped.resolve()


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_configuration_of_a_variant_is_right(variant: str) -> None:
    config = load(KUSTOMIZE / variant / "rotator.yaml", kinds())

    assert config.warnings == ()
    assert config.state.url.startswith({"single": "sqlite:////var/lib/rotator/", "replicas": "postgresql://"}[variant])


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_pod_fits_the_restricted_standard_and_writes_to_its_state_alone(variant: str) -> None:
    pod = read(KUSTOMIZE / variant / "statefulset.yaml")["spec"]["template"]["spec"]
    (container,) = pod["containers"]

    assert pod["automountServiceAccountToken"] is False
    assert pod["terminationGracePeriodSeconds"] > 30
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "readOnlyRootFilesystem": True,
        "runAsNonRoot": True,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    assert {v["secret"]["defaultMode"] for v in pod["volumes"] if "secret" in v} == {0o440}
    assert {m["mountPath"] for m in container["volumeMounts"] if not m.get("readOnly")} == {"/var/lib/rotator"}


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_state_of_a_pod_outlives_it(variant: str) -> None:
    workload = read(KUSTOMIZE / variant / "statefulset.yaml")["spec"]
    (claim,) = workload["volumeClaimTemplates"]
    (container,) = workload["template"]["spec"]["containers"]

    assert claim["spec"]["accessModes"] == ["ReadWriteOnce"]
    assert {"name": claim["metadata"]["name"], "mountPath": "/var/lib/rotator"} in container["volumeMounts"]
    assert set(workload["persistentVolumeClaimRetentionPolicy"].values()) == {"Retain"}


def test_one_daemon_has_the_journal_and_replicas_are_evicted_one_by_one() -> None:
    budget = read(KUSTOMIZE / "replicas/poddisruptionbudget.yaml")["spec"]

    assert read(KUSTOMIZE / "single/statefulset.yaml")["spec"]["replicas"] == 1
    assert budget["maxUnavailable"] == 1
    assert budget["selector"] == read(KUSTOMIZE / "replicas/statefulset.yaml")["spec"]["selector"]
