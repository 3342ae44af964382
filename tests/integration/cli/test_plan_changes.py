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
    remedy = "do: `drift: restore` in the configuration takes it back, `drift: adopt` keeps it;"
    for shown in (fresh("plan").out, fresh("once").out + fresh("status", "workers-deploy").out):
        assert remedy in " ".join(shown.split())


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


def changed_by_hand(place, sandbox):
    (token,) = [t for t in sandbox.world.tokens.values() if t.name.startswith("workers-deploy~")]
    token.policies = [allow(ZONE_READ, on=zone())]
    sandbox.world.clock.advance(5)
    return token


def left_aside(fresh):
    return [one["subject"] for one in fresh("check", "-o", "json").json["findings"] if one["code"] == "drift_adopted"]


def test_grants_that_count_no_more_since_a_change_was_adopted_are_said_until_drift_says_otherwise(
    fresh, place, sandbox
):
    place.write(place.credential("workers-deploy", drift="adopt"))
    assert left_aside(fresh) == []
    changed_by_hand(place, sandbox)
    fresh("once")

    assert len(left_aside(fresh)) == 1
    document = fresh("plan", "--fail-on", "change", "-o", "json")
    assert (document.code, document.json["tokens"][0]["drift_adopted"]) == (0, True)
    assert fresh("token", "test", "workers-deploy").out.splitlines()[1].startswith("Zone Read ")

    place.write(place.credential("workers-deploy", drift="restore"))
    assert left_aside(fresh) == []
    change = fresh("plan", "--fail-on", "change", "-o", "json")
    assert (change.code, change.json["tokens"][0]["drift_adopted"]) == (1, False)
    sandbox.world.clock.advance(5)
    fresh("once")
    assert fresh("token", "test", "workers-deploy").out.splitlines()[1].startswith("DNS Write ")
    assert fresh("plan", "--fail-on", "change").code == 0


def test_a_change_during_an_open_rotation_is_seen_once_that_is_over(fresh, place, sandbox):
    sandbox.gateway.faults.arm({"operation": "create", "kind": "status", "status": 503, "times": 3})
    assert fresh("rotate", "workers-deploy").code == 0
    fresh("once")
    assert fresh("status", "-o", "json").json["credentials"][0]["rotation"]
    changed_by_hand(place, sandbox)
    fresh("once")
    assert fresh("status", "-o", "json").json["credentials"][0]["drift"] is None

    fresh("resolve", "workers-deploy", "--abandon")
    sandbox.world.clock.advance(5)
    fresh("once")

    shown = fresh("status", "-o", "json").json["credentials"][0]
    assert shown["rotation"] is None
    assert [one["message"] for one in shown["drift"]["differences"]] == [
        "the permission DNS Write is missing",
        "the permission Zone Read is too much",
    ]
