"""adopt: the credentials of existing tokens, as YAML that goes into the configuration as it is."""

import io

import pytest
from ruamel.yaml import YAML

from rotator.core.durations import DAY
from rotator.sandbox.tokens import make
from rotator.sandbox.world import Owner
from tests.sandbox_calls import ACCOUNT, DNS_WRITE, all_of, allow, zone


@pytest.fixture
def token(sandbox):
    """Makes a token as somebody else would; returns it."""

    def new(name, *policies, **more):
        now = sandbox.world.clock.now()
        made = make(
            sandbox.world, Owner("account", ACCOUNT), name, list(policies or [allow(DNS_WRITE, on=zone())]), now
        )
        for key, value in more.items():
            setattr(made, key, value)
        sandbox.world.add(made)
        return made

    return new


def read(done):
    assert done.code == 0, done.err
    return YAML(typ="safe").load(io.StringIO(done.out))["credentials"]


def test_it_goes_into_the_configuration_as_it_is_and_nothing_changes(rotator, token, place, sandbox):
    token("old deploy", expires_on=sandbox.world.clock.now() + 365 * DAY)
    written = read(rotator("adopt", "--pick-all"))
    place.write(*written)

    assert [one["name"] for one in written] == ["old-deploy"]
    assert written[0]["lifetime"] == "365d"
    assert rotator("check", "--offline").code == 0
    assert rotator("plan", "-o", "json").json["rotations"] == []
    before = len(sandbox.world.tokens)
    assert rotator("once").code == 0
    assert len(sandbox.world.tokens) == before
    assert rotator("status", "old-deploy", "-o", "json").json["credentials"][0]["state"] == "idle"


def test_a_token_is_named_by_its_id_or_by_the_beginning_of_it(rotator, token):
    made = token("old deploy")

    assert read(rotator("adopt", made.id)) == read(rotator("adopt", made.id[:8]))
    (written,) = read(rotator("adopt", made.id, "--name", "deploy"))
    assert (written["name"], written["connection"], written["adopt"]) == ("deploy", "prod", {"id": made.id})


def test_an_id_that_does_not_exist_is_refused_and_found_by_check(rotator, place):
    done = rotator("adopt", "f" * 32)
    assert done.code == 1
    assert "no token that can be listed" in done.err

    place.write(place.credential("deploy", adopt={"id": "f" * 32}))
    found = [f for f in rotator("check", "-o", "json").json["findings"] if f["code"] == "adopt"]
    assert [f["level"] for f in found] == ["fail"]


def test_a_token_that_another_credential_minted_is_refused(fresh, place, sandbox):
    (ours,) = [t for t in sandbox.world.tokens.values() if t.name.startswith("workers-deploy~")]
    done = fresh("adopt", ours.id)

    assert done.code == 1
    assert "the credential workers-deploy keeps it already" in done.err
    place.write(place.credential("workers-deploy"), place.credential("thief", adopt={"id": ours.id}))
    found = [f for f in fresh("check", "-o", "json").json["findings"] if f["code"] == "adopt"]
    assert ("fail", "credential thief") in [(f["level"], f["subject"]) for f in found]


@pytest.mark.parametrize("role", ["account-management"])
def test_the_management_token_is_refused(rotator, sandbox, role):
    (mine,) = [t for t in sandbox.world.tokens.values() if t.value == sandbox.credentials[role]]

    assert "never manages itself" in rotator("adopt", mine.id).err


def test_dead_tokens_and_those_that_no_token_can_make_are_skipped_and_said(rotator, token, sandbox):
    token("off", disabled=True)
    token("gone", expires_on=sandbox.world.clock.now() - 1)
    token("odd", {**allow(DNS_WRITE, on=zone()), "effect": "deny"})
    document = rotator("adopt", "--all", "-o", "json").json

    assert document["credentials"] == []
    said = {one["name"]: one["message"] for one in document["skipped"]}
    assert said["off"] == "it is disabled"
    assert said["gone"] == "it is expired"
    assert "cannot be written as grants" in said["odd"]
    assert "no token can make one" in said["sandbox account-narrow"]


def test_names_are_made_to_fit_and_never_given_twice(rotator, token, place):
    for name in ("workers-deploy", "~~", "ein Schlüssel für alles", "on", "x" * 120):
        token(name, allow("c1fde68c7bcc44588cbb6ddbc16d6480", on=all_of()))
    written = read(rotator("adopt", "--pick-all"))
    place.write(place.credential("workers-deploy"), *written)

    assert len({one["name"] for one in written}) == 5
    assert {"workers-deploy-2", "token", "ein-Schl-ssel-f-r-alles", "on"} < {one["name"] for one in written}
    assert rotator("check", "--offline").code == 0


def test_a_token_without_an_end_is_told(rotator, token):
    token("forever")

    assert "never expire: forever" in rotator("adopt", "--pick-all").err


@pytest.mark.parametrize("arguments", [(), ("a" * 32, "--pick-all"), ("--pick-all", "--name", "x")])
def test_what_is_meant_must_be_said(rotator, arguments):
    assert rotator("adopt", *arguments).code == 2


def test_a_watched_credential_is_not_rotated(rotator, token, place):
    made = token("old deploy")
    place.write(*read(rotator("adopt", made.id)))

    assert rotator("rotate", "old-deploy").code == 2
    assert rotator("rotate", "--all").code == 0


def test_with_its_value_at_a_target_it_is_taken_over_and_without_it_is_replaced(rotator, token, place, sandbox):
    known, lost = token("known"), token("lost")
    known_file, lost_file = ({"type": "env_file", "path": f"{name}.env"} for name in ("known", "lost"))
    (place.folder / "known.env").write_text(f"CLOUDFLARE_API_TOKEN={known.value}\n")
    by_name = {one["name"]: one for one in read(rotator("adopt", "--pick-all"))}
    place.write(by_name["known"] | {"targets": [known_file]}, by_name["lost"] | {"targets": [lost_file]})
    assert rotator("once").code == 0

    found = {one["name"]: one for one in rotator("status", "-o", "json").json["credentials"]}
    assert found["known"]["token_id"] == known.id
    assert place.value("known") == known.value
    assert found["lost"]["token_id"] not in (None, lost.id)
    assert [one["token_id"] for one in found["lost"]["retirements"]] == [lost.id]
