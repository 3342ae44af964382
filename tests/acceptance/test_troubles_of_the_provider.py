"""What happens at the provider: HTML instead of JSON, everybody refused at once, no rights, nobody there, no quota."""

import json

import pytest

from tests import verdict
from tests.installation import credential
from tests.prepared import LATER, RENEWAL

pytestmark = pytest.mark.slow

FOREVER = 100000


def status(place):
    return json.loads(place.run("status", "-o", "json").out)


def needs(place):
    """The codes under which `status` asks for an operator, each once."""
    return {found["needs_operator"]["code"] for found in status(place)["credentials"] if found["needs_operator"]}


def at_rest(place):
    verdict.is_at_rest(place, "deploy", {"env": place.value()})


def test_html_instead_of_an_answer_loses_nothing(renewal):
    before = renewal.value()
    renewal.arm(operation="any", kind="garbage", times=FOREVER)
    done = renewal.run("once", "--wait", "3s")
    assert done.code in (0, 1), done.err
    assert "provider_unavailable" in done.events
    assert "<html>" not in done.err
    assert renewal.value() == before
    renewal.heal()
    assert renewal.accepts(before)
    renewal.advance(LATER)
    assert renewal.run("once", "--wait", "20s").code == 0
    assert renewal.value() != before
    at_rest(renewal)


def test_html_in_answer_to_a_creation_is_a_lost_answer(renewal):
    before = renewal.value()
    renewal.arm(operation="create", kind="garbage", times=2)
    done = renewal.run("once", "--wait", "30s")
    assert done.code == 0, done.err
    assert done.events.count("rotation_abandoned") == 2
    assert renewal.value() != before
    at_rest(renewal)
    assert len(renewal.tokens()) == 4  # two that nobody ever learned the value of, both swept


def test_a_provider_that_is_gone_while_all_values_live_is_a_warning(fresh):
    fresh.sandbox.stop()
    done = fresh.run("once")
    assert done.code == 0, done.err
    assert "provider_unavailable" in done.events
    assert fresh.holder(fresh.value())


def test_a_provider_that_is_gone_when_a_rotation_is_due_is_a_warning_until_the_deadline(renewal):
    renewal.run("once", crash="after_plan_commit")  # it was known to be due when the provider went away
    renewal.sandbox.stop()
    done = renewal.run("once", "--wait", "3s")
    assert done.code == 0, done.out + done.err
    assert "provider_unavailable" in done.events
    assert renewal.holder(renewal.value())


def test_a_first_creation_without_a_provider_is_a_no(tmp_path, opened):
    place = opened(tmp_path)
    place.file()
    place.sandbox.stop()
    assert place.run("once", "--wait", "2s").code == 1


def test_one_refusal_of_every_token_is_not_believed(fresh):
    before = fresh.value()
    fresh.arm(operation="verify", kind="status", status=401, code=1000, times=FOREVER)
    done = fresh.run("once", "--wait", "6s")
    assert done.code in (0, 1), done.err
    fresh.heal()
    assert fresh.value() == before
    assert fresh.accepts(before)
    assert len(fresh.tokens()) == 1  # the control token was refused, too: that is the provider's trouble, not ours
    assert fresh.run("once").code == 0


def many(number=5):
    """As many credentials, each with a file of its own."""
    targets = [[{"type": "env_file", "name": "env", "path": f"app/{n}.env"}] for n in range(number)]
    return [credential(f"deploy-{n}", targets=target) for n, target in enumerate(targets)]


def test_the_death_of_most_tokens_at_once_is_an_incident_that_waits_for_a_person(tmp_path, opened):
    place = opened(tmp_path, *many())
    assert place.run("once").code == 0
    before = [place.value(f"app/{n}.env") for n in range(5)]
    for token in place.alive():
        token.disabled = True  # as somebody at the dashboard, or the provider, could do
    done = place.run("once", "--wait", "3s")
    assert done.code == 3, done.out + done.err
    assert "incident" in done.events
    assert needs(place) == {"mass_death"}
    # The first deaths are believed before it is known that they are many: a fifth of the fleet at most.
    assert len(place.tokens()) <= 7
    for token in place.tokens():
        token.disabled = False
    place.advance(LATER)
    assert place.run("resolve", *[f"deploy-{n}" for n in range(5) if needs_it(place, n)], "--retry").code == 0
    assert place.run("once", "--wait", "20s").code == 0
    for n in range(5):
        verdict.is_at_rest(place, f"deploy-{n}", {"env": place.value(f"app/{n}.env")})
    assert sum(place.value(f"app/{n}.env") == before[n] for n in range(5)) >= 3


def needs_it(place, number):
    return status(place)["credentials"][number]["needs_operator"] is not None


def test_a_token_that_the_provider_revoked_as_exposed_is_replaced_at_once(fresh):
    [token] = fresh.alive()
    with fresh.world.lock:
        token.exposed = True
        token.modified_on = fresh.world.clock.now()
    done = fresh.run("once", "--wait", "10s")
    assert done.code == 0, done.err
    assert "value_dead" in done.events
    assert fresh.accepts(fresh.value())


def test_a_management_token_without_rights_needs_an_operator_and_harms_nothing(renewal):
    before = renewal.value()
    management = renewal.world.tokens[renewal.world.roles["account-management"]]
    management.disabled = True
    done = renewal.run("once", "--wait", "3s")
    assert done.code == 3, done.out + done.err
    assert needs(renewal) == {"management_token"}
    assert renewal.value() == before
    assert renewal.accepts(before)
    # A person writes another one into the file; nothing is restarted or resolved.
    (renewal.folder / "tokens" / "account-management").write_text(renewal.sandbox.credentials["account-standby"])
    renewal.advance(LATER)
    assert renewal.run("once", "--wait", "20s").code == 0
    assert renewal.value() != before
    at_rest(renewal)


def test_a_full_quota_leaves_what_lives_alone_and_goes_on_when_there_is_room(renewal):
    before = renewal.value()
    with renewal.world.lock:
        owned = [t for t in renewal.world.tokens.values() if t.owner.type == "account" and t.deleted_on is None]
        renewal.world.settings.account_quota = len(owned)
    done = renewal.run("once", "--wait", "3s")
    assert done.code == 1, done.out + done.err
    assert "mint_refused" in done.events
    assert renewal.value() == before
    assert renewal.accepts(before)
    with renewal.world.lock:
        renewal.world.settings.account_quota = 500
    renewal.advance(LATER)
    assert renewal.run("once", "--wait", "20s").code == 0
    at_rest(renewal)


def test_lagging_front_ends_are_waited_for_before_anything_is_published(renewal):
    before = renewal.value()
    with renewal.world.lock:
        renewal.world.settings.verify_lag = 2.0
        renewal.world.settings.list_lag = 2.0
    done = renewal.run("once")
    assert done.code == 0, done.err
    assert renewal.accepts(renewal.value())
    assert renewal.run("once", "--wait", "20s").code == 0
    assert renewal.value() != before
    at_rest(renewal)
    assert len(renewal.tokens()) == 2


def test_a_rate_limit_is_obeyed_and_survived(renewal):
    before = renewal.value()
    renewal.arm(operation="create", kind="status", status=429, retry_after=2)
    done = renewal.run("once", "--wait", "30s")
    assert done.code == 0, done.err
    assert "rate_limited" in done.events
    assert renewal.value() != before
    at_rest(renewal)


def test_a_creation_that_is_made_twice_leaves_no_twin(renewal):
    renewal.arm(operation="create", kind="twin")
    assert renewal.run("once", "--wait", "20s").code == 0
    renewal.advance(LATER)
    assert renewal.run("once", "--wait", "20s").code == 0
    assert len(renewal.tokens()) == 3
    at_rest(renewal)


def test_a_renewal_that_no_one_made_in_time_is_an_emergency_not_a_loss(renewal):
    renewal.advance(RENEWAL)  # a machine that was off for longer than its token lived
    assert not renewal.accepts(renewal.value())
    assert renewal.run("once", "--wait", "20s").code == 0
    assert renewal.accepts(renewal.value())
