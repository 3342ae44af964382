"""The table of requests is what the provider really gets, request by request."""

from collections import Counter

import pytest

from rotator.app.requests import ASKED, count_of, requests_of

PROCESS = {"list", "zones", "permission_groups"}
"""Asked for a whole connection and kept, whatever the number of rotations."""

AGAIN = 2
"""Reads that a slow machine repeats, because what was looked at a second ago is stale."""


def expected(targets, *, rolls=False, first=False):
    found = Counter()
    for asked in ASKED:
        found[asked.operation] += count_of(asked, rolls=rolls, first=first) * (targets if asked.each_target else 1)
    return +found


def agrees(counted, table):
    """Effects exactly as often as the table says, reads at least so often, and hardly ever more."""
    reads = {operation: counted[operation] - table[operation] for operation in ("get", "verify")}
    effects = {operation: number for operation, number in counted.items() if operation not in reads}
    exact = effects == {operation: number for operation, number in table.items() if operation not in reads}
    return exact and all(0 <= more <= AGAIN for more in reads.values())


class Wire:
    """What the sandbox received since the last look, without what processes and watches ask once."""

    def __init__(self, sandbox):
        self.sandbox, self.seen = sandbox, 0

    def counted(self):
        """Requests by operation."""
        management = self.sandbox.world.roles["account-management"]
        new = self.sandbox.gateway.recorder.after(self.seen)
        self.seen = max((r["seq"] for r in new), default=self.seen)
        who = ("verify", management), ("get", management)
        asked = [r for r in new if r["operation"] not in PROCESS]
        about_itself = [
            r for r in asked if (r["operation"], r["actor_token_id"]) in who and about_the_actor(r, management)
        ]
        return Counter(r["operation"] for r in asked) - Counter(r["operation"] for r in about_itself)


def about_the_actor(request, management):
    return request["operation"] == "verify" or request["path"].endswith(management)


@pytest.fixture
def wire(sandbox):
    return Wire(sandbox)


@pytest.mark.parametrize("targets", [1, 3])
def test_a_first_creation_and_a_recreate_ask_what_the_table_says(rotator, place, wire, targets):
    paths = [{"type": "env_file", "path": f"{number}.env"} for number in range(targets)]
    place.write(place.credential("workers-deploy", targets=paths))
    assert rotator("once").code == 0
    assert agrees(wire.counted(), expected(targets, first=True))

    assert rotator("rotate", "workers-deploy", "--wait", "60s", "--until", "done").code == 0
    assert agrees(wire.counted(), expected(targets))
    assert requests_of(targets, rolls=False, first=False) == 6 + targets


def test_a_roll_asks_what_the_table_says(rotator, place, wire):
    place.write(place.credential("workers-deploy", rotation={"strategy": "roll", "outage_budget": "60s"}))
    assert rotator("once").code == 0
    wire.counted()

    assert rotator("rotate", "workers-deploy", "--wait", "60s", "--until", "done").code == 0
    assert agrees(wire.counted(), expected(1, rolls=True))
