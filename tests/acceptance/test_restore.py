"""An older backup is restored while the world went on: nothing that is published dies, nothing is ended unseen."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import verdict
from tests.acceptance.stage import (
    Consumer,
    come_to_rest,
    is_confirmed,
    kill,
    more_rotations,
    short_lived,
    status,
    tell,
    until,
)
from tests.installation import Installation

FILE = {"type": "env_file", "name": "env", "path": "app/.env"}


def asked_for(place: Installation) -> str:
    """The code of what an operator is asked about the credential, or nothing."""
    needed = status(place, "deploy")["needs_operator"]
    return needed["code"] if needed else ""


@pytest.mark.parametrize("how", ["asked to end", "killed"])
def test_a_restore_of_an_older_backup_kills_nothing_that_is_published(tmp_path: Path, record_property, how: str):
    with Installation(tmp_path, short_lived("deploy", FILE)) as place:
        place.file()
        daemon = place.daemon()
        until(lambda: is_confirmed(place, "deploy"), "the first creation")
        with Consumer("file", place, lambda: {"env": place.value() or ""}) as consumer:
            more_rotations(place, 1, "deploy")
            taken = place.run("backup", "b.db", "-o", "json")
            assert taken.code == 0, taken.err
            more_rotations(place, 3, "deploy")

            refused = place.run("restore", "b.db")
            assert (refused.code, "works on it" in refused.err) == (1, True), refused.err
            place.end(daemon) if how == "asked to end" else kill(daemon)

            published, known = place.value(), {token.id for token in place.alive("deploy")}
            done = place.run("restore", "b.db", "-o", "json")
            assert done.code == 0, done.err
            daemon = place.daemon()
            until(lambda: asked_for(place) == "restored_journal", "the question whether somebody looked")
            more_rotations(place, 2, "deploy")  # it works on: fresh values are made and published

            assert place.accepts(published), "what stood there at the restore was ended before anybody looked"
            assert known <= {token.id for token in place.alive("deploy")}, (
                "an old token was ended before anybody looked"
            )

            assert place.run("resolve", "--all", "--retry").code == 0
            more_rotations(place, 1, "deploy")
            until(lambda: not known & {token.id for token in place.alive("deploy")}, "the end of the old tokens")
        consumer.found_only_the_living()
        assert place.end(daemon) == 0
        come_to_rest(place)
        verdict.is_at_rest(place, "deploy", {"env": place.value()}, restored=True)
        assert place.run("audit", "verify").code == 0
        tell(record_property, consumer)
