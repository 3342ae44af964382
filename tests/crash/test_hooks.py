"""What follows a publication, by a process that dies around a hook: each runs, the outcome is journaled."""

import pytest

from rotator.core.facts import Hooked
from rotator.host.crashpoints import Point
from tests.crash.matrix import WAIT, env_file, killed, recover
from tests.installation import credential
from tests.prepared import due

pytestmark = pytest.mark.slow

HOOKS = [{"command": ["sh", "-c", f"echo {name} $ROTATOR_GENERATION >> ran"]} for name in ("first", "second")]
"""They write where the program runs: into the folder of the installation."""


def hooked(folder):
    """A recreate is due at a target with two hooks, which have run after the first publication."""
    due(folder, credential(targets=[{"type": "env_file", "name": "env", "path": "app/.env", "after_publish": HOOKS}]))


def ran(place):
    """Which hooks ran after the second publication, in order."""
    lines = (place.folder / "ran").read_text().splitlines()
    assert lines[:2] == ["first 1", "second 1"]
    assert all(line.endswith(" 2") for line in lines[2:])
    return [line.split()[0] for line in lines[2:]]


def outcomes(place):
    """Generation and failed hooks of each outcome in the journal."""
    journal = place.journal()
    try:
        [stream] = [one.id for one in journal.streams.all() if one.name == "deploy"]
        return [(f.what.generation, f.what.failed) for f in journal.facts(stream) if isinstance(f.what, Hooked)]
    finally:
        journal.close()


@pytest.mark.parametrize(
    ("point", "before_the_crash"),
    [
        (Point.BEFORE_HOOK, []),
        (Point.AFTER_HOOK, ["first"]),
        (f"{Point.BEFORE_HOOK}:2", ["first"]),
        (f"{Point.AFTER_HOOK}:2", ["first", "second"]),
    ],
)
def test_hooks_survive_a_crash_and_none_is_left_out(templates, tmp_path, point, before_the_crash):
    with env_file(templates.copy(hooked)) as site:
        old = site.place.value()
        killed(site.place.run(*WAIT, crash=point), point)
        published = site.place.value()
        assert published != old
        assert ran(site.place) == before_the_crash
        assert outcomes(site.place) == [(1, ())]
        site.judge_instant(tmp_path)

        recover(site)
        assert ran(site.place) == [*before_the_crash, "first", "second"]
        assert outcomes(site.place) == [(1, ()), (2, ())]
        assert site.place.value() == published


def test_a_hook_that_failed_before_the_crash_is_tried_again(templates, tmp_path):
    with env_file(templates.copy(hooked)) as site:
        [target] = site.place.document["credentials"][0]["targets"]
        target["after_publish"] = [
            {"command": ["sh", "-c", "test -e started && echo first $ROTATOR_GENERATION >> ran"]}
        ]
        site.place.write()
        killed(site.place.run(*WAIT, crash="after_hook"), "after_hook")
        assert ran(site.place) == []
        site.judge_instant(tmp_path)

        (site.place.folder / "started").touch()
        recover(site)
        assert ran(site.place) == ["first"]
        assert outcomes(site.place)[-1] == (2, ())
