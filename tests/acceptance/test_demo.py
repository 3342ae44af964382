"""The demo, in this very process: it rotates, survives its chaos, and scores what its consumers really saw."""

import json
import threading

import pytest

from rotator import demo
from rotator.app import App
from rotator.app.once import once
from rotator.core.errors import RotatorError
from rotator.demo import play
from rotator.demo.consumer import Consumer
from rotator.demo.scoreboard import score
from rotator.demo.stage import ROLES, Stage

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]


@pytest.fixture(autouse=True)
def folders(tmp_path, monkeypatch):
    """The demo makes its folder where the test can see it."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(play.tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_whatever_is_killed_nothing_is_lost_and_nothing_published_is_dead(folders, capsys):
    assert demo.main(rotations=1, chaos=True, output="json") == 0

    found = json.loads(capsys.readouterr().out)
    assert (found["lost_values"], found["dead_reads"], found["orphans"]) == (0, 0, 0)
    assert found["kills"] >= 3
    assert found["rotations"] >= 3
    assert found["consumer_reads"] > 20
    assert found["folder"] is None
    assert list(folders.glob("rotator-demo-*")) == []


def test_what_is_kept_can_be_looked_at(folders, capsys):
    assert demo.main(seconds=3, keep=True) == 0

    (folder,) = folders.glob("rotator-demo-*")
    assert {"rotator.yaml", "daemon.log", "app", "worker"} <= {path.name for path in folder.iterdir()}
    said = capsys.readouterr()
    assert said.out.strip().endswith(f"everything is kept in {folder}")
    assert f"rotator -c {folder}/rotator.yaml status" in said.err


def test_a_curtain_that_falls_before_anything_was_made_has_lost_nothing(capsys):
    assert demo.main(seconds=0.01, output="json") == 0

    found = json.loads(capsys.readouterr().out)
    assert (found["rotations"], found["lost_values"]) == (0, 0)


def test_what_neither_journal_nor_file_holds_any_more_is_lost(tmp_path):
    folder = tmp_path / "stage"
    folder.mkdir()
    stage = Stage(folder)
    try:
        with App.open(stage.config, "writer") as app:
            once(app, 0.0)
        consumers = [Consumer(role, folder, stage.sandbox.url) for role in ROLES]
        assert score(stage, consumers, 1.0, None).lost_values == 0
        file = folder / ROLES[0].file
        file.write_text(f"{ROLES[0].key}=gone\n")
        assert score(stage, consumers, 1.0, None).lost_values == 0, "the journal holds it"
        for token in stage.sandbox.world.tokens.values():
            if token.name.startswith(ROLES[0].credential):
                token.deleted_on = 1.0
        found = score(stage, consumers, 1.0, None)
        assert (found.lost_values, found.clean) == (1, False)
    finally:
        stage.close()


def test_a_daemon_that_ends_by_itself_is_said_with_its_last_line(tmp_path):
    folder = tmp_path / "stage"
    folder.mkdir()
    stage = Stage(folder)
    try:
        stage.config.write_text("version: 2\n")
        stage.start()
        stage._daemon.wait(60)
        with pytest.raises(RotatorError, match="ended on its own with 2") as caught:
            stage.check()
        assert "daemon.log" in caught.value.remedy
    finally:
        stage.close()


def test_a_demo_in_which_nothing_moves_gives_up(tmp_path, monkeypatch):
    folder = tmp_path / "stage"
    folder.mkdir()
    stage = Stage(folder)
    monkeypatch.setattr(play, "FIRST", 0.0)
    try:
        stuck = play.Play(stage, play.Picture(live=False), threading.Event())
        with pytest.raises(RotatorError, match="waiting for the first values took longer than 0 s"):
            stuck.run(1, chaos=False, keep=False)
    finally:
        stage.close()
