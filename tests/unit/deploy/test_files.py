"""The files of the image and of `deploy/`: what their own linters say, and that they fit the program."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from rotator import __version__
from rotator.config.load import load
from rotator.registry import kinds
from tests.servers.require import require

ROOT = Path(__file__).parents[3]
BIN = Path(sys.executable).parent
DOCKERFILE = ROOT / "Dockerfile"
COMPOSE = ROOT / "deploy/compose/compose.yaml"


def run(*words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(list(map(str, words)), capture_output=True, text=True, timeout=60, cwd=ROOT)


def compose() -> dict[str, Any]:
    found: dict[str, Any] = YAML(typ="safe", pure=True).load(COMPOSE.read_text())
    return found


def test_hadolint_has_nothing_to_say_about_the_dockerfile() -> None:
    done = run(BIN / "hadolint", "--failure-threshold", "info", DOCKERFILE)

    assert (done.returncode, done.stdout) == (0, "")


def test_the_compose_file_is_one() -> None:
    done = run(BIN / "check-jsonschema", "--builtin-schema", "vendor.compose-spec", COMPOSE)

    assert done.returncode == 0, done.stdout


def test_the_configuration_that_compose_mounts_is_right() -> None:
    config = load(COMPOSE.parent / "rotator.yaml", kinds())

    assert config.warnings == ()
    mounted = {f"/run/secrets/{name}" for name in compose()["services"]["rotator"]["secrets"]}
    named = set(re.findall(r"/run/secrets/[\w.-]+", (COMPOSE.parent / "rotator.yaml").read_text()))
    assert named == mounted


@pytest.mark.parametrize(
    "key, value",
    [
        ("read_only", True),
        ("cap_drop", ["ALL"]),
        ("security_opt", ["no-new-privileges:true"]),
        ("user", "65532:65532"),
    ],
)
def test_the_service_may_do_no_more_than_it_needs(key: str, value: object) -> None:
    assert compose()["services"]["rotator"][key] == value


def test_the_service_has_time_to_capture_a_mint_in_flight() -> None:
    seconds = compose()["services"]["rotator"]["stop_grace_period"].split()[0]

    assert int(seconds.removesuffix("s")) > 30


def test_the_image_says_the_version_of_the_program() -> None:
    assert f"ARG VERSION={__version__}\n" in DOCKERFILE.read_text()


def test_the_image_takes_away_the_build_backend_and_all_that_only_it_needs() -> None:
    lock = (ROOT / "requirements/runtime.txt").read_text()
    needs: dict[str, set[str]] = {}
    name = ""
    for line in lock.splitlines():
        if found := re.match(r"([a-z0-9.-]+)==", line):
            name = found[1]
            needs[name] = set()
        elif found := re.match(r" +# +(?:via )?(\S.*)$", line):
            needs[name] |= {found[1].removeprefix("-r ")} - {"via"}
    tools = {"hatchling", "editables"}
    while more := {package for package, by in needs.items() if by and by <= tools} - tools:
        tools |= more

    text = DOCKERFILE.read_text().replace("\\\n", " ")
    removed = re.search(r"uninstall --yes ([a-z -]+?) *&&", text)
    assert removed is not None
    assert set(removed[1].split()) == tools


def test_a_build_gets_nothing_but_what_the_dockerfile_copies() -> None:
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    given = {rule.removeprefix("!") for rule in rules if rule.startswith("!")}
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE.read_text(), re.MULTILINE)

    assert rules[0] == "*"
    assert given == {word for line in copied for word in line.split()}


UNIT = ROOT / "deploy/systemd/rotator.service"


def test_the_configuration_of_the_unit_is_right_and_says_where_the_journal_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STATE_DIRECTORY", "/elsewhere")
    config = load(UNIT.parent / "rotator.yaml", kinds())

    assert config.warnings == ()
    assert config.state.url == "sqlite:////var/lib/rotator/state.db"
    assert "StateDirectory=rotator\n" in UNIT.read_text()


def test_the_unit_gives_a_mint_in_flight_its_time_and_restarts_no_broken_configuration() -> None:
    unit = dict(re.findall(r"^(\w+)=(.*)$", UNIT.read_text(), re.MULTILINE))

    assert int(unit["TimeoutStopSec"]) > 30
    assert unit["RestartPreventExitStatus"] == "2"
    assert unit["ExecReload"].endswith("-HUP $MAINPID")


def analyze() -> str:
    return shutil.which("systemd-analyze") or require("systemd-analyze", "install systemd; its service need not run")


def test_systemd_counts_the_unit_among_the_well_protected() -> None:
    done = run(analyze(), "security", "--offline=true", "--threshold=20", UNIT)  # 2.0 of 10

    assert done.returncode == 0, done.stdout + done.stderr


def test_systemd_lets_the_unit_do_what_the_program_must() -> None:
    calls = [line for line in UNIT.read_text().splitlines() if line.startswith("SystemCallFilter=")]

    assert "PrivateUsers=yes" not in UNIT.read_text(), "a file of a target would lose its group"
    assert calls[-1] == "SystemCallFilter=@chown", "what is listed later counts"
    assert not any("~" in line and "@resources" in line for line in calls), "setrlimit forbids core dumps"


def test_systemd_has_nothing_to_say_about_the_unit(tmp_path: Path) -> None:
    unit = tmp_path / UNIT.name
    unit.write_text(UNIT.read_text().replace("/opt/rotator/bin/rotator", "/bin/true"))
    done = run(analyze(), "verify", unit)

    assert (done.returncode, [line for line in done.stderr.splitlines() if UNIT.name in line]) == (0, [])
