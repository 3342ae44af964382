"""A restore that dies: the old journal or the restored one, each whole; the same command finishes, nothing is lost."""

import pytest

from rotator.host.crashpoints import Point
from tests import verdict
from tests.crash.matrix import WAIT, killed
from tests.installation import Installation
from tests.prepared import settled

pytestmark = pytest.mark.slow

STEPS = (f"{Point.BEFORE_RESTORE_STEP}:1", f"{Point.BEFORE_RESTORE_STEP}:2", Point.AFTER_RESTORE_STEP)


def behind(folder):
    """A backup of the first value, and a journal and a world that have rotated since."""
    with Installation(folder) as place:
        place.file()
        settled(place.run("once"))
        assert place.run("backup", "b.db").code == 0
        place.advance(45 * 60)
        settled(place.run(*WAIT))


@pytest.mark.parametrize("point", STEPS)
def test_a_restore_that_dies_leaves_a_whole_journal_and_what_is_published_lives(templates, point):
    with Installation(templates.copy(behind)) as place:
        killed(place.run("restore", "b.db", crash=point), point)
        assert place.run("audit", "verify").code == 0
        done = place.run("restore", "b.db")
        assert done.code == 0, done.err
        assert not (place.folder / "state" / "state.db.restoring").exists()

        published = place.value()
        place.run(*WAIT)
        verdict.published_values_are_alive(place, [published, place.value()])
        assert place.run("resolve", "--all", "--retry").code == 0
        place.advance(45 * 60)
        settled(place.run(*WAIT))
        verdict.is_at_rest(place, "deploy", {"env": place.value()}, restored=True)
