"""A move of the journal that dies: one of the two places goes on, and the same command finishes the move."""

import pytest

from rotator.host.crashpoints import Point
from tests import verdict
from tests.crash.matrix import WAIT, killed
from tests.installation import Installation
from tests.prepared import due, settled
from tests.servers.postgres import Postgres, shared

pytestmark = [pytest.mark.slow, pytest.mark.postgres]

STEPS = (
    f"{Point.BEFORE_COPY_STEP}:1",
    f"{Point.BEFORE_COPY_STEP}:2",
    f"{Point.AFTER_COPY_STEP}:1",
    f"{Point.AFTER_COPY_STEP}:2",
)


def settle_in(place, url):
    """What the operator writes once the journal has moved."""
    password = {"password": {"file": "db-password"}} if url.startswith("postgres") else {}
    place.document["state"] = {"url": url, "encryption_key": {"file": "state/rotator.key"}, **password}
    place.document["credentials"][0]["targets"][0]["shared"] = True
    place.write()


def copying(url):
    """The command that moves the journal there."""
    password = ("--password-file", "db-password") if url.startswith("postgres") else ()
    return ("state", "copy", "--to", url, *password)


@pytest.mark.parametrize("point", STEPS)
@pytest.mark.parametrize("back", [False, True], ids=["to-a-server", "to-a-file"])
def test_a_move_that_dies_is_finished_by_the_same_command_and_nothing_published_dies(templates, point, back):
    with Installation(templates.copy(due)) as place:
        (place.folder / "db-password").write_text(Postgres.password + "\n")
        (place.folder / "db-password").chmod(0o600)
        place.environment["STATE_DIRECTORY"] = str(place.folder / "machine")
        server, home = shared.cluster().url(shared.database()), f"sqlite:///{place.folder}/home/state.db"
        if back:
            settled(place.run(*copying(server)))
            settle_in(place, server)
        target = home if back else server

        killed(place.run(*copying(target), crash=point), point)
        if point.startswith("before"):  # the old place is as it was, and may go on for as long as it likes
            settled(place.run(*WAIT))
            assert place.run("audit", "verify").code == 0
        else:
            assert "moved" in place.run("once").err
        finished = place.run(*copying(target))
        if point == STEPS[-1]:
            assert "moved" in finished.err, "there is nothing left to finish"
        else:
            settled(finished)

        settle_in(place, target)
        assert place.run("audit", "verify").code == 0
        published = place.value()
        verdict.published_values_are_alive(place, [published])
        settled(place.run("rotate", "deploy", "--wait", "60s"))
        assert place.value() != published
        verdict.published_values_are_alive(place, [place.value()])
