"""plan: how living tokens differ from what the configuration asks for, before anything is done about it."""

from tests.sandbox_calls import ZONE_READ, allow, zone

WIDE = [{"permissions": ["DNS Write", "Zone Read"], "zones": ["example.com"]}]


def test_without_a_difference_there_is_no_change(fresh):
    done = fresh("plan", "--fail-on", "change", "-o", "json")

    assert (done.code, done.json["changes"]) == (0, {})


def test_a_change_of_grants_is_shown_before_a_daemon_has_seen_it(fresh, place):
    place.write(place.credential("workers-deploy", grants=WIDE))
    done = fresh("plan", "--fail-on", "change", "-o", "json")

    assert done.code == 1
    change = done.json["changes"]["workers-deploy"]
    assert (change["by"], change["fix"]) == ("configuration", "rotate")
    assert change["differences"] == [{"part": "policies", "message": "the permission Zone Read is missing"}]
    assert "the permission Zone Read is missing" in fresh("plan").out
    assert fresh("plan").code == 0


def test_what_somebody_changed_at_the_provider_is_shown(fresh, place, sandbox):
    (token,) = [t for t in sandbox.world.tokens.values() if t.name.startswith("workers-deploy~")]
    token.policies = [allow(ZONE_READ, on=zone())]
    change = fresh("plan", "-o", "json").json["changes"]["workers-deploy"]

    assert (change["by"], change["fix"]) == ("provider", "none")


def test_without_an_answer_the_plan_is_shown_all_the_same(fresh, place, sandbox):
    sandbox.gateway.faults.arm({"operation": "list", "kind": "status", "status": 503, "times": 9})
    done = fresh("plan", "-o", "json")

    assert (done.code, done.json["changes"]) == (0, {})
    assert "could not be compared" in done.err


def test_status_shows_the_drift_and_history_the_facts(fresh, place, sandbox):
    (token,) = [t for t in sandbox.world.tokens.values() if t.name.startswith("workers-deploy~")]
    token.policies = [allow(ZONE_READ, on=zone())]
    sandbox.world.clock.advance(5)
    assert fresh("once").code == 0

    assert "policies: the permission DNS Write is missing" in fresh("status", "workers-deploy").out
    assert "changed at the provider" in fresh("status").out
    assert "the permission DNS Write is missing" in fresh("history").out
