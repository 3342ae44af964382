"""Verbs that need no configuration."""

import json
import re
import stat

import pytest

from rotator.host.crashpoints import PATHS, Point


def test_a_new_key_is_for_its_owner_alone(rotator, tmp_path):
    shown = rotator("keygen", "new.key")
    assert shown.code == 0
    assert stat.S_IMODE((tmp_path / "new.key").stat().st_mode) == 0o600
    assert (tmp_path / "new.key").read_text().startswith("rotator-key-v1")


def test_a_key_is_never_shown(rotator, tmp_path):
    shown = rotator("keygen", "new.key")
    assert re.findall("[A-Za-z0-9+/]{43}=", (tmp_path / "new.key").read_text())[0] not in shown.out + shown.err


def test_a_key_is_never_overwritten(rotator, tmp_path):
    rotator("keygen", "new.key")
    before = (tmp_path / "new.key").read_bytes()
    shown = rotator("keygen", "new.key")
    assert shown.code == 2
    assert "never overwritten" in shown.err
    assert (tmp_path / "new.key").read_bytes() == before


def test_keygen_tells_a_program_which_key_it_made(rotator, tmp_path):
    document = json.loads(rotator("keygen", "new.key", "-o", "json").out)
    assert document["mode"] == "0600"
    assert document["key_id"] in (tmp_path / "new.key").read_text()


def test_a_key_in_a_folder_that_is_not_there_is_refused(rotator):
    assert rotator("keygen", "no/such/folder/key").code == 2


def test_the_schema_is_one_json_document(rotator):
    assert json.loads(rotator("schema").out)["title"] == "Configuration of rotator"


def test_the_version_says_what_it_runs_on(rotator):
    document = json.loads(rotator("version", "-o", "json").out)
    assert set(document) == {"version", "python", "journal_schema"}
    assert document["version"] in rotator("version").out


def test_every_crash_point_is_listed_with_the_paths_that_pass_it(rotator):
    points = json.loads(rotator("testing", "crash-points", "-o", "json").out)["points"]
    assert [point["name"] for point in points] == [point.value for point in Point]
    assert set().union(*(point["paths"] for point in points)) == PATHS


def test_crash_points_are_a_table_for_people(rotator):
    shown = rotator("testing", "crash-points").out
    assert "after_create_send" in shown
    assert "troubled runs only" in shown


@pytest.mark.parametrize(
    ("arguments", "code"), [(("--listen", "nonsense"), 2), (("--world", "nowhere"), 2), (("--state", "no/folder"), 1)]
)
def test_a_sandbox_that_cannot_begin_is_an_error_like_every_other(rotator, arguments, code):
    shown = rotator("sandbox", "--listen", "127.0.0.1:0", *arguments, "-o", "json")
    assert shown.code == code
    error = json.loads(shown.out)["error"]
    assert error["message"].startswith("running the sandbox: ")
    assert error["remedy"]
    assert f"error: {error['message']}\ndo: {error['remedy']}\n" == shown.err


def test_a_sandbox_on_an_address_that_is_not_loopback_is_refused(rotator):
    shown = rotator("sandbox", "--listen", "192.0.2.1:1")
    assert (shown.code, shown.out) == (2, "")


@pytest.mark.parametrize("arguments", [("--rotations", "0"), ("--seconds", "x")])
def test_a_demo_of_nothing_is_a_usage_error(rotator, arguments):
    assert rotator("demo", *arguments).code == 2
