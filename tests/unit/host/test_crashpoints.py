"""The crash hook: empty when unset, deadly at exactly the named passage."""

import signal
import subprocess
import sys

import pytest

from rotator.core.errors import ConfigError
from rotator.host import crashpoints
from rotator.host.crashpoints import PATHS, Point, crash_at, hook

PASS_THREE_TIMES = (
    "from rotator.host.crashpoints import Point, crash, crash_at\n"
    "for number in range(3):\n"
    "    print(number, flush=True)\n"
    "    crash(Point.BEFORE_LEASE)\n"
    "    crash_at('after_capture_commit')\n"
)


def run(**environment):
    return subprocess.run(
        [sys.executable, "-c", PASS_THREE_TIMES],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"ROTATOR_TESTING": "1"},
        {"ROTATOR_CRASH_AT": "before_lease"},
        {"ROTATOR_TESTING": "1", "ROTATOR_CRASH_AT": ""},
    ],
)
def test_without_both_variables_every_point_is_an_empty_function(environment):
    assert hook(environment) is crashpoints._pass_by
    assert hook(environment)(Point.BEFORE_LEASE) is None


def test_the_process_kills_itself_at_the_first_passage():
    result = run(ROTATOR_TESTING="1", ROTATOR_CRASH_AT="after_capture_commit")
    assert (result.returncode, result.stdout) == (-signal.SIGKILL, "0\n")


def test_the_process_kills_itself_at_the_passage_that_is_asked_for():
    result = run(ROTATOR_TESTING="1", ROTATOR_CRASH_AT="before_lease:3")
    assert (result.returncode, result.stdout) == (-signal.SIGKILL, "0\n1\n2\n")


def test_a_passage_that_never_comes_kills_nothing():
    assert run(ROTATOR_TESTING="1", ROTATOR_CRASH_AT="before_lease:4").returncode == 0


@pytest.mark.parametrize(
    ("wanted", "instead"),
    [
        ("before_leese", "did you mean before_lease?"),
        ("nothing-like-it:2", "rotator testing crash-points` lists them"),
        (":2", "rotator testing crash-points` lists them"),
        ("before_lease:0", "write before_lease or"),
        ("before_lease:", "write before_lease or"),
        ("before_lease:x", "write before_lease or"),
        ("before_lease:-1", "write before_lease or"),
        ("before_lease:²", "write before_lease or"),
    ],
)
def test_a_misspelt_point_is_loud(wanted, instead):
    with pytest.raises(ConfigError) as caught:
        hook({"ROTATOR_TESTING": "1", "ROTATOR_CRASH_AT": wanted})

    assert caught.value.message.startswith(f"ROTATOR_CRASH_AT={wanted!r}: ")
    assert instead in caught.value.remedy


@pytest.mark.parametrize("verb", [["once"], ["run"], ["status"], ["testing", "crash-points"]])
def test_the_program_says_a_misspelt_point_in_two_lines_and_ends_with_2(verb, tmp_path):
    (tmp_path / "rotator.yaml").write_text("version: 1\nconnections: {}\ncredentials: []\n")
    done = subprocess.run(
        [sys.executable, "-m", "rotator", *verb],
        cwd=tmp_path,
        env={"HOME": str(tmp_path), "ROTATOR_TESTING": "1", "ROTATOR_CRASH_AT": "after_creat_send"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines() == [
        "error: ROTATOR_CRASH_AT='after_creat_send': there is no crash point 'after_creat_send'",
        "do: did you mean after_create_send? `env -u ROTATOR_CRASH_AT rotator testing crash-points` lists them",
    ]


def test_a_point_may_be_passed_by_name_and_an_unknown_name_is_a_mistake():
    crash_at("before_create_send")
    with pytest.raises(ValueError, match="before_creation"):
        crash_at("before_creation")


def test_every_point_has_its_own_name_and_known_paths():
    names = [str(point) for point in Point]
    assert len(set(names)) == len(names)
    assert names == [point.name.lower() for point in Point]
    for point in Point:
        assert set(point.paths) <= PATHS
        assert len(set(point.paths)) == len(point.paths)


def test_points_around_an_effect_come_in_pairs():
    names = {str(point) for point in Point} - {"after_parse"}
    for name in names:
        side, _, effect = name.partition("_")
        assert f"{'after' if side == 'before' else 'before'}_{effect}" in names


def test_every_path_passes_some_point():
    assert {path for point in Point for path in point.paths} == PATHS
