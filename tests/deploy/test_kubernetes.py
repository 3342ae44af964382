"""The chart as Helm's own engine renders it, and `deploy/kubernetes/` as Kustomize builds it: `make test-deploy`."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from tests.deploy import kustomize
from tests.deploy.kustomize import CHART, FOLDER, VARIANTS, Document, documents, render, values
from tests.servers.kubernetes import build

KINDS = {
    "single": {"StatefulSet", "Service", "ServiceMonitor", "PrometheusRule"},
    "replicas": {"StatefulSet", "Service", "PodDisruptionBudget"},
    "once": {"CronJob", "PersistentVolumeClaim"},
}
ALWAYS = {"ConfigMap", "ServiceAccount", "NetworkPolicy"}


def shipped(variant: str) -> list[Document]:
    done = render(*values(variant))
    assert done.returncode == 0, done.stderr
    return documents(done.stdout)


def written(folder: Path, text: str) -> Path:
    file = folder / "values.yaml"
    file.write_text(text)
    return file


@pytest.mark.parametrize("variant", KINDS)
def test_a_variant_has_its_objects_each_once(variant: str) -> None:
    kinds = [document["kind"] for document in shipped(variant)]

    assert sorted(kinds) == sorted(KINDS[variant] | ALWAYS)


@pytest.mark.parametrize("variant", KINDS)
def test_a_chart_is_rendered_twice_identically(variant: str) -> None:
    files = values(variant)

    assert render(*files).stdout == render(*files).stdout != ""


@pytest.mark.parametrize("variant", KINDS)
def test_two_releases_share_no_name_and_no_pod(variant: str) -> None:
    files = values(variant)
    one, other = (documents(render(*files, release=name).stdout) for name in ("one", "other"))

    assert not {(d["kind"], d["metadata"]["name"]) for d in one} & {(d["kind"], d["metadata"]["name"]) for d in other}


def test_replicas_without_a_database_are_refused(tmp_path: Path) -> None:
    done = render(values("single")[0], written(tmp_path, "mode: replicas\n"))

    assert done.returncode != 0
    assert "PostgreSQL" in done.stderr


def test_a_release_without_a_configuration_is_refused(tmp_path: Path) -> None:
    done = render(written(tmp_path, "mode: single\n"))

    assert done.returncode != 0
    assert "existingConfigMap" in done.stderr


def test_values_that_make_no_sense_are_refused(tmp_path: Path) -> None:
    done = render(written(tmp_path, "mode: cluster\nreplica: 3\n"))

    assert done.returncode != 0
    assert "mode" in done.stderr
    assert "replica" in done.stderr


def test_the_alerts_are_those_of_the_program() -> None:
    (rule,) = [document for document in shipped("single") if document["kind"] == "PrometheusRule"]
    own = YAML(typ="safe").load((CHART.parents[1] / "prometheus/rotator.rules.yml").read_text())

    assert json.dumps(rule["spec"]) == json.dumps(own)


def test_kustomize_has_what_the_chart_has() -> None:
    found = {str(path.relative_to(FOLDER)): path.read_text() for path in FOLDER.rglob("*.yaml")}

    assert found == kustomize.files(), "run `make kubernetes`"


@pytest.mark.parametrize("variant", VARIANTS)
def test_kustomize_builds_a_variant_and_mounts_the_configuration_that_it_made(variant: str) -> None:
    done = subprocess.run([build.ensure(), "kustomize", FOLDER / variant], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = {document["kind"]: document for document in documents(done.stdout)}
    pod = found["StatefulSet"]["spec"]["template"]["spec"]

    assert {d["metadata"].get("namespace") for d in found.values()} == {"rotator"}
    assert found["ConfigMap"]["metadata"]["name"] in [v.get("configMap", {}).get("name") for v in pod["volumes"]]
