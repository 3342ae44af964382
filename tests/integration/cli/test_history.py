"""`history` and `report`: what happened, for whoever looks now, and for an auditor."""

import csv
import io
import json
import re
import signal
import time
from types import SimpleNamespace

import pytest

from rotator.cli import past
from tests.rotator_place import eventually


def kinds(done):
    return [one["kind"] for one in json.loads(done.out)["facts"]]


def test_only_the_kinds_that_were_asked_for_are_shown(fresh):
    assert kinds(fresh("history", "--kind", "confirmed", "-o", "json")) == ["confirmed"]
    assert set(kinds(fresh("history", "--kind", "publish*", "-o", "json"))) == {"publishing", "publish_intent"}


def test_a_kind_that_does_not_exist_is_refused_with_the_nearest(fresh):
    done = fresh("history", "--kind", "confrmed")

    assert done.code == 2
    assert "did you mean confirmed?" in done.err


def test_only_facts_since_a_time_are_shown(fresh):
    assert kinds(fresh("history", "--since", "1h", "-o", "json")) == kinds(fresh("history", "-o", "json"))
    assert kinds(fresh("history", "--since", "2200-01-01", "-o", "json")) == []
    assert fresh("history", "--since", "2200-01-01").out == "no such fact\n"


def test_what_is_no_time_is_refused_with_examples(fresh):
    done = fresh("history", "--since", "tuesday")

    assert done.code == 2
    assert "2h" in done.err
    assert "2026-11-30" in done.err


def test_a_glob_names_credentials(fresh):
    assert "confirmed" in kinds(fresh("history", "work*", "-o", "json"))
    assert kinds(fresh("history", "other*", "-o", "json")) == []
    assert fresh("history", "othr").code == 2


def test_following_shows_what_is_there_and_then_what_comes(fresh, place, monkeypatch):
    seen = []

    def meanwhile(seconds):
        if seen:
            raise KeyboardInterrupt
        seen.append(seconds)
        assert place.run("pause", "workers-deploy", "--reason", "a freeze").code == 0

    monkeypatch.setattr(past, "time", SimpleNamespace(time=time.time, sleep=meanwhile))
    done = fresh("history", "--follow", "-n", "2")

    assert done.code == 0
    assert re.findall(r"paused .*a freeze", done.out)
    assert len(done.out.splitlines()) == 3


def test_followed_facts_are_one_line_of_json_each(fresh, monkeypatch):
    def stop(seconds):
        raise KeyboardInterrupt

    monkeypatch.setattr(past, "time", SimpleNamespace(time=time.time, sleep=stop))
    lines = fresh("history", "--follow", "--kind", "confirmed", "-o", "json").out.splitlines()

    assert [json.loads(line)["kind"] for line in lines] == ["confirmed"]


def test_ctrl_c_ends_following_without_a_word(fresh, place):
    follower = place.start("history", "--follow")
    eventually(lambda: "confirmed" in place.output(follower))
    follower.send_signal(signal.SIGINT)

    assert (follower.wait(60), place.log(follower)) == (0, "")


# --- report


@pytest.fixture
def rotated(fresh):
    """Created, and rotated once because somebody asked."""
    assert fresh("rotate", "workers-deploy", "--reason", "left | on a bus", "--wait", "1m").code == 0
    return fresh


def rotations(done):
    return json.loads(done.out)["credentials"][0]["rotations"]


def test_each_rotation_says_who_asked_and_where_its_value_was_verified(rotated):
    first, second = rotations(rotated("report", "workers-deploy", "-o", "json"))

    assert (first["why"], first["asked_by"], first["replaced"]) == ("first", "daemon", None)
    assert (second["why"], second["reason"]) == ("requested", "left | on a bus")
    assert second["asked_by"] != "daemon"
    assert second["outcome"] == "confirmed"
    assert all(target["verified_at"] for target in second["targets"])
    assert second["replaced"]["token_id"] == first["token_id"]
    assert second["replaced"]["deleted_at"] is None


def test_a_period_leaves_out_what_was_before_and_after(rotated):
    assert rotations(rotated("report", "--all", "--to", "2020-01-01", "--from", "2019-01-01", "-o", "json")) == []
    assert rotations(rotated("report", "--all", "--from", "2200-01-01", "--to", "2201-01-01", "-o", "json")) == []


def test_a_period_that_ends_before_it_begins_is_refused(rotated):
    assert rotated("report", "--all", "--from", "1h", "--to", "2h").code == 2


def test_a_spreadsheet_has_a_row_for_each_rotation(rotated):
    rows = list(csv.DictReader(io.StringIO(rotated("report", "--all", "-o", "csv").out)))

    assert [row["why"] for row in rows] == ["first", "requested"]
    assert rows[1]["reason"] == "left | on a bus"


def test_a_ticket_gets_a_table_that_no_reason_can_break(rotated):
    lines = rotated("report", "--all", "-o", "markdown").out.splitlines()

    assert lines[0].startswith("# Rotations, from ")
    assert any("left \\| on a bus" in line for line in lines)


def test_people_see_what_people_did_and_what_failed(rotated):
    shown = rotated("report", "workers-deploy").out

    assert "workers-deploy: 2 rotations" in shown
    assert re.search(r"request by \S+: left \| on a bus", shown)


def test_no_form_shows_a_value(rotated, place):
    value = place.value()
    for form in ("text", "json", "csv", "markdown"):
        assert value not in rotated("report", "--all", "-o", form).out


def test_without_a_name_all_are_meant_and_an_unknown_one_is_the_answer_no(rotated):
    period = ("--from", "2020-01-01", "--to", "2200-01-01")
    assert rotated("report", *period).out == rotated("report", "--all", *period).out
    assert rotated("report", "nobody").code == 1
