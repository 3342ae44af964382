"""Points that only troubled runs pass, each with its trouble (`test_points` holds that none is left out)."""

import os
import shutil
import sys
from pathlib import Path

import pytest

from rotator.host.crashpoints import Point
from tests import verdict
from tests.crash import interloper
from tests.crash.matrix import WAIT, Site, env_file, killed, recover, recreate
from tests.installation import BESIDE, Installation, credential
from tests.prepared import LATER, settled

pytestmark = pytest.mark.slow

SPOOL_IMPORT = (Point.BEFORE_SPOOL_IMPORT, Point.AFTER_SPOOL_IMPORT)
ABANDONED = (Point.BEFORE_ABANDONED_COMMIT, Point.AFTER_ABANDONED_COMMIT)
EXCHANGE_BACK = (Point.BEFORE_FILE_EXCHANGE_BACK, Point.AFTER_FILE_EXCHANGE_BACK)
IN_PLACE = (Point.BEFORE_FILE_IN_PLACE, Point.AFTER_FILE_IN_PLACE)


@pytest.mark.parametrize("point", SPOOL_IMPORT)
def test_a_value_that_only_the_spool_of_a_dead_process_holds_is_published(templates, tmp_path, point):
    with env_file(templates.copy(recreate)) as site:
        killed(site.place.run("once", crash="after_spool_write"), "after_spool_write")
        minted = site.place.alive("deploy")[-1].value
        site.judge_instant(tmp_path / "first")
        killed(site.place.run("once", crash=point), point)
        site.judge_instant(tmp_path / "second")
        recover(site)
        assert site.place.value() == minted


@pytest.mark.parametrize("point", ABANDONED)
def test_an_attempt_whose_answer_was_lost_is_given_up_and_its_token_swept(templates, tmp_path, point):
    with env_file(templates.copy(recreate)) as site:
        site.place.arm(operation="create", kind="lose_answer")
        killed(site.place.run(*WAIT, crash=point), point)
        site.judge_instant(tmp_path)
        recover(site)
        assert [token.status(0) for token in site.place.tokens()] == ["deleted", "deleted", "active"]


@pytest.mark.parametrize("point", EXCHANGE_BACK)
def test_a_save_that_our_exchange_displaced_is_never_lost(templates, tmp_path, point):
    with Installation(templates.copy(recreate)) as place:
        site = Site(place, lambda: {"env": place.value()})
        file = place.folder / "app" / ".env"
        script = (sys.executable, interloper.__file__, str(file), "--")
        killed(place.run(*WAIT, crash=point, instead=script), point)
        site.judge_instant(tmp_path)
        recover(site)
        verdict.other_bytes_are_kept(file, BESIDE + interloper.SAVED)


@pytest.mark.parametrize("point", IN_PLACE)
def test_a_file_with_two_names_is_written_in_place_and_stays_whole(templates, tmp_path, point):
    with env_file(templates.copy(recreate)) as site:
        file = site.place.folder / "app" / ".env"
        os.link(file, file.with_name("other-name"))
        killed(site.place.run("once", crash=point), point)
        site.judge_instant(tmp_path)
        recover(site)
        assert file.samefile(file.with_name("other-name"))


def two_files(folder: Path) -> None:
    """A recreate that publishes into two files is due."""
    targets = [{"type": "env_file", "name": name, "path": f"app/{name}"} for name in ("one", "two")]
    with Installation(folder, credential(targets=targets)) as place:
        place.file("app/one")
        place.file("app/two")
        settled(place.run("once"))
        place.advance(45 * 60)


@pytest.mark.parametrize("point", ["after_target_write:1", "after_written_commit:1", "after_read_back_commit:1"])
def test_a_publication_that_reached_one_of_two_targets_is_finished(templates, tmp_path, point):
    with Installation(templates.copy(two_files)) as place:
        site = Site(place, lambda: {name: place.value(f"app/{name}") for name in ("one", "two")})
        killed(place.run("once", crash=point), point)
        site.judge_instant(tmp_path)
        recover(site)


def test_a_crash_at_every_start_does_not_keep_the_work_from_its_end(templates, tmp_path):
    """A supervisor that restarts a program that dies again and again, each time a little later."""
    deaths = ["after_plan_commit", "after_create_send", "after_capture_commit", "after_target_write"]
    with env_file(templates.copy(recreate)) as site:
        for number, point in enumerate(deaths):
            killed(site.place.run("once", "--wait", "20s", crash=point), point)
            site.judge_instant(tmp_path / str(number))
            site.place.advance(LATER)
        recover(site)


def test_a_journal_that_is_copied_while_it_is_written_is_still_a_journal(templates, tmp_path):
    """What a backup sees after a crash: the state as it lies there, without any process that would clean it up."""
    with env_file(templates.copy(recreate)) as site:
        killed(site.place.run("once", crash="after_capture_commit"), "after_capture_commit")
        shutil.copytree(site.place.folder / "state", tmp_path / "backup")
        recover(site)
        journal = site.place.journal(tmp_path / "backup")
        try:
            assert not journal.audit.verify().breaks
        finally:
            journal.close()
