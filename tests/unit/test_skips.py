"""Nothing is skipped in silence: what a test needs is asked for in one place, which fails a run of CI."""

import re
from pathlib import Path

import pytest

from tests.servers.require import ROOT, require

TESTS = Path(__file__).parents[1]
SKIP = re.compile(r"pytest\.skip\(|mark\.skip|importorskip|SkipTest")
OTHER_SYSTEM = 'pytest.mark.skipif(sys.platform != "linux"'
"""The one thing that a machine is allowed to be: another system, on which nobody runs CI."""


def test_only_one_place_skips_and_another_system_is_the_only_other_reason() -> None:
    here = {TESTS / "servers" / "require.py", Path(__file__)}
    found = {
        f"{path.relative_to(TESTS)}:{number}": line.strip()
        for path in sorted(TESTS.rglob("*.py"))
        if path not in here
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if SKIP.search(line) and OTHER_SYSTEM not in line
    }
    assert not found


@pytest.fixture
def environment(monkeypatch):
    for name in ("CI", "ROTATOR_TEST_REQUIRE", "ROTATOR_TEST_MAY_LACK"):
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


def test_what_is_missing_is_a_skip_for_a_person_who_tries_it_at_home(environment) -> None:
    with pytest.raises(pytest.skip.Exception, match="root is missing: run the tests as root"):
        require(*ROOT)


@pytest.mark.parametrize("name", ["CI", "ROTATOR_TEST_REQUIRE"])
def test_what_is_missing_fails_a_run_of_ci(environment, name) -> None:
    environment.setenv(name, {"CI": "true", "ROTATOR_TEST_REQUIRE": "all"}[name])
    with pytest.raises(pytest.fail.Exception, match="ROTATOR_TEST_MAY_LACK=root"):
        require(*ROOT)


def test_a_machine_may_lack_what_its_configuration_names_and_nothing_else(environment) -> None:
    environment.setenv("CI", "true")
    environment.setenv("ROTATOR_TEST_MAY_LACK", "mounts, root")
    with pytest.raises(pytest.skip.Exception):
        require(*ROOT)
    with pytest.raises(pytest.fail.Exception):
        require("wrangler", "install it")
