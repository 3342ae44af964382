"""A day in the life of a management pair, in seconds: a real daemon, and tokens that would all be dead soon."""

import json

import pytest

from tests.acceptance.stage import Away, Consumer, short_lived, until
from tests.installation import credential

pytestmark = pytest.mark.slow

LIFE = 24.0
"""Seconds. A member is renewed when a third of it is left."""

FAST = {"watch": "1s", "evaluate": "0.5s", "settle": "1s", "propagation": "3s", "retry": "0.5s", "pair_gap": "2s"}


def paired(opened, tmp_path, *credentials, life=LIFE, **keep):
    """An installation with two management tokens that end within seconds."""
    mine = credentials or (short_lived("deploy", {"type": "env_file", "path": "app/.env"}),)
    place = opened(tmp_path, *mine, advanced=FAST)
    connection = place.document["connections"]["cf"]
    connection |= {"standby_token": {"file": "tokens/account-standby"}, **keep}
    place.write()
    place.file()
    for role, lives in (("management", life), ("standby", life - 3)):
        place.world.tokens[place.world.roles[f"account-{role}"]].expires_on = place.world.clock.now() + lives
    return place


def ends(place):
    """Ends of both, in provider time."""
    return {
        role: place.world.tokens[place.world.roles[f"account-{role}"]].expires_on for role in ("management", "standby")
    }


def updates(place, role):
    """Requests that changed a token, as (operation, id of who asked)."""
    token = place.world.roles[f"account-{role}"]
    rows = place.sandbox.gateway.recorder.after(0)
    return [
        (row["operation"], row["actor_token_id"])
        for row in rows
        if row["operation"] in ("update", "roll") and f"/tokens/{token}" in row["path"] and row["status"] == 200
    ]


def needs(place):
    (connection,) = json.loads(place.run("status", "-o", "json").out)["connections"]
    return {(need["role"], need["code"]) for need in connection["needs"]}


def consumer(place):
    def read():
        try:
            return {"env": place.value()}
        except (OSError, KeyError, AssertionError):
            raise Away from None

    return Consumer("app", place, read)


def test_two_tokens_that_live_for_seconds_keep_each_other_alive(opened, tmp_path):
    place = paired(opened, tmp_path)
    process = place.daemon()
    until(place.value, "a value")
    with consumer(place) as app:
        until(lambda: all(len(updates(place, role)) >= 3 for role in ends(place)), "three renewals of each", 150)
        now = place.world.clock.now()
        assert all(at > now for at in ends(place).values())
    app.found_only_the_living()
    assert place.end(process) == 0

    management, standby = (place.world.roles[f"account-{role}"] for role in ("management", "standby"))
    assert {who for _, who in updates(place, "management")} == {standby}
    assert {who for _, who in updates(place, "standby")} == {management}


@pytest.mark.timeout(300)
def test_one_that_is_revoked_by_hand_is_told_replaced_and_kept_alive_again(opened, tmp_path):
    place = paired(opened, tmp_path, life=2 * LIFE)
    process = place.daemon()
    until(place.value, "a value")
    with consumer(place) as app:
        until(lambda: all(updates(place, role) for role in ends(place)), "a renewal of each", 90)
        lost = place.world.tokens[place.world.roles["account-management"]]
        with place.world.lock:
            lost.deleted_on = place.world.clock.now()
        until(lambda: ("management", "member_dead") in needs(place), "what a person has to do", 30)
        known = {token.id for token in place.tokens()}
        until(lambda: {token.id for token in place.tokens()} - known, "a token that the standby alone has made", 30)

        fresh = place.world.tokens[place.world.roles["account-narrow"]]
        with place.world.lock:
            fresh.policies = lost.policies
            fresh.expires_on = place.world.clock.now() + 2 * LIFE
            place.world.roles["account-management"] = fresh.id
        (place.folder / "tokens" / "account-management").write_text(fresh.value)
        before = {role: len(updates(place, role)) for role in ends(place)}
        until(lambda: all(len(updates(place, role)) > before[role] for role in before), "a renewal of each", 90)
        assert needs(place) == set()
    app.found_only_the_living()
    assert place.end(process) == 0


def test_two_tokens_give_each_other_new_values(opened, tmp_path):
    place = paired(opened, tmp_path, keep="roll")
    first = {role: (place.folder / "tokens" / f"account-{role}").read_text() for role in ("management", "standby")}
    process = place.daemon()
    until(place.value, "a value")
    with consumer(place) as app:

        def rolled():
            return all(sum(op == "roll" for op, _ in updates(place, role)) >= 2 for role in first)

        def in_place():
            stands = {role: (place.folder / "tokens" / f"account-{role}").read_text() for role in first}
            holders = {role: place.holder(value) for role, value in stands.items()}
            return all(
                holders[role] and holders[role].id == place.world.roles[f"account-{role}"] and stands[role] != before
                for role, before in first.items()
            )

        until(rolled, "two new values of each", 150)
        until(in_place, "the new values in their places", 60)
    app.found_only_the_living()
    assert place.end(process) == 0
    assert not [before for before in first.values() if before in place.said(process)]


def test_where_neither_lives_nothing_is_minted_and_what_is_published_lives(opened, tmp_path):
    place = paired(opened, tmp_path, credential())
    process = place.daemon()
    value = until(place.value, "a value")
    with place.world.lock:
        for role in ("management", "standby"):
            place.world.tokens[place.world.roles[f"account-{role}"]].deleted_on = place.world.clock.now()

    def degraded():
        (connection,) = json.loads(place.run("status", "-o", "json").out)["connections"]
        return connection["degraded"] and "nothing is minted" in connection["problem"]

    until(degraded, "a status that says so", 60)
    known = {token.id for token in place.tokens()}
    place.file()  # as it was before the program came
    until(lambda: place.value() == value, "the target healed", 60)
    assert {token.id for token in place.tokens()} == known
    assert place.accepts(value)
    assert place.end(process) == 0
