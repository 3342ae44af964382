"""A rekey that dies: the key file as it stands opens everything, the daemon works on, the same command finishes."""

import pytest

from rotator.host.crashpoints import Point
from tests import verdict
from tests.crash.matrix import WAIT, killed
from tests.installation import Installation
from tests.prepared import settled

pytestmark = pytest.mark.slow


def rotated(folder):
    """A credential with two values in the journal: the current one, and one that was never destroyed yet."""
    with Installation(folder) as place:
        place.file()
        settled(place.run("once"))
        place.advance(45 * 60)
        settled(place.run("once"))


@pytest.mark.parametrize(
    "point", [f"{Point.BEFORE_REKEY_STEP}:1", f"{Point.BEFORE_REKEY_STEP}:2", Point.AFTER_REKEY_STEP]
)
def test_a_rekey_that_dies_loses_nothing_and_the_same_command_finishes(templates, point):
    with Installation(templates.copy(rotated)) as place:
        key = place.folder / "state" / "rotator.key"
        assert place.run("keygen", "--add", str(key)).code == 0
        killed(place.run("rekey", crash=point), point)

        settled(place.run(*WAIT))
        assert place.run("audit", "verify").code == 0
        assert place.run("rekey").code == 0

        key.write_text(key.read_text().splitlines()[0] + "\n")
        place.advance(45 * 60)
        settled(place.run(*WAIT))
        verdict.published_values_are_alive(place, [place.value()])
        assert place.run("audit", "verify").code == 0
