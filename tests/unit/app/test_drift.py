"""A token that somebody changed, or a configuration that was changed: seen by listing, shown, and put right."""

import pytest

from rotator.app.documents import credential_document
from rotator.app.once import once
from rotator.app.reload import reload
from rotator.core.drift import MENDED
from rotator.core.durations import HOUR
from rotator.core.facts import Kind
from tests.sandbox_calls import DNS_WRITE, ZONE_READ, allow, zone

GRANTS = [{"permissions": ["DNS Write"], "zones": ["example.com"]}]
WIDE = [{"permissions": ["DNS Write", "Zone Read"], "zones": ["example.com"]}]


class Bench:
    """An instance with one credential, and what somebody does to its token at the provider."""

    def __init__(self, app, place):
        self.app, self.place = app, place

    def configure(self, **more):
        self.place.write(self.place.credential("workers-deploy", **more))
        assert reload(self.app)
        return self

    def look(self, wait=5.0):
        """One watch interval later: the daemon has looked."""
        self.place.sandbox.world.clock.advance(3)
        self.app.fleet._inventory._listings.clear()
        self.app.driver.memory(self.app.ids["workers-deploy"]).seen.clear()
        assert once(self.app, wait) == 0
        return self

    @property
    def token(self):
        return self.place.sandbox.world.tokens[self.status.token_id]

    @property
    def status(self):
        return self.app.queries.statuses()[0]

    @property
    def drift(self):
        return credential_document(self.status)["drift"]

    def count(self, kind):
        return sum(fact.kind is kind for _, fact in self.app.queries.history("workers-deploy"))

    def gets(self):
        """Requests for the token alone."""
        rows = self.place.sandbox.gateway.recorder.after(0)
        return sum(row["operation"] == "get" and row["path"].endswith(self.token.id) for row in rows)


@pytest.fixture
def bench(app, place):
    assert once(app, 5.0) == 0
    return Bench(app, place)


def policies(bench, *groups):
    bench.token.policies = [allow(*groups, on=zone())]
    bench.token.modified_on = bench.place.sandbox.world.clock.now()


def address(bench):
    bench.token.condition = {"request_ip": {"in": ["203.0.113.0/24"]}}


def name(bench):
    bench.token.name = "somebody's own"


def end(bench):
    bench.token.expires_on += 30 * HOUR


CHANGES = {
    "policies": lambda bench: policies(bench, ZONE_READ),
    "condition": address,
    "name": name,
    "expiry": end,
}


def parts(bench):
    return {one["part"] for one in bench.drift["differences"]} if bench.drift else set()


@pytest.mark.parametrize("part", CHANGES)
def test_what_somebody_changes_is_shown_and_nothing_else_is_done(bench, part):
    value = bench.place.value()
    CHANGES[part](bench)
    bench.look()

    assert parts(bench) == {part}
    assert (bench.drift["by"], bench.drift["fix"]) == ("provider", "none")
    assert bool(bench.drift["remedy"]) is (part in MENDED)
    bench.look()
    assert bench.count(Kind.COMPARED) == 1
    assert bench.count(Kind.CONFIRMED) == 1
    assert bench.place.value() == value


def test_a_token_that_is_as_it_was_asked_for_costs_no_request_of_its_own(bench):
    bench.look()
    before = bench.gets()
    bench.look().look()

    assert bench.gets() == before
    assert bench.count(Kind.COMPARED) == 0


def test_a_change_that_is_taken_back_is_drift_no_more(bench):
    before, ends = bench.token.policies, bench.token.expires_on
    CHANGES["policies"](bench)
    end(bench)
    bench.look()
    assert parts(bench) == {"policies", "expiry"}
    bench.token.policies, bench.token.expires_on = before, ends
    bench.look()

    assert bench.drift is None


def test_a_list_that_lags_is_not_believed_alone(bench, monkeypatch):
    right = bench.token.policies
    CHANGES["policies"](bench)
    real = type(
        bench.app.fleet.bound(
            bench.app.ids["workers-deploy"], bench.app.queries.view(bench.app.ids["workers-deploy"])
        ).source
    ).tokens

    def stale(source):
        found = real(source)
        bench.token.policies = right
        return found

    monkeypatch.setattr("rotator.sources.cloudflare.source.CloudflareSource.tokens", stale)
    bench.look()
    assert bench.drift is None


@pytest.mark.parametrize("part", ["policies", "condition", "name"])
def test_restore_puts_it_right_in_place_and_the_value_stays(bench, part):
    bench.configure(drift="restore")
    value, ends, called = bench.place.value(), bench.token.expires_on, bench.token.name
    CHANGES[part](bench)
    bench.look().look()

    assert bench.drift is None
    assert bench.token.name == called
    assert (bench.place.value(), bench.token.expires_on) == (value, ends)
    assert bench.count(Kind.UPDATED) == 1
    assert bench.count(Kind.CONFIRMED) == 1


def test_an_end_that_was_moved_is_not_restored_but_makes_it_due(bench):
    bench.configure(drift="restore")
    bench.token.expires_on = bench.place.sandbox.world.clock.now() + 300
    bench.look().look()

    assert bench.count(Kind.UPDATING) == 0
    assert bench.count(Kind.CONFIRMED) == 2


def test_adopt_takes_it_as_it_is_and_makes_the_next_one_like_it(bench):
    bench.configure(drift="adopt")
    policies(bench, DNS_WRITE, ZONE_READ)
    bench.look().look()
    assert bench.drift is None
    assert bench.count(Kind.KEPT) == 1

    bench.token.expires_on = bench.place.sandbox.world.clock.now() + 300
    first = bench.token.id
    bench.look().look()
    assert bench.token.id != first
    assert {g["id"] for p in bench.token.policies for g in p["permission_groups"]} == {DNS_WRITE, ZONE_READ}


def test_other_grants_that_only_narrow_are_applied_in_place(bench):
    bench.configure(grants=WIDE, on_change="update").look().look()
    assert bench.count(Kind.UPDATED) == 1
    value = bench.place.value()
    bench.configure(grants=GRANTS).look().look()

    assert bench.drift is None
    assert bench.count(Kind.UPDATED) == 2
    assert bench.count(Kind.CONFIRMED) == 1
    assert bench.place.value() == value
    assert {g["id"] for p in bench.token.policies for g in p["permission_groups"]} == {DNS_WRITE}


def test_other_grants_that_give_the_token_more_are_rotated_to(bench):
    bench.configure(grants=WIDE).look().look()

    assert bench.drift is None
    assert bench.count(Kind.UPDATING) == 0
    assert bench.count(Kind.CONFIRMED) == 2


def test_other_grants_are_rotated_to_where_the_configuration_says_so(bench):
    bench.configure(grants=WIDE, on_change="update").look().look()
    bench.configure(grants=GRANTS, on_change="rotate").look().look()

    assert bench.drift is None
    assert bench.count(Kind.UPDATED) == 1
    assert bench.count(Kind.CONFIRMED) == 2


def test_another_spelling_of_the_same_grants_changes_nothing(bench):
    bench.configure(grants=[{"permissions": ["zone: dns (edit)"], "zones": ["EXAMPLE.com"]}]).look()

    assert bench.drift is None
    assert bench.count(Kind.CONFIRMED) == 1
    assert bench.count(Kind.UPDATING) == 0


def test_a_refused_update_is_said_with_its_remedy_and_tried_again_later(bench):
    bench.configure(drift="restore")
    CHANGES["policies"](bench)
    bench.place.sandbox.gateway.faults.arm(
        {"operation": "update", "kind": "status", "status": 403, "code": 10000, "message": "no"}
    )
    bench.look(0.0)

    assert bench.status.problem.act == "update"
    assert parts(bench) == {"policies"}


@pytest.mark.parametrize("kind", ["lose_answer", "lose_request"])
def test_an_update_whose_answer_is_lost_settles_before_it_is_repeated(bench, kind):
    bench.configure(drift="restore")
    CHANGES["policies"](bench)
    bench.place.sandbox.gateway.faults.arm({"operation": "update", "kind": kind})
    bench.look(0.0)
    assert bench.app.queries.view(bench.app.ids["workers-deploy"]).updating
    bench.look().look()

    assert bench.drift is None
    assert not bench.app.queries.view(bench.app.ids["workers-deploy"]).updating


def test_a_watched_token_shows_its_end_and_its_drift(bench):
    other = bench.token
    bench.place.write({"name": "seen", "adopt": {"id": other.id}, "grants": GRANTS})
    assert reload(bench.app)
    assert once(bench.app, 5.0) == 0
    status = next(s for s in bench.app.queries.statuses() if s.name == "seen")

    assert (status.token_id, status.ready, status.drift) == (other.id, True, None)
    assert status.expires_on == int(other.expires_on)
