"""How much SQL a rotation takes: every statement gives the interpreter's lock away, and the disk is asked for some."""

import re
import sqlite3
from collections import Counter
from functools import partial

import pytest

from rotator.app import app as module
from rotator.app.once import Once
from rotator.core.facts import Draft, Requested
from rotator.journal.open import open_journal
from tests.rotator_place import eventually

MOST = 101
"""Half of what it took at first (203). What a slow machine looks at twice is within it."""

FACTS = 14
"""Facts of a rotation and its retirement, the request included."""

MORE = 1
"""Other transactions of several statements; a canary, a lease, a note of the pace and the budget are one statement."""


class Statements(Counter):
    """What SQLite ran while it was asked to listen, without parameters."""

    listens = False

    def connect(self, *arguments, **options):
        connection = sqlite3.connect(*arguments, **options)
        connection.set_trace_callback(self._heard)
        return connection

    def _heard(self, said):
        if self.listens:
            self.update([re.sub(r"'[^']*'|\b\d[\d.e+-]*", "?", said)])


@pytest.fixture
def statements(monkeypatch):
    found = Statements()
    monkeypatch.setattr(module, "open_journal", partial(open_journal, connect=found.connect))
    return found


def test_a_rotation_with_its_retirement_takes_half_of_the_statements_of_once(statements, place, opened):
    none = {"grace": "0s", "quiet": "0s", "soak": "0s"}
    place.write(
        defaults={"connection": "prod", "lifetime": "90d", "rotation": none},
        advanced={"settle": "1s", "propagation": "2s", "retry": "1s", "watch": "1h", "sweep": "1h"},
    )
    app = opened()
    once = Once(app)
    assert once.run(30) == 0
    stream, journal = app.ids["workers-deploy"], app.writable
    facts = journal.view(stream).position
    app.note("workers-deploy", Draft(what=Requested(request_id="r"), at=app.queries.now("prod"), actor="test"))
    while (view := journal.view(stream)).rotation or view.retirements or view.request:
        eventually(lambda: journal.due("prod", app.queries.now("prod"), 1))
        statements.listens = True
        once.sweep([stream])
        statements.listens = False
    assert journal.view(stream).position - facts == FACTS
    assert statements.total() <= MOST, statements.most_common()
    assert statements["COMMIT"] <= FACTS + MORE, statements.most_common()
