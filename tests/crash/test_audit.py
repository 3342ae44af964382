"""The audit export, by a process that dies around a line: no fact is left out, those told twice are counted."""

import json

import pytest

from rotator.host.crashpoints import Point
from tests.crash.matrix import killed
from tests.installation import Installation
from tests.prepared import settled

pytestmark = pytest.mark.slow


def exporting(folder):
    """A credential with its first publication, and a file to which everything is exported from now on."""
    with Installation(folder) as place:
        place.file()
        settled(place.run("once"))
        place.document["audit"] = [{"name": "siem", "type": "file", "path": "audit.jsonl"}]
        place.write()


def proven(place, *options):
    """What the export proves by itself."""
    done = place.run("audit", "verify", "--export", str(place.folder / "audit.jsonl"), *options, "-o", "json")
    return done.code, json.loads(done.out)


@pytest.mark.parametrize(
    ("point", "twice"),
    [
        (Point.BEFORE_EXPORT_WRITE, False),
        (Point.AFTER_EXPORT_WRITE, True),
        (Point.BEFORE_EXPORT_MOVE, True),
        (Point.AFTER_EXPORT_MOVE, False),
    ],
)
def test_an_export_that_dies_leaves_no_gap_and_counts_what_it_told_twice(templates, point, twice):
    with Installation(templates.copy(exporting)) as place:
        killed(place.run("once", crash=point), point)
        place.advance(45 * 60)
        settled(place.run("once"))

        key = place.folder / "audit.pem"
        key.write_text(place.run("audit", "key").out)
        code, found = proven(place, "--public-key", str(key))
        journal = place.journal()
        try:
            facts = journal.counts()["facts"]
        finally:
            journal.close()
        assert (code, found["ok"], found["facts"], found["unsigned"]) == (0, True, facts, 0)
        assert (found["duplicates"] > 0) is twice
