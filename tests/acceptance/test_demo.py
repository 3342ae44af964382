"""The demo, in this very process: it rotates, survives its chaos, and scores what its consumers really saw."""

import json
import threading

import pytest

from rotator import demo
from rotator.core.errors import RotatorError
from rotator.demo import play
from rotator.demo.stage import Stage

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]


@pytest.fixture(autouse=True)
def folders(tmp_path, monkeypatch):
    """The demo makes its folder where the test can see it."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(play.tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_whatever_is_killed_nothing_is_lost_and_nothing_published_is_dead(folders, capsys):
    assert demo.main(rotations=1, chaos=True, output="json") == 0

    score = json.loads(capsys.readouterr().out)
    assert (score["lost_values"], score["dead_reads"], score["orphans"]) == (0, 0, 0)
    assert score["kills"] >= 3
    assert score["rotations"] >= 3
    assert score["consumer_reads"] > 20
    assert score["folder"] is None
    assert list(folders.glob("rotator-demo-*")) == []


def test_what_is_kept_can_be_looked_at(folders, capsys):
    assert demo.main(seconds=3, keep=True) == 0

    (folder,) = folders.glob("rotator-demo-*")
    assert {"rotator.yaml", "daemon.log", "app", "worker", "state"} <= {path.name for path in folder.iterdir()}
    said = capsys.readouterr()
    assert said.out.strip().endswith(f"everything is kept in {folder}")
    assert f"rotator -c {folder}/rotator.yaml status" in said.err


def test_a_daemon_that_ends_by_itself_is_said_with_its_last_line(tmp_path):
    folder = tmp_path / "stage"
    folder.mkdir()
    stage = Stage(folder)
    try:
        stage.config.write_text("version: 2\n")
        stage.start()
        stage._daemon.wait(60)
        with pytest.raises(RotatorError, match="ended by itself with 2") as caught:
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
