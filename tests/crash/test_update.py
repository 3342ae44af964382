"""A token that is changed in place, by a process that dies around the request: its value lives, its rights end well."""

import pytest

from rotator.core.facts import Kind
from rotator.host.crashpoints import Point
from tests.crash.matrix import WAIT, env_file, killed, recover
from tests.installation import credential
from tests.prepared import created
from tests.sandbox_calls import DNS_WRITE, ZONE_READ, allow, zone

pytestmark = pytest.mark.slow

WIDE = [{"permissions": ["DNS Write", "Zone Read"], "zones": ["example.com"]}]
NARROW = [{"permissions": ["DNS Write"], "zones": ["example.com"]}]


def restoring(folder):
    """A token stands as it was asked for; what somebody changes is to be put right."""
    created(folder, credential(grants=NARROW, drift="restore"))


def wide(folder):
    """A token stands that may do more than it is about to be allowed."""
    created(folder, credential(grants=WIDE))


def changed_by_hand(place):
    [token] = place.alive("deploy")
    with place.world.lock:
        token.policies = [allow(ZONE_READ, on=zone())]
        token.modified_on = place.world.clock.now()


def narrowed_in_the_file(place):
    place.document["credentials"][0]["grants"] = NARROW
    place.write()


def updates(place):
    """Requests that changed a token."""
    return [row for row in place.sandbox.gateway.recorder.after(0) if row["operation"] == "update"]


def kinds(place):
    journal = place.journal()
    try:
        [stream] = [one.id for one in journal.streams.all() if one.name == "deploy"]
        return [fact.kind for fact in journal.facts(stream)]
    finally:
        journal.close()


@pytest.mark.parametrize("point", [Point.BEFORE_UPDATE_SEND, Point.AFTER_UPDATE_SEND])
@pytest.mark.parametrize(
    ("prepare", "differ"),
    [(restoring, changed_by_hand), (wide, narrowed_in_the_file)],
    ids=["changed-by-hand", "narrowed-in-the-file"],
)
def test_a_change_in_place_survives_a_crash(templates, tmp_path, prepare, differ, point):
    with env_file(templates.copy(prepare)) as site:
        place, [token] = site.place, site.place.alive("deploy")
        value, ends = place.value(), token.expires_on
        differ(place)
        place.advance(5)  # the provider's list is newer than what the last process knew

        killed(place.run(*WAIT, crash=point), point)
        assert len(updates(place)) == (1 if point is Point.AFTER_UPDATE_SEND else 0)
        assert kinds(place)[-1] is Kind.UPDATING
        assert place.value() == value
        site.judge_instant(tmp_path)

        recover(site)
        [token] = place.tokens()
        assert {group["id"] for one in token.policies for group in one["permission_groups"]} == {DNS_WRITE}
        assert (place.value(), token.expires_on) == (value, ends)
        assert len(updates(place)) == 1
        assert kinds(place).count(Kind.UPDATED) == 1
