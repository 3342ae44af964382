"""From a leak to a dead value, by a real daemon: every target gets the successor, then the leaked value is disabled.

The seconds are printed and stand in the report of the test; none of them is asserted but against a generous bound.
"""

from __future__ import annotations

import json
import time

import pytest

from tests.acceptance import stage
from tests.installation import ROTATION, Installation, credential

pytestmark = pytest.mark.slow

TARGETS = [
    {"type": "env_file", "name": "here", "path": "app/.env"},
    {"type": "env_file", "name": "there", "path": "away/.env"},
]
HELD = {**ROTATION, "grace": "1h", "quiet": "1h", "soak": "1h"}
"""Waits that no test would outlive."""


@pytest.fixture
def place(tmp_path):
    (tmp_path / "away").mkdir(mode=0o700)
    with Installation(tmp_path, credential(targets=TARGETS, rotation=HELD)) as made:
        made.file()
        made.daemon()
        stage.until(lambda: stage.is_confirmed(made, "deploy"), "the first value")
        yield made


def revoke(place, *more):
    began = time.monotonic()
    done = place.run("revoke", "deploy", "-o", "json", *more)
    [row] = json.loads(done.out)["revoked"]
    return done, row, time.monotonic() - began


def tell(record_property, **numbers):
    for name, number in numbers.items():
        record_property(name, number)
    print("; ".join(f"{name}={number}" for name, number in numbers.items()))


def test_from_a_leak_to_every_target_fresh_and_the_leaked_value_dead(place, record_property):
    leaked = place.value()
    done, row, seconds = revoke(place, "--reason", f"{leaked} stood in a build log")

    assert done.code == 0, done.err
    assert place.value() == place.value("away/.env") != leaked
    assert place.accepts(place.value())
    assert not place.accepts(leaked)
    assert row["published_after_seconds"] <= row["disabled_after_seconds"] < 60
    assert leaked not in done.err + done.out
    tell(
        record_property,
        every_target_fresh_after=row["published_after_seconds"],
        leaked_value_disabled_after=row["disabled_after_seconds"],
        command_returned_after=round(seconds, 2),
    )


def test_the_same_with_a_target_away_which_is_written_when_it_comes_back(place, tmp_path, record_property):
    leaked = place.value()
    (tmp_path / "away").rename(tmp_path / "gone")
    done, row, seconds = revoke(place)

    assert done.code == 0, done.err
    assert "there gets it as soon as it can be written" in row["message"]
    assert place.value() != leaked
    assert not place.accepts(leaked)
    assert row["disabled_after_seconds"] < 30, "two failures in a row tell that a target is away"
    shown = stage.status(place, "deploy")
    assert (shown["ready"], {t["name"]: t["in_sync"] for t in shown["targets"]}) == (
        False,
        {"here": True, "there": False},
    )
    (tmp_path / "gone").rename(tmp_path / "away")
    back = time.monotonic()
    stage.until(lambda: place.value("away/.env") == place.value(), "the target that came back is written over")
    tell(
        record_property,
        here_fresh_after=row["published_after_seconds"],
        leaked_value_disabled_after=row["disabled_after_seconds"],
        command_returned_after=round(seconds, 2),
        there_fresh_after_it_came_back=round(time.monotonic() - back, 2),
    )
    stage.until(lambda: stage.status(place, "deploy")["ready"], "the credential is ready again")


@pytest.mark.parametrize(
    "point",
    [
        *("after_fact_commit", "after_create_send", "after_capture_commit", "after_publish_intent_commit"),
        *("after_target_write", "before_disable_send", "after_disable_send", "after_delete_send"),
    ],
)
def test_whoever_revokes_may_be_killed_anywhere_and_a_second_one_joins_the_first(tmp_path, point):
    (tmp_path / "away").mkdir(mode=0o700)
    rotation = {**ROTATION, "grace": "1h"}  # a token whose value nobody learned is swept as soon as it is quiet
    with Installation(tmp_path, credential(targets=TARGETS, rotation=rotation)) as place:
        place.file()
        assert place.run("once").code == 0
        leaked = place.value()
        assert place.run("revoke", "deploy", crash=point).code == -9
        done, row, _ = revoke(place)

        assert done.code == 0, done.err
        assert place.value() == place.value("away/.env") != leaked
        assert place.accepts(place.value())
        assert not place.accepts(leaked)
        assert row["state"] in ("disabled", "deleted")
        assert place.run("once", "--wait", "20s").code == 0
        assert [token.value for token in place.alive("deploy")] == [place.value()], "and nothing is left beside it"


def test_what_the_provider_finds_in_public_is_replaced_without_being_asked_and_a_second_time_waits(
    place, record_property
):
    first = place.value()
    began = time.monotonic()
    expose(place, first)
    stage.until(lambda: place.value() != first and place.accepts(place.value()), "the successor stands here")
    tell(record_property, found_in_public_to_a_living_value=round(time.monotonic() - began, 2))
    stage.until(lambda: stage.status(place, "deploy")["ready"], "the credential is ready again")

    second = place.value()
    expose(place, second)
    stage.until(lambda: needs(place) == "exposed_again", "a person is asked")
    assert place.value() == second, "no third value goes where the second one leaked"
    assert not stage.status(place, "deploy")["ready"]
    assert place.run("resolve", "deploy", "--retry").code == 0
    stage.until(lambda: place.value() != second and place.accepts(place.value()), "a person let it go on")


def needs(place):
    found = stage.status(place, "deploy")["needs_operator"]
    return found and found["code"]


def expose(place, value):
    """The provider finds a value in public and ends its token."""
    token = place.holder(value)
    with place.world.lock:
        token.exposed = True
